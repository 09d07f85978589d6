"""Long rows of comment lines and of joined lines, which tree-sitter-python reads again from each of their lines to their end.

The parser is shown blanks in the place of all but the first line, so that its time stays linear; what the other lines
hold is told as offset of the first comment -> the spans of those that follow it. Reading that is the business of
``transpiler.walker``.
"""

from __future__ import annotations

import re

Hidden = dict[int, list[tuple[int, int]]]

LONG = 64  # lines; a shorter row costs nothing worth mentioning
_COMMENTS = re.compile(rb"\n(?:[ \t\f]*(?:#[^\n]*)?\n){%d}" % LONG)  # it begins with a character, which re finds quickest
_LINE = re.compile(rb"[ \t\f]*(?:(#)[^\n]*)?\n")
_JOINED = re.compile(rb"\\\n(?:[ \t\f]*\\\n){%d}" % LONG)
_JOINED_LINE = re.compile(rb"[ \t\f]*\\\n")
_STRING = re.compile(
    rb'"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*(?:"""|\Z)'
    rb"|'''[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*(?:'''|\Z)"
    rb'|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"?'
    rb"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'?"
    rb"|#[^\n]*"
)


def quieted(data: bytes) -> tuple[bytes, Hidden]:
    """The bytes to parse, and the comments that they do not show.

    A row that lies in a string may be among them. Then no comment stands where it begins: whoever finds that some key of
    the second value is no comment must parse ``data`` itself.
    """
    # Counting is quicker than looking for rows, of which most texts have none.
    first = _COMMENTS.search(data) if data.count(b"#") >= LONG else None
    joined = _JOINED.search(data) if data.count(b"\\\n") > LONG else None
    hidden: Hidden = {}
    if first is None and joined is None:
        return data, hidden
    shown = bytearray(data)
    ends = _ends_of_strings(data)
    while first is not None:
        at = _hide_comments(data, shown, first.start() + 1, hidden, ends)
        first = _COMMENTS.search(data, at)
    while joined is not None:
        at = data.index(b"\n", joined.start()) + 1  # the first stays
        while (line := _JOINED_LINE.match(data, at)) is not None:
            shown[line.end() - 2 : line.end()] = b"  "
            at = line.end()
        joined = _JOINED.search(data, at)
    return bytes(shown), hidden


def _hide_comments(data: bytes, shown: bytearray, at: int, hidden: Hidden, ends: list[tuple[int, int]]) -> int:
    """Hide the comments of the row that begins at ``at``; return its end.

    A comment that stands further left than the code before the row, and than the comments before it, may end a block: it
    is not hidden.
    """
    before = data[data.rfind(b"\n", 0, max(at - 1, 0)) + 1 : at]
    lowest = len(before) - len(before.lstrip())
    rest: list[tuple[int, int]] | None = None
    while (line := _LINE.match(data, at)) is not None and line.end() > at:
        start, end = line.start(1), line.end() - 1
        if start >= 0:
            while ends and ends[-1][1] <= start:
                ends.pop()
            if ends and ends[-1][0] < start:
                return min(ends[-1][1], len(data))  # in a string
            column = start - line.start()
            if rest is None or column < lowest:
                rest = hidden[start] = []
                lowest = min(lowest, column)
            else:
                rest.append((start, end))
                shown[start:end] = b" " * (end - start)
        at = line.end()
    return at


def _ends_of_strings(data: bytes) -> list[tuple[int, int]]:
    """The strings of more than one line, the first last."""
    found = [match.span() for match in _STRING.finditer(data) if data[match.start()] != ord("#") and b"\n" in match[0]]
    return found[::-1]
