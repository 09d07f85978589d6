// The page in a browser, held to what the command says of the same texts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as site from "./site.mjs";

const DIALECTS = ["classic", "dense", "dense-newline", "classic-spaced", "dense-spaced", "dense-open", "compact"];
const PROGRAM = `import os

class Shop:  # one
    "Sells."

    def total(self, tax: float = 0.2) -> float:
        s = '<def_stmt> 😀 \\u2581 <|endoftext|>'
        return (self.net * (1 + tax), f"{s!r:>{tax}}")


if __name__ == "__main__":
    print((Shop().total(), os.name), [x for x in (1, 2) if x not in {3}])
`;
const BROKEN = { python: ["x = (1\ny = 2\n", "😀 = 1\n", "def f(:\n    pass\n"], simpy: ["<def_stmt>f<block_start>x=", "x=<block_end>"] };

let server;
let browser;
let page;

before(async () => {
  server = await site.serve();
  browser = await site.launch();
  page = await site.newPage(browser);
  await site.open(page, server.address);
});

after(async () => {
  await browser?.close(); // where there is none, the server still has to end, or this process would wait for it
  assert.equal(await server?.stop(), 0, "simpy play ends well on SIGTERM");
  site.clean();
});

test("the first thing that is shown is a program, converted, counted and proved", async () => {
  const source = site.readExample("two_sum.py");
  assert.equal(await page.inputValue("#python"), source);
  assert.equal(await page.inputValue("#simpy"), site.simpy(["encode", "-", "-q"], source).out);
  assert.match(await page.textContent("#proof"), /^✓ Proved/);
  await page.waitForFunction(() => /SimPy [\d.]+ on CPython 3\.14\.\d/.test(document.getElementById("about").textContent));
});

test("what is typed is converted, in each dialect and both ways, as the command converts it", async () => {
  for (const dialect of DIALECTS) {
    await site.choose(page, "dialect", dialect);
    await site.put(page, "python", PROGRAM);
    const simpy = site.simpy(["encode", "-", "-q", "--dialect", dialect], PROGRAM).out;
    assert.equal(await page.inputValue("#simpy"), simpy, dialect);
    assert.equal(await page.textContent("#proof"), "✓ Proved: both sides have the same syntax tree");
    const renamed = simpy.replaceAll("Shop", "Store");
    await site.put(page, "simpy", renamed);
    assert.equal(await page.inputValue("#python"), site.simpy(["decode", "-", "-q", "--dialect", dialect], renamed).out, dialect);
    assert.equal(await page.textContent("#proof"), "✓ Proved: the Python encodes to this text again", dialect);
  }
  await site.choose(page, "dialect", "python");
  await site.put(page, "python", "x=(1,\n 2)\n");
  assert.equal(await page.inputValue("#simpy"), "x = (1, 2)\n");
  await site.choose(page, "dialect", "classic");
});

test("typing goes key by key, with the indentation of Python", async () => {
  await site.put(page, "python", "");
  await page.focus("#python");
  await page.keyboard.type("def f(a):\nreturn a\n", { delay: 5 });
  await site.settled(page);
  assert.equal(await page.inputValue("#python"), "def f(a):\n    return a\n    ");
  assert.equal(await page.inputValue("#simpy"), "<def_stmt>f a<block_start><return>a<block_end>");
  await page.keyboard.press("Control+z");
  await site.settled(page);
  assert.notEqual(await page.inputValue("#python"), "def f(a):\n    return a\n    ", "what is typed can be undone");
});

test("a text that is not a program is explained as the command explains it, and can be gone to", async () => {
  for (const [side, texts] of Object.entries(BROKEN)) {
    for (const text of texts) {
      await site.put(page, side, text);
      const said = site.simpy([side === "python" ? "encode" : "decode", "-", "-q"], text).said.trimEnd();
      assert.ok(said.includes("error: "), text);
      assert.equal(await page.textContent("#error-text"), said);
      assert.equal(await page.inputValue(`#${side}`), text, "the text itself stays");
      const [, line, column] = /^<stdin>:(\d+):(\d+):/.exec(said).map(Number);
      await page.click("#go");
      const caret = await page.evaluate((side) => document.getElementById(side).selectionStart, side);
      const lines = text.split("\n");
      const before = lines.slice(0, line - 1).join("\n").length + (line > 1);
      assert.equal(caret, before + Array.from(lines[line - 1]).slice(0, column - 1).join("").length);
      assert.equal(await page.evaluate(() => document.activeElement.id), side);
    }
  }
  await site.put(page, "python", PROGRAM);
  assert.ok(await page.isHidden("#error"));
});

