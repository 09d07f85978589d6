"""Would `simpy fit` find a better spelling if it knew which tokens will be learned on top? A study; nothing here is built.

    python benchmarks/joint_fit.py --vocab FOLDER --only starcoder --learn DIR... --packages DIR...

A dialect is fitted as `simpy fit` does. Then each spelling that fitting would try is tried again, those first that came closest
without learned tokens: `--budget` tokens are learned anew on one half of the programs of `--learn`, and the spelling is kept if
the other half takes fewer tokens with them and the loader accepts it; until none is kept, or `--trials` is reached. Both
dialects, with tokens learned on all of `--learn`, are then counted on `--packages`, code only.
"""

from __future__ import annotations

import argparse
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tokens import read  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.table_cache import InMemory
from tokenizer_ext import Codec, LearnedTokens, extend, load_tokenizer
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.extension import refusal
from tokenizer_ext.fitting import fit, fitted_dialect
from tokenizer_ext.fitting.search import WORTH
from tokenizer_ext.fitting.spellings import Spelling, candidate_spellings
from tokenizer_ext.learning.choosing import Choice, choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import Piece, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter
from transpiler import encode, lexemes

SAMPLE = 400_000  # characters that the first fit counts on
OFTEN = 5  # a terminal that occurs less often than so many times the least saving is left as it is
LOOKED_AT = 10_000  # texts that may become learned tokens
Saying = Callable[[str], None]


class Respelled:
    """Programs, read once in one dialect, as pieces of any other that differs from it in spellings only."""

    def __init__(self, programs: Sequence[CorpusFile], dialect: Dialect) -> None:
        splitter = simpy_splitter(dialect)
        self.streams: dict[str, list[tuple[str, Piece]]] = {}
        for program in programs:
            found = lexemes(encode(program.source, dialect=dialect, verify=False), dialect=dialect)
            # A lexeme may bear the name of a more general terminal, whose spelling is then not its own.
            terminals = [lexeme.terminal if lexeme.text in dialect.spellings.get(lexeme.terminal, ()) else "" for lexeme in found]
            self.streams[program.source] = list(zip(terminals, splitter(program.source), strict=True))

    def pieces(self, source: str, dialect: Dialect) -> list[Piece]:
        """The pieces of a program in a dialect. What has two spellings has the second between brackets or quotes."""
        table = dialect.spellings
        stream = self.streams[source]
        pieces: list[Piece] = []
        for at, (terminal, (kind, text)) in enumerate(stream):
            spelling = table.get(terminal, (text,))
            if len(spelling) > 1 and pieces and pieces[-1][1][-1] in ")]}'\"":
                after, (_, first) = stream[at + 1]
                spelling = spelling[1:] if table.get(after, (first,))[0][0] in "([{'\"" else spelling
            pieces.append((kind, spelling[0]))
        return pieces

    def text(self, source: str, dialect: Dialect) -> str:
        """A program in a dialect."""
        return "".join(text for _, text in self.pieces(source, dialect))


