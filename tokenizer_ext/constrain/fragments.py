"""Stacks of a parser by their states alone. Equal stacks are the same object, so that what is known of one can be kept."""

from __future__ import annotations

from simpy_grammar.tables import Tables


class Fragment:
    """States of a stack from the bottom on. Equal fragments are the same object.

    Attributes:
        state: the state on top.
        below: the fragment under it; ``None`` at the bottom.
    """

    __slots__ = ("_pushed", "below", "state")

    def __init__(self, state: int, below: Fragment | None) -> None:
        self.state = state
        self.below = below
        self._pushed: dict[int, Fragment] = {}

    def push(self, state: int) -> Fragment:
        """The fragment with one more state."""
        found = self._pushed.get(state)
        if found is None:
            found = self._pushed[state] = Fragment(state, self)
        return found

    def takes(self, token: str, tables: Tables) -> bool:
        """Whether a token can stand there."""
        return self.shift(token, tables) is not None

    def shift(self, token: str, tables: Tables) -> Fragment | None:
        """The fragment after a token; ``None`` if it cannot stand there."""
        fragment = self
        while True:
            action = tables.actions[fragment.state].get(token)
            if action is None:
                return None
            if action >= 0:
                return fragment.push(action)
            name, length, _ = tables.rules[-1 - action]
            for _ in range(length):
                if fragment.below is None:
                    return None
                fragment = fragment.below
            fragment = fragment.push(tables.gotos[fragment.state][name])
