"""What long prompts cost, and what they do to others: processor time of a first and a later turn, and a stream beside three such clients.

``benchmarks/serve.py --long`` starts the servers. The ways to the upstream take turns, and the long prompts always go the way of the
stream.
All answers are streams of one event every two milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

SIZE = 90 * 1024  # bytes of Python in a prompt
CLIENTS = 3
STREAMS = 8  # of one run, one after the other
MANY, REQUESTS = 8, 500
_TURNS = 5  # turns of a conversation, the first of which brings the Python


class Client(Protocol):
    """One connection."""

    failures: int

    async def ask(self, mode: str = "fast", body: bytes | None = None) -> tuple[float, list[float]]:
        """One request: seconds to the first event, and the age of each event when it came."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


def python() -> str:
    """Python of that size: the beginning of a file of the standard library, up to a statement."""
    text = (Path(sysconfig.get_paths()["stdlib"]) / "typing.py").read_text(encoding="utf-8")
    text += (Path(sysconfig.get_paths()["stdlib"]) / "argparse.py").read_text(encoding="utf-8")
    return text[: text.rindex("\ndef ", 0, SIZE) + 1]


def prompts(name: str, turns: int) -> list[bytes]:
    """The requests of a conversation: Python that nobody has sent before, then questions about it."""
    code = f"# {name}\n{python()}"
    messages = [{"role": "user", "content": f"Read this:\n```python\n{code}```\n"}]
    found = []
    for turn in range(turns):
        found.append(json.dumps({"model": "m", "stream": True, "messages": messages}).encode())
        messages += [{"role": "assistant", "content": "I have."}, {"role": "user", "content": f"Question {turn}?"}]
    return found


def processor_time() -> dict[str, float]:
    """Milliseconds of processor time to convert the request of a first and of a later turn; medians.

    All of it happens in this process, with the garbage collector as in the processes that convert.
    """
    from dualcode.server.convert import RequestConverter

    converter = RequestConverter("compact")
    converter.convert("/chat/completions", prompts("warm", 1)[0])
    gc.freeze()
    gc.disable()
    first: list[float] = []
    later: list[float] = []
    for number in range(9):
        for times, body in zip((first, later), prompts(f"cost {number}", 2), strict=True):
            start = time.process_time()
            converter.convert("/chat/completions", body)
            gc.collect()
            times.append(1000 * (time.process_time() - start))
    gc.enable()
    return {"first_ms": statistics.median(first), "later_ms": statistics.median(later)}


async def _beside(url: str, client: Callable[[str], Client], clients: int, name: str) -> list[float]:
    """The ages of the events of some streams, beside clients with long prompts."""
    conversations = [[prompts(f"{name} {index} {number}", _TURNS) for number in range(4)] for index in range(clients)]
    stopped = False

    async def talk(mine: list[list[bytes]]) -> None:
        speaker = client(url)
        while not stopped:
            for conversation in mine:
                for body in conversation:
                    if not stopped:
                        await speaker.ask("slow", body)
        await speaker.close()

    listener = client(url)
    await listener.ask("slow")
    talking = [asyncio.ensure_future(talk(mine)) for mine in conversations]
    ages: list[float] = []
    for _ in range(STREAMS):
        ages += (await listener.ask("slow"))[1][1:]
    stopped = True
    await asyncio.gather(*talking)
    await listener.close()
    return ages


async def _many(url: str, client: Callable[[str], Client]) -> int:
    """How many of many requests with long prompts fail."""
    left = REQUESTS
    group = [client(url) for _ in range(MANY)]

    async def talk(index: int) -> None:
        nonlocal left
        while left > 0:
            for body in prompts(f"many {index} {left}", _TURNS):
                left -= 1
                await group[index].ask(body=body)

    await asyncio.gather(*map(talk, range(MANY)))
    for one in group:
        await one.close()
    return sum(one.failures for one in group)


def measure(urls: dict[str, str], client: Callable[[str], Client], rounds: int) -> dict[str, Any]:
    """All figures."""
    ages: dict[str, dict[int, list[float]]] = {name: {0: [], CLIENTS: []} for name in urls}
    for number in range(rounds):
        for name in list(urls) if number % 2 else list(urls)[::-1]:
            for clients in (0, CLIENTS):
                ages[name][clients] += asyncio.run(_beside(urls[name], client, clients, f"{name} {number}"))
    found = {
        name: {str(clients): [1000 * sorted(listed)[int(len(listed) * part)] for part in (0.5, 0.95)] for clients, listed in by.items()}
        for name, by in ages.items()
    }
    return {"ages": found, **processor_time(), "failures": asyncio.run(_many(urls["proxy"], client))}


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| age of an event of a stream, ms | direct | bare relay | `simpy serve` | `--workers 0` |", "|---|---|---|---|---|"]
    for clients, beside in (("0", "alone"), (str(CLIENTS), f"beside {CLIENTS} clients with 90 KB of Python in their prompts")):
        for at, name in enumerate(("median", "95th percentile")):
            row = [result["ages"][way][clients][at] for way in ("direct", "relay", "proxy", "threads")]
            lines.append(f"| {beside}, {name} | {' | '.join(f'{age:.2f}' for age in row)} |")
    cost = f"{result['first_ms']:.0f} ms of processor time in the first turn and {result['later_ms']:.1f} ms in each later one"
    failed = f"Of {REQUESTS} requests of {MANY} such clients at once, {result['failures']} failed."
    return "\n".join([*lines, "", f"Converting 90 KB of Python, with the proof, takes {cost}. {failed}"])
