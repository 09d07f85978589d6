"""SimPy to Python: the parser of ``simpy_grammar`` driving the layout, whole or as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPySyntaxError
from simpy_grammar.parser import Parser, StuckError
from simpy_grammar.tables import load_tables
from transpiler.layout import ACTIONS, Layout, TooDeepError

if TYPE_CHECKING:
    from pathlib import Path


class Decoder:
    """Decodes SimPy that arrives in pieces, and gives Python as soon as it is settled.

    A dialect that is Python (``compact``) is read as a whole: ``feed`` gives nothing and ``close`` everything.

    Whatever the pieces, the parts that ``feed`` and ``close`` return join to what ``decode`` gives for the whole text.

    >>> decoder = Decoder()
    >>> [decoder.feed(piece) for piece in ("<if_stmt>a<block_st", "art>b=", "1<block_end>")], decoder.close()
    (['if a', ':\\n    b = ', '1'], '\\n')
    """

    def __init__(self, *, dialect: str | Path | Dialect = "classic", path: str | None = None) -> None:
        self.dialect = Dialect.load(dialect)
        self.path = path
        self._read: list[str] = []  # the text so far, for the excerpt of an error
        self._out: list[str] = []
        self._whole = self.dialect.is_python  # compact text is read as a whole
        if self._whole:
            return
        self._layout = Layout(self._out)
        self._parser = Parser(load_tables(self.dialect), ACTIONS, self._out, self._layout)

    def feed(self, text: str) -> str:
        """Read a piece of SimPy; return the Python that it settles.

        Raises:
            SimPySyntaxError: the text is not SimPy of this dialect.
        """
        self._read.append(text)
        if self._whole:
            return ""
        try:
            self._parser.feed(text)
        except StuckError as stuck:
            raise self._error(stuck) from None
        return self._layout.take()

    def close(self) -> str:
        """Read the end of the text; return the rest of the Python.

        Raises:
            SimPySyntaxError: the text stops in the middle of something.
        """
        if self._whole:
            from transpiler.compact import decode_compact  # only for that dialect

            return decode_compact("".join(self._read), self.path)
        try:
            self._parser.close()
        except StuckError as stuck:
            raise self._error(stuck) from None
        return self._layout.finish()

    def decode(self, text: str) -> str:
        """Decode a whole text at once."""
        self._read = [text]
        if self._whole:
            return self.close()
        try:
            self._parser.read_all(text)
        except StuckError as stuck:
            raise self._error(stuck) from None
        return self._layout.finish()

    def _error(self, stuck: StuckError) -> SimPySyntaxError:
        from transpiler.mistakes import deepest, explain  # only on an error

        text = "".join(self._read)
        if isinstance(stuck, TooDeepError):
            stuck.offset = self._parser.position = deepest(text, self.dialect)
        return explain(text, stuck, self.dialect, self.path)
