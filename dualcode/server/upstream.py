"""HTTP to the upstream: which headers pass through, and one client with its limits.

What the bodies say is left to ``convert`` and ``answers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

import httpx

from dualcode.server.apis.registry import Location
from dualcode.server.convert import CONVERT_HEADER
from dualcode.server.keys import Headers
from dualcode.server.logs import REQUEST_ID
from dualcode.server.refusals import RefusedError
from dualcode.server.settings import Settings

# These belong to one connection, not to the message (RFC 9110, 7.6.1), or are written anew by the library that sends it.
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)
_REQUEST_ONLY = frozenset((b"host", b"content-length", b"expect", CONVERT_HEADER, REQUEST_ID))
_READY_TIMEOUT = httpx.Timeout(5.0)
_HELD = 1 << 20  # bytes that `together` holds
# Encodings that httpx decodes with nothing but the standard library.
_READABLE = frozenset(("", "identity", "gzip", "x-gzip", "deflate"))


class Upstream:
    """The server behind the proxy."""

    def __init__(self, settings: Settings) -> None:
        self.base, self.root = settings.base, settings.root
        timeout = httpx.Timeout(settings.timeout, connect=settings.connect_timeout)
        # Requests wait at the limiter (see ``handler``), so the pool has a connection for each that the limiter lets run.
        limits = httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits, follow_redirects=False)

    async def send(self, method: str, location: Location, query: str, headers: Headers, body: bytes) -> httpx.Response:
        """Send a request; the answer's body is still to be read, and the answer to be closed.

        Paths of Azure go where they would go without the proxy, all others below the upstream's URL.

        Raises:
            httpx.RequestError: there was no answer.
        """
        base = self.root + location.azure if location.azure else self.base
        url = base + location.path + (f"?{query}" if query else "")
        timeout = self._client.timeout.as_dict()
        request = httpx.Request(method, url, headers=headers, content=body or None, extensions={"timeout": timeout})
        if method in ("POST", "PUT", "PATCH") and not body:
            request.headers["content-length"] = "0"
        return await self._client.send(request, stream=True)

    async def unready(self) -> str:
        """Why it does not answer; nothing where it does. That it asks for a key, or knows no models, is an answer too."""
        request = httpx.Request("GET", f"{self.base}/models", extensions={"timeout": _READY_TIMEOUT.as_dict()})
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{refusal_of(error)}: {cause(error)}"
        await response.aclose()
        return f"the upstream answers {response.status_code}" if response.status_code >= 500 else ""

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def together(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Join the pieces that have arrived: where they come faster than they are used, many of them cost no more than one.

    At most about a megabyte is held. A caller that stops early closes the generator.

    >>> async def pieces() -> AsyncIterator[bytes]:
    ...     yield b"a"
    ...     yield b"b"
    ...     await asyncio.sleep(0.01)
    ...     yield b"c"
    >>> async def joined() -> list[bytes]:
    ...     return [piece async for piece in together(pieces())]
    >>> asyncio.run(joined())
    [b'ab', b'c']
    """
    held: list[bytes] = []
    size = 0
    news, room = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        nonlocal size
        try:
            async for piece in pieces:
                held.append(piece)
                size += len(piece)
                news.set()
                if size > _HELD:
                    room.clear()
                    await room.wait()
        finally:
            news.set()

    reading = asyncio.ensure_future(read())
    try:
        while True:
            await news.wait()
            news.clear()
            ended = reading.done()
            joined = b"".join(held)
            held.clear()
            size = 0
            room.set()
            if joined:
                yield joined
            if ended:
                await reading
                return
            if reading.done():
                news.set()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def refusal_of(error: Exception) -> RefusedError:
    """The refusal for a failure of the upstream.

    >>> refusal_of(httpx.ConnectError("no")).code
    'upstream_unreachable'
    """
    if isinstance(error, httpx.TimeoutException):
        return RefusedError(504, "upstream_timeout", "the upstream did not answer in time")
    if isinstance(error, httpx.ConnectError):
        return RefusedError(502, "upstream_unreachable", "the upstream cannot be reached")
    return RefusedError(502, "upstream_error", f"the upstream broke off or sent what is not HTTP ({type(error).__name__})")


def cause(error: BaseException) -> str:
    """The class of an error of the upstream, and what the operating system said. Its own message may quote headers.

    >>> cause(httpx.ReadError("with the key abc"))
    'ReadError'
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return f"{type(error).__name__}, {found.strerror}"
        found = found.__cause__ or found.__context__
    return type(error).__name__


def request_headers(headers: Iterable[tuple[bytes, bytes]], *, readable: bool) -> Headers:
    """The headers that go on to the upstream; ``readable`` asks for an answer without compression.

    >>> request_headers([(b"host", b"me"), (b"authorization", b"Bearer k"), (b"accept-encoding", b"br")], readable=True)
    [(b'authorization', b'Bearer k'), (b'accept-encoding', b'identity')]
    """
    kept = _end_to_end(headers, _REQUEST_ONLY | {b"accept-encoding"} if readable else _REQUEST_ONLY)
    return [*kept, (b"accept-encoding", b"identity")] if readable else kept


def response_headers(response: httpx.Response, *, rewritten: bool) -> Headers:
    """The headers that go back to the client; where the body is ``rewritten``, without those that describe its bytes."""
    dropped = frozenset((b"content-length", b"content-encoding", b"etag", b"digest", b"content-md5")) if rewritten else frozenset()
    return _end_to_end(response.headers.raw, dropped)


def readable(response: httpx.Response) -> bool:
    """Whether ``aiter_bytes`` can undo the answer's compression."""
    return all(name.strip().lower() in _READABLE for name in response.headers.get("content-encoding", "").split(","))


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], dropped: frozenset[bytes]) -> Headers:
    lowered = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in lowered if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in _HOP_BY_HOP and name not in dropped and name not in named]
