"""The ids of a vocabulary by their first symbols: a tree of groups, so that ids that do the same are handled together.

For the ids `re`, `red`, `return`, `(`, in the form label, ids, groups below:

    "re"  [re]    "d"     [red]
                  "turn"  [return]
    "("   [(]

Where a group is met by a lexer state that all of its symbols leave as it is, such as a name, all of its ids do the same.
"""

from __future__ import annotations

import sys
from bisect import bisect
from collections.abc import Collection, Iterator

from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Spellings

MANY = 128
"""Ids from which on a set is kept as bits."""
_MANY_DIGITS = 4096  # ids from which on it is faster to write a digit for each id, and to read the number, than to set bits
_LAST = chr(sys.maxunicode)  # no symbol


def bits_of(ids: Collection[int]) -> int:
    """Ids as the bits of a number."""
    top = max(ids, default=-1)
    if len(ids) > _MANY_DIGITS:
        digits = bytearray(b"0") * (top + 1)
        for number in ids:
            digits[number] = ord("1")
        digits.reverse()
        return int(digits, 2)
    packed = bytearray((top >> 3) + 1)
    for number in ids:
        packed[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(packed, "little")


class Group:
    """The ids that go on with the same symbols.

    Attributes:
        label: these symbols, after those of the groups around it.
        rest: what the last character of the ids still needs.
        is_atomic: whether the ids must not begin inside a literal.
        below: the groups of the ids that go on after it.
        symbols: all symbols of the label and of the groups below, as bits.
        own: how many ids end with the label.
        size: how many ids there are, with those of the groups below.
    """

    __slots__ = ("_bits", "_ids", "_start", "below", "is_atomic", "label", "own", "rest", "size", "symbols")

    def __init__(self, label: str, ids: _Ids, below: tuple[Group, ...], symbols: int, start: int, own: int, size: int) -> None:
        self.label = label
        self.rest = ids.rest
        self.is_atomic = ids.is_atomic
        self.below = below
        self.symbols = symbols
        self.own = own
        self.size = size
        self._ids = ids.ids
        self._start = start
        self._bits: int | None = None

    def first_ids(self, count: int) -> list[int]:
        """So many ids; those that end with the label come first."""
        return self._ids[self._start : self._start + count]

    @property
    def bits(self) -> int:
        """All ids as the bits of a number."""
        if self._bits is not None:
            return self._bits
        found = bits_of(self.first_ids(self.size))
        if self.size >= MANY:
            self._bits = found
        return found


class _Ids:
    """Ids in the order of their symbols; those from ``starts[i]`` to ``starts[i + 1]`` have the symbols ``texts[i]``."""

    def __init__(self, rest: Rest, is_atomic: bool, ids_of: dict[str, list[int]]) -> None:
        self.rest = rest
        self.is_atomic = is_atomic
        self.texts = sorted(ids_of)
        self.ids: list[int] = []
        self.starts = [0]
        for text in self.texts:
            self.ids += ids_of[text]
            self.starts.append(len(self.ids))

    def groups(self, low: int, high: int, at: int, bits: dict[str, int]) -> Iterator[Group]:
        """The groups of some texts, which have the symbols before a place in common."""
        while low < high:
            first = self.texts[low]
            end = bisect(self.texts, first[: at + 1] + _LAST, low, high) if first else low + 1
            last = self.texts[end - 1]
            after = at + 1
            while after < len(first) and first[after] == last[after]:
                after += 1
            ends = len(first) <= after
            below = tuple(self.groups(low + 1, end, after, bits) if ends else self.groups(low, end, after, bits))
            symbols = 0
            for symbol in first[at:after]:
                symbols |= bits[symbol]
            for group in below:
                symbols |= group.symbols
            starts = self.starts
            own = starts[low + 1] - starts[low] if ends else 0
            yield Group(first[at:after], self, below, symbols, starts[low], own, starts[end] - starts[low])
            low = end


def groups_of(spellings: Spellings, atomic: frozenset[int], bits: dict[str, int]) -> Iterator[Group]:
    """The uppermost groups of some ids.

    Args:
        spellings: what the ids stand for.
        atomic: those that must not begin inside a literal.
        bits: symbol -> the bits that stand for it.
    """
    texts: dict[tuple[Rest, bool], dict[str, list[int]]] = {}
    for number, symbols in spellings.symbols.items():
        texts.setdefault((spellings.rests.get(number, WHOLE), number in atomic), {}).setdefault(symbols, []).append(number)
    for (rest, is_atomic), ids_of in texts.items():
        yield from _Ids(rest, is_atomic, ids_of).groups(0, len(ids_of), 0, bits)
