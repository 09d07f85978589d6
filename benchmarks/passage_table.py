"""What it costs that learning drops rare passages when its table of them is full: the same corpus with smaller and smaller tables.

    python benchmarks/passage_table.py --vocab FOLDER --only cl100k_base --learn DIR... --packages DIR...

Tokens are learned on `--learn` and counted on `--packages`, code only, in the built-in dense dialect that suits the vocabulary.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tokens import read  # noqa: E402  # the path must be set first
from tokenizer_ext import load_tokenizer
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.fitting import fitted_dialect
from tokenizer_ext.learning.choosing import choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import MOST_PASSAGES, count_passages
from tokenizer_ext.learning.pieces import simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter

BUDGETS = (256, 1024)


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=["cl100k_base"], metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--learn", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--packages", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--learn-mb", type=float, default=3.0)
    parser.add_argument("--measure-mb", type=float, default=0.3)
    parser.add_argument("--shares", nargs="+", type=float, default=[1, 0.8, 0.5, 0.25, 0.1], help="of all the passages, how many have room")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    learn = [CorpusFile(path.name, code) for path in args.learn for _, code in read(path, args.learn_mb * 1e6 / len(args.learn))]
    codes = [code for path in args.packages for _, code in read(path, args.measure_mb * 1e6 / len(args.packages), tests=True)]
    words = common_words(learn)
    for name in args.only:
        folder = args.vocab / name
        tokenizer = load_tokenizer(str(folder) if folder.is_dir() else name)
        dialect = fitted_dialect(tokenizer)
        splitter = simpy_splitter(dialect)
        pieces = {program.source: splitter(program.source) for program in learn}
        texts = [("", *(text for _, text in splitter(code)), "") for code in codes]
        costs = CostTable(ordinary_counts(tokenizer), dialect.special_tokens)
        python = sum(costs.total(codes))
        every = len(count_passages(learn, pieces.__getitem__, words=words, limit=MOST_PASSAGES))
        print(f"{name}, {dialect.name}: {every:,} different passages", flush=True)
        for share in args.shares:
            table = count_passages(learn, pieces.__getitem__, words=words, limit=round(every * share))
            choice = choose(table, costs, BUDGETS[-1])
            segmenter, done, saved = PassageSegmenter(costs), 0, []
            for budget in BUDGETS:
                for found in choice.lexemes[done:budget]:
                    segmenter.add(found)
                done = budget
                saved.append(100 - 100 * sum(segmenter.costs_of(texts)) / python)
            shown = ", ".join(f"{budget:,} learned {value:.2f} %" for budget, value in zip(BUDGETS, saved, strict=True))
            print(f"  room for {round(every * share):,}, {len(table):,} kept at the end: {shown}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
