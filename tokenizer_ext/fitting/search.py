"""Fitting a dialect to a vocabulary: for each terminal, the spelling with which a corpus takes the fewest tokens.

The search is greedy and starts from a built-in dialect. It tries each candidate of each terminal on the programs that hold
the terminal, and takes the best ones that the loader accepts and that decode to the same programs, until none helps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from simpy_grammar.table_cache import InMemory
from tokenizer_ext.costs import CostTable, cost_table
from tokenizer_ext.fitting.built_in import DENSE_DIALECTS
from tokenizer_ext.fitting.spellings import Spelling, candidate_spellings
from tokenizer_ext.fitting.templates import ProgramTemplates
from transpiler import decode

WORTH = 0.0001  # a change must save this share of the tokens; less is chance


@dataclass(frozen=True)
class Step:
    """One accepted change: a terminal, its new spelling, and how many tokens the corpus takes with it."""

    terminal: str
    spelling: Spelling
    tokens: int


@dataclass(frozen=True)
class FitResult:
    """A fitted dialect.

    Attributes:
        dialect: the dialect.
        start: the dialect that the search started from.
        python: the tokens of the corpus as Python.
        before: the tokens of the corpus in ``start``.
        steps: the accepted changes, in order.
        refused: how many promising spellings the loader refused as ambiguous.
    """

    dialect: Dialect
    start: Dialect
    python: int
    before: int
    steps: tuple[Step, ...]
    refused: int

    @property
    def after(self) -> int:
        """The tokens of the corpus in the fitted dialect."""
        return self.steps[-1].tokens if self.steps else self.before


def fit(
    tokenizer: Any,
    programs: Iterable[str],
    *,
    start: str | Dialect = "dense",
    name: str = "fitted",
    terminals: Collection[str] | None = None,
    rounds: int = 3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FitResult:
    """Fit a dialect to a tokenizer.

    The same programs and tokenizer give the same dialect.

    Args:
        tokenizer: any that ``extend`` takes; ``None`` for the built-in estimate.
        programs: Python sources to count on.
        start: the dialect to start from.
        name: what to call the result.
        terminals: the terminals whose spelling may change; by default all.
        rounds: how often every spelling is tried at most, since one choice may change what another saves.
        progress: called with how many terminals of a round have been tried, and how many there are.

    Raises:
        DialectError: there is no such dialect, or it is ``compact``, which has no spellings, or one that leaves out closing brackets.

    >>> fit(None, ["if a is not b:\\n    pass\\n"], name="mine").dialect.name
    'mine'
    """
    origin = Dialect.load(start)
    if origin.is_python:
        raise DialectError(f"{origin.name} is Python and has no spellings to fit", hint=f"start from one of {', '.join(DENSE_DIALECTS)}")
    if origin.is_open:  # which brackets are left out depends on the spellings, so templates cannot hold it
        raise DialectError(f"{origin.name} leaves out brackets, which a search cannot count", hint="fit dense, and add a line %open")
    templates = ProgramTemplates(programs, origin)
    specials = {*origin.special_tokens, *Dialect.load("classic").special_tokens}
    costs = cost_table(tokenizer, specials)
    search = _Search(templates, costs, origin, terminals)
    for _ in range(rounds):
        if not search.round(progress):
            break
    dialect = origin.with_spellings(name, {step.terminal: step.spelling for step in search.steps})
    return FitResult(dialect, origin, sum(costs.total(templates.programs)), search.before, tuple(search.steps), len(search.refused))


class _Search:
    """The state of one search: the dialect so far and the tokens of each program in it."""

    def __init__(self, templates: ProgramTemplates, costs: CostTable, start: Dialect, terminals: Collection[str] | None) -> None:
        self.templates = templates
        self.terminals = [t for t in templates.terminals if terminals is None or t in terminals]
        self.costs = costs
        self.start = start
        self.dialect = start
        self.decoded: dict[int, str] = {}
        self.tokens = templates.costs(start, costs)
        self.before = sum(self.tokens)
        self.steps: list[Step] = []
        self.refused: set[tuple[str, Spelling]] = set()

    def round(self, progress: Callable[[int, int], None]) -> bool:
        """Try every candidate once, take those that help, the best first; whether there were any."""
        least = self.before * WORTH
        moves: list[tuple[int, str, Spelling]] = []
        for number, terminal in enumerate(self.terminals):
            for spelling in candidate_spellings(terminal, self.dialect):
                saved = self._saved(terminal, spelling)[0]
                if saved > least:
                    moves.append((-saved, terminal, spelling))
            progress(number + 1, len(self.terminals))
        accepted = False
        for _, terminal, spelling in sorted(moves):
            saved, dialect, changed = self._saved(terminal, spelling)
            if saved <= least or (terminal, spelling) in self.refused:
                continue
            if not self._accepts(dialect, changed):
                self.refused.add((terminal, spelling))
                continue
            self.dialect = dialect
            for at, tokens in changed.items():
                self.tokens[at] = tokens
            self.steps.append(Step(terminal, spelling, sum(self.tokens)))
            accepted = True
        return accepted

    def _accepts(self, dialect: Dialect, which: Collection[int]) -> bool:
        """Whether the loader accepts a dialect and some programs decode from it as they do from the first one."""
        texts = self.templates.spelled(dialect, which)
        try:
            with InMemory():
                return all(decode(text, dialect=dialect) == self._python(at) for at, text in zip(which, texts, strict=True))
        except SimPyError:
            return False

    def _python(self, at: int) -> str:
        if at not in self.decoded:
            self.decoded[at] = decode(self.templates.spelled(self.start, [at])[0], dialect=self.start)
        return self.decoded[at]

    def _saved(self, terminal: str, spelling: Spelling) -> tuple[int, Dialect, dict[int, int]]:
        """What a spelling saves now, the dialect with it, and the tokens of the programs that it changes."""
        dialect = self.dialect.with_spellings(self.dialect.name, {terminal: spelling})
        where = self.templates.where[self.templates.terminals.index(terminal)]
        tokens = self.templates.costs(dialect, self.costs, where)
        changed = dict(zip(where, tokens, strict=True))
        return sum(self.tokens[at] for at in where) - sum(tokens), dialect, changed
