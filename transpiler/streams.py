"""Conversion of text that arrives in pieces: by the native core as long as that can go on, else by the Python path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.native import core
from simpy_grammar.python_reader import Located, PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from transpiler.conversion import WIDTH, explained
from transpiler.native_conversion import converter
from transpiler.nesting import TooDeepError
from transpiler.pep8 import Layout
from transpiler.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")  # what no source may hold


class Conversion:
    """One program on its way from a dialect to another.

    Args:
        source: the dialect that is read.
        target: the dialect that is written.
        path: the file, for messages.
        width: for Python, the columns after which a line is broken inside brackets; ``None`` for none.
        indent: for Python, what one level is indented by.
        base: for Python, what every line begins with.
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
        located: bool = False,
    ) -> None:
        self.source = source
        self.target = target
        self.path = path
        self._make = partial(_PythonPath, source, target, width=width, indent=indent, base=base, located=located)
        self._native = None if located else converter(source, target, width, indent, base)  # as long as it can go on
        self._python = self._make() if self._native is None else None  # the Python path, otherwise
        self._given = False  # what is held has been given since the last piece
        self._carriage_return = False  # a piece has ended in one: a line feed may follow
        self._started = False  # some text has arrived
        self._pieces: list[str] = []  # the text so far, for the excerpt of an error

    @property
    def text(self) -> str:
        """What has been read so far."""
        if self._python is not None and len(self._pieces) > 1:  # until then the Python path may have to read the same pieces again
            self._pieces = ["".join(self._pieces)]
        return "".join(self._pieces)

    @property
    def position(self) -> int:
        """Offset of the first character that has not been understood."""
        if self._native is None:
            return self._python_path().position
        at: int = core.position(self._native)
        return at if self.text.isascii() else len(self.text.encode()[:at].decode())

    @property
    def pending(self) -> str:
        """The text that has arrived and has not been understood."""
        return self.text[self.position :]

    def feed(self, text: str) -> str:
        """Read a piece of the program; return the text that it settles.

        Raises:
            PythonSyntaxError, SimPySyntaxError: the text is not a program of the source dialect.
        """
        if self._native is not None and not self.source.is_python:  # what a model writes comes in very short pieces
            written: str | None = core.feed(self._native, text)
            if written is not None:
                self._pieces.append(text)
                return written
        self._given = False
        if self.source.is_python:
            text = self._line_feeds(text)
            odd = _NOT_TEXT.search(text)
            if odd is not None:
                self._refuse(text, odd.start())
        return self._read(text)

    def _refuse(self, text: str, at: int) -> None:
        """Say what is wrong with a piece, at that offset or before it."""
        path = self._python_path()
        self._pieces.append(text)
        try:
            path.reader.feed(text[:at])
            read_source(self.text, path=self.path)
        except (StuckError, LexError) as error:
            raise explained(self.text, error, self.source, self.path) from None

    def close(self) -> str:
        """Read the end of the program; return the rest of the text.

        Raises:
            PythonSyntaxError, SimPySyntaxError: the program stops in the middle of something.
        """
        return self._read("\n" if self._carriage_return else "", final=True)

    def held(self) -> str:
        """The Python that is understood and not yet settled; it is given once."""
        if self.target.is_python and self.target.layout != COMPACT and not self._given:
            self._given = True
            return self._python_path().held()
        return ""

    def _read(self, text: str, *, final: bool = False) -> str:
        if self._native is not None:
            found: str | None = (core.finish if final else core.feed)(self._native, text)
            if found is not None:
                self._pieces.append(text)
                return found
        path = self._python_path()
        self._pieces.append(text)
        try:
            return path.feed(text, final=final)
        except (StuckError, LexError, TooDeepError) as error:
            raise explained(self.text, error, self.source, self.path) from None

    def _python_path(self) -> _PythonPath:
        """The Python path, from here on: the pieces that the native core has read are read again, and what they settled has been given."""
        if self._python is None:
            self._python, self._native = self._make(), None
            for piece in self._pieces:
                self._python.feed(piece, final=False)
        return self._python

    def _line_feeds(self, text: str) -> str:
        """A piece of Python with every newline a line feed, and without a byte order mark."""
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if self._carriage_return:
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        return text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class _PythonPath:
    """A reader, a stream of lexemes, a writer, and what is held back between them.

    Attributes:
        reader: it reads the program.
    """

    def __init__(self, source: Dialect, target: Dialect, *, width: int | None, indent: str, base: str, located: bool) -> None:
        self.reader = PythonReader(source, located=located) if source.is_python else SimPyReader(source)
        self._is_python = source.is_python
        self._waits = bool(target.aliases) or target.layout == COMPACT  # the whole program decides
        self._layout: Layout | None = None
        self._speller: Speller | None = None
        if not target.is_python:
            self._speller = Speller(target)
        elif target.layout != COMPACT:
            self._layout = Layout(width=width, indent=indent, base=base)

    def feed(self, text: str, *, final: bool) -> str:
        """What a piece settles.

        Raises:
            StuckError, LexError, TooDeepError: it cannot be read or written.
        """
        self.reader.feed(text)
        if final:
            self.reader.close()
        return self.written(final=final)

    @property
    def position(self) -> int:
        """See ``Conversion.position``."""
        stream = self.reader.stream
        waits = not self._is_python and stream.terminals[-1:] == [PENDING]  # what comes next tells what the last lexeme is
        return self.reader.position - (len(stream.texts[-1]) if waits else 0)

    def written(self, *, final: bool) -> str:
        """The text of what is settled."""
        if not final and self._waits:
            return ""
        stream = self.reader.stream
        settled = len(stream) if final else self.reader.settled()
        beginning = _beginning(stream, settled)
        if self._speller is not None:
            texts = self._speller.spell(*beginning, final=final)
            text, settled = "".join(texts), len(texts)
        elif self._layout is not None:
            self._layout.write(*beginning)
            text = self._layout.finish() if final else self._layout.take()
        else:
            from transpiler.compact import compact_layout  # only for that dialect

            return compact_layout(stream)
        self.reader.drop(settled)
        return text

    def held(self) -> str:
        """See ``Conversion.held``."""
        assert self._layout is not None  # noqa: S101  # Python is written
        settled = self.reader.settled()
        beginning = _beginning(self.reader.stream, settled)
        self.reader.drop(settled)
        self._layout.write(*beginning)  # what stands before an error, too
        return self._layout.break_off()


