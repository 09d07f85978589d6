"""Suffixes: texts that are to follow what is written, so that it may end only where they can."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def anything(text: str) -> bool:
    """Accept any text."""
    return True


class Suffix(NamedTuple):
    """What follows the text.

    Attributes:
        text: what follows, in the dialect.
        is_whole: the program ends with it; otherwise it may stop anywhere.
        accepts: whether a text may stand before it, beyond what the grammar and the rules say.
    """

    text: str
    is_whole: bool = True
    accepts: Callable[[str], bool] = anything
