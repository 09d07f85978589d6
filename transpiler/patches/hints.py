"""What the line beside ``@@`` of a hunk says about its place: a definition that it stands in, or the last one above it.

Such a line never makes a place that the piece does not have; it chooses among several, and only if one of them fits it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+def|def|class)\b")


def hinted_line(source: str, within: str, lines: Sequence[int]) -> int | None:
    """The one of some lines that a hint fits; ``None`` if it fits none of them, or several.

    Args:
        source: the file.
        within: lines that stand above the change, joined by line breaks.
        lines: where the piece stands, from 1.

    >>> hinted_line("def f():\\n    x\\ndef g():\\n    x\\n", "def g():", [2, 4])
    4
    """
    hints = [line.strip().rstrip(":") for line in within.split("\n") if line.strip()]
    above = source.split("\n")
    fitting = []
    for line in lines:
        before = above[: line - 1]
        if hints and (_encloses(hints, before, above[line - 1]) or _is_last(hints, before)):
            fitting.append(line)
    return fitting[0] if len(fitting) == 1 else None


def _encloses(hints: Sequence[str], above: Sequence[str], line: str) -> bool:
    """Whether the hints are, in order, among the lines that a line stands in."""
    indent = _indent(line)
    wanted = list(hints)
    for outer in reversed(above):
        if wanted and outer.strip() and _indent(outer) < indent:
            indent = _indent(outer)
            if outer.strip().startswith(wanted[-1]):
                wanted.pop()
    return not wanted


def _is_last(hints: Sequence[str], above: Sequence[str]) -> bool:
    """Whether the last hint is the last definition above a line, which is what git shows."""
    last = next((line for line in reversed(above) if _DEFINITION.match(line)), "")
    return len(hints) == 1 and last.strip().startswith(hints[0])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
