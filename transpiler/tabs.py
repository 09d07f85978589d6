"""Indents in which blanks stand before a tab: a tab goes on to the next multiple of eight columns, but tree-sitter-python
counts eight for each. The parser is shown an indent of as many bytes that it counts as CPython does."""

from __future__ import annotations

import re

_MIXED = re.compile(rb"^[ \t\f]* \t", re.MULTILINE)


def levelled(data: bytes) -> bytes:
    """The bytes to parse.

    >>> levelled(b"if a:\\n    \\tb\\n")
    b'if a:\\n\\x0c\\x0c\\x0c\\x0c\\tb\\n'
    """
    return _MIXED.sub(_level, data) if b" \t" in data else data


def _level(match: re.Match[bytes]) -> bytes:
    stops = column = 0
    for char in match[0]:
        if char == ord("\t"):
            column = (column // 8 + 1) * 8
            stops = column // 8
        else:
            column = 0 if char == ord("\f") else column + 1
    # A form feed begins the count anew, so what stands before the tabs counts for nothing.
    return b"\f" * (len(match[0]) - stops) + b"\t" * stops
