"""Each policy alone and the useful ones together, on the requests of an editor.

A part of ``policies.py``. Prompts are beginnings of held-out functions of the standard library (see ``policy_completions``), cut off
anywhere. Each fourth is asked again later, laid out anew: with twice the indentation. Answers have at most ``--together-tokens`` tokens and
are not sampled. The estimator of ``refuse`` is trained on records of ``policy_refuse`` for the same model, those of the same files left
out, to refuse a fifth of them. A request is *answered* if no policy refused it. The answer is *the same* if it gives the same syntax tree
as that of the model alone, both cut where the block of the prompt ends. Seconds are processor time; energy is what codecarbon says.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import policy_completions, policy_refuse
from benchmarks.policy_completions import tree
from benchmarks.policy_stop import cut
from dualcode import DualCode
from dualcode.backends.protocol import Backend
from dualcode.policies.cache import Cache
from dualcode.policies.cascade import Cascade
from dualcode.policies.protocol import Policy
from dualcode.policies.refuse import Refuse
from dualcode.policies.stop import Stop
from simpy_eval.cost import Meter

SMALL, LARGE = "own small model", "SmolLM2-135M"
_AGAIN = 4  # each such prompt is asked twice
_SHARE = 0.2  # of requests that are refused


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    counts = "together: prompts for the small model and SmolLM2 (default 200 40)"
    parser.add_argument("--together-prompts", type=int, nargs=2, default=(200, 40), metavar="N", help=counts)
    parser.add_argument("--together-tokens", type=int, default=32, metavar="N", help="together: tokens of an answer (default 32)")
    parser.add_argument(
        "--together-small", type=Path, metavar="FOLDER", help="together: a small model of Python; without it, one is trained"
    )


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    import torch

    from benchmarks.smollm2 import opened
    from dualcode.backends.transformers_backend import TransformersBackend, open_backend

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    prompts = list(itertools.islice(policy_completions.prompts(), max(args.together_prompts)))
    found: dict[str, Any] = {"tokens": args.together_tokens, "again": _AGAIN, "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        place = args.together_small or Path(folder) / "small"
        policy_completions.trained(place, 6)
        small = open_backend(str(place))
        for name, count in zip((SMALL, LARGE), args.together_prompts, strict=True):
            chosen = prompts[:count]
            estimator = _estimator(args, "small" if name == SMALL else "smollm2", {prompt["file"] for prompt in chosen})
            backend: Backend = small if name == SMALL else TransformersBackend(*opened(None))

            def cache(name: str = name) -> Policy:
                return Cache(Path(folder) / f"{name}-{time.monotonic_ns()}.sqlite", greedy=True)

            def refuse(estimator: Any = estimator) -> Policy:
                return Refuse(estimator)

            ways: dict[str, list[Callable[[], Policy]]] = {"none": [], "cache": [cache], "refuse": [refuse], "stop": [Stop]}
            if name == LARGE:
                ways["cascade"] = [lambda: Cascade(small)]
            ways["together"] = [cache, refuse, Stop, *ways.get("cascade", [])]
            asked = requests([prompt["prefix"] for prompt in chosen])
            found["models"][name] = {"requests": len(asked), "ways": _measured(backend, asked, ways, args.together_tokens)}
    return found


def _estimator(args: argparse.Namespace, name: str, files: set[str]) -> Any:
    from dualcode.policies.refuse_training import samples, train

    records = [record for record in policy_refuse.records(args, name) if record["group"] not in files]
    return train(samples(records), share=_SHARE)


def requests(prompts: Sequence[str]) -> list[str]:
    """The prompts, and each fourth of them once more, at the end and laid out anew.

    >>> requests(["def f():\\n    return ", "x = "])
    ['def f():\\n    return ', 'x = ', 'def f():\\n        return ']
    """
    return [*prompts, *(re.sub(r"(?m)^( +)", r"\1\1", prompt) for prompt in prompts[::_AGAIN])]


def _measured(
    backend: Backend, asked: Sequence[str], ways: Mapping[str, Sequence[Callable[[], Policy]]], tokens: int
) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    alone: list[str | None] = []
    for name, policies in ways.items():
        code = DualCode(backend, policies=[policy() for policy in policies])
        start = time.process_time()
        with Meter() as meter:
            results = [code.complete(prompt, max_tokens=tokens) for prompt in asked]
        seconds = time.process_time() - start
        trees = [_tree(prompt, result.text) for prompt, result in zip(asked, results, strict=True)]
        alone = alone or trees
        kept = [number for number, result in enumerate(results) if result.usage.stopped != "refused"]
        rows[name] = {
            "answered": len(kept),
            "generated": sum(call.generated or 0 for call in code.usage.calls),
            "avoided": code.usage.total.avoided,
            "seconds": round(seconds, 2),
            "energy": meter.described()["energy"],
            "same": sum(trees[number] == alone[number] for number in kept),
        }
        print(name, json.dumps(rows[name]), file=sys.stderr, flush=True)
    return rows


def _tree(prompt: str, answer: str) -> str | None:
    """The program with an answer, as a tree where it parses."""
    wanted = cut(prompt, answer, "block")[0]
    return tree(prompt + wanted) or wanted.rstrip()


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"At most {figures['tokens']} tokens an answer; each fourth prompt is asked twice, the second time with twice the indentation.",
        "",
        "Seconds are processor time. Energy is of the whole machine while the time passed, other work included; where a run was halted",
        "meanwhile, it is left out.",
        "",
        "A model that reads Python may say something else to another layout of a prompt; the cache gives what it said to the first.",
        "",
        "| model, policies | requests | answered | of these the same | tokens generated | avoided | seconds | energy |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    assumed = set()
    for name, model in figures["models"].items():
        for way, row in model["ways"].items():
            energy = row["energy"]
            joules = f"{energy['joules']:,.0f} J" if energy else ""
            if energy and energy["assumed"]:
                joules += " *"
                assumed.add(f"{energy['source']}: {energy['assumed']}")
            change = 100 * (row["generated"] / model["ways"]["none"]["generated"] - 1)
            cells = [f"{name}, {way}", f"{model['requests']}", f"{row['answered']}", f"{100 * row['same'] / max(1, row['answered']):.1f} %"]
            cells += [f"{row['generated']:,}" + (f" ({change:+.0f} %)" if way != "none" else ""), f"{row['avoided']:,}"]
            lines.append("| " + " | ".join([*cells, f"{row['seconds']:,.1f}", joules]) + " |")
    return "\n".join([*lines, "", *(f"\\* not measured: {one}." for one in sorted(assumed))]).rstrip("\n") + "\n"
