"""How fast this checkout is beside an earlier release, in one run and in processor time.

    python benchmarks/releases.py FOLDER -o benchmarks/results/releases.json
    python benchmarks/releases.py FOLDER --only start --rounds 100

FOLDER holds a checkout of the earlier release. Each release works in a process of its own, and both do one thing after the
other in turn, so that a slow moment of the machine meets both. What is reported is the median of the rounds, and the median
of the ratios. The start of the command is measured in new virtual environments, where each release is installed with pip:
there the fastest of many runs counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "examples" / "two_sum.py"
MB = 1_000_000
LIBRARY = Path(sysconfig.get_paths()["stdlib"])
CORPUS = ("asyncio", "email", "json", "logging")  # packages of the standard library that are counted and learned from
BUDGET = 64  # tokens that are learned
START = "start"
NAMES = {
    "encode": "encode, library files",
    "decode": "decode, library files",
    "encode one": "encode, one file of 5 MB",
    "decode one": "decode, one file of 5 MB",
    "encode compact": "encode to `compact`",
    "decode compact": "decode of `compact`",
    "count": "count tokens in four dialects",
    "learn": "learn tokens",
}
"""What is measured -> how the table calls it. The proof of ``encode`` is off."""


# ------------------------------------------------------------------------------------------------------------ one release


def library(size: int) -> list[str]:
    """Files of the standard library, ``size`` characters of them, the same ones in every run."""
    paths = sorted(path for path in LIBRARY.rglob("*.py") if not {"site-packages", "test", "tests", "lib2to3"} & set(path.parts))
    random.Random(0).shuffle(paths)
    found: list[str] = []
    length = 0
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
            compile(text, "", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        found.append(text)
        length += len(text)
        if length >= size:
            break
    return found


def one_program(size: int) -> str:
    """Files of the standard library, one after the other, as one program."""
    texts = [text.replace("from __future__", "from future") for text in library(size)]
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts)


Job = tuple[Callable[[], object], int]  # what is done, and the characters of Python that it reads


def conversions(size: int, one: int) -> dict[str, Job]:
    """What can be measured of the converter."""
    import transpiler

    texts, program = library(size), one_program(one)
    simpy = [transpiler.encode(text, verify=False) for text in texts]
    simpy_program = transpiler.encode(program, verify=False)
    compact = [transpiler.encode(text, dialect="compact", verify=False) for text in texts]
    length = sum(map(len, texts))
    return {
        "encode": (lambda: [transpiler.encode(text, verify=False) for text in texts], length),
        "decode": (lambda: [transpiler.decode(text) for text in simpy], length),
        "encode one": (lambda: transpiler.encode(program, verify=False), len(program)),
        "decode one": (lambda: transpiler.decode(simpy_program), len(program)),
        "encode compact": (lambda: [transpiler.encode(text, dialect="compact", verify=False) for text in texts], length),
        "decode compact": (lambda: [transpiler.decode(text, dialect="compact") for text in compact], length),
    }


def vocabularies(vocabulary: Path) -> dict[str, Job]:
    """What can be measured of ``tokenizer_ext``."""
    import tokenizers

    import tokenizer_ext

    tokenizer = tokenizers.Tokenizer.from_file(str(vocabulary))
    release: Any = tokenizer_ext  # either release: the one before has Counter and read_programs
    counter = getattr(release, "TokenCounter", None) or release.Counter
    read = getattr(release, "read_corpus", None) or release.read_programs
    files = list(read([LIBRARY / name for name in CORPUS]))
    length = sum(len(file.source) for file in files)

    def count() -> None:
        counting = counter(tokenizer, dialects=("python", "compact", "classic", "dense"))
        for file in files:
            counting.count(file.source)

    return {"count": (count, length), "learn": (lambda: tokenizer_ext.learn(tokenizer, files, budget=BUDGET), length)}


def work(names: list[str], size: int, one: int, vocabulary: Path) -> None:
    """Be one release: measure what each line of the input names, and answer with seconds and characters."""
    known: dict[str, Job] = {}
    if not {"count", "learn"}.issuperset(names):
        known |= conversions(size, one)
    if not {"count", "learn"}.isdisjoint(names):
        known |= vocabularies(vocabulary)
    gc.freeze()  # the texts stay, so the collector need not look through them again while a release is timed
    print("ready", flush=True)
    for line in sys.stdin:
        run, length = known[line.rstrip("\n")]
        gc.collect()
        start = time.process_time()
        run()
        print(json.dumps([time.process_time() - start, length]), flush=True)


# ----------------------------------------------------------------------------------------------------------- both releases


class Release:
    """A checkout at work in a process of its own.

    Args:
        folder: the checkout.
        scratch: a folder for its tables.
        options: of the process.
    """

    def __init__(self, folder: Path, scratch: Path, options: list[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(folder), "SIMPY_CACHE": str(scratch), "TOKENIZERS_PARALLELISM": "false"}
        command = [sys.executable, __file__, str(folder), "--work", *options]
        self._process = subprocess.Popen(command, cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None  # noqa: S101  # it was asked for
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a release stopped with exit code {self._process.wait()}")
        return line

    def measure(self, name: str) -> tuple[float, int]:
        """Seconds and characters of one thing."""
        assert self._process.stdin is not None  # noqa: S101  # it was asked for
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        seconds, length = json.loads(self._answer())
        return float(seconds), int(length)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def compare(folder: Path, names: list[str], rounds: int, size: int, one: int) -> Iterator[dict[str, Any]]:
    """One row for each thing that is measured."""
    from tests.small_tokenizers import byte_bpe

    with tempfile.TemporaryDirectory() as scratch:
        vocabulary = Path(scratch) / "tokenizer.json"
        vocabulary.write_text(byte_bpe().to_str(), encoding="utf-8")
        options = ["--size", str(size / MB), "--one", str(one / MB), "--vocabulary", str(vocabulary)]
        options += [f"--only={name}" for name in names]
        ours, theirs = (Release(where, Path(scratch) / name, options) for name, where in (("ours", ROOT), ("theirs", folder)))
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        lengths: dict[str, int] = {}
        for turn in range(rounds + 1):
            for name in names:
                pair = [release.measure(name) for release in ((ours, theirs) if turn % 2 else (theirs, ours))]
                (our, lengths[name]), (their, _) = pair if turn % 2 else pair[::-1]
                if turn:  # the first round fills the caches
                    seconds[name].append((our, their))
        ours.close()
        theirs.close()
    for name in names:
        speeds = [lengths[name] / statistics.median(values) / MB for values in zip(*seconds[name], strict=True)]
        ratios = sorted(their / our for our, their in seconds[name])
        row = {"name": name, "characters": lengths[name], "mb_per_second": speeds[0], "mb_per_second_before": speeds[1]}
        yield {**row, "ratio": statistics.median(ratios), "ratios": [ratios[0], ratios[-1]]}


# ------------------------------------------------------------------------------------------------------------------- start


def start(folder: Path, rounds: int) -> dict[str, float]:
    """Milliseconds of processor time that the installed command takes, and bare Python, in each environment."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        commands: dict[str, list[str]] = {}
        for name, where in (("now", ROOT), ("before", folder)):
            programs = _installed(where, Path(scratch) / name)
            commands[f"python -c pass, {name}"] = [str(programs / "python"), "-c", "pass"]
            commands[f"simpy encode, {name}"] = [str(programs / "simpy"), "encode", str(GOLDEN)]
        for turn in range(rounds + 1):
            for name, command in commands.items():
                seconds = _processor_time(command)
                if turn:  # the first round fills the caches
                    found[name] = min(found.get(name, seconds), seconds)
    return {name: seconds * 1e3 for name, seconds in found.items()}


