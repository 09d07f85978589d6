"""Several policies in turn: the first sees a question first, and its answer last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dualcode.policies.protocol import Answer, Ask, Decision, Policy, Question
from simpy_grammar.errors import SimPyError


class Chain:
    """One question on its way through policies.

    Args:
        policies: the policies, the outermost first.
        question: the question as the person asked it.

    Attributes:
        decision: what is to be done now: ask a model, give an answer, or refuse.
        reasons: what was decided and why, in order, each with the name of its policy.

    >>> from dualcode.policies.protocol import Refuse
    >>> class Never(Policy):
    ...     name = "never"
    ...     def before(self, question):
    ...         return Refuse("it is late")
    >>> chain = Chain([Policy(), Never()], Question("complete", "x = "))
    >>> chain.decision, chain.reasons
    (Refuse(reason='it is late'), ['never: it is late'])
    """

    def __init__(self, policies: Sequence[Policy], question: Question) -> None:
        self._policies = policies
        self._asked: list[Question] = []
        self._asked_again: set[int] = set()
        self.reasons: list[str] = []
        self.decision: Decision = self._begin(0, question)

    @property
    def by(self) -> str:
        """The name of the policy whose decision this is; empty where a model is asked."""
        return "" if isinstance(self.decision, Ask) else self._policies[len(self._asked) - 1].name

    @property
    def question(self) -> Question:
        """The question that a model is asked; or as the policy saw it whose decision this is."""
        return self.decision.question if isinstance(self.decision, Ask) else self._asked[-1]

    @property
    def holds(self) -> bool:
        """Whether the person gets nothing before the answer has ended: a policy may still ask another model."""
        return any(policy.holds and number not in self._asked_again for number, policy in enumerate(self._outer))

    @property
    def logprobs(self) -> bool:
        """Whether a policy needs the probabilities of tokens."""
        return any(policy.logprobs and number not in self._asked_again for number, policy in enumerate(self._outer))

    @property
    def _outer(self) -> Sequence[Policy]:
        """The policies that see the answer."""
        return self._policies if isinstance(self.decision, Ask) else self._policies[: len(self._asked) - 1]

    def ended(self, answer: Answer) -> bool:
        """Show an answer to the policies; say whether it is kept. If it is not, ``decision`` is a new one."""
        return not self._again(lambda policy, question: policy.after(question, answer))

    def failed(self, error: SimPyError) -> bool:
        """Show the failure of a model to the policies; say whether it is final. If it is not, ``decision`` is a new one."""
        return not self._again(lambda policy, question: policy.failed(question, error))

    def _again(self, ask: Callable[[Policy, Question], Ask | None]) -> bool:
        """Whether a policy asks again, from the innermost on."""
        for number in range(len(self._outer) - 1, -1, -1):
            policy = self._policies[number]
            again = ask(policy, self._asked[number])
            if again is not None and policy.holds and number not in self._asked_again:
                self._asked_again.add(number)
                self.reasons.append(f"{policy.name}: {again.reason}")
                del self._asked[number + 1 :]
                self.decision = self._begin(number + 1, again.question)
                return True
        return False

    def _begin(self, number: int, question: Question) -> Decision:
        """Show a question to the policies from this number on."""
        for policy in self._policies[number:]:
            self._asked.append(question)
            decision = policy.before(question)
            if decision is None:
                continue
            self.reasons.append(f"{policy.name}: {decision.reason}")
            if not isinstance(decision, Ask):
                return decision
            question = decision.question
        return Ask(question, "")
