// The page: what is typed goes to Python, and what Python answers is shown. Each part has a file of its own; here they meet.
import { EXAMPLES, VOCABULARIES, ViewForm, fill } from "./choices.js";
import { Editor, offsetOf } from "./editor.js";
import { Engine, newest } from "./engine.js";
import { DEFAULTS, fromFragment, toFragment } from "./settings.js";
import { showTable, tokensOf, where } from "./shown.js";
import { keepOffline } from "./offline.js";
import { chooseTheme } from "./theme.js";

const $ = (id) => document.getElementById(id);
const POINT = $("where").textContent; // what is said while nothing is pointed at
const engine = new Engine();
const settings = { ...DEFAULTS, text: EXAMPLES["two_sum.py"] };
const files = new Map(); // vocabularies that were opened: name -> text of the tokenizer.json, until Python has it
const ready = new Set(); // vocabularies that Python has
let views; // the form, once it is known which views there are
let program = null; // the last conversion that was possible, with the tokens of both texts
let failed = null; // the side whose text could not be converted
let python; // the editors
let simpy;

// ------------------------------------------------------------------------------------------------------- what is typed

function edited(side, example = "") {
  $("example").value = example;
  settings.side = side;
  settings.text = editorOf(side).text;
  work();
}

const editorOf = (side) => (side === "python" ? python : simpy);

/** Point at a piece of one side: mark its lexeme on both, and say what it is. */
function pointed(side, piece) {
  const lexeme = piece?.lexeme ?? -1;
  if (settings.mode === "view" && side === "simpy") return;
  editorOf(side).mark(lexeme);
  if (settings.mode === "convert") (side === "python" ? simpy : python).mark(lexeme, document.activeElement === editorOf(side).area);
  if (piece && program) where($("where"), side, piece, program);
}

// ------------------------------------------------------------------------------------------------- conversion and counts

const work = newest((isOld) => convert(isOld).catch(fail), (busy) => document.body.toggleAttribute("data-busy", busy));

async function convert(isOld) {
  const { text, side, dialect, prove } = settings;
  const began = performance.now();
  const answer = await engine.ask("convert", { text, side, dialect, prove });
  if (isOld()) return;
  if (answer.error) showError(answer.error, side, text);
  else {
    showConversion(answer, side, dialect);
    took("converted", began);
    if (await count(isOld)) {
      took("counted", began);
      await showViewIfAsked(isOld);
      if (!isOld()) showTable($("table"), await engine.ask("table", { python: program.python, vocabulary: settings.vocabulary }), dialect, chooseDialect);
    }
  }
  await remember();
}

/** Say that something went wrong that is not a fault of the text: in the worker, or here. */
function fail(error) {
  console.error(error);
  $("proof").dataset.state = "failed";
  $("proof").textContent = `The page failed: ${error.message.trim().split("\n").at(-1)}`;
}

/** Note for measure.mjs how long something took, and when it was first there. */
function took(what, began) {
  const now = performance.now();
  const { dataset } = document.documentElement;
  dataset[what] = (now - began).toFixed(1);
  dataset[`${what}First`] ??= now.toFixed(0);
}

function showConversion(answer, side, dialect) {
  failed = null;
  program = { ...answer, dialect, ...lexemesOf(answer.pairs) };
  if (side === "python") {
    if (settings.mode === "convert") simpy.text = answer.simpy;
  } else python.text = answer.python;
  for (const editor of [python, simpy]) editor.scroller.classList.remove("stale");
  $("error").hidden = true;
  $("where").textContent = POINT;
  showProof(answer.proof, side);
}

/** The pairs of the source map, as where lexemes start and end on each side. */
function lexemesOf(pairs) {
  const every = (first) => Array.from({ length: pairs.length / 4 }, (_, i) => pairs[4 * i + first]);
  return { lexemes: { python: { starts: every(0), ends: every(1) }, simpy: { starts: every(2), ends: every(3) } } };
}

function showProof(proof, side) {
  const both = settings.mode === "view" ? "✓ Proved for the whole program; the view shows a part of it" : "✓ Proved: both sides have the same syntax tree";
  const said = {
    proved: side === "python" ? both : "✓ Proved: the Python encodes to this text again",
    skipped: "Converted without the proof",
    "other spelling": "✓ Proved: the same program; this dialect would spell it otherwise",
  };
  $("proof").dataset.state = proof.state === "other spelling" ? "proved" : proof.state;
  $("proof").textContent = said[proof.state];
}

