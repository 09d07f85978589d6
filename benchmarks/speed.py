"""How fast encode and decode are, against tools that read the same text: one thread, one process, one run.

    python benchmarks/speed.py --vocab FOLDER -o benchmarks/results/speed.json   measure, print the table
    python benchmarks/speed.py --start -o benchmarks/results/speed.json          measure the start of the command anew
    python benchmarks/speed.py --render                                          docs/speed.md from those figures
    python benchmarks/speed.py --render --check                                  is docs/speed.md up to date?

FOLDER holds StarCoder's `tokenizer.json` or `tokenizer.json.xz`. The corpus is the standard library of the running Python. Every
contender reads every text in turn, round after round, so that a slow moment of the machine meets all of them; what is reported
is the median of the rounds. The proof of `encode` is off (`verify=False`).
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib.metadata
import io
import json
import lzma
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "speed.md"
GOLDEN = ROOT / "examples" / "two_sum.py"
KB, MB = 1_000, 1_000_000
CLASSES = (("to 2 KB", 2 * KB), ("2 to 8 KB", 8 * KB), ("8 to 32 KB", 32 * KB), ("32 to 128 KB", 128 * KB), ("over 128 KB", 1 << 62))
GROWTH = (10 * KB, 100 * KB, MB, 10 * MB)
BASE = "tokenizers encode"


@dataclass
class Text:
    """One program in the forms that the contenders read."""

    python: str
    data: bytes
    simpy: str = ""


@dataclass
class Contender:
    """One tool.

    Attributes:
        run: reads one text.
        slow: measured on a part of the texts and in one round only.
    """

    name: str
    run: Callable[[Text], object]
    slow: bool = False
    seconds: list[float] = field(default_factory=list)


def corpus() -> Iterator[bytes]:
    """Every file of the standard library that this Python parses, without its tests."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] in ("site-packages", "test", "lib2to3") or "tests" in parts:
            continue
        try:
            data = path.read_bytes()
            ast.parse(data)
        except (SyntaxError, ValueError, OSError):
            continue
        if data.strip():
            yield data


def as_text(data: bytes) -> Text:
    """Decode a file as Python does."""
    with io.TextIOWrapper(io.BytesIO(data), tokenize.detect_encoding(io.BytesIO(data).readline)[0]) as file:
        python = file.read()
    return Text(python, python.encode())


def contenders(vocab: Path | None) -> list[Contender]:
    """All that is measured; what is not installed is left out and named."""
    import tree_sitter
    import tree_sitter_python

    import transpiler

    language = tree_sitter.Language(tree_sitter_python.language())
    found = [
        Contender("simpy encode", lambda text: transpiler.encode(text.python, verify=False)),
        Contender("simpy decode", lambda text: transpiler.decode(text.simpy)),
        Contender("ast.parse + ast.unparse", lambda text: ast.unparse(ast.parse(text.python))),
        Contender("tree-sitter parse", lambda text: tree_sitter.Parser(language).parse(text.data)),
    ]
    if vocab is not None:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(_vocabulary(vocab))
        found.append(Contender(BASE, lambda text: tokenizer.encode(text.python, add_special_tokens=False)))
    else:
        print("no --vocab: tokenizers is left out", file=sys.stderr)
    for name, module, run in (("python-minifier", "python_minifier", _minify), ("black", "black", _black)):
        try:
            found.append(Contender(name, run(__import__(module)), slow=True))
        except ImportError:
            print(f"{module} is not installed: left out", file=sys.stderr)
    return found


def _minify(module: Any) -> Callable[[Text], object]:
    return lambda text: module.minify(text.python)


def _black(module: Any) -> Callable[[Text], object]:
    mode = module.Mode()
    return lambda text: module.format_str(text.python, mode=mode)


def _vocabulary(path: Path) -> str:
    if path.is_dir():
        path = next(file for name in ("tokenizer.json", "tokenizer.json.xz") if (file := path / name).exists())
    return (lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()).decode()


def _timed(run: Callable[[Text], object], texts: Iterable[Text]) -> float:
    """Seconds that a contender takes for some texts."""
    clock = time.perf_counter
    start = clock()
    for text in texts:
        run(text)
    return clock() - start


