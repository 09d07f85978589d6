"""How many requests run at once and how many wait."""

from __future__ import annotations

import asyncio
from types import TracebackType

from dualcode.server.refusals import RefusedError


class Limiter:
    """Lets a number of requests run at once; of the others some wait, in order, and the rest are refused.

    >>> async def three_at_once(limiter: Limiter) -> list[object]:
    ...     async def one() -> str:
    ...         async with limiter:
    ...             await asyncio.sleep(0)
    ...             return "in"
    ...     return await asyncio.gather(one(), one(), one(), return_exceptions=True)
    >>> asyncio.run(three_at_once(Limiter(1, 1)))
    ['in', 'in', RefusedError('the proxy is busy: 1 requests run and 1 wait')]
    """

    def __init__(self, limit: int, queue: int) -> None:
        self._limit = limit
        self._queue = queue
        self._waiting = 0
        self._places = asyncio.Semaphore(limit)

    async def __aenter__(self) -> None:
        if self._places.locked() and self._waiting >= self._queue:
            raise RefusedError(503, "busy", f"the proxy is busy: {self._limit} requests run and {self._waiting} wait", {"retry-after": "1"})
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._places.release()
