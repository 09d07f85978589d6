"""The policy `refuse`: how precisely it refuses, against refusing at random and by length, and what it takes. A part of `policies.py`.

Functions of files of the standard library that the small model has not read (``benchmarks/small_model.py``) are cut off in a statement, two
places a function; a model ends the statement, with sixteen tokens at most. *Kept* is an answer with which the statement has the syntax
tree that it had. The small model is trained here unless `--refuse-model` names its folder; SmolLM2-135M, which knows Python, is asked if
its weights are installed (``benchmarks/smollm2.py``). Prompts are answered in batches; the wrapper then sees each answer as it always does.
"""

from __future__ import annotations

import argparse
import json
import random
import sysconfig
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import Any

from dualcode import DualCode
from dualcode.backends.protocol import COMPLETE, Request
from dualcode.backends.transformers_backend import TransformersBackend
from dualcode.policies.intervals import wilson
from dualcode.policies.refuse import Refuse
from dualcode.policies.refuse_prompts import cuts, requests
from dualcode.policies.refuse_training import (
    Sample,
    area_under_curve,
    cross_validated,
    drift_of,
    held_out,
    question_of,
    samples,
    train,
)
from dualcode.policies.refuse_trees import SCORE, Estimator

SHARE, PRECISION, TOKENS, EACH, BATCH = 0.2, 0.9, 16, 2, 24
LENGTH = "length"


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this part."""
    parser.add_argument("--refuse-prompts", type=int, default=3000, metavar="N", help="refuse: prompts for the small model (default 3000)")
    parser.add_argument("--refuse-smollm2", type=int, default=1200, metavar="N", help="refuse: prompts for SmolLM2 (default 1200)")
    parser.add_argument("--refuse-model", type=Path, metavar="DIR", help="refuse: the small model, if it is trained already")
    parser.add_argument("--refuse-minutes", type=float, default=4.0, metavar="M", help="refuse: how long to train it (default 4)")
    parser.add_argument("--refuse-records", type=Path, metavar="DIR", help="refuse: keep the answers here, and take those that are there")


class Prepared:
    """A backend whose answers were made beforehand, in batches.

    Args:
        backend: the model that makes them.
        tokens: of an answer at most.
    """

    def __init__(self, backend: TransformersBackend, tokens: int) -> None:
        self.tasks = frozenset((COMPLETE,))
        self.count = backend.count
        self._backend = backend
        self._tokens = tokens
        self._answers: dict[str, str] | None = None
        self._prompts: list[str] = []

    def run(self, request: Request) -> Generator[str, None, None]:
        """The answer; empty while prompts are collected."""
        if self._answers is None:
            self._prompts.append(request.prompt)
        else:
            yield self._answers[request.prompt]

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        for piece in self.run(request):
            yield piece

    def answer(self) -> None:
        """Make the answers to all prompts that were collected, greedily."""
        found: dict[str, str] = {}
        prompts = sorted(set(self._prompts), key=lambda prompt: len(self._backend.ids(prompt)))
        for number in range(0, len(prompts), BATCH):
            batch = prompts[number : number + BATCH]
            found.update(zip(batch, self._batch(batch), strict=True))
            print(f"{len(found)} of {len(prompts)} answers", flush=True)
        self._answers = found

    def _batch(self, prompts: Sequence[str]) -> list[str]:
        import torch

        model, tokenizer = self._backend.model, self._backend.tokenizer
        end = tokenizer.eos_token_id
        lists = [self._backend.ids(prompt) or [end] for prompt in prompts]
        width = max(map(len, lists))
        ids = torch.tensor([[end] * (width - len(one)) + one for one in lists])
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in lists])
        with torch.no_grad():
            made = model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=self._tokens, do_sample=False, pad_token_id=end, eos_token_id=end
            )
        texts = []
        for row in made[:, width:].tolist():
            row = row[: row.index(end)] if end in row else row
            texts.append(tokenizer.decode(row, skip_special_tokens=False, clean_up_tokenization_spaces=False))
        return texts


def unread() -> list[tuple[str, str]]:
    """Functions of files of the standard library of which the small model has read none: the file, and the function as a program."""
    from benchmarks import small_model

    read = set(small_model.functions(1.6))
    found = []
    stdlib = Path(sysconfig.get_path("stdlib"))
    for path in sorted(stdlib.glob("*.py")) + sorted(stdlib.glob("[a-z]*/*.py")):
        programs = [] if small_model.LEFT_OUT & set(path.parts) else small_model.functions_of(path) or []
        if not read.intersection(programs):
            found += [(str(path.relative_to(stdlib)), program) for program in programs]
    random.Random(2).shuffle(found)
    return found


def small(args: argparse.Namespace) -> TransformersBackend:
    """The small model, from its folder or trained here."""
    from dualcode.backends import transformers_backend

    if args.refuse_model is not None:
        return transformers_backend.open_backend(str(args.refuse_model), dialect="classic")
    from benchmarks import small_model

    programs = small_model.functions(1.6)
    texts = small_model.encoded(programs[len(programs) // 10 :], "classic")
    return TransformersBackend(*small_model.made(texts, "classic", args.refuse_minutes), dialect="classic")


def smollm2() -> TransformersBackend | None:
    """SmolLM2-135M; ``None`` if its weights are not installed."""
    from recipes.bases import SMOLLM2, open_base, open_tokenizer
    from simpy_grammar.errors import SimPyError

    try:
        return TransformersBackend(open_base(SMOLLM2).eval(), open_tokenizer(SMOLLM2))
    except (SimPyError, ImportError):
        return None


def records(args: argparse.Namespace, name: str) -> list[dict[str, Any]]:
    """What a model answers; empty if it is not there."""
    import torch

    kept = args.refuse_records / f"{name}.jsonl" if args.refuse_records else None
    total = args.refuse_prompts if name == "small" else args.refuse_smollm2
    if kept is not None and kept.exists():
        return [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()][:total]
    torch.set_num_threads(1)
    backend = small(args) if name == "small" else smollm2()
    if backend is None:
        return []
    prepared = Prepared(backend, TOKENS)
    code = DualCode(prepared, dialect="classic" if name == "small" else "compact")
    programs = unread()
    for _ in requests(code, programs, total, each=EACH):
        pass
    prepared.answer()
    found = list(requests(code, programs, total, each=EACH))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("".join(json.dumps(record) + "\n" for record in found), encoding="utf-8")
    return found


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    found = {}
    for name in ("small", "smollm2"):
        if asked := records(args, name):
            found[name] = measured_model(asked)
    return found


def measured_model(asked: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the answers of one model."""
    data = samples(asked)
    estimator = train(data, share=SHARE)
    _, estimates = cross_validated(data)
    held = held_out(data)
    tested = [record for record in asked if str(record["group"]) in held]
    return {
        "requests": len(data),
        "files": len({sample.group for sample in data}),
        "kept": sum(sample.kept for sample in data),
        "trees": len(estimator.trees),
        "all": against_trivial(data, estimates),
        "held_out": estimator.figures["held_out"],
        "by_precision": train(data, precision=PRECISION).figures["held_out"],
        "time": times(estimator, asked),
        "monotone": monotone(estimator, tested),
        "drift": drifts(estimator, tested),
    }


