"""What a policy is. The wrapper and the proxy both ask policies; what they see is the person's Python, never the dialect."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from dualcode.backends.protocol import CHAT
from simpy_grammar.errors import SimPyError


@dataclass(frozen=True)
class Question:
    """What a model is asked, as the person wrote it.

    Attributes:
        task: ``complete``, ``infill`` or ``chat``.
        prefix: for ``complete`` and ``infill``, the Python before the answer.
        suffix: for ``infill``, the Python after it.
        messages: for ``chat``, the messages; in a proxy as the API of the request has them.
        until: the unit at whose end the answer ends (see ``dualcode.conversion.units``); ``None`` for none.
        options: everything else that was asked for, in the API's words: ``max_tokens``, ``temperature``, ``stop``, ...; in a proxy all
            other fields of the request, ``model`` among them.
        model: which model is asked: a key of ``Policy.models``, or empty for the one that would be asked without policies.
        dialect: what the model reads and writes.
        path: in a proxy, the API (``/chat/completions``); empty in the wrapper.
        tenant: in a proxy, a digest of the key that the request came with, and of its headers and URL as far as they may choose the
            answer: what one client asked is not for another.
        identity: what tells the models behind, and the way in which they are asked, from others (see ``dualcode.policies.identity``).
    """

    task: str
    prefix: str = ""
    suffix: str = ""
    messages: Sequence[Mapping[str, Any]] = ()
    until: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    dialect: str = "compact"
    path: str = ""
    tenant: str = ""
    identity: str = ""

    @property
    def is_chat(self) -> bool:
        """Whether the question is a conversation.

        >>> Question("chat").is_chat, Question("complete").is_chat
        (True, False)
        """
        return self.task == CHAT


@dataclass(frozen=True)
class Answer:
    """What a model, or a policy in its place, gave.

    Attributes:
        text: the answer as the model wrote it, in the dialect; in a proxy the texts of all choices, one after the other.
        python: the answer as the person gets it.
        stopped: why it ended: ``end``, ``length``, ``stop`` or ``until`` (see ``dualcode.backends.protocol.Spent``); empty if not known.
        tokens: how many tokens the model wrote; ``None`` if it does not say.
        logprob: mean natural logarithm of the probability of its tokens, in nats; ``None`` if the model does not say.
        notes: how many parts could not be converted.
        seconds: how long the model took.
        model: which model answered, as in ``Question``.
        by: the name of the policy that gave it; empty for a model.
        until: the unit at whose end the model was stopped or is to be cut; ``None`` if the text ends by itself.
        body: in a proxy, the bytes of the upstream's answer before conversion; empty in the wrapper.
        media_type: of ``body``.
    """

    text: str
    python: str = ""
    stopped: str = ""
    tokens: int | None = None
    logprob: float | None = None
    notes: int = 0
    seconds: float = 0.0
    model: str = ""
    by: str = ""
    until: str | None = None
    body: bytes = b""
    media_type: str = ""


@dataclass(frozen=True)
class Ask:
    """Go on with this question. After an answer: ask again, and forget that answer."""

    question: Question
    reason: str


@dataclass(frozen=True)
class Give:
    """Answer at once; the model is not asked. ``answer`` needs ``text``, and in a proxy ``body`` and ``media_type``."""

    answer: Answer
    reason: str


@dataclass(frozen=True)
class Refuse:
    """Answer nothing, and say why; the model is not asked."""

    reason: str


Decision = Ask | Give | Refuse


class Policy:
    """A policy that leaves everything as it is; others override what they need. A policy is used by many threads at once.

    Attributes:
        name: one word: its name in the registry, in notes and in figures.
        holds: the person gets nothing before ``after`` has seen the whole answer; only then may it ask again, and once for a question.
        logprobs: ``after`` needs ``Answer.logprob``.
        models: other models that questions may name: a backend, or what opens one (a folder, a URL; in a proxy the name of a model of
            the same upstream, or ``URL#NAME``).

    >>> policy = Policy()
    >>> policy.before(Question("complete", "x = ")), policy.after(Question("complete", "x = "), Answer("1"))
    (None, None)
    """

    name: ClassVar[str] = "policy"
    holds: bool = False
    logprobs: bool = False
    models: Mapping[str, Any] = {}

    @property
    def identity(self) -> str:
        """What tells this policy from one that would make another answer of what the same models say, since what was cached with one is not
        for the other. A policy of one's own is another one each time, unless it says something here.
        """
        return uuid.uuid4().hex

    def before(self, question: Question) -> Decision | None:
        """What to do with a question; ``None`` to go on with it as it is."""
        return None

    def after(self, question: Question, answer: Answer) -> Ask | None:
        """What to do after the answer to a question that ``before`` let go on; ``None`` to keep the answer.

        Args:
            question: the question that ``before`` was given.
            answer: the answer, of the model or of a policy that stands behind this one.
        """
        return None

    def failed(self, question: Question, error: SimPyError) -> Ask | None:
        """What to do where the model failed; ``None`` to leave the error to the person. As with ``after``, only a policy that ``holds``
        may ask again.

        Args:
            question: the question that ``before`` was given.
            error: what the model failed with.
        """
        return None

    def close(self) -> None:
        """Let go of files and connections."""
