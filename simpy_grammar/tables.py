"""The compiled tables of a dialect. ``simpy_grammar.compile`` makes them, ``simpy_grammar.table_cache`` keeps them, and
``simpy_grammar.reader`` runs on them."""

from __future__ import annotations

from typing import NamedTuple

END = "$END"


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


class _Actions(dict[int, dict[str, int]]):
    """The action rows. Each is made when it is first used."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    def __missing__(self, state: int) -> dict[str, int]:
        stored = self.stored
        tokens = stored.tokens
        pairs = iter(stored.shifts[state])
        row = {tokens[token]: target for token, target in zip(pairs, pairs, strict=True)}
        pairs = iter(stored.reductions[state])
        for rule, group in zip(pairs, pairs, strict=True):
            row.update(dict.fromkeys((tokens[token] for token in stored.sets[group]), -1 - rule))
        self[state] = row
        return row


class _Gotos(dict[int, dict[str, int]]):
    """The goto rows. Each is made when it is first used."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    def __missing__(self, state: int) -> dict[str, int]:
        pairs = iter(self.stored.gotos[state])
        row = self[state] = {self.stored.names[name]: target for name, target in zip(pairs, pairs, strict=True)}
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
        self.actions = _Actions(stored)
        self.gotos = _Gotos(stored)
        self.automaton: object = None  # what a lexer has made of them

    def __len__(self) -> int:
        return len(self.shifted)