def _installed(folder: Path, target: Path) -> Path:
    """Install a checkout, from a copy that the build may write to; the folder of its programs."""
    copy = target / "source"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", str(target / "venv")], check=True)
    programs = target / "venv" / "bin"
    subprocess.run([str(programs / "python"), "-m", "pip", "install", "-q", str(copy)], check=True)
    return programs


def _processor_time(command: list[str]) -> float:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SIMPY_CACHE")}
    process = subprocess.Popen(command, env=environment, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return used.ru_utime + used.ru_stime


# ------------------------------------------------------------------------------------------------------------------ report


def markdown(result: dict[str, Any]) -> str:
    """The table."""
    lines = []
    if result["rows"]:
        lines += ["| MB of Python a second | before | now | now / before | lowest and highest |", "| --- | ---: | ---: | ---: | ---: |"]
    for row in result["rows"]:
        low, high = row["ratios"]
        speeds = f"{row['mb_per_second_before']:.2f} | {row['mb_per_second']:.2f}"
        lines.append(f"| {NAMES[row['name']]} | {speeds} | {row['ratio']:.2f}x | {low:.2f}x {high:.2f}x |")
    if result["start_ms"]:
        ms = result["start_ms"]
        lines += ["", "| milliseconds | `python -c pass` | `simpy encode examples/two_sum.py` | times bare Python |"]
        lines.append("| --- | ---: | ---: | ---: |")
        for name in ("before", "now"):
            bare, ours = ms[f"python -c pass, {name}"], ms[f"simpy encode, {name}"]
            lines.append(f"| {name} | {bare:.1f} | {ours:.1f} | {ours / bare:.1f}x |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a checkout of the earlier release")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--only", action="append", choices=[*NAMES, START], help="only this; can be given more than once")
    parser.add_argument("--rounds", type=int, default=5, help="of each thing; of the start ten times as many")
    parser.add_argument("--size", type=float, default=1.0, help="MB of library files")
    parser.add_argument("--one", type=float, default=5.0, help="MB of the one file")
    parser.add_argument("--vocabulary", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    size, one = int(options.size * MB), int(options.one * MB)
    names = [name for name in NAMES if not options.only or name in options.only]
    if options.work:
        work(names, size, one, options.vocabulary)
        return 0
    sys.path.insert(0, str(ROOT))
    folder = options.folder.resolve()
    starts = start(folder, 10 * options.rounds) if not options.only or START in options.only else {}
    rows = list(compare(folder, names, options.rounds, size, one)) if names else []
    machine = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()}
    result = {"machine": machine, "rounds": options.rounds, "rows": rows, "start_ms": starts}
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(markdown(result), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
