"""The ids that spell a text: the fewest ones, and how many they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from tokenizer_ext.constrain.closing import NO_WAY
from tokenizer_ext.constrain.patterns import EMPTY, OTHER, TEXT_SYMBOLS, Pattern, derivative, hold_at_end
from tokenizer_ext.constrain.vocabulary import Vocabulary

_LONGEST = 48  # symbols of the shortest text of a token of the grammar
_LONGEST_ID = 32  # symbols of an id that is looked for in a text


class Spelled:
    """How a vocabulary spells texts of symbols.

    Args:
        vocabulary: the ids.
        pattern: the pattern of a token of the grammar.
    """

    def __init__(self, vocabulary: Vocabulary, pattern: Callable[[str], Pattern]) -> None:
        self._dummy = vocabulary.dummy
        self._own = vocabulary.own
        self._number_of: dict[str, int] = {}
        for number, symbols in vocabulary.spellings.symbols.items():
            if OTHER not in symbols and number not in vocabulary.atomic:
                self._number_of.setdefault(symbols, number)
        self._bytes = {piece[0]: number for number, piece in vocabulary.pieces.items() if len(piece) == 1}
        self._found: dict[str, tuple[int, ...] | None] = {"": ()}
        self.shortest: Callable[[str], str] = cache(lambda token: shortest(pattern(token)))

    def ids(self, text: str, *, shorn: bool = False) -> tuple[int, ...] | None:
        """The fewest ids that spell a text; ``None`` if none do.

        Args:
            text: its symbols.
            shorn: a blank that an ordinary id begins with is lost.
        """
        if text not in self._found:
            self._found[text] = self._spell(text)
        found = self._found[text]
        if found and shorn and self._dummy and text.startswith(self._dummy):
            blank = self._number_of.get(self._dummy)
            return None if blank is None else (blank, *found)
        return found

    def _spell(self, text: str) -> tuple[int, ...] | None:
        best: list[tuple[int, ...] | None] = [()]
        for end in range(1, len(text) + 1):
            ways = (
                (*before, self._number_of[text[start:end]])
                for start in range(max(0, end - _LONGEST_ID), end)
                if (before := best[start]) is not None and text[start:end] in self._number_of
            )
            best.append(min(ways, key=len, default=None))
        return best[-1]

    def ids_of_bytes(self, data: bytes) -> tuple[int, ...] | None:
        """Ids that spell some bytes, which may be parts of characters; ``None`` if none do."""
        if data.isascii():
            return self.ids(data.decode())
        found = tuple(self._bytes.get(byte, -1) for byte in data)
        return None if -1 in found else found

    def cost(self, text: str) -> int:
        """The fewest ids that spell a text, wherever it stands; too many to be considered if none do."""
        found = self.ids(text, shorn=bool(self._own))  # without added tokens, only the beginning of a text loses a blank
        return NO_WAY if found is None else len(found)

    def begun(self, text: str) -> int:
        """How many ids spell a text if each but the first spells one symbol, which is what is known of a text that has begun."""
        return 1 + min((len(text) - end for end in range(1, len(text) + 1) if text[:end] in self._number_of), default=NO_WAY)

    def shears(self, ids: Sequence[int]) -> bool:
        """Whether an ordinary id after some loses a blank that it begins with."""
        return bool(self._dummy) and bool(ids) and ids[-1] in self._own


def shortest(pattern: Pattern) -> str:
    """The shortest text of a pattern, of letters if it can be.

    >>> from tokenizer_ext.constrain.patterns import parse
    >>> shortest(parse("#[^a]*|[a-z]+")), shortest(parse("'[^']*'"))
    ('a', "''")
    """
    symbols = sorted(TEXT_SYMBOLS - {OTHER}, key=plainness)
    level = {pattern: ""}
    seen = {pattern}
    found = ""  # a text that counts before some others only
    for _ in range(_LONGEST):
        for at, text in level.items():
            if at is EMPTY or any(map(hold_at_end, at.endings)):
                return text
            found = found or (text if at.endings else "")
        below: dict[Pattern, str] = {}
        for at, text in level.items():
            for symbol in (*symbols, *_specials(at)):
                after = derivative(at, symbol)
                if after not in seen:
                    seen.add(after)
                    below[after] = text + symbol
        level = below
    return found


def plainness(symbol: str) -> tuple[bool, bool, bool, str]:
    """Symbols in the order in which they are preferred: small letters, capital ones, others."""
    return not symbol.isalpha(), symbol.isupper(), not symbol.isprintable(), symbol


def _specials(pattern: Pattern) -> Iterable[str]:
    """The tokens in angle brackets that a pattern begins with."""
    if pattern.kind == 0:
        return [symbol for symbol in pattern.parts if symbol not in TEXT_SYMBOLS]
    parts = pattern.parts[:1] if pattern.kind == 1 else pattern.parts if pattern.kind in (2, 3) else ()
    return [symbol for part in parts for symbol in _specials(part)]
