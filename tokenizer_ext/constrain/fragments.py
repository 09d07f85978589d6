"""The upper part of a parser's stack, and what can be said of it without knowing what is below.

A reduction may pop more states than the fragment has. What remains of it is a *gap*: so many states are still to be popped, then the
rule's name decides. The gap is all that matters of what was above it: `f(a`, `f(a + b` and `f(not x` leave the same gap for `)`. So what
is worked out for one of them serves the others.
"""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.simpy_lexer import BRACKETS, STATEMENTS
from simpy_grammar.tables import Key, Tables


class Gap(NamedTuple):
    """A reduction that goes below a fragment: the name of its rule, and how many states below are still to be popped."""

    name: str
    missing: int


class Fragment:
    """States on top of a stack. Equal fragments are the same object.

    Attributes:
        state: the state on top.
        below: the fragment under it; ``None`` if that is not known.
    """

    __slots__ = ("_pushed", "_steps", "below", "state")

    def __init__(self, state: int, below: Fragment | None) -> None:
        self.state = state
        self.below = below
        self._pushed: dict[int, Fragment] = {}
        self._steps: dict[Key, Fragment | Gap | None] = {}

    def push(self, state: int) -> Fragment:
        """The fragment with one more state."""
        found = self._pushed.get(state)
        if found is None:
            found = self._pushed[state] = Fragment(state, self)
        return found


class Fragments:
    """All fragments of the tables of a dialect.

    Args:
        tables: the tables.
        rows: their actions, by the keys of the lexer.
    """

    def __init__(self, tables: Tables, rows: dict[int, dict[Key, int]]) -> None:
        self.rows = rows
        self._tables = tables
        self._roots: dict[int, Fragment] = {}

    def root(self, state: int) -> Fragment:
        """The fragment of one state."""
        found = self._roots.get(state)
        if found is None:
            found = self._roots[state] = Fragment(state, None)
        return found

    def step(self, fragment: Fragment, key: Key) -> Fragment | Gap | None:
        """What a token makes of a fragment; ``None`` if it cannot stand there."""
        try:
            return fragment._steps[key]
        except KeyError:
            found = fragment._steps[key] = self._step(fragment, key)
            return found

    def _step(self, fragment: Fragment, key: Key) -> Fragment | Gap | None:
        rows, rules, gotos = self.rows, self._tables.rules, self._tables.gotos
        while True:
            action = rows[fragment.state].get(key)
            if action is None:
                return None
            if action >= 0:
                return fragment.push(action)
            name, length, _ = rules[-1 - action]
            for popped in range(length):
                if fragment.below is None:
                    return Gap(name, length - popped - 1)
                fragment = fragment.below
            fragment = fragment.push(gotos[fragment.state][name])

    def resume(self, gap: Gap, key: Key, state: int) -> Fragment | Gap | None:
        """What a token makes of what is below a gap, when its uppermost state is known."""
        if gap.missing:
            return Gap(gap.name, gap.missing - 1)
        return self.step(self.root(state).push(self._tables.gotos[state][gap.name]), key)

    def innermost(self, fragment: Fragment | None) -> str | None:
        """The innermost bracket of the statement; empty if there is none, ``None`` if that is decided below."""
        while fragment is not None:
            shifted = self._tables.shifted[fragment.state]
            if shifted in BRACKETS:
                return str(shifted)
            if shifted in STATEMENTS:
                return ""
            fragment = fragment.below
        return None