function showError(error, side, text) {
  failed = side;
  program = null;
  const editor = editorOf(side);
  const at = error.line === null ? null : offsetOf(text, error.line, error.column);
  editor.plain(at);
  editor.scroller.classList.remove("stale");
  const other = editorOf(side === "python" ? "simpy" : "python");
  other.plain();
  other.scroller.classList.add("stale");
  for (const id of ["python-count", "simpy-count"]) $(id).textContent = "";
  $("table").hidden = $("summary").hidden = true;
  $("where").textContent = "";
  $("proof").dataset.state = "error";
  $("proof").textContent = "Not converted. The other side shows what was converted last.";
  $("error-text").textContent = error.text;
  $("go").hidden = error.line === null;
  $("go").onclick = () => editor.go(error.line, error.column);
  $("error").hidden = false;
}

/** Count the tokens of both sides and colour them; whether that was possible, and is still what is asked for. */
async function count(isOld) {
  await useVocabulary(settings.vocabulary);
  const { dialect, vocabulary } = settings;
  if (isOld()) return false;
  const answer = await engine.ask("tokens", { python: program.python, simpy: program.simpy, dialect, vocabulary });
  if (isOld()) return false;
  if (answer.error) {
    note(answer.error.text);
    return false;
  }
  program.tokens = answer;
  program.added = new Set(answer.added);
  $("python-count").replaceChildren(tokensOf(answer.python.length));
  $("simpy-count").replaceChildren(tokensOf(answer.simpy.length, answer.python.length, answer.added.length ? answer.stock : null));
  colour();
  return true;
}

function colour() {
  if (!program?.tokens) return;
  for (const side of settings.mode === "convert" ? ["python", "simpy"] : ["python"]) {
    editorOf(side).colour(settings.colours ? program.tokens[side] : [], program.lexemes[side], settings.colours ? program.added : new Set());
  }
  for (const side of ["python", "simpy"]) {
    const { area } = editorOf(side);
    if (document.activeElement === area) pointed(side, editorOf(side).at(area.selectionStart));
  }
}

async function showViewIfAsked(isOld) {
  if (settings.mode !== "view") $("summary").hidden = true;
  if (settings.mode !== "view" || isOld()) return;
  const { dialect, vocabulary, numbers } = settings;
  const answer = await engine.ask("show", { python: program.python, views: settings.views, dialect, numbers, vocabulary });
  if (isOld()) return;
  $("error").hidden = !answer.error;
  simpy.scroller.classList.toggle("stale", Boolean(answer.error));
  if (answer.error) {
    $("error-text").textContent = answer.error.text;
    $("go").hidden = true;
    $("summary").hidden = true;
    return;
  }
  $("summary").hidden = false;
  simpy.text = answer.text;
  simpy.colour(settings.colours ? answer.ends : [], { starts: [], ends: [] }, settings.colours ? program.added : new Set());
  $("simpy-count").replaceChildren(tokensOf(answer.tokens, answer.before));
  const over = answer.fits ? "" : "; even the smallest view is above the budget";
  $("summary").textContent = `${answer.summary ? `Left out: ${answer.summary}` : "Nothing is left out"}${over}`;
}

// ----------------------------------------------------------------------------------------------------------- vocabularies

/** Let Python have a vocabulary. If it refuses, say why and take the usual one. */
async function useVocabulary(name) {
  if (ready.has(name)) return;
  const answer = name in VOCABULARIES ? await engine.ask("use_tiktoken", { name }) : await engine.ask("use_tokenizer_json", { name, text: files.get(name) });
  files.delete(name);
  if (!answer.error) {
    ready.add(name);
    return;
  }
  note(answer.error.text);
  if (settings.vocabulary === name) settings.vocabulary = DEFAULTS.vocabulary;
  $("vocabulary").querySelector(`option[value="${CSS.escape(name)}"]`)?.remove();
  $("vocabulary").value = settings.vocabulary;
  await useVocabulary(settings.vocabulary);
}

async function openFile(file) {
  if (!file) return;
  note("");
  const name = file.name in VOCABULARIES ? `${file.name} (file)` : file.name;
  files.set(name, await file.text());
  ready.delete(name);
  if (![...$("vocabulary").options].some((option) => option.value === name)) $("vocabulary").add(new Option(name, name));
  $("vocabulary").value = settings.vocabulary = name;
  await work();
}

// --------------------------------------------------------------------------------------------------------------- settings

/** A dialect was chosen. Where a text of the right side could not be read, it may be of this dialect; else the left one is encoded. */
function chooseDialect(dialect) {
  settings.dialect = $("dialect").value = dialect;
  if (failed !== "simpy") Object.assign(settings, { side: "python", text: python.text });
  showNames();
  work();
}

