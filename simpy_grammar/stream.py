"""A program as a stream of lexemes: the one form between every reader and every writer."""

from __future__ import annotations

from collections.abc import Iterator

from simpy_grammar.terminals import ID, TERMINALS

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_grammar.lexeme import Lexeme

SPACE_ID = ID["space"]


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
        from simpy_grammar.lexeme import Lexeme  # not needed to convert

        starts = self.starts or [0] * len(self.terminals)
        for terminal, text, start in zip(self.terminals, self.texts, starts, strict=True):
            if terminal != SPACE_ID and (text or implied):
                yield Lexeme(TERMINALS[terminal].name, text, start)
