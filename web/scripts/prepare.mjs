// Puts what the build does not make itself into .prepared/: CPython from the package pyodide, and this project's own wheel.
// node scripts/prepare.mjs; $PYTHON names the Python that builds the wheel (python3).
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadPyodide } from "pyodide";

const web = fileURLToPath(new URL("..", import.meta.url));
const repository = join(web, "..");
const prepared = join(web, ".prepared");
const PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip"];

rmSync(prepared, { recursive: true, force: true });
mkdirSync(join(prepared, "pyodide"), { recursive: true });
for (const name of PYODIDE) copyFileSync(join(web, "node_modules", "pyodide", name), join(prepared, "pyodide", name));

// Starting CPython takes most of the time that a page needs to start, so its memory after the start is kept too.
const python = await loadPyodide({ _makeSnapshot: true });
python.runPython("import importlib.metadata, json, shutil, zipfile"); // what the page imports in any case
writeFileSync(join(prepared, "pyodide", "started.bin.gz"), gzipSync(python.makeMemorySnapshot(), { level: 9 }));

const left = join(repository, "build"); // what an older build left there would go into the wheel
const mine = !existsSync(left);
rmSync(left, { recursive: true, force: true });
const options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--wheel-dir", join(prepared, "wheel")];
execFileSync(process.env.PYTHON || "python3", ["-m", "pip", "wheel", ...options, repository], { stdio: "inherit" });
if (mine) rmSync(left, { recursive: true, force: true });
const wheels = readdirSync(join(prepared, "wheel"));
if (wheels.length !== 1) throw new Error(`expected one wheel, and found ${wheels.length}`);
console.log(`prepared CPython of pyodide and ${wheels[0]}`);
