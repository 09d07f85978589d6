"""A fragment of a file as a program: what has to stand around some lines so that they can be read.

An agent is shown a method, or lines 100 to 180. They become a program by blocks that are open above them, and by leaving out the
lines at either end in which a statement is cut in two.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from transpiler.proof import parse_tree
from transpiler.source import split_lines

_MOST_LEFT_OUT = 24  # lines at either end
_CLAUSES = (
    (re.compile(r"(?:except|finally)\b"), "try:"),
    (re.compile(r"case\b.*:"), "match _:"),
)
_TAB = 8
_MARK = "\ufeff"  # the mark with which a file may begin


class Enclosure(NamedTuple):
    """Lines of a file as a program: ``above + prefix + lines + suffix + below`` has the file's text but for prefix and suffix.

    Attributes:
        above, below: what is left out, since a statement is cut in two there.
        prefix, suffix: the blocks that are opened, and the statement that the last one needs.
        lines: the rest.
    """

    above: str
    prefix: str
    lines: str
    suffix: str
    below: str

    @property
    def is_whole(self) -> bool:
        """Whether the text is a program as it stands, its mark aside."""
        return self.above in ("", _MARK) and not (self.prefix or self.suffix or self.below)

    @property
    def program(self) -> str:
        """The text that is read."""
        return self.prefix + self.lines + self.suffix

    def without_enclosure(self, program: str) -> str | None:
        """The whole text, after an edit of the program; ``None`` if the edit has changed the enclosure."""
        if not program.startswith(self.prefix) or not program.endswith(self.suffix) or len(program) < len(self.prefix) + len(self.suffix):
            return None
        return self.above + program[len(self.prefix) : len(program) - len(self.suffix)] + self.below


def enclosure_of(text: str) -> Enclosure | None:
    """The enclosure in which a text can be read; ``None`` if there is none.

    >>> enclosure_of("x = 1\\n").prefix
    ''
    >>> enclosure_of("        return 1\\n\\n    def g(self):\\n").program
    'if 1:\\n    if 1:\\n        return 1\\n\\n    def g(self):\\n         pass\\n'
    """
    if text.startswith(_MARK):
        enclosure = enclosure_of(text[1:])
        return None if enclosure is None else enclosure._replace(above=_MARK + enclosure.above)
    if _is_program(text):
        return Enclosure("", "", text, "", "")
    lines = split_lines(text)
    for left_out in range(min(_MOST_LEFT_OUT, len(lines) // 2) + 1):
        for first in range(left_out + 1):
            enclosure = _enclosure(lines, first, len(lines) - (left_out - first))
            if enclosure is not None:
                return enclosure
    return None


def _enclosure(lines: list[str], first: int, last: int) -> Enclosure | None:
    """The enclosure of some of the lines, if they can be read in it."""
    kept = lines[first:last]
    if not "".join(kept).strip():
        return None
    for suffix in dict.fromkeys(("", _body(kept))):
        enclosure = Enclosure("".join(lines[:first]), _opened(kept), "".join(kept), suffix, "".join(lines[last:]))
        if _is_program(enclosure.program):
            return enclosure
    return None


def _is_program(text: str) -> bool:
    try:
        return parse_tree(text) is not None
    except (SyntaxError, RecursionError):
        return False


def _opened(lines: list[str]) -> str:
    """Headers of the blocks that lines stand in: one for each column to which they go back."""
    columns: list[tuple[int, str, str]] = []  # column, blanks, text
    least: int | None = None
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        blanks = line[: len(line) - len(line.lstrip(" \t"))]
        column = len(blanks.expandtabs(_TAB))
        if least is None or column < least:
            columns.append((column, blanks, line.strip()))
            least = column
        if column == 0:
            break
    headers = []
    at_margin = bool(columns) and columns[-1][0] == 0
    if not at_margin:
        headers.append("if 1:\n")
    for _, blanks, text in reversed(columns[1:]):
        header = next((header for pattern, header in _CLAUSES if pattern.match(text)), "if 1:")
        headers.append(f"{blanks}{header}\n")
    return "".join(headers) if columns else ""


def _body(lines: list[str]) -> str:
    """A statement for the block that the last line opens."""
    last = next((line for line in reversed(lines) if line.strip() and not line.lstrip().startswith("#")), "")
    if not last.rstrip().endswith(":"):
        return ""
    blanks = last[: len(last) - len(last.lstrip(" \t"))]
    return ("" if lines[-1].endswith("\n") else "\n") + blanks + ("\t" if blanks.endswith("\t") else "     ") + "pass\n"
