"""What a conversion gives: the text, and notes on what in it could not be converted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A part that could not be converted and stands as it came.

    Attributes:
        line: the line of the text where the part begins, from 1.
        reason: why, without any of the text.
        partial: the beginning of the part was converted, and only the rest stands as it came.
    """

    line: int
    reason: str
    partial: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {'the rest ' if self.partial else ''}not converted: {self.reason}"


@dataclass(frozen=True)
class Converted:
    """A converted text.

    Attributes:
        text: the text.
        notes: the parts that could not be converted.
        parts: how many parts were converted.
    """

    text: str
    notes: tuple[Note, ...] = ()
    parts: int = 0
