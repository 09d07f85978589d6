"""Choosing learned tokens: texts of whole lexemes that, as added tokens, save the most on the runs of a corpus.

This continues BPE over the lexeme stream, but by whole candidates rather than by pairs: every frequent run of lexemes is
a candidate, its gain is measured by segmenting the runs as a tokenizer will (leftmost, longest, the rest by the tokenizer
itself), and the best one is taken, again and again. So what learning promises is what use gives, and no part of the
budget goes to the halves of longer tokens. Making runs of programs is ``tokenizer_ext.runs``; adding the tokens to a
tokenizer is ``tokenizer_ext.extend``.
"""

from __future__ import annotations

import heapq
import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokenizer_ext.costs import Costs
from tokenizer_ext.runs import Runs

LONGEST = 12  # lexemes in a candidate
_AT_ONCE = 20_000  # runs that are segmented before the tokenizer is asked
_REFILLS = 3  # times that useless tokens are dropped and replaced


class Segmenter:
    """Cuts runs as a tokenizer with the learned tokens does: leftmost, then longest.

    >>> segmenter = Segmenter(Costs(lambda texts: [len(text) for text in texts]))
    >>> segmenter.cost(("", "a", "b", "c", "x"))
    4
    >>> segmenter.add(("b", "c"))
    >>> segmenter.cost(("", "a", "b", "c", "x"))
    3
    """

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.tokens: set[str] = set()
        self.prefixes: Counter[str] = Counter()

    def add(self, lexemes: Sequence[str]) -> None:
        """Add a token."""
        self.tokens.add("".join(lexemes))
        self.prefixes.update(_prefixes(lexemes))

    def remove(self, lexemes: Sequence[str]) -> None:
        """Take a token back."""
        self.tokens.discard("".join(lexemes))
        self.prefixes.subtract(_prefixes(lexemes))
        for prefix in _prefixes(lexemes):
            if self.prefixes[prefix] <= 0:
                del self.prefixes[prefix]

    def cost(self, run: tuple[str, ...]) -> int:
        """The tokens of a run."""
        return self.total([run])[0]

    def total(self, runs: Sequence[tuple[str, ...]]) -> list[int]:
        """The tokens of each of some runs; faster than one by one, as the tokenizer is asked for many texts at once."""
        found: list[int] = []
        for start in range(0, len(runs), _AT_ONCE):
            cut = [self._cut(run) for run in runs[start : start + _AT_ONCE]]
            self.costs.load([text for rests in cut for text in rests])
            known = self.costs.known
            found += [len(rests) - 1 + sum([known[text] for text in rests]) for rests in cut]
        return found

    def _cut(self, run: tuple[str, ...]) -> list[str]:
        """The texts before, between and after the tokens in a run."""
        tokens, prefixes = self.tokens, self.prefixes
        last = len(run) - 1
        rests: list[str] = []
        rest = run[0]
        i = 1
        while i < last:
            text = run[i]
            best = 0
            if text in prefixes:
                j = i + 1
                while True:
                    if text in tokens:
                        best = j
                    if j == last:
                        break
                    text += run[j]
                    if text not in prefixes:
                        break
                    j += 1
            if best:
                rests.append(rest)
                rest = ""
                i = best
            else:
                rest += run[i]
                i += 1
        rests.append(rest + run[last])
        return rests


def _prefixes(lexemes: Sequence[str]) -> list[str]:
    texts: list[str] = []
    text = ""
    for lexeme in lexemes:
        text += lexeme
        texts.append(text)
    return texts


@dataclass(frozen=True)
class Choice:
    """What was learned.

    Attributes:
        tokens: the texts, best first.
        lexemes: the lexemes that each of them was found as.
        saved: how many tokens of the corpus the first 1, 2, ... of them save together.
    """

    tokens: tuple[str, ...]
    lexemes: tuple[tuple[str, ...], ...]
    saved: tuple[int, ...]