class Encoder(Conversion):
    """Encodes Python that arrives in pieces, and gives SimPy as soon as it is settled.

    Whatever the pieces, the parts that ``feed`` and ``close`` return join to what ``encode`` gives for the whole text. What is
    returned before ``close`` is never taken back, so it is the beginning of the SimPy of every program that begins so. For
    ``compact``, whose layout needs whole blocks, and with aliases of names, ``feed`` gives nothing and ``close`` everything.

    >>> encoder = Encoder()
    >>> [encoder.feed(piece) for piece in ("if a:\\n    b", " = f(", "1)\\n")], encoder.close()
    (['<if_stmt>a<block_start>', 'b=f(', '1)'], '<block_end>')
    """

    def __init__(self, *, dialect: str | Path | Dialect = "classic", path: str | None = None, located: bool = False) -> None:
        super().__init__(Dialect.load(PYTHON), Dialect.load(dialect), path=path, located=located)

    def settled(self) -> str:
        """The SimPy of what has been read before an error."""
        return self._python_path().written(final=False)

    @property
    def settled_at(self) -> int:
        """Offset of the first character of the source that is not in the SimPy returned so far; needs ``located``."""
        reader = self._python_path().reader
        starts = (text.start for text in reader.stream.texts if isinstance(text, Located))
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
    ) -> None:
        super().__init__(Dialect.load(dialect), Dialect.load(PYTHON), path=path, width=width, indent=indent, base=base)


def _beginning(stream: Stream, end: int) -> tuple[Sequence[int], Sequence[str]]:
    return stream.terminals[:end], stream.texts[:end]
