"""Hunks, as unified diffs and ``apply_patch`` write them: a header with ``@@``, and lines that start with a sign."""

from __future__ import annotations

import re
from typing import NamedTuple

from transpiler.patches.change import Change
from transpiler.patches.patch_text import PatchText

_HEADER = re.compile(r"@@(?P<inside>.*?)(?:@@(?P<after>.*))?$")
_RANGES = re.compile(r"[ \t]*-(?P<line>\d+)(?:,(?P<old>\d+))?[ \t]+\+\d+(?:,(?P<new>\d+))?[ \t]*(?P<rest>.*)$")
_NOTHING = re.compile(r"[ \t.…]*$")


class Header(NamedTuple):
    """What the ``@@`` line of a hunk says.

    Attributes:
        line: the first line in the old file, or ``None``.
        counts: how many lines the hunk has of the old and of the new file, or ``None``.
        context: a line of the file that stands above the hunk, or an empty text.
    """

    line: int | None
    counts: tuple[int, int] | None
    context: str


def hunk_header(patch: PatchText, at: int) -> Header:
    """Read a line that starts with ``@@``.

    >>> hunk_header(PatchText("@@ -3 +3,2 @@ def f():"), 0)
    Header(line=3, counts=(1, 2), context='def f():')
    >>> hunk_header(PatchText("@@ ... @@"), 0), hunk_header(PatchText("@@ class C:"), 0)
    (Header(line=None, counts=None, context=''), Header(line=None, counts=None, context='class C:'))
    """
    line = patch.bare(at)
    if line.startswith("@@@"):
        raise patch.error("a hunk of a merge, with several old files, cannot be read: expected '@@'", at)
    header = _HEADER.match(line)
    inside, after = (header["inside"], header["after"] or "") if header else (line[2:], "")
    ranges = _RANGES.match(inside)
    if ranges:
        counts = int(ranges["old"] or 1), int(ranges["new"] or 1)
        return Header(int(ranges["line"]) or None, counts, (ranges["rest"] or after).strip())
    inside = "" if _NOTHING.match(inside) else inside.strip()
    return Header(None, None, "\n".join(part for part in (inside, after.strip()) if part))


class Hunk:
    """A hunk that is being read.

    Attributes:
        start: index of its first line in the patch.
        line: the line number that its header gives.
        within: the context that its header gives.
        old, new: its lines of the old and of the new file.
        empty_before: whether its header says that the old file was empty.
    """

    def __init__(self, start: int, line: int | None, within: str | None) -> None:
        self.start = start
        self.line = line
        self.within = within
        self.empty_before = False
        self.old: list[str] = []
        self.new: list[str] = []
        self._signs: list[str] = []

    def add(self, line: str) -> bool:
        """Take a line with its sign; says whether it is one. A blank line may lack the blank that is its sign."""
        sign = line[0] if line.strip("\r\n") else ""
        if sign == "\\":
            return self._without_line_break(line)
        if sign not in ("", " ", "+", "-"):
            return False
        text = line[len(sign) :]
        if sign != "+":
            self.old.append(text)
        if sign != "-":
            self.new.append(text)
        self._signs.append(sign)
        return True

    def _without_line_break(self, line: str) -> bool:
        """``\\ No newline at end of file``: the line before has no line break."""
        if not self._signs or not line.startswith("\\ "):
            return False
        line_break = "\r\n" if line.endswith("\r\n") else "\n"
        for sign, lines in (("-", self.old), ("+", self.new)):
            if self._signs[-1] in (sign, " ", ""):
                lines[-1] = lines[-1].removesuffix(line_break)
        return True

    def drop_blank_end(self) -> None:
        """Leave out blank lines without a sign at the end: they only separate the hunk from what follows."""
        while self._signs and not self._signs[-1]:
            for lines in (self._signs, self.old, self.new):
                lines.pop()

    @property
    def counts(self) -> tuple[int, int]:
        """How many lines it has of the old and of the new file."""
        return len(self.old), len(self.new)

    @property
    def is_change(self) -> bool:
        """Whether it has more than context."""
        return self.old != self.new

    def change(self, patch: PatchText, path: str | None) -> Change:
        """The update that it asks for."""
        if not any(line.strip() for line in self.old):
            raise patch.error(
                "the hunk only adds lines, and nothing says where they go", self.start, hint="show a line of the file above or below them"
            )
        return Change(path, "update", "".join(self.old), "".join(self.new), self.line, self.within)
