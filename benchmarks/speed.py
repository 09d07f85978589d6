"""How fast encode and decode are, natively and in pure Python, against tools that read the same text, and in how much memory.

    python benchmarks/speed.py --vocab FOLDER -o benchmarks/results/speed.json   measure, print the page
    python benchmarks/speed.py --start -o benchmarks/results/speed.json          measure the start of the command anew
    python benchmarks/speed.py --render                                          docs/speed.md from those figures
    python benchmarks/speed.py --render --check                                  is docs/speed.md up to date?

FOLDER holds StarCoder's `tokenizer.json` or `tokenizer.json.xz`; a folder `cl100k_base` beside it may hold `cl100k_base.tiktoken`, also
`.xz`. The corpus is the standard library of the running Python. All times are processor time: of this process and all its threads, and
of whole processes where a command is run. Every contender reads every text in turn, round after round, so that a slow moment of the
machine meets all of them; what is reported is the median of the rounds, and of the ratios within each round.

Pure Python is measured in a child process with SIMPY_PURE=1, on a part of the same files. In each round it comes just before or just
after the native core does the same part.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # last: what is installed is measured

from benchmarks.speed_page import KB, MB, markdown  # noqa: E402  # the path must be set first
from benchmarks.speed_processes import command, commands, memory, memory_of, start_up  # noqa: E402  # as above
from benchmarks.speed_tools import (  # noqa: E402  # as above
    BASE,
    LARGEST,
    STREAMED,
    Contender,
    Text,
    as_text,
    corpus,
    load_base,
    ours,
    pack,
    paired,
    peers,
    prepare,
    sample,
    statements,
)

RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "speed.md"
CLASSES = (("to 2 KB", 2 * KB), ("2 to 8 KB", 8 * KB), ("8 to 32 KB", 32 * KB), ("32 to 128 KB", 128 * KB), ("over 128 KB", 1 << 62))
GROWTH = (10 * KB, 100 * KB, MB, LARGEST)
GROWING = ("encode, no proof: classic", "decode: classic", "ast.parse + ast.unparse", "tree-sitter parse", BASE)
GROWING_ONCE = ("ast.parse + ast.unparse", BASE)  # a minute a round
PART = 10  # pure Python and slow tools read one byte in so many
COMMAND_ROUNDS = 3
START_ROUNDS = 9
PACKAGES = ("tree-sitter", "tree-sitter-python", "tokenizers", "tiktoken", "python-minifier", "black", "ruff")

Seconds = dict[str, dict[str, list[float]]]  # kind -> name -> rounds


class PureWorker:
    """A child process in which the operations run in pure Python."""

    def __init__(self) -> None:
        environment = {**os.environ, "SIMPY_PURE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--pure"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def send(self, texts: list[Text]) -> None:
        """Give it the texts of the next measurements."""
        self._ask(texts)

    def seconds(self, name: str) -> float:
        """Processor time of one operation on those texts."""
        return float(self._ask(name))

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _ask(self, what: list[Text] | str) -> float:
        assert self._process.stdin is not None and self._process.stdout is not None  # pipes
        pickle.dump(what, self._process.stdin)
        self._process.stdin.flush()
        answer: float = pickle.load(self._process.stdout)
        return answer


def pure_worker() -> None:
    """What the child does: keep texts, or run an operation on those that it keeps."""
    from simpy_grammar.native import core

    assert core is None, "SIMPY_PURE is not set"
    warnings.simplefilter("ignore")
    runs = {one.name: one.run for one in ours()}
    texts: list[Text] = []
    while True:
        try:
            asked = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer = 0.0
        if isinstance(asked, str):
            answer = timed(runs[asked], texts)
        else:
            texts = asked
            gc.freeze()
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def timed(run: Any, texts: Iterable[Text]) -> float:
    """Seconds of processor time that an operation takes for some texts."""
    gc.collect()
    clock = time.process_time
    start = clock()
    for text in texts:
        run(text)
    return clock() - start


def of_class(own: list[Contender], others: list[Contender], whole: list[Text], part: list[Text], pure: PureWorker, rounds: int) -> Seconds:
    """The rounds of one class of file sizes: ``native`` and ``peers`` read all texts, ``part``, ``pure`` and ``slow`` a part."""
    seconds: Seconds = {kind: defaultdict(list) for kind in ("native", "part", "pure", "peers", "slow")}
    pure.send(part)
    tools = [*own, *others]
    for tool in tools:  # warm
        timed(tool.run, part[:1])
        if tool in own:
            pure.seconds(tool.name)
    for turn in range(rounds):
        at = turn * len(tools) // rounds
        for tool in tools[at:] + tools[:at]:
            if tool.slow:
                if turn == 0:
                    seconds["slow"][tool.name].append(timed(tool.run, part))
            elif tool in own:
                if turn % 2:
                    seconds["pure"][tool.name].append(pure.seconds(tool.name))
                seconds["part"][tool.name].append(timed(tool.run, part))
                if not turn % 2:
                    seconds["pure"][tool.name].append(pure.seconds(tool.name))
                seconds["native"][tool.name].append(timed(tool.run, whole))
            else:
                seconds["peers"][tool.name].append(timed(tool.run, whole))
                if tool.name == BASE:
                    seconds["part"][BASE].append(timed(tool.run, part))
    return seconds


def summary(label: str, seconds: Seconds, whole: list[Text], part: list[Text]) -> dict[str, Any]:
    """Medians and paired ratios."""
    sizes = {"whole": sum(len(text.data) for text in whole), "part": sum(len(text.data) for text in part)}
    speeds: dict[str, dict[str, float]] = {}
    times: dict[str, dict[str, float]] = {}
    for kind, span in (("native", "whole"), ("pure", "part"), ("peers", "whole"), ("slow", "part")):
        base = seconds["peers" if span == "whole" else "part"][BASE]
        speeds[kind] = {name: sizes[span] / statistics.median(values) / MB for name, values in seconds[kind].items()}
        times[kind] = {name: paired(base, values) for name, values in seconds[kind].items()}
    rounded = {kind: {name: round(value, 2) for name, value in found.items()} for kind, found in speeds.items()}
    print(label, rounded, file=sys.stderr, flush=True)
    return {
        "class": label,
        "files": len(whole),
        "bytes": sizes["whole"],
        "part_files": len(part),
        "part_bytes": sizes["part"],
        "pieces": {dialect: sum(len(text.pieces[dialect]) for text in whole) for dialect in STREAMED},
        "part_pieces": {dialect: sum(len(text.pieces[dialect]) for text in part) for dialect in STREAMED},
        "mb_per_second": speeds,
        "times_tokenizers": times,
        "native_times_pure": {name: paired(values, seconds["part"][name]) for name, values in seconds["pure"].items()},
    }


def by_size(texts: list[Text], vocab: Path, rounds: int, size: int) -> list[dict[str, Any]]:
    """MB of Python per second, for each contender and each class of file sizes; the last row is all of them."""
    tokenizer = load_base(vocab)
    samples = []
    lower = 0
    for label, upper in CLASSES:
        whole = sample([text for text in texts if lower <= len(text.data) < upper], size)
        lower = upper
        if whole:
            samples.append((label, whole, sample(whole, size // PART)))
            prepare(whole, tokenizer)
    own, others = ours(), peers(tokenizer, vocab)
    gc.freeze()  # the corpus stays; the collector shall not look through it while the contenders are timed
    pure = PureWorker()
    rows = []
    total: Seconds = {}
    for label, whole, part in samples:
        seconds = of_class(own, others, whole, part, pure, rounds)
        rows.append(summary(label, seconds, whole, part))
        for kind, found in seconds.items():
            for name, values in found.items():
                held = total.setdefault(kind, {}).setdefault(name, [0.0] * len(values))
                total[kind][name] = [before + now for before, now in zip(held, values, strict=True)]
    pure.close()
    every = [text for _, whole, _ in samples for text in whole]
    return [*rows, summary("total", total, every, [text for _, _, part in samples for text in part])]


def growth(texts: list[Text], vocab: Path, rounds: int) -> list[dict[str, Any]]:
    """Microseconds per byte for the same statements in programs of growing size.

    Real files are joined to one program of the largest size, and that is cut between top-level statements into programs
    of the smaller sizes: every size holds the same text.
    """
    import transpiler

    tools = [tool for tool in [*ours(), *peers(load_base(vocab), vocab)] if tool.name in GROWING]
    parts = list(statements(texts, LARGEST))
    measured: dict[int, dict[str, list[float]]] = {size: {tool.name: [] for tool in tools} for size in GROWTH}
    pieces = {size: [as_text(piece.encode()) for piece in pack(parts, size)] for size in GROWTH}
    for programs in pieces.values():
        for text in programs:
            text.simpy = {"classic": transpiler.encode(text.python, verify=False)}
    gc.freeze()
    for turn in range(rounds):
        for tool in tools:
            if turn == 0 or tool.name not in GROWING_ONCE:
                for size, programs in pieces.items():
                    measured[size][tool.name].append(timed(tool.run, programs))
    rows = []
    for size, programs in pieces.items():
        total = sum(len(text.data) for text in programs)
        per_byte = {name: statistics.median(seconds) / total * 1e6 for name, seconds in measured[size].items()}
        ratio = {name: paired(seconds, measured[GROWTH[0]][name]) for name, seconds in measured[size].items()}
        rows.append({"size": size, "programs": len(programs), "bytes": total, "us_per_byte": per_byte, "times_smallest": ratio})
        print(size, {name: round(value, 3) for name, value in ratio.items()}, file=sys.stderr, flush=True)
    return rows


def _machine() -> dict[str, object]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    own = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()}
    return {**own, "packages": versions}


def measure(vocab: Path, rounds: int, size: int, growth_rounds: int) -> dict[str, Any]:
    """Run everything."""
    from simpy_grammar.native import core

    if core is None:
        raise SystemExit("no native core: build it, and leave SIMPY_PURE out")
    command()
    warnings.simplefilter("ignore")  # what the measured programs are warned for is not our business
    texts = [as_text(data) for data in corpus()]
    return {
        "machine": _machine(),
        "rounds": rounds,
        "start_up_ms": start_up(max(rounds, START_ROUNDS)),
        "commands": commands(texts, COMMAND_ROUNDS),
        "memory": memory(texts),
        "by_size": by_size(texts, vocab, rounds, size),
        "growth": growth(texts, vocab, growth_rounds) if growth_rounds else [],
    }


def main() -> int:
    """Measure, or render what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, help="folder or file of StarCoder's tokenizer.json (also .xz)")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=float, default=0.5, help="MB of source a class of sizes")
    parser.add_argument("--start", action="store_true", help="measure the start only, and put it into the figures of --output")
    parser.add_argument("--growth-rounds", type=int, default=3, help="0 leaves growth out")
    parser.add_argument("--render", action="store_true", help=f"write {PAGE.name} from {RESULTS.name} and measure nothing")
    parser.add_argument("--check", action="store_true", help="with --render: write nothing, exit 1 if the page is stale")
    parser.add_argument("--pure", action="store_true", help=argparse.SUPPRESS)  # children of this script
    parser.add_argument("--memory", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pure:
        pure_worker()
        return 0
    if options.memory:
        print(memory_of(options.memory[0], Path(options.memory[1])))
        return 0
    if options.render:
        page = markdown(json.loads(RESULTS.read_text(encoding="utf-8")))
        if options.check:
            fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page
            if not fresh:
                print(f"{PAGE.relative_to(ROOT)} is stale: run python benchmarks/speed.py --render", file=sys.stderr)
            return 0 if fresh else 1
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if options.start:
        result = json.loads((options.output or RESULTS).read_text(encoding="utf-8"))
        result["start_up_ms"] = start_up(max(options.rounds, START_ROUNDS))
    elif options.vocab is None:
        parser.error("--vocab is needed to measure")
    else:
        result = measure(options.vocab, options.rounds, int(options.size * MB), options.growth_rounds)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
