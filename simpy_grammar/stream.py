"""A program as a stream of lexemes: the one form between every reader and every writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simpy_grammar.terminals import COMMENT, DATA, ID, TERMINALS, ids

SPACE_ID = ID["space"]
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


class Stream:
    """The lexemes of a program, as parallel lists.

    Attributes:
        terminals: the ids of the terminals, in their general form; ``space`` marks where Python has a blank.
        texts: their texts. The text of data is the same in every spelling; of the others it is that of the text that was read.
        starts: offsets of their first characters in that text; of implied ones, of what follows. Empty unless asked for.

    >>> stream = Stream()
    >>> stream.append("RETURN", "return"), stream.append("NAME", "a")
    (None, None)
    >>> [(lexeme.terminal, lexeme.text) for lexeme in stream.lexemes()]
    [('RETURN', 'return'), ('NAME', 'a')]
    """

    __slots__ = ("starts", "terminals", "texts")

    def __init__(self) -> None:
        self.terminals: list[int] = []
        self.texts: list[str] = []
        self.starts: list[int] = []

    def __len__(self) -> int:
        return len(self.terminals)

    def append(self, terminal: str, text: str) -> None:
        """Add a lexeme at the end."""
        self.terminals.append(ID[terminal])
        self.texts.append(text)

    def lexemes(self, *, implied: bool = True) -> Iterator[Lexeme]:
        """The lexemes one by one, without the marks of blanks; those with empty text if they are asked for."""
        starts = self.starts or [0] * len(self.terminals)
        for terminal, text, start in zip(self.terminals, self.texts, starts, strict=True):
            if terminal != SPACE_ID and (text or implied):
                yield Lexeme(TERMINALS[terminal].name, text, start)
