"""The compiled tables of a dialect. ``simpy_grammar.compile`` makes them, ``simpy_grammar.table_cache`` keeps them, and
``simpy_grammar.reader`` runs on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

END = "$END"
Token = TypeVar("Token")


class Stored(NamedTuple):
    """Tables in the form in which they are stored: small, since rows share their sets of tokens.

    Attributes:
        tokens: the tokens; elsewhere a token is its index here.
        names: the rule names; elsewhere a rule name is its index here.
        sets: the sets of tokens on which reductions happen.
        shifts: for each state token, next state, token, next state, ...
        reductions: for each state rule, set, rule, set, ...
        gotos: for each state rule name, next state, ...
        patterns, shifted, rules: as in ``Tables``.
    """

    tokens: list[str]
    names: list[str]
    sets: list[list[int]]
    shifts: list[list[int]]
    reductions: list[list[int]]
    gotos: list[list[int]]
    patterns: dict[str, tuple[str, str]]
    shifted: list[str | None]
    rules: list[tuple[str, int, str | None]]


class Rows(dict[int, dict[Token, int]]):
    """Rows by state. Each is made when it is first used."""

    def __init__(self, make: Callable[[int], dict[Token, int]]) -> None:
        self._make = make

    def __missing__(self, state: int) -> dict[Token, int]:
        row = self[state] = self._make(state)
        return row


class Tables:
    """LALR(1) tables.

    Attributes:
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: state -> token -> next state, or -1 - rule for a reduction.
        gotos: state -> rule name -> next state.
        shifted: for each state, the terminal that a shift into it reads; empty if the next token decides which, ``None`` if
            a reduction leads there.
        rules: for each rule, its name, its length, and the terminal that its reduction stands for (mostly ``None``).
    """

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.patterns = stored.patterns
        self.shifted = stored.shifted
        self.rules = stored.rules
        self.actions = Rows(self._actions_of)
        self.gotos = Rows(self._gotos_of)
        self.automaton: object = None  # what a lexer has made of them

    def __len__(self) -> int:
        return len(self.shifted)

    def _actions_of(self, state: int) -> dict[str, int]:
        tokens = self.stored.tokens
        row = {tokens[token]: target for token, target in _pairs(self.stored.shifts[state])}
        for rule, group in _pairs(self.stored.reductions[state]):
            row.update(dict.fromkeys((tokens[token] for token in self.stored.sets[group]), -1 - rule))
        return row

    def _gotos_of(self, state: int) -> dict[str, int]:
        return {self.stored.names[name]: target for name, target in _pairs(self.stored.gotos[state])}


def _pairs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    rest = iter(numbers)
    return zip(rest, rest, strict=True)
