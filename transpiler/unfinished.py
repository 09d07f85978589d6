"""Unfinished Python: what its beginning encodes to, and what would make it a program.

Both ask a reader that has not come to the end of the text: what it has settled no later text can change, and its stack says
what is open.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.tables import END
from simpy_grammar.terminals import PREFIX, ids
from transpiler.streams import Encoder

_NAME = "simpy_cut"  # stands for an operand that the text lacks
_PREFIXES = ids(PREFIX)
_OPEN_STRING = re.compile(r"""(?:[bB][rR]?|[rR][bB]?|[uU])?('''|\"""|'|")""")


class Beginning(NamedTuple):
    """What a text begins with.

    Attributes:
        simpy: the beginning of the SimPy of every program that begins with the text.
        rest: the end of the text that is not in it: what a later character could change, or what is not Python.
        error: where and why the text is not the beginning of a program; ``None`` if it is one.
    """

    simpy: str
    rest: str
    error: SimPyError | None


def encode_beginning(text: str, dialect: str | Path | Dialect = "classic") -> Beginning:
    """Encode the beginning of a program.

    >>> encode_beginning("def f(a):\\n    return (a +")[:2]
    ('<def_stmt>f a<block_start><return>(a', ' +')
    """
    encoder = Encoder(dialect=dialect, located=True)
    if encoder.target.is_python:
        return Beginning(text, "", None)
    try:
        simpy = encoder.feed(text)
    except SimPyError as error:
        return Beginning(encoder.settled(), text[encoder.settled_at :], error)
    return Beginning(simpy, text[encoder.settled_at :], None)


# What closes a program soonest, in the order in which it is tried: key of the reader -> what Python writes for it.
_CLOSERS: dict[str, str] = {
    **{sign: sign for sign in (")", "]", "}", "'", '"', "'''", '"""')},
    "with)": ")",
    "DEDENT": "",
    "NAME": f" {_NAME}",
    "()": "()",
    "INDENT": ":",
    ":": ":",
    "import": f" import {_NAME}",
    "^finally": "finally",
    "^def": "def",
    "^case": "case",
    "^import": " import",
    "=": "=",
    "else": " else",
    ",": ",",  # only where the bracket can close after it: of a tuple with one starred value
    "in": " in",  # as an operator it closes nothing, so it comes last
}


def completion(text: str) -> str:
    """What makes the beginning of a program one that can be read; empty if nothing does.

    >>> completion("def f(a)"), completion("x = [f(1"), completion("try:\\n    a")
    (': simpy_cut', ')]', '\\nfinally: simpy_cut')
    """
    reader = PythonReader(Dialect.load(PYTHON))
    try:
        ended = _end_token(reader, text)
        return ended + _close(reader)
    except (StuckError, LexError):
        return ""


def _end_token(reader: PythonReader, text: str) -> str:
    """Read a text and what its last token lacks, which is returned."""
    lexer = reader.lexer
    reader.feed(text)
    rest = lexer.rest
    string = _OPEN_STRING.match(rest)
    lacks = ""
    if rest.startswith("#"):
        lacks = "\n"
    elif string is not None and not lexer.is_string(rest):
        lacks = f" {string[1]}"  # the blank keeps the quotes apart from a quote or a backslash
    elif lexer.in_string:
        lacks = " "
    elif rest.endswith("\\"):
        lacks = "\n"
    elif rest.startswith("!"):
        lacks = "r" if rest == "!" else ""
    reader.feed(lacks, cut=True)
    return lacks


def _block_start(rest: str, indent: str) -> str:
    """What opens a block after its colon: a deeper line, unless the text ends in one."""
    line = rest.rpartition("\n")[2]
    return "" if not line.strip() and len(line) > len(indent) and line.startswith(indent) else f"\n{indent} "


def _close(reader: PythonReader) -> str:
    """Close what is open, by the token that the reader takes and that closes soonest, until the text may end."""
    out: list[str] = []
    indents = reader.lexer.indents
    in_block = reader.lexer.awaits_block  # a colon is written already
    awaited = " " if _PREFIXES.intersection(reader.stream.terminals[-1:]) else ""
    while not reader.accepts(END):
        key = next((key for key in _CLOSERS if (reader.accepts(",", ")") if key == "," else reader.accepts(key))), None)
        if key is None or (key == "in" and out[-2:-1] == [_CLOSERS["in"]]):  # another operator closes nothing either
            raise StuckError(0)
        text = _CLOSERS[key]
        if key == "DEDENT":
            indents.pop()
        elif key == "INDENT":
            text = _block_start(reader.lexer.rest, indents[-1]) if in_block else text
            indents.append(f"{indents[-1]} ")
            in_block = False
        elif key in ("^finally", "^def", "^case"):
            text = awaited + text if awaited else f"\n{indents[-1]}{text}"
            awaited = ""
        if key == "import":
            reader.push(("import", "NAME"), ("", ""))
        else:
            reader.push((key,), ("",))
        out.append(text)
    return "".join(out)
