"""Whether a text of SimPy can be completed, found by trying completions with the reader: what masks are compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader, simpy_automaton
from simpy_grammar.tables import Key
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, State

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
    "for ",
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


def differences(
    codec: Codec, constraint: Constraint, ids: list[int], state: State, tried: Iterable[int] | None = None
) -> tuple[int, list[str]]:
    """How many ids were tried after some, and those on which the mask and the reader do not agree, and no rule explains why."""
    text = codec.decode(ids)
    reading = Reading(codec.dialect, text)
    in_literal = reading.can_go_on("\x01")  # a character that code never holds
    mask = state.mask()
    own = constraint.vocabulary.own
    found: list[str] = []
    count = 0
    for number in constraint.vocabulary.spellings if tried is None else tried:
        after = codec.decode([*ids, number])
        more = after[len(text) :]
        if "\N{REPLACEMENT CHARACTER}" in after or not after.startswith(text) or not more:
            continue
        count += 1
        if number in own and in_literal and not (more == "<debug>" and "<debug>" in reading.pending):
            if number in mask:
                found.append(f"{text[-30:]!r} {more!r}: inside a literal")
            continue
        # Letters never spell a token in angle brackets.
        spelled = number not in own and re.search(r"<[a-z_]*>?\Z", reading.pending + more) is not None
        # Nor are they letters after the first half of `<<`.
        is_letters = number in own and reading.pending.endswith("<")
        if (number in mask) != reading.can_go_on(more) and not ((spelled or is_letters) and number not in mask):
            found.append(f"{text[-30:]!r} {more!r}: {number in mask}")
    return count, found
