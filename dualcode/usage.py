"""Usage: the tokens and seconds that each call spent, and the tokens that it would have spent in Python.

The model's tokenizer counts tokens, or the estimate of ``tokenizer_ext.estimation`` where there is none. What a server says that it
spent is kept beside these counts (``dualcode.reported_usage``): it counts the whole request, system prompt and tools included, and
tells cached tokens from uncached ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dualcode.conversion.until import UNTIL
from dualcode.reported_usage import ReportedUsage, UsageReader
from tokenizer_ext.estimation import estimate, explained, saved_within


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
        reported: what the server says it spent; ``None`` if it says nothing.
        stopped: what ended the answer: ``until`` (it held the unit that was asked for), ``length`` (``max_tokens``), ``stop`` (a text in
            the option ``stop``) or ``end`` (the model); empty for a sum.
        unspent: tokens of ``max_tokens`` that were not written; ``None`` without such a limit.
        generated: tokens that the model generated, by its own count; ``None`` if it does not tell.
        steps: steps of the model that generated them, fewer where a draft was accepted; ``None`` if it does not tell.
        avoided: tokens that a policy kept from being sent and generated: those of the prompt and of the answer that it gave itself.

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
    reported: ReportedUsage | None = None
    stopped: str = ""
    unspent: int | None = None
    generated: int | None = None
    steps: int | None = None
    avoided: int = 0

    @property
    def tokens_per_step(self) -> float | None:
        """How many tokens a step of the model gave, drafts that were accepted included; ``None`` if that is not known.

        >>> Usage("complete", generated=12, steps=8).tokens_per_step
        1.5
        """
        return self.generated / self.steps if self.generated is not None and self.steps else None

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
        reported = [call.reported for call in calls if call.reported is not None]
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
            sum(reported, ReportedUsage()) if reported else None,
            unspent=_sum(call.unspent for call in calls),
            generated=_sum(call.generated for call in calls if call.steps),
            steps=_sum(call.steps for call in calls if call.generated is not None),
            avoided=sum(call.avoided for call in calls),
        )

    def summary(self) -> str:
        """The session in one line."""
        total, calls = self.total, len(self.calls)
        before, after = total.tokens_in_python + total.tokens_out_python, total.tokens_in + total.tokens_out
        change = f"{total.saved:.1f} % saved" if total.saved >= 0 else f"{-total.saved:.1f} % more"
        about = error = ""
        if total.estimated:
            about, error = "about ", f" ({explained(before)}; the percentage within {saved_within(before):g} points)"
        notes = f"; {total.notes} not converted" if total.notes else ""
        server = ""
        if found := total.reported:
            server = f"; the server counts {found.uncached:,} uncached and {found.cached:,} cached tokens in, {found.output:,} out"
            silent = sum(call.reported is None for call in self.calls)
            server += f", in {calls - silent} of the calls" if silent else ""
        return (
            f"{calls} call{'s' * (calls != 1)}: {about}{before:,} -> {after:,} tokens ({change}){error}, "
            f"in {total.tokens_in_python:,} -> {total.tokens_in:,}, out {total.tokens_out_python:,} -> {total.tokens_out:,}; "
            f"{total.conversion_seconds:.3f} s converting, {total.model_seconds:.3f} s in the model{notes}{server}{self._ends(total)}"
        )

    def _ends(self, total: Usage) -> str:
        """What ended answers before their time, and what a step gave."""
        text = ""
        if whole := sum(call.stopped == UNTIL for call in self.calls):
            text += f"; {whole} stopped where the code was whole"
        if total.avoided:
            text += f"; {total.avoided:,} tokens avoided by policies"
        if total.unspent is not None:
            text += f"; {total.unspent:,} tokens of max_tokens not spent"
        if total.tokens_per_step is not None and total.steps != total.generated:
            text += f"; {total.tokens_per_step:.2f} tokens per step"
        return text

    def to_json(self) -> str:
        """All calls and their sum, as JSON."""
        return json.dumps({"calls": [asdict(call) for call in self.calls], "total": asdict(self.total)}, indent=2)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def counter(count: Callable[[str], int] | None) -> tuple[Callable[[str], int], bool]:
    """A function that counts tokens, and whether it only estimates.

    >>> counter(None)[0]("x = 1"), counter(None)[1]
    (4, True)
    """
    return (estimate, True) if count is None else (count, False)


def reported_by(answers: Iterable[Any]) -> ReportedUsage | None:
    """What a server reports in the answers that a backend received: the objects of OpenAI's client, or the same as JSON.

    >>> reported_by([{"choices": []}, {"usage": {"prompt_tokens": 9, "completion_tokens": 2}}])
    ReportedUsage(uncached=9, cached=0, written_to_cache=0, output=2)
    """
    reader = UsageReader("/chat/completions")
    for answer in answers:
        found = answer if isinstance(answer, Mapping) else {"usage": _as_json(getattr(answer, "usage", None))}
        reader.add(found)
    return reader.usage


def _as_json(usage: Any) -> object:
    return usage.model_dump() if hasattr(usage, "model_dump") else usage