test("a text of the right side that another dialect reads is read when that is chosen", async () => {
  await site.put(page, "simpy", "<if_stmt>a{x=1;y=2");
  assert.ok(await page.isVisible("#error"));
  await site.choose(page, "dialect", "dense");
  assert.equal(await page.inputValue("#python"), "if a:\n    x = 1\n    y = 2\n");
  await site.choose(page, "dialect", "classic");
  assert.equal(await page.inputValue("#simpy"), "<if_stmt>a<block_start>x=1<line_sep>y=2<block_end>");
});

test("another spelling of the same program is told from the canonical one", async () => {
  await site.choose(page, "dialect", "compact");
  await site.put(page, "simpy", "x = 1");
  assert.equal(await page.textContent("#proof"), "✓ Proved: the same program; this dialect would spell it otherwise");
  await site.put(page, "simpy", "x=1");
  assert.equal(await page.textContent("#proof"), "✓ Proved: the Python encodes to this text again");
  await site.choose(page, "dialect", "classic");
});

test("what SimPy reads and CPython refuses is decoded without the proof only", async () => {
  await site.put(page, "simpy", "f(a=1 b)");
  assert.equal(await page.textContent("#error-text"), site.simpy(["decode", "-", "-q"], "f(a=1 b)").said.trimEnd());
  await page.uncheck("#prove");
  await site.settled(page);
  assert.equal(await page.inputValue("#python"), site.simpy(["decode", "-", "-q", "--fast"], "f(a=1 b)").out);
  await page.check("#prove");
  await site.settled(page);
  assert.ok(await page.isVisible("#error"));
});

test("syntax of Python 3.15 is refused where it cannot be proved, and converted without the proof", async () => {
  await site.put(page, "python", "lazy import os\n");
  assert.match(await page.textContent("#error-text"), /needs Python 3\.15 to be proved, and this is Python 3\.14/);
  await page.uncheck("#prove");
  await site.settled(page);
  assert.equal(await page.inputValue("#simpy"), site.simpy(["encode", "-", "-q", "--fast"], "lazy import os\n").out);
  assert.equal(await page.textContent("#proof"), "Converted without the proof");
  await page.check("#prove");
  await site.settled(page);
});

test("tokens are as many as the command counts, in every dialect and both built-in vocabularies", async () => {
  await site.put(page, "python", PROGRAM);
  for (const vocabulary of ["cl100k_base", "o200k_base"]) {
    await site.choose(page, "vocabulary", vocabulary);
    const expected = site.counted(PROGRAM, vocabulary, DIALECTS);
    for (const dialect of DIALECTS) {
      await site.choose(page, "dialect", dialect);
      assert.deepEqual([await site.tokens(page, "python"), await site.tokens(page, "simpy")], [expected.python, expected[dialect]], `${vocabulary} ${dialect}`);
    }
    const rows = await page.$$eval("#rows tr", (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    assert.deepEqual(rows.map(([name, added]) => [name, Number(added)]), Object.entries(expected).map(([name, n]) => [name === "python" ? "Python as it is" : name, n]));
  }
  await site.choose(page, "dialect", "classic");
});

test("counts on the vocabulary as it is are those of the text as Python", async () => {
  await site.put(page, "python", site.readExample("two_sum.py"));
  const asItIs = site.python(`
import sys, tiktoken
print(len(tiktoken.get_encoding("o200k_base").encode_ordinary(${JSON.stringify(await page.inputValue("#simpy"))})))`);
  assert.equal(await site.stock(page), Number(asItIs.out), asItIs.said);
});

test("a tokenizer.json that is dropped counts as the command counts with it", async () => {
  const kinds = ["byte_bpe", "byte_bpe_nfc", "sentencepiece_dummy", "unigram"];
  const made = site.python(`
import sys
from tests import small_tokenizers
for kind in ${JSON.stringify(kinds)}:
    open(f"${site.folder}/{kind}.json", "w", encoding="utf-8").write(getattr(small_tokenizers, kind)().to_str())`);
  assert.equal(made.code, 0, made.said);
  await site.put(page, "python", PROGRAM);
  for (const [i, kind] of kinds.entries()) {
    const file = join(site.folder, `${kind}.json`);
    if (i % 2) await page.setInputFiles("#file", file);
    else await drop(`${kind}.json`, readFileSync(file, "utf8"));
    await page.waitForFunction((name) => document.getElementById("vocabulary").value === name, `${kind}.json`);
    const expected = site.counted(PROGRAM, file, DIALECTS);
    for (const dialect of ["classic", "dense"]) {
      await site.choose(page, "dialect", dialect);
      await site.settled(page);
      assert.deepEqual([await site.tokens(page, "python"), await site.tokens(page, "simpy")], [expected.python, expected[dialect]], `${kind} ${dialect}`);
    }
    assert.equal(await page.$eval("#python-pane .overlay", (overlay) => overlay.textContent), `${PROGRAM}\n`);
  }
});

test("a file that is no tokenizer is refused with a reason, and the vocabulary stays", async () => {
  await site.choose(page, "vocabulary", "o200k_base");
  for (const [name, text] of [["bad.json", "{"], ["odd.json", '{"model": {}}'], ["wrong.json", "[]"]]) {
    await drop(name, text);
    await page.waitForFunction((name) => document.getElementById("note").textContent.startsWith(`${name}: error: not a tokenizer file`), name);
    await site.settled(page);
    assert.equal(await page.inputValue("#vocabulary"), "o200k_base");
  }
  assert.ok((await site.tokens(page, "simpy")) > 0);
});

async function drop(name, text) {
  const transfer = await page.evaluateHandle(([name, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], name, { type: "application/json" }));
    return transfer;
  }, [name, text]);
  await page.dispatchEvent("#simpy", "dragover", { dataTransfer: transfer });
  assert.ok(await page.isVisible("#drop"));
  await page.dispatchEvent("#simpy", "drop", { dataTransfer: transfer });
  assert.ok(await page.isHidden("#drop"));
}

