"""The ledger: what each call cost in tokens and seconds, and what it would have cost in Python. Counting tokens is left to the
model's tokenizer, or to the estimate of ``tokenizer_ext.estimate`` where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tokenizer_ext.estimate import estimate


@dataclass(frozen=True)
class Entry:
    """One call.

    Attributes:
        kind: complete, infill or chat.
        tokens_in: tokens sent to the model.
        tokens_in_python: what they would have been as Python.
        tokens_out: tokens that the model wrote.
        tokens_out_python: what they would have been as Python.
        conversion_seconds: time spent converting, both ways.
        model_seconds: time spent waiting for the model.
        notes: how many parts were not converted.
        estimated: the counts are estimates, not those of the model's tokenizer.
    """

    kind: str
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
        """The share of tokens saved, in percent."""
        python = self.tokens_in_python + self.tokens_out_python
        return 100 * (1 - (self.tokens_in + self.tokens_out) / python) if python else 0.0


class Ledger:
    """The calls of a session.

    >>> ledger = Ledger()
    >>> ledger.add(Entry("chat", tokens_in=80, tokens_in_python=100, tokens_out=10, tokens_out_python=20))
    >>> print(ledger.summary())
    1 call: 120 -> 90 tokens (25.0 % saved), in 100 -> 80, out 20 -> 10; 0.000 s converting, 0.000 s in the model
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Record a call."""
        self.entries.append(entry)

    @property
    def total(self) -> Entry:
        """The sum of all calls."""
        entries = self.entries
        return Entry(
            "session",
            sum(entry.tokens_in for entry in entries),
            sum(entry.tokens_in_python for entry in entries),
            sum(entry.tokens_out for entry in entries),
            sum(entry.tokens_out_python for entry in entries),
            sum(entry.conversion_seconds for entry in entries),
            sum(entry.model_seconds for entry in entries),
            sum(entry.notes for entry in entries),
            any(entry.estimated for entry in entries),
        )

    def summary(self) -> str:
        """The session in one line."""
        total, calls = self.total, len(self.entries)
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
        return json.dumps({"calls": [asdict(entry) for entry in self.entries], "total": asdict(self.total)}, indent=2)


def counter(count: Callable[[str], int] | None) -> tuple[Callable[[str], int], bool]:
    """A function that counts tokens, and whether it only estimates.

    >>> counter(None)[0]("x = 1"), counter(None)[1]
    (4, True)
    """
    return (estimate, True) if count is None else (count, False)
