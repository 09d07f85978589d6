"""Conversion of whole texts in Python: what the native core has to give, and what is done where it cannot."""

from __future__ import annotations

from simpy_grammar.aliases import spelled
from simpy_grammar.dialect import COMPACT, Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from simpy_grammar.terminals import ID
from transpiler.nesting import DEEPEST
from transpiler.pep8 import Layout

FAULTS = (StuckError, LexError)
"""What a reader raises for a text that is not in its language."""


def read(text: str, dialect: Dialect) -> Stream:
    """The lexemes of a whole program.

    Raises:
        StuckError, LexError: the text is not a program of the dialect.

    >>> read("<return>a", Dialect.load("classic")).texts
    ['<return>', '', 'a']
    """
    reader = PythonReader(dialect) if dialect.is_python else SimPyReader(dialect)
    reader.read_all(text)
    return reader.stream


def written(stream: Stream, dialect: Dialect, width: int | None, base: str) -> str:
    """The text of a whole program in a dialect, as ``transpiler.conversion.write_stream`` gives it.

    Raises:
        TooDeepError: blocks nest deeper than Python reads, and the dialect is a layout of Python.
    """
    if not dialect.is_python:
        return base + "".join(Speller(dialect).spell_all(stream))
    if dialect.layout == COMPACT:
        from transpiler.compact import compact_layout  # only for that dialect

        return compact_layout(stream, base)
    layout = Layout(width=width, base=base)
    layout.write(stream.terminals, stream.texts)
    return base + layout.finish()


def located(text: str, dialect: Dialect, *, finished: bool = True) -> Stream:
    """The lexemes of a program with the offsets at which they start; of one that is not finished, as far as they are settled.

    Raises:
        StuckError, LexError: the text is not a program of the dialect.
    """
    if dialect.is_python:
        reader = PythonReader(dialect, located=True)
        (reader.read_all if finished else reader.feed)(text)
        stream = reader.stream
        at = len(text)
        for piece in reversed(stream.texts):
            at = getattr(piece, "start", at)
            stream.starts.append(at)
        stream.starts.reverse()
        return stream
    other = SimPyReader(dialect)
    (other.read_all if finished else other.feed)(text)
    at = 0
    for piece in other.stream.texts:
        other.stream.starts.append(at)
        at += len(spelled(piece))
    return other.stream


def too_deep_at(text: str, dialect: Dialect) -> int:
    """Offset of the block that nests too deep."""
    stream = located(text, dialect, finished=False)
    depth = 0
    for terminal, start in zip(stream.terminals, stream.starts, strict=True):
        depth += (terminal == ID["BLOCK_START"]) - (terminal == ID["BLOCK_END"])
        if depth > DEEPEST:
            return start
    return len(text)
