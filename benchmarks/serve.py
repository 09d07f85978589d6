"""What the proxy adds: latency of the first and of each later chunk, and requests a second, against a bare relay on the same stack.

    python benchmarks/serve.py -o benchmarks/results/serve.json   measure, print the tables
    python benchmarks/serve.py --long -o benchmarks/results/serve.json   a stream beside clients with long prompts, and nothing else
    python benchmarks/serve.py --soak -o benchmarks/results/serve.json   1,000 requests to each of the other APIs, and nothing else
    python benchmarks/serve.py --api /messages                    measure another API, print the tables
    python benchmarks/serve.py --render                           put those figures into docs/serve.md
    python benchmarks/serve.py --render --check                   is docs/serve.md up to date?

Upstream, relay, proxy and clients are processes of this machine that talk over loopback. The relay is Starlette, uvicorn and
httpx and nothing else. The answer is a stream of one event a token; in the latency run a comment before each says when
it was sent. Relay and proxy are measured in turn, round after round, so that a slow moment of the machine meets both; medians are reported.
At the end the proxy gets 1,000 more requests, one in seven of which breaks off: what it then holds is compared to before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import transpiler  # noqa: E402  # the path must be set first
from benchmarks import long_prompts, pages  # noqa: E402  # the path must be set first
from tests.api_answers import CHAT, MESSAGES, RESPONSES, events  # noqa: E402  # the path must be set first

RESULTS = ROOT / "benchmarks" / "results" / "serve.json"
CLIENTS = (1, 16, 64)
DIALECTS = ("compact", "classic")
PAUSE = 0.002  # seconds between the events of the latency run
_TOKEN = re.compile(r"<[a-z_]+>|\w{1,5}|\s+|[^\w\s]{1,2}")
_SENT = re.compile(rb": sent (\d+)")
_asked = 0
_CODE = (ROOT / "examples" / "two_sum.py").read_text(encoding="utf-8")


def answer(dialect: str) -> list[str]:
    """The pieces of the streamed answer: some prose and a function, as a model of this dialect would write it."""
    code = transpiler.encode(_CODE, dialect=dialect).rstrip("\n")
    return _TOKEN.findall(f"Here is the function that you asked for, in full:\n\n```python\n{code}\n```\n\nIt reads the list once.\n")


def answer_events(dialect: str, path: str) -> list[bytes]:
    """The events of the answer."""
    from dualcode.server.sse import EventReader

    pieces = answer(dialect)
    if path != CHAT:
        return [event.raw for event in EventReader().feed(events(path, "".join(pieces), size=sum(map(len, pieces)) // len(pieces)))]
    found = []
    for index, piece in enumerate(pieces):
        reason = "stop" if index == len(pieces) - 1 else None
        chunk = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": reason}]}
        found.append(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    return [*found, b"data: [DONE]\n\n"]


def question(path: str = CHAT) -> bytes:
    """The request's body: a conversation that goes on, with code in what was said before and something new at its end."""
    global _asked
    _asked += 1
    code = f"Please explain this, then write it again:\n```python\n{_CODE}```\n"
    said = [("user", code), ("assistant", "It looks for two numbers."), ("user", f"Now answer question {_asked}, please.")]
    messages = [{"role": role, "content": text} for role, text in said]
    return json.dumps({"model": "m", "stream": True, "input" if path == RESPONSES else "messages": messages}).encode()


# ------------------------------------------------------------------------------------------------------------- servers


def upstream_app(dialect: str) -> Any:
    """An upstream that streams the answer; the header ``x-mode`` may ask for pauses, or for one that breaks off."""
    found = {f"/v1{path}": answer_events(dialect, path) for path in (CHAT, RESPONSES, MESSAGES)}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        slow = dict(scope["headers"]).get(b"x-mode") == b"slow"
        broken = dict(scope["headers"]).get(b"x-mode") == b"broken"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for index, data in enumerate(found[scope["path"]]):
            sent = b": sent %d\n\n" % time.monotonic_ns() if slow else b""
            await send({"type": "http.response.body", "body": sent + data, "more_body": True})
            if slow:
                await asyncio.sleep(PAUSE)
            if broken and index == 20:
                return
        await send({"type": "http.response.body", "body": b""})

    return app


def relay_app(upstream: str) -> Any:
    """The bare relay."""
    import httpx
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import Route

    client = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=128, max_keepalive_connections=128))
    dropped = {"host", "content-length", "connection", "transfer-encoding"}

    async def relay(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in dropped}
        url = upstream + request.url.path.removeprefix("/v1")
        outgoing = client.build_request(request.method, url, headers=headers, content=await request.body())
        response = await client.send(outgoing, stream=True)
        back = {name: value for name, value in response.headers.items() if name not in dropped}

        async def body() -> AsyncIterator[bytes]:
            async for piece in response.aiter_raw():
                yield piece

        return StreamingResponse(body(), response.status_code, back, background=BackgroundTask(response.aclose))

    return Starlette(routes=[Route("/v1/{path:path}", relay, methods=["GET", "POST"])])


