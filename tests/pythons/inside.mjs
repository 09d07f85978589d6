// Compares the programs of a working folder in the CPython of a pyodide package: node inside.mjs PACKAGE REPOSITORY WORK
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, repository, work] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const python = await loadPyodide();
for (const [place, root] of Object.entries({ "/repository": repository, "/work": work })) {
  python.FS.mkdir(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, place);
}
try {
  python.runPython(`
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the repository belongs to the Python outside
sys.path.insert(0, "/repository")
from tests.pythons.compare import compare_all

compare_all(Path("/work"))
`);
} catch (error) {
  console.error(error.message); // the traceback of Python, without the text of the module that was running
  process.exitCode = 1;
}
