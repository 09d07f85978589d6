"""Cutting passages as a tokenizer with the learned tokens does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tokenizer_ext.costs import CostTable
from tokenizer_ext.learning.passages import Passage

_AT_ONCE = 20_000  # passages that are segmented before the tokenizer is asked


class PassageSegmenter:
    """Cuts passages at learned tokens: leftmost, then longest; the rest is left to the tokenizer.

    >>> segmenter = PassageSegmenter(CostTable(lambda texts: [len(text) for text in texts]))
    >>> segmenter.cost(("", "a", "b", "c", "x"))
    4
    >>> segmenter.add(("b", "c"))
    >>> segmenter.cost(("", "a", "b", "c", "x"))
    3
    """

    def __init__(self, costs: CostTable) -> None:
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

    def cost(self, passage: Passage) -> int:
        """The tokens of a passage."""
        return self.costs_of([passage])[0]

    def costs_of(self, passages: Sequence[Passage]) -> list[int]:
        """The tokens of each of some passages; faster than one by one, as the tokenizer is asked for many texts at once."""
        found: list[int] = []
        for start in range(0, len(passages), _AT_ONCE):
            cut = [self._cut(passage) for passage in passages[start : start + _AT_ONCE]]
            self.costs.load([text for rests in cut for text in rests])
            known = self.costs.known
            found += [len(rests) - 1 + sum([known[text] for text in rests]) for rests in cut]
        return found

    def _cut(self, passage: Passage) -> list[str]:
        """The texts before, between and after the tokens in a passage."""
        tokens, prefixes = self.tokens, self.prefixes
        last = len(passage) - 1
        rests: list[str] = []
        start, i = 0, 1  # of the text since the last token
        while i < last:
            text = passage[i]
            best = 0
            if text in prefixes:
                j = i + 1
                while True:
                    if text in tokens:
                        best = j
                    if j == last:
                        break
                    text += passage[j]
                    if text not in prefixes:
                        break
                    j += 1
            if best:
                rests.append("".join(passage[start:i]))
                start = i = best
            else:
                i += 1
        rests.append("".join(passage[start:]))
        return rests


def _prefixes(lexemes: Sequence[str]) -> list[str]:
    texts: list[str] = []
    text = ""
    for lexeme in lexemes:
        text += lexeme
        texts.append(text)
    return texts
