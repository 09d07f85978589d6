"""What DualCode adds to a call: converting code of some length against tokenizing the same text, and decoding a stream of tokens.

    python benchmarks/wrapper.py --tokenizer FILE -o benchmarks/results/wrapper.json   measure, print the tables
    python benchmarks/wrapper.py --render                                              put the last figures into docs/dualcode.md
    python benchmarks/wrapper.py --render --check                                      is docs/dualcode.md up to date?

FILE is what `simpy tokens --tokenizer` takes. The programs are functions and files of the standard library of the running Python, by
their length in tokens of that tokenizer. Every contender reads every program in turn, round after round; what is reported is the
median of the rounds, in processor time. A single chunk is timed by the clock, since it is too short for the other.
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import platform
import random
import statistics
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import transpiler  # noqa: E402  # the path must be set first
from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.errors import SimPyError  # noqa: E402  # the path must be set first
from tokenizer_ext import load_tokenizer  # noqa: E402  # the path must be set first

BUCKETS = ((0, 100), (100, 500), (500, 2_000), (2_000, 5_000))
PROGRAMS = 60  # a bucket
FILES = 150
RESULTS = Path(__file__).resolve().parent / "results" / "wrapper.json"
DIALECTS = ("classic", "dense", "compact")


def main() -> int:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", metavar="FILE", help="the tokenizer to compare with")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often to read each program (default 5)")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.render:
        text = tables(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("dualcode.md", "conversion", text, "python benchmarks/wrapper.py --render", args.check)
    if not args.tokenizer:
        parser.error("--tokenizer names the tokenizer to compare with")
    tokenizer = load_tokenizer(args.tokenizer)
    found = programs(tokenizer)
    figures = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, one thread",
        "tokenizer": Path(args.tokenizer).name,
        "conversion": [conversion(tokenizer, found[bucket], bucket, dialect, args.rounds) for dialect in DIALECTS for bucket in BUCKETS],
        "streaming": [streaming(tokenizer, found[bucket], bucket, dialect, args.rounds) for dialect in DIALECTS[:2] for bucket in BUCKETS],
    }
    print(tables(figures))
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def programs(tokenizer: Any) -> dict[tuple[int, int], list[str]]:
    """Programs for each bucket: whole files, and the functions and classes of files."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    random.Random(0).shuffle(paths)
    found: dict[tuple[int, int], list[str]] = {bucket: [] for bucket in BUCKETS}
    warnings.simplefilter("ignore")
    for path in paths[:FILES]:
        text = path.read_text(encoding="utf-8")
        pieces = [ast.get_source_segment(text, node) or "" for node in ast.parse(text).body if hasattr(node, "body")]
        for program in (text, *pieces):
            tokens = len(tokenizer.encode(program).ids) if len(program) < 40_000 else 0
            bucket = next((b for b in BUCKETS if b[0] < tokens <= b[1]), None)
            if bucket is None or len(found[bucket]) >= PROGRAMS:
                continue
            try:
                transpiler.encode(program, dialect="classic")
            except SimPyError:
                continue
            found[bucket].append(program)
    return found


