"""The shape of the code: circles of imports, how many files one conversion goes through, and how long the core is.

    python benchmarks/structure.py

Prints a Markdown table. Ends non-zero if files import each other in a circle.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("simpy_grammar", "transpiler", "tokenizer_ext", "simpy_corpus", "dualcode", "simpy_cli")
CORE = PACKAGES[:2]
GOLDEN = ROOT / "examples" / "two_sum.py"


def modules() -> dict[str, Path]:
    """Every module of the packages: name -> file."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {_module(path): path for path in sorted(files)}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports when it is imported: not what its functions import, nor what only types need."""
    todo: list[ast.AST] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # A name that is not a module comes from the module itself.
            yield from (name if (name := f"{node.module}.{alias.name}") in known else node.module for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not _is_for_types(node):
            todo += ast.iter_child_nodes(node)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others.

    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    [['b', 'c']]
    """
    reached = {name: _reached(graph, name) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph if name in reached[name]}
    return sorted(sorted(group) for group in groups)


def _reached(graph: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    todo = list(graph[name])
    while todo:
        other = todo.pop()
        if other not in found:
            found.add(other)
            todo += graph.get(other, ())
    return found


def walk(run: Callable[[], object]) -> list[str]:
    """The files of ours whose functions are called, one for each call. What runs while importing is left out."""
    found: list[str] = []

    def profile(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES:
                found.append(str(path.relative_to(ROOT)))

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


def changes(files: list[str]) -> int:
    """How often a call is in another file than the call before it.

    >>> changes(["a.py", "b.py", "b.py", "a.py"])
    2
    """
    return sum(one != other for one, other in pairwise(files))


def lines(package: str) -> int:
    """Lines of the code of a package."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / package).rglob("*.py"))


def main() -> int:
    """Print the table."""
    sys.path.insert(0, str(ROOT))
    import transpiler

    known = modules()
    found = circles({name: {other for other in imports(path, known) if other != name} for name, path in known.items()})
    print("| what | figure |\n| --- | ---: |")
    print(f"| circles of imports between files | {len(found)} |")
    python = GOLDEN.read_text(encoding="utf-8")
    simpy = transpiler.encode(python)
    runs: dict[str, Callable[[], object]] = {
        "encode": lambda: transpiler.encode(python, verify=False),
        "encode with its proof": lambda: transpiler.encode(python),
        "decode": lambda: transpiler.decode(simpy),
    }
    for name, run in runs.items():
        run()  # tables and imports are ready
        files = walk(run)
        print(f"| files entered in one {name} | {len(set(files))} |\n| changes of file in one {name} | {changes(files)} |")
    for package in CORE:
        print(f"| lines of `{package}/` | {lines(package):,} |")
    print(f"| lines of both | {sum(map(lines, CORE)):,} |")
    for group in found:
        print(f"these import each other: {', '.join(group)}", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
