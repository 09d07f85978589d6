"""Suffixes: texts that are to follow what is written, so that it may end only where they can."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


def anything(text: str) -> bool:
    """Accept any text."""
    return True


@dataclass(frozen=True)
class Suffix:
    """What follows the text.

    Attributes:
        text: what follows, in the dialect.
        is_whole: whether the program ends with the suffix; if not, the suffix may break off inside the program.
        accepts: whether a text may stand before it, beyond what the grammar and the rules say.
        known: whether the grammar takes it, for the places at which that has been asked.
        accepted: the answers of ``accepts``.
    """

    text: str
    is_whole: bool = True
    accepts: Callable[[str], bool] = anything
    known: dict[Hashable, bool] = field(default_factory=dict, compare=False, repr=False)
    accepted: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
