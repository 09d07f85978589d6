"""``python -m tests.pythons.run``: today's Pythons read what their own libraries decode to, and find the same programs.

The Pythons are the npm packages in ``package.json``, pyodide under a name that says the version. For each, the library
inside the package and the golden cases that this Python reads go to every dialect and back here; the comparison
(``compare``) runs there. Nothing but the first installation of the packages needs a network.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import transpiler
from simpy_cli.workers import in_order
from tests.golden import cases
from tests.helpers import ALL
from tests.pythons.compare import DECODED, RESULT, SOURCES

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SHOWN = 20
"""How many faults of one Python are printed."""

Interpreter = Callable[[Path], None]
"""Runs ``compare_all`` on a working folder, in some Python.

Raises:
    subprocess.CalledProcessError: that Python failed.
"""


class Converted(NamedTuple):
    """A program after its way to every dialect and back.

    Attributes:
        decoded: dialect -> the text that came back.
        faults: dialect -> why none came back.
    """

    decoded: dict[str, str]
    faults: dict[str, str]


class Report(NamedTuple):
    """What one Python said.

    Attributes:
        python: its full version.
        files: how many programs it was given.
        passed: dialect -> how many of them came back the same.
        faults: the file, the dialect, and what is wrong, for all the others.
    """

    python: str
    files: int
    passed: dict[str, int]
    faults: list[tuple[str, str, str]]


def convert(source: bytes) -> Converted:
    """Send a program to every dialect and back.

    >>> convert(b"x=1\\n").decoded["classic"]
    'x = 1\\n'
    """
    converted = Converted({}, {})
    for dialect in ALL:
        try:
            simpy = transpiler.encode(source, dialect=dialect, verify=False)
            converted.decoded[dialect] = transpiler.decode(simpy, dialect=dialect, verify=False)
        except Exception as error:  # a refusal, or a bug of the converter
            converted.faults[dialect] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return converted


def library(package: Path) -> dict[str, bytes]:
    """The modules of the standard library in a package, by name."""
    with zipfile.ZipFile(package / "python_stdlib.zip") as archive:
        return {f"lib/{name}": archive.read(name) for name in sorted(archive.namelist()) if name.endswith(".py")}


def golden(version: tuple[int, ...]) -> dict[str, bytes]:
    """The sources of the golden cases that a Python of this version reads, by name."""
    return {f"cases/{case.path.stem}.py": case.python.encode() for case in cases() if case.since <= version}


def in_node(node: str, package: Path) -> Interpreter:
    """The Python of a package."""
    return lambda work: _check_call([node, str(HERE / "inside.mjs"), str(package), str(REPOSITORY), str(work)])


def _check_call(command: Sequence[str]) -> None:
    subprocess.run(command, check=True)


def write_work(work: Path, sources: Mapping[str, bytes], converted: Mapping[bytes, Converted]) -> None:
    """Write what an interpreter is given."""
    with zipfile.ZipFile(work / SOURCES, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in sources.items():
            archive.writestr(name, source)
    (work / DECODED).write_text(json.dumps({name: converted[source].decoded for name, source in sources.items()}), encoding="utf-8")


def check(sources: Mapping[str, bytes], converted: Mapping[bytes, Converted], interpreter: Interpreter) -> Report:
    """Ask an interpreter whether programs came back the same. What it does not answer for is a fault.

    Args:
        sources: name -> program.
        converted: program -> what became of it.
        interpreter: compares them.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_work(work, sources, converted)
        interpreter(work)
        result = json.loads((work / RESULT).read_text(encoding="utf-8"))
    report = Report(result["python"], len(sources), dict.fromkeys(ALL, 0), [])
    for name, source in sources.items():
        for dialect in ALL:
            verdict = converted[source].faults.get(dialect) or result["verdicts"].get(name, {}).get(dialect, "was not compared")
            if verdict is None:
                report.passed[dialect] += 1
            else:
                report.faults.append((name, dialect, verdict))
    return report


def show(reports: Sequence[Report]) -> int:
    """Print faults, a table and the sum; the exit status."""
    for report in reports:
        for name, dialect, fault in report.faults[:SHOWN]:
            print(f"Python {report.python}: {name}: {dialect}: {fault}")
        if len(report.faults) > SHOWN:
            print(f"Python {report.python}: and {len(report.faults) - SHOWN:,} more")
    print("".join(f"{head:>15}" for head in ("Python", "programs", *ALL)))
    for report in reports:
        print("".join(f"{cell:>15}" for cell in (report.python, report.files, *report.passed.values())))
    passed, failed = sum(sum(report.passed.values()) for report in reports), sum(len(report.faults) for report in reports)
    print(f"{passed:,} passed, {failed:,} failed")
    return 1 if failed or not passed else 0


def install(npm: str) -> bool:
    """Install the packages of the lock file, unless they are there; whether that worked."""
    stamp = HERE / "node_modules" / ".package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= (HERE / "package-lock.json").stat().st_mtime:
        return True
    return subprocess.run([npm, "ci", "--ignore-scripts"], cwd=HERE).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every Python of ``package.json``; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.pythons.run", description=__doc__.splitlines()[0].partition(": ")[2])
    parser.add_argument("-j", "--jobs", type=int, default=2, metavar="N", help="processes (%(default)s)")
    jobs = parser.parse_args(arguments).jobs
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("This machine has no Node.js: nothing was checked with the Pythons of tests/pythons/package.json.")
        return 0
    if not install(npm):
        print("The packages of tests/pythons/package.json could not be installed: nothing was checked.", file=sys.stderr)
        return 1
    packages = {name: HERE / "node_modules" / name for name in json.loads((HERE / "package.json").read_text())["dependencies"]}
    sources = [library(package) | golden(_version(name)) for name, package in packages.items()]
    distinct = list(dict.fromkeys(source for programs in sources for source in programs.values()))  # the libraries share many
    converted = dict(zip(distinct, in_order(convert, distinct, jobs), strict=True))
    interpreters = [in_node(node, package) for package in packages.values()]
    with ThreadPoolExecutor(jobs) as pool:  # each thread waits for a process of its own
        return show(list(pool.map(check, sources, repeat(converted), interpreters)))


def _version(name: str) -> tuple[int, ...]:
    """The version in the name of a package: ``python-3.14``."""
    return tuple(map(int, name.rpartition("-")[2].split(".")))


if __name__ == "__main__":
    sys.exit(main())
