"""Aliases of names in masks: which are bound, and which ids may come for that.

The lexer knows one symbol for all aliases. So the tables and tries of a dialect say where an alias may stand, and are hardly larger than
those of the dialect without aliases. Which alias may stand there depends on those that are bound: only these refer to a name, and only the
next one, the lowest that is not bound, may be bound. With `<n0>` and `<n1>` bound, in the dialect dense:

    a=        <n0>, <n1>, and `<n1>.<n0>(` if it is a token
    a=b       <n2>, and `_c<n2>=<n2>`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexer import WORD_SYMBOLS, Lexer, LexerState
from tokenizer_ext.constrain.vocabulary import Vocabulary

_LAST_WORD = re.compile(rb"(?:\w|[^\x00-\x7f])*\Z")
_MOST_KEPT = 1024


class Bound(NamedTuple):
    """What the aliases of a text stand for, as far as it has come.

    Attributes:
        bits: the aliases that are bound, as the bits of a number.
        names: what they are bound to, if the rules of valid Python ask for it.
    """

    bits: int
    names: Mapping[int, bytes]


class _Use(NamedTuple):
    """An alias in an id: its number, and whether it binds; ``None`` if what stands before the id says so."""

    number: int
    binds: bool | None


class Aliases:
    """The aliases of a vocabulary.

    Args:
        lexer: the lexer of a dialect with aliases.
        vocabulary: the ids.
    """

    def __init__(self, lexer: Lexer, vocabulary: Vocabulary) -> None:
        self._lexer = lexer
        self._numbers = {symbol: number for number, symbol in enumerate(lexer.aliases)}
        found = {number: self._used(vocabulary.spellings.symbols[number]) for number in vocabulary.own}
        self._uses = {number: uses for number, uses in found.items() if uses}
        self._others = ~bits_of(self._uses)
        self._binding: dict[LexerState, bool] = {}
        self._may_come = lru_cache(maxsize=_MOST_KEPT)(self._legal)

    def _used(self, symbols: str) -> tuple[_Use, ...]:
        numbers = self._numbers
        return tuple(
            _Use(numbers[symbol], symbols[at - 1] in WORD_SYMBOLS if at else None) for at, symbol in enumerate(symbols) if symbol in numbers
        )

    def binds(self, state: LexerState) -> bool:
        """Whether an alias would be bound: to the name that is under way."""
        found = self._binding.get(state)
        if found is None:
            found = self._binding[state] = self._lexer.grows(state, self._lexer.aliases[0])
        return found

    def after(self, bound: Bound, state: LexerState, symbol: str, text: bytes) -> tuple[Bound, bytes] | None:
        """What aliases stand for after one of them, and what it adds to the text of the program without aliases.

        Any alias that is not bound may be bound here, as in the texts that a reader takes.

        Args:
            bound: what they stand for before it.
            state: what has come.
            symbol: the alias.
            text: the text since the last token that is decided, if the rules ask for names.

        Returns:
            ``None`` if the alias must not come.
        """
        number = self._numbers[symbol]
        is_bound = bound.bits >> number & 1
        if not self.binds(state):
            return (bound, bound.names.get(number, b"")) if is_bound else None
        if is_bound:
            return None
        names = {**bound.names, number: word[0]} if text and (word := _LAST_WORD.search(text)) else bound.names
        return Bound(bound.bits | 1 << number, names), b""

    def may_come(self, number: int, bound: Bound, state: LexerState) -> bool:
        """Whether the aliases of an id may come."""
        uses = self._uses.get(number)
        return uses is None or _first_wrong(uses, bound.bits, self.binds(state)) is None

    def bits(self, bound: Bound, state: LexerState) -> int:
        """The ids without aliases, and those whose aliases may come, as the bits of a number."""
        return self._may_come(bound.bits, self.binds(state))

    def fault(self, symbols: str, bound: Bound, state: LexerState) -> str:
        """Why the aliases among some symbols must not come, for people; empty if that is not because of what is bound."""
        wrong = _first_wrong(self._used(symbols), bound.bits, self.binds(state))
        if wrong is None:
            return ""
        number, binds, before = wrong
        if not binds:
            return f"the alias <n{number}> is not bound; NAME<n{number}> binds it"
        if before >> number & 1:
            return f"the alias <n{number}> is bound already"
        return f"the next alias to be bound is <n{lowest_free(before)}>"

    def _legal(self, bound: int, binds: bool) -> int:
        return self._others | bits_of([number for number, uses in self._uses.items() if _first_wrong(uses, bound, binds) is None])


def _first_wrong(uses: Iterable[_Use], bound: int, binds: bool) -> tuple[int, bool, int] | None:
    """Of aliases that come one after the other, the first that must not: its number, whether it would be bound, and what is bound before.

    ``binds`` says what the first one does if nothing stands before it in its id.
    """
    for number, own in uses:
        here = binds if own is None else own
        if here and number == lowest_free(bound):
            bound |= 1 << number
        elif here or not bound >> number & 1:
            return number, here, bound
    return None


def lowest_free(bound: int) -> int:
    """The number of the next alias that may be bound.

    >>> lowest_free(0b0), lowest_free(0b111), lowest_free(0b1011)
    (0, 3, 2)
    """
    return (~bound & (bound + 1)).bit_length() - 1
