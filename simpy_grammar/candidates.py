"""The places that a piece of a program may be, where it stands at several: what a `PlaceError` lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_MOST_SHOWN = 10  # candidates in a message


class Candidate(NamedTuple):
    """One of the places that may be meant.

    Attributes:
        line: the line of the file on which it begins, from 1; ``None`` if it is not a place in a file.
        within: the definition that holds it, such as ``C.f``; empty outside of definitions.
        text: the place for people.

    >>> Candidate.at(41, "C.f")
    Candidate(line=41, within='C.f', text='line 41 in C.f')
    """

    line: int | None
    within: str
    text: str

    @classmethod
    def at(cls, line: int, within: str = "") -> Candidate:
        """The candidate at a line."""
        return cls(line, within, f"line {line} in {within}" if within else f"line {line}")


def listed(candidates: Sequence[Candidate]) -> str:
    """The first candidates, and how many more there are.

    >>> listed([Candidate.at(line) for line in range(1, 13)])
    'line 1, line 2, line 3, line 4, line 5, line 6, line 7, line 8, line 9, line 10 and 2 more'
    """
    more = len(candidates) - _MOST_SHOWN
    return ", ".join(candidate.text for candidate in candidates[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
