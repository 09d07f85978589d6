"""A server that answers as a test says, and servers in threads of this process; all on loopback, on ports that are free."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from dualcode.server.app import create_server
from dualcode.server.settings import Settings

LONG = 20.0  # seconds that a test waits before it fails
DIE, STALL = "die", "stall"
Step = bytes | float | str


@dataclass
class Reply:
    """What the upstream answers: bytes are sent, a number is a pause, ``DIE`` breaks off, ``STALL`` waits for the client to go."""

    steps: list[Step]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass
class Seen:
    """A request that the upstream got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Upstream:
    """The ASGI application; ``reply`` is what it answers next, and ever after."""

    def __init__(self) -> None:
        self.reply = Reply([b"{}"])
        self.seen: list[Seen] = []
        self.running = 0
        self.most = 0
        self.left = threading.Event()  # a client went away during STALL
        self.go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._answer(scope, receive, send)
        finally:
            self.running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append(Seen(scope["method"], target, headers, body))
        reply = self.reply
        if reply.steps == [STALL]:
            await self._stall(receive)
            return
        sent = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        for step in reply.steps:
            if isinstance(step, bytes):
                await send({"type": "http.response.body", "body": step, "more_body": True})
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == DIE:
                return
            else:
                await self._stall(receive)
                return
        await send({"type": "http.response.body", "body": b""})

    async def _stall(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


@contextmanager
def running(server: uvicorn.Server) -> Iterator[int]:
    """Run a server in a thread; gives its port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # in full, or packets wait for one another
    listener.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(LONG)
        listener.close()
        assert not thread.is_alive(), "the server does not stop"


@contextmanager
def upstream_server() -> Iterator[tuple[Upstream, str]]:
    """The scripted upstream and its URL."""
    app = Upstream()
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off", ws="none"
    )
    with running(uvicorn.Server(config)) as port:
        yield app, f"http://127.0.0.1:{port}/v1"


@contextmanager
def proxy_server(upstream: str, **settings: Any) -> Iterator[str]:
    """``simpy serve`` in a thread; gives its URL."""
    with running(create_server(Settings(upstream, **{"grace": 1.0, **settings}))) as port:
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def raw_server(answer: bytes) -> Iterator[str]:
    """A server that reads a request and writes these bytes, HTTP or not, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    listener.settimeout(0.1)

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(LONG)
                connection.recv(1 << 16)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        stop.set()
        thread.join(LONG)
        listener.close()


def wait_for(condition: Any) -> None:
    """Wait until something holds, for a while."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def chat_answer(text: str | None, **message: Any) -> Reply:
    """A chat answer that is not streamed."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    answer = {"id": "c1", "object": "chat.completion", "created": 7, "model": "m", "choices": [choice]}
    return Reply([json.dumps(answer).encode()])


def chat_events(*pieces: str, finish: bool = True, done: bool = True) -> bytes:
    """The events of a streamed chat answer, as one text."""
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas += [({}, "stop")] if finish else []
    return b"".join(map(chat_event, deltas)) + (b"data: [DONE]\n\n" if done else b"")


def chat_event(change: tuple[dict[str, Any], str | None]) -> bytes:
    choice = {"index": 0, "delta": change[0], "finish_reason": change[1]}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def stream(*steps: Step) -> Reply:
    """A streamed answer of these steps."""
    return Reply(list(steps), headers={"content-type": "text/event-stream; charset=utf-8"})


def cut(data: bytes, size: int) -> list[Step]:
    """The bytes in pieces of a size, which are sent apart."""
    return [data[at : at + size] for at in range(0, len(data), size)]