def against_trivial(data: Sequence[Sample], estimates: Sequence[float]) -> dict[str, Any]:
    """A fifth refused: by the estimate, by length, where the better of longest and shortest counts, and at random."""
    from dualcode.policies.refuse_features import FEATURES

    kept = [sample.kept for sample in data]
    lengths = [sample.features[FEATURES.index(LENGTH)] for sample in data]
    ways = {"estimate": list(estimates)}
    ways["length"] = max(lengths, [-length for length in lengths], key=lambda one: _wrong(one, kept)[0] / max(1, _wrong(one, kept)[1]))
    shown: dict[str, Any] = {
        name: {"precision": _interval(*_wrong(one, kept)), "area_under_curve": area_under_curve(one, kept)} for name, one in ways.items()
    }
    return shown | {"random": {"precision": _interval(len(kept) - sum(kept), len(kept)), "area_under_curve": 0.5}}


def _wrong(estimates: Sequence[float], kept: Sequence[bool]) -> tuple[int, int]:
    """How many of the fifth with the lowest estimates were not kept, and how many there are."""
    ordered = sorted(estimates)
    # Not by_share, which takes probabilities: lengths are not.
    limit = ordered[round(SHARE * len(ordered)) - 1]
    below = [was_kept for estimate, was_kept in zip(estimates, kept, strict=True) if estimate <= limit]
    return len(below) - sum(below), len(below)


