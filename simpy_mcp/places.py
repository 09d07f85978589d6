"""Lines of a file that has changed: where they are now, and how they look."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from simpy_grammar.errors import SimPyError
from transpiler.source import read_source

_AROUND = 4  # lines shown above and below a place
_MOST_SHOWN = 20  # lines of a place
_MOST_COMPARED = 4_000_000  # pairs of lines


def _middle(before: list[str], after: list[str]) -> tuple[int, int]:
    """How many lines two texts share at their beginning, and how many at their end."""
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    return first, last


def carried(lines: tuple[int, int], old: str, new: str) -> tuple[int, int] | None:
    """Where some lines of a text are in a later text, if what changed lies above, below or wholly inside of them.

    >>> carried((2, 3), "a\\nb\\nc\\nd\\n", "new\\na\\nb\\nc\\nd\\n"), carried((2, 3), "a\\nb\\nc\\nd\\n", "a\\nb\\nd\\n")
    ((3, 4), (2, 2))
    >>> carried((2, 3), "a\\nb\\nc\\nd\\n", "a\\nb\\nnew\\n") is None
    True
    """
    before, after = old.split("\n"), new.split("\n")
    first, last = _middle(before, after)
    start, end = lines[0] - 1, lines[1]  # half open, as the changed lines are
    more = len(after) - len(before)
    if len(before) - last <= start:
        return lines[0] + more, lines[1] + more
    if end <= first:
        return lines
    if start <= first and len(before) - last <= end:
        return lines[0], lines[1] + more
    return None


def _changes(old: str, new: str) -> list[tuple[int, int, int, int]]:
    """The runs of lines that differ, half open and from 0: of the old text, of the new one. One run if there is much to compare."""
    before, after = old.split("\n"), new.split("\n")
    first, last = _middle(before, after)
    ours, theirs = before[first : len(before) - last], after[first : len(after) - last]
    if len(ours) * len(theirs) > _MOST_COMPARED:
        return [(first, first + len(ours), first, first + len(theirs))]
    codes = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return [(first + a, first + b, first + c, first + d) for tag, a, b, c, d in codes if tag != "equal"]


def nearest(line: int, old: str, new: str) -> tuple[int, int]:
    """The lines of a later text that stand where a line stood.

    >>> nearest(3, "a\\nb\\nc\\nd\\n", "new\\na\\nb\\nC\\nd\\n")
    (4, 4)
    """
    moved = 0
    for start, end, now, until in _changes(old, new):
        if start <= line - 1 < end:
            return now + 1, max(until, now + 1)
        if end <= line - 1:
            moved = until - end
    return line + moved, line + moved


def overlap(ours: Sequence[tuple[int, int]], old: str, new: str) -> tuple[int, int] | None:
    """The first place of a later text that differs where lines of the old one are edited, too.

    Args:
        ours: first and last lines that are edited.
        old, new: the texts.

    >>> overlap([(2, 2)], "a\\nb\\nc\\n", "a\\nB\\nc\\n"), overlap([(3, 3)], "a\\nb\\nc\\n", "a\\nB\\nc\\n")
    ((2, 2), None)
    """
    for start, end, now, until in _changes(old, new):
        if any(first - 1 < end and start < last for first, last in ours):  # an insertion is inside of lines or between them
            return now + 1, max(until, now + 1)
    return None


def line_at(data: bytes, offset: int) -> int:
    """The line of an offset of a file, from 1.

    >>> line_at(b"a\\r\\nb", 3)
    2
    """
    return data.count(b"\n" if b"\n" in data else b"\r", 0, offset) + 1


def excerpt(data: bytes, first: int, last: int) -> str:
    """Some lines of a file and those around them, with their numbers."""
    lines = read_source(data).split("\n")
    last = min(last, first + _MOST_SHOWN)
    start = max(first - _AROUND, 1)
    return "\n".join(f"{at}:{line}" for at, line in enumerate(lines[start - 1 : last + _AROUND], start))


def line_in(old: str, place: str) -> int | None:
    """The line of a text in which the first line of a quotation stands, if there is one such line."""
    wanted = "".join(next((line for line in place.split("\n") if line.strip()), "").split())
    found = [at for at, line in enumerate(old.split("\n"), 1) if "".join(line.split()) == wanted]
    return found[0] if len(found) == 1 else None


def with_excerpt(error: SimPyError, data: bytes, first: int, last: int | None = None) -> SimPyError:
    """An error that shows a place of the file as it is now."""
    shown = excerpt(data, first, last or first)
    error.hint = f"{error.hint}\n{shown}" if error.hint else f"the place is now:\n{shown}"
    return error
