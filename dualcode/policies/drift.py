"""Drift: whether what is asked now looks like what an estimator was trained on.

It is measured by the population stability index of each number over bins of equal shares: the sum of ``(p - q) * ln(p / q)``. Below 0.1 is
usually read as no change, above 0.25 as a change that matters.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

BINS, _IN_BIN = 10, 20
CHANGED = 0.25
"""From this index on, what is asked has changed."""
ENOUGH = 300
"""Fewer requests say nothing."""
_MEMORY = 2000  # after so many requests, the older ones count half


@dataclass(frozen=True)
class Distribution:
    """How a number is distributed.

    Attributes:
        edges: between the bins, ascending; a number that equals an edge belongs below it.
        shares: of the bins, one more than edges.

    >>> Distribution.of([1.0, 1.0, 2.0, 3.0] * 20)
    Distribution(edges=(1.0, 2.0), shares=(0.5, 0.25, 0.25))
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Distribution:
        """The distribution of some values, in ten bins at most, with twenty values or more in each.

        Raises:
            ValueError: there are none.
        """
        if not values:
            raise ValueError("no values")
        ordered = sorted(values)
        bins = max(2, min(BINS, len(ordered) // _IN_BIN))
        edges = {ordered[len(ordered) * number // bins] for number in range(1, bins)} - {ordered[-1]}
        counts = [0] * (len(edges) + 1)
        bounds = tuple(sorted(edges))
        for value in ordered:
            counts[bisect_left(bounds, value)] += 1
        return cls(bounds, tuple(count / len(ordered) for count in counts))

    def index(self, counts: Sequence[float]) -> float:
        """The population stability index of what was counted in the bins; half a request stands in each bin that is empty.

        >>> found = Distribution((1.0,), (0.5, 0.5))
        >>> found.index([50, 50]), round(found.index([90, 10]), 2)
        (0.0, 0.88)
        """
        total = sum(counts)
        if not total:
            return 0.0
        least = 0.5 / total
        pairs = ((max(least, share), max(least, count / total)) for share, count in zip(self.shares, counts, strict=True))
        return sum((now - then) * log(now / then) for then, now in pairs)


class Drift:
    """Counts what is asked, and compares it with what was asked before. May be used by several threads at once.

    Args:
        known: the distribution of each number, by its name.
        forget: let older requests count less and less.

    Attributes:
        changed: the index of each number that has changed.

    >>> drift = Drift({"length": Distribution.of([1.0, 2.0] * 50)})
    >>> for _ in range(400):
    ...     _ = drift.add([9.0])
    >>> drift.changed
    {'length': 3.33}
    """

    def __init__(self, known: Mapping[str, Distribution], *, forget: bool = True) -> None:
        self._forget = forget
        self._known = list(known.items())
        self._counts = [[0.0] * len(one.shares) for one in known.values()]
        self._lock = threading.Lock()
        self._total = 0
        self._next = 0
        self.changed: dict[str, float] = {}

    def add(self, values: Sequence[float]) -> str:
        """Count the numbers of one request, in the order of ``known``; returns the name of one that is found to have changed.

        One number is compared at a time, so that no request has to wait for all.
        """
        with self._lock:
            for (_, one), counts, value in zip(self._known, self._counts, values, strict=True):
                counts[bisect_left(one.edges, value)] += 1
            self._total += 1
            if self._forget and self._total >= _MEMORY:
                self._total //= 2
                self._counts = [[count / 2 for count in counts] for counts in self._counts]
            return self._compare() if self._total >= ENOUGH and self._known else ""

    def indexes(self) -> dict[str, float]:
        """The population stability index of each number, the largest first."""
        with self._lock:
            found = {name: one.index(counts) for (name, one), counts in zip(self._known, self._counts, strict=True)}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def _compare(self) -> str:
        name, one = self._known[self._next]
        index = one.index(self._counts[self._next])
        self._next = (self._next + 1) % len(self._known)
        if index < CHANGED:
            self.changed.pop(name, None)
            return ""
        is_new = name not in self.changed
        self.changed[name] = round(index, 2)
        return name if is_new else ""
