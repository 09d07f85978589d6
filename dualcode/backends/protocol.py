"""What the wrapper asks of a model: text in, pieces of text out. Nothing here knows SimPy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

COMPLETE, INFILL, CHAT = "complete", "infill", "chat"


LENGTH, END = "length", "end"
"""Why a model stopped: it was to write no more tokens, or it ended its answer."""


@dataclass
class Spent:
    """What a model spent on an answer, as far as the backend knows.

    Attributes:
        stopped: why it stopped: ``length``, ``end``, ``stop`` for a text in the option ``stop``, ``until`` if the answer was whole.
        limit: how many tokens it was to write at most.
        tokens: how many it wrote, including the one that ends the answer.
        steps: how many steps it took for them: fewer than tokens where a draft was accepted.
        logprob: mean natural logarithm of the probability of its tokens, in nats; only where ``Request.logprobs`` asks for it.
    """

    stopped: str = ""
    limit: int | None = None
    tokens: int | None = None
    steps: int | None = None
    logprob: float | None = None


@dataclass
class Request:
    """What the model is asked.

    Attributes:
        task: ``complete``, ``infill`` or ``chat``.
        prompt: the text to continue.
        suffix: for ``infill``, the text after the gap.
        messages: for ``chat``, the messages in OpenAI's form.
        stream: the caller wants pieces while they arrive; otherwise one piece is enough.
        options: other options of the caller, in OpenAI's words (``max_tokens``, ``temperature``, ``top_p``, ``stop``, ``seed``).
        is_whole: whether the beginning of an answer holds all that is wanted, so that the model may stop; a pure function. A backend need
            not ask it: the caller reads no further than it wants.
        end_of_unit: where ``is_whole`` is given, the offset in such a beginning after which nothing is wanted; ``None`` if more is.
        joins: whether an answer that ends the program joins on to the prompt as the person wrote it; a pure function, ``None`` if each
            does. A backend that holds a model to a grammar asks it before the model is asked.
        fits: for ``infill``, whether an answer joins prompt and suffix as the person wrote them; a pure function. ``None`` if the texts
            are the person's own.
        begun: for ``chat``, the beginning of the answer that the last message holds.
        logprobs: fill ``Spent.logprob``, where the backend can.
        raw: the answers as the backend received them, for callers that want more than text.
        spent: filled by the backend.
    """

    task: str
    prompt: str = ""
    suffix: str = ""
    messages: Sequence[Mapping[str, Any]] = ()
    stream: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    is_whole: Callable[[str], bool] | None = None
    end_of_unit: Callable[[str], int | None] | None = None
    joins: Callable[[str], bool] | None = None
    fits: Callable[[str], bool] | None = None
    begun: str = ""
    logprobs: bool = False
    raw: list[Any] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)


class Backend(Protocol):
    """A model. Closing a generator that ``run`` or ``arun`` gave stops the model."""

    @property
    def tasks(self) -> frozenset[str]:
        """The tasks that the model can do."""
        ...

    def run(self, request: Request) -> Generator[str, None, None]:
        """The model's text, in pieces.

        Raises:
            BackendError: the model failed.
        """
        ...

    def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        ...

    def count(self, text: str) -> int | None:
        """How many tokens a text is for this model, or ``None`` if that is not known."""
        ...
