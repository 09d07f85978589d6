"""What the requests of one proxy share: its settings, its upstream, what converts them, its policies. ``handler`` handles each request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dualcode.server.convert import RequestConverter
from dualcode.server.keys import Keys
from dualcode.server.limiter import Limiter
from dualcode.server.readiness import Readiness
from dualcode.server.settings import Settings

if TYPE_CHECKING:
    from dualcode.server.metrics import Metrics
    from dualcode.server.proxy_policies import ProxyPolicies


class Proxy:
    """What is needed to answer requests by settings that never change.

    Args:
        settings: the settings.
        metrics: what is counted.
        requests: converts the requests, where another proxy has settings that are the same for it.
    """

    def __init__(self, settings: Settings, metrics: Metrics, requests: RequestConverter | None = None) -> None:
        from dualcode.server.upstream import Upstream  # its HTTP client is a heavy library

        self.settings = settings
        self.metrics = metrics
        self.requests = requests or RequestConverter(
            settings.dialect,
            constrain=settings.constrain,
            bare=settings.bare,
            numbers=settings.numbers,
            on_error=settings.on_error,
            edit_tools=settings.edit_tools,
            workers=settings.workers,
            memory=settings.memory,
        )
        self.upstream = Upstream(settings)
        self.policies: ProxyPolicies | None = None
        if settings.policies:
            from dualcode.server.proxy_policies import ProxyPolicies  # without policies, nothing of this is needed

            self.policies = ProxyPolicies(settings, metrics, self.requests.dialect)
        self.readiness = Readiness(self.upstream.unready)
        self.limiter = Limiter(settings.concurrency, settings.queue)
        self.keys = Keys(settings.api_keys, settings.upstream_key)
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Stay open while a request is being answered."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def close(self) -> None:
        """Close the connections to the upstream and the policies, after the running requests."""
        await self._idle.wait()
        await self.release()

    async def release(self) -> None:
        """Close them now."""
        await self.upstream.close()
        if self.policies is not None:
            await self.policies.close()