test("every token has its colour: the pieces join to the text, and neighbours differ", async () => {
  await site.choose(page, "dialect", "classic");
  await site.put(page, "python", PROGRAM);
  for (const side of ["python", "simpy"]) {
    const pieces = await page.$$eval(`#${side}-pane .overlay span`, (spans) => spans.map((span) => [span.textContent, span.piece.token, span.className]));
    assert.equal(pieces.map(([text]) => text).join(""), await page.inputValue(`#${side}`));
    assert.equal(new Set(pieces.map(([, token]) => token)).size, await site.tokens(page, side));
    for (const [i, [, token, name]] of pieces.entries()) assert.ok(name.includes(`t${token % 5}`) && (i === 0 || token >= pieces[i - 1][1]));
  }
  const added = await page.$$eval("#simpy-pane .added", (spans) => spans.map((span) => span.textContent));
  assert.ok(added.includes("<block_start>") && added.every((text) => /^<[a-z_]+>$/.test(text)));
  await page.uncheck("#colours");
  await site.settled(page);
  assert.equal(await page.$$eval(".overlay .t0, .overlay .added", (spans) => spans.length), 0);
  await page.check("#colours");
  await site.settled(page);
});

test("colours lie under their text, however long it is, and the caret stays in view", async () => {
  await site.put(page, "python", site.readExample("inventory.py").repeat(3));
  for (const side of ["python", "simpy"]) {
    const [area, overlay, scrolled] = await page.$eval(`#${side}-pane .sheet`, ({ children: [overlay, area] }) => [
      [area.offsetWidth, area.offsetHeight, area.scrollHeight], [overlay.offsetWidth, overlay.offsetHeight, overlay.scrollHeight], area.scrollTop]);
    assert.deepEqual(area, overlay, side);
    assert.equal(scrolled, 0);
  }
  await page.focus("#python");
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+End");
  const [top, height, whole] = await page.$eval("#python-pane .editor", (editor) => [editor.scrollTop, editor.clientHeight, editor.scrollHeight]);
  assert.ok(top > 0 && top + height > whole - 60, `${top} + ${height} of ${whole}`);
});

