"""Changes of files that are not Python: by their exact text, at one place or not at all."""

from __future__ import annotations

import re

from simpy_grammar.candidates import Candidate, listed
from simpy_grammar.errors import EditError, PlaceError
from transpiler.patches.change import Change

_LINE_BREAK = re.compile(rb"\r\n|\r|\n")


def changed_text(data: bytes, change: Change, near: int | None) -> bytes:
    """A file after a change. Line breaks of the change become those of the file; nothing else is taken for the same.

    Args:
        data: the file.
        change: what to put in the place of what.
        near: the line on which the old text begins, if it stands at several places.

    Raises:
        PlaceError: the old text stands nowhere, or at several places.
        EditError: the code leaves something out, and only in Python can be told what.

    >>> changed_text(b"a\\r\\nb\\r\\n", Change("a.txt", "update", "b\\n", "c\\nd\\n"), None)
    b'a\\r\\nc\\r\\nd\\r\\n'
    """
    if change.elided is not None:
        raise EditError("a part was left out, and this file is not Python, so it cannot be told what")
    new = in_line_breaks_of(data, change.new)
    if change.rewritten:
        return new
    old = in_line_breaks_of(data, change.old)
    places = _places(data, old)
    if not places and old.endswith(b"\n") and data.endswith(old.rstrip(b"\r\n")):
        old = old.rstrip(b"\r\n")  # the last line of the file has no line break
        new = new.removesuffix(b"\n").removesuffix(b"\r")
        places = [len(data) - len(old)]
    if not places:
        raise PlaceError("the text does not stand in the file", hint="in files that are not Python every character counts")
    if len(places) > 1 and not change.everywhere:
        lines = [line_at(data, at) for at in places]
        if near is None or lines.count(near) != 1:
            found = [Candidate.at(line) for line in lines]
            message = f"the text stands at {len(places)} places: {listed(found)}"
            raise PlaceError.among(found, message, hint="quote more of what stands around it")
        places = [places[lines.index(near)]]
    out: list[bytes] = []
    at = 0
    for place in places:
        out += (data[at:place], new)
        at = place + len(old)
    return b"".join((*out, data[at:]))


def in_line_breaks_of(data: bytes, text: str) -> bytes:
    """A text as UTF-8, with the line breaks of a file, or as it is where the file has several kinds or none.

    >>> in_line_breaks_of(b"a\\r\\n", "b\\n")
    b'b\\r\\n'
    """
    kinds = set(_LINE_BREAK.findall(data))
    encoded = text.encode("utf-8", "surrogatepass")
    return _LINE_BREAK.sub(kinds.pop(), encoded) if len(kinds) == 1 else encoded


def line_at(data: bytes, at: int) -> int:
    """The line of an offset, from 1.

    >>> line_at(b"a\\r\\nb", 3)
    2
    """
    return len(_LINE_BREAK.findall(data, 0, at)) + 1


def _places(data: bytes, old: bytes) -> list[int]:
    """Where a text stands; the places do not overlap."""
    found = []
    at = data.find(old) if old else -1
    while at >= 0:
        found.append(at)
        at = data.find(old, at + len(old))
    return found
