"""A lexeme on its own, for who looks at a program lexeme by lexeme. A whole program is a ``simpy_grammar.stream.Stream``."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import COMMENT, DATA, ID, ids

_DATA = ids(DATA, COMMENT)


class Lexeme(NamedTuple):
    """A terminal in its context, and its text.

    Attributes:
        terminal: a name of ``simpy_grammar.terminals``, in its general form.
        text: how the text that was read spells it; empty if it is implied.
        start: offset of its first character in that text.
    """

    terminal: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    @property
    def is_data(self) -> bool:
        """Whether the text is the program's own: a name, a literal or a comment."""
        return ID[self.terminal] in _DATA
