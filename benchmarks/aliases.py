"""How many aliases of names are best, and how are they best numbered? Percent of Python's tokens saved, with runs learned beside them.

    python benchmarks/aliases.py --vocab FOLDER --learn DIR... --packages DIR... --json FILE --write
    python benchmarks/aliases.py --json FILE --write      the tables of earlier results
    python benchmarks/aliases.py --json FILE --check      is docs/aliases.md what these results give?

The budget of new tokens is the same everywhere: grammar tokens + aliases + runs, so that more aliases leave room for fewer runs.
Dialects number aliases by first mention; numbered *by gain*, `<n0>` is the alias that saves most in its program, by the
vocabulary's own count.
``--write`` puts the tables into docs/aliases.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.held_packages import collect  # noqa: E402  # the path must be set first
from benchmarks.pages import put  # noqa: E402  # as above
from simpy_grammar.aliases import aliases
from simpy_grammar.dialect import Dialect
from tokenizer_ext import load_tokenizer
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.learning.choosing import choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import WORD, Piece, Splitter, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter

ARMS = ("starcoder:dense", "cl100k_base:dense-newline")
COUNTS = (0, 16, 32, 64, 128, 256)
BUILT = 64  # the number for which both ways of numbering are compared
BUDGET = 1024


def by_gain(splitter: Splitter, costs: CostTable, count: int) -> Splitter:
    """Splits a program as ``splitter`` does, but numbers its aliases by what they save."""
    known = frozenset(aliases(count))

    def pieces(source: str) -> list[Piece]:
        found = splitter(source)
        mentions: Counter[str] = Counter()
        names: dict[str, str] = {}
        name = ""
        for class_, text in found:
            if class_ == WORD:
                name += text
                continue
            if text in known:
                mentions[text] += 1
                names.setdefault(text, name)
            name = ""
        gains = {alias: (mentions[alias] - 1) * (costs[names[alias]] - 1) for alias in mentions}
        order = sorted(gains, key=lambda alias: (-gains[alias], int(alias[2:-1])))
        numbers = dict(zip(order, aliases(count), strict=False))
        return [(class_, numbers.get(text, text)) for class_, text in found]

    return pieces


def measure(tokenizer: Any, name: str, learn: list[CorpusFile], codes: list[str], say: Callable[[str], None]) -> dict[str, Any]:
    """Tokens of Python, and of each number of aliases without and with runs."""
    words = common_words(learn)
    result: dict[str, Any] = {"python": sum(CostTable(ordinary_counts(tokenizer)).total(codes)), "counts": {}}
    for count, is_by_gain in [(count, False) for count in COUNTS] + [(BUILT, True)]:
        dialect = Dialect.load(name).with_aliases(count)
        costs = CostTable(ordinary_counts(tokenizer), dialect.special_tokens)
        splitter = simpy_splitter(dialect)
        if is_by_gain:
            splitter = by_gain(splitter, costs, count)
        choice = choose(count_passages(learn, splitter, words=words), costs, BUDGET - len(dialect.special_tokens))
        held = [("", *(text for _, text in splitter(code)), "") for code in codes]
        segmenter = PassageSegmenter(costs)
        alone = sum(segmenter.costs_of(held))
        for lexemes in choice.lexemes:
            segmenter.add(lexemes)
        row = {"runs": len(choice.tokens), "alone": alone, "with_runs": sum(segmenter.costs_of(held))}
        row["with_aliases"] = sum("<n" in token for token in choice.tokens)
        result["counts"]["by gain" if is_by_gain else str(count)] = row
        say(f"{count} aliases{' by gain' * is_by_gain}: {100 - 100 * row['with_runs'] / result['python']:.2f}")
    return result


def tables(data: dict[str, Any]) -> str:
    """The Markdown of both tables."""
    lines = [
        f"Percent of Python's tokens saved, code only, at {BUDGET:,} new tokens in all: grammar tokens, aliases, and runs with the rest.",
        *textwrap.wrap(f"Learned on {data['sizes'][0]:.1f} MB of {', '.join(data['learned_on'])};", 140),
        f"measured on {data['sizes'][1]:.2f} MB of {', '.join(data['measured_on'])}.",
        "",
        "| vocabulary | dialect | " + " | ".join(f"{count} aliases" for count in COUNTS) + " |",
        "|---|---" + "|---:" * len(COUNTS) + "|",
    ]
    for arm, result in data["arms"].items():
        for column, what in (("alone", "no runs"), ("with_runs", "with runs")):
            cells = [f"{_saved(result, str(count), column):.1f}" for count in COUNTS]
            lines.append(f"| {arm.replace(':', ' | ')}, {what} | " + " | ".join(cells) + " |")
    lines += ["", f"{BUILT} aliases, numbered by first mention as dialects do, or by what they save (`<n0>` saves most):", ""]
    lines += ["| vocabulary | dialect | by first mention | by gain | runs that hold an alias, by first mention | by gain |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for arm, result in data["arms"].items():
        keys = (str(BUILT), "by gain")
        cells = [f"{_saved(result, key, 'with_runs'):.2f}" for key in keys] + [str(result["counts"][key]["with_aliases"]) for key in keys]
        lines.append(f"| {arm.replace(':', ' | ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _saved(result: dict[str, Any], key: str, column: str) -> float:
    return float(100 - 100 * result["counts"][key][column] / result["python"])


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=ARMS, metavar="VOCABULARY:DIALECT", help=f"what to measure (default {' '.join(ARMS)})")
    parser.add_argument("--learn", nargs="+", type=Path, metavar="DIR", help="packages to learn on")
    parser.add_argument("--packages", nargs="+", type=Path, metavar="DIR", help="packages to measure on")
    parser.add_argument("--learn-mb", type=float, default=0.8, help="code to learn on, in all (default 0.8)")
    parser.add_argument("--measure-mb", type=float, default=0.3, help="code to measure on, in all (default 0.3)")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="read earlier results from here, and write all to it")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/aliases.md")
    parser.add_argument("--check", action="store_true", help="say whether docs/aliases.md is up to date")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    data = _measure(args) if args.vocab else json.loads(args.json.read_text(encoding="utf-8"))
    text = tables(data)
    print(text)
    if args.write or args.check:
        return put("aliases.md", "figures", text, f"python benchmarks/aliases.py --json {args.json} --write", args.check)
    return 0


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    started = time.process_time()

    def say(text: str) -> None:
        print(f"{time.process_time() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    learn, codes, data = collect(args)
    for arm in args.only:
        vocabulary, _, dialect = arm.partition(":")
        folder = args.vocab / vocabulary
        say(arm)
        data["arms"][arm] = measure(load_tokenizer(str(folder) if folder.is_dir() else vocabulary), dialect, learn, codes, say)
        args.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return data


if __name__ == "__main__":
    raise SystemExit(main())
