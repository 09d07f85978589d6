// Pictures of every view, in both themes and at the width of a phone, for a person to look at: node tests/shots.mjs FOLDER
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as site from "./site.mjs";

const into = process.argv[2];
if (!into) throw new Error("say where the pictures go: node tests/shots.mjs FOLDER");
mkdirSync(into, { recursive: true });

const STATES = {
  converted: (page) => site.choose(page, "dialect", "classic"),
  long: (page) => site.put(page, "python", site.readExample("inventory.py")),
  pointed: async (page) => {
    await site.put(page, "python", site.readExample("two_sum.py"));
    await page.hover("#python-pane .overlay span:nth-child(40)", { force: true });
  },
  error: (page) => site.put(page, "python", "def f(a:\n    return (a\n"),
  view: async (page) => {
    await site.put(page, "python", site.readExample("inventory.py"));
    await page.check('input[value="view"]', { force: true });
    await page.check('[data-view="signatures"]');
    await site.settled(page);
  },
};

const server = await site.serve();
const browser = await site.launch();
for (const [size, options] of Object.entries({ wide: { viewport: { width: 1280, height: 900 } }, phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } })) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await site.newPage(browser, { ...options, colorScheme });
    await site.open(page, server.address);
    for (const [state, reach] of Object.entries(STATES)) {
      await reach(page);
      await page.screenshot({ path: join(into, `${size}-${colorScheme}-${state}.png`), fullPage: true });
    }
    await page.context().close();
  }
}
await browser.close();
await server.stop();
site.clean();