def times(estimator: Estimator, asked: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Processor time of a decision, in milliseconds, with features, trees and drift: the least of three, as the machine may be shared."""
    policy = Refuse(estimator)
    questions = [question for record in asked if (question := question_of(record)) is not None]
    for question in questions[:100]:
        policy.before(question)
    found = []
    for question in questions:
        tries = []
        for _ in range(3):
            start = time.process_time()
            policy.before(question)
            tries.append(1000 * (time.process_time() - start))
        found.append(min(tries))
    found.sort()
    return {"median": round(found[len(found) // 2], 3), "99th": round(found[len(found) * 99 // 100], 3)}


def monotone(estimator: Estimator, asked: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Whether a higher threshold refuses all that a lower one refuses."""
    questions = [question for record in asked if (question := question_of(record)) is not None][:300]
    before: set[int] = set()
    wrong, thresholds = 0, [number / 50 for number in range(51)]
    for threshold in thresholds:
        policy = Refuse(estimator, threshold)
        refused = {number for number, question in enumerate(questions) if policy.before(question) is not None}
        wrong += len(before - refused)
        before = refused
    return {"requests": len(questions), "thresholds": len(thresholds), "wrong": wrong}


def drifts(estimator: Estimator, tested: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The stability indexes of requests of held-out files, and of requests of whole files with their comments and docstrings."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    others = []
    for path in sorted(stdlib.glob("[a-m]*.py")):
        for cut in cuts(path.read_text(encoding="utf-8", errors="replace"), 8):
            others.append({"task": COMPLETE, "prefix": cut.prefix, "until": "statement"})
    found = {}
    for name, asked in (("held_out", tested), ("whole_files", others)):
        total, indexes = drift_of(estimator, asked)
        largest = max((pair for pair in indexes.items() if pair[0] != SCORE), key=lambda pair: pair[1])
        found[name] = {
            "requests": total,
            "largest": largest[0],
            "index": round(largest[1], 3),
            "changed": sum(index >= 0.25 for index in indexes.values()),
        }
    return found


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    names = {"small": "own small model", "smollm2": "SmolLM2-135M"}
    there = [name for name in names if name in figures]
    lines = [
        "| " + " | ".join(["", *(names[name] for name in there)]) + " |",
        "|---|" + "--:|" * len(there),
    ]

    def row(title: str, value: Any) -> None:
        lines.append("| " + " | ".join([title, *(value(figures[name]) for name in there)]) + " |")

    row("requests, of files", lambda one: f"{one['requests']:,}, {one['files']}")
    row("answers that are kept", lambda one: f"{100 * one['kept'] / one['requests']:.1f} %")
    row("**of a fifth that is refused, not kept**", lambda one: _share(one["all"]["estimate"]["precision"]))
    row("the same, if the fifth is chosen by length alone", lambda one: _share(one["all"]["length"]["precision"]))
    row("the same, if it is chosen at random", lambda one: _share(one["all"]["random"]["precision"]))
    row("area under the curve", lambda one: f"{one['all']['estimate']['area_under_curve']:.3f}")
    row("the same, by length alone", lambda one: f"{one['all']['length']['area_under_curve']:.3f}")
    row("of files that nothing was chosen on, refused", lambda one: _share(one["held_out"]["refused_share"]))
    row("of these not kept", lambda one: _share(one["held_out"]["precision"]))
    row("of all that are kept, refused", lambda one: _share(one["held_out"]["kept_that_are_refused"]))
    row("of the same files, refused with `--precision 0.9`", lambda one: _share(one["by_precision"]["refused_share"]))
    row("of these not kept", lambda one: _share(one["by_precision"]["precision"]))
    row("processor time of a decision, median", lambda one: f"{one['time']['median']:.2f} ms")
    row("the same, 99th percentile", lambda one: f"{one['time']['99th']:.2f} ms")
    row("refused, but not under a higher threshold", lambda one: "{wrong} of {requests}, {thresholds} thresholds".format(**one["monotone"]))
    row("largest stability index of a feature, held-out files", lambda one: f"{one['drift']['held_out']['index']:.2f}")
    row("the same, for prompts out of whole files", lambda one: "{index:.2f} (`{largest}`)".format(**one["drift"]["whole_files"]))
    return "\n".join(lines) + "\n"


def _interval(found: int, total: int) -> list[float]:
    return [found / total, *wilson(found, total)]


def _share(share: Sequence[float]) -> str:
    return f"{100 * share[0]:.1f} % [{100 * share[1]:.1f}, {100 * share[2]:.1f}]"
