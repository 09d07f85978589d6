"""Policies for the tests of the proxy, under names of their own. ``dualcode.policies.registry.register`` makes them known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dualcode.policies.options import Options
from dualcode.policies.protocol import Answer, Ask, Decision, Give, Policy, Question, Refuse
from simpy_grammar.errors import SimPyError


class Scripted(Policy):
    """Does what a test says, and keeps what it saw."""

    name = "scripted"

    def __init__(self, *, holds: bool = False, logprobs: bool = False, models: dict[str, str] | None = None) -> None:
        self.holds = holds
        self.logprobs = logprobs
        self.models = models or {}
        self.questions: list[Question] = []
        self.answers: list[Answer] = []
        self.threads: set[str] = set()
        self.failures: list[SimPyError] = []
        self.closed = False
        self.decide: Callable[[Question], Decision | None] = lambda question: None
        self.judge: Callable[[Question, Answer], Ask | None] = lambda question, answer: None
        self.rescue: Callable[[Question, SimPyError], Ask | None] = lambda question, error: None

    def before(self, question: Question) -> Decision | None:
        self.questions.append(question)
        self.threads.add(threading.current_thread().name)
        return self.decide(question)

    def after(self, question: Question, answer: Answer) -> Ask | None:
        self.answers.append(answer)
        self.threads.add(threading.current_thread().name)
        return self.judge(question, answer)

    def failed(self, question: Question, error: SimPyError) -> Ask | None:
        self.failures.append(error)
        return self.rescue(question, error)

    def close(self) -> None:
        self.closed = True

    def reset(self) -> None:
        self.questions.clear()
        self.answers.clear()
        self.decide = lambda question: None
        self.judge = lambda question, answer: None


class Remembering(Policy):
    """The simplest cache: answers by the question as it is."""

    name = "remembering"

    def __init__(self) -> None:
        self.known: dict[str, Answer] = {}

    def before(self, question: Question) -> Give | None:
        found = self.known.get(repr(question))
        return Give(found, "known") if found is not None else None

    def after(self, question: Question, answer: Answer) -> None:
        if not answer.by:
            self.known[repr(question)] = answer


class Refusing(Policy):
    """Refuses all questions."""

    name = "refusing"

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def before(self, question: Question) -> Refuse:
        return Refuse(self.reason)


def changed(question: Question, **options: Any) -> Question:
    """The question with other options."""
    return replace(question, options={**question.options, **options})


def open_policy(options: Options) -> Policy:
    return Refusing(options.text("reason", "no"))
