"""Intervals of shares, by Wilson's score."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

_Z = 1.959963984540054  # 95 %


class Share(NamedTuple):
    """A share with its interval of 95 %.

    Attributes:
        value: the share itself; 0 of none.
        low: the lower end.
        high: the upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def wilson(found: int, total: int) -> Share:
    """The share of ``found`` in ``total``.

    >>> print(wilson(90, 100), wilson(0, 0))
    90.0 % [82.6, 94.5] 0.0 % [0.0, 100.0]
    """
    if not total:
        return Share(0.0, 0.0, 1.0)
    share, square = found / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    reach = _Z / (1 + square / total) * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach))
