"""Whether the upstream answers, asked at most every few seconds, however often ``/ready`` is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

FRESH = 5.0
"""Seconds for which an answer holds."""


class Ready(NamedTuple):
    """An answer.

    Attributes:
        ready: whether the upstream answers.
        reason: why it is not ready; empty where it is.
    """

    ready: bool
    reason: str = ""


class Readiness:
    """Remembers whether the upstream answered.

    Args:
        ask: asks it; gives why it is not ready, or nothing.
        fresh: seconds for which an answer holds.

    >>> async def ask() -> str:
    ...     return "it is not there"
    >>> asyncio.run(Readiness(ask).get())
    Ready(ready=False, reason='it is not there')
    """

    def __init__(self, ask: Callable[[], Awaitable[str]], fresh: float = FRESH) -> None:
        self._ask = ask
        self._fresh = fresh
        self._known = Ready(False, "the upstream has not been asked yet")
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def get(self) -> Ready:
        """The answer, new or remembered; who asks while it is on its way waits for it."""
        async with self._asking:
            if time.monotonic() >= self._until:
                reason = await self._ask()
                self._known = Ready(not reason, reason)
                self._until = time.monotonic() + self._fresh
            return self._known
