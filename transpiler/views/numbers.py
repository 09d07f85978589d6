"""Line numbers of the original beside a program, outside of it: ``41:`` before a line, as ``grep -n`` prints them.

At definitions only, a number costs two tokens for each of them and little in all; before every line it is the gutter that
agents know. In a dialect of SimPy, which has few lines, a numbered definition starts a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from simpy_grammar.dialect import COMPACT, Dialect
from simpy_grammar.errors import RoundTripError, SimPyError
from simpy_grammar.spaced import is_spaced
from simpy_grammar.terminals import ID, SPACE, TERMINALS
from transpiler.conversion import located_stream
from transpiler.views.blocks import Piece
from transpiler.views.selection import Lines

DEFINITIONS, ALL = "definitions", "all"
NUMBERS = (DEFINITIONS, ALL)
"""Where numbers may stand."""

_MARK = "\0"  # is in no source
_DEFINES = frozenset((ID["DEF"], ID["CLASS"]))
_NOT_COMPARED = frozenset((ID["("], ID[")"], ID["WITH_PARENTHESES"])) | {t.id for t in TERMINALS if t.role == SPACE}


def check_numbers(numbers: str | None, dialect: Dialect) -> None:
    """Refuse numbers that there are not, or that a dialect has no lines for.

    Raises:
        SimPyError: they are refused.
    """
    if numbers not in (None, *NUMBERS):
        raise SimPyError(f"no numbers {numbers!r}", hint=f"use one of {', '.join(NUMBERS)}, or None")
    if numbers == ALL and not dialect.is_python:
        raise SimPyError(f"{dialect.name} has no lines to number", hint=f"number {DEFINITIONS}, or use compact or python")


def marked(pieces: Sequence[Piece], dialect: Dialect) -> tuple[list[Piece], list[Piece]]:
    """The lexemes of a program with a mark in the name of each definition, and these names.

    A mark takes the place of a character where the layout breaks lines, so that they break as without it.
    """
    out = list(pieces)
    names = []
    replaces = dialect.is_python and dialect.layout != COMPACT
    for at in range(1, len(out)):
        if out[at - 1].terminal in _DEFINES:
            names.append(out[at])
            text = out[at].text[:-1] if replaces else out[at].text
            out[at] = out[at]._replace(text=text + _MARK)
    return out, names


def number_definitions(text: str, names: Sequence[Piece], starts: Sequence[Piece], lines: Lines, dialect: Dialect) -> tuple[str, str]:
    """A text with marks, with numbers instead, and the text without either.

    Args:
        text: the text of what ``marked`` has returned.
        names: the names that it has returned.
        starts: the lexemes that the definitions start with.
        lines: of the source.
        dialect: of the text.
    """
    out: list[str] = []
    program: list[str] = []
    for part, name, start in zip(text.split(_MARK), names, starts, strict=False):
        replaces = dialect.is_python and dialect.layout != COMPACT
        whole = part + (name.text[-1] if replaces else "")
        number = f"{lines.of(start.start)}:"
        if dialect.is_python:
            at = whole.rfind("\n") + 1
        else:
            at = len(whole) - len(name.text) - sum(len(spelled) for spelled in _spelled(start, dialect))
            number = f"\n{number}" if at or out else number
        out.append(f"{whole[:at]}{number}{whole[at:]}")
        program.append(whole)
    rest = text.rpartition(_MARK)[2]
    return "".join([*out, rest]), "".join([*program, rest])


def _spelled(start: Piece, dialect: Dialect) -> Iterable[str]:
    """The texts before the name of a definition that starts with a lexeme."""
    names = ("ASYNC", "DEF") if start.terminal == ID["ASYNC"] else (TERMINALS[start.terminal].name,)
    texts = (dialect.spellings[name] for name in names)
    return (own[1] if is_spaced(own) else own[0] for own in texts)


def number_all(program: str, pieces: Iterable[Piece], lines: Lines, dialect: Dialect) -> str:
    """A program with the number of the original line before each of its lines; a line that a view has put in has none."""
    written = located_stream(program, dialect)
    ours = [piece for piece in pieces if piece.terminal not in _NOT_COMPARED]
    theirs = [
        (start, text)
        for terminal, text, start in zip(written.terminals, written.texts, written.starts, strict=True)
        if terminal not in _NOT_COMPARED
    ]
    if len(ours) != len(theirs):
        raise RoundTripError("the view does not read as it was written", hint="this is a bug: please report it with the file")
    found: dict[int, int] = {}  # line of the program -> line of the source
    own = Lines(program)
    for piece, (start, text) in zip(ours, theirs, strict=True):
        if piece.start >= 0 and text:
            first, line = own.of(start), lines.of(piece.start)
            for more in range(text.rstrip("\n").count("\n") + 1):
                found.setdefault(first + more, line + more)
    return "\n".join(
        f"{found[at]}:{line}" if at in found else f":{line}" if line else line for at, line in enumerate(program.split("\n"), 1)
    )


@lru_cache(maxsize=16)
def _pattern(numbers: str, dialect: Dialect) -> re.Pattern[str]:
    if numbers == ALL:
        return re.compile(r"^\d*:", re.MULTILINE)
    if dialect.is_python:
        return re.compile(r"^\d+:(?=[ \t]*(?:async|def|class)\b)", re.MULTILINE)
    starts = "|".join(re.escape(dialect.spellings[name][0]) for name in ("ASYNC", "DEF", "CLASS"))
    return re.compile(rf"(?:\A|\n)\d+:(?={starts})")


def strip_numbers(text: str, *, numbers: str = DEFINITIONS, dialect: str | Dialect = COMPACT) -> str:
    """What a model copies out of a view, without the numbers.

    A number is taken away only where ``view`` writes one: before a definition at the start of a line, or before every line
    if ``numbers`` says that all were numbered. So ``1: "a",`` in a dictionary stays.

    Args:
        text: any part of the text of a view.
        numbers: where the view has numbers.
        dialect: of the view.

    >>> strip_numbers("41:def f(a):\\n return{\\n1:a}")
    'def f(a):\\n return{\\n1:a}'
    """
    chosen = Dialect.load(dialect)
    check_numbers(numbers, chosen)
    return _pattern(numbers, chosen).sub("", text)
