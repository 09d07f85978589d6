"""Tokens of views of whole files, reading views beside a gutter of `cat -n`, and pruned views at several budgets.

    python benchmarks/views.py --vocab FOLDER --packages DIR...                 measure, print the tables
    python benchmarks/views.py ... --json benchmarks/results/views.json         and keep the figures
    python benchmarks/views.py --render [--check]                               put the last figures into docs/views.md, or look

FOLDER holds one folder per vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`. Every DIR is a package, of which about
`--size` characters are read, tests left out. Pruned are `--files` files of the standard library of this Python, each to every
budget, counted with the first vocabulary; each result is parsed by CPython and compiled, and the exit code is 1 if one is above its
budget or is not a program. *Files with comments* are those with at least one comment for each 20 lines.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tokenizer_ext import load_tokenizer  # noqa: E402  # as above
from tokenizer_ext.counting import TokenCounter  # noqa: E402  # as above
from transpiler.source import read_source  # noqa: E402  # as above
from transpiler.views import view  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "views.json"
VOCABULARIES = ("o200k_base", "cl100k_base")
BUDGETS = (50, 200, 1000, 4000)
VIEWS: dict[str, tuple[str, ...]] = {
    "nothing dropped": (),
    "no comments": ("no-comments",),
    "no docstrings too": ("no-comments", "no-docstrings"),
    "no annotations too": ("no-comments", "no-docstrings", "no-annotations"),
    "signatures": ("signatures",),
    "outline": ("outline",),
}
TARGET = 35.0  # percent fewer tokens than a gutter
_NOT_CODE = {"test", "tests", "idle_test", "lib2to3", "site-packages", "_vendor", "__pycache__"}
Count = Callable[[str], int]


def sources(folder: Path, size: float, seed: int = 1) -> Iterator[tuple[Path, str]]:
    """About ``size`` characters of Python below a folder, the same each time."""
    files = [path for path in sorted(folder.rglob("*.py")) if not set(path.relative_to(folder).parts) & _NOT_CODE]
    random.Random(seed).shuffle(files)
    for path in files:
        if size <= 0:
            return
        try:
            text = read_source(path.read_bytes())
            compile(text, path.name, "exec", dont_inherit=True)
        except (SimPyError, SyntaxError, ValueError, RecursionError):
            continue
        if text.strip() and len(text) < 200_000:
            size -= len(text)
            yield path, text


def gutter(text: str) -> str:
    """A text as ``cat -n`` prints it."""
    return "".join(f"{number:6}\t{line}" for number, line in enumerate(text.splitlines(keepends=True), 1))


def count_of(name: str) -> Count:
    """What counts tokens of Python for a vocabulary."""
    counter = TokenCounter(load_tokenizer(name), dialects=("python",))
    return lambda text: counter.count_text(text, "python")


def shares(folders: list[Path], size: float, counts: dict[str, Count]) -> dict[str, Any]:
    """Tokens of each view for each vocabulary, and of reading views beside gutters."""
    totals: dict[str, Counter[str]] = {name: Counter() for name in counts}
    files = 0
    for folder in folders:
        for path, text in sources(folder, size):
            files += 1
            texts = {"python": text, "gutter": gutter(text), "reading": view(text, path=path.name, verify=False).text}
            texts |= {label: view(text, views, numbers=None, path=path.name).text for label, views in VIEWS.items()}
            commented = 20 * view(text, ["no-comments"], verify=False).left_out.get("comments", 0) >= text.count("\n")
            for name, count in counts.items():
                for label, shown in texts.items():
                    tokens = count(shown)
                    totals[name][label] += tokens
                    if commented and label in ("gutter", "reading"):
                        totals[name][f"{label}, commented"] += tokens
    return {
        "files": files,
        "packages": [folder.name for folder in folders],
        "tokens": {name: dict(found) for name, found in totals.items()},
    }


def prune_all(limit: int, count: Count) -> dict[str, Any]:
    """Prune files of the standard library to every budget."""
    found: dict[str, Counter[str]] = {str(budget): Counter() for budget in BUDGETS}
    for _, (path, text) in zip(range(limit), sources(Path(sysconfig.get_path("stdlib")), float("inf"), 2), strict=False):
        whole = count(view(text, verify=False).text)
        for budget in BUDGETS:
            shown = view(text, [f"prune={budget}"], count=count, path=path.name, verify=False)
            row = found[str(budget)]
            row["files"] += 1
            row["whole"] += whole
            row["tokens"] += shown.tokens or 0
            row["room"] += min(whole, budget)
            row["above"] += (shown.tokens or 0) > budget
            try:
                compile(shown.program, path.name, "exec", dont_inherit=True)
            except SyntaxError as error:
                row["broken"] += 1
                print(f"{path}: prune={budget}: {error}", file=sys.stderr)
    return {budget: dict(row) for budget, row in found.items()}


def saved(tokens: dict[str, int], label: str, reference: str = "python") -> float:
    """Percent of the tokens of a reference that a text saves."""
    return 100 * (1 - tokens[label] / tokens[reference])


def tables(results: dict[str, Any]) -> str:
    """The Markdown tables."""
    measured = results["shares"]
    names = list(measured["tokens"])
    lines = [
        f"Percent of the tokens of {measured['files']} whole files that are saved, in `compact` ({', '.join(measured['packages'])}):",
        "",
        f"| view | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    for label in VIEWS:
        cells = " | ".join(f"{saved(measured['tokens'][name], label):.1f}" for name in names)
        lines.append(f"| {label} | {cells} |")
    lines += [
        "",
        "A reading view (`compact`, numbers at definitions) beside the same files with the gutter of `cat -n`, percent saved:",
        "",
        f"| files | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    for label, which in (("all", ""), ("with comments", ", commented")):
        cells = " | ".join(f"{saved(measured['tokens'][name], f'reading{which}', f'gutter{which}'):.1f}" for name in names)
        lines.append(f"| {label} | {cells} |")
    lines += [
        "",
        f"Pruned views of the standard library ({results['vocabulary']}, Python {results['python']}):",
        "",
        "| budget | files | are programs | above the budget | tokens used of those that fit |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for budget, row in results["pruned"].items():
        programs = 100 * (1 - row.get("broken", 0) / row["files"])
        used = 100 * row["tokens"] / row["room"]
        lines.append(f"| {int(budget):,} | {row['files']:,} | {programs:.1f} % | {row['above']:,} | {used:.1f} % |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--packages", type=Path, nargs="+", metavar="DIR", default=[])
    parser.add_argument("--size", type=float, default=200_000, help="characters of each package")
    parser.add_argument("--files", type=int, default=500, help="files to prune")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/views.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what sources warn of is not our business
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("views.md", "figures", tables(results), "python benchmarks/views.py --render", options.check)
    if options.vocab is None:
        parser.error("say with --vocab or $SIMPY_VOCAB where the vocabularies are")
    os.environ["SIMPY_VOCAB"] = str(options.vocab)
    counts = {name: count_of(name) for name in VOCABULARIES}
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version(), "vocabulary": VOCABULARIES[0]}
    if options.packages:
        results["shares"] = shares(options.packages, options.size, counts)
    if options.files:
        results["pruned"] = prune_all(options.files, counts[VOCABULARIES[0]])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if {"shares", "pruned"} <= results.keys():
        print(tables(results), end="")
    return int(any(row.get("above", 0) or row.get("broken", 0) for row in results.get("pruned", {}).values()))


if __name__ == "__main__":
    sys.exit(main())
