"""The n-grams of lexemes that may become learned tokens: the frequent ones of the passages, and where each occurs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tokenizer_ext.costs import CostTable
from tokenizer_ext.learning.passages import Passage, PassageTable

LONGEST = 16  # lexemes, or parts of names, in an n-gram


@dataclass(frozen=True)
class NGram:
    """An n-gram of lexemes.

    Attributes:
        lexemes: their texts.
        gain: an estimate of the tokens that it saves as one token.
        places: the numbers of the passages in which it occurs.
    """

    lexemes: tuple[str, ...]
    gain: int
    places: list[int]


class Passages:
    """All passages of a table in a fixed order, as parallel lists.

    Attributes:
        passages: the passages.
        weights: how often each occurs.
        groups: the group of each.
        number_of_groups: how many groups there are.
    """

    def __init__(self, table: PassageTable) -> None:
        rows = [(passage, counts[passage], group) for group, counts in enumerate(table.counts) for passage in sorted(counts)]
        self.passages = [passage for passage, _, _ in rows]
        self.weights = [weight for _, weight, _ in rows]
        self.groups = [group for _, _, group in rows]
        self.number_of_groups = len(table.counts)


def common_gain(gains: Mapping[int, int], number_of_groups: int) -> int:
    """The sum of the gains outside the quarter of the groups that gain most: what a few packages like is not yet Python.

    Args:
        gains: group -> gain; groups without a gain may be missing.
        number_of_groups: how many groups there are.

    >>> common_gain({0: 100}, 4), common_gain({0: 100, 1: 3, 2: 2}, 4), common_gain({0: 100}, 1)
    (0, 5, 100)
    """
    values = sorted(gains.values())
    return sum(values[: max(len(values) - (number_of_groups + 2) // 4, 0)]) if number_of_groups > 1 else sum(values)


def least_count(table: Passages) -> int:
    """How often an n-gram must occur to be frequent.

    >>> least_count(Passages(PassageTable([{("", "a", ""): 500_000}])))
    5
    """
    return max(2, sum(table.weights) // 100_000)


def promising_ngrams(
    table: Passages, costs: CostTable, *, most: int, can_be_added: Callable[[str], bool] = lambda text: True
) -> dict[str, NGram]:
    """The most promising n-grams by their text.

    Args:
        table: the passages.
        costs: how texts tokenize now.
        most: how many n-grams at most.
        can_be_added: whether a vocabulary takes a text as a new token.

    >>> table = Passages(PassageTable([{("", "a", "b", "x"): 5}]))
    >>> promising_ngrams(table, CostTable(lambda texts: [len(text) for text in texts]), most=9)
    {'ab': NGram(lexemes=('a', 'b'), gain=5, places=[0])}
    """
    frequent = _frequent(table)
    costs.load(sorted(frequent))
    gains = {text: count * (costs[text] - 1) for text, (count, _) in frequent.items()}
    gaining = (text for text, gain in gains.items() if gain > 0 and can_be_added(text))
    best = sorted(gaining, key=lambda text: (-gains[text], text))[:most]
    found = {text: NGram(frequent[text][1], gains[text], []) for text in best}
    for i, passage in enumerate(table.passages):
        for text in _texts_in(passage, frequent) & found.keys():
            found[text].places.append(i)
    return found


def _frequent(table: Passages) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The frequent n-grams: text -> count and lexemes.

    N-grams are looked for only where (n-1)-grams are frequent, so the rare ones never fill the memory.
    """
    least = least_count(table)
    frequent: dict[str, tuple[int, tuple[str, ...]]] = {}
    places: dict[int, list[int]] = {i: list(range(1, len(passage) - 1)) for i, passage in enumerate(table.passages)}
    for n in range(1, LONGEST + 1):
        counts: dict[str, dict[int, int]] = {}
        for i, starts in places.items():
            passage, weight, group = table.passages[i], table.weights[i], table.groups[i]
            for start in starts:
                by_group = counts.setdefault("".join(passage[start : start + n]), {})
                by_group[group] = by_group.get(group, 0) + weight
        sums = {text: common_gain(by_group, table.number_of_groups) for text, by_group in counts.items() if text.isascii()}
        kept = {text: count for text, count in sums.items() if count >= least}
        following: dict[int, list[int]] = {}
        for i, starts in places.items():
            passage = table.passages[i]
            alive: list[int] = []
            for start in starts:
                lexemes = passage[start : start + n]
                text = "".join(lexemes)
                if text in kept:
                    frequent.setdefault(text, (kept[text], lexemes))
                    if start + n < len(passage) - 1:
                        alive.append(start)
            if alive:
                following[i] = alive
        places = following
        if not places:
            break
    return frequent


def _texts_in(passage: Passage, frequent: Mapping[str, object]) -> set[str]:
    """The frequent n-grams of a passage."""
    seen: set[str] = set()
    for start in range(1, len(passage) - 1):
        for end in range(start + 1, min(start + LONGEST, len(passage) - 1) + 1):
            text = "".join(passage[start:end])
            if text not in frequent:
                break
            seen.add(text)
    return seen
