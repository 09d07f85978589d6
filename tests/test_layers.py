"""The one-line rule of the packages, read from their imports: each may import only what stands to its right.

Files do not import each other in circles, heavy libraries are imported only where they are used, and one conversion enters
few files.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType

import pytest

import transpiler
from simpy_grammar.installing import LIBRARIES, distribution
from simpy_grammar.native import core

ROOT = Path(__file__).resolve().parent.parent
LAYERS = "simpy_cli -> simpy_mcp -> simpy_eval -> dualcode -> simpy_corpus -> tokenizer_ext -> transpiler -> simpy_grammar".split(" -> ")
CORE = ("transpiler", "simpy_grammar")
# Import name of each heavy library -> the extra of pyproject.toml that brings it.
HEAVY = LIBRARIES
LIGHT = {"lark", "pathspec", "tree_sitter", "tree_sitter_python"}
# The only file that imports each of these: Lark starts slowly, and compiled tables make it needless; nothing that is valid
# depends on tree-sitter; one rule says what folders are searched without.
ONLY_IN = {
    "lark": "simpy_grammar.compile",
    "tree_sitter": "transpiler.witness",
    "tree_sitter_python": "transpiler.witness",
    "pathspec": "transpiler.ignored",
}


def modules() -> dict[str, Path]:
    """Every module of the packages that are there, by name."""
    found = {}
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def imports(module: str) -> tuple[tuple[str, bool], ...]:
    """What a module imports: full names, and whether the import runs when the module is imported."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]

    def walk(node: ast.AST, at_once: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, at_once) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = package.split(".")[: len(package.split(".")) + 1 - child.level] if child.level else []
                source = ".".join([*base, *([child.module] if child.module else [])])
                yield from ((f"{source}.{alias.name}", at_once) for alias in child.names)
            else:
                later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                typing_only = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
                yield from walk(child, at_once and not later and not typing_only)

    return tuple(walk(ast.parse(MODULES[module].read_bytes()), True))


def top(name: str) -> str:
    """The package that a full name starts with."""
    return name.partition(".")[0]


def test_every_package_has_its_place() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "docs", "fuzz", "recipes"}
    assert found <= set(LAYERS), f"packages outside the rule {' -> '.join(LAYERS)}"
    assert set(CORE) <= found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_to_the_right(module: str) -> None:
    allowed = LAYERS[LAYERS.index(top(module)) :]
    wrong = [name for name, _ in imports(module) if top(name) in LAYERS and top(name) not in allowed]
    assert not wrong, f"{module} imports {wrong}, and may import of our packages only {allowed}"


@pytest.mark.parametrize("module", [module for module in MODULES if top(module) in CORE])
def test_the_core_needs_only_light_libraries(module: str) -> None:
    foreign = {top(name) for name, _ in imports(module)} - set(sys.stdlib_module_names) - set(LAYERS)
    assert foreign <= LIGHT, f"{module} imports {sorted(foreign - LIGHT)}"


@pytest.mark.quick
@pytest.mark.parametrize("library", ONLY_IN)
def test_one_file_imports_it(library: str) -> None:
    assert [module for module in MODULES if library in {top(name) for name, _ in imports(module)}] == [ONLY_IN[library]]


def _files_imported(module: str) -> set[str]:
    """The modules of ours whose files a module imports, at once or in a function."""
    found = set()
    for name, _ in imports(module):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name and name != module:
            found.add(name)
    return found


def _circles() -> list[list[str]]:
    """Groups of files each of which reaches each other by imports; the packages' own ``__init__`` re-export and do not count."""
    graph = {module: _files_imported(module) for module in MODULES if MODULES[module].name != "__init__.py"}
    reached: dict[str, set[str]] = {}
    for module in graph:
        todo, seen = [module], set()
        while todo:
            for other in graph.get(todo.pop(), ()):
                if other in graph and other not in seen:
                    seen.add(other)
                    todo.append(other)
        reached[module] = seen
    groups = {tuple(sorted(other for other in graph if other in reached[module] and module in reached[other])) for module in graph}
    return [list(group) for group in sorted(groups) if group]


@pytest.mark.quick
def test_files_do_not_import_each_other_in_circles() -> None:
    assert _circles() == []


