"""Would idioms with holes save more? A study of what they could add on top of learned n-grams; nothing here is built.

    python benchmarks/idioms.py --vocab FOLDER --only cl100k_base --learn DIR... --packages DIR... --write

An idiom is a run of lexemes with holes, as `for □ range(len(□))` or `self.□1=□1`. A hole takes one name (dotted or not), number
or string; a hole that repeats an earlier one is written once. An instance becomes one token and its holes, with a space where
two names would run together; where idioms overlap, from left to right, the one that saves most is taken. Programs are
rewritten so and counted, with the learned tokens in place. Idioms are mined on `--learn` and applied to `--packages`; the same
budget spent on more learned n-grams stands beside them. `--write` writes docs/idioms.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tokens import ROOT, read  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import Dialect
from tokenizer_ext import load_tokenizer
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.fitting import fitted_dialect
from tokenizer_ext.learning.choosing import choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import Piece, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter

HOLE = "\N{WHITE SQUARE}"
LONGEST, HOLES = 16, 4
BUDGET = 256
ONE = "\x01"  # stands for the token of an idiom
WORD = re.compile(r"\w")
Window = tuple[int, tuple[str, ...]]  # where it ends, and the idiom that it is an instance of


def windows(pieces: list[Piece], start: int) -> Iterator[Window]:
    """The idioms that begin with the piece at ``start``, shortest first; each begins and ends with a fixed part."""
    if pieces[start][0] in ("word", "data", "comment"):
        return
    idiom: list[str] = []
    held: dict[str, str] = {}
    at, holes = start, 0
    while at < len(pieces) and len(idiom) < LONGEST:
        kind, text = pieces[at]
        at += 1
        if kind == "comment":
            return
        if kind in ("word", "data"):
            while kind == "word" and at + 1 < len(pieces) and pieces[at][1] == "." and pieces[at + 1][0] == "word":
                text += "." + pieces[at + 1][1]
                at += 2
            if text not in held:
                if len(held) == HOLES:
                    return
                held[text] = f"{HOLE}{len(held) + 1}"
            idiom.append(held[text])
            holes += 1
            continue
        idiom.append(text)
        if holes:
            yield at, tuple(idiom)


def with_words(pieces: list[Piece], words: frozenset[str]) -> list[Piece]:
    """Common words as fixed parts, so that ``range(len(`` can be part of an idiom."""
    return [("fixed", text) if kind == "word" and text in words else (kind, text) for kind, text in pieces]


def holes_of(pieces: list[Piece], start: int, idiom: tuple[str, ...]) -> list[str]:
    """The texts of the holes of an instance, each once."""
    holes: list[str] = []
    at = start
    for part in idiom:
        text = pieces[at][1]
        at += 1
        if part.startswith(HOLE):
            while at + 1 < len(pieces) and pieces[at][1] == "." and pieces[at + 1][0] == "word":
                text += "." + pieces[at + 1][1]
                at += 2
            if text not in holes:
                holes.append(text)
    return holes


def instance(holes: list[str], following: str) -> list[str]:
    """What stands for an instance: one token, the holes, and a space where a name would run into what follows."""
    texts = [ONE]
    for hole, after in zip(holes, [*holes[1:], following], strict=True):
        texts += [hole, " "] if WORD.search(hole[-1:]) and WORD.search(after[:1]) else [hole]
    return texts


class Savings:
    """What an instance of an idiom saves between its neighbours."""

    def __init__(self, segmenter: PassageSegmenter) -> None:
        self.segmenter = segmenter
        self.known: dict[tuple[Any, ...], int] = {}

    def of(self, pieces: list[Piece], start: int, end: int, idiom: tuple[str, ...]) -> int:
        """The tokens of the window and its neighbours, less those of the instance and the same neighbours."""
        before = pieces[start - 1][1] if start else ""
        after = pieces[end][1] if end < len(pieces) else ""
        texts = (before, *(text for _, text in pieces[start:end]), after)
        key = (texts, idiom)
        if key not in self.known:
            if len(self.known) > 500_000:
                self.known.clear()
            now = self.segmenter.cost(("", *texts, ""))
            self.known[key] = now - self.segmenter.cost(("", before, *instance(holes_of(pieces, start, idiom), after), after, ""))
        return self.known[key]


def mine(programs: list[list[Piece]], savings: Savings, budget: int) -> list[tuple[str, ...]]:
    """The idioms that save most on some programs."""
    counts: Counter[tuple[str, ...]] = Counter()
    for pieces in programs:
        for start in range(len(pieces)):
            counts.update(idiom for _, idiom in windows(pieces, start))
    promising = {idiom for idiom, count in counts.items() if count >= 10}
    del counts
    total: Counter[tuple[str, ...]] = Counter()
    for pieces in programs:
        for start in range(len(pieces)):
            for end, idiom in windows(pieces, start):
                if idiom in promising:
                    total[idiom] += savings.of(pieces, start, end, idiom)
    chosen = [idiom for idiom, _ in total.most_common(budget * 16)]
    for size in (budget * 4, budget * 2, budget):
        used = apply(programs, frozenset(chosen), savings)
        chosen = [idiom for idiom, _ in used.most_common(size)]
    return chosen


def apply(programs: list[list[Piece]], idioms: frozenset[tuple[str, ...]], savings: Savings) -> Counter[tuple[str, ...]]:
    """What each idiom saves when, from left to right, the one that saves most is taken."""
    used: Counter[tuple[str, ...]] = Counter()
    for pieces in programs:
        for _, _, idiom, saved in instances(pieces, idioms, savings):
            used[idiom] += saved
    return used


def instances(pieces: list[Piece], idioms: frozenset[tuple[str, ...]], savings: Savings) -> Iterator[tuple[int, int, tuple[str, ...], int]]:
    """Start, end, idiom and saving of each instance that is taken."""
    start = 0
    while start < len(pieces):
        best: tuple[int, int, tuple[str, ...]] = (0, start + 1, ())
        for end, idiom in windows(pieces, start):
            if idiom in idioms:
                best = max(best, (savings.of(pieces, start, end, idiom), end, idiom))
        saved, end, idiom = best
        if idiom:
            yield start, end, idiom, saved
        start = end


def rewritten(pieces: list[Piece], idioms: frozenset[tuple[str, ...]], savings: Savings) -> tuple[str, ...]:
    """A program with its instances in their short form, as texts to segment."""
    texts = [""]
    at = 0
    for start, end, idiom, _ in instances(pieces, idioms, savings):
        texts += [text for _, text in pieces[at:start]]
        texts += instance(holes_of(pieces, start, idiom), pieces[end][1] if end < len(pieces) else "")
        at = end
    return (*texts, *(text for _, text in pieces[at:]), "")


def study(tokenizer: Any, learn: list[CorpusFile], codes: list[str]) -> dict[str, Any]:
    """Percent of Python's tokens that n-grams save, and what idioms add."""
    dialect: Dialect = fitted_dialect(tokenizer)
    splitter = simpy_splitter(dialect)
    words = common_words(learn)
    costs = CostTable(ordinary_counts(tokenizer), (*dialect.special_tokens, ONE))
    choice = choose(count_passages(learn, splitter, words=words), costs, 1024 + BUDGET)
    python = sum(costs.total(codes))
    known = [with_words(splitter(program.source), words) for program in learn]
    measured = [with_words(splitter(code), words) for code in codes]
    rows: list[dict[str, Any]] = []
    examples: list[tuple[str, ...]] = []
    for learned in (0, 256, 1024):
        segmenter = PassageSegmenter(costs)
        for lexemes in choice.lexemes[:learned]:
            segmenter.add(lexemes)
        before = sum(segmenter.cost(("", *(text for _, text in pieces), "")) for pieces in measured)
        savings = Savings(segmenter)
        idioms = mine(known, savings, BUDGET)
        used = apply(measured, frozenset(idioms), savings)
        gained = []
        for count in (50, BUDGET):
            some = frozenset(idioms[:count])
            gained.append(before - sum(segmenter.cost(rewritten(pieces, some, savings)) for pieces in measured))
        for lexemes in choice.lexemes[learned : learned + BUDGET]:
            segmenter.add(lexemes)
        more = sum(segmenter.cost(("", *(text for _, text in pieces), "")) for pieces in measured)
        rows.append({"learned": learned, "saved": before, "idioms": gained[1], "top": gained[0], "more": before - more})
        if learned == 256:
            examples = [idiom for idiom, _ in used.most_common(12)]
    for row in rows:
        row["saved"] = python - row["saved"]
        for name in ("saved", "idioms", "top", "more"):
            row[name] = 100 * row[name] / python
    return {"dialect": dialect.name, "rows": rows, "examples": ["".join(idiom) for idiom in examples]}


def page(results: dict[str, dict[str, Any]], learned_on: list[str], measured_on: list[str], sizes: tuple[float, float]) -> str:
    """docs/idioms.md."""
    lines = [
        "# Idioms with holes",
        "",
        "Written by `benchmarks/idioms.py`, which says how. Percent of Python's tokens, code only; built-in dense dialect, no fitting.",
        f"Mined and learned on {sizes[0]:.1f} MB of {', '.join(learned_on)}; measured on {sizes[1]:.1f} MB of {', '.join(measured_on)}.",
        "",
        f"| vocabulary | learned n-grams | they save | {BUDGET} idioms add | the first 50 | {BUDGET} more n-grams add |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, result in results.items():
        for row in result["rows"]:
            lines.append(
                f"| {name} | {row['learned']:,} | {row['saved']:.1f} | {row['idioms']:.1f} | {row['top']:.1f} | {row['more']:.1f} |"
            )
    best = max(row["idioms"] for result in results.values() for row in result["rows"] if row["learned"] == BUDGET)
    verdict = "reaches" if best >= 3 else "stays below"
    lines += ["", f"On top of {BUDGET} learned n-grams that {verdict} the 3 points that would justify building them: {best:.1f} at best,"]
    lines += ["before what a grammar for them would cost. With 1,024 n-grams it is less still. So they are not built.", ""]
    for name, result in results.items():
        lines += [f"The idioms that save most on top of {BUDGET} n-grams, {name}, {result['dialect']}:", "", "```"]
        lines += [repr(example) for example in result["examples"]] + ["```", ""]
    return "\n".join(lines)


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=["cl100k_base", "starcoder"], metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--learn", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--packages", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--learn-mb", type=float, default=2.0)
    parser.add_argument("--measure-mb", type=float, default=0.5)
    parser.add_argument("--write", action="store_true", help="write docs/idioms.md")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    each = args.learn_mb * 1e6 / len(args.learn)
    learn = [CorpusFile(path.name, code) for path in args.learn for _, code in read(path, each)]
    codes = [code for path in args.packages for _, code in read(path, args.measure_mb * 1e6 / len(args.packages), tests=True)]
    results = {}
    for name in args.only:
        folder = args.vocab / name
        results[name] = study(load_tokenizer(str(folder) if folder.is_dir() else name), learn, codes)
    sizes = (sum(len(program.source) for program in learn) / 1e6, sum(map(len, codes)) / 1e6)
    text = page(results, [path.name for path in args.learn], [path.name for path in args.packages], sizes)
    if args.write:
        (ROOT / "docs" / "idioms.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
