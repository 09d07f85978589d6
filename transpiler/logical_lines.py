"""The logical lines of a text that may be only a part of a program: where each one begins, and whether it is whole."""

from __future__ import annotations

import re
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_lexer import PythonLexer
from simpy_grammar.table_cache import load_tables

_PLAIN = re.compile(r"[^\"'()\[\]{}\\#]*(?:#.*)?\n?")  # a line that no string and no bracket can continue
_QUOTED = re.compile(r"[A-Za-z]{0,2}['\"]")


class LogicalLine(NamedTuple):
    """A logical line, a comment or a blank line.

    Attributes:
        text: its text, with its line feed.
        whole: it ends before the next one begins; otherwise the text ends inside a string or a bracket.
    """

    text: str
    whole: bool = True

    @property
    def indent(self) -> str:
        """The blanks that it begins with."""
        return self.text[: len(self.text) - len(self.text.lstrip(" \t\f"))]


class LineReader:
    """Reads one logical line, a line of the file at a time.

    >>> reader = LineReader()
    >>> [reader.feed(line) for line in ("x = f(a,\\n", "\\n", "b)\\n")]
    [False, False, True]
    """

    def __init__(self) -> None:
        self._lexer: PythonLexer | None = None

    def feed(self, line: str) -> bool:
        """Read one more line with its line feed; return whether the logical line ends with it.

        Raises:
            LexError: it is not tokens of Python.
        """
        if self._lexer is None:
            if _PLAIN.fullmatch(line):
                return True
            self._lexer = PythonLexer(load_tables(Dialect.load(PYTHON)))
            line = line.lstrip(" \t\f")  # the block that it is indented for may not be in the text
        stays_open = self._lexer.stays_open(line)
        self._lexer.feed(line)
        if stays_open:
            return False
        rest = self._lexer.rest  # the last token, which a later text might still change
        if self._lexer.brackets or rest.endswith("\\\n") or rest.startswith(("(", "[", "{")):
            return False
        return _QUOTED.match(rest) is None or self._lexer.is_string(rest.rstrip())


def logical_lines(text: str) -> list[LogicalLine]:
    """The logical lines of a text; their texts join to it. It may begin or end inside a block.

    Raises:
        LexError: it is not tokens of Python.

    >>> [line.text for line in logical_lines("    return (a,\\n  b)\\nelse:\\n    c")]
    ['    return (a,\\n  b)\\n', 'else:\\n', '    c']
    """
    found: list[LogicalLine] = []
    reader, begun = LineReader(), 0
    lines = [f"{line}\n" for line in text.split("\n")]
    for at, line in enumerate(lines):
        if reader.feed(line):
            found.append(LogicalLine("".join(lines[begun : at + 1])))
            reader, begun = LineReader(), at + 1
    if begun < len(lines):
        found.append(LogicalLine("".join(lines[begun:]), whole=False))
    last = found.pop()
    return [*found, last._replace(text=last.text[:-1])] if last.text != "\n" else found
