"""Policies that are opened together, and held so that a fault in one does not cost the person an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dualcode.faults import fault
from dualcode.policies.protocol import Answer, Ask, Decision, Give, Policy, Question, Refuse
from dualcode.policies.registry import open_policy
from simpy_grammar.errors import SimPyError

AGAIN, FAILED = "again", "failed"
_WORDS: dict[type, str] = {Ask: "ask", Give: "give", Refuse: "refuse"}
_LOG = logging.getLogger("simpy.policies")
_T = TypeVar("_T", bound=Decision)


def open_policies(policies: Sequence[str | Policy]) -> list[Policy]:
    """The policies of these names; if one cannot be opened, those before it are closed.

    Raises:
        SimPyError: there is no such policy, it has no such option, or two of them name a model alike.

    >>> [policy.name for policy in open_policies(["stop"])]
    ['stop']
    """
    if isinstance(policies, str):
        raise SimPyError("policies are a list of names", hint=f"policies=[{policies!r}]")
    opened: list[Policy] = []
    try:
        for policy in policies:
            opened.append(open_policy(policy))
        names = [name for policy in opened for name in policy.models]
        for name in names:
            if names.count(name) > 1:
                raise SimPyError(f"two policies ask a model that they call {name!r}", hint="leave one of them out")
    except Exception:
        close_policies(opened)
        raise
    return opened


def close_policies(policies: Sequence[Policy]) -> None:
    """Close them all, whatever one of them says."""
    for policy in policies:
        try:
            policy.close()
        except Exception as error:
            _LOG.error("the policy %s could not be closed: %s", policy.name, fault(error))


class Guarded(Policy):
    """A policy whose faults are logged, and otherwise taken for ``None``; its decisions are counted.

    Args:
        policy: the policy.
        decided: called with its name and the kind of each decision.

    >>> class Broken(Policy):
    ...     name = "broken"
    ...     def before(self, question):
    ...         return 1 / 0
    >>> Guarded(Broken(), lambda name, decision: print(name, decision)).before(Question("complete", "x = "))
    broken failed
    """

    def __init__(self, policy: Policy, decided: Callable[[str, str], None] = lambda name, decision: None) -> None:
        self.name = policy.name  # type: ignore[misc]  # it stands for that policy
        self.holds = policy.holds
        self.logprobs = policy.logprobs
        self.models = policy.models
        self._policy = policy
        self._decided = decided

    def before(self, question: Question) -> Decision | None:
        """What the policy decides."""
        return self._asked(self._policy.before, question)

    def after(self, question: Question, answer: Answer) -> Ask | None:
        """What the policy decides."""
        return self._asked(self._policy.after, question, answer, word=AGAIN)

    def failed(self, question: Question, error: SimPyError) -> Ask | None:
        """What the policy decides."""
        return self._asked(self._policy.failed, question, error, word=AGAIN)

    def _asked(self, ask: Callable[..., _T | None], *about: Any, word: str = "") -> _T | None:
        try:
            decision = ask(*about)
            if decision is not None:
                self._decided(self.name, word or _WORDS[type(decision)])
        except Exception as error:
            _LOG.error("the policy %s failed, and the question goes on without it: %s", self.name, fault(error))
            self._decided(self.name, FAILED)
            return None
        return decision
