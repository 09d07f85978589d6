"""From any spelling to any other: a reader, a stream of lexemes, a writer. Whole texts, and texts that arrive in pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.python_lexer import LexError, Located, PythonReader
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Lexeme, Stream
from simpy_grammar.terminals import ID, TERMINALS
from transpiler.pep8 import DEEPEST, EndedError, Layout, TooDeepError
from transpiler.proof import prove
from transpiler.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from simpy_grammar.errors import SimPyError

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")  # what no source may hold
WIDTH = 88
"""Columns after which a line of Python is broken inside brackets."""


class Conversion:
    """One program on its way from a dialect to another.

    Args:
        source: the dialect that is read.
        target: the dialect that is written.
        path: the file, for messages.
        width: for Python, the columns after which a line is broken inside brackets; ``None`` for none.
        indent: for Python, what one level is indented by.
        base: for Python, what every line begins with.
        floor: for Python, the depth below which a block must not end.
        located: keep where the lexemes start, for ``settled_at``; the source is Python.

    Attributes:
        text: what has been read so far.

    >>> conversion = Conversion(Dialect.load("python"), Dialect.load("classic"))
    >>> conversion.feed("if a:\\n    b = "), conversion.feed("1\\n"), conversion.close()
    ('<if_stmt>a<block_start>b=', '', '1<block_end>')
    """

    def __init__(
        self,
        source: Dialect,
        target: Dialect,
        *,
        path: str | None = None,
        width: int | None = WIDTH,
        indent: str = "    ",
        base: str = "",
        floor: int = 0,
        located: bool = False,
    ) -> None:
        self.source = source
        self.target = target
        self.path = path
        self.reader = PythonReader(source, located=located) if source.is_python else SimPyReader(source)
        self._given = False  # what is held has been given since the last piece
        self._carriage_return = False  # a piece has ended in one: a line feed may follow
        self._pieces: list[str] = []  # the text so far, for the excerpt of an error
        self._layout: Layout | None = None
        self._speller: Speller | None = None
        if not target.is_python:
            self._speller = Speller(target)
        elif target.layout != COMPACT:
            self._layout = Layout(width=width, indent=indent, base=base)
            self._layout.floor = floor

    @property
    def text(self) -> str:
        """What has been read so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def position(self) -> int:
        """Offset of the first character that has not been understood."""
        stream = self.reader.stream
        waits = not self.source.is_python and stream.terminals[-1:] == [PENDING]  # what comes next tells what the last lexeme is
        return self.reader.position - (len(stream.texts[-1]) if waits else 0)

    @property
    def pending(self) -> str:
        """The text that has arrived and has not been understood."""
        return self.text[self.position :]

    @property
    def depth(self) -> int:
        """How many blocks are open in the Python that has been written."""
        return 0 if self._layout is None else self._layout.depth

    @property
    def floor(self) -> int:
        """The depth below which a block must not end; it can be set while the program is read."""
        return 0 if self._layout is None else self._layout.floor

    @floor.setter
    def floor(self, depth: int) -> None:
        if self._layout is not None:
            self._layout.floor = depth

    def feed(self, text: str) -> str:
        """Read a piece of the program; return the text that it settles.

        Raises:
            PythonSyntaxError, SimPySyntaxError: the text is not a program of the source dialect.
        """
        self._given = False
        if self.source.is_python:
            text = self._line_feeds(text)
        self._pieces.append(text)
        try:
            odd = _NOT_TEXT.search(text) if self.source.is_python else None
            if odd is not None:
                self.reader.feed(text[: odd.start()])
                read_source(self.text, path=self.path)  # says what is wrong with it
            self.reader.feed(text)
            return self._written(final=False)
        except (StuckError, LexError, TooDeepError) as error:
            raise self.explained(self.text, error) from None

    def close(self) -> str:
        """Read the end of the program; return the rest of the text.

        Raises:
            PythonSyntaxError, SimPySyntaxError: the program stops in the middle of something.
        """
        if self._carriage_return:
            self._pieces.append("\n")
            self.reader.feed("\n")
        try:
            self.reader.close()
            return self._written(final=True)
        except (StuckError, LexError, TooDeepError) as error:
            raise self.explained(self.text, error) from None

    def _line_feeds(self, text: str) -> str:
        """A piece of Python with every newline a line feed, and without a byte order mark."""
        if not self._pieces:
            text = text.removeprefix("\ufeff")
        if self._carriage_return:
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        return text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _written(self, final: bool) -> str:
        stream = self.reader.stream
        settled = len(stream) if final else self.reader.settled()
        beginning = _beginning(stream, settled)
        if self._speller is not None:
            texts = self._speller.spell(*beginning, final=final)
            text, settled = "".join(texts), len(texts)
        elif self._layout is not None:
            try:
                self._layout.write(*beginning)
            except EndedError:
                self.reader.drop(settled)  # what comes before the end is in the layout
                raise
            text = self._layout.finish() if final else self._layout.take()
        elif final:
            from transpiler.compact import compact_layout  # only for that dialect

            return compact_layout(stream)
        else:
            return ""
        self.reader.drop(settled)
        return text

    def held(self) -> str:
        """The Python that is understood and not yet settled; it is given once."""
        if self._layout is None or self._given:
            return ""
        settled = self.reader.settled()
        beginning = _beginning(self.reader.stream, settled)
        self.reader.drop(settled)
        self._layout.write(*beginning)  # what stands before an error, too
        self._given = True
        return self._layout.break_off()

    def explained(self, text: str, error: StuckError | LexError | TooDeepError) -> SimPyError:
        """The error for a text that cannot be read on."""
        from transpiler.diagnostics import explain, too_deep  # only on an error

        if isinstance(error, TooDeepError):
            return too_deep(text, _too_deep_at(text, self.source), self.source, self.path)
        return explain(text, error, self.source, self.path)


