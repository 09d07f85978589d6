"""The lines of a notebook's cell that are IPython's and not Python's: magics, shell commands, help (``print?``).

Only lines that begin a statement in the first column are looked at, so a text that is Python is one part.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simpy_grammar.python_tokens import LexError
from transpiler.logical_lines import LineReader
from transpiler.source import split_lines

_MAGIC = re.compile(
    r"[%!?]"  # %matplotlib inline, !ls, ?print
    r"|[\w.*\[\]'\"%]+\?\??[ \t\r]*$"  # print?, print??
    r"|[\w.,*\[\]'\" \t]+=[ \t]*(?:!|%(?=[A-Za-z]))"  # files = !ls
)
_ANY_MAGIC = re.compile(_MAGIC.pattern, re.MULTILINE)
_CELL_MAGIC = re.compile(r"%%(\w+)")
_PYTHON_BODY = frozenset(("capture", "prun", "time", "timeit"))
"""Magics of whole cells that run the cell as Python; all others may give it another meaning."""


class CellPart(NamedTuple):
    """Some lines of a cell.

    Attributes:
        text: the lines, with their line breaks.
        is_python: they are meant as Python, which may still be malformed; otherwise they are IPython's and stay as they are.
    """

    text: str
    is_python: bool


def is_magic(line: str) -> bool:
    """Whether a line without its indent looks like IPython's. It need not be: in a string, ``%d`` begins a line of Python.

    >>> is_magic("%time f()"), is_magic("files = !ls"), is_magic("print?"), is_magic("x = 1 % 2")
    (True, True, True, False)
    """
    return _MAGIC.match(line) is not None


def split_magics(cell: str) -> list[CellPart]:
    """Cut the text of a cell into parts; the texts of the parts join to the cell.

    A run of Python between two magics is a program of its own. A magic inside a block stays in its run, which then is not Python.

    >>> split_magics("%matplotlib inline\\nx = '''\\n%d\\n'''\\nfiles = !ls\\n")[1:]
    [CellPart(text="x = '''\\n%d\\n'''\\n", is_python=True), CellPart(text='files = !ls\\n', is_python=False)]
    >>> split_magics("%%bash\\nls\\n")
    [CellPart(text='%%bash\\nls\\n', is_python=False)]
    """
    if _ANY_MAGIC.search(cell) is None:
        return [CellPart(cell, True)]
    whole = _CELL_MAGIC.match(cell.lstrip())
    if whole is not None and whole[1] not in _PYTHON_BODY:
        return [CellPart(cell, False)]
    parts: list[CellPart] = []
    lines = split_lines(cell)
    run = _Run()
    at = 0
    while at < len(lines):
        end = at + 1
        if not (is_magic(lines[at]) and run.begins_statement):
            run.add(lines[at])
        else:
            while end < len(lines) and lines[end - 1].rstrip("\r\n").endswith("\\"):
                end += 1
            parts += [*run.parts(), CellPart("".join(lines[at:end]), False)]
            run = _Run()
        at = end
    return [*parts, *run.parts()]


class _Run:
    """Lines of Python up to the next magic."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._reader: LineReader | None = LineReader()  # of a logical line that is not whole
        self._readable = True

    def add(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)
        if not self._readable:
            return
        self._reader = self._reader or LineReader()
        try:
            if self._reader.feed(f"{line.rstrip(chr(10)).removesuffix(chr(13))}\n"):
                self._reader = None
        except LexError:
            self._readable = False

    @property
    def begins_statement(self) -> bool:
        """Whether the next line begins a statement: it is in no string and no bracket, and continues no line."""
        return self._readable and (self._reader is None or not self.lines)

    def parts(self) -> list[CellPart]:
        """The run as a part, unless it is empty."""
        return [CellPart("".join(self.lines), True)] if self.lines else []
