"""The threshold of ``cascade``, chosen on questions that both models have answered.

A file of questions has one object of JSON a line:

    {"prefix": "def f(a):\\n    return ", "small": {"text": "a\\n", "logprob": -0.4, "stopped": "until"}, "large": {"text": "a + 1\\n"}}

Each answer has its ``text`` in Python; that of the small model also ``logprob``, ``stopped``, and ``notes`` if something could not be
converted. A question may have a ``suffix``, a ``task`` (``complete`` by default) and a ``truth``: the text that was wanted. Without one,
what the small model wrote was wanted if the person ``kept`` it, and else what the large one wrote. An answer is *right* where the program
has the same tree as with the text that was wanted.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dualcode.backends.protocol import COMPLETE
from dualcode.policies.cascade import fault
from dualcode.policies.intervals import wilson
from dualcode.policies.protocol import Answer, Question
from simpy_grammar.errors import SimPyError, os_reason
from transpiler.unfinished import completion

LEAST = 20
"""Fewer questions say nothing."""
ALWAYS_LARGE = 0.0
"""A threshold that no answer passes, unless its model was certain of every token."""


@dataclass(frozen=True)
class Case:
    """A question that both models have answered.

    Attributes:
        logprob: mean log-probability of the small model's answer; minus infinity where it will not do whatever the threshold is.
        small: whether the small model's answer is right.
        large: whether the large model's answer is right.
    """

    logprob: float
    small: bool
    large: bool


@dataclass(frozen=True)
class Fitted:
    """A threshold, and what it did on the questions that it was chosen on.

    Attributes:
        threshold: for ``Cascade``.
        questions: how many there were.
        asked_large: how many of them went to the large model.
        right: how many the two models answered rightly together.
        right_small: how many the small one did alone.
        right_large: how many the large one did alone.
        interval: of the share that the large one did alone, by Wilson, at 95 %.
        left_out: how many questions could not be used, because one model has not answered.
    """

    threshold: float
    questions: int
    asked_large: int
    right: int
    right_small: int
    right_large: int
    interval: tuple[float, float]
    left_out: int = 0

    @property
    def large_share(self) -> float:
        """The share of questions that went to the large model."""
        return self.asked_large / self.questions

    def to_json(self) -> str:
        """What ``cascade:fitted=FILE`` reads."""
        return json.dumps({**asdict(self), "large_share": round(self.large_share, 4)}, indent=1) + "\n"


def fit_file(path: str | Path) -> Fitted:
    """Choose a threshold on the questions in a file.

    Raises:
        SimPyError: the file cannot be read, a line of it is not a question, or there are too few.
    """
    rows: list[Mapping[str, Any]] = []
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    rows.append(_row(line, str(path), number))
    except OSError as error:
        raise SimPyError(f"cannot be read: {os_reason(error)}", path=str(path)) from error
    cases = [case_of(row) for row in rows]
    found = [case for case in cases if case is not None]
    return fit(found, len(cases) - len(found))


def _row(line: str, path: str, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise SimPyError("this is not JSON", path=path, line=number) from error
    if not isinstance(row, dict):
        raise SimPyError("this is not an object", path=path, line=number)
    return row


def fit(cases: Sequence[Case], left_out: int = 0) -> Fitted:
    """Choose the threshold with the fewest calls of the large model whose share of right answers is still in the interval of the large one.

    Raises:
        SimPyError: there are too few questions.

    >>> cases = [Case(-0.1, True, True)] * 30 + [Case(-0.9, False, True)] * 30
    >>> found = fit(cases)
    >>> found.threshold, found.large_share, found.right
    (-0.1, 0.5, 60)
    """
    if len(cases) < LEAST:
        raise SimPyError(f"{len(cases)} questions are too few to choose a threshold", hint=f"at least {LEAST} that both models answered")
    interval = wilson(sum(case.large for case in cases), len(cases))
    known = sorted({case.logprob for case in cases if case.logprob > float("-inf")})
    for threshold in [*known, ALWAYS_LARGE]:
        found = applied(cases, threshold, interval, left_out)
        if found.right / len(cases) >= interval[0]:
            return found
    return applied(cases, ALWAYS_LARGE, interval, left_out)


def applied(cases: Sequence[Case], threshold: float, interval: tuple[float, float], left_out: int = 0) -> Fitted:
    """What a threshold does on questions.

    >>> applied([Case(-0.1, True, False), Case(-0.9, True, False)], -0.5, (0.0, 1.0)).right
    1
    """
    large = [case.logprob < threshold for case in cases]
    return Fitted(
        threshold,
        len(cases),
        sum(large),
        sum(case.large if to_large else case.small for case, to_large in zip(cases, large, strict=True)),
        sum(case.small for case in cases),
        sum(case.large for case in cases),
        interval,
        left_out,
    )


def case_of(row: Mapping[str, Any]) -> Case | None:
    """The case that a line of a file tells; ``None`` if one of the models has not answered.

    >>> row = {"prefix": "x = ", "small": {"text": "1\\n", "logprob": -0.5, "stopped": "until"}, "large": {"text": "1 # one\\n"}}
    >>> case_of(row)
    Case(logprob=-0.5, small=True, large=True)
    """
    small, large = row.get("small"), row.get("large")
    if not isinstance(small, dict) or not isinstance(large, dict):
        return None
    question = Question(str(row.get("task", COMPLETE)), str(row.get("prefix", "")), str(row.get("suffix") or ""))
    given, other = str(small.get("text", "")), str(large.get("text", ""))
    truth = row.get("truth")
    wanted = truth if isinstance(truth, str) else given if row.get("kept") is True else other
    logprob, notes = small.get("logprob"), small.get("notes")
    answer = Answer("", given, str(small.get("stopped", "")), notes=notes if isinstance(notes, int) else 0)
    sure = logprob if isinstance(logprob, int | float) and not fault(question, answer) else float("-inf")
    return Case(sure, same(question, given, wanted), same(question, other, wanted))


def same(question: Question, one: str, other: str) -> bool:
    """Whether a program has the same tree with one answer as with another; where it does not parse, whether the answers are one text.

    >>> same(Question("complete", "x = ["), "1,2]", "1, 2]\\n"), same(Question("complete", "x = "), "1", "2")
    (True, False)
    """
    if one.strip() == other.strip():
        return True
    trees = tree(question, one), tree(question, other)
    return trees[0] is not None and trees[0] == trees[1]


def tree(question: Question, answer: str) -> str | None:
    """The tree of the program with an answer, its end completed if it breaks off; ``None`` if it cannot be parsed."""
    program = question.prefix + answer + question.suffix
    for text in (program, program + completion(program)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in strings that a model wrote
                return ast.dump(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None
