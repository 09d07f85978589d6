"""Edits of real files: changes between two releases, made through each dialect, view and form of patch; random edits; speed.

    python benchmarks/release_pairs.py FOLDER                                 fetch the pairs of releases
    python benchmarks/edits.py --pairs FOLDER --json benchmarks/results/edits.json
    python benchmarks/edits.py --render [--check]                             put the last figures into docs/edits.md, or look

*Lines* are those of a diff without context: what a person reviews. They are compared with the diff between the two releases,
which a person has made. A merge counts as right only if the new file has the tree of the newer release and its comments in
order; through a view that leaves comments out, only the tree counts, and the comments that both releases have are counted. The
exit code is 1 if any tree is wrong.
"""

from __future__ import annotations

import argparse
import difflib
import json
import platform
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.release_pairs import changed_files_below  # noqa: E402  # as above
from simpy_grammar.errors import ConflictError, PlaceError, SimPyError  # noqa: E402  # as above
from tests.edited_source import same_program  # noqa: E402  # as above
from tests.patch_writers import WRITERS, hunks_of  # noqa: E402  # as above
from tests.random_edits import random_edits  # noqa: E402  # as above
from transpiler import encode, merge, replace, view  # noqa: E402  # as above
from transpiler.conversion import convert  # noqa: E402  # as above
from transpiler.edits.printer import file_style  # noqa: E402  # as above
from transpiler.edits.tokens import COMMENTS, Tokens  # noqa: E402  # as above
from transpiler.patches import apply_patch, read_patch  # noqa: E402  # as above
from transpiler.proof import parse_tree, same_tree  # noqa: E402  # as above
from transpiler.source import read_source  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "edits.json"
DIALECTS = ("python", "classic", "dense", "compact")
VIEWS: dict[str, tuple[str, ...]] = {
    "no-comments": ("no-comments",),
    "no-comments, no-docstrings, no-annotations": ("no-comments", "no-docstrings", "no-annotations"),
    "signatures": ("signatures",),
}
SIZES = (1_000, 5_000, 20_000)  # lines of the files that are timed
_MOST_LINES = 1.15


def changed_lines(old: str, new: str) -> int:
    """How many lines a diff between two texts has."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    return sum(line[0] in "+-" for line in lines)


def comments(text: str) -> list[str]:
    """The comments of a program, in order."""
    tokens = Tokens(text)
    return [word for key, word in zip(tokens.keys, tokens.words, strict=True) if key in COMMENTS]


class Tally:
    """What became of the files of one way to edit."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lines = self.own = self.over = self.long = 0

    def add(self, outcome: str, old: str = "", new: str = "", wanted: str = "") -> None:
        """Count a file, and its lines if it was edited."""
        self.counts[outcome] += 1
        if not new:
            return
        lines, own = changed_lines(old, new), changed_lines(old, wanted)
        self.lines += lines
        self.own += own
        self.over += lines > _MOST_LINES * own
        width = file_style(Tokens(old)).width
        known = {*old.splitlines(), *wanted.splitlines()}
        self.long += sum(len(line) > width and line not in known for line in new.splitlines())

    def row(self) -> dict[str, Any]:
        """The figures."""
        return {**self.counts, "lines": self.lines, "own": self.own, "over": self.over, "long": self.long}


def merged(old: str, new: str, dialect: str) -> tuple[str, str]:
    """The outcome of a merge through a dialect, and the text."""
    rewritten = new if dialect == "python" else encode(new, dialect=dialect, verify=False)
    text = merge(old, rewritten, dialect=dialect).text
    return ("right" if same_program(text, new) and comments(text) == comments(new) else "wrong"), text


def decoded(old: str, new: str) -> str:
    """The newer program as decode lays it out, merged with nothing."""
    return convert(new, source="python", target="python")


