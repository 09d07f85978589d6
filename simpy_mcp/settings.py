"""What a server is told at its start, and what its tools answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simpy_grammar.dialect import Dialect


class Settings(NamedTuple):
    """How a server reads and counts.

    Attributes:
        dialect: what ``read`` writes unless another one is asked for.
        views: the views that it takes unless others are asked for.
        count_text: how many tokens a text of a dialect has, for ``prune=N``.
        count_all: the tokens of a program in each dialect.
        counts: what these counts are: the name of a tokenizer, or an estimate.
    """

    dialect: Dialect
    views: tuple[str, ...]
    count_text: Callable[[str, Dialect], int]
    count_all: Callable[[str | bytes, str], dict[str, int]]
    counts: str


class Answer(NamedTuple):
    """What a tool answers.

    Attributes:
        text: what was asked for.
        note: what there is to say about it; may be empty.
    """

    text: str
    note: str = ""
