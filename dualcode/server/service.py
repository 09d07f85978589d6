"""A proxy whose settings can be changed while it runs: requests in flight end by those with which they began."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from dualcode.server.convert import RequestConverter
from dualcode.server.handler import Handler
from dualcode.server.logs import log
from dualcode.server.metrics import Metrics
from dualcode.server.proxy import Proxy
from dualcode.server.settings import Settings

FIXED = ("workers", "memory", "cors", "grace", "count_tokens")
"""Settings that do not change while the proxy runs."""
_OF_CONVERSION = ("dialect", "constrain", "bare", "numbers", "on_error", "edit_tools")


class Service:
    """One proxy after the other; an ASGI application.

    Args:
        settings: the first settings.

    Attributes:
        metrics: what is counted, through all changes.
        proxy: the proxy that gets the next request.
    """

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics(settings.count_tokens)
        self.proxy = Proxy(settings, self.metrics)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._closing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # as ASGI says
        proxy = self.proxy
        with proxy.answering():
            await _handler_for(proxy)(proxy, scope, receive, send).run()

    async def start(self) -> None:
        """Get ready for requests."""
        self._loop = asyncio.get_running_loop()
        self.proxy.requests.start()
        self._started.set()

    async def close(self) -> None:
        """Close everything; the server has ended the requests, or given up on them."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self.proxy.release()
        await asyncio.to_thread(self.proxy.requests.close)

    def change(self, settings: Settings) -> None:
        """Answer the requests that come from now on by other settings; called from any thread but that of the event loop.

        Those that are ``FIXED`` stay as they are.

        Raises:
            SimPyError: the upstream is not a URL, or there is no such dialect. Nothing has changed then.
        """
        self._started.wait()
        loop, before = self._loop, self.proxy
        if loop is None:
            return
        settings = replace(settings, **{name: getattr(before.settings, name) for name in FIXED})
        same = all(getattr(settings, name) == getattr(before.settings, name) for name in _OF_CONVERSION)
        after = Proxy(settings, self.metrics, before.requests if same else None)
        if not same:
            after.requests.start()

        def change() -> None:
            self.proxy = after
            task = loop.create_task(_retire(before, None if same else before.requests))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        loop.call_soon_threadsafe(change)
        log(logging.INFO, "the settings were read again")


def _handler_for(proxy: Proxy) -> type[Handler]:
    """What handles the requests of a proxy."""
    if proxy.policies is None:
        return Handler
    from dualcode.server.policed_handler import PolicedHandler  # without policies, nothing of this is needed

    return PolicedHandler


async def _retire(proxy: Proxy, requests: RequestConverter | None) -> None:
    """Close a proxy after its last request, and what converts its requests unless that is still in use."""
    try:
        await proxy.close()
    finally:
        if requests is not None:
            await asyncio.to_thread(requests.close)
