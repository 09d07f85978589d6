"""Refuse: questions to complete code whose answers people would not keep are not asked (FrugalCoder: Sun et al., TOSEM 2024).

An estimator that was trained on one's own requests looks at the end of the prompt (``refuse_features``) and says how likely it is that the
answer is kept (``refuse_trees``). It is trained with ``simpy policy train``.
"""

from __future__ import annotations

import logging
import threading

from dualcode.policies.drift import CHANGED, Drift
from dualcode.policies.options import Options
from dualcode.policies.protocol import Policy, Question
from dualcode.policies.protocol import Refuse as Refusal
from dualcode.policies.refuse_features import FEATURES, features
from dualcode.policies.refuse_trees import SCORE, Estimator

_LOG = logging.getLogger(__name__)


class Refuse(Policy):
    """Refuses to complete or fill in code where the estimate is below the threshold. A chat is always answered.

    Args:
        estimator: what gives the estimate, or the file that holds it.
        threshold: refuse below; ``None`` for the one that training chose.

    Attributes:
        drift: what has been asked, compared with what the estimator was trained on.

    Raises:
        SimPyError: the file is not an estimator.

    >>> known = Estimator((((FEATURES.index("length"), 3.5, 1, 2), (-1, -2.0, 0, 0), (-1, 2.0, 0, 0)),), 0.0, 0.5, {}, {})
    >>> policy = Refuse(known)
    >>> policy.before(Question("complete", "x")).reason
    'the answer would be kept with a probability of 0.12, and 0.50 is asked for'
    >>> policy.before(Question("complete", "x = f(")), policy.before(Question("chat"))
    (None, None)
    """

    name = "refuse"

    def __init__(self, estimator: str | Estimator, threshold: float | None = None) -> None:
        self._estimator = Estimator.load(estimator) if isinstance(estimator, str) else estimator
        self.threshold = self._estimator.threshold if threshold is None else threshold
        used = set(self._estimator.used)
        known = {name: one for name, one in self._estimator.known.items() if name == SCORE or name in used}
        self._numbers = [-1 if name == SCORE else FEATURES.index(name) for name in known]
        self.drift = Drift(known)
        self._warned = False
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """Its name: it changes no answer."""
        return self.name

    def before(self, question: Question) -> Refusal | None:
        """Refuse, or let the question go on."""
        if question.is_chat or not question.prefix:
            return None
        found = features(question)
        estimate = self._estimator.estimate(found)
        found.append(estimate)  # it is number -1
        if changed := self.drift.add([found[number] for number in self._numbers]):
            self._warn(changed)
        if estimate >= self.threshold:
            return None
        reason = f"the answer would be kept with a probability of {estimate:.2f}, and {self.threshold:.2f} is asked for"
        return Refusal(reason + ("; requests have changed since training" if self.drift.changed else ""))

    def _warn(self, changed: str) -> None:
        """Say once that the estimates cannot be relied on any more."""
        with self._lock:
            if self._warned:
                return
            self._warned = True
        _LOG.warning(
            "requests are not as they were when the estimator of the policy refuse was trained: "
            "%s has a population stability index of %.2f; train it anew with `simpy policy train`",
            changed,
            self.drift.changed.get(changed, CHANGED),  # another thread may have found that it is over
        )


def open_policy(options: Options) -> Refuse:
    """The policy, with ``file=FILE`` and ``threshold=PROBABILITY``."""
    estimator = Estimator.load(options.text("file", "refuse.json"))
    return Refuse(estimator, options.number("threshold", estimator.threshold, most=1.0))
