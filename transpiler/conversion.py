"""From any spelling to any other: a reader, a stream of lexemes, a writer. Whole texts; ``transpiler.streams`` takes them in pieces."""

from __future__ import annotations

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import RoundTripError, SimPyError
from simpy_grammar.stream import Stream
from transpiler import native_conversion
from transpiler.native_conversion import converted
from transpiler.nesting import TooDeepError
from transpiler.proof import REPORT, prove, same_lexemes
from transpiler.source import read_source

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from simpy_grammar.lexeme import Lexeme
    from simpy_grammar.python_tokens import LexError
    from simpy_grammar.reader import StuckError

WIDTH = 88
"""Columns after which a line of Python is broken inside brackets."""


def encode(
    source: str | bytes, *, dialect: str | Path | Dialect = "classic", verify: bool | Literal["stream"] = True, path: str | None = None
) -> str:
    """Encode a Python program.

    Args:
        source: the program; bytes are decoded as PEP 263 says.
        dialect: a name, a dialect file or a ``Dialect``.
        verify: prove before returning that the result decodes to the same program: CPython's syntax trees are compared. With
            ``"stream"`` the lexemes of source and result are compared instead, which is several times faster and shows that
            nothing is lost in writing; a fault in reading Python passes it.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python.
        UnsupportedSyntaxError: it is Python that the grammar has no rule for.
        RoundTripError: the proof failed, which is a bug here and not in the source.
        DialectError: there is no such dialect, or it is ambiguous.

    >>> encode("def f(a, b=1):\\n    return a < b")
    '<def_stmt>f a b=1<block_start><return>a<l>b<block_end>'
    """
    chosen, python = Dialect.load(dialect), Dialect.load(PYTHON)
    text = read_source(source, path=path)
    simpy = converted(text, python, chosen, WIDTH)
    if simpy is None:
        return encode_with_stream(text, chosen, verify=verify, path=path)[1]
    _prove(verify, text, simpy, chosen, path)
    return simpy


def encode_with_stream(
    source: str | bytes, dialect: str | Path | Dialect, *, verify: bool | Literal["stream"] = True, path: str | None = None
) -> tuple[Stream, str]:
    """What ``encode`` returns, and the lexemes of the program before it.

    Raises:
        SimPyError: as ``encode`` does.

    >>> stream, simpy = encode_with_stream("return a", "classic")
    >>> stream.texts, simpy
    (['return', '', 'a'], '<return>a')
    """
    chosen, python = Dialect.load(dialect), Dialect.load(PYTHON)
    text = read_source(source, path=path)
    stream = read_stream(text, python, path)
    simpy = write_stream(stream, chosen)
    _prove(verify, text, simpy, chosen, path, stream)
    return stream, simpy


def decode(
    simpy: str,
    *,
    dialect: str | Path | Dialect = "classic",
    verify: bool | Literal["stream"] = True,
    path: str | None = None,
    width: int | None = WIDTH,
) -> str:
    """Decode a SimPy program to Python, laid out as PEP 8 says.

    Args:
        simpy: the program.
        dialect: the dialect that it is written in.
        verify: where the dialect is a layout of Python, prove before returning that the result is the same program, as ``encode`` does.
        path: the file, for messages.
        width: columns after which a line is broken inside brackets; ``None`` for none.

    Raises:
        SimPySyntaxError: the text is not SimPy of this dialect.
        PythonSyntaxError: the text is not Python, where the dialect is a layout of Python.
        DialectError: there is no such dialect, or it is ambiguous.

    >>> decode("<def_stmt>f a b=1<block_start><return>a<l>b<block_end>")
    'def f(a, b=1):\\n    return a < b\\n'
    """
    return convert(simpy, source=dialect, target=PYTHON, verify=verify, path=path, width=width)


