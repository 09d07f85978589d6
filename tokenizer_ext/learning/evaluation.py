"""How good learned tokens are: what they save on programs that they were not learned from, for growing budgets.

Two measurements: what the choice *promises* on the passages of the held-out programs, and what ``Codec`` *realises* on
their whole text.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from tokenizer_ext.adapters import OrdinaryTokenizer
from tokenizer_ext.codec import Codec
from tokenizer_ext.costs import CostTable
from tokenizer_ext.grammar_tokens import special_tokens
from tokenizer_ext.learning.choosing import Choice
from tokenizer_ext.learning.corpus import CorpusFile
from tokenizer_ext.learning.passages import Passage, PassageTable
from tokenizer_ext.learning.segmenter import PassageSegmenter
from transpiler import encode

_STEPS = (0, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


@dataclass(frozen=True)
class Point:
    """One point of the curve: tokens of the held-out programs with the first ``budget`` learned tokens.

    Attributes:
        budget: how many learned tokens.
        promised: the tokens that the passages promise.
        realised: the tokens that the extended tokenizer makes of the whole texts.
    """

    budget: int
    promised: int
    realised: int


def budgets(most: int) -> list[int]:
    """The budgets that are measured.

    >>> budgets(300)
    [0, 16, 64, 128, 256, 300]
    """
    return [step for step in _STEPS if step < most] + [most]


def evaluate(
    ordinary: OrdinaryTokenizer, dialect: Dialect, choice: Choice, held: Sequence[CorpusFile], table: PassageTable, costs: CostTable
) -> tuple[int, tuple[Point, ...]]:
    """The tokens of the held-out programs as Python, and the curve.

    Args:
        ordinary: the tokenizer that the tokens were learned for, without its added tokens.
        dialect: the dialect whose text was merged.
        choice: the tokens.
        held: the held-out programs; those that cannot be encoded are left out.
        table: their passages.
        costs: how texts tokenize without learned tokens.
    """
    texts: list[str] = []
    sources: list[str] = []
    for file in held:
        try:
            texts.append(encode(file.source, dialect=dialect, verify=False))
        except (SimPyError, RecursionError):
            continue
        sources.append(file.source)
    grammar = special_tokens(dialect)
    counted = [(passage, count) for counts in table.counts for passage, count in counts.items()]
    steps = budgets(len(choice.tokens))
    before, *promised = _totals(counted, choice, [0, *steps], costs)
    curve: list[Point] = []
    codec: Codec | None = None
    for budget, total in zip(steps, promised, strict=True):
        codec = Codec.for_counting(dialect, (*grammar, *choice.tokens[:budget]), ordinary, before=codec)
        realised = sum(map(codec.count, texts))
        start = curve[0].realised if curve else realised
        curve.append(Point(budget, start - before + total, realised))
    return sum(costs.total(sources)), tuple(curve)


def _totals(counted: list[tuple[Passage, int]], choice: Choice, steps: list[int], costs: CostTable) -> list[int]:
    """The tokens of all passages with the first tokens of a choice, for growing budgets."""
    passages, weights = [passage for passage, _ in counted], [count for _, count in counted]
    if core is not None and costs.native is not None:
        found: list[int] | None = core.segmented_totals(passages, weights, list(choice.lexemes), steps, costs.native, costs.count)
        if found is not None:
            return found
    segmenter = PassageSegmenter(costs)
    totals: list[int] = []
    done = 0
    for budget in steps:
        for lexemes in choice.lexemes[done:budget]:
            segmenter.add(lexemes)
        done = budget
        totals.append(sum(map(operator.mul, weights, segmenter.costs_of(passages))))
    return totals
