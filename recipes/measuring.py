"""What recipes measure of a model: nats per held-out program, with an interval over programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simpy_eval.nats import nats_of
from simpy_eval.statistics import Interval, mean_interval


def nats_per_program(model: Any, held: Sequence[Sequence[int]], end: int) -> list[float]:
    """The nats of each held-out program: each starts after ``end``, and ends with it."""
    return nats_of(model, held, start=end)


def mean(nats: Sequence[float]) -> Interval:
    """The mean over programs with its interval; the same values always give the same interval."""
    return mean_interval(nats, seed=0)


def shown(found: Interval) -> str:
    """A mean with its interval, in nats.

    >>> shown(mean([1.0, 1.0, 1.0]))
    '1.0 [1.0, 1.0]'
    """
    return f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]"