test("what is pointed at, or where the caret is, is shown on both sides", async () => {
  await site.put(page, "python", "s = '😀'\nreturn_value = s\n");
  const at = await page.$$eval("#simpy-pane .overlay span", (spans) => {
    const box = spans.find((span) => span.textContent.startsWith("return")).getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  });
  await page.mouse.move(...at);
  const paired = (side) => page.$$eval(`#${side}-pane .paired`, (spans) => spans.map((span) => span.textContent).join(""));
  assert.deepEqual([await paired("python"), await paired("simpy")], ["return_value", "return_value"]);
  assert.match(await page.textContent("#where"), /^Token \d+ of \d+ return\S* · return_value is return_value in Python \(NAME\)$/);
  await page.mouse.move(5, 5);
  assert.deepEqual([await paired("python"), await paired("simpy")], ["", ""]);
  assert.equal(await page.inputValue("#example"), "", "what was typed is no example");
  await site.choose(page, "example", "inventory.py");
  assert.match(await page.textContent("#where"), /^Point at a token/, "what was pointed at is gone");
  await site.put(page, "python", "s = '😀'\nreturn_value = s\n");
  await page.focus("#python");
  await page.keyboard.press("Control+Home");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  const both = () => ["python", "simpy"].every((side) => document.querySelector(`#${side}-pane .paired`)?.textContent.startsWith("'"));
  await page.waitForFunction(both); // each step of the caret shows what it is at
  assert.deepEqual([await paired("python"), await paired("simpy")], ["'😀'", "'😀'"]);
});

test("the pairs of the source map are the same lexemes, in every dialect", async () => {
  for (const dialect of DIALECTS) {
    await site.choose(page, "dialect", dialect);
    await site.put(page, "python", PROGRAM);
    const words = (side) => page.$$eval(`#${side}-pane .overlay span`, (spans) => {
      const found = new Map();
      for (const { textContent, piece } of spans) if (piece.lexeme >= 0) found.set(piece.lexeme, (found.get(piece.lexeme) ?? "") + textContent);
      return [...found].filter(([, text]) => /^\w+$/.test(text));
    });
    const theirs = new Map(await words("simpy"));
    const ours = (await words("python")).filter(([lexeme]) => theirs.has(lexeme));
    assert.ok(ours.length > 20);
    for (const [lexeme, text] of ours) assert.equal(theirs.get(lexeme), text, dialect);
  }
  await site.choose(page, "dialect", "classic");
});

test("views are what `simpy view` prints", async () => {
  await site.put(page, "python", PROGRAM);
  await page.check('input[value="view"]', { force: true });
  await site.settled(page);
  assert.ok(await page.$eval("#simpy", (area) => area.readOnly));
  const asked = [[], ["no-comments"], ["no-docstrings", "no-annotations"], ["signatures"], ["outline"], ["symbol=Shop.total"], ["lines=3-5"]];
  for (const dialect of ["compact", "classic", "python"]) {
    await site.choose(page, "dialect", dialect);
    for (const views of asked) {
      await ask(views);
      const { out } = site.simpy(["view", "-", "-q", "--dialect", dialect, ...views.flatMap((view) => ["--view", view])], PROGRAM);
      assert.equal(await page.inputValue("#simpy"), out, `${dialect} ${views}`);
    }
  }
  assert.equal(await page.textContent("#proof"), "✓ Proved for the whole program; the view shows a part of it");
  await ask(["prune=30"]);
  assert.ok((await site.tokens(page, "simpy")) <= 30);
  assert.match(await page.textContent("#summary"), /^Left out: .*statements/);
  await ask(["symbol=Nothing"]);
  assert.match(await page.textContent("#error-text"), /^<stdin>: error: .*Nothing/);
  await ask([]);
  await page.selectOption('#views select[name="numbers"]', "none");
  await site.settled(page);
  assert.ok(!/^\d+:/m.test(await page.inputValue("#simpy")));
  await page.check('input[value="convert"]', { force: true });
  await site.choose(page, "dialect", "classic");
  assert.equal(await page.inputValue("#simpy"), site.simpy(["encode", "-", "-q"], PROGRAM).out);
});

async function ask(views) {
  for (const input of await page.$$("#views [data-view]")) {
    const name = await input.getAttribute("data-view");
    const found = views.find((view) => view.split("=")[0] === name);
    if ((await input.getAttribute("type")) === "checkbox") await input.setChecked(found !== undefined);
    else await input.fill(found?.split("=")[1] ?? "");
  }
  await site.settled(page);
}

