"""Readings: the ways in which the beginning of a text may be read. In a dialect of SimPy there is one; in Python, ``match (`` has two."""

from __future__ import annotations

from typing import NamedTuple

from tokenizer_ext.constrain.bound import Bound
from tokenizer_ext.constrain.lexer import LexerState
from tokenizer_ext.constrain.stacks import Stack
from tokenizer_ext.constrain.valid import Verdict


class Reading(NamedTuple):
    """One way to read the text so far.

    Attributes:
        state: the state of the lexer.
        stack: the stack of the parser.
        verdict: what the rules say; ``None`` without rules.
        bound: what the aliases of names stand for; ``None`` in a dialect without them.
    """

    state: LexerState
    stack: Stack
    verdict: Verdict | None
    bound: Bound | None = None

    def with_text(self, text: bytes) -> Reading:
        """The reading after some more bytes of a character that has begun."""
        verdict = self.verdict
        return self if verdict is None or not text else self._replace(verdict=verdict._replace(text=verdict.text + text))


Readings = tuple[Reading, ...]