def merges(files: list[tuple[str, str]]) -> dict[str, Any]:
    """Each file rewritten through each dialect, and by decode alone."""
    found: dict[str, Any] = {}
    for dialect in DIALECTS:
        tally = Tally()
        for old, new in files:
            try:
                outcome, text = merged(old, new, dialect)
            except SimPyError as error:
                outcome, text = f"refused: {type(error).__name__}", ""
            tally.add(outcome, old, text, new)
        found[dialect] = tally.row()
    tally = Tally()
    for old, new in files:
        tally.add("right", old, decoded(old, new), new)
    found["decode, no merge"] = tally.row()
    return found


def through_views(files: list[tuple[str, str]]) -> dict[str, Any]:
    """Each file rewritten by a model that has seen a view of it, in `compact`."""
    found: dict[str, Any] = {}
    for name, views in VIEWS.items():
        counts: Counter[str] = Counter()
        for old, new in files:
            seen, rewritten = (view(text, views, dialect="compact").program for text in (old, new))
            try:
                text = merge(old, rewritten, seen=seen, dialect="compact").text
            except ConflictError:
                counts["conflict"] += 1
                continue
            except SimPyError:
                counts["refused"] += 1
                continue
            counts["right" if view(text, views, dialect="compact").program == rewritten else "wrong"] += 1
            kept = Counter(comments(old)) & Counter(comments(new))
            counts["comments in both"] += kept.total()
            counts["comments kept"] += (kept & Counter(comments(text))).total()
        found[name] = counts
    return found


def patched(files: list[tuple[str, str]]) -> dict[str, Any]:
    """Each change as a patch in each form."""
    found: dict[str, Any] = {}
    for form, write in WRITERS.items():
        counts: Counter[str] = Counter()
        for old, new in files:
            try:
                patch = read_patch(write("file.py", hunks_of(old, new)))
                (edit,) = apply_patch(patch, {"file.py": old.encode()})
            except (SimPyError, ValueError) as error:
                counts[f"refused: {type(error).__name__}"] += 1
                continue
            if edit.error is not None:
                counts["ambiguous" if isinstance(edit.error, PlaceError) and edit.error.candidates else "refused"] += 1
            else:
                counts["right" if same_program((edit.new or b"").decode(), new) else "wrong"] += 1
        found[form] = counts
    return found


def randomly(files: list[tuple[str, str]], each: int) -> dict[str, Any]:
    """Random edits of the newer files, whose trees are known."""
    counts: Counter[str] = Counter()
    rng = random.Random(10)
    for _, source in files:
        for wanted in random_edits(source, rng, each):
            kind = "unique, " if wanted.unique else "several, "
            try:
                text = replace(source, wanted.old, wanted.new).text
            except PlaceError as error:
                counts[kind + ("candidates" if error.candidates else "not found")] += 1
                continue
            except SimPyError:
                counts[kind + "refused"] += 1
                continue
            tree = parse_tree(text)
            counts[kind + ("right" if tree is not None and same_tree(tree, wanted.tree) else "wrong")] += 1
    return dict(counts)


def timed(run: Callable[[int], object], rounds: int = 5) -> float:
    """The least milliseconds of processor time of some runs, each on a text of its own."""
    best = float("inf")
    for number in range(rounds):
        start = time.process_time()
        run(number)
        best = min(best, time.process_time() - start)
    return 1000 * best


def speed(files: list[tuple[str, str]]) -> dict[str, Any]:
    """Milliseconds of one edit in files of several sizes, none of which was read before."""
    found: dict[str, Any] = {}
    functions = [text for _, text in sorted(files, key=lambda file: len(file[1])) if text.count("\n") > 100]
    for size in SIZES:
        lines: list[str] = []
        for text in functions:
            lines += text.splitlines()
            if len(lines) >= size:
                break
        place = "\n\ndef the_place(a, b):\n    return a + b\n"
        source = "\n".join(line for line in lines if not line.startswith("from __future__")) + place
        texts = [f"{source}# {number}\n" for number in range(5)]
        parse = timed(lambda number, texts=texts: parse_tree(texts[number]))  # type: ignore[misc]
        replacing = timed(lambda number, texts=texts: replace(texts[number] + "#\n", "return a + b", "return a - b"))  # type: ignore[misc]
        merging = timed(lambda number, texts=texts: merge(texts[number], texts[number].replace("a + b", "a - b")))  # type: ignore[misc]
        found[str(source.count("\n"))] = {"parse": parse, "replace": replacing, "merge": merging}
    return found


