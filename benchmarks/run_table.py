"""What it costs that learning drops rare runs when its table of runs is full: the same corpus with smaller and smaller tables.

    python benchmarks/run_table.py --vocab FOLDER --only cl100k_base --learn DIR... --packages DIR...

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
from tokenizer_ext.costs import Costs, plain_count
from tokenizer_ext.fit import fitted_dialect
from tokenizer_ext.learn import Segmenter, choose
from tokenizer_ext.runs import MOST_RUNS, Program, collect, common_words, simpy_lexer

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
    parser.add_argument("--shares", nargs="+", type=float, default=[1, 0.8, 0.5, 0.25, 0.1], help="of all the runs, how many have room")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    learn = [Program(path.name, code) for path in args.learn for _, code in read(path, args.learn_mb * 1e6 / len(args.learn))]
    codes = [code for path in args.packages for _, code in read(path, args.measure_mb * 1e6 / len(args.packages), tests=True)]
    words = common_words(learn)
    for name in args.only:
        folder = args.vocab / name
        tokenizer = load_tokenizer(str(folder) if folder.is_dir() else name)
        dialect = fitted_dialect(tokenizer)
        lexer = simpy_lexer(dialect)
        pieces = {program.source: lexer(program.source) for program in learn}
        texts = [("", *(text for _, text in lexer(code)), "") for code in codes]
        costs = Costs(plain_count(tokenizer), dialect.special_tokens)
        python = sum(costs.total(codes))
        every = len(collect(learn, pieces.__getitem__, words=words, limit=MOST_RUNS))
        print(f"{name}, {dialect.name}: {every:,} different runs", flush=True)
        for share in args.shares:
            runs = collect(learn, pieces.__getitem__, words=words, limit=round(every * share))
            choice = choose(runs, costs, BUDGETS[-1])
            segmenter, done, saved = Segmenter(costs), 0, []
            for budget in BUDGETS:
                for found in choice.lexemes[done:budget]:
                    segmenter.add(found)
                done = budget
                saved.append(100 - 100 * sum(segmenter.total(texts)) / python)
            shown = ", ".join(f"{budget:,} learned {value:.2f} %" for budget, value in zip(BUDGETS, saved, strict=True))
            print(f"  room for {round(every * share):,}, {len(runs):,} kept at the end: {shown}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
