"""Ways to an end that the rules let through: ids that finish a program, tried one by one.

The grammar says how near an end is, and the rules may forbid the way to it. So others are looked for, and each of their ids is asked of
the rules. What is found is a proof; that nothing is found is not one.
"""

from __future__ import annotations

import heapq
import itertools
import string
from collections import Counter
from collections.abc import Hashable, Iterator
from itertools import islice
from typing import Protocol

from tokenizer_ext.constrain.lexer import Lexer
from tokenizer_ext.constrain.mask import Mask
from tokenizer_ext.constrain.vocabulary import Vocabulary

_MOST_TRIED = 8_000  # ids, for one way
_MOST_BRANCHES = 3  # of the way that the grammar has
_MOST_ALIKE = 2  # since one name may be taken
# Names and digits first, since there are rules about names.
_LETTERS = f"ab0 z\n{string.punctuation}"


class Unfinished(Protocol):
    """A program that is being written, as far as a search asks: see ``tokenizer_ext.constrain.constraint.State``."""

    @property
    def in_character(self) -> bool:
        """Whether it ends inside a character."""

    @property
    def outlook(self) -> Hashable:
        """What is alike for programs that go on alike."""

    def least(self) -> int:
        """How many ids finish it, as far as the grammar says."""

    def may_end(self) -> bool:
        """Whether it may end here."""

    def mask(self, budget: int | None = None) -> Mask:
        """The ids that may follow."""

    def after(self, number: int) -> Unfinished | None:
        """It and one more id; ``None`` if that cannot follow."""


def closers(lexer: Lexer, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The ids that can be of use near an end, those that close most first: tokens of the grammar, and parts of texts that it has."""
    patterns = lexer.automaton.tables.patterns
    texts = [text for kind, text in patterns.values() if kind == "str"]
    # What closes something, then what rules ask for: the rest of a generator, of a target, of a keyword argument.
    closing = [text for name, (_, text) in patterns.items() if name.endswith(("BLOCK_END", "COMPREHENSION_FOR"))]
    first = [*closing, ")", "}", "]", "\n", ".", "="]
    order = {text: at for at, text in enumerate(first)}
    parts = {text[start:end] for text in texts for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    ids: dict[str, int] = {}
    for number, spelling in vocabulary.spellings.items():
        if not spelling.rest.left and number not in vocabulary.atomic:
            text = vocabulary.plain(number)
            if number in vocabulary.own or text in parts or (len(text) == 1 and text in _LETTERS):
                ids.setdefault(text, number)

    def rank(text: str) -> tuple[int, int]:
        return order.get(text, len(order)), _LETTERS.index(text) if len(text) == 1 and text in _LETTERS else -len(text)

    return tuple(ids[text] for text in sorted(ids, key=rank))


class Search:
    """Looks for ways to an end.

    Args:
        lexer: the lexer of the dialect.
        vocabulary: the ids.
    """

    def __init__(self, lexer: Lexer, vocabulary: Vocabulary) -> None:
        self._ids = closers(lexer, vocabulary)
        self._bytes = tuple(number for number, piece in vocabulary.pieces.items() if len(piece) == 1 and not piece.isascii())
        self._left = 0

    def way(self, state: Unfinished, most: int) -> tuple[int, ...] | None:
        """At most so many ids that finish a program; ``None`` if none are found."""
        if state.least() > most:
            return None
        self._left = _MOST_TRIED
        return self._shortest(state, state.least()) or (() if state.may_end() else self._nearest(state, most))

    def _candidates(self, state: Unfinished, most: int) -> Iterator[tuple[int, Unfinished]]:
        """Ids that come nearer to an end within a budget, and the states after them; few of those that are alike."""
        mask = state.mask(budget=most)
        alike: Counter[Hashable] = Counter()
        for number in self._bytes if state.in_character else self._ids:
            if number not in mask or self._left <= 0:
                continue
            self._left -= 1
            after = state.after(number)
            if after is None or after.least() >= most:
                continue
            outlook = after.outlook
            alike[outlook] += 1
            if alike[outlook] <= _MOST_ALIKE:
                yield number, after

    def _shortest(self, state: Unfinished, most: int) -> tuple[int, ...] | None:
        """The way that the grammar has, if the rules let it through."""
        if state.may_end():
            return ()
        for number, after in islice(self._candidates(state, most), _MOST_BRANCHES):
            rest = self._shortest(after, most - 1)
            if rest is not None:
                return number, *rest
        return None

    def _nearest(self, state: Unfinished, most: int) -> tuple[int, ...] | None:
        """A way that always goes on where the grammar says that the end is nearest; of what is alike, each only a few times."""
        self._left = _MOST_TRIED
        count = itertools.count()
        heap: list[tuple[int, int, int, Unfinished, Way]] = [(0, 0, next(count), state, None)]
        seen: Counter[Hashable] = Counter()
        while heap and self._left > 0:
            _, depth, _, at, way = heapq.heappop(heap)
            for number, after in self._candidates(at, most + depth):
                further = number, way
                if after.may_end():
                    return _listed(further)
                seen[after.outlook] += 1
                if seen[after.outlook] <= _MOST_ALIKE:
                    heapq.heappush(heap, (after.least(), depth - 1, next(count), after, further))
        return None


Way = tuple[int, "Way"] | None
"""Ids, the last one first."""


def _listed(way: Way) -> tuple[int, ...]:
    found: list[int] = []
    while way is not None:
        number, way = way
        found.append(number)
    return tuple(reversed(found))
