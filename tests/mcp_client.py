"""`simpy mcp` as a process, driven by the client of the official SDK over each transport."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

for _library in ("mcp", "pathspec"):
    pytest.importorskip(_library, reason="the extra mcp is not installed")

from mcp import Client, StdioServerParameters  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
LONG = 60
SHOP = '''"""A shop."""

RATE = 0.2  # of the net price


class Shop:
    # in cents
    def total(self, net):
        "With tax."
        gross = (net +
                 net * RATE)  # not rounded
        return gross

    def refund(self, net):
        return net
'''
STDIO, MODERN, LEGACY = "stdio", "http", "http with sessions"
EVERY = pytest.mark.parametrize("transport", [STDIO, MODERN, LEGACY])
WITH_SESSIONS = pytest.mark.parametrize("transport", [STDIO, LEGACY])


class Tools:
    """The tools of a server, as a client calls them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, name: str, **arguments: Any) -> tuple[bool, list[str]]:
        """Whether a call failed, and its texts."""
        result = await self.client.call_tool(name, arguments)
        assert result.structured_content is None, "the answer would be sent twice"
        return result.is_error, [block.text for block in result.content]

    async def done(self, name: str, **arguments: Any) -> str:
        failed, texts = await self.call(name, **arguments)
        assert not failed, texts
        return "\n".join(texts)

    async def refused(self, name: str, **arguments: Any) -> str:
        failed, texts = await self.call(name, **arguments)
        assert failed, texts
        return "\n".join(texts)


@contextmanager
def http_server(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a server."""
    words = [sys.executable, "-m", "simpy_cli", "mcp", str(folder), "--transport", "http", "--port", "0", *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/mcp", first)
        assert found, first + process.stderr.read()
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONG) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate(timeout=LONG)


@asynccontextmanager
async def connected(where: Path | str, *options: str, sessions: bool = False) -> AsyncIterator[Tools]:
    """A client of a server of its own in a folder, or of one at a URL."""
    if isinstance(where, Path):
        words = ["-m", "simpy_cli", "mcp", str(where), *options, "-q"]
        server: Any = StdioServerParameters(command=sys.executable, args=words, cwd=ROOT, env=ENVIRONMENT)
    else:
        server = where
    async with Client(server, mode="legacy" if sessions else "auto") as client:
        yield Tools(client)


def drive(transport: str, folder: Path, work: Callable[[Tools], Awaitable[None]], *options: str) -> None:
    """Do some work as a client of a server."""

    async def run(where: Path | str) -> None:
        failed = None
        async with connected(where, *options, sessions=transport == LEGACY) as tools:
            try:
                await work(tools)
            except AssertionError as error:  # raised outside, where it is not wrapped into groups
                failed = error
        if failed is not None:
            raise failed

    if transport == STDIO:
        asyncio.run(run(folder))
        return
    with http_server(folder, *options) as url:
        options = ()
        asyncio.run(run(url))


def handle(answer: str) -> str:
    found = re.search(r"seen=(\w+)", answer)
    assert found, answer
    return found[1]
