"""Is a student better for its teacher? The same small student with and without one, at as many steps, and what it costs in 8 bits.

    python benchmarks/students.py                                   all runs that are missing, and the table
    python benchmarks/students.py --programs 600 --seeds 1 --json try.json --work try       less
    python benchmarks/students.py --render [--check]                put the last figures into docs/training.md, or look

Programs are functions of the standard library and of installed packages, whole packages held out, as in ``benchmarks/learning.py``. The
teacher is a larger Llama with the same tokenizer that reads the programs several times. Students read them once, in the same order with
and without the teacher (``recipes/shrink.py``). The weight and the temperature of distillation are chosen on held-out packages that are
not measured, after a quarter of the steps. Measured are nats per held-out program; the interval is of a bootstrap over programs and
seeds. Every run is noted when it ends, and the teacher is kept in the folder ``--work``, so that the command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.learning import Programs, collect, difference, signed, verdict  # noqa: E402  # as above
from recipes.bases import open_base, small_llama  # noqa: E402  # as above
from recipes.loading import end_of  # noqa: E402  # as above
from recipes.measuring import mean, nats_per_program, shown  # noqa: E402  # as above
from recipes.programs import Encoder, Source, Split, convert  # noqa: E402  # as above
from recipes.quantizing import save_quantized  # noqa: E402  # as above
from recipes.settings import TrainingSettings  # noqa: E402  # as above
from recipes.shrink import distillation  # noqa: E402  # as above
from recipes.tokenizers import train_tokenizer  # noqa: E402  # as above
from recipes.training import Loss, prepare, train  # noqa: E402  # as above
from simpy_eval.model_report import megabytes  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "students.json"
DIALECT = "classic"
ALONE, TAUGHT = "alone", "taught"
WAYS = ((0.5, 1.0), (0.5, 2.0), (0.9, 1.0))  # weights and temperatures that are tried
MOST_MEGABYTES, MOST_MILLISECONDS, TIMED = 3.0, 100.0, 10


@dataclass(frozen=True)
class Plan:
    """What decides the figures.

    Attributes:
        programs: that are trained on.
        held: that are measured.
        vocabulary: ids of the tokenizer before those of the dialect.
        teacher: shape of the teacher: width, layers, heads.
        student: that of the student.
        readings: how often the teacher reads the programs; a student reads them once.
        teacher_rate: its learning rate.
        student_rate: that of students, with and without the teacher.
        length: ids in a block.
        batch: blocks in a step.
    """

    programs: int = 2000
    held: int = 300
    vocabulary: int = 1536
    teacher: tuple[int, int, int] = (192, 4, 4)
    student: tuple[int, int, int] = (128, 3, 4)
    readings: int = 2
    teacher_rate: float = 3e-3
    student_rate: float = 4e-3
    length: int = 256
    batch: int = 4


class Classroom:
    """The programs as ids, the teacher, and the students.

    Args:
        plan: what decides the figures.
        programs: of the comparison.
        work: the folder in which the teacher is kept.
    """

    def __init__(self, plan: Plan, programs: Programs, work: Path) -> None:
        self.plan = plan
        self.work = work
        texts = [convert([Source(text, "", text) for text in part], DIALECT) for part in programs]
        self.tokenizer = train_tokenizer([one.text for one in texts[0]], DIALECT, plan.vocabulary)
        encode, self.end = Encoder(self.tokenizer, DIALECT), end_of(self.tokenizer)
        self.train, self.tuning, self.measured = ([[*(encode(one.text) or []), self.end] for one in part] for part in texts)
        self.steps = sum(map(len, self.train)) // (plan.length * plan.batch)
        self._teacher: Any = None

    def fit(self, shape: tuple[int, int, int], steps: int, rate: float, seed: int, loss: Loss | None = None) -> Any:
        """A model that was trained for some steps."""
        plan = self.plan
        never = 10**9
        values: dict[str, Any] = {"length": plan.length, "batch": plan.batch, "steps": steps, "learning_rate": rate, "seed": seed}
        settings = TrainingSettings(**values, evaluate_every=never, save_every=never)
        prepare(settings)
        hidden, layers, heads = shape
        model = small_llama(self.tokenizer, seed=seed, hidden=hidden, layers=layers, heads=heads, context=plan.length)
        with tempfile.TemporaryDirectory() as folder:
            train(model, Split(self.train, self.tuning[:1], (), self.end), settings, folder, loss=loss)
        return model

    def teacher(self) -> Any:
        """The teacher: the one that is kept, or else a new one, which is kept."""
        if self._teacher is None:
            folder = self.work / "teacher"
            if not (folder / "done").exists():
                model = self.fit(self.plan.teacher, self.plan.readings * self.steps, self.plan.teacher_rate, seed=100)
                model.save_pretrained(folder)
                self.tokenizer.save_pretrained(folder)
                (folder / "done").touch()
            self._teacher = open_base(str(folder))
        return self._teacher

    def student(self, seed: int, way: tuple[float, float] | None, steps: int | None = None) -> Any:
        """A student, with a teacher if there is a way of distillation: its weight and temperature."""
        loss = None if way is None else distillation(self.teacher(), *way)
        return self.fit(self.plan.student, self.steps if steps is None else steps, self.plan.student_rate, seed, loss)

    def nats(self, model: Any) -> list[float]:
        """The nats of each held-out program."""
        return nats_per_program(model, self.measured, self.end)

    def tried(self, way: tuple[float, float], steps: int) -> list[float]:
        """The nats of a student after some steps, of the programs that choose the way of distillation."""
        return rounded(nats_per_program(self.student(0, way, steps), self.tuning, self.end))

    def costs(self, model: Any) -> dict[str, float]:
        """What a student costs in 32 and in 8 bits: megabytes on disk, milliseconds of ten more ids on one core, nats per program."""
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(Path(folder, "model"))
            self.tokenizer.save_pretrained(Path(folder, "model"))
            small = save_quantized(Path(folder, "model"), Path(folder, "int8"))
            found = {"megabytes": megabytes(Path(folder, "model")), "int8 megabytes": megabytes(Path(folder, "int8"))}
        found |= {"milliseconds": milliseconds(model, self.end), "int8 milliseconds": milliseconds(small, self.end)}
        nats = {"nats": statistics.fmean(self.nats(model)), "int8 nats": statistics.fmean(self.nats(small))}
        return {name: round(value, 3) for name, value in (found | nats).items()}


def milliseconds(model: Any, start: int) -> float:
    """The processor time of reading one id and writing ten more in one thread, in milliseconds: the median of some measurements."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    prompt = torch.full((1, 1), start)
    times = []
    try:
        for _ in range(9):
            began = time.process_time()
            model.generate(prompt, attention_mask=torch.ones_like(prompt), min_new_tokens=TIMED, max_new_tokens=TIMED, pad_token_id=start)
            times.append(time.process_time() - began)
    finally:
        torch.set_num_threads(threads)
    return 1000 * statistics.median(times[1:])  # the first call makes what later ones keep