function chooseMode(mode) {
  settings.mode = mode;
  if (settings.side === "simpy") Object.assign(settings, { side: "python", text: python.text });
  showNames();
  simpy.plain();
  work();
}

function showNames() {
  const view = settings.mode === "view";
  $("views").hidden = !view;
  simpy.area.readOnly = view;
  const converted = settings.dialect === "python" ? "Python, laid out" : `SimPy, ${settings.dialect}`;
  document.querySelector('label[for="simpy"]').textContent = view ? `View in ${settings.dialect}` : converted;
}

function note(text) {
  $("note").hidden = !text;
  $("note").textContent = text;
}

/** Put everything into the address. */
async function remember() {
  history.replaceState(null, "", await toFragment(settings));
}

/** Take everything from the address. */
async function recall() {
  let found = null;
  try {
    found = await fromFragment(location.hash);
  } catch {
    note("The link is damaged, so it was not opened.");
  }
  if (!found) return;
  if (!(found.vocabulary in VOCABULARIES) && !ready.has(found.vocabulary)) {
    note(`The link was made with the vocabulary ${found.vocabulary}, which is not in it: drop that file here to count with it.`);
    found.vocabulary = DEFAULTS.vocabulary;
  }
  Object.assign(settings, found);
}

/** Show what is set, before anything is converted. */
function showSettings(dialects) {
  if (!dialects.includes(settings.dialect)) settings.dialect = DEFAULTS.dialect;
  fill($("dialect"), Object.fromEntries(dialects.map((name) => [name, name])), settings.dialect);
  $("vocabulary").value = settings.vocabulary;
  $("example").value = Object.keys(EXAMPLES).find((name) => EXAMPLES[name] === settings.text) ?? "";
  $("prove").checked = settings.prove;
  $("colours").checked = settings.colours;
  document.querySelector(`input[name="mode"][value="${settings.mode}"]`).checked = true;
  views.views = settings.views;
  views.numbers = settings.numbers;
  editorOf(settings.side).text = settings.text;
  showNames();
}

async function share() {
  await remember();
  try {
    await navigator.clipboard.writeText(location.href);
    note("The link is copied. It holds the program and the settings; nothing is stored anywhere else.");
  } catch {
    note("The address of this page is the link: copy it from the address bar.");
  }
}

function listen(dialects) {
  const changes = { vocabulary: "value", prove: "checked", colours: "checked" };
  for (const [name, property] of Object.entries(changes)) {
    $(name).addEventListener("change", () => {
      settings[name] = $(name)[property];
      work();
    });
  }
  $("dialect").addEventListener("change", () => chooseDialect($("dialect").value));
  for (const input of document.querySelectorAll('input[name="mode"]')) input.addEventListener("change", () => chooseMode(input.value));
  $("example").addEventListener("change", () => {
    const example = $("example").value;
    if (!example) return;
    python.text = EXAMPLES[example];
    edited("python", example);
  });
  $("share").addEventListener("click", share);
  $("file").addEventListener("change", () => openFile($("file").files[0]).finally(() => ($("file").value = "")));
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    $("drop").hidden = false;
  });
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) $("drop").hidden = true;
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop").hidden = true;
    openFile(event.dataTransfer.files[0]);
  });
  window.addEventListener("hashchange", async () => {
    await recall();
    showSettings(dialects);
    work();
  });
}

async function open() {
  chooseTheme($("theme"));
  for (const side of ["python", "simpy"]) {
    const editor = new Editor($(`${side}-pane`), { edited: () => edited(side), pointed: (piece) => pointed(side, piece) });
    if (side === "python") python = editor;
    else simpy = editor;
  }
  fill($("vocabulary"), VOCABULARIES, settings.vocabulary);
  fill($("dialect"), { [settings.dialect]: settings.dialect }, settings.dialect); // until Python says which there are
  fill($("example"), { "": "–", ...Object.fromEntries(Object.keys(EXAMPLES).map((name) => [name, name])) }, "");
  await recall();
  editorOf(settings.side).text = settings.text;
  const about = await engine.ask("start", { base: new URL(".", document.baseURI).href });
  views = new ViewForm($("views"), about.views, () => {
    Object.assign(settings, { views: views.views, numbers: views.numbers });
    work();
  });
  showSettings(about.dialects);
  listen(about.dialects);
  settings.text = editorOf(settings.side).text; // it may have been typed meanwhile
  await work();
  document.documentElement.dataset.ready = "";
  const { version, python: cpython } = await engine.ask("release");
  $("about").textContent = `SimPy ${version} on CPython ${cpython}, in this page. Nothing you type leaves it.`;
  keepOffline($("offline"));
}

open().catch(fail);