def convert(
    text: str | bytes,
    *,
    source: str | Path | Dialect,
    target: str | Path | Dialect,
    verify: bool | Literal["stream"] = True,
    path: str | None = None,
    width: int | None = WIDTH,
) -> str:
    """Convert a program from one dialect to another.

    Args:
        text: the program.
        source: the dialect that it is written in.
        target: the dialect to write it in.
        verify: where both are layouts of Python, prove before returning that the result is the same program, as ``encode`` does.
        path: the file, for messages.
        width: for Python, columns after which a line is broken inside brackets; ``None`` for none.

    Raises:
        SimPySyntaxError, PythonSyntaxError: the text is not a program of the source dialect.
        DialectError: there is no such dialect, or it is ambiguous.

    >>> convert("<if_stmt>a<block_start>x=1<line_sep>y=2<block_end>", source="classic", target="dense")
    '<if_stmt>a{x=1;y=2'
    """
    old, new = Dialect.load(source), Dialect.load(target)
    program = read_source(text, path=path) if old.is_python or isinstance(text, bytes) else text
    written = converted(program, old, new, width)
    if written is None:
        return convert_with_stream(program, old, new, verify=verify, path=path, width=width)[1]
    if old.is_python and new.is_python:
        _prove(verify, program, written, new, path)
    return written


def convert_with_stream(
    text: str | bytes,
    source: str | Path | Dialect,
    target: str | Path | Dialect,
    *,
    verify: bool | Literal["stream"] = True,
    path: str | None = None,
    width: int | None = WIDTH,
) -> tuple[Stream, str]:
    """What ``convert`` returns, and the lexemes of the program before it.

    Raises:
        SimPyError: as ``convert`` does.

    >>> convert_with_stream("<return>a", "classic", "python")[1]
    'return a\\n'
    """
    old, new = Dialect.load(source), Dialect.load(target)
    program = read_source(text, path=path) if old.is_python or isinstance(text, bytes) else text
    stream = read_stream(program, old, path)
    try:
        written = write_stream(stream, new, width)
    except TooDeepError as error:
        raise explained(program, error, old, path) from None
    if old.is_python and new.is_python:
        _prove(verify, program, written, new, path, stream)
    return stream, written


def _prove(
    verify: bool | Literal["stream"], text: str, written: str, target: Dialect, path: str | None, stream: Stream | None = None
) -> None:
    """Show that what was written of a Python program is the same program, as ``verify`` says.

    Raises:
        SimPyError: as ``prove`` does.
    """
    if not verify:
        return
    python = Dialect.load(PYTHON)
    if verify == "stream":
        same = native_conversion.same_stream(text, python, written, target)
        if not (same_lexemes(stream or read_stream(text, python), _read_back(written, target, path)) if same is None else same):
            raise RoundTripError("the converted program has other lexemes", path=path, hint=REPORT)
        return
    try:
        # Compact Python is compared as it stands; decode compares once more.
        prove(text, lambda: stream or read_stream(text, python), lambda: written if target.is_python else _respelled(written, target), path)
    except TooDeepError as error:
        raise explained(text, error, python, path) from None


def _read_back(written: str, dialect: Dialect, path: str | None) -> Stream:
    """The lexemes of a program that was written just now.

    Raises:
        RoundTripError: it cannot be read.
    """
    try:
        return read_stream(written, dialect)
    except SimPyError as error:
        raise RoundTripError(f"the encoded program does not decode: {error.message}", path=path, hint=REPORT) from error


def _respelled(simpy: str, dialect: Dialect) -> str:
    """A program that was written just now, as Python."""
    python = Dialect.load(PYTHON)
    text = converted(simpy, dialect, python, WIDTH)
    return write_stream(read_stream(simpy, dialect), python) if text is None else text


