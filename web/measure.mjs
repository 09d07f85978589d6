// How long the page takes, in the browser of this machine: node measure.mjs FILE RUNS prints JSON, all times in milliseconds.
// benchmarks/playground.py starts it.
import { readFileSync } from "node:fs";
import * as site from "./tests/site.mjs";

const [file, runs] = process.argv.slice(2);
const source = readFileSync(file, "utf8");
const number = (page, name) => page.evaluate((name) => Number(document.documentElement.dataset[name]), name);
const found = { first: [], first_counted: [], converted: [], counted: [], decoded: [] };

const server = await site.serve();
const browser = await site.launch();
for (let i = 0; i < Number(runs); i++) {
  const page = await site.newPage(browser); // a context of its own: nothing is kept from the last one
  await site.open(page, server.address);
  found.first.push(await number(page, "convertedFirst"));
  found.first_counted.push(await number(page, "countedFirst"));
  await site.put(page, "python", source);
  for (let j = 0; j < 5; j++) {
    await site.put(page, "python", `${source}x${i}${j} = ${j}\n`);
    found.converted.push(await number(page, "converted"));
    found.counted.push(await number(page, "counted"));
  }
  const simpy = await page.inputValue("#simpy");
  for (let j = 0; j < 5; j++) {
    await site.put(page, "simpy", `${simpy}<line_sep>y${j}=${j}`);
    found.decoded.push(await number(page, "converted"));
  }
  await page.context().close();
}
const version = browser.version();
await browser.close();
await server.stop();
site.clean();
console.log(JSON.stringify({ browser: `Chromium ${version}`, ...found }));
