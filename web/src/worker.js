// Python in a worker, so that typing never waits for it. The page asks by name with arguments, and gets what web/python/page.py answers;
// nothing that the page shows is worked out here.
//   page -> worker: { id, name, args }, the first of them { id, name: "start", args: { base } }
//   worker -> page: { id, answer } or { id, failure }
import { gptTokenizer, huggingFace } from "./libraries.js";
import page from "../python/page.py?raw";
import tiktoken from "../python/stand_ins/tiktoken.py?raw";
import tokenizers from "../python/stand_ins/tokenizers.py?raw";

const GLUE = { "page.py": page, "tiktoken.py": tiktoken, "tokenizers.py": tokenizers };
const LIBRARY = "/lib/python3.14/site-packages";
// Vocabulary -> what loads its ranks and its encoding: parts of the build that are fetched when they are first asked for.
const VOCABULARIES = {
  cl100k_base: () => Promise.all([import("gpt-tokenizer/bpeRanks/cl100k_base"), import("gpt-tokenizer/encoding/cl100k_base")]),
  o200k_base: () => Promise.all([import("gpt-tokenizer/bpeRanks/o200k_base"), import("gpt-tokenizer/encoding/o200k_base")]),
};

const loaded = {};
let asked; // the function of page.py

async function unzipped(response) {
  return new Uint8Array(await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

async function start({ base }) {
  const address = (path) => new URL(path, base).href;
  const wheel = fetch(address(`wheel/${__WHEEL__}`)).then((response) => response.arrayBuffer());
  const started = fetch(address("pyodide/started.bin.gz")).then(unzipped);
  const { loadPyodide } = await import(/* @vite-ignore */ address("pyodide/pyodide.mjs"));
  const python = await loadPyodide({ indexURL: address("pyodide/"), _loadSnapshot: await started });
  python.unpackArchive(await wheel, "zip", { extractDir: LIBRARY });
  python.FS.mkdir("/page");
  for (const [name, text] of Object.entries(GLUE)) python.FS.writeFile(`/page/${name}`, text);
  python.registerJsModule("page_libraries", { hugging_face: huggingFace, gpt_tokenizer: (name) => loaded[name] });
  asked = python.runPython(`
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/page")
from page import asked
asked`);
}

async function loadVocabulary({ name }) {
  const [ranks, encoding] = await VOCABULARIES[name]();
  loaded[name] ??= gptTokenizer(ranks.default, encoding.default);
}

self.onmessage = async ({ data: { id, name, args } }) => {
  try {
    if (name === "start") await start(args);
    else if (name === "use_tiktoken") await loadVocabulary(args);
    const answer = JSON.parse(asked(name === "start" ? "about" : name, JSON.stringify(name === "start" ? {} : args)));
    self.postMessage({ id, answer });
  } catch (error) {
    self.postMessage({ id, failure: String(error?.message ?? error) });
  }
};
