"""What the wrapper asks of a model: text in, pieces of text out. Nothing here knows SimPy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

COMPLETE, INFILL, CHAT = "complete", "infill", "chat"


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
        raw: the answers as the backend received them, for callers that want more than text.
    """

    task: str
    prompt: str = ""
    suffix: str = ""
    messages: Sequence[Mapping[str, Any]] = ()
    stream: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    raw: list[Any] = field(default_factory=list)


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