def seconds(work: Callable[[], object]) -> float:
    """The processor time that some work takes in this thread, which the other work of a machine does not lengthen."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def conversion(tokenizer: Any, texts: list[str], bucket: tuple[int, int], dialect: str, rounds: int) -> dict[str, Any]:
    """Encoding and decoding programs, against encoding and decoding the same texts with the tokenizer."""
    simpy = [transpiler.encode(text, dialect=dialect) for text in texts]
    ids = [tokenizer.encode(text).ids for text in texts]
    contenders: dict[str, Callable[[int], object]] = {
        "encode": lambda i: transpiler.encode(texts[i], dialect=dialect, verify=False),
        "encode, proven": lambda i: transpiler.encode(texts[i], dialect=dialect),
        "decode": lambda i: transpiler.decode(simpy[i], dialect=dialect),
        "tokenizer encode": lambda i: tokenizer.encode(texts[i]),
        "tokenizer decode": lambda i: tokenizer.decode(ids[i]),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        gc.collect()
        sums = dict.fromkeys(contenders, 0.0)
        for i in range(len(texts)):
            for name, work in contenders.items():
                sums[name] += seconds(lambda work=work, i=i: work(i))  # type: ignore[misc]  # bound at once
        for name, total in sums.items():
            times[name].append(1000 * total / len(texts))
    medians = {name: round(statistics.median(values), 4) for name, values in times.items()}
    tokenizing = [a + b for a, b in zip(times["tokenizer encode"], times["tokenizer decode"], strict=True)]
    both = [a + b for a, b in zip(times["encode"], times["decode"], strict=True)]
    proven = [a + b for a, b in zip(times["encode, proven"], times["decode"], strict=True)]
    return {
        "dialect": dialect,
        "bucket": bucket,
        "programs": len(texts),
        "milliseconds": medians,
        "ratio": round(statistics.median(a / b for a, b in zip(both, tokenizing, strict=True)), 3),
        "ratio, proven": round(statistics.median(a / b for a, b in zip(proven, tokenizing, strict=True)), 3),
    }


def streaming(tokenizer: Any, texts: list[str], bucket: tuple[int, int], dialect: str, rounds: int) -> dict[str, Any]:
    """Decoding one token a chunk, against decoding the whole text."""
    ratios: list[float] = []
    chunks: list[float] = []
    cut: list[tuple[str, list[str]]] = []
    for text in texts:
        simpy = transpiler.encode(text, dialect=dialect)
        spans = tokenizer.encode(simpy, add_special_tokens=False).offsets
        bounds = sorted({0, *(end for _, end in spans), len(simpy)})
        cut.append((simpy, [simpy[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]))
    for _ in range(rounds):
        whole = total = 0.0
        for simpy, pieces in cut:
            whole += seconds(lambda simpy=simpy: transpiler.decode(simpy, dialect=dialect))  # type: ignore[misc]  # bound at once
            total += seconds(lambda pieces=pieces: _fed(pieces, dialect))  # type: ignore[misc]  # as above
            feed = transpiler.Decoder(dialect=dialect).feed
            for piece in pieces:
                start = time.perf_counter()
                feed(piece)
                chunks.append(time.perf_counter() - start)
        ratios.append(total / whole)
    chunks.sort()
    median, p99 = chunks[len(chunks) // 2], chunks[len(chunks) * 99 // 100]
    return {
        "dialect": dialect,
        "bucket": bucket,
        "ratio": round(statistics.median(ratios), 3),
        "median microseconds": round(1e6 * median, 2),
        "p99 microseconds": round(1e6 * p99, 2),
        "p99 to median": round(p99 / median, 2),
    }


def _fed(pieces: list[str], dialect: str) -> None:
    decoder = transpiler.Decoder(dialect=dialect)
    for piece in pieces:
        decoder.feed(piece)
    decoder.close()


def tables(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [f"Python {figures['python']} on {figures['machine']}; tokenizer {figures['tokenizer']}", ""]
    lines += [
        "| dialect | tokens | programs | encode ms | proven ms | decode ms | tokenizer ms | ratio | ratio, proven |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in figures["conversion"]:
        ms = row["milliseconds"]
        tokenizing = ms["tokenizer encode"] + ms["tokenizer decode"]
        lines.append(
            f"| {row['dialect']} | {row['bucket'][0]}-{row['bucket'][1]} | {row['programs']} | {ms['encode']:.3f} "
            f"| {ms['encode, proven']:.3f} | {ms['decode']:.3f} | {tokenizing:.3f} | {row['ratio']:.2f}x | {row['ratio, proven']:.2f}x |"
        )
    lines += ["", "| dialect | tokens | streamed to whole | median us | p99 us | p99 to median |", "|---|---|--:|--:|--:|--:|"]
    for row in figures["streaming"]:
        lines.append(
            f"| {row['dialect']} | {row['bucket'][0]}-{row['bucket'][1]} | {row['ratio']:.2f}x | {row['median microseconds']} "
            f"| {row['p99 microseconds']} | {row['p99 to median']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
