"""An evaluation: a model over programs, functions and problems, as the report that ``reports`` describes.

Each part of a report has a function of its own, which other programs may call. Details are left to the modules named after the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import log
from typing import Any

from simpy_eval.answers import Answer, Sampling, ask
from simpy_eval.cost import Meter, operations
from simpy_eval.functions import HeldOut, functions_of
from simpy_eval.models import FREE, EvaluatedModel
from simpy_eval.nats import context_of, nats_of
from simpy_eval.problems import Problem
from simpy_eval.programs import Program, Refused, unique_names
from simpy_eval.reports import CHECKS, FORMAT, FUNCTIONS, PROBLEMS, PROGRAMS, VERSION
from simpy_eval.sandbox import PASSED, RunLimits, run_all, what_is_held
from simpy_eval.statistics import mean_interval, nine_digits, pass_at_k, ratio_interval
from simpy_grammar.errors import BackendError

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is evaluated, and how.

    Attributes:
        sampling: how answers are drawn.
        masks: how answers are held; for each mask, the report has parts of their own.
        samples: answers to each problem.
        ks: the ``k`` of pass@k, each at most ``samples``.
        context: how many ids the model reads at once where nats are counted; ``None`` for what its configuration says.
        scores_end: whether the nats of the id that ends a text are counted, too.
        most_functions: take a sample of so many functions, which depends on the seed; ``None`` for all.
        limits: of the programs that answers make.
        jobs: how many programs run at once.
    """

    sampling: Sampling = Sampling()
    masks: tuple[str, ...] = (FREE,)
    samples: int = 1
    ks: tuple[int, ...] = (1,)
    context: int | None = None
    scores_end: bool = False
    most_functions: int | None = None
    limits: RunLimits = RunLimits()
    jobs: int = 1

    def described(self) -> dict[str, Any]:
        """The plan as a report has it: without what changes no result."""
        found = asdict(self)
        del found["jobs"]
        return found


