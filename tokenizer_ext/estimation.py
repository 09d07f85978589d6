"""An estimate of token counts for when no vocabulary is at hand. It knows no ids; exact counting is ``tokenizer_ext.counting``.

Each piece of a text costs what pieces of its class cost on average (``piece_costs``). Costs are fractions, so that sums are
unbiased, and only sums are rounded. How far off they are was measured on packages that nothing was fitted to, and whoever
shows an estimate to a person says so: ``explained``, ``within``, ``saved_within``.
"""

from __future__ import annotations

from functools import lru_cache

from tokenizer_ext.estimation_weights import ERRORS, VOCABULARY, WEIGHTS
from tokenizer_ext.piece_costs import PIECE
from tokenizer_ext.token_finder import TokenFinder

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simpy_grammar.dialect import Dialect

_price = lru_cache(1 << 16)(WEIGHTS.price)


def priced_pieces(text: str) -> list[tuple[int, int, float]]:
    """The pieces of a text: start, end and tokens of each.

    >>> text = "return {'a': 12}"
    >>> [text[start:end] for start, end, _ in priced_pieces(text)]
    ['return', " {'", 'a', "':", ' ', '12', '}']
    """
    found: list[tuple[int, int, float]] = []
    for match in PIECE.finditer(text):
        group = match.lastgroup
        found.append((match.start(), match.end(), 1.0 if group is None else _price(match[0], group == "word")))
    return found


def estimate(text: str) -> int:
    """About how many tokens a text has.

    >>> estimate("def two_sum(nums):\\n    return nums")
    8
    """
    return round(sum([cost for _, _, cost in priced_pieces(text)]))


def within(tokens: float) -> float:
    """How far off an estimate is, in percent: nine of ten texts of so many tokens are estimated better than that.

    >>> within(100) > within(100_000) > 0
    True
    """
    return _errors(tokens)[1]


def saved_within(tokens: float) -> float:
    """How far off an estimate is of the tokens that a spelling saves, in percentage points, for nine of ten texts of so many tokens.

    >>> within(100_000) > saved_within(100_000) > 0
    True
    """
    return _errors(tokens)[2]


def _errors(tokens: float) -> tuple[float, float, float]:
    return next((row for row in ERRORS if tokens < row[0]), ERRORS[-1])


def explained(tokens: float) -> str:
    """What to say beside an estimate of so many tokens.

    >>> explained(100) == f"estimated for {VOCABULARY}, within {within(100):g} %"
    True
    """
    return f"estimated for {VOCABULARY}, within {within(tokens):g} %"


class Estimator:
    """Estimates texts of one dialect, with its tokens as one each.

    Args:
        dialect: the dialect; ``None`` for Python as it is.
        added: further tokens that are one each.

    >>> from simpy_grammar.dialect import Dialect
    >>> Estimator(Dialect.load("classic")).count("<def_stmt>f<block_start>")
    3
    """

    def __init__(self, dialect: Dialect | None, added: Sequence[str] = ()) -> None:
        self._finder: TokenFinder | None = None
        if dialect is not None and not dialect.is_python:
            self._finder = TokenFinder((*dialect.special_tokens, *added), dialect)

    def count(self, text: str) -> int:
        """About how many tokens a text has."""
        return round(sum([cost for _, _, cost in self.spans(text)]))

    def spans(self, text: str) -> Iterator[tuple[int, int, float]]:
        """The pieces of a text: start, end and tokens of each."""
        at = 0
        for start, end in self._finder.find(text) if self._finder is not None else ():
            yield from _moved(text[at:start], at)
            yield start, end, 1.0
            at = end
        yield from _moved(text[at:], at)


def _moved(text: str, offset: int) -> Iterator[tuple[int, int, float]]:
    return ((offset + start, offset + end, cost) for start, end, cost in priced_pieces(text))
