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

from dualcode.faults import fault
from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import ConvertedRequest
from dualcode.server.apis.registry import APIS, Location
from dualcode.server.convert import CONVERT_HEADER
from dualcode.server.keys import Headers
from dualcode.server.logs import REQUEST_ID, id_of, log, request_id
from dualcode.server.proxy import Proxy
from dualcode.server.refusals import RefusedError, not_converted
from dualcode.server.sse import Event, EventReader
from dualcode.server.upstream import (
    Upstream,
    cause,
    readable,
    refusal_of,
    request_headers,
    response_headers,
    together,
)
from dualcode.server.workers import LONG
from simpy_grammar.errors import SimPyError

NOTES_HEADER = b"x-simpy-notes"  # how many parts were not converted
CONVERTED_HEADER = b"x-simpy-converted"  # why nothing was converted
POLICIES_HEADER = b"x-simpy-policies"  # what policies decided, and why
REQUEST_ID_HEADER = b"x-simpy-request-id"  # the id in the log, where the upstream gives the answer one of its own
GONE = "the client went away"
_T = TypeVar("_T")


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
        self._failure = ""  # why the client does not get what it asked for
        self._decisions: list[str] = []  # what policies decided
        self._discarded: list[tuple[ConvertedRequest, AnswerConverter]] = []  # answers that a policy did not keep
        self._given = False  # the answer is that of a policy, and the upstream was not asked for it
        self._id = id_of(scope["headers"])
        self._upstream_id = ""

    async def run(self) -> None:
        """Answer the request."""
        start = time.perf_counter()
        request_id.set(self._id)
        self._proxy.metrics.started()
        try:
            try:
                if any(part in ("..", ".") for part in self._scope["path"].split("/")):
                    raise RefusedError(404, "not_found", "there is no such path")
                self._proxy.keys.admit(self._scope["headers"])
                async with self._proxy.limiter:
                    body = await self._read_body()
                    if body is None or not await _while_there(self._receive, self._respond(body)):
                        self._failure = self._failure or GONE
            except SimPyError as error:
                self._failure = f"not converted: {error.message}"
                await self._send_error(not_converted(error))
            except RefusedError as refused:
                self._failure = self._failure or str(refused)
                self._proxy.metrics.refused(refused.code)
                await self._send_error(refused)
        except asyncio.CancelledError:
            self._failure = "the server stopped"
            raise
        except Exception as error:
            self._failure = fault(error)
            raise
        finally:
            await self._account(time.perf_counter() - start)

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
        self._request = await self._convert_request(body)
        response = await self._ask()
        try:
            await self._answer_with(response)
        finally:
            await response.aclose()

    async def _convert_request(self, body: bytes) -> ConvertedRequest:
        method = self._scope["method"]
        if method != "POST":
            return self._proxy.requests.convert(self._location.path, body, method=method)
        tool_results = self._asks_for_tool_results() or self._settings.tool_results
        return await self._convert(len(body), partial(self._proxy.requests.convert, self._location.path, body, tool_results=tool_results))

    async def _ask(self) -> httpx.Response:
        """Send the converted request to the upstream."""
        headers = self._proxy.keys.outgoing(self._headers_on(), self._location)
        return await self._ask_at(self._proxy.upstream, self._location, self._query, headers)

    def _headers_on(self) -> Headers:
        """The headers of the client that go on."""
        return request_headers(self._scope["headers"], readable=self._request.api is not None)

    @property
    def _query(self) -> str:
        query: bytes = self._scope["query_string"]
        return query.decode("ascii", "replace")

    async def _ask_at(self, upstream: Upstream, location: Location, query: str, headers: Headers) -> httpx.Response:
        headers = [*headers, (REQUEST_ID, self._id.encode())]
        try:
            response = await upstream.send(self._scope["method"], location, query, headers, self._request.body)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise self._refusal(error) from None
        self._upstream_id = response.headers.get("x-request-id", response.headers.get("request-id", ""))
        if response.status_code >= 400:
            self._failure = f"the upstream answered {response.status_code}"
        return response

    async def _answer_with(self, response: httpx.Response) -> None:
        """Give the upstream's answer to the client, converted where that can be done."""
        request, api = self._request, self._request.api
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

    def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The answer as it arrives."""
        return response.aiter_bytes()

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
            self._refusal(error)
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
            async for piece in self._pieces(response):
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
            refused = self._refusal(error)
            if passing:
                return
            raise refused from None
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
        async with aclosing(together(self._pieces(response))) as pieces:
            await self._send_events(pieces, answer)

    async def _send_events(self, pieces: AsyncIterator[bytes], answer: AnswerConverter) -> None:
        reader = EventReader()
        passing = False
        try:
            async for piece in pieces:
                if passing:
                    await self._send(piece)
                    continue
                events = reader.feed(piece)
                out = await self._convert(LONG if answer.may_take_long(piece) else 0, partial(answer.events, events))
                if len(reader) > self._settings.max_answer:
                    passing = True
                    answer.notes.append("not converted: a very large event")
                    out += answer.finish() + reader.take()
                if answer.is_over:  # leaving closes the upstream's stream
                    await self._send(out + answer.stop(), more=False)
                    return
                if out:
                    await self._send(out)
        except httpx.HTTPError as error:
            await self._send(answer.finish() + answer.error(self._refusal(error)), more=False)
            return
        except SimPyError as error:
            self._failure = f"not converted: {error.message}"
            await self._send(answer.error(not_converted(error)), more=False)
            return
        rest = reader.take()

        def end() -> bytes:
            last = answer.event(Event(rest)) if rest else b""
            held = answer.finish()
            return held + last if last == rest else last + held

        await self._send(await self._convert(LONG if answer.may_take_long(rest) else 0, end), more=False)

    async def _convert(self, size: int, convert: Callable[[], _T]) -> _T:
        start = time.perf_counter()
        try:
            return await asyncio.to_thread(convert) if size >= LONG else convert()
        finally:
            self._conversion += time.perf_counter() - start

    async def _start(self, status: int, headers: Headers, notes: int, unconverted: str = "") -> None:
        self._status = status
        taken = REQUEST_ID in [name for name, _ in headers]
        headers = [*headers, (REQUEST_ID_HEADER if taken else REQUEST_ID, self._id.encode())]
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
        if refused.status in (401, 408, 413):
            headers.append((b"connection", b"close"))  # the rest of the request is still on its way
        await self._start(refused.status, headers, 0)
        await self._send(body, more=False)

    def _refusal(self, error: Exception) -> RefusedError:
        """The refusal for a failure of the upstream, whose cause goes into the log."""
        refused = refusal_of(error)
        self._failure = f"{refused} ({cause(error)})"
        return refused

    async def _account(self, seconds: float) -> None:
        """Count and log the request; a long one is counted in a thread, since its tokens may be."""
        request, answer, metrics = self._request, self._answer, self._proxy.metrics
        notes = [*request.notes, *(answer.notes if answer else ())]
        model = request.model
        metrics.ended(self._location.path, self._status, seconds=seconds, conversion=self._conversion, notes=len(notes), model=model)
        exchanges = [*self._discarded, *([] if self._given else [(request, answer)])]
        for asked, answered in exchanges:
            if answered:
                metrics.reported(answered.usage, model=asked.model)
        if request.edits is not None:
            metrics.edits(request.edits, model=model)
        self._log(seconds, notes)

        def count() -> None:
            for asked, answered in exchanges:
                metrics.count("in", asked.texts, model=asked.model)
                if answered:
                    metrics.count("out", answered.texts, model=asked.model)

        if self._settings.count_tokens is not None and sum(map(len, request.texts.sent)) >= LONG:
            await asyncio.to_thread(count)
        else:
            count()

    def _log(self, seconds: float, notes: list[str]) -> None:
        method, path, status = self._scope["method"], self._raw_path[:200], self._status
        fields: dict[str, object] = {"method": method, "path": path, "status": status or None}
        fields |= {"ms": round(seconds * 1000, 1), "conversion_ms": round(self._conversion * 1000, 1)}
        line = f"{method} {path} {status or 'no answer'} {seconds * 1000:.0f} ms, {self._conversion * 1000:.1f} ms of it conversion"
        if self._upstream_id:
            fields["upstream_request_id"] = self._upstream_id[:200]
            line += f", for the upstream {json.dumps(self._upstream_id[:200])}"
        if self._failure:
            fields["failure"] = self._failure
            line += f", failed: {self._failure}"
        if self._decisions:
            fields["policies"] = self._decisions
            line += f", policies: {json.dumps(self._decisions)}"
        if notes:
            fields["unconverted"] = notes
            line += f", {len(notes)} passed unconverted: {json.dumps(notes)}"
        log(logging.WARNING if self._failure else logging.INFO, line, **fields)
        if self._settings.log_prompts:
            texts = self._request.texts
            log(logging.INFO, f"asked, as Python: {json.dumps(texts.python)}")
            log(logging.INFO, f"asked, as sent: {json.dumps(texts.sent)}")
            if self._answer:
                log(logging.INFO, f"answered: {json.dumps(''.join(self._answer.texts.sent))}")
                log(logging.INFO, f"answered, as Python: {json.dumps(''.join(self._answer.texts.python))}")


async def _while_there(receive: Receive, work: Awaitable[None]) -> bool:
    """Do the work, but stop it when the client goes away; say whether it was done."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
