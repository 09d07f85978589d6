"""What the seam costs where no policy is asked for: processor time of the wrapper and of the proxy, and their bytes.

A part of ``policies.py``. A scripted model streams the same answer again and again; the proxy is called as an ASGI application whose
upstream is scripted too, so that nothing but processor time of this code is measured. Each figure is the least of rounds in which all
variants are measured in turn, since a busy machine only adds. ``--off-before FOLDER`` also measures another checkout, such as the commit
before the seam.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "def f(items):\n    total = 0\n    for item in items:\n        "
ANSWER = "total += item.price * item.count\n        if total > limit:\n            break\n    return total\n" * 4
PIECES = [ANSWER[at : at + 4] for at in range(0, len(ANSWER), 4)]
BEFORE, OFF, IDLE = "before the seam", "no policies", "a policy that does nothing"
_CALLS = 60  # of the wrapper and of the proxy, in one round of one variant


class Saying:
    """A model that always says the same, piece by piece."""

    tasks = frozenset(("complete",))

    def run(self, request: Any) -> Generator[str, None, None]:
        """The answer."""
        yield from PIECES

    async def arun(self, request: Any) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        for piece in PIECES:
            yield piece

    def count(self, text: str) -> int:
        """Its letters."""
        return len(text)


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--off-rounds", type=int, default=15, help="rounds of all variants (default 15)")
    parser.add_argument("--off-before", type=Path, metavar="FOLDER", help="a checkout without the seam, to be measured too")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    variants = [*([(BEFORE, args.off_before)] if args.off_before else []), (OFF, ROOT), (IDLE, ROOT)]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in variants}
    for number in range(args.off_rounds):
        for name, folder in variants if number % 2 else variants[::-1]:
            environment = {**os.environ, "PYTHONPATH": str(folder)}
            words = [sys.executable, __file__, "idle" if name == IDLE else "off"]
            found[name].append(json.loads(subprocess.run(words, env=environment, cwd=folder, capture_output=True, check=True).stdout))
    first = found[variants[0][0]][0]
    return {
        "rounds": args.off_rounds,
        "calls": _CALLS,
        "pieces": len(PIECES),
        "rows": {
            name: {
                **{part: round(min(one[part] for one in rows), 4) for part in ("wrapper", "proxy")},
                "same_bytes": all(one["digest"] == first["digest"] for one in rows),
            }
            for name, rows in found.items()
        },
    }


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = figures["rows"]
    base = rows[next(iter(rows))]
    lines = ["| milliseconds of processor time for one streamed answer | `DualCode` | `simpy serve` | same bytes |", "|---|--:|--:|:-:|"]
    for name, row in rows.items():
        cells = [f"{row[part]:.3f}" + (f" ({100 * (row[part] / base[part] - 1):+.1f} %)" if row is not base else "") for part in _PARTS]
        lines.append(f"| {name} | {' | '.join(cells)} | {'yes' if row['same_bytes'] else 'no'} |")
    lines += ["", f"Answers of {figures['pieces']} pieces; the least of {figures['rounds']} rounds of {figures['calls']} answers each."]
    return "\n".join(lines) + "\n"


_PARTS = ("wrapper", "proxy")


# ------------------------------------------------------------------------------------------------------------- one variant


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds of processor time that one of many calls takes; the best of three runs."""
    found = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(_CALLS // 3):
            call()
        found.append(1000 * (time.process_time() - start) / (_CALLS // 3))
    return min(found)


def _wrapper(policies: list[Any]) -> tuple[float, str]:
    from dualcode import DualCode

    options: dict[str, Any] = {"policies": policies} if policies else {}  # as below
    model = DualCode(Saying(), **options)

    def call() -> str:
        return "".join(model.complete(PROMPT, stream=True, max_tokens=500))

    return (_timed(call), call()) if call() else (0.0, "")


async def _proxy(policies: list[Any]) -> tuple[float, bytes]:
    import httpx

    from dualcode.server.service import Service
    from dualcode.server.settings import Settings

    chunks = [{"id": "c", "choices": [{"index": 0, "text": piece, "finish_reason": None}]} for piece in PIECES]
    events = [b"data: " + json.dumps(chunk).encode() for chunk in chunks]
    events += [b'data: {"id": "c", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}', b"data: [DONE]"]

    async def body() -> AsyncGenerator[bytes, None]:
        for one in events:
            yield one + b"\n\n"
            await asyncio.sleep(0)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body())

    options: dict[str, Any] = {"policies": tuple(policies)} if policies else {}  # a checkout without the seam has no such setting
    service = Service(Settings("http://upstream/v1", **options))
    service.proxy.upstream._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    asked = json.dumps({"model": "m", "prompt": PROMPT, "stream": True, "max_tokens": 500}).encode()
    path = "/v1/completions"
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"one")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}

    async def call() -> bytes:
        parts: list[bytes] = []
        read = False

        async def receive() -> dict[str, Any]:
            nonlocal read
            if read:
                await asyncio.sleep(3600)
            read = True
            return {"type": "http.request", "body": asked}

        async def send(message: Any) -> None:
            parts.append(repr(message["headers"]).encode() if "headers" in message else message["body"])

        await service(dict(scope), receive, send)
        return b"".join(parts)

    found = []
    await call()
    for _ in range(3):
        start = time.process_time()
        for _ in range(_CALLS // 3):
            await call()
        found.append(1000 * (time.process_time() - start) / (_CALLS // 3))
    return min(found), await call()


def _one(idle: bool) -> None:
    policies: list[Any] = []
    if idle:
        from dualcode.policies.protocol import Policy

        policies = [Policy()]
    wrapper, text = _wrapper(policies)
    proxy, data = asyncio.run(_proxy(policies))
    digest = hashlib.sha256(text.encode() + data).hexdigest()
    print(json.dumps({"wrapper": wrapper, "proxy": proxy, "digest": digest}))


if __name__ == "__main__":
    _one(sys.argv[1] == "idle")