def explained(text: str, error: StuckError | LexError | TooDeepError, dialect: Dialect, path: str | None) -> SimPyError:
    """The error for a text of a dialect that cannot be read on, or nests too deep."""
    from transpiler import python_path  # only on an error
    from transpiler.diagnostics import explain, too_deep

    if isinstance(error, TooDeepError):
        return too_deep(text, python_path.too_deep_at(text, dialect), dialect, path)
    return explain(text, error, dialect, path)


def read_stream(text: str, dialect: Dialect, path: str | None = None) -> Stream:
    """The lexemes of a whole program.

    Raises:
        PythonSyntaxError, SimPySyntaxError: the text is not a program of the dialect.
    """
    stream = native_conversion.read(text, dialect)
    if stream is not None:
        return stream
    from transpiler import python_path  # only where the native core cannot read it

    try:
        return python_path.read(text, dialect)
    except python_path.FAULTS as error:
        raise explained(text, error, dialect, path) from None


def write_stream(stream: Stream, dialect: Dialect, width: int | None = WIDTH, base: str = "") -> str:
    """The text of a whole program in a dialect; in Python, ``base`` is what every line begins with, in SimPy the first.

    Raises:
        TooDeepError: blocks nest deeper than Python reads, and the dialect is a layout of Python.
    """
    text = native_conversion.written(stream, dialect, width, base)
    if text is not None:
        return text if dialect.is_python and dialect.layout == COMPACT else base + text
    from transpiler import python_path  # only where the native core cannot write it

    return python_path.written(stream, dialect, width, base)


def located_stream(text: str, dialect: Dialect, *, finished: bool = True) -> Stream:
    """The lexemes of a program with the offsets at which they start; of one that is not finished, as far as they are settled.

    Raises:
        StuckError, LexError: the text is not a program of the dialect.
    """
    found = native_conversion.read(text, dialect, located=True) if finished else None
    if found is not None:
        return found
    from transpiler import python_path  # as above

    return python_path.located(text, dialect, finished=finished)


def lexemes(simpy: str, *, dialect: str | Path | Dialect = "classic", implied: bool = False, path: str | None = None) -> list[Lexeme]:
    """The lexemes of a program. In SimPy, their texts join to the text.

    Args:
        simpy: the text.
        dialect: its dialect.
        implied: include the lexemes that the dialect leaves out, with empty text.
        path: the file, for messages.

    Raises:
        SimPySyntaxError, PythonSyntaxError: the text is not a program of this dialect.

    >>> [(lexeme.terminal, lexeme.text) for lexeme in lexemes("<return>a b")]
    [('RETURN', '<return>'), ('NAME', 'a'), ('EXPRESSION_SEP', ' '), ('NAME', 'b')]
    """
    from simpy_grammar.aliases import spelled  # not needed to convert
    from transpiler import python_path

    chosen = Dialect.load(dialect)
    try:
        found = located_stream(simpy, chosen)
    except python_path.FAULTS as error:
        raise explained(simpy, error, chosen, path) from None
    if chosen.aliases:
        found.texts = [*map(spelled, found.texts)]
    return list(found.lexemes(implied=implied))


def spelled_lexemes(stream: Stream, dialect: Dialect) -> list[Lexeme]:
    """The lexemes of a program as a dialect of SimPy spells them, without those that it leaves out.

    >>> stream = read_stream("return a, b", Dialect.load("python"))
    >>> [(lexeme.terminal, lexeme.text) for lexeme in spelled_lexemes(stream, Dialect.load("classic"))]
    [('RETURN', '<return>'), ('NAME', 'a'), ('EXPRESSION_SEP', ' '), ('NAME', 'b')]
    """
    from simpy_grammar.lexeme import Lexeme  # not needed to convert
    from simpy_grammar.speller import Speller
    from simpy_grammar.terminals import TERMINALS

    found: list[Lexeme] = []
    at = 0
    for terminal, text in zip(stream.terminals, Speller(dialect).spell_all(stream), strict=True):
        if text:
            found.append(Lexeme(TERMINALS[terminal].name, text, at))
            at += len(text)
    return found
