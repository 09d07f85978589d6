"""The proxy put together: its routes, its start and its end. ``service`` changes its settings, ``handler`` handles each request."""

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

from dualcode.server.apis.protocol import openai_error
from dualcode.server.handler import CONVERTED_HEADER, NOTES_HEADER, POLICIES_HEADER, REQUEST_ID_HEADER
from dualcode.server.refusals import RefusedError
from dualcode.server.service import Service
from dualcode.server.settings import Settings

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_app(settings: Settings) -> Starlette:
    """The proxy as an ASGI application.

    Raises:
        SimPyError: the upstream is not a URL, or there is no such dialect.

    >>> app = create_app(Settings("http://127.0.0.1:8000/v1"))
    >>> [route.path for route in app.routes]
    ['/health', '/ready', '/metrics', '/{path:path}']
    """
    return _app_of(Service(settings))


def _app_of(service: Service) -> Starlette:
    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        answer = await service.proxy.readiness.get()
        if answer.ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": answer.reason}, 503)

    async def show_metrics(request: Request) -> Response:
        try:
            service.proxy.keys.admit(request.headers.raw)
        except RefusedError as refused:
            return JSONResponse(openai_error(refused.code, str(refused)), refused.status, refused.headers)
        return Response(service.metrics.page(), headers={"content-type": _METRICS_TYPE})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.close()

    own = [Route("/health", health), Route("/ready", ready), Route("/metrics", show_metrics)]
    return Starlette(routes=[*own, Route("/{path:path}", service)], middleware=_cors(service.proxy.settings.cors), lifespan=lifespan)


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """What lets web pages of these origins use the proxy."""
    if not origins:
        return []
    shown = [name.decode() for name in (NOTES_HEADER, CONVERTED_HEADER, POLICIES_HEADER, REQUEST_ID_HEADER)]
    shown += ["request-id", "x-request-id", "retry-after"]
    anything = ["*"]
    return [Middleware(CORSMiddleware, allow_origins=origins, allow_methods=anything, allow_headers=anything, expose_headers=shown)]


class ProxyServer(uvicorn.Server):
    """The proxy as a server.

    Attributes:
        service: what answers; its settings can be changed.
    """

    def __init__(self, service: Service, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.service = service


def create_server(settings: Settings) -> ProxyServer:
    """The proxy as a server for ``run(sockets=[...])``; it finishes the running requests before it stops.

    Raises:
        SimPyError: the upstream is not a URL, or there is no such dialect.
    """
    service = Service(settings)
    config = uvicorn.Config(
        _app_of(service),
        log_config=None,  # logging is set up by whoever starts the server
        log_level="warning",
        access_log=False,
        ws="none",
        server_header=False,  # the upstream's own headers go through
        date_header=False,
        timeout_graceful_shutdown=max(1, round(settings.grace)),
    )
    return ProxyServer(service, config)