def by_size(tools: list[Contender], texts: list[Text], rounds: int, size: int) -> list[dict[str, Any]]:
    """MB of Python per second, for each contender and each class of file sizes."""
    rows = []
    lower = 0
    for label, upper in CLASSES:
        sample = _sample([text for text in texts if lower <= len(text.data) < upper], size)
        part = _sample(sample, size // 20)
        lower = upper
        if not sample:
            continue
        for tool in tools:
            tool.seconds = []
            _timed(tool.run, part[:1])  # warm
        for turn in range(rounds):
            for tool in tools[turn % len(tools) :] + tools[: turn % len(tools)]:
                if not tool.slow or turn == 0:
                    gc.collect()
                    tool.seconds.append(_timed(tool.run, part if tool.slow else sample))
        total = sum(len(text.data) for text in sample)
        slow_total = sum(len(text.data) for text in part)
        base = next((tool.seconds for tool in tools if tool.name == BASE), None)
        speeds = {tool.name: (slow_total if tool.slow else total) / statistics.median(tool.seconds) / MB for tool in tools}
        ratios = {
            tool.name: statistics.median(theirs / ours for ours, theirs in zip(tool.seconds, base, strict=True))
            for tool in tools
            if base is not None and not tool.slow
        }
        rows.append({"class": label, "files": len(sample), "bytes": total, "mb_per_second": speeds, "times_tokenizers": ratios})
        print(label, {name: round(value, 2) for name, value in speeds.items()}, file=sys.stderr)
    return rows


def _sample(texts: list[Text], size: int) -> list[Text]:
    """Some of the texts, about ``size`` bytes of them and one at least, the same ones in every run."""
    order = list(texts)
    random.Random(0).shuffle(order)
    chosen: list[Text] = []
    total = 0
    for text in order:
        if chosen and total + len(text.data) > size:
            continue
        chosen.append(text)
        total += len(text.data)
    return chosen


def growth(tools: list[Contender], texts: list[Text], rounds: int) -> list[dict[str, Any]]:
    """Microseconds per byte for the same statements in programs of growing size.

    Real files are joined to one program of the largest size, and that is cut between top-level statements into programs
    of the smaller sizes: every size holds the same text.
    """
    import transpiler

    statements = list(_statements(texts, GROWTH[-1]))
    measured: dict[int, dict[str, list[float]]] = {size: {tool.name: [] for tool in tools} for size in GROWTH}
    pieces = {size: [as_text(piece.encode()) for piece in _pack(statements, size)] for size in GROWTH}
    for programs in pieces.values():
        for text in programs:
            text.simpy = transpiler.encode(text.python, verify=False)
    for _ in range(rounds):
        for tool in tools:
            for size, programs in pieces.items():
                gc.collect()
                measured[size][tool.name].append(_timed(tool.run, programs))
    rows = []
    for size, programs in pieces.items():
        total = sum(len(text.data) for text in programs)
        per_byte = {name: statistics.median(seconds) / total * 1e6 for name, seconds in measured[size].items()}
        first = measured[GROWTH[0]]
        ratio = {
            name: statistics.median(now / then for now, then in zip(seconds, first[name], strict=True))
            for name, seconds in measured[size].items()
        }
        rows.append({"size": size, "programs": len(programs), "bytes": total, "us_per_byte": per_byte, "times_smallest": ratio})
        print(size, {name: round(value, 3) for name, value in ratio.items()}, file=sys.stderr)
    return rows


def _statements(texts: list[Text], size: int) -> Iterator[str]:
    """Top-level statements of real files with the comments before them, until they are ``size`` bytes."""
    total = 0
    while total < size:
        for text in texts:
            lines = text.python.splitlines(keepends=True)
            if text.python.count("\n") != len(lines) or "\f" in text.python:
                continue  # line numbers would not be those of ast
            starts = sorted({min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) for node in _body(text)})
            for start, end in zip([0, *(n - 1 for n in starts[1:])], [*(n - 1 for n in starts[1:]), len(lines)], strict=True):
                piece = "".join(lines[start:end])
                total += len(piece.encode())
                yield piece
            if total >= size:
                return


def _body(text: Text) -> list[ast.stmt]:
    return ast.parse(text.python).body


def _pack(statements: list[str], size: int) -> Iterator[str]:
    held: list[str] = []
    total = 0
    for statement in statements:
        held.append(statement)
        total += len(statement.encode())
        if total >= size:
            yield "".join(held)
            held, total = [], 0
    if held:
        yield "".join(held)


def start_up(rounds: int) -> dict[str, float]:
    """Milliseconds of whole processes: `simpy encode` of the golden example, with its proof and without, and `python -c pass`."""
    simpy = shutil.which("simpy", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if simpy is None:
        raise SystemExit("no command simpy: install the project, since its start is measured as people have it")
    beside = [Path(simpy).with_name(name) for name in ("python", "python.exe")]
    python = next((str(path) for path in beside if path.exists()), sys.executable)
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "simpy encode": [simpy, "encode", str(GOLDEN)],
        "simpy encode --fast": [simpy, "encode", "--fast", str(GOLDEN)],
    }
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SIMPY_CACHE")}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, line in commands.items():
            start = time.perf_counter()
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
            if turn:  # the first round fills the caches
                seconds[name].append(time.perf_counter() - start)
    found = {name: statistics.median(values) * 1e3 for name, values in seconds.items()}
    for name in list(commands)[1:]:
        pairs = zip(seconds[name], seconds["python -c pass"], strict=True)
        found[f"{name}, times python -c pass"] = statistics.median(ours / bare for ours, bare in pairs)
    return found


