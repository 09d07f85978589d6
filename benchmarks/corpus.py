"""What `simpy corpus` promises, measured on the standard library: throughput, killed runs, duplicates, and programs told apart.

    python benchmarks/corpus.py                      all four, with the engine of processes
    python benchmarks/corpus.py throughput --engine ray --mb 30
    python benchmarks/corpus.py kills --times 20
    python benchmarks/corpus.py duplicates fingerprints --programs 100000
    python benchmarks/corpus.py --json FILE

Throughput is that of processor time, of all processes together: a bare loop of ``encode`` in each process, and a whole run from Parquet to
Parquet, both without the proof. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from simpy_corpus.canonical import fingerprint  # noqa: E402  # this file may be run from anywhere
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from transpiler import decode, encode  # noqa: E402  # as above

MEASURED = ("throughput", "kills", "duplicates", "fingerprints")


def library() -> Iterator[str]:
    """The programs of the standard library, in a fixed order."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if not {"site-packages", "lib2to3", "bad_tests", "data"} & set(path.parts):
            try:
                text = path.read_text(encoding="utf-8")
                ast.parse(text)
            except (UnicodeError, SyntaxError, ValueError):
                continue
            yield text


def programs_of(size: int) -> list[str]:
    """Those of the library that can be encoded, again and again until they have ``size`` characters."""
    found: list[str] = []
    for text in library():
        if size <= 0:
            break
        try:
            encode(text, verify=False)
        except SimPyError:
            continue
        found.append(text)
        size -= len(text)
    once = list(found)
    while size > 0:
        for text in once:
            found.append(text)
            size -= len(text)
            if size <= 0:
                break
    return found


def write_parquet(path: Path, programs: Sequence[str]) -> None:
    """A data set as others publish them: the program, its path and its licence."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {"content": programs, "path": [f"lib/{i}.py" for i in range(len(programs))], "licence": ["PSF-2.0"] * len(programs)}
    pq.write_table(pa.table(rows), path)


def command(*words: str) -> list[str]:
    """``simpy corpus`` as a process of its own."""
    return [sys.executable, "-m", "simpy_cli", "corpus", *words]


def environment() -> dict[str, str]:
    """That of the command: it finds the toolchain, in whatever folder it runs."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def cost(work: Callable[[], object], engine: str) -> tuple[float, float]:
    """Seconds of processor time of the processes that a call starts, and seconds on the clock."""
    # Those of Ray are nobody's children, so all of the machine is counted, which should have nothing else to do.
    spent = _of_machine if engine == "ray" else _of_children
    before, started = spent(), time.perf_counter()
    work()
    return spent() - before, time.perf_counter() - started


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of_machine() -> float:
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def bare_loop(programs: Sequence[str]) -> int:
    """What is compared with: nothing but ``encode``."""
    return sum(len(encode(program, verify=False)) for program in programs)


def throughput(folder: Path, megabytes: float, workers: int, engine: str) -> dict[str, Any]:
    """Both ways over the same programs."""
    programs = programs_of(int(megabytes * 1e6))
    size = sum(map(len, programs))
    write_parquet(folder / "in.parquet", programs)

    def bare() -> None:
        portions = [programs[i::workers] for i in range(workers)]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(bare_loop, portions))

    def whole() -> None:
        words = command(str(folder / "in.parquet"), "-o", str(folder / "out"), "--fast", "-q", "-j", str(workers), "--engine", engine)
        subprocess.run([*words, "--shard-size", str(max(0.1, megabytes / 12))], check=True, env=environment())

    found: dict[str, Any] = {"megabytes": round(size / 1e6, 1), "programs": len(programs), "workers": workers, "engine": engine}
    for name, work in (("bare", bare), ("corpus", whole)):
        processor, clock = cost(work, engine)
        found[name] = {"MB/s of processor time": round(size / 1e6 / processor, 3), "MB/s on the clock": round(size / 1e6 / clock, 3)}
    found["share"] = round(found["corpus"]["MB/s of processor time"] / found["bare"]["MB/s of processor time"], 3)
    found["share on the clock"] = round(found["corpus"]["MB/s on the clock"] / found["bare"]["MB/s on the clock"], 3)
    return found


