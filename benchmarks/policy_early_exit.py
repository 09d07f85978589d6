"""The policy ``early-exit``: tokens a step, and processor time: a part of ``policies.py``.

SmolLM2-135M-Instruct was not trained to exit early, so what is measured is what the policy costs where nothing was done for it. No answer
is sampled, and every one is compared with the one without drafts.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks.smollm2 import opened
from dualcode import DualCode
from dualcode.backends.transformers_backend import TransformersBackend
from simpy_eval.model_report import PROMPTS


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this part."""
    parser.add_argument(
        "--exit-layers", type=int, nargs="*", default=[10, 20, 27], metavar="N", help="layers that draft (default 10 20 27)"
    )
    parser.add_argument("--exit-prompts", type=int, default=8, metavar="N", help="how many prompts (default 8)")
    parser.add_argument("--exit-tokens", type=int, default=32, metavar="N", help="tokens of an answer (default 32)")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    import torch

    torch.set_num_threads(1)
    backend = TransformersBackend(*opened(None))
    prompts = PROMPTS[: args.exit_prompts]
    DualCode(backend).complete(prompts[0], max_tokens=4)  # what is done once
    alone = answers(backend, [], prompts, args.exit_tokens)
    rows = {"0": alone["figures"]}
    for layers in args.exit_layers:
        found = answers(backend, [f"early-exit:layers={layers}"], prompts, args.exit_tokens)
        same = sum(one == other for one, other in zip(found["texts"], alone["texts"], strict=True))
        rows[str(layers)] = {**found["figures"], "same": same}
    return {"layers": backend.model.config.num_hidden_layers, "prompts": len(prompts), "limit": args.exit_tokens, "rows": rows}


def answers(backend: TransformersBackend, policies: list[str], prompts: tuple[str, ...], limit: int) -> dict[str, Any]:
    """The answers to prompts, and what they took."""
    code = DualCode(backend, policies=policies)
    start = time.process_time()
    texts = [code.complete(prompt, max_tokens=limit).raw_text for prompt in prompts]
    seconds = time.process_time() - start
    total = code.usage.total
    return {"texts": texts, "figures": {"tokens": total.generated, "steps": total.steps, "seconds": round(seconds, 2)}}


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    alone = figures["rows"]["0"]
    lines = [
        f"SmolLM2-135M-Instruct, {figures['layers']} layers, not trained to exit early; {figures['prompts']} prompts, {figures['limit']} "
        "tokens each, no sampling, one thread; seconds are processor time.",
        "",
        "| layers that draft | same text | tokens a step | seconds | against no drafts |",
        "|---|--:|--:|--:|--:|",
        f"| none | | 1.00 | {alone['seconds']:.1f} | |",
    ]
    for layers, row in figures["rows"].items():
        if layers != "0":
            lines.append(
                f"| {layers} | {row['same']} of {figures['prompts']} | {row['tokens'] / row['steps']:.2f} | {row['seconds']:.1f} | "
                f"{row['seconds'] / alone['seconds']:.2f}x |"
            )
    return "\n".join(lines) + "\n"
