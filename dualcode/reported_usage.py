"""The tokens that a server says it spent, read from its answers and from the events of its streams: one row per API.

Servers report the same things under different names, and OpenAI counts cached tokens among those of the prompt where Anthropic
does not. Here ``uncached`` is what was read anew, whatever the API. What is missing or makes no sense is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_MOST = 10**12  # tokens of one call; more is nonsense


@dataclass(frozen=True)
class ReportedUsage:
    """Tokens, as a server counts them.

    Attributes:
        uncached: tokens of the request that were read anew.
        cached: tokens of the request that came from a cache.
        written_to_cache: those of ``uncached`` that were written to a cache, which some servers charge more for.
        output: tokens of the answer, hidden reasoning included.

    >>> ReportedUsage(1, 2, 0, 3) + ReportedUsage(1, 0, 1, 1)
    ReportedUsage(uncached=2, cached=2, written_to_cache=1, output=4)
    """

    uncached: int = 0
    cached: int = 0
    written_to_cache: int = 0
    output: int = 0

    def __add__(self, other: ReportedUsage) -> ReportedUsage:
        return ReportedUsage(
            self.uncached + other.uncached,
            self.cached + other.cached,
            self.written_to_cache + other.written_to_cache,
            self.output + other.output,
        )


class Shape(NamedTuple):
    """Where the answers of an API hold their usage.

    Attributes:
        read: the field with the tokens of the request.
        output: the field with the tokens of the answer.
        cached: the field with the cached tokens, inside another object if there are two names.
        written: the field with those written to a cache; empty if the API does not tell.
        includes_cached: whether ``read`` includes the cached tokens; otherwise neither they nor those written are in it.
        holder: the field of an event that holds the answer; empty where events look like answers.
    """

    read: str
    output: str
    cached: tuple[str, ...]
    written: str = ""
    includes_cached: bool = True
    holder: str = ""


_CHAT = Shape("prompt_tokens", "completion_tokens", ("prompt_tokens_details", "cached_tokens"))
SHAPES: Mapping[str, Shape] = {
    "/chat/completions": _CHAT,
    "/completions": _CHAT,
    "/responses": Shape("input_tokens", "output_tokens", ("input_tokens_details", "cached_tokens"), holder="response"),
    "/messages": Shape(
        "input_tokens",
        "output_tokens",
        ("cache_read_input_tokens",),
        written="cache_creation_input_tokens",
        includes_cached=False,
        holder="message",
    ),
}
"""By path under ``/v1``."""


class UsageReader:
    """Reads what one answer reports, whole or event by event.

    Events report sums so far, some of them only a part: of each count the last one that is not 0 holds. OpenAI's chat reports in the
    last chunk, if the request asked for it (``include_usage``), Responses in the event that ends the answer, and Anthropic the
    request in ``message_start`` and the answer in ``message_delta``.

    Args:
        path: a path under ``/v1``; one that is not in ``SHAPES`` reports nothing.

    >>> reader = UsageReader("/messages")
    >>> reader.add({"type": "message_start", "message": {"usage": {"input_tokens": 20, "cache_read_input_tokens": 64, "output_tokens": 1}}})
    >>> reader.add({"type": "message_delta", "usage": {"output_tokens": 7}})
    >>> reader.usage
    ReportedUsage(uncached=20, cached=64, written_to_cache=0, output=7)
    """

    def __init__(self, path: str) -> None:
        self._shape = SHAPES.get(path)
        self._counts: dict[str, int] = {}

    def add(self, answer: Mapping[str, Any]) -> None:
        """Read a whole answer, or the next event."""
        shape = self._shape
        if shape is None:
            return
        held = answer.get(shape.holder)
        usage = (held if isinstance(held, Mapping) else answer).get("usage")
        for name, path in (("read", (shape.read,)), ("output", (shape.output,)), ("cached", shape.cached), ("written", (shape.written,))):
            if found := _tokens(usage, path):
                self._counts[name] = found

    @property
    def usage(self) -> ReportedUsage | None:
        """What was reported so far; ``None`` if nothing was."""
        shape, counts = self._shape, self._counts
        if shape is None or not counts:
            return None
        read, cached, written = (counts.get(name, 0) for name in ("read", "cached", "written"))
        if shape.includes_cached:
            cached = min(cached, read)
            return ReportedUsage(read - cached, cached, min(written, read - cached), counts.get("output", 0))
        return ReportedUsage(read + written, cached, written, counts.get("output", 0))


def reported_usage(path: str, answer: Mapping[str, Any]) -> ReportedUsage | None:
    """What a whole answer reports; ``None`` if nothing.

    >>> usage = {"prompt_tokens": 90, "prompt_tokens_details": {"cached_tokens": 64}, "completion_tokens": 7}
    >>> reported_usage("/chat/completions", {"usage": usage})
    ReportedUsage(uncached=26, cached=64, written_to_cache=0, output=7)
    """
    reader = UsageReader(path)
    reader.add(answer)
    return reader.usage


def _tokens(held: object, path: tuple[str, ...]) -> int:
    """A count; 0 where there is none, or none that makes sense."""
    for name in path:
        held = held.get(name) if isinstance(held, Mapping) else None
    return held if type(held) is int and 0 < held <= _MOST else 0
