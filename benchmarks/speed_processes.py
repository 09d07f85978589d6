"""What ``benchmarks/speed.py`` measures of whole processes: their memory, commands that read a folder, and the start of the command."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.speed_page import KB, MB
from benchmarks.speed_tools import LARGEST, Text, pack, paired, sample, statements

SCRIPT = Path(__file__).with_name("speed.py")  # its children are this script again
GOLDEN = SCRIPT.parent.parent / "examples" / "two_sum.py"
FILES = 300  # of the folder that commands convert


def memory(texts: list[Text]) -> dict[str, Any]:
    """By how many bytes the memory of a process grows at most while it converts one large program."""
    import transpiler

    if not Path("/proc/self/status").exists():
        print("memory is left out: this system has no /proc", file=sys.stderr)
        return {}
    python = next(pack(list(statements(texts, LARGEST)), LARGEST))
    found: dict[str, Any] = {"bytes": len(python.encode())}
    with tempfile.TemporaryDirectory() as folder:
        files = {"encode": Path(folder, "program.py"), "decode": Path(folder, "program.simpy")}
        files["encode"].write_text(python, encoding="utf-8")
        files["decode"].write_text(transpiler.encode(python, verify=False), encoding="utf-8")
        for kind, variables in _kinds().items():
            for what, name in (("no proof", "encode"), ("default proof", "encode"), ("", "decode")):
                line = [sys.executable, str(SCRIPT), "--memory", what or "decode", str(files[name])]
                done = subprocess.run(line, check=True, stdout=subprocess.PIPE, env={**os.environ, **variables})
                found.setdefault(f"{name}, {what}" if what else name, {})[kind] = int(done.stdout)
    print(found, file=sys.stderr, flush=True)
    return found


def memory_of(what: str, path: Path) -> int:
    """What the child does: convert one file, and say how much memory that took."""
    import transpiler

    def convert(text: str) -> str:
        return transpiler.decode(text) if what == "decode" else transpiler.encode(text, verify=what != "no proof")

    warnings.simplefilter("ignore")
    convert("a")  # loads what is needed
    text = path.read_text(encoding="utf-8")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    before = _status("VmRSS")
    convert(text)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _kinds() -> dict[str, dict[str, str]]:
    return {"native": {"SIMPY_PURE": ""}, "pure": {"SIMPY_PURE": "1"}}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SIMPY_CACHE", "SIMPY_PURE")}


def _found(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def command() -> str:
    """The command as people have it.

    Raises:
        SystemExit: it is not installed.
    """
    simpy = _found("simpy")
    if simpy is None:
        raise SystemExit("no command simpy: install the project, since the command is measured as people have it")
    return simpy


def _process(line: list[str], variables: dict[str, str] | None = None, *, codes: tuple[int, ...] = (0,)) -> float:
    """Processor time of a whole process, user and system, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        line, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**_environment(), **(variables or {})}
    )
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(line)} ends with {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def commands(texts: list[Text], rounds: int) -> dict[str, Any]:
    """Processor time of commands that read a folder of real files, each in every round."""
    chosen = sample([text for text in texts if 2 * KB <= len(text.data) < 16 * KB], 100 * MB)[:FILES]
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place, "in"), Path(place, "out")
        folder.mkdir()
        for number, text in enumerate(chosen):
            (folder / f"file{number}.py").write_bytes(text.data)
        lines = [
            (
                f"simpy encode{option}, {kind}",
                [command(), "encode", "--no-cache", "-q", *option.split(), str(folder), "-o", str(out)],
                variables,
            )
            for option in ("", " --fast")
            for kind, variables in _kinds().items()
        ]
        ruff = _found("ruff")
        if ruff is not None:
            asked = ["--isolated", "--no-cache", "--quiet", str(folder)]
            lines.append(("ruff format --check", [ruff, "format", "--check", *asked], {}))
            lines.append(("ruff check --select E902", [ruff, "check", "--select", "E902", *asked], {}))
        else:
            print("ruff is not installed: left out", file=sys.stderr)
        for variables in _kinds().values():
            _process([command(), "encode", str(GOLDEN)], variables)  # fills the caches
        for turn in range(rounds):
            for name, line, variables in lines[:: -1 if turn % 2 else 1]:
                shutil.rmtree(out, ignore_errors=True)
                seconds[name].append(_process(line, variables, codes=(0,) if name.startswith("simpy") else (0, 1)))
    found = {name: statistics.median(values) for name, values in seconds.items()}
    print({name: round(value, 3) for name, value in found.items()}, file=sys.stderr, flush=True)
    return {"files": len(chosen), "bytes": sum(len(text.data) for text in chosen), "rounds": rounds, "seconds": found}


def start_up(rounds: int) -> dict[str, float]:
    """Milliseconds of whole processes: `simpy encode` of the golden example, with its proof and without, and `python -c pass`."""
    simpy = command()
    beside = [Path(simpy).with_name(name) for name in ("python", "python.exe")]
    python = next((str(path) for path in beside if path.exists()), sys.executable)
    lines = {
        "python -c pass": [python, "-c", "pass"],
        "simpy encode": [simpy, "encode", str(GOLDEN)],
        "simpy encode --fast": [simpy, "encode", "--fast", str(GOLDEN)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    for turn in range(rounds + 1):
        for name, line in lines.items():
            spent = _process(line)
            if turn:  # the first round fills the caches
                seconds[name].append(spent)
    found = {name: statistics.median(values) * 1e3 for name, values in seconds.items()}
    for name in list(lines)[1:]:
        found[f"{name}, times python -c pass"] = paired(seconds[name], seconds["python -c pass"])
    return found
