"""The handler of one request: from its first byte to the last of its answer, whatever either side does on the way.

``convert`` and ``answers`` decide what is converted, ``upstream`` reaches the server behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import httpx
from starlette.types import Receive, Scope, Send

from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import ConvertedRequest
from dualcode.server.apis.registry import APIS, Location
from dualcode.server.convert import RequestConverter
from dualcode.server.limiter import Limiter
from dualcode.server.metrics import Metrics
from dualcode.server.refusals import RefusedError, not_converted
from dualcode.server.settings import Settings
from dualcode.server.sse import Event, EventReader
from dualcode.server.upstream import CONVERT_HEADER, Headers, Upstream, readable, refusal_of, request_headers, response_headers, together
from simpy_grammar.errors import SimPyError

NOTES_HEADER = b"x-simpy-notes"  # how many parts were not converted
CONVERTED_HEADER = b"x-simpy-converted"  # why nothing was converted
_LOG = logging.getLogger("simpy.serve")
_IN_THREAD = 1 << 16  # bytes of a body above which it is converted in a thread, so that the other requests do not wait
_T = TypeVar("_T")


class Proxy:
    """Answers everything that the upstream is to answer; an ASGI application."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.requests = RequestConverter(settings.dialect, bare=settings.bare, on_error=settings.on_error, edit_tools=settings.edit_tools)
        self.upstream = Upstream(settings)
        self.limiter = Limiter(settings.concurrency, settings.queue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # as ASGI says
        await Handler(self, scope, receive, send).run()


class Handler:
    """One request and its answer."""

    def __init__(self, proxy: Proxy, scope: Scope, receive: Receive, send: Send) -> None:
        self._proxy = proxy
        self._settings = proxy.settings
        self._scope = scope
        self._receive = receive
        self._send_message = send
        raw: bytes = scope["raw_path"]
        self._raw_path = raw.decode("ascii", "replace")
        self._location = Location.of(self._raw_path)
        self._request = ConvertedRequest(b"")
        self._answer: AnswerConverter | None = None
        self._status = 0
        self._conversion = 0.0

    async def run(self) -> None:
        """Answer the request."""
        start = time.perf_counter()
        self._proxy.metrics.started()
        try:
            try:
                if any(part in ("..", ".") for part in self._scope["path"].split("/")):
                    raise RefusedError(404, "not_found", "there is no such path")
                async with self._proxy.limiter:
                    body = await self._read_body()
                    if body is not None:
                        await _while_there(self._receive, self._respond(body))
            except SimPyError as error:
                await self._send_error(not_converted(error))
            except RefusedError as refused:
                self._proxy.metrics.refused(refused.code)
                await self._send_error(refused)
        finally:
            self._account(time.perf_counter() - start)

    async def _read_body(self) -> bytes | None:
        """The request's body; ``None`` if the client went away."""
        limit = self._settings.max_body
        too_large = RefusedError(413, "too_large", f"the request has more than {limit} bytes")
        declared = dict(self._scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise too_large
        parts: list[bytes] = []
        size = 0

        async def read() -> bool:
            nonlocal size
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    return False
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
                if not message.get("more_body", False):
                    return True

        try:
            whole = await asyncio.wait_for(read(), self._settings.body_timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise RefusedError(408, "too_slow", "the request took too long to arrive") from None
        return b"".join(parts) if whole else None

    async def _respond(self, body: bytes) -> None:
        method = self._scope["method"]
        if method == "POST":
            tool_results = self._asks_for_tool_results() or self._settings.tool_results
            convert = partial(self._proxy.requests.convert, self._location.path, body, tool_results=tool_results)
            self._request = await self._convert(len(body), convert)
        else:
            self._request = self._proxy.requests.convert(self._location.path, body, method=method)
        request, api = self._request, self._request.api
        headers = request_headers(self._scope["headers"], readable=api is not None)
        query = self._scope["query_string"].decode("ascii", "replace")
        try:
            response = await self._proxy.upstream.send(method, self._location, query, headers, request.body)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise refusal_of(error) from None
        try:
            content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if api is None or response.status_code != 200:
                await self._pass_on(response)
            elif not readable(response):
                await self._pass_on(response, "the answer is compressed in a way that is not read")
            elif content_type == "text/event-stream":
                await self._stream(response, AnswerConverter(request, api, self._settings.max_answer))
            elif content_type == "application/json":
                await self._whole(response, AnswerConverter(request, api, self._settings.max_answer))
            else:
                await self._pass_on(response, "the answer is neither JSON nor events")
        finally:
            await response.aclose()

    def _asks_for_tool_results(self) -> bool:
        """Whether the client wants the results of tools converted."""
        asked = b",".join(value for name, value in self._scope["headers"] if name == CONVERT_HEADER)
        words = [word.strip().lower() for word in asked.split(b",") if word.strip()]
        if any(word != b"tool" for word in words):
            raise RefusedError(400, "bad_header", "the header x-simpy-convert knows the word tool only")
        return bool(words)

    async def _pass_on(self, response: httpx.Response, unconverted: str = "") -> None:
        """Pass the answer on while it arrives; ``unconverted`` says why, where it could have been converted.

        Where it breaks off, so does ours: an answer left open makes the server close the connection.
        """
        headers = response_headers(response, rewritten=False)
        await self._start(response.status_code, headers, len(self._request.notes), self._request.unconverted or unconverted)
        try:
            async for piece in response.aiter_raw():
                await self._send(piece)
        except httpx.HTTPError as error:
            _LOG.warning("the upstream broke off: %s", type(error).__name__)
            return
        await self._send(b"", more=False)

    async def _whole(self, response: httpx.Response, answer: AnswerConverter) -> None:
        """Convert an answer in one piece of JSON."""
        self._answer = answer
        headers = response_headers(response, rewritten=True)
        parts: list[bytes] = []
        size = 0
        passing = False
        try:
            async for piece in response.aiter_bytes():
                if passing:
                    await self._send(piece)
                    continue
                parts.append(piece)
                size += len(piece)
                if size > self._settings.max_answer:
                    passing = True
                    answer.notes.append("not converted: a very large answer")
                    await self._start(response.status_code, headers, len(self._request.notes) + 1)
                    await self._send(b"".join(parts))
        except httpx.HTTPError as error:
            if passing:
                return
            raise refusal_of(error) from None
        if passing:
            await self._send(b"", more=False)
            return
        received = b"".join(parts)
        body = await self._convert(len(received), lambda: answer.whole(received))
        headers.append((b"content-length", str(len(body)).encode()))
        await self._start(response.status_code, headers, len(self._request.notes) + len(answer.notes))
        await self._send(body, more=False)

    async def _stream(self, response: httpx.Response, answer: AnswerConverter) -> None:
        """Convert an answer that is a stream of events."""
        self._answer = answer
        await self._start(response.status_code, response_headers(response, rewritten=True), len(self._request.notes))
        async with aclosing(together(response.aiter_bytes())) as pieces:
            await self._send_events(pieces, answer)

    async def _send_events(self, pieces: AsyncIterator[bytes], answer: AnswerConverter) -> None:
        reader = EventReader()
        passing = False
        try:
            async for piece in pieces:
                if passing:
                    await self._send(piece)
                    continue
                start = time.perf_counter()
                out = answer.events(reader.feed(piece))
                self._conversion += time.perf_counter() - start
                if len(reader) > self._settings.max_answer:
                    passing = True
                    answer.notes.append("not converted: a very large event")
                    out += answer.finish() + reader.take()
                if out:
                    await self._send(out)
        except httpx.HTTPError as error:
            _LOG.warning("the upstream broke off: %s", type(error).__name__)
            await self._send(answer.finish() + answer.error(refusal_of(error)), more=False)
            return
        except SimPyError as error:
            await self._send(answer.error(not_converted(error)), more=False)
            return
        rest = reader.take()
        last = answer.event(Event(rest)) if rest else b""
        held = answer.finish()
        await self._send(held + last if last == rest else last + held, more=False)

    async def _convert(self, size: int, convert: Callable[[], _T]) -> _T:
        start = time.perf_counter()
        try:
            return await asyncio.to_thread(convert) if size > _IN_THREAD else convert()
        finally:
            self._conversion += time.perf_counter() - start

    async def _start(self, status: int, headers: Headers, notes: int, unconverted: str = "") -> None:
        self._status = status
        if notes:
            headers = [*headers, (NOTES_HEADER, str(notes).encode())]
        if unconverted:
            headers = [*headers, (CONVERTED_HEADER, f"no; {unconverted}".encode())]
        await self._send_message({"type": "http.response.start", "status": status, "headers": headers})

    async def _send(self, body: bytes, *, more: bool = True) -> None:
        await self._send_message({"type": "http.response.body", "body": body, "more_body": more})

    async def _send_error(self, refused: RefusedError) -> None:
        body = refused.body(APIS.get(self._location.path))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        if refused.status in (408, 413):
            headers.append((b"connection", b"close"))  # the rest of the request is still on its way
        await self._start(refused.status, headers, 0)
        await self._send(body, more=False)

    def _account(self, seconds: float) -> None:
        request, answer, metrics = self._request, self._answer, self._proxy.metrics
        notes = len(request.notes) + (len(answer.notes) if answer else 0)
        model = request.model
        metrics.ended(self._location.path, self._status, seconds=seconds, conversion=self._conversion, notes=notes, model=model)
        metrics.count("in", request.texts, model=model)
        if answer:
            metrics.count("out", answer.texts, model=model)
            metrics.reported(answer.usage, model=model)
        if request.edits is not None:
            metrics.edits(request.edits, model=model)
        _LOG.info(
            "%s %s %s %d ms, %.1f ms of it conversion%s",
            self._scope["method"],
            self._raw_path[:200],
            self._status or "client gone",
            seconds * 1000,
            self._conversion * 1000,
            f", {notes} passed unconverted" if notes else "",
        )
        if self._settings.log_prompts:
            _LOG.info("asked, as Python: %s", json.dumps(request.texts.python))
            _LOG.info("asked, as sent: %s", json.dumps(request.texts.sent))
            if answer:
                _LOG.info("answered: %s", json.dumps("".join(answer.texts.sent)))
                _LOG.info("answered, as Python: %s", json.dumps("".join(answer.texts.python)))


async def _while_there(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work, but stop it when the client goes away."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