def serve(role: str, dialect: str, upstream: str) -> None:
    """Be the upstream or the relay; print the port."""
    import socket

    import uvicorn

    app = upstream_app(dialect) if role == "upstream" else relay_app(upstream)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # in full, or packets wait for one another
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(app, log_config=None, log_level="critical", access_log=False, ws="none", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def process(*words: str) -> Iterator[tuple[int, str]]:
    """A server in a process of its own; gives its id and its URL."""
    child = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/v1", line)
        if not found:
            raise SystemExit(f"a server did not start: {line}{child.stdout.read()}")
        yield child.pid, found[0]
    finally:
        child.terminate()
        child.communicate(timeout=60)


# ------------------------------------------------------------------------------------------------------------- clients


class Client:
    """One connection, as light as can be: what is measured is the servers."""

    def __init__(self, url: str, path: str = CHAT) -> None:
        self._path = path
        self._host, _, port = url.removeprefix("http://").removesuffix("/v1").partition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.failures = 0

    async def ask(self, mode: str = "fast", body: bytes | None = None) -> tuple[float, list[float]]:
        """One request: seconds to the first event, and the age of each event when it came."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        body = question(self._path) if body is None else body
        head = f"POST /v1{self._path} HTTP/1.1\r\nhost: bench\r\nx-mode: {mode}\r\ncontent-length: {len(body)}\r\n\r\n"
        start = time.monotonic_ns()
        writer.write(head.encode() + body)
        first = 0.0
        ages: list[float] = []
        tail = b""
        begun = False
        while not tail.endswith(b"0\r\n\r\n"):
            piece = await asyncio.wait_for(reader.read(1 << 16), 30)
            now = time.monotonic_ns()
            if not piece or not (begun or piece.startswith(b"HTTP/1.1 200")):
                self.failures += 1
                await self.close()
                break
            begun = True
            found = [(now - int(sent)) / 1e9 for sent in _SENT.findall(piece)]
            if found and not ages:
                first = (now - start) / 1e9
            ages += found
            tail = (tail + piece)[-8:]
        return first, ages

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def latency(url: str, path: str, requests: int) -> dict[str, float]:
    """Medians over some requests, one after the other: of the first event, and of the age of later ones."""
    client = Client(url, path)
    await client.ask()
    found = [await client.ask("slow") for _ in range(requests)]
    await client.close()
    later = sorted(age for _, ages in found for age in ages[1:])
    return {
        "first_ms": 1000 * statistics.median(first for first, _ in found),
        "later_ms": 1000 * statistics.median(later),
        "later_p99_ms": 1000 * later[int(len(later) * 0.99)],
    }


async def throughput(url: str, path: str, clients: int, requests: int) -> float:
    """Requests a second."""
    left = requests

    async def one(client: Client) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await client.ask()
        await client.close()

    group = [Client(url, path) for _ in range(clients)]
    await asyncio.gather(*(client.ask() for client in group))
    start = time.perf_counter()
    await asyncio.gather(*map(one, group))
    return requests / (time.perf_counter() - start)


async def thousand(url: str, path: str, pid: int, requests: int) -> dict[str, int]:
    """Many requests, a fifth of which fail; what the process holds before and after, in files and KB."""

    async def some(count: int) -> None:
        for _ in range(count // 20):
            group = [Client(url, path) for _ in range(16)]
            broken = [Client(url, path) for _ in range(4)]
            asked = [client.ask() for client in group] + [client.ask("broken") for client in broken[:2]]
            asked += [client.ask("fast", b"{not json, and so on") for client in broken[2:]]
            await asyncio.gather(*asked)
            leaving = Client(url, path)
            with suppress(asyncio.TimeoutError):  # a client that leaves in the middle
                await asyncio.wait_for(leaving.ask("slow"), 0.02)
            for client in (*group, *broken, leaving):
                await client.close()
        await asyncio.sleep(1)

    await some(requests // 5)
    before = held(pid)
    await some(requests)
    after = held(pid)
    return {"requests": requests, "files_before": before[0], "files_after": after[0], "kb_before": before[1], "kb_after": after[1]}


def held(pid: int) -> tuple[int, int]:
    """Open files and resident KB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), int(found[1]) if found else 0


# ------------------------------------------------------------------------------------------------------------- measure


@contextmanager
def servers(dialect: str) -> Iterator[tuple[dict[str, str], int, str]]:
    """The URLs of relay and proxy, the proxy's process, and the URL of the upstream."""
    with ExitStack() as stack:
        me = (sys.executable, __file__)
        _, upstream = stack.enter_context(process(*me, "--role", "upstream", "--dialect", dialect))
        _, relay = stack.enter_context(process(*me, "--role", "relay", "--upstream", upstream))
        command = (sys.executable, "-m", "simpy_cli", "serve", "-q", "--port", "0", "--upstream", upstream, "--dialect", dialect)
        pid, proxy = stack.enter_context(process(*command))
        yield {"relay": relay, "proxy": proxy}, pid, upstream


