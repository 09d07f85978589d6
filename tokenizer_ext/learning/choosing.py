"""Choosing learned tokens: n-grams of lexemes that, as added tokens, save the most on the passages of a corpus.

This continues BPE over the stream of lexemes, but by whole n-grams rather than by pairs: every frequent n-gram is a
candidate. Its gain is measured by segmenting the passages as a tokenizer will, and the best one is taken, again and again.
So what learning promises is what use gives, and no part of the budget goes to the halves of longer tokens. The tokens are
added to a tokenizer by ``tokenizer_ext.extension``.
"""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simpy_grammar.native import core
from tokenizer_ext.costs import CostTable
from tokenizer_ext.learning.ngrams import LONGEST, NGram, Passages, common_gain, least_count, promising_ngrams
from tokenizer_ext.learning.passages import PassageTable
from tokenizer_ext.learning.segmenter import PassageSegmenter

_REFILLS = 3  # times that useless tokens are dropped and replaced


@dataclass(frozen=True)
class Choice:
    """The tokens that were chosen.

    Attributes:
        tokens: the texts, best first.
        lexemes: the lexemes that each of them was found as.
        saved: how many tokens of the corpus the first 1, 2, ... of them save together.
    """

    tokens: tuple[str, ...]
    lexemes: tuple[tuple[str, ...], ...]
    saved: tuple[int, ...]


def choose(
    table: PassageTable,
    costs: CostTable,
    budget: int,
    *,
    candidates: int = 40_000,
    can_be_added: Callable[[str], bool] = lambda text: True,
    progress: Callable[[], None] = lambda: None,
) -> Choice:
    """Choose up to ``budget`` tokens, the best first; fewer if no more would save anything.

    The same passages, costs and budget give the same tokens.

    Args:
        table: the passages to learn from.
        costs: how texts tokenize now.
        budget: how many tokens.
        candidates: how many of the most promising n-grams are considered.
        can_be_added: whether a vocabulary takes a text as a new token.
        progress: called after each token.

    >>> table = PassageTable([{("", "a", "b", "x"): 5, ("", "b", "c", ""): 1}])
    >>> choose(table, CostTable(lambda texts: [len(text) for text in texts]), 2)
    Choice(tokens=('ab',), lexemes=(('a', 'b'),), saved=(5,))
    """
    passages = Passages(table)
    if core is not None and costs.native is not None:
        least = least_count(passages)
        of_table = (passages.passages, passages.weights, passages.groups, passages.number_of_groups, least, LONGEST)
        found = core.choose(*of_table, candidates, budget, _REFILLS, costs.native, costs.count, can_be_added, progress)
        if found is not None:
            lexemes, saved = found
            return Choice(tuple(map("".join, lexemes)), tuple(lexemes), tuple(saved))
    chooser = _Chooser(passages, promising_ngrams(passages, costs, most=candidates, can_be_added=can_be_added), costs)
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
    """The state of one choice: the tokens so far, and what each passage costs with them."""

    def __init__(self, table: Passages, ngrams: dict[str, NGram], costs: CostTable) -> None:
        self.table = table
        self.ngrams = ngrams
        self.segmenter = PassageSegmenter(costs)
        self.now = self.segmenter.costs_of(table.passages)
        self.chosen: list[str] = []
        self.version = 0  # changes with the tokens: a gain that was measured before it changed may be out of date
        # (-gain, text, version when the gain was measured); -1: it is only estimated
        self.heap = [(-ngram.gain, text, -1) for text, ngram in ngrams.items()]
        heapq.heapify(self.heap)
        self.least: int | None = None  # the least gain of a token that was taken: what another may be expected to gain

    def fill(self, budget: int, progress: Callable[[], None]) -> None:
        """Take the best tokens until there are ``budget``."""
        heap = self.heap
        while heap and len(self.chosen) < budget:
            negative, text, measured = heapq.heappop(heap)
            if measured == self.version:
                self.segmenter.add(self.ngrams[text].lexemes)
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
                self.segmenter.remove(self.ngrams[text].lexemes)
                self._update(text)
            else:
                kept.append(text)
        dropped = len(kept) < len(self.chosen)
        self.chosen = kept
        return dropped

    def total(self) -> int:
        """The tokens of all passages with the tokens so far."""
        return sum(map(operator.mul, self.table.weights, self.now))

    def choice(self, tokens: Sequence[str]) -> Choice:
        """Some tokens in order, and what they save. The tokens so far are forgotten."""
        lexemes = tuple(self.ngrams[text].lexemes for text in tokens)
        self.segmenter = PassageSegmenter(self.segmenter.costs)
        self.now = self.segmenter.costs_of(self.table.passages)
        before = total = self.total()
        saved: list[int] = []
        for text in tokens:
            self.segmenter.add(self.ngrams[text].lexemes)
            total += self._update(text)
            saved.append(before - total)
        return Choice(tuple(tokens), lexemes, tuple(saved))

    def _update(self, text: str) -> int:
        """Segment the passages again that hold an n-gram; how many tokens more they take."""
        self.version += 1
        more = 0
        places, passages = self.ngrams[text].places, self.table.passages
        for i, cost in zip(places, self.segmenter.costs_of([passages[i] for i in places]), strict=True):
            more += self.table.weights[i] * (cost - self.now[i])
            self.now[i] = cost
        return more

    def _change(self, text: str, do: Callable[[Sequence[str]], None], undo: Callable[[Sequence[str]], None]) -> int:
        """How many tokens more there would be if a token were added or removed, as far as most groups agree."""
        ngram, table = self.ngrams[text], self.table
        do(ngram.lexemes)
        changes: dict[int, int] = {}
        costs = self.segmenter.costs_of([table.passages[i] for i in ngram.places])
        undo(ngram.lexemes)
        for i, cost in zip(ngram.places, costs, strict=True):
            change = table.weights[i] * (cost - self.now[i])
            if change:
                changes[table.groups[i]] = changes.get(table.groups[i], 0) + change
        adding = sum(changes.values()) < 0
        size = common_gain({group: -change if adding else change for group, change in changes.items()}, table.number_of_groups)
        return -size if adding else size