class Search:
    """Single changes to a dialect, judged with learned tokens.

    Args:
        tokenizer: whose tokens are counted.
        programs: learned from (every second one) and judged on (the others).
        start: the dialect to start from.
        budget: how many tokens are learned.
    """

    def __init__(self, tokenizer: Any, programs: Sequence[CorpusFile], start: Dialect, budget: int) -> None:
        self.tokenizer = tokenizer
        self.programs = programs
        self.words = common_words(programs)
        self.respelled = Respelled(programs, start)
        self.costs = CostTable(ordinary_counts(tokenizer), {*start.special_tokens, *Dialect.load("classic").special_tokens})
        self.budget = budget
        judged = [self.respelled.streams[program.source] for program in programs[1::2]]
        self.occurring = Counter(terminal for stream in judged for terminal, _ in stream)
        self.dialect = start
        self.tokens = self.judge(start)

    def learn(self, programs: Sequence[CorpusFile], dialect: Dialect) -> Choice:
        """The tokens learned from some programs in a dialect."""
        adapter = adapter_of(self.tokenizer)
        table = count_passages(programs, lambda source: self.respelled.pieces(source, dialect), words=self.words)

        def free(text: str) -> bool:
            return not refusal(text) and adapter.id_of(text) is None

        return choose(table, self.costs, self.budget, candidates=LOOKED_AT, can_be_added=free)

    def judge(self, dialect: Dialect, learned: bool = True) -> int:
        """The tokens of one half in a dialect, with or without tokens learned on the other half."""
        segmenter = PassageSegmenter(self.costs)
        for found in self.learn(self.programs[::2], dialect).lexemes if learned else ():
            segmenter.add(found)
        texts = [("", *(text for _, text in self.respelled.pieces(program.source, dialect)), "") for program in self.programs[1::2]]
        return sum(segmenter.costs_of(texts))

    def moves(self) -> list[tuple[int, str, Spelling]]:
        """The spellings to try, those first that save most, or cost least, without learned tokens."""
        least = self.tokens * WORTH
        moves: list[tuple[int, str, Spelling]] = []
        for terminal in self.dialect.spellings:
            if self.occurring[terminal] >= OFTEN * least:
                for spelling in candidate_spellings(terminal, self.dialect):
                    moves.append((self.judge(self.with_(terminal, spelling), learned=False), terminal, spelling))
        return sorted(moves)

    def with_(self, terminal: str, spelling: Spelling) -> Dialect:
        """The dialect with one more change."""
        return self.dialect.with_spellings("joint", {terminal: spelling})

    def accepts(self, dialect: Dialect) -> bool:
        """Whether the loader accepts a dialect, and the programs that are judged on come back from it."""
        try:
            with InMemory():
                texts = [(program.source, encode(program.source, dialect=dialect, verify=True)) for program in self.programs[1::2]]
        except SimPyError:
            return False
        return all(self.respelled.text(source, dialect) == text for source, text in texts)

    def run(self, trials: int, say: Saying) -> None:
        """Try changes until none of them helps, or so many have been tried."""
        tried = 0
        helped = True
        while helped and tried < trials:
            helped = False
            for _, terminal, spelling in self.moves():
                if tried == trials:
                    break
                tried += 1
                dialect = self.with_(terminal, spelling)
                tokens = self.judge(dialect)
                kept = self.tokens - tokens > self.tokens * WORTH and self.accepts(dialect)
                say(f"  {tried:3} {terminal} {spelling}: {self.tokens - tokens:+d} of {self.tokens:,}{' kept' if kept else ''}")
                if kept:
                    self.dialect, self.tokens, helped = dialect, tokens, True


def study(
    tokenizer: Any, learn: list[CorpusFile], codes: list[str], budget: int, trials: int, say: Saying
) -> list[tuple[str, float, float]]:
    """Percent of Python's tokens that each dialect saves, without and with learned tokens."""
    sample = [program.source for program in learn]
    random.Random(2).shuffle(sample)
    used: list[str] = []
    while sample and sum(map(len, used)) < SAMPLE:
        used.append(sample.pop())
    built_in = fitted_dialect(tokenizer)
    fitted = fit(tokenizer, used, start=built_in).dialect
    search = Search(tokenizer, learn, fitted, budget)
    search.run(trials, say)
    python = sum(CostTable(ordinary_counts(tokenizer)).total(codes))
    rows: list[tuple[str, float, float]] = []
    for name, dialect in (("fitted", fitted), ("joint", search.dialect)):
        saved: list[float] = []
        for tokens in ((), search.learn(learn, dialect).tokens):
            learned = LearnedTokens(tokens, "", dialect)  # type: ignore[arg-type]  # Dialect.load takes it
            codec = Codec(extend(tokenizer, dialect=dialect, learned=learned), dialect=dialect)
            saved.append(100 - 100 * sum(codec.count(encode(code, dialect=dialect, verify=False)) for code in codes) / python)
        rows.append((name, saved[0], saved[1]))
    changed = {terminal: texts for terminal, texts in search.dialect.spellings.items() if texts != fitted.spellings[terminal]}
    say(f"  changed: {changed}")
    return rows


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=["starcoder", "cl100k_base"], metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--learn", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--packages", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--learn-mb", type=float, default=2.0)
    parser.add_argument("--measure-mb", type=float, default=0.3)
    parser.add_argument("--budget", type=int, default=256, metavar="N", help="learned tokens")
    parser.add_argument("--trials", type=int, default=40, metavar="N", help="how many changes are tried at most")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    learn = [CorpusFile(path.name, code) for path in args.learn for _, code in read(path, args.learn_mb * 1e6 / len(args.learn))]
    codes = [code for path in args.packages for _, code in read(path, args.measure_mb * 1e6 / len(args.packages), tests=True)]
    for name in args.only:
        folder = args.vocab / name
        tokenizer = load_tokenizer(str(folder) if folder.is_dir() else name)
        for row, plain, learned in study(tokenizer, learn, codes, args.budget, args.trials, lambda text: print(text, flush=True)):
            print(f"{name:12} {row:8} {plain:6.2f} %   with {args.budget} learned {learned:6.2f} %", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
