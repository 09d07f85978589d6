"""Do models learn a dense spelling at no loss? Small models learn each from scratch, and a base that knows Python learns one.

    python benchmarks/learning.py                                           all runs that are missing, and the table
    python benchmarks/learning.py --programs 400 --seeds 1 --json try.json  less
    python benchmarks/learning.py --arms compact dense dense-aliases-64 --json benchmarks/results/learning_aliases.json    aliases
    python benchmarks/learning.py --render [--check]                        put the last figures into docs/evidence.md, or look

Programs are functions of the standard library and of the packages installed here, 300 of each package at most; whole packages are held out.
Every arm has a tokenizer trained on its spelling, with the same number of ids, so that every model has the same shape and a step costs the
same. `dense+256` is `dense` with 256 learned tokens at most, which take the places of as many merges. An arm is trained twice: on the
programs that the Python arm reads (*equal programs*), and for as many steps as the Python arm with further programs (*equal compute*). The
learning rate is chosen for each arm, after half of the steps, by programs that are not measured. Measured are nats per held-out program.
Intervals are of a bootstrap over programs and seeds. Every run is noted when it ends, so that the command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  # the path must be set first

from benchmarks import pages  # noqa: E402  # as above
from recipes.bases import small_llama  # noqa: E402  # as above
from recipes.loading import end_of  # noqa: E402  # as above
from recipes.measuring import nats_per_program  # noqa: E402  # as above
from recipes.programs import Encoder, Source, Split, convert, functions  # noqa: E402  # as above
from recipes.settings import TrainingSettings  # noqa: E402  # as above
from recipes.tokenizers import train_tokenizer  # noqa: E402  # as above
from recipes.training import prepare, train  # noqa: E402  # as above
from simpy_eval.statistics import Interval  # noqa: E402  # as above
from tokenizer_ext import extend, learn, special_tokens  # noqa: E402  # as above
from tokenizer_ext.learning.corpus import CorpusFile  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "learning.json"
# Place in docs/evidence.md -> results. Programs of packages that are installed on another day are others, so these stand apart.
SHOWN = {"from scratch": RESULTS, "from scratch, aliases": RESULTS.with_name("learning_aliases.json")}
ARMS = ("python", "compact", "classic", "classic-spaced", "dense", "dense-spaced", "dense+256", "dense+512", "dense-aliases-64")
CONTROL = "python"
PAIRS = (
    ("classic-spaced", "classic"),
    ("dense-spaced", "dense"),
    ("dense", "classic"),
    ("dense+256", "dense"),
    ("dense+512", "dense"),
    ("dense+512", "dense+256"),
    ("dense-aliases-64", "dense"),
)
PROGRAMS, COMPUTE = "equal programs", "equal compute"
IDS = 1664  # of every tokenizer, tokens of the dialect included
LENGTH, BATCH = 256, 4
SHAPE = {"hidden": 128, "layers": 3, "heads": 4, "context": LENGTH}
RATES = (2e-3, 4e-3, 8e-3, 1.6e-2)
MOST = 300  # programs of a package
SPARE = 1.6  # times the programs of the Python arm, for arms that read more with as much compute
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "encodings", "site-packages", "pip", "simpy_cli"}


class Programs(NamedTuple):
    """The programs of a comparison, the same for all arms.

    Attributes:
        train: in the order in which they are read.
        tuning: of packages that are held out; they choose the learning rate.
        measured: of other packages that are held out.
    """

    train: list[str]
    tuning: list[str]
    measured: list[str]


def packages() -> dict[str, list[Path]]:
    """The files of each package and module of the standard library and of what is installed."""
    found: dict[str, list[Path]] = {}
    for root in (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))):
        for path in sorted(root.glob("*.py")) + sorted(root.glob("[A-Za-z_]*/**/*.py")):
            parts = path.relative_to(root).parts
            if not LEFT_OUT & set(parts):
                found.setdefault(f"{root.name}/{parts[0].removesuffix('.py')}", []).append(path)
    return found


def programs_of(paths: Sequence[Path], rng: random.Random) -> Iterator[str]:
    """Some functions of a package, in an order of chance."""
    chosen = list(paths)
    rng.shuffle(chosen)
    count = 0
    for path in chosen:
        for program in functions(path.read_bytes()):
            yield program
            count += 1
            if count == MOST:
                return


def collect(wanted: int, held: int, *, seed: int = 0) -> Programs:
    """Programs to train on and to measure, from different packages; each stands in one place only."""
    return Programs(*([one.python for one in part] for part in collect_sources(wanted, held, seed=seed)))


def collect_sources(wanted: int, held: int, *, seed: int = 0) -> tuple[list[Source], list[Source], list[Source]]:
    """The same, each program with its package as its group."""
    rng = random.Random(seed)
    names = packages()
    order = sorted(names)
    rng.shuffle(order)
    lists: list[list[Source]] = [[], [], []]
    sizes = (held, held // 2, round(SPARE * wanted))
    seen: set[str] = set()
    at = 0
    for name in order:
        if at == len(lists):
            break
        new = [program for program in dict.fromkeys(programs_of(names[name], rng)) if program not in seen]
        if at < 2:
            new = new[: max(4, held // 12)]  # from a dozen packages at least
        seen |= {*new}
        lists[at] += [Source(program, name, program) for program in new]
        if len(lists[at]) >= sizes[at]:
            del lists[at][sizes[at] :]
            at += 1
    measured, tuning, training = lists
    rng.shuffle(training)
    return training, tuning, measured


class Arm:
    """One spelling: its tokenizer, and the programs as its ids.

    Args:
        name: of a dialect; `+N` after it adds so many learned tokens at most.
        sources: of the comparison, to train on, to tune and to measure.
        count: how many programs the Python arm reads.

    Attributes:
        learned: how many tokens were learned.
    """

    def __init__(self, name: str, sources: Sequence[Sequence[Source]], count: int) -> None:
        self.dialect, _, budget = name.partition("+")
        self.learned = 0
        texts = [self._texts(part) for part in sources]
        self.tokenizer = self._tokenizer(texts[0][:count], sources[0][:count], int(budget or 0))
        encode = Encoder(self.tokenizer, self.dialect)
        end = end_of(self.tokenizer)
        self.train, self.tuning, self.measured = ([[*(encode(text) or []), end] for text in part] for part in texts)
        self.count = count

    def _texts(self, sources: Sequence[Source]) -> list[str]:
        found = convert(sources, self.dialect)
        if len(found) != len(sources):
            raise SystemExit(f"{len(sources) - len(found)} programs are refused by {self.dialect}")
        return [one.text for one in found]

    def _tokenizer(self, texts: Sequence[str], sources: Sequence[Source], budget: int) -> Any:
        """A tokenizer trained on the texts, with learned tokens from the same programs. Where fewer are found, there are more merges."""
        files = [CorpusFile(source.group, source.python) for source in sources]
        while True:
            tokenizer = train_tokenizer(texts, self.dialect, IDS - len(special_tokens(self.dialect)) - budget)
            if not budget:
                return tokenizer
            found = learn(tokenizer, files, budget=budget, dialect=self.dialect, held_out=0).learned
            if len(found.tokens) == budget:
                self.learned = budget
                return extend(tokenizer, dialect=self.dialect, learned=found)
            budget = len(found.tokens)

    def tokens(self, programs: int) -> int:
        """Ids of the first programs."""
        return sum(map(len, self.train[:programs]))

    def steps(self) -> int:
        """Steps in which the programs that the Python arm reads are read once."""
        return self.tokens(self.count) // (LENGTH * BATCH)

    def run(self, steps: int, rate: float, seed: int, *, measured: bool) -> list[float]:
        """Train a model on as many programs as fit into the steps, and return the nats of each held-out program."""
        needed, programs = steps * LENGTH * BATCH, 0
        have = 0
        while have < needed and programs < len(self.train):
            have += len(self.train[programs])
            programs += 1
        if have < needed - LENGTH * BATCH:
            raise SystemExit(f"{self.dialect}: too few programs for {steps} steps; --programs is too high for what is installed here")
        held = self.measured if measured else self.tuning
        settings = TrainingSettings(
            length=LENGTH, batch=BATCH, steps=steps, learning_rate=rate, seed=seed, evaluate_every=10**9, save_every=10**9
        )
        prepare(settings)
        model = small_llama(self.tokenizer, seed=seed, **SHAPE)
        data = Split(self.train[:programs], held[:1], (), end_of(self.tokenizer))
        with tempfile.TemporaryDirectory() as folder:
            train(model, data, settings, folder)
        return nats_per_program(model, held, data.end)


class Notebook:
    """The results so far, in a file that is written after each run."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        part = self.found.setdefault("scratch", {"about": about, "runs": {}})
        if part["about"] != about:
            raise SystemExit(f"{path} holds runs with other settings: {part['about']}")
        self.runs: dict[str, Any] = part["runs"]

    def run(self, name: str, work: Any) -> Any:
        """The result of a run, made now if it is not there."""
        if name not in self.runs:
            start = time.process_time()
            nats = work()
            self.runs[name] = {"nats": [round(value, 2) for value in nats], "seconds": round(time.process_time() - start)}
            self.save()
            print(f"{name}: {np.mean(nats):.2f} nats, {self.runs[name]['seconds']} s", flush=True)
        return self.runs[name]

    def save(self) -> None:
        """Write the file."""
        self.path.write_text(json.dumps(self.found, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8")


def measure(path: Path, count: int, held: int, seeds: int, arms: Sequence[str]) -> None:
    """All runs that are missing."""
    sources = collect_sources(count, held)
    shown = {
        "programs": count,
        "held": len(sources[2]),
        "tuning": len(sources[1]),
        "ids": IDS,
        "digest": sha256("\0".join(one.python for part in sources for one in part).encode()).hexdigest()[:16],
        "python": platform.python_version(),
    }
    notebook = Notebook(path, shown)
    made = {name: Arm(name, sources, count) for name in (CONTROL, *(arm for arm in arms if arm != CONTROL))}
    most = made[CONTROL].steps()
    arm_sizes = notebook.found["scratch"].setdefault("arms", {})
    for name, arm in made.items():
        arm_sizes[name] = {"tokens": arm.tokens(count), "learned": arm.learned, "steps": {PROGRAMS: arm.steps(), COMPUTE: most}}
        tried = {}
        for rate in RATES:
            found = notebook.run(f"{name}, rate {rate:g}", lambda arm=arm, rate=rate: arm.run(most // 2, rate, 0, measured=False))
            tried[rate] = float(np.mean(found["nats"]))
        arm_sizes[name]["rate"] = min(tried, key=tried.__getitem__)
    notebook.save()
    for seed in range(seeds):
        for name, arm in made.items():
            rate = arm_sizes[name]["rate"]
            for budget in (COMPUTE,) if name == CONTROL else (PROGRAMS, COMPUTE):
                steps = arm_sizes[name]["steps"][budget]
                notebook.run(run_name(name, budget, seed), lambda arm=arm, s=steps, r=rate, n=seed: arm.run(s, r, n, measured=True))


def run_name(arm: str, budget: str, seed: int) -> str:
    """How a run is called. The run of the control has both budgets."""
    return f"{arm}, {COMPUTE if arm == CONTROL else budget}, seed {seed}"


def difference(arm: Sequence[Sequence[float]], control: Sequence[Sequence[float]]) -> Interval:
    """Nats per program of an arm less those of the control: [seed][program] each; the bootstrap draws seeds and programs."""
    apart = np.asarray(arm) - np.asarray(control)
    rng = np.random.default_rng(0)
    seeds, programs = apart.shape
    means = [apart[rng.integers(0, seeds, seeds)][:, rng.integers(0, programs, programs)].mean() for _ in range(4_000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(apart.mean()), float(low), float(high))


def signed(found: Interval) -> str:
    """A difference as it is printed.

    >>> signed(Interval(1.25, -0.5, 3.0))
    '+1.2 [-0.5, +3.0]'
    """
    return f"{found.value:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"


def verdict(found: Interval) -> str:
    """What an interval decides."""
    return "fewer" if found.high < 0 else "more" if found.low > 0 else "undecided"


def scratch_table(results: dict[str, Any]) -> str:
    """The figures of models from scratch as Markdown."""
    part = results["scratch"]
    runs, about = part["runs"], part["about"]
    arms = [name for name in ARMS if run_name(name, COMPUTE, 0) in runs]
    seeds = [seed for seed in range(99) if all(run_name(arm, budget, seed) in runs for arm in arms for budget in (PROGRAMS, COMPUTE))]
    nats = {(arm, budget): [runs[run_name(arm, budget, seed)]["nats"] for seed in seeds] for arm in arms for budget in (PROGRAMS, COMPUTE)}
    control = part["arms"][CONTROL]
    lines = [
        f"Trained on {about['programs']:,} functions, measured on {about['held']:,} of other packages; {len(seeds)} seeds; "
        f"{sum(run['seconds'] for run in runs.values()) / 60:.0f} minutes of one core in all. Python costs "
        f"{np.mean(nats[CONTROL, COMPUTE]):.1f} nats per program.",
        "",
        "| spelling | tokens of the same programs | learning rate | apart from Python, equal programs | equal compute "
        "| the interval says |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for arm in arms:
        size = part["arms"][arm]
        learned = f", {size['learned']} learned" if size["learned"] else ""
        cells = [f"`{arm}`{learned}", f"{size['tokens']:,} ({100 * (size['tokens'] / control['tokens'] - 1):+.1f} %)", f"{size['rate']:g}"]
        if arm == CONTROL:
            cells += ["", "", ""]
        else:
            cells += _apart({budget: difference(nats[arm, budget], nats[CONTROL, COMPUTE]) for budget in (PROGRAMS, COMPUTE)})
        lines.append(f"| {' | '.join(cells)} |")
    pairs = [pair for pair in PAIRS if {*pair} <= {*arms}]
    if pairs:
        lines += [
            "",
            "| spellings apart from each other | equal programs | equal compute | the interval says |",
            "| --- | ---: | ---: | --- |",
        ]
    for one, other in pairs:
        found = {budget: difference(nats[one, budget], nats[other, budget]) for budget in (PROGRAMS, COMPUTE)}
        lines.append(f"| `{one}` less `{other}` | {' | '.join(_apart(found))} |")
    return "\n".join(lines) + "\n"


def _apart(found: dict[str, Interval]) -> list[str]:
    """The cells of a difference at both budgets."""
    return [*map(signed, found.values()), ", ".join(f"{verdict(one)} at {budget}" for budget, one in found.items())]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1000, metavar="N", help="that the Python arm reads (default 1000)")
    parser.add_argument("--held", type=int, default=300, metavar="N", help="held-out programs (default 300)")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="(default 2)")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), metavar="NAME", help="beside the control (default all)")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="the results, and what is there already")
    parser.add_argument("--render", action="store_true", help="put the figures into docs/evidence.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    if not options.render:
        measure(options.json, options.programs, options.held, options.seeds, options.arms)
    if options.render:
        command = "python benchmarks/learning.py --render"
        tables = {place: scratch_table(json.loads(path.read_text(encoding="utf-8"))) for place, path in SHOWN.items()}
        return max(pages.put("evidence.md", place, table, command, options.check) for place, table in tables.items())
    print(scratch_table(json.loads(options.json.read_text(encoding="utf-8"))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