def evaluate(
    model: EvaluatedModel,
    plan: Plan,
    *,
    programs: tuple[Sequence[Program], Sequence[Refused]] | None = None,
    functions: Sequence[Program] | None = None,
    problems: Sequence[Problem] | None = None,
    watts: float | None = None,
    progress: Progress = lambda text: None,
) -> dict[str, Any]:
    """The report of a model.

    Args:
        model: the model.
        plan: how it is evaluated.
        programs: those whose nats are counted, and those that were refused.
        functions: programs whose functions the model completes.
        problems: problems that it solves.
        watts: the power to assume where no library measures energy.
        progress: told what is being done.

    Raises:
        BackendError: the model failed, or there are no masks for its vocabulary.
        SimPyError: this system cannot limit the processes that run answers.
    """
    report: dict[str, Any] = {"format": FORMAT, "version": VERSION, "model": model.described(), "settings": plan.described()}
    measured: dict[str, Any] = {}
    on_gpu = getattr(model.model.device, "type", "cpu") == "cuda"
    if functions is not None or problems is not None:
        for mask in plan.masks:
            model.code(mask)  # if there are no masks for its vocabulary, say so before work is done

    def part(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with Meter(on_gpu=on_gpu, watts=watts) as meter:
            found = work()
        measured[name] = meter.described()
        return found

    if programs is not None:
        report[PROGRAMS] = part(PROGRAMS, partial(count_nats, model, plan, *programs, progress=progress))
    if functions is not None:
        report[FUNCTIONS] = held = {}
        chosen = sample_functions(functions, plan)
        for mask in plan.masks:
            held[mask] = part(f"{FUNCTIONS}, {mask}", partial(complete_functions, model, plan, chosen, mask, progress))
    if problems is not None:
        report["sandbox"] = what_is_held().described()
        report[PROBLEMS] = held = {}
        for mask in plan.masks:
            held[mask] = part(f"{PROBLEMS}, {mask}", partial(solve_problems, model, plan, problems, mask, progress))
    report["measured"] = measured
    return report


# --------------------------------------------------------------------------------------------- nats


def count_nats(
    model: EvaluatedModel, plan: Plan, programs: Sequence[Program], refused: Sequence[Refused] = (), progress: Progress = lambda text: None
) -> dict[str, Any]:
    """Nats, ids and bytes of each program, and their means."""
    progress(f"nats of {len(programs):,} programs")
    end = [model.end] if plan.scores_end and model.end is not None else []
    kept: list[tuple[Program, list[int]]] = []
    dropped = list(refused)
    for program in programs:
        try:
            kept.append((program, model.ids(program.text) + end))
        except BackendError as error:
            dropped.append(Refused(program.name, "vocabulary", error.message))
    nats = nats_of(model.model, [ids for _, ids in kept], start=model.start, context=plan.context)
    items = [
        {
            "name": program.name,
            "digest": program.digest,
            "nats": nine_digits(one),
            "tokens": len(ids),
            "bytes": len(program.python.encode("utf-8", "surrogatepass")),
        }
        for (program, ids), one in zip(kept, nats, strict=True)
    ]
    tokens = sum(len(ids) for _, ids in kept)
    return {
        "items": items,
        "refused": [one._asdict() for one in dropped],
        "summary": summarize_programs(items, plan.sampling.seed),
        "window": plan.context or context_of(model.model),
        "cost": {"tokens": tokens, "operations": operations(model.parameters, tokens)},
    }


def summarize_programs(items: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """The figures of some programs, each with its interval; nothing for none.

    >>> items = [{"nats": 14.0, "tokens": 10, "bytes": 20}, {"nats": 28.0, "tokens": 20, "bytes": 40}]
    >>> summarize_programs(items, 0)["bits_per_byte"]["value"]  # 42 / log(2) / 60
    1.00988653
    """
    if not items:
        return {}
    nats, tokens = [float(one["nats"]) for one in items], [float(one["tokens"]) for one in items]
    sizes = [float(one["bytes"]) for one in items]
    return {
        "nats_per_program": mean_interval(nats, seed=seed).described(),
        "bits_per_byte": ratio_interval([one / log(2) for one in nats], sizes, seed=seed).described(),
        "nats_per_token": ratio_interval(nats, tokens, seed=seed).described(),
        "tokens_per_program": mean_interval(tokens, seed=seed).described(),
    }


# --------------------------------------------------------------------------------------------- functions


def sample_functions(programs: Iterable[Program], plan: Plan) -> list[HeldOut]:
    """The functions of some programs, or a sample of them; each has a name of its own."""
    import random

    found = [function for program in programs for function in functions_of(program)]
    found = [one._replace(name=name) for one, name in zip(found, unique_names([one.name for one in found]), strict=True)]
    if plan.most_functions is not None and plan.most_functions < len(found):
        chosen = random.Random(plan.sampling.seed).sample(range(len(found)), plan.most_functions)
        found = [found[i] for i in sorted(chosen)]
    return found


def complete_functions(
    model: EvaluatedModel, plan: Plan, functions: Sequence[HeldOut], mask: str, progress: Progress = lambda text: None
) -> dict[str, Any]:
    """How many functions a model completes to the same syntax tree, taking the likeliest token at each step."""
    code = model.code(mask)
    greedy = Sampling(plan.sampling.max_tokens, seed=plan.sampling.seed)
    items = []
    for number, function in enumerate(functions, 1):
        progress(f"{mask}: function {number:,} of {len(functions):,}")
        answer = ask(code, function.prompt, greedy.options(function.name, 0), until="function", held=mask != FREE)
        items.append({"name": function.name, "digest": function.digest, "exact": function.matches(answer.text), **answer.described()})
    summary = {"exact": mean_interval([float(one["exact"]) for one in items], seed=plan.sampling.seed).described()} if items else {}
    return {"items": items, "summary": summary | _checks([[one] for one in items], plan.sampling.seed), "cost": _cost(model, items)}


# --------------------------------------------------------------------------------------------- problems


def solve_problems(
    model: EvaluatedModel, plan: Plan, problems: Sequence[Problem], mask: str, progress: Progress = lambda text: None
) -> dict[str, Any]:
    """Answers to problems, and pass@k."""
    code = model.code(mask)
    answers: list[list[Answer]] = []
    for number, problem in enumerate(problems, 1):
        progress(f"{mask}: problem {number:,} of {len(problems):,}")
        drawn = [
            ask(code, problem.prompt, options, until=problem.until, stop=problem.stop, held=mask != FREE)
            for options in (plan.sampling.options(problem.name, sample) for sample in range(plan.samples))
        ]
        answers.append(drawn)
    progress(f"{mask}: running {sum(map(len, answers)):,} answers")
    pairs = [(problem.program(one.text), problem.tests) for problem, drawn in zip(problems, answers, strict=True) for one in drawn]
    outcomes = iter(run_all(pairs, limits=plan.limits, jobs=plan.jobs))
    items = []
    for problem, drawn in zip(problems, answers, strict=True):
        described = [{**one.described(), "outcome": next(outcomes)._asdict()} for one in drawn]
        passed = sum(one["outcome"]["reason"] == PASSED for one in described)
        items.append({"name": problem.name, "digest": problem.digest, "samples": len(drawn), "passed": passed, "answers": described})
    asked = [item["answers"] for item in items]
    summary = {f"pass@{k}": _pass_at(items, k, plan.sampling.seed) for k in plan.ks} if items else {}
    cost = _cost(model, [one for drawn in asked for one in drawn])
    return {"items": items, "summary": summary | _checks(asked, plan.sampling.seed), "cost": cost}


def _pass_at(items: Sequence[Mapping[str, Any]], k: int, seed: int) -> dict[str, float]:
    return mean_interval([pass_at_k(one["samples"], one["passed"], k) for one in items], seed=seed).described()


def _checks(answers: Sequence[Sequence[Mapping[str, Any]]], seed: int) -> dict[str, Any]:
    """The share of answers that end, decode, parse and compile; those to one problem belong together."""
    if not answers:
        return {}
    shares = {name: [sum(bool(one[name]) for one in drawn) / len(drawn) for drawn in answers] for name in CHECKS}
    return {name: mean_interval(values, seed=seed).described() for name, values in shares.items()}


def _cost(model: EvaluatedModel, answers: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    read, written = (sum(one[name] for one in answers) for name in ("read", "written"))
    return {"read": read, "written": written, "operations": operations(model.parameters, read + written)}
