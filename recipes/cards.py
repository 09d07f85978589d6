"""Model cards: a README.md with what a model is, how it was made, and what was measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from recipes.measuring import shown
from recipes.programs import Split
from recipes.settings import TrainingSettings, described
from recipes.training import Point
from simpy_eval.statistics import Interval
from simpy_grammar.whole_files import write
from tokenizer_ext import special_tokens

_OF_A_MACHINE = ("output", "threads", "device")


class Phase(NamedTuple):
    """A phase of the training, and the measurements in it."""

    name: str
    curve: Sequence[Point]


def write_card(
    folder: Path,
    what: str,
    settings: TrainingSettings,
    phases: Sequence[Phase],
    data: Split,
    *,
    base: str | None = None,
    merged: Interval | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write the card of a model into its folder.

    Args:
        folder: of the model.
        what: how it was made, in a few words.
        settings: of the run.
        phases: what was measured while it was trained.
        data: what it was trained on and measured with.
        base: the model that it was made from, if any.
        merged: nats of the checkpoint as it is written, where that is not the model that was trained.
        notes: more lines about what was measured.
    """
    rows = [(phase.name, f"{point.step:,}", shown(point.nats)) for phase in phases for point in phase.curve]
    if merged is not None:
        rows.append(("this checkpoint", "", shown(merged)))
    reads = "SimPy" if special_tokens(settings.dialect) else "Python"
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-generation",
        f"tags: [code, python, simpy, {settings.dialect}]",
        *([f"base_model: {_named(base)}"] if base else []),
        "---",
        "",
        f"# {what}, {settings.dialect}",
        "",
        f"A causal language model that reads and writes {reads} in the dialect `{settings.dialect}`"
        + (f", made from `{_named(base)}`." if base else ", trained from scratch."),
        "",
        "## What was measured",
        "",
        f"Nats per program, the end of the program included, with 95 % bootstrap intervals over {len(data.held):,} held-out programs from "
        f"{len(data.held_groups):,} repositories that it was not trained on. Fewer are better; they can be compared between dialects.",
        "",
        "| phase | steps | nats per program |",
        "| --- | ---: | ---: |",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        *(line for note in notes for line in (note, "")),
        "Nothing else was measured: not whether its programs are correct, and not what it does with other kinds of programs.",
        "",
        "## How it was made",
        "",
        f"Trained on {len(data.train):,} programs. The same settings give the same weights on the same machine:",
        "",
        "```yaml",
        *(f"{name}: {_named(value)}" for name, value in described(settings).items() if name not in _OF_A_MACHINE),
        "```",
        "",
        "## How to use it",
        "",
        "```python",
        "from dualcode import DualCode",
        "from dualcode.backends.registry import open_backend",
        "",
        f'code = DualCode(open_backend("FOLDER", dialect="{settings.dialect}"), dialect="{settings.dialect}")',
        'print(code.complete("def add(a, b):\\n    return", until="block").text)',
        "```",
        "",
    ]
    write(str(folder / "README.md"), "\n".join(lines).encode())


def _named(value: object) -> object:
    """A setting without where things are on this machine."""
    return Path(value).name if isinstance(value, str) and Path(value).exists() else value