def choose(
    runs: Runs,
    costs: Costs,
    budget: int,
    *,
    candidates: int = 40_000,
    can_be_added: Callable[[str], bool] = lambda text: True,
    progress: Callable[[], None] = lambda: None,
) -> Choice:
    """Choose up to ``budget`` tokens, the best first; fewer if no more would save anything.

    The same runs, costs and budget give the same tokens.

    Args:
        runs: what to learn from.
        costs: how texts tokenize now.
        budget: how many tokens.
        candidates: how many of the most promising texts are looked at.
        can_be_added: whether a vocabulary takes a text as a new token.
        progress: called after each token.

    >>> runs = Runs([{("", "a", "b", "x"): 5, ("", "b", "c", ""): 1}])
    >>> choose(runs, Costs(lambda texts: [len(text) for text in texts]), 2)
    Choice(tokens=('ab',), lexemes=(('a', 'b'),), saved=(5,))
    """
    chooser = _Chooser(runs, costs, candidates, can_be_added)
    chooser.fill(budget, progress)
    best, least = list(chooser.chosen), chooser.total()
    for _ in range(_REFILLS):
        if len(chooser.chosen) < budget or not chooser.drop():
            break
        chooser.fill(budget, lambda: None)
        if chooser.total() >= least:
            break
        best, least = list(chooser.chosen), chooser.total()
    return chooser.choice(best)


class _Chooser:
    """The state of one choice: the tokens so far, and what each run costs with them."""

    def __init__(self, runs: Runs, costs: Costs, candidates: int, can_be_added: Callable[[str], bool]) -> None:
        self.table = [run for counts in runs.counts for run in sorted(counts)]
        self.weights = [counts[run] for counts in runs.counts for run in sorted(counts)]
        self.groups = [group for group, counts in enumerate(runs.counts) for _ in counts]
        self.found, self.index = _candidates(self.table, self.weights, self.groups, costs, candidates, can_be_added)
        self.segmenter = Segmenter(costs)
        self.now = self.segmenter.total(self.table)
        self.chosen: list[str] = []
        self.version = 0  # changes with the tokens: a gain that was measured before it changed may be out of date
        # (-gain, text, version when the gain was measured); -1: it is only estimated
        self.heap = [(-gain, text, -1) for text, (gain, _) in self.found.items()]
        heapq.heapify(self.heap)
        self.least: int | None = None  # the least gain of a token that was taken: what another may be expected to gain

    def fill(self, budget: int, progress: Callable[[], None]) -> None:
        """Take the best tokens until there are ``budget``."""
        heap = self.heap
        while heap and len(self.chosen) < budget:
            negative, text, measured = heapq.heappop(heap)
            if measured == self.version:
                self.segmenter.add(self.found[text][1])
                self._update(text)
                self.chosen.append(text)
                self.least = -negative if self.least is None else min(self.least, -negative)
                progress()
                continue
            gain = -self._change(text, self.segmenter.add, self.segmenter.remove)
            if gain > 1:
                heapq.heappush(heap, (-gain, text, self.version))

    def drop(self) -> bool:
        """Take back the tokens that later, longer ones have made useless; whether there were any."""
        kept: list[str] = []
        for text in self.chosen:
            if self._change(text, self.segmenter.remove, self.segmenter.add) < (self.least or 0):
                self.segmenter.remove(self.found[text][1])
                self._update(text)
            else:
                kept.append(text)
        dropped = len(kept) < len(self.chosen)
        self.chosen = kept
        return dropped

    def total(self) -> int:
        """The tokens of all runs with the tokens so far."""
        return sum(map(operator.mul, self.weights, self.now))

    def choice(self, tokens: Sequence[str]) -> Choice:
        """Some tokens in order, and what they save. The tokens so far are forgotten."""
        lexemes = tuple(self.found[text][1] for text in tokens)
        self.segmenter = Segmenter(self.segmenter.costs)
        self.now = self.segmenter.total(self.table)
        before = total = self.total()
        saved: list[int] = []
        for text in tokens:
            self.segmenter.add(self.found[text][1])
            total += self._update(text)
            saved.append(before - total)
        return Choice(tuple(tokens), lexemes, tuple(saved))

    def _update(self, text: str) -> int:
        """Segment the runs again that hold a text; how many tokens more they take."""
        self.version += 1
        more = 0
        index = self.index[text]
        for i, cost in zip(index, self.segmenter.total([self.table[i] for i in index]), strict=True):
            more += self.weights[i] * (cost - self.now[i])
            self.now[i] = cost
        return more

    def _change(self, text: str, do: Callable[[Sequence[str]], None], undo: Callable[[Sequence[str]], None]) -> int:
        """How many tokens more there would be if a token were added or removed, where that is not a matter of few packages."""
        do(self.found[text][1])
        table, weights, groups, now = self.table, self.weights, self.groups, self.now
        changes: dict[int, int] = {}
        index = self.index[text]
        for i, cost in zip(index, self.segmenter.total([table[i] for i in index]), strict=True):
            change = weights[i] * (cost - now[i])
            if change:
                changes[groups[i]] = changes.get(groups[i], 0) + change
        undo(self.found[text][1])
        adding = sum(changes.values()) < 0
        size = _elsewhere({group: -change if adding else change for group, change in changes.items()}, groups)
        return -size if adding else size


