"""Two reports on the same programs, functions and problems: the differences, paired, each with its interval.

A difference is that of the second report less the first. Where the interval holds zero, the sign is not decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from simpy_eval.reports import CHECKS, FUNCTIONS, PROGRAMS, figure, parts
from simpy_eval.statistics import Interval, difference_interval, pass_at_k, relative_interval
from simpy_grammar.errors import SimPyError

FIRST, SECOND, UNDECIDED = "first", "second", "undecided"
_KS = (1, 5, 10, 100)  # of pass@k, where none is asked for


class Difference(NamedTuple):
    """A figure of two reports.

    Attributes:
        part: the part that it belongs to.
        name: the figure, as a summary calls it.
        items: how many programs, functions or problems both have.
        first: the mean of the first report over these.
        second: that of the second.
        difference: second less first.
        relative: the same as a share of the first; ``None`` for shares, and where the first is zero.
        better: ``first``, ``second`` or ``undecided``; empty where neither direction is better.
    """

    part: str
    name: str
    items: int
    first: float
    second: float
    difference: Interval
    relative: Interval | None
    better: str

    def described(self) -> dict[str, Any]:
        """The difference as JSON."""
        found = self._asdict()
        found["difference"] = self.difference.described()
        found["relative"] = None if self.relative is None else self.relative.described()
        return found


def compare(first: Mapping[str, Any], second: Mapping[str, Any], *, seed: int = 0, ks: Sequence[int] = ()) -> list[Difference]:
    """The differences of two reports.

    Args:
        first: the report to compare with, such as that of a Python control.
        second: the other.
        seed: of the resamples.
        ks: the ``k`` of each pass@k; without them, each of 1, 5, 10 and 100 for which both reports have enough answers.

    Raises:
        SimPyError: the reports have no part in common, or no problems though there is a ``k``; a common part has other programs, functions
            or problems in one of them; or a ``k`` is larger than the number of answers.
    """
    there = {part.title: part for part in parts(second)}
    found: list[Difference] = []
    for part in parts(first):
        if part.title in there:
            ones, others = _paired(part.title, part.content["items"], there[part.title].content["items"])
            found += _differences(part.kind, part.title, ones, others, seed, ks)
    if not found:
        raise SimPyError("the reports have nothing in common", path="simpy eval compare", hint="evaluate both on the same inputs")
    if ks and not any(one.name.startswith("pass@") for one in found):
        raise SimPyError("the reports have no problems in common", path="simpy eval compare", hint="pass@k is of problems: leave --k out")
    return found


def _paired(title: str, first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The items of both, in one order.

    Raises:
        SimPyError: they are not the same.
    """
    ones, others = ({item["name"]: item for item in items} for items in (first, second))
    alone = sorted(ones.keys() ^ others.keys())
    changed = sorted(name for name in ones.keys() & others.keys() if ones[name]["digest"] != others[name]["digest"])
    if alone or changed:
        name = (alone or changed)[0]
        what = f"{name!r} stands in one of them only" if alone else f"{name!r} is not the same in both"
        more = len(alone) + len(changed) - 1
        message = f"{title}: {what}{f', and {more:,} more' if more else ''}"
        raise SimPyError(message, path="simpy eval compare", hint="evaluate both models on the same inputs, with the same sample and seed")
    return list(ones.values()), [others[name] for name in ones]


def _differences(kind: str, title: str, ones: list[Any], others: list[Any], seed: int, ks: Sequence[int]) -> Iterator[Difference]:
    for name in _names(kind, title, ones, others, ks):
        first, second = ([_value(item, name) for item in items] for items in (ones, others))
        known = figure(name)
        difference = difference_interval(first, second, seed=seed)
        relative = relative_interval(first, second, seed=seed) if not known.is_share and all(value > 0 for value in first) else None
        better = "" if known.less_is_better is None else _better(difference, known.less_is_better)
        yield Difference(title, name, len(first), _mean(first), _mean(second), difference, relative, better)


def _names(kind: str, title: str, ones: list[Any], others: list[Any], ks: Sequence[int]) -> list[str]:
    """The figures that items of both reports have.

    Raises:
        SimPyError: a ``k`` is larger than the number of answers.
    """
    if not ones:
        return []
    if kind == PROGRAMS:
        return ["nats_per_program", "tokens_per_program"]
    if kind == FUNCTIONS:
        return ["exact", *CHECKS]
    most = min(item["samples"] for item in (*ones, *others))
    if ks and max(ks) > most:
        message = f"{title}: pass@{max(ks)} needs {max(ks):,} answers to each problem, and a report has {most:,}"
        raise SimPyError(message, path="simpy eval compare", hint=f"name a --k of {most:,} at most")
    return [*(f"pass@{k}" for k in ks or _KS if k <= most), *CHECKS]


def _value(item: Mapping[str, Any], name: str) -> float:
    """The value of an item for a figure.

    >>> _value({"samples": 4, "passed": 1, "answers": []}, "pass@2")
    0.5
    """
    if name in ("nats_per_program", "tokens_per_program"):
        return float(item[name.partition("_")[0]])
    if name.startswith("pass@"):
        return pass_at_k(item["samples"], item["passed"], int(name.partition("@")[2]))
    answers = item.get("answers", [item])
    return sum(bool(one[name]) for one in answers) / len(answers)


def _better(difference: Interval, less_is_better: bool) -> str:
    """Which report is better.

    >>> _better(Interval(-1, -2, -0.5), True), _better(Interval(0.1, -0.1, 0.3), False)
    ('second', 'undecided')
    """
    if difference.low <= 0 <= difference.high:
        return UNDECIDED
    return SECOND if (difference.value < 0) == less_is_better else FIRST


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