def tables(results: dict[str, Any]) -> str:
    """The Markdown tables."""
    lines = [
        f"{results['files']} files, one of {results['every']}, that differ between two releases of {results['packages']} packages "
        f"(`benchmarks/edits.py`, Python {results['python']}). "
        "Lines are those of the diff, beside the diff of the person who made the change.",
        "",
        f"| rewritten through | files | right | wrong or refused | lines | above {_MOST_LINES}x of the own diff | lines too long |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in results["merges"].items():
        total = sum(value for key, value in row.items() if key not in ("lines", "own", "over", "long"))
        lines.append(
            f"| {name} | {total} | {row.get('right', 0)} | {total - row.get('right', 0)} | {row['lines'] / max(row['own'], 1):.3f}x | "
            f"{row['over']} | {row['long']} |"
        )
    lines += [
        "",
        "| seen through (in `compact`) | right | wrong | conflicts | refused | comments kept |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in results["views"].items():
        lines.append(
            f"| {name} | {row.get('right', 0)} | {row.get('wrong', 0)} | {row.get('conflict', 0)} | {row.get('refused', 0)} | "
            f"{row.get('comments kept', 0):,} of {row.get('comments in both', 0):,} |"
        )
    lines += ["", "| form of patch | right | wrong | several places | refused |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, row in results["patches"].items():
        refused = sum(value for key, value in row.items() if key.startswith("refused"))
        lines.append(f"| {name} | {row.get('right', 0)} | {row.get('wrong', 0)} | {row.get('ambiguous', 0)} | {refused} |")
    lines += ["", "| random edits | right | wrong | several places | not found | refused |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for kind, name in (("unique", "of pieces whose tokens are unique"), ("several", "of others")):
        row = [results["random"].get(f"{kind}, {what}", 0) for what in ("right", "wrong", "candidates", "not found", "refused")]
        lines.append(f"| {name} | {' | '.join(f'{number:,}' for number in row)} |")
    lines += ["", "| lines | CPython's parser | `replace` | `merge` |", "| ---: | ---: | ---: | ---: |"]
    for size, row in results["speed"].items():
        lines.append(f"| {int(size):,} | {row['parse']:.0f} ms | {row['replace']:.0f} ms | {row['merge']:.0f} ms |")
    return "\n".join(lines) + "\n"


def pairs_below(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Package, older text, newer text of each changed file."""
    for name, file in changed_files_below(folder):
        yield name, read_source(file.old), read_source(file.new)


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, metavar="FOLDER", help="what benchmarks/release_pairs.py has fetched")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth file")
    parser.add_argument("--random", type=int, default=12, metavar="N", help="random edits of each file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/edits.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what sources warn of is not our business
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("edits.md", "figures", tables(results), "python benchmarks/edits.py --render", options.check)
    if options.pairs is None:
        parser.error("say with --pairs where the pairs of releases are")
    found = list(pairs_below(options.pairs))[:: options.every]
    files = [(old, new) for _, old, new in found]
    results = {
        "python": platform.python_version(),
        "files": len(files),
        "every": options.every,
        "packages": len({name for name, _, _ in found}),
        "merges": merges(files),
        "views": through_views(files),
        "patches": patched(files),
        "random": randomly(files, options.random),
        "speed": speed(files),
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(tables(results), end="")
    wrong = sum(row.get("wrong", 0) for part in ("merges", "views", "patches") for row in results[part].values())
    return int(bool(wrong + sum(value for key, value in results["random"].items() if key.endswith("wrong"))))


if __name__ == "__main__":
    sys.exit(main())
