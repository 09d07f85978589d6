"""Conversion of text that arrives in pieces: a reader, a stream of lexemes, a writer, and what is held back between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.python_reader import Located, PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from transpiler.conversion import WIDTH, explained
from transpiler.pep8 import Layout, TooDeepError
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
        self.reader = PythonReader(source, located=located) if source.is_python else SimPyReader(source)
        self._given = False  # what is held has been given since the last piece
        self._carriage_return = False  # a piece has ended in one: a line feed may follow
        self._started = False  # some text has arrived
        self._pieces: list[str] = []  # the text so far, for the excerpt of an error
        self._layout: Layout | None = None
        self._speller: Speller | None = None
        if not target.is_python:
            self._speller = Speller(target)
        elif target.layout != COMPACT:
            self._layout = Layout(width=width, indent=indent, base=base)

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
            raise explained(self.text, error, self.source, self.path) from None

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
            raise explained(self.text, error, self.source, self.path) from None

    def _line_feeds(self, text: str) -> str:
        """A piece of Python with every newline a line feed, and without a byte order mark."""
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if self._carriage_return:
            text = "\r" + text
        self._carriage_return = text.endswith("\r")
        return text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _written(self, final: bool) -> str:
        if not final and (self.target.aliases or self.target.layout == COMPACT):
            return ""  # the whole program decides
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
        """The Python that is understood and not yet settled; it is given once."""
        if self._layout is None or self._given:
            return ""
        settled = self.reader.settled()
        beginning = _beginning(self.reader.stream, settled)
        self.reader.drop(settled)
        self._layout.write(*beginning)  # what stands before an error, too
        self._given = True
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
    ) -> None:
        super().__init__(Dialect.load(dialect), Dialect.load(PYTHON), path=path, width=width, indent=indent, base=base)


def _beginning(stream: Stream, end: int) -> tuple[Sequence[int], Sequence[str]]:
    return stream.terminals[:end], stream.texts[:end]
