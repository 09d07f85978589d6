"""What the native core gained in learning, fitting and tables of masks: this checkout beside an older one, in one run.

    git worktree add FOLDER b1b6ece
    python benchmarks/before.py --before FOLDER --vocab VOCABULARIES -o benchmarks/results/before.json    measure, print the table
    python benchmarks/before.py ... --jobs 'masks python'                  only some of the work; the other figures stay as they are there
    python benchmarks/before.py --render [--check]                        put the last figures into docs/native.md, or look

b1b6ece is the last commit before the core: all of it is Python, and nothing is built there. Here the core must be built. v0.2.0 has no
core either, but learns less: tokens that are parts of names came later. So the two are compared by what they find, too.
VOCABULARIES holds a folder `cl100k_base` with `tokenizer.json` or `tokenizer.json.xz`: 100,000 tokens. Both checkouts read the same
files of the standard library. Each piece of work is done by both, one after the other, in a process of its own each time, round after
round. Times are processor time, after the libraries, the vocabulary and the tables of the dialects have been loaded. What is reported
is the median of the rounds, and of the ratios within each round.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "before.json"
VOCABULARY = "cl100k_base"
DIALECTS = ("classic", "dense", "python")  # of the masks
MB = 1_000_000
SIZES = {"learn": 8 * MB, "fit": MB}  # characters that are read
BUDGET = 256  # tokens that are learned, as `simpy learn` does if it is told nothing
PACKAGES = ("simpy_grammar", "transpiler", "tokenizer_ext")

Costs = dict[str, float]  # what is measured -> seconds
Done = tuple[Costs, str]  # and what was found


# -------------------------------------------------------------------------------------------------------- one checkout


def learn(texts: list[str], _: str) -> Done:
    """Learn tokens."""
    from tokenizer_ext import learn, load_tokenizer
    from tokenizer_ext.learning.corpus import CorpusFile

    tokenizer, files = load_tokenizer(VOCABULARY), [CorpusFile("", text) for text in texts]
    learn(tokenizer, files[:2], budget=1, held_out=0)  # now it has what it needs
    return _timed("learn", lambda: "\n".join(learn(tokenizer, files, budget=BUDGET).learned.tokens))


def fit(texts: list[str], _: str) -> Done:
    """Fit a dialect."""
    from tokenizer_ext import fit, load_tokenizer

    tokenizer = load_tokenizer(VOCABULARY)
    fit(tokenizer, texts[:1], terminals=())  # as above
    return _timed("fit", lambda: fit(tokenizer, texts).dialect.format())


def masks(_: list[str], dialect: str) -> Done:
    """Make the constraint of a dialect for the first time."""
    from benchmarks.masks import make

    with tempfile.TemporaryDirectory() as cache:
        cost = make(VOCABULARY, dialect, False, cache)
    return {f"masks, {dialect}: tables": cost["tables"], f"masks, {dialect}: all": cost["seconds"]}, ""


def _timed(name: str, run: Callable[[], str]) -> Done:
    start = time.process_time()
    found = run()
    return {name: time.process_time() - start}, found


JOBS = {"learn": learn, "fit": fit, "masks": masks}
ALL_JOBS = ("learn", "fit", *(f"masks {dialect}" for dialect in DIALECTS))


def work(folder: Path, job: str, corpus: Path) -> Done:
    """Be one checkout: do one piece of work."""
    for name in PACKAGES:  # before benchmarks.masks puts this checkout first
        file = importlib.import_module(name).__file__
        if file is None or not Path(file).is_relative_to(folder):
            raise SystemExit(f"{name} is not that of {folder}")
    if folder == ROOT and importlib.import_module("simpy_grammar.native").core is None:
        raise SystemExit("no native core: build it, and leave SIMPY_PURE out")
    sys.path.insert(0, str(ROOT))
    name, _, dialect = job.partition(" ")
    texts: list[str] = json.loads(corpus.read_text(encoding="utf-8"))
    most, held, length = SIZES.get(name, 0), list[str](), 0
    for text in texts:
        if length < most:
            held.append(text)
            length += len(text)
    return JOBS[name](held, dialect)


# ------------------------------------------------------------------------------------------------------- both checkouts


def measure(before: Path, vocab: Path, rounds: int, jobs: Sequence[str]) -> dict[str, Any]:
    """Seconds of both checkouts, and their ratios."""
    from benchmarks.releases import library

    version = subprocess.run(["git", "-C", before, "describe", "--tags"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    found: dict[str, list[tuple[float, float]]] = {}
    others: set[str] = set()  # of which the two find something else
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus.json")
        corpus.write_text(json.dumps(library(max(SIZES.values()))), encoding="utf-8")

        def ask(folder: Path, job: str) -> Done:
            cache = Path(scratch, "then" if folder == before else "now")
            variables = {"PYTHONPATH": str(folder), "SIMPY_CACHE": str(cache), "SIMPY_VOCAB": str(vocab), "SIMPY_PURE": ""}
            line = [sys.executable, __file__, "--before", str(folder), "--work", job, str(corpus)]
            environment = {**os.environ, **variables, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
            done = subprocess.run(line, check=True, stdout=subprocess.PIPE, cwd=scratch, env=environment)
            costs, result = json.loads(done.stdout)
            return costs, result

        for turn in range(rounds):
            for job in jobs:
                folders = (before, ROOT) if turn % 2 else (ROOT, before)
                done = {folder: ask(folder, job) for folder in folders}
                (then, old), (now, new) = done[before], done[ROOT]
                if old != new:
                    others.add(job)
                for name, seconds in then.items():
                    found.setdefault(name, []).append((seconds, now[name]))
                    print(turn, name, *found[name][-1], file=sys.stderr, flush=True)
    rows = {}
    for name, pairs in found.items():
        ratios = [slow / fast for slow, fast in pairs]
        slow, fast = (median(column) for column in zip(*pairs, strict=True))
        rows[name] = {"before": slow, "now": fast, "ratio": median(ratios), "least": min(ratios)}
    about = {"before": version, "python": platform.python_version(), "cpus": os.cpu_count(), "vocabulary": VOCABULARY}
    return {**about, "rounds": rounds, "characters": SIZES, "budget": BUDGET, "other_results": sorted(others), "rows": rows}


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    others = ", ".join(f"`{name}`" for name in result["other_results"])
    found = f"The results of {others} are others." if others else "Both learn the same tokens and fit the same dialect."
    lines = [
        f"Before is {result['before']}, in Python {result['python']}, {result['cpus']} CPUs; the vocabulary is {result['vocabulary']}. "
        f"Medians of {result['rounds']} rounds. {found}",
        "",
        "| processor time | before | now | before / now | least in a round |",
        f"| --- |{' ---: |' * 4}",
    ]
    said = {
        "learn": f"`learn` of {result['budget']} tokens on {result['characters']['learn'] / MB:g} MB",
        "fit": f"`fit` on {result['characters']['fit'] / MB:g} MB",
    }
    for name, row in result["rows"].items():
        times = f"{row['before']:.2f} s | {row['now']:.2f} s | {row['ratio']:.1f}x | {row['least']:.1f}x"
        lines.append(f"| {said.get(name, name)} | {times} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a checkout of the older version")
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", nargs="+", choices=ALL_JOBS, default=ALL_JOBS, metavar="JOB", help=f"some of: {', '.join(ALL_JOBS)}")
    parser.add_argument("-o", "--output", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/native.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    parser.add_argument("--work", nargs=2, metavar=("JOB", "FILE"), help=argparse.SUPPRESS)  # children of this script
    options = parser.parse_args()
    if options.work:
        print(json.dumps(work(options.before, options.work[0], Path(options.work[1]))))
        return 0
    sys.path.insert(0, str(ROOT))
    if options.render:
        from benchmarks import pages

        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("native.md", "before", text, "python benchmarks/before.py --render", options.check)
    if options.before is None or options.vocab is None:
        parser.error("say with --before and --vocab where the older version and the vocabularies are")
    result = measure(options.before.resolve(), options.vocab.resolve(), options.rounds, options.jobs)
    if options.output:
        if options.output.exists():
            kept = json.loads(options.output.read_text(encoding="utf-8"))
            if any(kept[name] != result[name] for name in result if name not in ("rows", "other_results")):
                parser.error(f"{options.output} holds figures of other versions or sizes: measure all of them again")
            result["rows"] = kept["rows"] | result["rows"]
            result["other_results"] = sorted({*result["other_results"], *(job for job in kept["other_results"] if job not in options.jobs)})
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
