"""What texts cost a tokenizer when each grammar token is one token, for searches that ask again and again.

Nothing is added to the tokenizer: texts are cut at the grammar tokens and the rest is counted by the tokenizer, once for
each different text. Real ids are made by ``tokenizer_ext.codec``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from simpy_grammar.native import core
from tokenizer_ext.adapters import OrdinaryTokenizer, adapter_of
from tokenizer_ext.estimation import estimate

CountTexts = Callable[[Sequence[str]], Sequence[int]]
"""The number of tokens of each of some texts."""
_REMEMBERED = 1_000_000  # texts whose counts are kept


def ordinary_counts(tokenizer: Any) -> CountTexts:
    """How many tokens a tokenizer makes of each of some ordinary texts; ``None`` stands for the built-in estimate.

    Raises:
        TokenizerError: no adapter accepts the tokenizer.

    >>> ordinary_counts(None)(["return foo", ""])
    [2, 0]
    """
    if tokenizer is None:
        return lambda texts: [estimate(text) for text in texts]
    return _counts_of(adapter_of(tokenizer).ordinary(()))


def _counts_of(ordinary: OrdinaryTokenizer) -> CountTexts:
    return lambda texts: [len(ids) for ids in ordinary.encode(texts)]


def cost_table(tokenizer: Any, specials: Iterable[str] = ()) -> CostTable:
    """What texts cost a tokenizer; ``None`` stands for the built-in estimate.

    Raises:
        TokenizerError: no adapter accepts the tokenizer.

    >>> cost_table(None, ["<return>"])["<return>foo"]
    2
    """
    if tokenizer is None:
        return CostTable(ordinary_counts(None), specials)
    return ordinary_costs(adapter_of(tokenizer).ordinary(()), specials)


def ordinary_costs(ordinary: OrdinaryTokenizer, specials: Iterable[str] = ()) -> CostTable:
    """What texts cost an ordinary tokenizer."""
    return CostTable(_counts_of(ordinary), specials, ends_at_words=ordinary.ends_at_words)


class CostTable:
    """How many tokens a text costs, remembered.

    Args:
        count: the tokens of each of some texts without grammar tokens.
        specials: the grammar tokens.
        ends_at_words: whether no token goes over the end of a word (``tokenizer_ext.adapters.word_ends``). Then the native core
            asks for fewer and shorter texts.

    Attributes:
        count: what was given.
        known: the cost of the texts that were loaded last, and of earlier ones.
        native: the same table in the native core, if there is one.

    >>> costs = CostTable(lambda texts: [len(text) for text in texts], ["<if>"])
    >>> costs["a<if>bc"], costs[""]
    (4, 0)
    """

    def __init__(self, count: CountTexts, specials: Iterable[str] = (), *, ends_at_words: bool = False) -> None:
        self.count = count
        longest_first = sorted(specials, key=lambda text: (-len(text), text))
        self.native: Any = None if core is None else core.costs(longest_first, ends_at_words)
        pattern = "|".join(map(re.escape, longest_first))
        self._cut = re.compile(pattern or r"(?!)").split
        self._rest: dict[str, int] = {"": 0}
        self.known: dict[str, int] = {"": 0}

    def load(self, texts: Iterable[str]) -> None:
        """Count many texts at once."""
        if len(self.known) > _REMEMBERED or len(self._rest) > _REMEMBERED:
            self.known, self._rest = {"": 0}, {"": 0}
        known, rest = self.known, self._rest
        cut = {text: self._cut(text) for text in texts if text not in known}
        new = [text for text in dict.fromkeys(text for parts in cut.values() for text in parts) if text not in rest]
        rest.update(zip(new, self.count(new), strict=True))
        for text, parts in cut.items():
            known[text] = len(parts) - 1 + sum([rest[part] for part in parts])

    def __getitem__(self, text: str) -> int:
        found = self.known.get(text)
        if found is None:
            self.load([text])
            found = self.known[text]
        return found

    def total(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each of some whole programs, of which only the parts are remembered."""
        if core is not None and self.native is not None:
            found: list[int] | None = core.text_costs(self.native, list(texts), self.count)
            if found is not None:
                return found
        rest = self._rest
        totals: list[int] = []
        for text in texts:
            parts = self._cut(text)
            new = [part for part in dict.fromkeys(parts) if part not in rest]
            if new:
                if len(rest) > _REMEMBERED:
                    rest.clear()
                    new = list(dict.fromkeys(parts))
                rest.update(zip(new, self.count(new), strict=True))
            totals.append(len(parts) - 1 + sum([rest[part] for part in parts]))
        return totals