def test_a_circle_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"simpy_grammar.stream": {"transpiler.proof"}}
    whole = _files_imported
    monkeypatch.setattr(sys.modules[__name__], "_files_imported", lambda module: whole(module) | found.get(module, set()))
    assert any({"simpy_grammar.stream", "transpiler.proof"} <= set(group) for group in _circles())


def test_what_is_imported_is_declared() -> None:
    """Every foreign library is a dependency, and every heavy one stands in its extra."""
    foreign = {top(name) for module in MODULES for name, _ in imports(module)} - set(sys.stdlib_module_names) - set(LAYERS)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert foreign <= LIGHT | set(HEAVY), "say in this test and in pyproject.toml where these come from"
    for library, extra in HEAVY.items():
        line = re.search(rf"^{extra} = \[(.*)\]", text, re.MULTILINE)
        assert line, f"pyproject.toml has no extra {extra}"
        assert f'"{distribution(library)}>' in line[1], f"{library} is not in the extra {extra}"


def test_importing_brings_no_heavy_library() -> None:
    """A heavy library is imported where it is used: in a function, or in a file that only functions import."""
    backends = {module for module in MODULES if any(top(name) in HEAVY for name, at_once in imports(module) if at_once)}
    ordinary = [module for module in MODULES if module not in backends and not module.endswith("__main__")]
    assert not {module for module in backends if module in LAYERS}, "a package imports a heavy library as soon as it is imported"
    assert not _loaded(ordinary) & set(HEAVY)


def test_the_transpiler_starts_without_lark() -> None:
    assert not _loaded(["transpiler", "simpy_grammar.reader", "transpiler.unfinished"]) & {"lark", "tree_sitter", "tree_sitter_python"}


def test_the_core_converts_without_lark_and_tree_sitter() -> None:
    dialects = ("classic", "dense", "dense-newline", "compact")
    code = (
        "import sys\nfor name in ('lark', 'tree_sitter', 'tree_sitter_python'): sys.modules[name] = None\n"
        "import transpiler\nfrom tests.golden import cases\n"
        "for case in cases():\n"
        f"    for dialect in {dialects}:\n"
        "        simpy = transpiler.encode(case.python, dialect=dialect, verify=case.is_readable)\n"
        "        if case.is_readable: transpiler.decode(simpy, dialect=dialect)\n"
    )
    for dialect in dialects:  # compiles what is not compiled yet
        transpiler.convert("a", source="python", target=dialect)
        transpiler.decode("a", dialect=dialect)
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def _loaded(names: list[str]) -> set[str]:
    """The top-level modules that a fresh interpreter holds after some imports."""
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules, sep='\\n')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return {top(name) for name in result.stdout.split()}


# --------------------------------------------------------------------------------------------- the way of one conversion


def _way(work: Callable[[], object]) -> list[str]:
    """The files of ours that are entered, in turn, each time that another one is."""
    files: list[str] = []
    root = str(ROOT)

    def profile(frame: FrameType, event: str, argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(root) and file != __file__ and files[-1:] != [file]:
            files.append(file)

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return [Path(file).relative_to(ROOT).as_posix() for file in files]


# What is converted -> the most files that it enters, and the most changes from one file to another.
BOUNDS = {"encode": (6, 8), "encode with the proof": (7, 16), "decode": (5, 6)}
# Without the native core: the door to it, which says that it is not there, and the rooms of the Python path.
PURE_BOUNDS = {"encode": (11, 28), "encode with the proof": (16, 64), "decode": (11, 34)}


@pytest.mark.parametrize("name", BOUNDS)
def test_one_conversion_enters_few_files(name: str) -> None:
    source = (ROOT / "examples" / "two_sum.py").read_text(encoding="utf-8")
    simpy = transpiler.encode(source)
    work: dict[str, Callable[[], object]] = {
        "encode": lambda: transpiler.encode(source, verify=False),
        "encode with the proof": lambda: transpiler.encode(source),
        "decode": lambda: transpiler.decode(simpy),
    }
    work[name]()  # tables are loaded, and what is looked up once is known
    way = _way(work[name])
    print(f"{name}: {len(set(way))} files, {len(way) - 1} changes: {' '.join(way)}")
    files, changes = (BOUNDS if core is not None else PURE_BOUNDS)[name]
    assert len(set(way)) <= files
    assert len(way) - 1 <= changes
