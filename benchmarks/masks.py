"""Masks of grammar-constrained generation: whether programs are refused, and what a mask costs.

    python benchmarks/masks.py --vocab FOLDER --programs FILE...           measure, print the table
    python benchmarks/masks.py ... --json benchmarks/results/masks.json    and keep the figures
    python benchmarks/masks.py --vocab FOLDER --making --json FILE         only make tables, with the core and in pure Python
    python benchmarks/masks.py --render [--check]                          put the last figures into docs/masks.md, or look

FOLDER holds one folder per vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`. FILE is JSON lines, gzipped or not, with a
`prompt` and a `canonical_solution` each (HumanEval), or a folder of Python files. Two thirds of the programs warm the caches; times are
those of the others, which no cache has seen, in processor time. *Refused* counts ids of all programs, and ends; *forced* steps at which
one id alone may come.
`--making` makes each constraint anew in both ways, one after the other, in several rounds, each in a process of its own: medians, and of
the ratios within rounds. `--llguidance` also times the masks of llguidance, over the grammar that is exported for it, in the same programs.
The exit code is 1 if any id is refused.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import PYTHON, Dialect  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from simpy_grammar.table_cache import load_tables  # noqa: E402  # as above
from tokenizer_ext import extend, load_tokenizer  # noqa: E402  # as above
from tokenizer_ext.adapters import adapter_of  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.constrain import Constraint  # noqa: E402  # as above
from tokenizer_ext.constrain import masks as mask_tables  # noqa: E402  # as above
from tokenizer_ext.constrain.lexers import lexer_of  # noqa: E402  # as above
from tokenizer_ext.constrain.trees import Tables  # noqa: E402  # as above
from tokenizer_ext.constrain.trie_cache import load_tries  # noqa: E402  # as above
from tokenizer_ext.constrain.tries import Tries  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above
from transpiler.source import read_source  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "masks.json"
DIALECTS = ("classic", "dense", "dense-newline")
_WAYS = ("native", "pure", "ratio")


def programs(path: Path) -> Iterator[str]:
    """The programs of a file of JSON lines or of a folder."""
    if path.is_dir():
        for file in sorted(path.rglob("*.py")):
            try:
                yield read_source(file.read_bytes())
            except SimPyError:
                continue
        return
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in data.decode().splitlines():
        problem = json.loads(line)
        yield problem["prompt"] + problem["canonical_solution"]


def share(values: list[float], part: float) -> float:
    """The value below which a part of some values is."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def measure_engine(vocabulary: str, dialect: str, sources: list[str]) -> dict[str, Any]:
    """The masks of llguidance for the programs that no cache of ours has seen."""
    from benchmarks.engines import mask_timings  # needs the extra engines

    texts = [encode(source, dialect=dialect, verify=False) for source in sources[2 * len(sources) // 3 :]]
    found = mask_timings(load_tokenizer(vocabulary), dialect, texts)
    micros = {name: found[name] for name in ("p50", "mean", "p99")}
    return {"programs": len(texts), "tokens": found["steps"], "refused": found["refused"], "microseconds": micros}


def speller(tokenizer: Any, dialect: str) -> Callable[[str], list[int]]:
    """What turns a program into ids of a dialect; Python itself stays as it is."""
    if Dialect.load(dialect).is_python:
        ordinary = adapter_of(tokenizer).ordinary([])
        return lambda source: ordinary.encode([source if dialect == PYTHON else encode(source, dialect=dialect, verify=False)])[0]
    codec = Codec(tokenizer, dialect=dialect)
    return lambda source: codec.encode(encode(source, dialect=dialect, verify=False))


def made(vocabulary: str, dialect: str, valid_python: bool, cache: str) -> tuple[Constraint, Callable[[str], list[int]], dict[str, Any]]:
    """A constraint whose tries are in a cache or come into it, what spells programs, and what making it cost."""
    tokenizer = load_tokenizer(vocabulary)
    if not Dialect.load(dialect).is_python:
        tokenizer = extend(tokenizer, dialect=dialect)
    ids_of = speller(tokenizer, dialect)
    ids_of("pass\n")  # now it has what it needs
    load_tables(lexer_of(Dialect.load(dialect)).dialect)
    os.environ["SIMPY_CACHE"] = cache
    before = megabytes()
    tables: list[float] = []

    def timed(of: Tables) -> Tries:
        begun = time.process_time()
        found = load_tries(of)
        tables.append(time.process_time() - begun)
        return found

    with patch.object(mask_tables, "load_tries", timed):
        start = time.process_time()
        constraint = Constraint(tokenizer, dialect=dialect, valid_python=valid_python)
        seconds = time.process_time() - start
    cost = {"seconds": round(seconds, 3), "tables": round(sum(tables), 3), "before": before, "megabytes": megabytes() - before}
    return constraint, ids_of, cost


def megabytes() -> int:
    """The largest memory that the process has had."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make(vocabulary: str, dialect: str, valid_python: bool, cache: str) -> dict[str, Any]:
    """What making a constraint for the first time costs."""
    return made(vocabulary, dialect, valid_python, cache)[2]


def compare_making(vocabulary: str, dialect: str, rounds: int) -> dict[str, Any]:
    """What making a constraint for the first time costs with the core and in pure Python: of the tables alone, and of all."""
    found: dict[str, list[dict[str, float]]] = {"native": [], "pure": []}
    for _ in range(rounds):
        for name, costs in found.items():
            os.environ["SIMPY_PURE"] = str(int(name == "pure"))
            with TemporaryDirectory() as cache:
                costs.append(alone(make, vocabulary, dialect, False, cache))
    del os.environ["SIMPY_PURE"]
    row: dict[str, Any] = {"rounds": rounds}
    for part in ("tables", "seconds"):
        native, pure = ([cost[part] for cost in found[name]] for name in found)
        row[part] = {
            "native": round(median(native), 3),
            "pure": round(median(pure), 3),
            "ratio": round(median(slow / fast for fast, slow in zip(native, pure, strict=True)), 2),
        }
    return row


def measure(vocabulary: str, dialect: str, sources: list[str], valid_python: bool, cache: str) -> dict[str, Any]:
    """Write all programs under the mask, with tries that are in the cache."""
    constraint, ids_of, cost = made(vocabulary, dialect, valid_python, cache)
    refused = forced = tokens = written = 0
    times: list[float] = []
    warm = 2 * len(sources) // 3
    start = time.process_time()
    for at, source in enumerate(sources):
        try:
            ids = ids_of(source)
        except SimPyError:
            continue
        written += 1
        if at == warm:
            warmed = time.process_time() - start
        state = constraint.start()
        for number in ids:
            tokens += 1
            begun = time.thread_time_ns()
            mask = state.mask()
            taken = time.thread_time_ns() - begun
            if at >= warm:
                times.append(taken / 1000)
            refused += number not in mask
            forced += len(mask) == 1
            following = state.after(number)
            if following is None:
                break
            state = following
        refused += not state.may_end()
    return {
        "programs": written,
        "tokens": tokens,
        "refused": refused,
        "forced": forced,
        "cached_seconds": cost["seconds"],
        "warming_seconds": round(warmed, 2),
        "megabytes": megabytes() - cost["before"],
        "microseconds": {
            "p50": round(share(times, 0.5), 1),
            "mean": round(sum(times) / len(times), 1),
            "p90": round(share(times, 0.9), 1),
            "p99": round(share(times, 0.99), 1),
        },
    }


def alone(measured: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    """What a measurement finds in a process of its own, so that memory and caches are those of this row alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, *args).result()


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| vocabulary | dialect | programs | tokens | refused | forced | p50 | mean | p90 | p99 "
        "| to make, first time | to make, from the cache | to warm | memory |",
        f"| --- | --- |{' ---: |' * 12}",
    ]
    for name, row in results["rows"].items():
        vocabulary, dialect = name.split(" ", 1)
        us = row["microseconds"]
        cells = [vocabulary, dialect, f"{row['programs']:,}", f"{row['tokens']:,}", f"{row['refused']:,}"]
        cells.append(f"{100 * row['forced'] / row['tokens']:.2f} %" if "forced" in row else "")
        cells += [f"{us[name]:,.0f} µs" if name in us else "" for name in ("p50", "mean", "p90", "p99")]
        units = (("making_seconds", ".1f", "s"), ("cached_seconds", ".1f", "s"), ("warming_seconds", ".1f", "s"), ("megabytes", ",", "MB"))
        cells += [f"{row[name]:{form}} {unit}" if name in row else "" for name, form, unit in units]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def making_table(results: dict[str, Any]) -> str:
    """What making costs in both ways, as a Markdown table."""
    lines = [
        "| vocabulary | dialect | tables, native | pure | pure / native | all, native | pure | pure / native |",
        f"| --- | --- |{' ---: |' * 6}",
    ]
    for name, row in results["making"].items():
        cells = [f"{row[part][of]:.2f} s" if of != "ratio" else f"{row[part][of]:.1f}x" for part in ("tables", "seconds") for of in _WAYS]
        lines.append(f"| {' | '.join((*name.split(' ', 1), *cells))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--vocabularies", nargs="+", default=["starcoder"], metavar="NAME")
    parser.add_argument("--dialects", nargs="+", default=list(DIALECTS), metavar="NAME")
    parser.add_argument("--programs", type=Path, nargs="+", metavar="FILE", default=[])
    parser.add_argument("--valid-python", action="store_true", help="also refuse what no valid Python has there")
    parser.add_argument("--making", action="store_true", help="only make the tables, with the core and in pure Python")
    parser.add_argument("--rounds", type=int, default=3, help="of --making")
    parser.add_argument("--llguidance", action="store_true", help="time llguidance on the same programs, too")
    parser.add_argument("--limit", type=int, default=10_000, help="programs of each FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/masks.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what sources warn of is not our business
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        parts = {"figures": table(results), "making": making_table(results)}
        return max(pages.put("masks.md", mark, text, "python benchmarks/masks.py --render", options.check) for mark, text in parts.items())
    if options.vocab is None or not (options.programs or options.making):
        parser.error("say with --vocab and --programs where vocabularies and programs are")
    os.environ["SIMPY_VOCAB"] = str(options.vocab)
    sources: list[str] = []
    for path in options.programs:
        found = list(programs(path))
        random.Random(1).shuffle(found)
        sources += found[: options.limit]
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version()}
    if options.making:
        rows = results.setdefault("making", {})
        for vocabulary in options.vocabularies:
            for dialect in options.dialects:
                rows[f"{vocabulary} {dialect}"] = compare_making(vocabulary, dialect, options.rounds)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(making_table(results), end="")
        return 0
    rows = results.setdefault("rows", {})
    for vocabulary in options.vocabularies:
        for dialect in options.dialects:
            name = f"{vocabulary} {dialect}{', valid Python' if options.valid_python else ''}"
            with TemporaryDirectory() as cache:
                first = alone(make, vocabulary, dialect, options.valid_python, cache)
                rows[name] = alone(measure, vocabulary, dialect, sources, options.valid_python, cache)
            rows[name] |= {"making_seconds": first["seconds"], "making_megabytes": first["megabytes"]}
            if options.llguidance:
                rows[f"{vocabulary} {dialect}, by llguidance"] = measure_engine(vocabulary, dialect, sources)
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results), end="")
    return int(any(row["refused"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
