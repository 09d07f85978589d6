"""Decoding in the person's own layout: where a prompt ends in the laid out program, and how its text indents.

What is made of it, an answer that joins on to the prompt, is the business of ``dualcode.continuation`` and ``dualcode.infill``.
"""

from __future__ import annotations

import re

from simpy_grammar.dialect import Dialect
from simpy_grammar.parser import Parser
from simpy_grammar.tables import load_tables
from transpiler import Decoder
from transpiler.layout import ACTIONS, INDENT, Layout

REDUNDANT = frozenset(",;\\()")
"""What Python text may hold more often than the laid out program."""
_INDENTED = re.compile(r":[ \t]*(?:#[^\n]*)?\n(?:[ \t]*\n)*([ \t]*)\S")


class EndedError(Exception):
    """The block in which the prompt ends has been closed."""


class _Break(str):
    """A line break with its indent, which strings of the program are not."""

    __slots__ = ()


class _Layout(Layout):
    """A layout in the indentation of some text."""

    def __init__(self, out: list[str], text: str) -> None:
        super().__init__(out)
        first = next((line for line in text.split("\n") if line.strip()), "")
        self.base = first[: len(first) - len(first.lstrip(" \t"))]
        self.unit = indent_unit(text)
        self.floor = 0  # the depth below which the text asked for has ended

    def _break(self, blank_lines: int = 0) -> None:
        super()._break(blank_lines)
        self.out[self.break_at] = _Break(self.out[self.break_at])

    def _start_definition(self) -> None:
        at = self.comments_at if self.comments_end == len(self.out) - 1 else -1
        super()._start_definition()
        if at >= 0:
            self.out[at] = _Break(self.out[at])

    def block_end(self, text: str) -> None:
        """A block closes, unless it is one that the text asked for began in."""
        if self.depth <= self.floor:
            raise EndedError
        super().block_end(text)

    def take(self) -> str:
        if self.base or self.unit != INDENT:
            for at, piece in enumerate(self.out):
                if isinstance(piece, _Break) and piece:
                    lines = piece.rstrip(" ")
                    self.out[at] = lines + self.base + self.unit * ((len(piece) - len(lines)) // len(INDENT))
        return super().take()


class OwnLayout(Decoder):
    """A decoder that lays out as some text does, and gives what it still held when it failed."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        super().__init__(dialect=dialect)
        self._out = []
        self.layout = _Layout(self._out, text)
        self._layout = self.layout
        self._parser = Parser(load_tables(dialect), ACTIONS, self._out, self.layout)

    @property
    def read(self) -> int:
        """Offset of the first character that has not been understood."""
        return self._parser.position

    def held(self) -> str:
        """The Python that was understood and not yet settled."""
        text = self._layout.take() + "".join(self._out)
        self._out.clear()
        return text

    def all(self, simpy: str) -> str:
        """Everything that the beginning of a program tells, what is not settled too."""
        text = self.feed(simpy)
        return text + self.held() + self._parser.buffer


class Join:
    """Finds where the text of a prompt ends in the laid out program, and joins what follows.

    Attributes:
        strayed: the program goes on otherwise than the prompt.
        last_indent: what the last line of the prompt is indented by.

    >>> Join("if a:\\n  b = ").take("if a:\\n    b = c")
    'c'
    """

    def __init__(self, prompt: str) -> None:
        self._tail = prompt[len(prompt.rstrip()) :]
        self._wanted = "".join(prompt.removeprefix("\ufeff").split())
        self._at = 0
        self._space: str | None = None  # what stands between prompt and answer, until the answer begins
        self._begun = False
        self.strayed = False
        self.last_indent = self._tail.rpartition("\n")[2] if "\n" in self._tail else last_indent_of(prompt)

    def reads(self, python: str) -> bool:
        """Whether the prompt is what this program says."""
        rest = self._skip(python)
        # What opens a block may be left to the model, which says it with the first statement.
        return not self.strayed and not rest.strip() and not self._wanted[self._at :].removesuffix(":").strip("".join(REDUNDANT))

    def take(self, python: str) -> str:
        """What of the program comes after the prompt."""
        if self._begun:
            return python
        if self._space is None:
            rest = self._skip(python)
            if self.strayed:
                self._begun = True
                return rest
            if self._at < len(self._wanted):
                return ""
            self._space, python = "", rest
        body = python.lstrip(" \n\t")
        self._space += python[: len(python) - len(body)]
        if not body:
            return ""
        self._begun = True
        return self._joint(self._space) + body

    def _skip(self, python: str) -> str:
        """Match the program with the prompt, blanks aside; return what is left of the program."""
        wanted, at = self._wanted, self._at
        for i, char in enumerate(python):
            if at == len(wanted):
                self._at = at
                return python[i:]
            if char.isspace():
                continue
            while at < len(wanted) and wanted[at] != char and wanted[at] in REDUNDANT:
                at += 1
            if at == len(wanted):
                self._at = at
                return ("\n" if wanted[-1] == ";" else "") + python[i:]
            if wanted[at] != char:
                self._at, self.strayed = at, True
                return python[i:]
            at += 1
        self._at = at
        return ""

    def _joint(self, space: str) -> str:
        """The blanks between prompt and answer that the prompt does not end with already."""
        tail = self._tail
        if not self._wanted:
            return ""
        if "\n" not in space:
            return space.removeprefix(tail) if space.startswith(tail) else ""
        if "\n" not in tail:
            return space
        have, indent = tail.rpartition("\n")[2], space.rpartition("\n")[2]
        if not indent.startswith(have):
            return "\n" + indent
        missing = 0 if have else max(space.count("\n") - tail.count("\n"), 0)
        return "\n" * missing + indent[len(have) :]


def indent_unit(text: str) -> str:
    """How a text indents by one level."""
    for match in _INDENTED.finditer(text):
        header = text.rfind("\n", 0, match.start()) + 1
        outer = text[header : len(text) - len(text[header:].lstrip(" \t"))]
        if len(match[1]) > len(outer) and match[1].startswith(outer):
            return match[1][len(outer) :]
    return INDENT


def last_indent_of(text: str) -> str:
    """What the last line of a text is indented by."""
    line = text.rpartition("\n")[2]
    return line[: len(line) - len(line.lstrip(" \t"))]
