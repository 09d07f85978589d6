"""The tokens before and after a conversion, for its closing line: by a vocabulary that is at hand, or estimated."""

from __future__ import annotations

import os
import sys

from simpy_grammar.dialect import PYTHON, Dialect

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_MOST_FILES = 20  # files of a run whose tokens are counted; those of the others are taken to be as many per character
_CACHED = ("cl100k_base", "9b5ad71b2ce5302211f9c61530b329a4922fc6a4")
"""A vocabulary of tiktoken, and the name of the file in which tiktoken keeps it."""

_counters: dict[tuple[str | None, Dialect], Callable[[str], int]] = {}  # of this process


class Vocabulary:
    """A vocabulary, or the estimate in its place, that counts tokens; goes to worker processes as it is.

    Args:
        name: the name of a tokenizer; ``None`` for an estimate.
        every: whether every file is counted, since the vocabulary was named.
    """

    __slots__ = ("every", "name")

    def __init__(self, name: str | None, *, every: bool = False) -> None:
        self.name = name
        self.every = every

    @classmethod
    def at_hand(cls, named: str | None) -> Vocabulary:
        """The vocabulary that was named; else, on a terminal, one that tiktoken has in its cache; else the estimate."""
        if named is not None:
            return cls(named, every=True)
        return cls(_CACHED[0] if sys.stderr.isatty() and _is_cached() else None)

    def counts(self, number: int, of: int) -> bool:
        """Whether the tokens of a file are counted, by its number in the run and how many there are.

        >>> [sum(Vocabulary(None).counts(number, of) for number in range(of)) for of in (1, 20, 21, 1000)]
        [1, 20, 11, 20]
        """
        return self.every or number % -(-of // _MOST_FILES) == 0

    def count(self, text: str, dialect: Dialect) -> int:
        """The tokens of a text of a dialect.

        Raises:
            TokenizerError: there is no such tokenizer.
        """
        key = self.name, dialect
        if key not in _counters:
            _counters[key] = _counter(self.name, dialect)
        return _counters[key](text)

    def phrase(self, counted: Sequence[tuple[int, int, int, int]], before: int, after: int) -> str:
        """What the closing line says.

        Args:
            counted: for each file that was counted its characters and tokens before, then after.
            before: the characters of all files.
            after: the characters of all their results.

        >>> Vocabulary("gpt2").phrase([(10, 4, 8, 2)], 20, 16)
        'about 8 -> 4 tokens (gpt2)'
        >>> Vocabulary(None).phrase([(10, 4, 8, 2)], 10, 8)
        'about 4 -> 2 tokens (estimated for cl100k_base, within 13 %)'
        """
        sums = [sum(column) for column in zip(*counted, strict=True)] or [0, 0, 0, 0]
        tokens = [
            round(tokens * characters / seen) if seen else 0
            for seen, tokens, characters in ((sums[0], sums[1], before), (sums[2], sums[3], after))
        ]
        exact = self.name is not None and (sums[0], sums[2]) == (before, after)
        if self.name is None:
            from tokenizer_ext.estimation import explained

            by = explained(tokens[0])
        else:
            by = self.name
        return f"{'' if exact else 'about '}{tokens[0]:,} -> {tokens[1]:,} tokens ({by})"


def _counter(name: str | None, dialect: Dialect) -> Callable[[str], int]:
    python = dialect.layout == PYTHON
    if name is None:
        from tokenizer_ext.estimation import Estimator

        return Estimator(None if python else dialect).count
    from tokenizer_ext import TokenCounter, load_tokenizer

    counter: Any = TokenCounter(load_tokenizer(name), dialects=(PYTHON if python else dialect,))
    spelling = counter.spellings[0]
    return lambda text: int(counter.count_text(text, spelling))


def _is_cached() -> bool:
    """Whether tiktoken has the vocabulary in its cache, so that nothing is downloaded."""
    from importlib.util import find_spec
    from tempfile import gettempdir

    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = os.path.join(gettempdir(), "data-gym-cache")
    return folder != "" and os.path.isfile(os.path.join(folder, _CACHED[1])) and find_spec("tiktoken") is not None
