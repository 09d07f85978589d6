"""A prompt of unfinished Python, as the model sees it. How its end is spelled is decided by ``beginnings``."""

from __future__ import annotations

from pathlib import Path

from dualcode.conversion.beginnings import NOT_PYTHON, leaves_header_open, leaves_parenthesis_open, spell_beginning
from dualcode.conversion.outcomes import Note
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from transpiler.source import read_source


class Prompt:
    """A prompt of unfinished Python.

    Attributes:
        python: the text as the person wrote it.
        sent: the text as the model sees it: in the dialect, or the Python itself where that cannot be converted.
        rest: the end of the text that ``sent`` does not say; the answer has to begin with it.
        converted: whether the text was converted.
        notes: why it was not converted.
        opens_block: the text ends with the header of a block, and ``sent`` leaves to the model that the block begins.

    >>> Prompt("def f(a):\\n    return a +", "classic").sent
    '<def_stmt>f a<block_start><return>a+'
    """

    def __init__(self, python: str, dialect: str | Path | Dialect) -> None:
        self.python = python
        self.dialect = Dialect.load(dialect)
        self.sent = python
        self.rest = ""
        self.converted = False
        self.opens_block = False
        self.notes: tuple[Note, ...] = ()
        if self.dialect.is_python:
            return
        if python.strip():
            self._convert()
        else:
            self.sent, self.converted = "", True

    def _convert(self) -> None:
        try:
            text = read_source(self.python)
            simpy, rest, fault = spell_beginning(text, self.dialect)
        except (SimPyError, RecursionError) as error:
            self._refuse(getattr(error, "line", None) or 1, getattr(error, "message", "nests too deep"))
            return
        if fault:
            self._refuse(text[: len(text) - len(rest.lstrip())].count("\n") + 1 if fault == NOT_PYTHON else 1, fault)
            return
        said = text[: len(text) - len(rest)]
        if leaves_parenthesis_open(said, simpy, self.dialect) or rest.lstrip().startswith("("):
            self._refuse(said.count("\n") + 1, "a parenthesis is open that SimPy leaves out")
            return
        self.sent, self.rest, self.converted = simpy, rest, True
        self.opens_block = leaves_header_open(said, simpy, self.dialect)

    def _refuse(self, line: int, reason: str) -> None:
        self.notes = (Note(line, reason),)