def soak(requests: int) -> dict[str, Any]:
    """What the proxy holds before and after many requests to each of the other APIs."""
    found = {}
    for path in (RESPONSES, MESSAGES):
        with servers("compact") as (urls, pid, _):
            found[path] = asyncio.run(thousand(urls["proxy"], path, pid, requests))
    return found


def measure(rounds: int, requests: int, path: str) -> dict[str, Any]:
    """All figures."""
    result: dict[str, Any] = {"python": sys.version.split()[0], "processors": os.cpu_count(), "rounds": rounds, "dialects": {}}
    for dialect in DIALECTS:
        with servers(dialect) as (urls, pid, _):
            lags: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
            rates: dict[str, dict[int, list[float]]] = {name: {clients: [] for clients in CLIENTS} for name in urls}
            for number in range(rounds):
                order = list(urls) if number % 2 else list(urls)[::-1]
                for name in order:
                    lags[name].append(asyncio.run(latency(urls[name], path, 10)))
                for clients in CLIENTS:
                    for name in order:
                        rates[name][clients].append(
                            asyncio.run(throughput(urls[name], path, clients, max(requests // 4 if clients == 1 else requests, clients)))
                        )
                print(f"{dialect}: round {number + 1} of {rounds}", file=sys.stderr)
            result["dialects"][dialect] = {
                "events": len(answer_events(dialect, path)),
                "latency": {name: {key: statistics.median(lag[key] for lag in found) for key in found[0]} for name, found in lags.items()},
                "rate": {name: {str(clients): statistics.median(rate) for clients, rate in found.items()} for name, found in rates.items()},
                "thousand": asyncio.run(thousand(urls["proxy"], path, pid, 1000)),
            }
    return result


def tables(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| dialect | figure | bare relay | `simpy serve` | ratio |", "|---|---|---|---|---|"]
    for dialect, found in result["dialects"].items():
        lag = found["latency"]
        for key, name in (
            ("first_ms", "first chunk, ms"),
            ("later_ms", "later chunk, ms"),
            ("later_p99_ms", "later chunk, 99th percentile, ms"),
        ):
            relay, proxy = lag["relay"][key], lag["proxy"][key]
            lines.append(f"| `{dialect}` | {name} | {relay:.2f} | {proxy:.2f} | {proxy / relay:.2f} |")
        for clients in map(str, CLIENTS):
            relay, proxy = found["rate"]["relay"][clients], found["rate"]["proxy"][clients]
            many = "1 client" if clients == "1" else f"{clients} clients"
            lines.append(f"| `{dialect}` | requests a second, {many} | {relay:.0f} | {proxy:.0f} | {relay / proxy:.2f} |")
    lines.append("")
    soaked = [(f"`{dialect}`", found["thousand"]) for dialect, found in result["dialects"].items()]
    soaked += [(f"`compact` to `{path}`", found) for path, found in result.get("soak", {}).items()]
    for name, many in soaked:
        files = f"from {many['files_before']} to {many['files_after']} open files"
        memory = f"from {many['kb_before'] / 1024:.1f} to {many['kb_after'] / 1024:.1f} MB"
        kinds = f"Over {many['requests']:,} more requests with {name}, one in seven of them broken off by the upstream or left by its"
        lines.append(f"{kinds} client, the proxy went {files} and {memory}.")
        lines.append("")
    if "long" in result:
        lines += [long_prompts.table(result["long"]), ""]
    return "\n".join(lines)


def long_run(rounds: int) -> dict[str, Any]:
    """A stream beside clients with long prompts: straight to the upstream, through the relay, and through the proxy in two ways."""
    with servers("compact") as (urls, _, upstream):
        command = (sys.executable, "-m", "simpy_cli", "serve", "-q", "--port", "0", "--upstream", upstream, "--workers", "0")
        with process(*command) as (_, threads):
            return long_prompts.measure({"direct": upstream, **urls, "threads": threads}, Client, rounds)


def render(check: bool) -> int:
    """Put the figures of the last run into the page."""
    text = tables(json.loads(RESULTS.read_text(encoding="utf-8")))
    return pages.put("serve.md", "figures", text, "python benchmarks/serve.py --render", check)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200, help="requests of one throughput run")
    parser.add_argument("--api", choices=(CHAT, RESPONSES, MESSAGES), default=CHAT, help="the API that is asked")
    parser.add_argument(
        "--soak", action="store_true", help="1,000 requests to each of the other APIs; adds them to the figures of the last run"
    )
    parser.add_argument("--long", action="store_true", help="a stream beside clients with long prompts; adds those figures")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--role", choices=("upstream", "relay"), help=argparse.SUPPRESS)
    parser.add_argument("--dialect", default="compact", help=argparse.SUPPRESS)
    parser.add_argument("--upstream", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role:
        serve(args.role, args.dialect, args.upstream)
        return 0
    if args.render:
        return render(args.check)
    if args.soak or args.long:
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
        result = {**before, **({"long": long_run(args.rounds)} if args.long else {"soak": soak(1000)})}
    else:
        result = measure(args.rounds, args.requests, args.api)
    if args.output:
        args.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(tables(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
