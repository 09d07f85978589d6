// Accessibility: Lighthouse's score of the page, and axe's rules on every state of it, in both themes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import lighthouse from "lighthouse";
import * as site from "./site.mjs";

const LEAST = 95;
const DEBUGGED = 9322;
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let server;
before(async () => (server = await site.serve()));
after(async () => {
  await server.stop();
  site.clean();
});

test(`Lighthouse gives accessibility at least ${LEAST}`, async () => {
  const browser = await site.launch([`--remote-debugging-port=${DEBUGGED}`]);
  try {
    const found = await lighthouse(server.address, { port: DEBUGGED, onlyCategories: ["accessibility"], logLevel: "error", maxWaitForLoad: 120_000 });
    const { score, auditRefs } = found.lhr.categories.accessibility;
    const failed = auditRefs.map(({ id }) => found.lhr.audits[id]).filter((audit) => audit.score !== null && audit.score < 1);
    console.log(`Lighthouse: accessibility ${Math.round(score * 100)}`);
    assert.ok(score * 100 >= LEAST, JSON.stringify(failed.map(({ id, title }) => [id, title])));
  } finally {
    await browser.close();
  }
});

const STATES = {
  converted: async () => {},
  "with an error": (page) => site.put(page, "python", "x = (\n"),
  "as a view": async (page) => {
    await page.check('input[value="view"]', { force: true });
    await page.check('[data-view="signatures"]');
    await site.settled(page);
  },
};

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in the ${colorScheme} theme`, async () => {
    const browser = await site.launch();
    try {
      const page = await site.newPage(browser, { colorScheme, reducedMotion: "reduce" });
      await site.open(page, server.address);
      for (const [state, reach] of Object.entries(STATES)) {
        await site.put(page, "python", site.readExample("two_sum.py"));
        await reach(page);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 120))]), [], state);
      }
    } finally {
      await browser.close();
    }
  });
}
