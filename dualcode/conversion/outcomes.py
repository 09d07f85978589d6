"""What a conversion gives: the text in both forms, and notes on what could not be converted."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Note:
    """A part that could not be converted and stands as received.

    Attributes:
        line: the line of the text where the part begins, from 1.
        reason: why, without any of the text.
        partial: the beginning of the part was converted, and only the rest stands as received.
        where: which of several texts it is, such as ``message 2``; empty where there is only one.

    >>> print(Note(3, "'(' was never closed", where="message 2"))
    message 2, line 3: not converted: '(' was never closed
    """

    line: int
    reason: str
    partial: bool = False
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}, line {self.line}" if self.where else f"line {self.line}"
        return f"{place}: {'the rest ' if self.partial else ''}not converted: {self.reason}"


@dataclass(frozen=True)
class Shortened:
    """The code of one part, as received and as the model sees it.

    Attributes:
        python: the person's text of those lines, byte for byte, but without a gutter of line numbers and without the marks of a quote.
        sent: what the model sees in its place, without a gutter too.
    """

    python: str
    sent: str


@dataclass(frozen=True)
class Converted:
    """A converted text.

    Attributes:
        text: the text.
        notes: the parts that could not be converted.
        parts: how many parts were converted.
        shortened: on the way to the model, the code of each of these parts in both forms, in order.
    """

    text: str
    notes: tuple[Note, ...] = ()
    parts: int = 0
    shortened: tuple[Shortened, ...] = ()


@dataclass
class Texts:
    """The texts of one side of an exchange, in both forms.

    Attributes:
        sent: as the model sees or writes them.
        python: as the person writes or sees them, in the same order.
    """

    sent: list[str] = field(default_factory=list)
    python: list[str] = field(default_factory=list)

    def add(self, sent: str, python: str) -> None:
        """Add one text."""
        self.sent.append(sent)
        self.python.append(python)
