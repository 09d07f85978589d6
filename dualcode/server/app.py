"""The proxy put together: its routes, its start and its end. ``handler`` handles each request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dualcode.server.handler import CONVERTED_HEADER, NOTES_HEADER, Proxy
from dualcode.server.metrics import Metrics
from dualcode.server.settings import Settings

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_app(settings: Settings) -> Starlette:
    """The proxy as an ASGI application.

    Raises:
        SimPyError: the upstream is not a URL, or there is no such dialect.

    >>> app = create_app(Settings("http://127.0.0.1:8000/v1"))
    >>> [route.path for route in app.routes]
    ['/health', '/metrics', '/{path:path}']
    """
    metrics = Metrics(settings.count_tokens)
    proxy = Proxy(settings, metrics)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def show_metrics(request: Request) -> Response:
        return Response(metrics.page(), headers={"content-type": _METRICS_TYPE})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await proxy.upstream.close()

    routes = [Route("/health", health), Route("/metrics", show_metrics), Route("/{path:path}", proxy)]
    return Starlette(routes=routes, middleware=_cors(settings.cors), lifespan=lifespan)


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """What lets web pages of these origins use the proxy."""
    if not origins:
        return []
    shown = [name.decode() for name in (NOTES_HEADER, CONVERTED_HEADER)]
    shown += ["request-id", "x-request-id", "retry-after"]
    anything = ["*"]
    return [Middleware(CORSMiddleware, allow_origins=origins, allow_methods=anything, allow_headers=anything, expose_headers=shown)]


def create_server(settings: Settings) -> uvicorn.Server:
    """The proxy as a server for ``run(sockets=[...])``; it finishes the running requests before it stops."""
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,  # logging is set up by whoever starts the server
        log_level="warning",
        access_log=False,
        ws="none",
        server_header=False,  # the upstream's own headers go through
        date_header=False,
        timeout_graceful_shutdown=max(1, round(settings.grace)),
    )
    return uvicorn.Server(config)