class Encoder(Conversion):
    """Encodes Python that arrives in pieces, and gives SimPy as soon as it is settled.

    Whatever the pieces, the parts that ``feed`` and ``close`` return join to what ``encode`` gives for the whole text. What is
    returned before ``close`` is never taken back, so it is the beginning of the SimPy of every program that begins so. For
    ``compact``, whose layout needs whole blocks, ``feed`` gives nothing and ``close`` everything.

    >>> encoder = Encoder()
    >>> [encoder.feed(piece) for piece in ("if a:\\n    b", " = f(", "1)\\n")], encoder.close()
    (['<if_stmt>a<block_start>', 'b=f(', '1)'], '<block_end>')
    """

    def __init__(self, *, dialect: str | Path | Dialect = "classic", path: str | None = None, located: bool = False) -> None:
        super().__init__(Dialect.load(PYTHON), Dialect.load(dialect), path=path, located=located)

    def settled(self) -> str:
        """The SimPy of what has been read before an error."""
        return self._written(final=False)

    @property
    def settled_at(self) -> int:
        """Offset of the first character of the source that is not in the SimPy returned so far; needs ``located``."""
        starts = (text.start for text in self.reader.stream.texts if isinstance(text, Located))
        reader = self.reader
        assert isinstance(reader, PythonReader)  # noqa: S101  # the source is Python
        return next(starts, reader.lexer.settled_at if reader.stuck_at is None else reader.stuck_at)


class Decoder(Conversion):
    """Decodes SimPy that arrives in pieces, and gives Python as soon as it is settled.

    Whatever the pieces, the parts that ``feed`` and ``close`` return join to what ``decode`` gives for the whole text. Of a
    dialect that is a layout of Python, ``decode`` also proves that its result is the same program; a stream is not proved.

    >>> decoder = Decoder()
    >>> [decoder.feed(piece) for piece in ("<if_stmt>a<block_st", "art>b=", "1<block_end>")], decoder.close()
    (['if a', ':\\n    b =', ' 1'], '\\n')
    """

    def __init__(
        self,
        *,
        dialect: str | Path | Dialect = "classic",
        path: str | None = None,
        width: int | None = WIDTH,
        indent: str = "    ",
        base: str = "",
        floor: int = 0,
    ) -> None:
        super().__init__(Dialect.load(dialect), Dialect.load(PYTHON), path=path, width=width, indent=indent, base=base, floor=floor)


def _beginning(stream: Stream, end: int) -> tuple[Sequence[int], Sequence[str]]:
    return stream.terminals[:end], stream.texts[:end]


def encode(source: str | bytes, *, dialect: str | Path | Dialect = "classic", verify: bool = True, path: str | None = None) -> str:
    """Encode a Python program.

    Args:
        source: the program; bytes are decoded as PEP 263 says.
        dialect: a name, a dialect file or a ``Dialect``.
        verify: prove before returning that the result decodes to the same program.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python.
        UnsupportedSyntaxError: it is Python that the grammar has no rule for.
        RoundTripError: the proof failed, which is a bug here and not in the source.
        DialectError: there is no such dialect, or it is ambiguous.

    >>> encode("def f(a, b=1):\\n    return a < b")
    '<def_stmt>f a b=1<block_start><return>a<l>b<block_end>'
    """
    chosen = Dialect.load(dialect)
    text = read_source(source, path=path)
    stream = read_stream(text, Dialect.load(PYTHON), path)
    simpy = write_stream(stream, chosen)
    if not verify:
        return simpy
    try:
        # Compact Python is compared as it stands; decode compares once more.
        prove(text, stream, lambda: simpy if chosen.is_python else write_stream(read_stream(simpy, chosen), Dialect.load(PYTHON)), path)
    except TooDeepError as error:
        raise Conversion(Dialect.load(PYTHON), chosen, path=path).explained(text, error) from None
    return simpy


