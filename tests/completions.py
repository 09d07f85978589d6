"""Whether a text of SimPy can be completed, found by trying completions with the reader: what masks are compared with."""

from __future__ import annotations

from functools import cache

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader, simpy_automaton
from simpy_grammar.tables import Key

# What may finish a lexeme that is under way.
_FINISHES = (
    "",
    "a",
    "0",
    "'",
    '"',
    "''",
    '""',
    "'''",
    '"""',
    "\\'",
    "f ",
    "n ",
    "s ",
    "r ",
    "d ",
    "t ",
    "e ",
    "se ",
    "ot ",
    "or ",
    "nd ",
    "a'",
    'a"',
)
_MORE_FINISHES = (
    "<debug>",
    "a<debug>",
    "#",
    "}",
    "{}",
    "{a}",
    "a}",
    ".",
    "..",
    "=",
    "/=",
    "*=",
    ".a",
    " ",
    "\n",
    "}'",
    "a}'",
    '}"',
    'a}"',
    "}'''",
    '}"""',
    "#\n",
)


@cache
def _endings(dialect: Dialect) -> tuple[str, ...]:
    patterns = simpy_automaton(dialect).tables.patterns
    texts = [value for kind, value in patterns.values() if kind == "str"]
    after = ("", "a", "0", ".a", " .a", "'a'", "!r", "{a", "{ {", "#", "<comment>#\n", "f'a'", *texts)
    few = ("", " ", ")", "a", ":", "}", *dialect.spellings["LINE_SEP"], *dialect.spellings["BLOCK_START"])
    return (*(f + end for f in _FINISHES[:3] for end in after), *(f + end for f in (*_FINISHES[3:], *_MORE_FINISHES) for end in few))


class _Silent(SimPyReader):
    """A reader whose errors do not say what could have stood there, since that takes longest."""

    __slots__ = ()

    def expected(self) -> frozenset[Key]:
        return frozenset()


class Reading:
    """A text that has been read so far, and may be gone on with in many ways."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        self.dialect = dialect
        self._reader = _Silent(dialect)
        self._reader.feed(text)

    def _copy(self) -> SimPyReader:
        copy = _Silent(self.dialect)
        one = self._reader
        copy.node, copy.frames, copy.position, copy._fields = one.node, one.frames, one.position, one._fields
        copy.stream.terminals.append(PENDING)  # the lexeme before, which the next token may name
        copy.stream.texts.append("")
        copy.buffer = one._joined("")
        return copy

    @property
    def pending(self) -> str:
        """What has been fed and is not read yet."""
        return self._copy().buffer

    def can_go_on(self, text: str) -> bool:
        """Whether some program begins with what has been read and ``text``."""
        needed = self._reader.position + len(self.pending) + len(text)
        try:
            self._copy().feed(text)
        except StuckError:
            return False
        return any(self._reads(text + ending, needed) for ending in _endings(self.dialect))

    def _reads(self, text: str, needed: int) -> bool:
        reader = self._copy()
        try:
            reader.feed(text)
            if reader.position >= needed:
                return True
            reader.close()
        except StuckError:
            return False
        return True
