"""What the commands of all recipes have in common: settings, one line for each figure, and errors without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from recipes.settings import TrainingSettings, read_settings
from simpy_grammar.errors import SimPyError

S = TypeVar("S", bound=TrainingSettings)


def main_of(kind: type[S], run: Callable[[S], dict[str, Any]], description: str, argv: Sequence[str] | None = None) -> int:
    """Read the settings of a recipe, run it, and print what it measured; returns the exit code."""
    try:
        settings = read_settings(kind, description, argv)
        figures = run(settings)
    except SimPyError as error:
        print(error, file=sys.stderr)
        return 2
    for name, value in figures.items():
        print(f"{name.replace('_', ' ')}: {value}")
    print(f"written to {settings.output}")
    return 0
