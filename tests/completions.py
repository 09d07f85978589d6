"""Whether a text of SimPy can be completed, found by trying completions with the reader: what masks are compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from simpy_grammar.aliases import ALIAS, aliases
from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader, simpy_automaton
from simpy_grammar.tables import Key
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, State

_ALIAS, _BOUND = re.compile(ALIAS), re.compile(rf"(?<=\w){ALIAS}")
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
def _endings(dialect: Dialect) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What may finish the lexeme that is under way, and what may stand after each of these."""
    patterns = simpy_automaton(dialect).tables.patterns
    texts = [value for kind, value in patterns.values() if kind == "str"]
    after = ("", "a", "0", ".a", " .a", "'a'", "!r", "{a", "{ {", "#", "<comment>#\n", "f'a'", *texts)
    few = ("", " ", ")", "a", ":", "}", *dialect.spellings["LINE_SEP"], *dialect.spellings["BLOCK_START"])
    return (*((finish, after) for finish in _FINISHES[:3]), *((finish, few) for finish in (*_FINISHES[3:], *_MORE_FINISHES)))


class _Silent(SimPyReader):
    """A reader whose errors do not say what could have stood there, since that takes longest."""

    __slots__ = ()

    def expected(self) -> frozenset[Key]:
        return frozenset()


_State = tuple[object, object, int, str, frozenset[str]]
"""All that the future of a reader depends on: its stack, how many strings with fields are open, what is not read yet, and which aliases are
bound."""


class Reading:
    """A text that has been read so far, and may be gone on with in many ways.

    Args:
        dialect: its dialect.
        text: the text.
        known: what has been found for states of readers of the dialect, to which this one adds.
    """

    def __init__(self, dialect: Dialect, text: str, known: dict[_State, bool]) -> None:
        self.dialect = dialect
        self._known = known
        self._reader = _Silent(dialect)
        self._reader.feed(text)

    def _copy(self, one: SimPyReader) -> SimPyReader:
        copy = _Silent(self.dialect)
        copy.node, copy.frames, copy.position, copy._fields = one.node, one.frames, one.position, one._fields
        copy.stream.terminals.append(PENDING)  # the lexeme before, which the next token may name
        copy.stream.texts.append("")
        copy.buffer = one._joined("")
        if copy._bindings is not None and one._bindings is not None:
            copy._bindings.names = dict(one._bindings.names)
        return copy

    @property
    def pending(self) -> str:
        """What has been fed and is not read yet."""
        return self._copy(self._reader).buffer

    def can_go_on(self, text: str) -> bool:
        """Whether some program begins with what has been read and ``text``."""
        after = self._fed(self._reader, text)
        if after is None:
            return False
        after = self._copy(after)
        bound = frozenset(after._bindings.names if after._bindings is not None else ())
        state = (after.node, after.frames, after._fields, after.buffer, bound)
        if state not in self._known:
            self._known[state] = self._ends(after)
        return self._known[state]

    def _ends(self, reader: SimPyReader) -> bool:
        """Whether some text makes the reader read all that it has been given."""
        needed = reader.position + len(reader.buffer)
        for finish, others in _endings(self.dialect):
            finished = self._fed(reader, finish)
            if finished is not None and any(self._reads(finished, other, needed) for other in others):
                return True
        return False

    def _fed(self, one: SimPyReader, text: str) -> SimPyReader | None:
        """A copy of a reader that has been fed a text; ``None`` if it refuses it."""
        reader = self._copy(one)
        try:
            reader.feed(text)
        except StuckError:
            return None
        return reader

    def _reads(self, one: SimPyReader, text: str, needed: int) -> bool:
        reader = self._fed(one, text)
        if reader is None:
            return False
        try:
            if reader.position < needed:
                reader.close()
        except StuckError:
            return False
        return True


@cache
def _known(dialect: Dialect) -> dict[_State, bool]:
    return {}


def _bound(codec: Codec, ids: list[int]) -> list[str]:
    """The aliases that some ids bind, in order."""
    texts = {number: text for text, number in codec.own.items()}
    found: list[str] = []
    for at, number in enumerate(ids, 1):
        text = texts.get(number, "")
        if _ALIAS.search(text):
            whole = codec.decode(ids[:at])
            found += _BOUND.findall(whole, len(whole) - len(text))
    return found


def _is_in_order(codec: Codec, ids: list[int], number: int) -> bool:
    """Whether an id after some binds aliases in order: each is the first one that is free. A reader takes any order."""
    bound = _bound(codec, ids)
    for alias in _bound(codec, [*ids, number])[len(bound) :]:
        if alias != next(one for one in aliases(codec.dialect.aliases) if one not in bound):
            return False
        bound.append(alias)
    return True


def differences(
    codec: Codec, constraint: Constraint, ids: list[int], state: State, tried: Iterable[int] | None = None
) -> tuple[int, list[str]]:
    """How many ids were tried after some, and those on which the mask and the reader do not agree, and no rule explains why."""
    text = codec.decode(ids)
    reading = Reading(codec.dialect, text, _known(codec.dialect))
    in_literal = reading.can_go_on("\x01")  # a character that code never holds
    mask = state.mask()
    own = constraint.vocabulary.own
    found: list[str] = []
    count = 0
    for number in constraint.vocabulary.spellings.symbols if tried is None else tried:
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
        spelled = number not in own and re.search(r"<[a-z_]*[0-9]*>?\Z", reading.pending + more) is not None
        # Nor are they letters after the first half of `<<`.
        is_letters = number in own and reading.pending.endswith("<")
        goes_on = reading.can_go_on(more) and (number not in own or not codec.dialect.aliases or _is_in_order(codec, ids, number))
        if (number in mask) != goes_on and not ((spelled or is_letters) and number not in mask):
            found.append(f"{text[-30:]!r} {more!r}: {number in mask}")
    return count, found
