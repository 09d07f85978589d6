// The parts of the page that need no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, offsetOf } from "../src/editor.js";
import { newest } from "../src/engine.js";
import { DEFAULTS, fromFragment, toFragment } from "../src/settings.js";
import { percentSaved } from "../src/shown.js";

test("a text is cut where tokens end and where lexemes do", () => {
  const pieces = cut("ab = c", [2, 4, 6], { starts: [0, 3, 5], ends: [2, 4, 6] });
  assert.deepEqual(pieces, [
    { start: 0, end: 2, token: 0, lexeme: 0 },
    { start: 2, end: 3, token: 1, lexeme: -1 },
    { start: 3, end: 4, token: 1, lexeme: 1 },
    { start: 4, end: 5, token: 2, lexeme: -1 },
    { start: 5, end: 6, token: 2, lexeme: 2 },
  ]);
});

test("pieces join to the text whatever is known of it", () => {
  for (const [ends, lexemes] of [[[], { starts: [], ends: [] }], [[1, 1, 3], { starts: [], ends: [] }], [[], { starts: [0, 0, 2], ends: [0, 2, 2] }], [[2], { starts: [1], ends: [3] }]]) {
    assert.equal(cut("abc", ends, lexemes).map(({ start, end }) => "abc".slice(start, end)).join(""), "abc");
  }
});

test("lines and columns are offsets", () => {
  assert.deepEqual([offsetOf("ab\ncd", 1, 2), offsetOf("ab\ncd", 2, 1), offsetOf("ab\ncd", 2, 9), offsetOf("ab", 7, 1)], [1, 3, 5, 2]);
});

test("an address gives back the settings that it was made of", async () => {
  const settings = { ...DEFAULTS, text: "x = '😀 &#?'\n\n", side: "simpy", dialect: "dense", mode: "view", views: ["no-comments", "symbol=A.b"], prove: false };
  assert.deepEqual(await fromFragment(await toFragment(settings)), settings);
  assert.deepEqual(await fromFragment(await toFragment({ ...DEFAULTS, text: "" })), { ...DEFAULTS, text: "" });
});

test("an address without a program sets nothing, and a damaged one is refused", async () => {
  assert.equal(await fromFragment(""), null);
  assert.equal(await fromFragment("#dialect=dense"), null);
  await assert.rejects(fromFragment("#text=%%%"));
  await assert.rejects(fromFragment(`#text=${"A".repeat(40)}`));
  const odd = (await toFragment({ ...DEFAULTS, text: "a" })) + "&mode=other&side=middle";
  assert.deepEqual(await fromFragment(odd), { ...DEFAULTS, text: "a" });
});

test("what is saved is a percentage of what was there before", () => {
  assert.deepEqual([percentSaved(60, 80), percentSaved(100, 80), percentSaved(0, 0)], [25, -25, 0]);
});

test("of many calls only the newest is done, and busy ends with it", async () => {
  const done = [];
  const said = [];
  let wanted = 0;
  const run = newest(async (isOld) => {
    const mine = wanted;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!isOld()) done.push(mine);
  }, (busy) => said.push(busy));
  const first = run();
  for (wanted = 1; wanted < 5; wanted++) run();
  await first;
  assert.deepEqual(done, [5]);
  assert.deepEqual(said, [true, false]);
});
