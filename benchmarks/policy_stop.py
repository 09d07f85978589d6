"""What ``stop`` saves: local models that are stopped where the code ends against the same models run to their limit, and the proxy.

A part of ``policies.py``. Prompts are the first two lines of functions of the standard library that the small model was not trained on.
Each is asked greedily, to ``max_tokens`` and with ``policies=["stop"]`` for each unit. The answer has to be the long one, cut where its
unit ends. That no token came after the end is tried: with one token less, the end could not have been told. The long answers are then sent
through the proxy by a server that writes one token every 20 ms, and that says how many it had written when its stream was closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dualcode.conversion.units import Unit

os.environ["TOKENIZERS_PARALLELISM"] = "false"

SMOLLM2 = "SmolLM2-135M"
_SMALL = "own small model"
_PAUSE = 0.02  # seconds between two tokens of the server
UNITS: tuple[Unit, ...] = ("statement", "block")
_SENT = 40  # answers that are sent through the proxy
_READ = 1.6  # megabytes of functions that the small model has read


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    small = "a trained small model; without it, one is trained for three minutes"
    parser.add_argument("--stop-small", type=Path, metavar="FOLDER", help=small)
    counts = "for the small model and SmolLM2 (200 40)"
    parser.add_argument("--stop-prompts", type=int, nargs=2, default=(200, 40), metavar="N", help=counts)
    parser.add_argument("--stop-tokens", type=int, default=96, help="of the long answers (default 96)")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    import torch

    from benchmarks.small_model import functions, prompts
    from benchmarks.smollm2 import opened
    from dualcode.backends.transformers_backend import TransformersBackend

    torch.set_num_threads(1)
    read = set(functions(_READ))
    unread = [program for program in functions(_READ + 0.8) if program not in read]
    begun = [prompt.rstrip("\n") for prompt in prompts(unread, max(args.stop_prompts))]
    with tempfile.TemporaryDirectory() as folder:
        small = _opened(args.stop_small or _trained(Path(folder), sorted(read)))
    rows: dict[str, Any] = {}
    texts: list[tuple[str, list[str]]] = []
    for name, count in zip((_SMALL, SMOLLM2), args.stop_prompts, strict=True):
        model, tokenizer = small if name == _SMALL else opened(None)
        backend = TransformersBackend(model, tokenizer, dialect="python")
        units, found = _asked(backend, tokenizer, begun[:count], args.stop_tokens)
        rows |= {f"{name}, `{unit}`": row for unit, row in units.items()}
        for prompt, text in found:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            texts.append((prompt, [tokenizer.decode([one]) for one in ids]))
    chosen = [one for one in texts if "".join(one[1]).isascii()][:_SENT]
    return {"tokens": args.stop_tokens, "models": rows, "proxy": asyncio.run(_through_the_proxy(chosen))}


def _opened(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def _trained(folder: Path, programs: list[str]) -> Path:
    from benchmarks.small_model import made

    made(programs, "python", 3, folder)
    return folder


def cut(prompt: str, answer: str, unit: Unit) -> tuple[str, bool]:
    """A long answer, cut where it ends the unit in which its prompt stops; and whether it does."""
    from dualcode.conversion.completion import CompletionStream
    from dualcode.conversion.prompts import Prompt
    from dualcode.conversion.until import CompletionEnd, Until

    begun = Prompt(prompt, "python")
    stream = Until(CompletionStream(begun), CompletionEnd(unit, begun))
    text = stream.feed(answer)
    return text + stream.close(), stream.ended == "until"


def _begun(tokenizer: Any, long: Any, tokens: int) -> str:
    """The first tokens of a long answer; empty where its text does not tell which they were."""
    ids = tokenizer(long.raw_text, add_special_tokens=False)["input_ids"]
    ended = long.usage.stopped == "end"
    return str(tokenizer.decode(ids[:tokens])) if len(ids) == (long.usage.generated or 0) - ended else ""


def _asked(backend: Any, tokenizer: Any, prompts: list[str], limit: int) -> tuple[dict[Unit, Any], list[tuple[str, str]]]:
    """What one model spends for each unit; and its prompts with the long answers that go on after the first unit."""
    from dualcode import DualCode

    long = DualCode(backend, dialect="python")
    stopping = {unit: DualCode(backend, dialect="python", policies=[f"stop:until={unit}"]) for unit in UNITS}
    parts = ("prompts", "stopped", "tokens_long", "tokens_stopped", "after_the_end", "differ", "seconds_long", "seconds_stopped")
    rows: dict[Unit, dict[str, Any]] = {unit: dict.fromkeys(parts, 0) for unit in UNITS}
    texts = []
    for prompt in prompts:
        start = time.process_time()
        whole = long.complete(prompt, max_tokens=limit)
        seconds = time.process_time() - start
        for unit, row in rows.items():
            start = time.process_time()
            short = stopping[unit].complete(prompt, max_tokens=limit)
            row["seconds_long"] += seconds
            row["seconds_stopped"] += time.process_time() - start
            spent = short.usage.generated or 0
            row["prompts"] += 1
            row["stopped"] += short.usage.stopped == "until"
            row["tokens_long"] += whole.usage.generated or 0
            row["tokens_stopped"] += spent
            row["differ"] += short.text != cut(prompt, whole.raw_text, unit)[0]
            less = spent - 1 if short.usage.stopped == "until" else 0
            while less and cut(prompt, _begun(tokenizer, whole, less) or long.complete(prompt, max_tokens=less).raw_text, unit)[1]:
                less -= 1
                row["after_the_end"] += 1
        if cut(prompt, whole.raw_text, UNITS[0])[1]:
            texts.append((prompt, whole.raw_text))
    return {unit: {name: round(value, 2) for name, value in row.items()} for unit, row in rows.items()}, texts


# ------------------------------------------------------------------------------------------------------------- the proxy


class Writing:
    """A server that writes an answer token by token, until the client goes away."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.written = 0
        self.closed = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: D102  # as ASGI says
        while (await receive()).get("more_body"):
            pass
        self.written, self.closed = 0, False
        left = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for piece in self.pieces:
            chunk = {"id": "c", "choices": [{"index": 0, "text": piece, "finish_reason": None}]}
            await send({"type": "http.response.body", "body": b"data: " + json.dumps(chunk).encode() + b"\n\n", "more_body": True})
            self.written += 1
            done, _ = await asyncio.wait({left}, timeout=_PAUSE)
            if done:
                self.closed = True
                return
        left.cancel()
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _through_the_proxy(texts: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """What a server writes before the proxy closes its stream."""
    import httpx
    import uvicorn

    from dualcode.server.app import create_server
    from dualcode.server.settings import Settings
    from tests.scripted_upstream import running

    app = Writing()
    row = dict.fromkeys(("answers", "closed", "tokens_long", "tokens_written", "needed", "differ"), 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off", ws="none"))
    with running(server) as port:
        proxy = create_server(Settings(f"http://127.0.0.1:{port}/v1", dialect="python", policies=(f"stop:until={UNITS[0]}",), grace=1.0))
        with running(proxy) as at:
            async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
                for prompt, pieces in texts:
                    app.pieces = pieces
                    body = {"model": "m", "prompt": prompt, "stream": True, "max_tokens": len(pieces)}
                    answer = await client.post(f"http://127.0.0.1:{at}/v1/completions", json=body)
                    await asyncio.sleep(2 * _PAUSE)
                    said = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
                    text = "".join(choice["text"] for one in said for choice in one["choices"])
                    row["answers"] += 1
                    row["closed"] += app.closed
                    row["tokens_long"] += len(pieces)
                    row["tokens_written"] += app.written
                    told = (at for at in range(1, len(pieces) + 1) if cut(prompt, "".join(pieces[:at]), UNITS[0])[1])
                    row["needed"] += next(told, len(pieces))
                    row["differ"] += text != cut(prompt, "".join(pieces), UNITS[0])[0]
    return row


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    heads = ("prompts", "stopped", "tokens to the limit", "with `stop`", "saved", "after the end", "other text", "time")
    lines = [f"| at most {figures['tokens']} tokens | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    for name, row in figures["models"].items():
        saved = 100 * (1 - row["tokens_stopped"] / row["tokens_long"])
        faster = f"{row['seconds_long']:.0f} -> {row['seconds_stopped']:.0f} s"
        cells = [name, row["prompts"], row["stopped"], f"{row['tokens_long']:,}", f"{row['tokens_stopped']:,}", f"{saved:.1f} %"]
        lines.append("| " + " | ".join(map(str, [*cells, row["after_the_end"], row["differ"], faster])) + " |")
    proxy = figures["proxy"]
    saved = 100 * (1 - proxy["tokens_written"] / proxy["tokens_long"])
    lines += [
        "",
        f"With `{UNITS[0]}`, {proxy['answers']} of these answers were sent through the proxy by a server that writes a token",
        f"every {1000 * _PAUSE:.0f} ms.",
        f"It was stopped in {proxy['closed']} of them, "
        f"after {proxy['tokens_written']:,} of {proxy['tokens_long']:,} tokens ({saved:.1f} % saved);",
        f"the end can be told after {proxy['needed']:,}. The text was another than the long one, cut, in {proxy['differ']}.",
    ]
    return "\n".join(lines) + "\n"