test("the address holds the program and the settings, and no server sees them", async () => {
  await site.choose(page, "dialect", "dense");
  await site.choose(page, "vocabulary", "cl100k_base");
  await site.put(page, "python", "def secret_name(a):\n    return a + 1\n");
  await site.put(page, "simpy", (await page.inputValue("#simpy")).replace("+1", "+2"));
  assert.match(await page.inputValue("#python"), /a \+ 2/);
  const shared = page.url();
  const other = await site.newPage(browser);
  await site.open(other, shared);
  for (const id of ["python", "simpy", "dialect", "vocabulary"]) assert.equal(await other.inputValue(`#${id}`), await page.inputValue(`#${id}`), id);
  assert.equal(await other.textContent("#simpy-count"), await page.textContent("#simpy-count"));
  assert.ok(other.asked.every((address) => !new URL(address).search && !address.includes("secret")));
  await site.open(other, server.address, "#text=broken");
  assert.match(await other.textContent("#note"), /The link is damaged/);
  assert.equal(await other.inputValue("#python"), site.readExample("two_sum.py"));
  await site.open(other, server.address, `${new URL(shared).hash.replace("cl100k_base", "mine.json")}`);
  assert.match(await other.textContent("#note"), /the vocabulary mine\.json, which is not in it/);
  await other.context().close();
});

test("the whole page works with the keyboard alone", async () => {
  const other = await site.newPage(browser);
  await site.open(other, server.address);
  const reached = [];
  for (let i = 0; i < 25; i++) {
    await other.keyboard.press("Tab");
    const id = await other.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.className);
    reached.push(id);
    if (id === "scroll") break;
  }
  assert.deepEqual(reached, ["share", "theme", "dialect", "vocabulary", "file", "example", "mode", "colours", "prove", "python", "simpy", "scroll"]);
  await other.focus("#dialect");
  await other.keyboard.press("ArrowDown");
  await site.settled(other);
  assert.equal(await other.inputValue("#dialect"), "dense");
  assert.match(await other.inputValue("#simpy"), /\{chk_map:/);
  await other.focus('input[value="convert"]');
  await other.keyboard.press("ArrowRight");
  await site.settled(other);
  assert.ok(await other.isVisible("#views"));
  await other.context().close();
});

test("at the width of a phone nothing is cut off, in light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const phone = await site.newPage(browser, { viewport: { width: 360, height: 740 }, colorScheme, hasTouch: true, isMobile: true });
    await site.open(phone, server.address);
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360);
    for (const mode of ["view", "convert"]) {
      await phone.check(`input[value="${mode}"]`, { force: true });
      await site.settled(phone);
      assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360);
    }
    const background = await phone.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(background, colorScheme === "light" ? "rgb(246, 247, 246)" : "rgb(16, 20, 18)");
    await phone.selectOption("#theme", colorScheme === "light" ? "dark" : "light");
    assert.notEqual(await phone.evaluate(() => getComputedStyle(document.body).backgroundColor), background);
    await phone.reload();
    await phone.waitForFunction(() => document.documentElement.dataset.theme);
    assert.equal(await phone.evaluate(() => document.documentElement.dataset.theme), colorScheme === "light" ? "dark" : "light");
    await phone.context().close();
  }
});

test("it asks no other server, and could not", async () => {
  await page.evaluate(() => fetch("https://example.com/").then(() => "answered", () => "refused")).then((said) => assert.equal(said, "refused"));
  const foreign = page.asked.filter((address) => !address.startsWith(server.address) && !/^(about|blob|data):/.test(address) && address !== "https://example.com/");
  assert.deepEqual(foreign, []);
  const expected = /Content Security Policy|example\.com/;
  assert.deepEqual(page.wrong.filter((text) => !expected.test(text)), []);
});

test("once loaded it works without a network, vocabularies and all", async () => {
  const other = await site.newPage(browser);
  const own = await site.serve();
  await site.open(other, own.address);
  await other.waitForFunction(() => document.getElementById("offline").textContent === "Works offline from now on.");
  await own.stop();
  await other.context().setOffline(true);
  await other.reload();
  await other.waitForFunction(() => document.documentElement.hasAttribute("data-ready"));
  await site.put(other, "python", "def f(a):\n    return a\n");
  await site.choose(other, "vocabulary", "cl100k_base");
  assert.equal(await other.inputValue("#simpy"), "<def_stmt>f a<block_start><return>a<block_end>");
  assert.equal(await site.tokens(other, "simpy"), site.counted("def f(a):\n    return a\n", "cl100k_base", ["classic"]).classic);
  await other.context().close();
});