def _elsewhere(gains: dict[int, int], groups: Sequence[int]) -> int:
    """The sum outside the quarter of the packages that gain most: what a few packages like is not yet Python."""
    packages = groups[-1] + 1
    values = sorted(gains.values())
    return sum(values[: max(len(values) - (packages + 2) // 4, 0)]) if packages > 1 else sum(values)


def _candidates(
    table: list[tuple[str, ...]],
    weights: list[int],
    groups: list[int],
    costs: Costs,
    most: int,
    can_be_added: Callable[[str], bool],
) -> tuple[dict[str, tuple[int, tuple[str, ...]]], dict[str, list[int]]]:
    """The most promising texts with an estimate of their gain and their lexemes, and the runs in which each occurs.

    Texts of n lexemes are looked for only where those of n - 1 are frequent, so the rare ones never fill the memory.
    """
    least = max(2, sum(weights) // 100_000)
    frequent: dict[str, tuple[int, tuple[str, ...]]] = {}
    places: dict[int, list[int]] = {i: list(range(1, len(run) - 1)) for i, run in enumerate(table)}
    for length in range(1, LONGEST + 1):
        counts: dict[str, dict[int, int]] = {}
        for i, starts in places.items():
            run, weight, group = table[i], weights[i], groups[i]
            for start in starts:
                by_group = counts.setdefault("".join(run[start : start + length]), {})
                by_group[group] = by_group.get(group, 0) + weight
        sums = {text: _elsewhere(by_group, groups) for text, by_group in counts.items()}
        kept = {text: count for text, count in sums.items() if count >= least and text.isascii()}
        following: dict[int, list[int]] = {}
        for i, starts in places.items():
            run = table[i]
            alive: list[int] = []
            for start in starts:
                lexemes = run[start : start + length]
                text = "".join(lexemes)
                if text in kept:
                    if text not in frequent:
                        frequent[text] = (kept[text], lexemes)
                    if start + length < len(run) - 1:
                        alive.append(start)
            if alive:
                following[i] = alive
        places = following
        if not places:
            break
    costs.load(sorted(frequent))
    estimates = {text: (count * (costs[text] - 1), lexemes) for text, (count, lexemes) in frequent.items()}
    gaining = (text for text, (gain, _) in estimates.items() if gain > 0 and can_be_added(text))
    best = sorted(gaining, key=lambda text: (-estimates[text][0], text))[:most]
    found = {text: estimates[text] for text in best}
    index: dict[str, list[int]] = {text: [] for text in best}
    for i, run in enumerate(table):
        seen: set[str] = set()
        for start in range(1, len(run) - 1):
            for end in range(start + 1, min(start + LONGEST, len(run) - 1) + 1):
                text = "".join(run[start:end])
                if text not in frequent:
                    break
                if text in found:
                    seen.add(text)
        for text in seen:
            index[text].append(i)
    return found, index
