"""The ids of a vocabulary by their first symbols: a tree of groups, so that ids that do the same are handled together.

For the ids `re`, `red`, `return`, `(`, in the form label, ids, groups below:

    "re"  [re]    "d"     [red]
                  "turn"  [return]
    "("   [(]

Where a group is met by a lexer state that all of its symbols leave as it is, such as a name, all of its ids do the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenizer_ext.constrain.utf8 import Rest
from tokenizer_ext.constrain.vocabulary import Spelling


class Group:
    """The ids that go on with the same symbols.

    Attributes:
        label: these symbols, after those of the groups around it.
        rest: what the last character of the ids still needs.
        is_atomic: whether the ids must not begin inside a literal.
        ids: the ids that end with the label.
        below: the groups of the ids that go on after it.
        symbols: all symbols of the label and of the groups below, as bits.
    """

    __slots__ = ("below", "ids", "is_atomic", "label", "rest", "symbols")

    def __init__(self, label: str, rest: Rest, is_atomic: bool, ids: list[int], below: tuple[Group, ...], symbols: int) -> None:
        self.label = label
        self.rest = rest
        self.is_atomic = is_atomic
        self.ids = ids
        self.below = below
        self.symbols = symbols

    def all_ids(self) -> list[int]:
        """The ids of the group and of those below it."""
        found: list[int] = []
        todo = [self]
        for group in todo:
            found += group.ids
            todo += group.below
        return found


def groups_of(spellings: Iterable[tuple[int, Spelling]], atomic: frozenset[int], bits: dict[str, int]) -> Iterator[Group]:
    """The uppermost groups of some ids.

    Args:
        spellings: the ids, and what they stand for.
        atomic: those that must not begin inside a literal.
        bits: symbol -> the bits that stand for it.
    """
    texts: dict[tuple[Rest, bool], dict[str, list[int]]] = {}
    for number, (symbols, rest) in spellings:
        texts.setdefault((rest, number in atomic), {}).setdefault(symbols, []).append(number)
    for (rest, is_atomic), ids_of in texts.items():

        def grouped(low: int, high: int, at: int) -> Iterator[Group]:
            """The groups of some texts, which have the symbols before a place in common and go on after it."""
            while low < high:
                first = ordered[low]
                end = low + 1
                while end < high and ordered[end][at] == first[at]:
                    end += 1
                last = ordered[end - 1]
                after = at + 1
                while after < len(first) and first[after] == last[after]:
                    after += 1
                ends = len(first) == after
                below = tuple(grouped(low + ends, end, after))
                symbols = 0
                for symbol in first[at:after]:
                    symbols |= bits[symbol]
                for group in below:
                    symbols |= group.symbols
                yield Group(first[at:after], rest, is_atomic, ids_of[first] if ends else [], below, symbols)
                low = end

        if "" in ids_of:
            yield Group("", rest, is_atomic, ids_of.pop(""), (), 0)
        ordered = sorted(ids_of)
        yield from grouped(0, len(ordered), 0)
