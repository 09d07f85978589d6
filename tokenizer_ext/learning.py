"""``learn``: a corpus in, learned tokens out, judged on programs that they were not learned from.

The steps are elsewhere: ``tokenizer_ext.runs`` makes runs of programs, ``tokenizer_ext.learn`` chooses among them. What is
here is the split of the corpus, and the two measurements: what the choice *promises* on the runs of the held-out programs,
and what ``Codec`` *realises* on their whole text.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from tokenizer_ext.costs import Costs, plain_count
from tokenizer_ext.extend import extend, refusal
from tokenizer_ext.ids import Codec
from tokenizer_ext.kinds import kind_of
from tokenizer_ext.learn import Choice, Segmenter, choose
from tokenizer_ext.learned import LearnedTokens
from tokenizer_ext.runs import Program, Runs, collect, common_words, simpy_lexer
from transpiler import encode


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
    progress: Callable[[], None] = lambda: None,
) -> Learning:
    """Learn tokens for a tokenizer.

    The same programs, tokenizer and budget give the same tokens.

    Args:
        tokenizer: any that ``extend`` takes.
        programs: the corpus.
        budget: how many tokens.
        dialect: the dialect whose text is merged.
        classes: what may be merged: "grammar", "punctuation" (and grammar) or "identifiers" (the common ones, and both).
        held_out: the share of the programs that is not learned from.
        tokenizer_name: how the file of learned tokens is to call the tokenizer.
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
    held = [program for program in programs if _held_out(program, held_out)]
    known = [program for program in programs if not _held_out(program, held_out)]
    words = common_words(known) if classes == "identifiers" else frozenset()
    lexer = simpy_lexer(chosen)
    runs = collect(known, lexer, classes=classes, words=words, progress=progress)
    if not len(runs):
        raise SimPyError("there is nothing to learn from in this corpus", hint="give more Python files")
    costs = Costs(plain_count(tokenizer), chosen.special_tokens)
    kind = kind_of(tokenizer)
    choice = choose(runs, costs, budget, can_be_added=lambda text: not refusal(text) and kind.id_of(text) is None, progress=progress)
    name = str(dialect) if isinstance(dialect, (str, Path)) else chosen.name
    meta = {"budget": budget, "classes": classes, "programs": len(known), "saved_on_corpus": list(choice.saved)}
    learned = LearnedTokens(choice.tokens, tokenizer_name, name, meta)
    held_runs = collect(held, lexer, classes=classes, words=words, progress=progress)
    python, curve = _evaluate(tokenizer, held, held_runs, costs, learned, choice, chosen)
    return Learning(learned, python, curve, len(known), runs.skipped)


def _held_out(program: Program, share: float) -> bool:
    """Whether a program is held out: by what it says, so that neither order nor other programs matter."""
    return zlib.crc32(program.source.encode("utf-8", "replace")) % 10_000 < share * 10_000


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
    counted = [(run, count) for counts in runs.counts for run, count in counts.items()]
    segmenter = Segmenter(costs)
    before = sum(count * segmenter.cost(run) for run, count in counted)
    curve: list[Point] = []
    done = 0
    for budget in budgets(len(learned)):
        for lexemes in choice.lexemes[done:budget]:
            segmenter.add(lexemes)
        done = budget
        codec = Codec(extend(tokenizer, dialect=dialect, learned=_named(learned.first(budget), dialect)), dialect=dialect)
        realised = sum(map(codec.count, texts))
        start = curve[0].realised if curve else realised
        promised = start - before + sum(count * segmenter.cost(run) for run, count in counted)
        curve.append(Point(budget, promised, realised))
    return python, tuple(curve)


def _named(learned: LearnedTokens, dialect: Dialect) -> LearnedTokens:
    """The tokens under the dialect itself, which ``extend`` compares by what it says."""
    return LearnedTokens(learned.tokens, learned.tokenizer, dialect, learned.meta)  # type: ignore[arg-type]  # Dialect.load takes it
