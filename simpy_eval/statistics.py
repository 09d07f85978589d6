"""Statistics of an evaluation: pass@k, and intervals by the bootstrap over programs or problems.

Intervals are those between the 2.5th and the 97.5th percentile of 10,000 resamples. The resamples depend on a seed alone, so equal values
give equal intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

RESAMPLES = 10_000
_PERCENTILES = (2.5, 97.5)
_AT_ONCE = 4_000_000  # draws that are held in memory


class Interval(NamedTuple):
    """A value with its interval of 95 %.

    Attributes:
        value: the value itself.
        low: the lower end.
        high: the upper end.
    """

    value: float
    low: float
    high: float

    def described(self) -> dict[str, float]:
        """The interval as a report has it, rounded to nine digits, so that no machine's last bits stand in it."""
        return {name: nine_digits(value) for name, value in self._asdict().items()}


def nine_digits(value: float) -> float:
    """A value to nine significant digits.

    >>> nine_digits(2 / 3), nine_digits(123456.123456789)
    (0.666666667, 123456.123)
    """
    return float(f"{value:.9g}")


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate of the chance that one of ``k`` answers passes: ``1 - C(n - c, k) / C(n, k)`` (Chen et al. 2021, section 2.1).

    Args:
        samples: how many answers there are, ``n``.
        passed: how many of them pass, ``c``.
        k: at most ``samples``.

    Raises:
        ValueError: ``k`` is not from 1 to ``samples``, or ``passed`` not from 0 to ``samples``.

    >>> pass_at_k(10, 3, 1), round(pass_at_k(10, 3, 5), 4), pass_at_k(10, 6, 5)
    (0.3, 0.9167, 1.0)
    """
    if not (1 <= k <= samples and 0 <= passed <= samples):
        raise ValueError(f"{passed} of {samples} answers at k = {k}")
    every = comb(samples, k)
    return (every - comb(samples - passed, k)) / every


def mean_interval(values: Sequence[float], *, seed: int) -> Interval:
    """The mean of some values, one for each program or problem.

    >>> mean_interval([0.0, 1.0, 1.0, 1.0] * 25, seed=0)
    Interval(value=0.75, low=0.66, high=0.83)
    """
    return ratio_interval(values, [1.0] * len(values), seed=seed)


def ratio_interval(above: Sequence[float], below: Sequence[float], *, seed: int) -> Interval:
    """The sum of some values divided by the sum of others, such as bits by bytes; each pair belongs to one program.

    Raises:
        ValueError: there are no values, or not as many of one as of the other.

    >>> ratio_interval([8.0, 8.0], [2.0, 2.0], seed=0)
    Interval(value=4.0, low=4.0, high=4.0)
    """
    import numpy as np

    if not above or len(above) != len(below):
        raise ValueError(f"{len(above)} values above, {len(below)} below")
    upper, lower = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    generator = np.random.Generator(np.random.PCG64(seed))
    found: list[float] = []
    while len(found) < RESAMPLES:
        times = min(RESAMPLES - len(found), max(1, _AT_ONCE // len(above)))
        drawn = generator.integers(0, len(above), (times, len(above)))
        found += (upper[drawn].sum(axis=1) / lower[drawn].sum(axis=1)).tolist()
    low, high = np.percentile(found, _PERCENTILES)
    return Interval(float(upper.sum() / lower.sum()), float(low), float(high))


def difference_interval(first: Sequence[float], second: Sequence[float], *, seed: int) -> Interval:
    """The mean of ``second`` less that of ``first``; values at the same place belong to the same program or problem.

    >>> difference_interval([1.0, 5.0, 3.0], [2.0, 6.0, 4.0], seed=0)
    Interval(value=1.0, low=1.0, high=1.0)
    """
    return mean_interval([two - one for one, two in zip(first, second, strict=True)], seed=seed)


def relative_interval(first: Sequence[float], second: Sequence[float], *, seed: int) -> Interval:
    """How much larger the sum of ``second`` is than that of ``first``, over the same programs: 0.1 is 10 % more.

    >>> relative_interval([10.0, 10.0], [11.0, 11.0], seed=0).value
    0.1
    """
    found = ratio_interval(second, first, seed=seed)
    return Interval(*(round(value - 1, 12) for value in found))