def _machine() -> dict[str, object]:
    packages = ("tree-sitter", "tree-sitter-python", "tokenizers", "python-minifier", "black")
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    own = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()}
    return {**own, **versions}


def measure(vocab: Path | None, rounds: int, size: int, growth_rounds: int) -> dict[str, Any]:
    """Run everything."""
    import transpiler

    warnings.simplefilter("ignore")  # what the measured programs are warned for is not our business
    texts = [as_text(data) for data in corpus()]
    for text in texts:
        text.simpy = transpiler.encode(text.python, verify=False)
    tools = contenders(vocab)
    gc.freeze()  # the corpus is no garbage, and looking through it again is no work of the contenders
    ours = [tool for tool in tools if not tool.slow]
    return {
        "machine": _machine(),
        "rounds": rounds,
        "by_size": by_size(tools, texts, rounds, size),
        "growth": growth(ours, texts, growth_rounds) if growth_rounds else [],
        "start_up_ms": start_up(max(rounds, 9)),
    }


def markdown(result: dict[str, Any]) -> str:
    """The page that shows a result."""
    machine = result["machine"]
    names = list(result["by_size"][0]["mb_per_second"])
    lines = [
        "# Speed",
        "",
        "Written by `python benchmarks/speed.py --render` from `benchmarks/results/speed.json`; edit neither by hand.",
        "",
        f"Python {machine['python']} on {machine['system']} {machine['machine']}, {machine['cpus']} CPUs, one thread; "
        + ", ".join(f"{name} {version}" for name, version in list(machine.items())[4:])
        + f". Medians of {result['rounds']} interleaved rounds; the proof of `encode` is off.",
        "",
        "## MB of Python source per second",
        "",
        "The files are those of the standard library. python-minifier and black read a twentieth of each class, once.",
        "",
        _row(["files of", *names]),
        _row(["---", *("---:" for _ in names)]),
    ]
    lines += [_row([row["class"], *(f"{row['mb_per_second'][name]:.2f}" for name in names)]) for row in result["by_size"]]
    quick = [name for name in names if name in result["by_size"][0]["times_tokenizers"] and name != BASE]
    if quick:
        lines += ["", "As a multiple of the tokenizer's speed on the same text (median of the paired rounds):", ""]
        lines += [_row(["files of", *quick]), _row(["---", *("---:" for _ in quick)])]
        lines += [_row([row["class"], *(f"{row['times_tokenizers'][name]:.2f}x" for name in quick)]) for row in result["by_size"]]
    if result["growth"]:
        tools = list(result["growth"][0]["us_per_byte"])
        lines += [
            "",
            "## Growth",
            "",
            _GROWTH_NOTE,
            "",
        ]
        lines += [_row(["program of", *tools]), _row(["---", *("---:" for _ in tools)])]
        for row in result["growth"]:
            cells = (f"{row['us_per_byte'][name]:.3f} ({row['times_smallest'][name]:.2f}x)" for name in tools)
            lines.append(_row([f"{row['size'] // KB:,} KB", *cells]))
    lines += [
        "",
        "## Start",
        "",
        _START_NOTE,
        "",
        _row(["command", "milliseconds", "times bare Python"]),
    ]
    lines.append(_row(["---", "---:", "---:"]))
    starts = result["start_up_ms"]
    for name in ("python -c pass", "simpy encode", "simpy encode --fast"):
        lines.append(_row([f"`{name}`", f"{starts[name]:.0f}", f"{starts.get(f'{name}, times python -c pass', 1.0):.1f}x"]))
    return "\n".join(lines) + "\n"


_GROWTH_NOTE = "Microseconds per byte for the same statements in programs of growing size; in brackets, as a multiple of the smallest."
_START_NOTE = "The time of whole processes that read `examples/two_sum.py`."


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure, or render what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, help="folder or file of StarCoder's tokenizer.json (also .xz)")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=float, default=1.0, help="MB of source a class of sizes")
    parser.add_argument("--start", action="store_true", help="measure the start only, and put it into the figures of --output")
    parser.add_argument("--growth-rounds", type=int, default=3, help="0 leaves growth out")
    parser.add_argument("--render", action="store_true", help=f"write {PAGE.name} from {RESULTS.name} and measure nothing")
    parser.add_argument("--check", action="store_true", help="with --render: write nothing, exit 1 if the page is stale")
    options = parser.parse_args()
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
        result = {**json.loads((options.output or RESULTS).read_text(encoding="utf-8")), "start_up_ms": start_up(max(options.rounds, 9))}
    else:
        result = measure(options.vocab, options.rounds, int(options.size * MB), options.growth_rounds)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
