"""Usage: the tokens and seconds that each call spent, and the tokens that it would have spent in Python.

The model's tokenizer counts tokens, or the estimate of ``tokenizer_ext.estimation`` where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tokenizer_ext.estimation import estimate


@dataclass(frozen=True)
class Usage:
    """What one call spent.

    Attributes:
        task: ``complete``, ``infill`` or ``chat``; ``session`` for a sum.
        tokens_in: tokens sent to the model.
        tokens_in_python: tokens that the same texts have in Python.
        tokens_out: tokens that the model wrote.
        tokens_out_python: tokens that the answer has in Python.
        conversion_seconds: time spent converting, both ways.
        model_seconds: time spent waiting for the model.
        notes: how many parts were not converted.
        estimated: whether the counts are estimates instead of those of the model's tokenizer.

    >>> Usage("chat", tokens_in=80, tokens_in_python=100).saved
    20.0
    """

    task: str
    tokens_in: int = 0
    tokens_in_python: int = 0
    tokens_out: int = 0
    tokens_out_python: int = 0
    conversion_seconds: float = 0.0
    model_seconds: float = 0.0
    notes: int = 0
    estimated: bool = False

    @property
    def saved(self) -> float:
        """The share of tokens saved, in percent; negative where SimPy has more tokens."""
        python = self.tokens_in_python + self.tokens_out_python
        return 100 * (python - self.tokens_in - self.tokens_out) / python if python else 0.0


class SessionUsage:
    """What the calls of a session spent.

    Attributes:
        calls: the usage of each call, in order.

    >>> session = SessionUsage()
    >>> session.add(Usage("chat", tokens_in=80, tokens_in_python=100, tokens_out=10, tokens_out_python=20))
    >>> print(session.summary())
    1 call: 120 -> 90 tokens (25.0 % saved), in 100 -> 80, out 20 -> 10; 0.000 s converting, 0.000 s in the model
    """

    def __init__(self) -> None:
        self.calls: list[Usage] = []

    def add(self, usage: Usage) -> None:
        """Record a call."""
        self.calls.append(usage)

    @property
    def total(self) -> Usage:
        """The sum of all calls."""
        calls = self.calls
        return Usage(
            "session",
            sum(call.tokens_in for call in calls),
            sum(call.tokens_in_python for call in calls),
            sum(call.tokens_out for call in calls),
            sum(call.tokens_out_python for call in calls),
            sum(call.conversion_seconds for call in calls),
            sum(call.model_seconds for call in calls),
            sum(call.notes for call in calls),
            any(call.estimated for call in calls),
        )

    def summary(self) -> str:
        """The session in one line."""
        total, calls = self.total, len(self.calls)
        before, after = total.tokens_in_python + total.tokens_out_python, total.tokens_in + total.tokens_out
        about = "about " if total.estimated else ""
        change = f"{total.saved:.1f} % saved" if total.saved >= 0 else f"{-total.saved:.1f} % more"
        notes = f"; {total.notes} not converted" if total.notes else ""
        return (
            f"{calls} call{'s' * (calls != 1)}: {about}{before:,} -> {after:,} tokens ({change}), "
            f"in {total.tokens_in_python:,} -> {total.tokens_in:,}, out {total.tokens_out_python:,} -> {total.tokens_out:,}; "
            f"{total.conversion_seconds:.3f} s converting, {total.model_seconds:.3f} s in the model{notes}"
        )

    def to_json(self) -> str:
        """All calls and their sum, as JSON."""
        return json.dumps({"calls": [asdict(call) for call in self.calls], "total": asdict(self.total)}, indent=2)


def counter(count: Callable[[str], int] | None) -> tuple[Callable[[str], int], bool]:
    """A function that counts tokens, and whether it only estimates.

    >>> counter(None)[0]("x = 1"), counter(None)[1]
    (4, True)
    """
    return (estimate, True) if count is None else (count, False)
