"""What a piece of a text costs on average, by weights. ``estimation_weights`` holds weights, ``estimation`` sums costs.

A text is cut into pieces by the rules by which GPT-4's vocabulary, cl100k, cuts it before it merges: a word with the blank or
sign before it, up to three digits, several signs in a row, line breaks with the white space before them. Words and signs in a
row are put into classes, and a weight is the average of a class. Everything else is one token.
"""

from __future__ import annotations

from simpy_grammar.later_patterns import later_pattern

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PIECE = later_pattern(
    r"'(?:[sdmtSDMT]|[lL]{2}|[vV][eE]|[rR][eE])"
    r"|(?P<word>(?:[^\w\r\n]|_)?[^\W\d_]+)"
    r"|\d{1,3}"
    r"|(?P<signs> ?(?:[^\w\s]|_)+[\r\n]*)"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    r"|."
)
"""A piece. One that is in no group is one token."""
FIRSTS = ("", *" _.([=\\-:,/\t")
"""What stands before a word and is part of its piece, most often; ``?`` is anything else."""
SIGNS = ("mixed", "again", "ended")
"""Signs in a row: different ones; one again and again, which stays few tokens; different ones with a line break at the end."""
LONGEST = 16
"""Letters of a word, or signs in a row, up to which each length has a weight of its own."""
SHAPES = tuple((parts, capitals) for parts in (1, 2, 3, 4) for capitals in (False, True))
"""Shapes of words: how many parts capital letters mark, at most 4, and whether one of them is all capitals."""
_PARTS = later_pattern(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^A-Za-z]+")


class Weights:
    """Weights, in tokens.

    Attributes:
        words: for each of ``FIRSTS`` and ``?``, the tokens of a word of ASCII letters by its length, from 1 to ``LONGEST``.
        shapes: what a word has more for its shape.
        signs: for each of ``SIGNS``, the tokens of so many ASCII signs, from 1 to ``LONGEST``.
        letters: a word with other letters: a start, and so much for each byte of UTF-8.
        other: the same for signs in a row with others than those of ASCII.
        exact: pieces whose tokens are known.
    """

    __slots__ = ("exact", "letters", "other", "shapes", "signs", "words")

    def __init__(
        self,
        words: Mapping[str, Sequence[float]],
        shapes: Mapping[tuple[int, bool], float],
        signs: Mapping[str, Sequence[float]],
        letters: tuple[float, float],
        other: tuple[float, float],
        exact: Mapping[str, int],
    ) -> None:
        self.words, self.shapes, self.signs, self.letters, self.other, self.exact = words, shapes, signs, letters, other, exact

    def price(self, piece: str, is_word: bool) -> float:
        """The tokens of a word, or of signs in a row."""
        exact = self.exact.get(piece)
        if exact is not None:
            return exact
        if not piece.isascii():
            start, by_byte = self.letters if is_word else self.other
            return max(1.0, start + by_byte * len(piece.encode("utf-8", "surrogatepass")))
        if is_word:
            first, length, shape = word_class(piece)
            return at_length(self.words[first], length) + self.shapes[shape]
        name, length = signs_class(piece)
        row = self.signs[name]
        return row[min(length, LONGEST) - 1] if name == "again" else at_length(row, length)


def at_length(row: Sequence[float], length: int) -> float:
    """The weight of a length; past the longest one, a row goes on as steeply as to there.

    >>> at_length([1.0] * 15 + [3.0], 32)
    6.0
    """
    return row[length - 1] if length < LONGEST else row[-1] * length / LONGEST


def word_class(piece: str) -> tuple[str, int, tuple[int, bool]]:
    """The class of a word of ASCII letters: the character before it, its length, and its shape.

    >>> word_class(" xs"), word_class("HTMLParser"), word_class("~x")
    ((' ', 2, (1, False)), ('', 10, (2, True)), ('?', 1, (1, False)))
    """
    first = "" if piece[0].isalpha() else piece[0]
    word = piece[len(first) :]
    parts = _PARTS.findall(word)
    capitals = any(len(part) > 1 and part.isupper() for part in parts)
    return first if first in FIRSTS else "?", len(word), (min(len(parts), 4), capitals)


def signs_class(piece: str) -> tuple[str, int]:
    """The class of ASCII signs in a row: one of ``SIGNS``, and how many there are.

    >>> signs_class(" =="), signs_class("):\\n"), signs_class("),")
    (('again', 2), ('ended', 2), ('mixed', 2))
    """
    signs = piece.strip()
    again = len(signs) > 1 and signs == signs[0] * len(signs)
    return "ended" if piece[-1] in "\r\n" else "again" if again else "mixed", len(signs)