class Notes:
    """The figures so far, in a file that is written after each run.

    Raises:
        SystemExit: the file holds figures of another plan or other programs.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"about": about, "runs": {}}
        if self.found["about"] != about:
            raise SystemExit(f"{path} holds runs with other settings: {self.found['about']}")

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """The result of a run, made now if it is not there."""
        runs = self.found["runs"]
        if name not in runs:
            start = time.process_time()
            result = work()
            runs[name] = {"result": result, "seconds": round(time.process_time() - start, 1)}
            self.note()
            seen = f"{statistics.fmean(result):.2f} nats" if isinstance(result, list) else result
            print(f"{name}: {seen}, {runs[name]['seconds']} s", flush=True)
        return runs[name]["result"]

    def note(self, **facts: Any) -> None:
        """Write the file, with some more facts."""
        self.found |= facts
        self.path.write_text(json.dumps(self.found, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8")


def rounded(nats: Sequence[float]) -> list[float]:
    """Nats as they are noted."""
    return [round(value, 2) for value in nats]


def way_name(way: tuple[float, float]) -> str:
    """How a way of distillation is called.

    >>> way_name((0.5, 2.0))
    'weight 0.5, temperature 2'
    """
    return f"weight {way[0]:g}, temperature {way[1]:g}"


def measure(path: Path, work: Path, plan: Plan, programs: Programs, seeds: int, ways: Sequence[tuple[float, float]] = WAYS) -> None:
    """All runs that are missing."""
    digest = sha256("\0".join(one for part in programs for one in part).encode()).hexdigest()[:16]
    about = {**json.loads(json.dumps(asdict(plan))), "digest": digest, "python": platform.python_version()}
    notes = Notes(path, about)
    room = Classroom(plan, programs, work / digest)
    notes.run("teacher", lambda: rounded(room.nats(room.teacher())))
    few = max(1, room.steps // 4)
    tried: dict[tuple[float, float], float] = {}
    for way in ways:
        nats = notes.run(f"tried: {way_name(way)}", partial(room.tried, way, few))
        tried[way] = statistics.fmean(nats)
    best = min(tried, key=tried.__getitem__)
    notes.note(way=way_name(best), steps=room.steps, seeds=seeds)
    kept = work / digest / "student"

    def student_nats(seed: int, way: tuple[float, float] | None) -> list[float]:
        model = room.student(seed, way)
        if seed == 0 and way is not None:
            model.save_pretrained(kept)
        return rounded(room.nats(model))

    for seed in range(seeds):
        notes.run(f"{ALONE}, seed {seed}", partial(student_nats, seed, None))
        notes.run(f"{TAUGHT}, seed {seed}", partial(student_nats, seed, best))
    notes.run("costs", lambda: room.costs(open_base(str(kept)) if kept.exists() else room.student(0, best)))


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    about, runs = found["about"], {name: run["result"] for name, run in found["runs"].items()}
    seeds = range(found["seeds"])
    arms = {arm: [runs[f"{arm}, seed {seed}"] for seed in seeds] for arm in (ALONE, TAUGHT)}
    apart = difference(arms[TAUGHT], arms[ALONE])
    minutes = sum(run["seconds"] for run in found["runs"].values()) / 60
    pooled = {arm: [statistics.fmean(one) for one in zip(*nats, strict=True)] for arm, nats in arms.items()}
    costs = runs["costs"]
    lines = [
        f"{about['programs']:,} functions to train on, {len(runs['teacher']):,} of other packages to measure, {len(seeds)} seeds, "
        f"{found['steps']:,} steps of {about['length'] * about['batch']:,} ids; the teacher is trained for "
        f"{about['readings']} times as many. "
        f"Distillation with {found['way']}. {minutes:.0f} minutes of one core in all.",
        "",
        "| model | width, layers | nats per program |",
        "| --- | ---: | ---: |",
        f"| teacher | {about['teacher'][0]}, {about['teacher'][1]} | {shown(mean(runs['teacher']))} |",
        f"| student alone | {about['student'][0]}, {about['student'][1]} | {shown(mean(pooled[ALONE]))} |",
        f"| student with the teacher | {about['student'][0]}, {about['student'][1]} | {shown(mean(pooled[TAUGHT]))} |",
        "",
        f"With the teacher minus alone: {signed(apart)} nats per program, so {_decided(verdict(apart))}.",
        "",
        f"| the student with the teacher, seed 0 | MB on disk | processor time for {TIMED} tokens | nats per program |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, mark in (("32 bits", ""), ("8 bits", "int8 ")):
        cells = f"{costs[mark + 'megabytes']:.2f} | {costs[mark + 'milliseconds']:.0f} ms | {costs[mark + 'nats']:.1f}"
        lines.append(f"| {name} | {cells} |")
    lines += ["", f"Targets: at most {MOST_MEGABYTES:g} MB in 8 bits, {MOST_MILLISECONDS:g} ms on one core, an interval below zero."]
    return "\n".join(lines) + "\n"


def _decided(found: str) -> str:
    return {"fewer": "the teacher helps", "more": "the teacher harms", "undecided": "nothing is decided"}[found]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=Plan.programs, metavar="N", help=f"to train on (default {Plan.programs})")
    parser.add_argument("--held", type=int, default=Plan.held, metavar="N", help=f"to measure (default {Plan.held})")
    parser.add_argument("--readings", type=int, default=Plan.readings, metavar="N", help=f"of the teacher (default {Plan.readings})")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="(default 3)")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="the results, and what is there already")
    folder = Path(tempfile.gettempdir(), "simpy-students")
    parser.add_argument("--work", type=Path, default=folder, metavar="DIR", help="where models are kept (default: temporary)")
    parser.add_argument("--render", action="store_true", help="put the figures into docs/training.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    if not options.render:
        plan = Plan(programs=options.programs, held=options.held, readings=options.readings)
        programs = collect(round(plan.programs / 1.6), plan.held)  # ``collect`` adds what other arms need there
        measure(options.json, options.work, plan, programs._replace(train=programs.train[: plan.programs]), options.seeds)
    results = json.loads(options.json.read_text(encoding="utf-8"))
    if options.render:
        return pages.put("training.md", "students", table(results), "python benchmarks/students.py --render", options.check)
    print(table(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
