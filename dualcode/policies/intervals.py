"""Shares that were counted, and how sure they are."""

from __future__ import annotations

import math

_Z = 1.959964  # of 95 %, on both sides


def wilson(good: int, total: int) -> tuple[float, float]:
    """The interval of Wilson for a share, at 95 %.

    >>> [round(bound, 3) for bound in wilson(8, 10)], wilson(0, 0)
    ([0.49, 0.943], (0.0, 1.0))
    """
    if not total:
        return 0.0, 1.0
    share, unsure = good / total, _Z * _Z / total
    middle = (share + unsure / 2) / (1 + unsure)
    half = math.sqrt(share * (1 - share) * unsure + unsure * unsure / 4) / (1 + unsure)
    return max(0.0, middle - half), min(1.0, middle + half)