def tree(folder: Path) -> dict[str, str]:
    """What a folder holds: name -> digest."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def kills(folder: Path, times: int, workers: int, seed: int = 0) -> dict[str, Any]:
    """A run that is killed at random moments and gone on with, against one that is left alone."""
    programs = programs_of(1_500_000)
    write_parquet(folder / "in.parquet", [*programs, *programs[::7], "x = = 1"])

    def words(output: str) -> list[str]:
        return command(str(folder / "in.parquet"), "-o", str(folder / output), "-q", "-j", str(workers), "--shard-size", "0.05", *drop)

    drop = ("--drop", "duplicate", "--drop", "near-duplicate")
    started = time.perf_counter()
    subprocess.run(words("alone"), check=True, env=environment())
    whole = time.perf_counter() - started
    dice = random.Random(seed)
    killed = done = 0
    # Each run of this many gets so long that the kills are spread over the whole work.
    while killed < times:
        process = subprocess.Popen(words("killed"), env=environment(), start_new_session=True)
        try:
            process.wait(dice.uniform(0.1, 2.0 + 2 * whole / times))
        except subprocess.TimeoutExpired:
            killed += 1
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:  # it was done: begin again, so that each kill hits a run at work
            done += 1
            if tree(folder / "killed") != tree(folder / "alone"):
                break
            shutil.rmtree(folder / "killed")
    subprocess.run(words("killed"), check=True, env=environment())
    return {"kills": killed, "runs finished between": done, "same bytes": tree(folder / "killed") == tree(folder / "alone")}


def other_layout(program: str, dice: random.Random) -> str:
    """The same program in another layout, with other comments."""
    laid_out = decode(
        encode(program, dialect="compact", verify=False), dialect="compact", verify=False, width=dice.choice([40, 72, 120, None])
    )
    lines = []
    for line in laid_out.splitlines():
        lines.append(line)
        if not line.strip() and dice.random() < 0.5:  # never in a string: those of more than one line stand in both
            lines.append(line)
    text = "\n".join(lines)
    same = f"# copied {dice.random()}\n\n{laid_out}" if ast.dump(ast.parse(text)) != ast.dump(ast.parse(laid_out)) else text
    return f"{same}\n# {dice.random()}\n"


def duplicates(folder: Path) -> dict[str, Any]:
    """Programs planted once more in another layout, with other comments: how many of them are found."""
    import pyarrow.parquet as pq

    dice = random.Random(1)
    known: set[str] = set()
    programs = []
    for program in programs_of(3_000_000):
        digest = dump(program)
        if digest not in known:
            known.add(digest)
            programs.append(program)
    planted = [other_layout(program, dice) for program in programs]
    write_parquet(folder / "in.parquet", [*programs, *planted])
    subprocess.run(
        command(str(folder / "in.parquet"), "-o", str(folder / "out"), "-q", "--fast", "--drop", "duplicate"), check=True, env=environment()
    )
    errors = [error for path in sorted((folder / "out").glob("*.parquet")) for error in pq.read_table(path)["error"].to_pylist()]
    first, second = errors[: len(programs)], errors[len(programs) :]
    return {"planted": len(planted), "found": second.count("duplicate"), "others taken for one": first.count("duplicate")}


def dump(program: str) -> str:
    """A digest of the syntax tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sha256(ast.dump(ast.parse(program)).encode()).hexdigest()


def small_programs() -> Iterator[str]:
    """Programs that differ in little: functions and statements of the library, and each with one token changed."""
    dice = random.Random(2)
    for program in library():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(program)
        inner = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.ClassDef))
        for statement in {id(node): node for node in (*module.body, *inner)}.values():
            text = ast.unparse(statement)
            if len(text) > 3_000:
                continue
            yield text
            for old, new in dice.sample(_CHANGES, 12):
                if old in text:
                    yield text.replace(old, new, 1)


# What a token becomes; many of the results are not Python, and are passed over.
_CHANGES = (
    *(("(", "(("), (")", "))"), ("[", "("), ("]", ")"), (",", ""), ("==", "!="), (" + ", " - "), ("self", "cls"), ("'", ""), ("0", "1")),
    *((":", ":\n    pass;"), ("\n", "\n\n"), ("\n    ", "\n        "), ("return ", "return (yield)\n    "), (", ", ",), "), ("1", "10")),
    *(("if ", "while "), ("\n", "\n# a comment\n"), ("def ", "async def "), ("*", "**"), (".", ""), ("(", "(*"), ("b'", "'"), ("f'", "'")),
    *((" = ", " == "), ("not ", ""), ("in ", "not in "), ("\n    ", "\n    (a)\n    ")),
)


def fingerprints(number: int) -> dict[str, Any]:
    """Different programs that have one fingerprint, and equal ones that have two."""
    trees: dict[str, str] = {}  # of a fingerprint, the syntax tree
    prints: dict[str, str] = {}
    mixed = split = 0
    for text in small_programs():
        if len(trees) >= number:
            break
        try:
            found, digest = fingerprint(text), dump(text)
        except (SimPyError, SyntaxError, ValueError):
            continue
        mixed += trees.setdefault(found, digest) != digest
        split += prints.setdefault(digest, found) != found
    return {"different programs": len(trees), "taken for another": mixed, "trees with two fingerprints": split}


def main() -> int:
    """Measure what was asked for, and print it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(MEASURED)} (default all)")
    parser.add_argument("--engine", default="processes")
    parser.add_argument("--mb", type=float, default=30.0, help="size of the corpus of the throughput")
    parser.add_argument("-j", type=int, default=2, dest="workers")
    parser.add_argument("--times", type=int, default=20, help="how often a run is killed")
    parser.add_argument("--programs", type=int, default=100_000, help="how many different programs are told apart")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    args = parser.parse_args()
    work: dict[str, Callable[[Path], dict[str, Any]]] = {
        "throughput": lambda folder: throughput(folder, args.mb, args.workers, args.engine),
        "kills": lambda folder: kills(folder, args.times, args.workers),
        "duplicates": duplicates,
        "fingerprints": lambda folder: fingerprints(args.programs),
    }
    found = {}
    for name in args.what or MEASURED:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = work[name](Path(folder))
        print(json.dumps({name: found[name]}), flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
