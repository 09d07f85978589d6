"""The settings of a recipe: a dataclass, filled from a YAML file and then from the command line.

Every field is a key of the file and an option of the command: ``learning_rate: 1e-3`` and ``--learning-rate 1e-3``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean

S = TypeVar("S", bound="TrainingSettings")


def option(default: Any, text: str) -> Any:
    """A field with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What every recipe has. A path is relative to the folder in which the command runs."""

    data: str = option("", "a folder of Python, or of token ids that `simpy corpus --format ids` has written")
    output: str = option("", "the folder of the run; the same command goes on where an earlier one stopped")
    dialect: str = option("classic", "the dialect to train on, or python or compact")
    unit: str = option("function", "what a program is in a folder of Python: a function, or a whole file")
    held_out: float = option(0.1, "share of the programs that are held out, in whole repositories (folders of DATA)")
    held_programs: int = option(200, "how many held-out programs are measured")
    steps: int = option(1000, "optimizer steps")
    batch: int = option(8, "blocks in a step")
    length: int = option(256, "ids in a block")
    learning_rate: float = option(2e-3, "highest learning rate")
    warmup: float = option(0.1, "share of the steps with a growing learning rate; it then falls to zero along a cosine")
    weight_decay: float = option(0.05, "weight decay")
    evaluate_every: int = option(250, "steps between two measurements of the held-out programs")
    save_every: int = option(250, "steps between two checkpoints")
    seed: int = option(0, "of the weights, of the order of the data and of what is held out")
    threads: int = option(1, "processor threads")
    device: str = option("cpu", "cpu, or cuda for a GPU")
    bf16: bool = option(False, "calculate in bfloat16 where precision allows")


def read_settings(kind: type[S], description: str, argv: Sequence[str] | None = None) -> S:
    """Settings from the words of a command: ``[CONFIG.yaml] [--name value ...]``. An option wins over the file.

    Args:
        kind: the dataclass.
        description: of the command, for ``--help``.
        argv: the words; those of the process by default.

    Raises:
        SimPyError: the file cannot be read, has a key that is not a setting, or a value that is not one of that setting.

    >>> read_settings(TrainingSettings, "", ["--data", "src", "--output", "out", "--steps", "20"]).steps
    20
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="a YAML file of settings")
    for one in fields(kind):
        flag, shown = f"--{one.name.replace('_', '-')}", f"{one.metadata['help']} (default {one.default})"
        if one.type == "bool":
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=one.metadata["help"])
        else:
            parser.add_argument(flag, metavar=one.name.upper(), default=None, help=shown.replace("%", "%%"))
    given = vars(parser.parse_args(argv))
    values = _from_file(given.pop("config"))
    values |= {name: value for name, value in given.items() if value is not None}
    return make_settings(kind, values)


def make_settings(kind: type[S], values: dict[str, Any]) -> S:
    """Settings from values, as text or as YAML gives them.

    Raises:
        SimPyError: a name is not a setting, a value is not one, or ``data`` or ``output`` is missing.

    >>> make_settings(TrainingSettings, {"data": "src", "output": "out", "learning_rate": "1e-3"}).learning_rate
    0.001
    """
    known = {one.name: one for one in fields(kind)}
    for name in values:
        if name not in known:
            raise SimPyError(f"no setting {name!r}", hint=did_you_mean(name, known, "--help lists the settings"))
    made = kind(**{name: _typed(known[name], value) for name, value in values.items()})
    for name in ("data", "output"):
        if not getattr(made, name):
            raise SimPyError(f"the setting {name!r} is missing", hint=f"name it in the file or with --{name}")
    return made


def described(settings: TrainingSettings) -> dict[str, Any]:
    """The settings as a table for a model card."""
    return asdict(settings)


def _from_file(path: str | None) -> dict[str, Any]:
    import yaml

    if path is None:
        return {}
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SimPyError(f"cannot read the settings: {str(error).splitlines()[0]}", path=path) from None
    if not isinstance(found, dict):
        raise SimPyError("the file holds no settings", path=path, hint="write lines such as `steps: 1000`")
    return {str(name): value for name, value in found.items()}


_TYPES = {"int": int, "float": float, "str": str}


def _typed(one: Field[Any], value: Any) -> Any:
    assert one.default is not MISSING  # ``option`` gives one
    if one.type == "bool" and isinstance(value, bool):
        return value
    convert = _TYPES.get(str(one.type))
    try:
        if convert is None or isinstance(value, bool):
            raise ValueError
        return convert(value)
    except (TypeError, ValueError):
        raise SimPyError(f"the setting {one.name!r} is {value!r}, which is not of the type {one.type}") from None