def decode(
    simpy: str,
    *,
    dialect: str | Path | Dialect = "classic",
    verify: bool = True,
    path: str | None = None,
    width: int | None = WIDTH,
) -> str:
    """Decode a SimPy program to Python, laid out as PEP 8 says.

    Args:
        simpy: the program.
        dialect: the dialect that it is written in.
        verify: where the dialect is a layout of Python, prove before returning that the result is the same program.
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
    verify: bool = True,
    path: str | None = None,
    width: int | None = WIDTH,
) -> str:
    """Convert a program from one dialect to another.

    Args:
        text: the program.
        source: the dialect that it is written in.
        target: the dialect to write it in.
        verify: where both are layouts of Python, prove before returning that the result is the same program.
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
    stream = read_stream(program, old, path)
    try:
        written = write_stream(stream, new, width)
    except TooDeepError as error:
        raise Conversion(old, new, path=path).explained(program, error) from None
    if verify and old.is_python and new.is_python:
        prove(program, stream, lambda: written, path)
    return written


def _too_deep_at(text: str, dialect: Dialect) -> int:
    """Offset of the block that nests too deep."""
    stream = located_stream(text, dialect, finished=False)
    depth = 0
    for terminal, start in zip(stream.terminals, stream.starts, strict=True):
        depth += (terminal == ID["BLOCK_START"]) - (terminal == ID["BLOCK_END"])
        if depth > DEEPEST:
            return start
    return len(text)


def read_stream(text: str, dialect: Dialect, path: str | None = None) -> Stream:
    """The lexemes of a whole program.

    Raises:
        PythonSyntaxError, SimPySyntaxError: the text is not a program of the dialect.
    """
    reader = PythonReader(dialect) if dialect.is_python else SimPyReader(dialect)
    try:
        reader.read_all(text)
    except (StuckError, LexError) as error:
        raise Conversion(dialect, dialect, path=path).explained(text, error) from None
    return reader.stream


def write_stream(stream: Stream, dialect: Dialect, width: int | None = WIDTH) -> str:
    """The text of a whole program in a dialect.

    Raises:
        TooDeepError: blocks nest deeper than Python reads, and the dialect is a layout of Python.
    """
    if not dialect.is_python:
        return "".join(Speller(dialect).spell_all(stream))
    if dialect.layout == COMPACT:
        from transpiler.compact import compact_layout  # only for that dialect

        return compact_layout(stream)
    layout = Layout(width=width)
    layout.write(stream.terminals, stream.texts)
    return layout.finish()


def located_stream(text: str, dialect: Dialect, *, finished: bool = True) -> Stream:
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
        at += len(piece)
    return other.stream


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
    chosen = Dialect.load(dialect)
    try:
        return list(located_stream(simpy, chosen).lexemes(implied=implied))
    except (StuckError, LexError) as error:
        raise Conversion(chosen, chosen, path=path).explained(simpy, error) from None


def encoded_lexemes(source: str | bytes, dialect: str | Path | Dialect = "classic", path: str | None = None) -> list[Lexeme]:
    """The lexemes of the SimPy that a Python program encodes to: ``lexemes(encode(source))``, without reading the result again.

    Raises:
        PythonSyntaxError: the source is not Python.
        UnsupportedSyntaxError: it is Python that the grammar has no rule for.
        DialectError: there is no such dialect, it is ambiguous, or it is a layout of Python.

    >>> [(lexeme.terminal, lexeme.text) for lexeme in encoded_lexemes("return a, b")]
    [('RETURN', '<return>'), ('NAME', 'a'), ('EXPRESSION_SEP', ' '), ('NAME', 'b')]
    """
    chosen = Dialect.load(dialect)
    if chosen.is_python:
        raise DialectError(f"{chosen.name} is a layout of Python, whose lexemes are those of the source")
    stream = read_stream(read_source(source, path=path), Dialect.load(PYTHON), path)
    found: list[Lexeme] = []
    at = 0
    for terminal, text in zip(stream.terminals, Speller(chosen).spell_all(stream), strict=True):
        if text:
            found.append(Lexeme(TERMINALS[terminal].name, text, at))
            at += len(text)
    return found
