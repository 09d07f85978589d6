"""``learn``: a corpus in, learned tokens out, judged on programs that they were not learned from.

The steps are elsewhere: ``tokenizer_ext.runs`` makes runs of programs, ``tokenizer_ext.learn`` chooses among them. What is
here is the split of the corpus, and the two measurements: what the choice *promises* on the runs of the held-out programs,
and what ``Codec`` *realises* on their whole text.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from tokenizer_ext.costs import Costs, plain_count
from tokenizer_ext.extend import extend, planned, refusal
from tokenizer_ext.ids import Codec
from tokenizer_ext.kinds import kind_of
from tokenizer_ext.learn import Choice, Segmenter, choose
from tokenizer_ext.learned import LearnedTokens
from tokenizer_ext.runs import Program, Runs, collect, common_words, simpy_lexer
from tokenizer_ext.spelling import own_tokens
from transpiler import encode

MOST_HELD_OUT = 3_000_000  # characters; measuring more takes long and changes little


@dataclass(frozen=True)
class Point:
    """One point of the curve: tokens of the held-out programs with the first ``budget`` learned tokens.

    Attributes:
        budget: how many learned tokens.
        promised: the tokens that the runs promise.
        realised: the tokens that the extended tokenizer makes of the whole texts.
    """

    budget: int
    promised: int
    realised: int


@dataclass(frozen=True)
class Learning:
    """What ``learn`` returns.

    Attributes:
        learned: the tokens.
        python: the tokens of the held-out programs as Python.
        curve: points for growing budgets, the first without learned tokens.
        files: how many programs were learned from.
        skipped: how many of them could not be encoded.
    """

    learned: LearnedTokens
    python: int
    curve: tuple[Point, ...]
    files: int
    skipped: int

    def table(self) -> str:
        """The curve as text: percent of the Python tokens that are saved."""
        lines = ["learned   promised   realised  (tokens saved on held-out files)"]
        for point in self.curve:
            promised, realised = (f"{100 - 100 * tokens / max(self.python, 1):8.2f} %" for tokens in (point.promised, point.realised))
            lines.append(f"{point.budget:7,} {promised} {realised}")
        return "\n".join(lines)


def learn(
    tokenizer: Any,
    programs: Sequence[Program],
    *,
    budget: int,
    dialect: str | Path | Dialect = "dense",
    classes: str = "identifiers",
    held_out: float = 0.1,
    tokenizer_name: str = "",
    processes: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Learning:
    """Learn tokens for a tokenizer.

    The same programs, tokenizer and budget give the same tokens, in however many processes.

    Args:
        tokenizer: any that ``extend`` takes.
        programs: the corpus.
        budget: how many tokens.
        dialect: the dialect whose text is merged.
        classes: what may be merged: "grammar", "punctuation" (and grammar) or "identifiers" (the common ones, and both).
        held_out: the share of the programs that is not learned from, up to ``MOST_HELD_OUT`` characters.
        tokenizer_name: how the file of learned tokens is to call the tokenizer.
        processes: how many processes read programs. They start afresh, so a script that asks for several must be one that can
            be imported (``if __name__ == "__main__"``).
        progress: called after each program and each token.

    Raises:
        TokenizerError: the tokenizer is of no kind that can be extended.
        DialectError: there is no such dialect, or it is ``compact``, which takes no tokens.
        SimPyError: no program could be encoded.
    """
    chosen = Dialect.load(dialect)
    if chosen.is_python:
        raise DialectError(f"{chosen.name} is for models whose vocabulary cannot be extended", hint="learn in dense or classic")
    extend(tokenizer, dialect=chosen)  # says now if it cannot work
    known, held = _split(programs, held_out)
    words = common_words(known) if classes == "identifiers" else frozenset()
    lexer = simpy_lexer(chosen)
    runs = collect(known, lexer, classes=classes, words=words, processes=processes, progress=progress)
    if not len(runs):
        raise SimPyError("there is nothing to learn from in this corpus", hint="give more Python files")
    costs = Costs(plain_count(tokenizer), chosen.special_tokens)
    kind = kind_of(tokenizer)
    choice = choose(runs, costs, budget, can_be_added=lambda text: not refusal(text) and kind.id_of(text) is None, progress=progress)
    name = str(dialect) if isinstance(dialect, (str, Path)) else chosen.name
    meta = {"budget": budget, "classes": classes, "programs": len(known), "saved_on_corpus": list(choice.saved)}
    learned = LearnedTokens(choice.tokens, tokenizer_name, name, meta)
    extend(tokenizer, dialect=chosen, learned=_named(learned, chosen))  # says now if it cannot be
    held_runs = collect(held, lexer, classes=classes, words=words, processes=processes, progress=progress)
    python, curve = _evaluate(tokenizer, held, held_runs, costs, learned, choice, chosen)
    return Learning(learned, python, curve, len(known), runs.skipped)


def _split(programs: Sequence[Program], share: float) -> tuple[list[Program], list[Program]]:
    """The programs that are learned from and those that are held out: by what they say, so that their order does not matter."""
    numbers = [zlib.crc32(program.source.encode("utf-8", "replace")) % 10_000 for program in programs]
    held: set[int] = set()
    size = 0
    for i in sorted((i for i, number in enumerate(numbers) if number < share * 10_000), key=lambda i: (numbers[i], programs[i].source)):
        if size < MOST_HELD_OUT:
            held.add(i)
            size += len(programs[i].source)
    return [p for i, p in enumerate(programs) if i not in held], [p for i, p in enumerate(programs) if i in held]


def budgets(most: int) -> list[int]:
    """
    >>> budgets(300)
    [0, 16, 64, 128, 256, 300]
    """
    steps = [0, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
    return [step for step in steps if step < most] + [most]


def _evaluate(
    tokenizer: Any, held: list[Program], runs: Runs, costs: Costs, learned: LearnedTokens, choice: Choice, dialect: Dialect
) -> tuple[int, tuple[Point, ...]]:
    texts: list[str] = []
    sources: list[str] = []
    for program in held:
        try:
            texts.append(encode(program.source, dialect=dialect, verify=False))
        except (SimPyError, RecursionError):
            continue
        sources.append(program.source)
    python = sum(costs.total(sources))
    kind = kind_of(tokenizer)
    plain = kind.plain(list(own_tokens(kind.added)))
    counted = [(run, count) for counts in runs.counts for run, count in counts.items()]
    segmenter = Segmenter(costs)
    before = _total(segmenter, counted)
    curve: list[Point] = []
    done = 0
    for budget in budgets(len(learned)):
        for lexemes in choice.lexemes[done:budget]:
            segmenter.add(lexemes)
        done = budget
        tokens, _ = planned(kind, dialect, _named(learned.first(budget), dialect))
        codec = Codec.of(dialect, tokens, plain)
        realised = sum(map(codec.count, texts))
        start = curve[0].realised if curve else realised
        promised = start - before + _total(segmenter, counted)
        curve.append(Point(budget, promised, realised))
    return python, tuple(curve)


def _total(segmenter: Segmenter, counted: list[tuple[tuple[str, ...], int]]) -> int:
    return sum(map(operator.mul, (count for _, count in counted), segmenter.total([run for run, _ in counted])))


def _named(learned: LearnedTokens, dialect: Dialect) -> LearnedTokens:
    """The tokens under the dialect itself, which ``extend`` compares by what it says."""
    return LearnedTokens(learned.tokens, learned.tokenizer, dialect, learned.meta)  # type: ignore[arg-type]  # Dialect.load takes it
