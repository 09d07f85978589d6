"""The settings of a server, and what its tools answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from simpy_grammar.dialect import COMPACT, Dialect
from tokenizer_ext.counting import COUNTED, CountedProgram, TokenCounter
from tokenizer_ext.estimation import explained
from tokenizer_ext.loading import load_tokenizer


class Settings(NamedTuple):
    """How a server reads and counts.

    Attributes:
        dialect: what ``read`` writes unless another one is asked for.
        views: the views that it takes unless others are asked for.
        count_text: how many tokens a text of a dialect has, for ``prune=N``.
        count_all: the tokens of a program in each dialect.
        explain: what counts of so many tokens are: those of a tokenizer, or estimates and how far off.
    """

    dialect: Dialect
    views: tuple[str, ...]
    count_text: Callable[[str, Dialect], int]
    count_all: Callable[[str | bytes, str], dict[str, int]]
    explain: Callable[[int], str]


class Answer(NamedTuple):
    """What a tool answers.

    Attributes:
        text: what was asked for.
        note: what there is to say about it; may be empty.
    """

    text: str
    note: str = ""


def make_settings(dialect: str | Path | Dialect = COMPACT, views: tuple[str, ...] = (), *, tokenizer: str | None = None) -> Settings:
    """Settings whose counts are those of a tokenizer, or of the built-in estimate.

    Raises:
        DialectError: there is no such dialect.
        TokenizerError: there is no such tokenizer.

    >>> make_settings().count_all("x = 1", "a.py")["python"]
    4
    """
    loaded = None if tokenizer is None else load_tokenizer(tokenizer)

    @cache
    def counter(*dialects: str | Dialect) -> TokenCounter:
        return TokenCounter(loaded, dialects=dialects)

    def count_all(source: str | bytes, path: str) -> dict[str, int]:
        counts = counter(*COUNTED).count(CountedProgram(source, path=path))
        return {name: count.tokens for name, count in counts.items()}

    def count_text(text: str, dialect: Dialect) -> int:
        return counter(dialect).count_text(text, dialect.name)

    def explain(tokens: int) -> str:
        return explained(tokens) if tokenizer is None else f"tokenizer {tokenizer}"

    return Settings(Dialect.load(dialect), views, count_text, count_all, explain)
