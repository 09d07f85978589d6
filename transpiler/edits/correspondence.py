"""Which token of one program is which token of another, even if statements have moved: to another block, or with the arm of an ``if``.

``alignment`` pairs what stands in the same order; this file walks both programs, and looks for the rest elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from transpiler.edits.alignment import common, pair_clauses, pair_items, pair_tokens, shown_tokens, swapped_bodies
from transpiler.edits.structure import Clause, Item, items_of
from transpiler.edits.tokens import COMMENT, Tokens
from transpiler.edits.writer import Rows


class Correspondence:
    """The tokens of a program ``a``, without new lines, and those of a program ``b``.

    Args:
        a, b: the programs.
        a_rows, b_rows: their tokens without new lines.
        view: ``a`` is a view of ``b``, so its statements may lack some of their tokens.

    Attributes:
        partner: for each token of ``a`` the one of ``b`` that it is, or -1.
        begins: start of a statement of ``a`` -> start of the statement of ``b`` that it has become.

    >>> from transpiler.edits.writer import rows_of
    >>> a, b = Tokens("f(x)\\n"), Tokens("if y:\\n    f(x)\\n")
    >>> Correspondence(a, b, rows_of(a), rows_of(b)).partner
    [3, 4, 5, 6]
    """

    def __init__(self, a: Tokens, b: Tokens, a_rows: Rows, b_rows: Rows, *, view: bool = False) -> None:
        self._a, self._b, self._view = a, b, view
        self._a_rows, self._b_rows = a_rows, b_rows
        self.partner = [-1] * len(a_rows.keys)
        self.begins: dict[int, int] = {}
        self._taken: dict[int, int] = {}  # the other way round
        # Statements that have no equal one beside them, with those inside of them.
        self._loose: tuple[list[Item], list[Item]] = ([], [])
        self._block(items_of(a), items_of(b))
        if not view:  # a view has its statements where the program has them
            self._moved()

    def _block(self, ours: Sequence[Item], theirs: Sequence[Item]) -> None:
        pairs = pair_items(ours, theirs, view=self._view)
        left = [
            [item for k, item in enumerate(items) if k not in paired]
            for items, paired in ((ours, {i for i, _ in pairs}), (theirs, {j for _, j in pairs}))
        ]
        for i, j in pairs:
            self._item(ours[i], theirs[j])
        if self._view:  # the file may have changed since: its definitions may have changed places
            named = {item.words: item for item in left[1] if item.name}
            for one in left[0]:
                if one.words in named:
                    self._item(one, named[one.words])
        for side, items in enumerate(left):
            self._loose[side].extend(each for item in items for each in (item, *item))

    def _item(self, one: Item, other: Item) -> None:
        self._begin(one, other)
        if one.words == other.words:
            self._same(one, other)
        elif not one.clauses or not other.clauses:
            self._row(one.start, one.end, other.start, other.end)
            for side, item in enumerate((one, other)):
                self._loose[side].extend((item, *item))
        else:
            pairs = pair_clauses(one.clauses, self._a, other.clauses, self._b)
            bodies = swapped_bodies(one.clauses, self._a, other.clauses, self._b, pairs)
            for x, y in pairs:
                ours, theirs = one.clauses[x], other.clauses[y]
                self._row(ours.start, ours.end, theirs.start, theirs.end)
            for x, y in bodies:
                self._body(one.clauses[x], other.clauses[y])
            for side, clauses, paired in ((0, one.clauses, {x for x, _ in bodies}), (1, other.clauses, {y for _, y in bodies})):
                self._loose[side].extend(item for k, clause in enumerate(clauses) if k not in paired for item in _inside(clause))

    def _body(self, ours: Clause, theirs: Clause) -> None:
        self._put(ours.end, theirs.end)
        self._put(ours.close - 1, theirs.close - 1)
        self._block(ours.items, theirs.items)

    def _row(self, a0: int, a1: int, b0: int, b1: int) -> None:
        shown = shown_tokens(self._a, a0, a1, self._b, b0, b1) if self._view else None
        for i, j in pair_tokens(self._a, a0, a1, self._b, b0, b1, code_first=self._view) if shown is None else shown:
            self._put(i, j)

    def _moved(self) -> None:
        """Pair equal statements that stand elsewhere: in order, then those that each program has once."""
        ours, theirs = (sorted(items, key=lambda item: item.start) for items in self._loose)
        words = [item.words for item in ours], [item.words for item in theirs]
        pairs = set(common(*words))
        for i, j in sorted(pairs):
            # A word alone, such as ``pass``, is the same statement only beside another one that is.
            if ours[i].end - ours[i].start > 1 or (i - 1, j - 1) in pairs or (i + 1, j + 1) in pairs:
                self._move(ours[i], theirs[j])
        left = [
            {items[k].words: items[k] for k in range(len(items)) if k not in paired and items[k].end - items[k].start > 1}
            for items, paired in ((ours, {i for i, _ in pairs}), (theirs, {j for _, j in pairs}))
        ]
        counts = Counter(words[0]), Counter(words[1])
        for text, item in left[0].items():
            if text in left[1] and counts[0][text] == counts[1][text] == 1:
                self._move(item, left[1][text])

    def _move(self, one: Item, other: Item) -> None:
        if one.head == COMMENT:
            return
        self._begin(one, other)
        self._same(one, other)

    def _begin(self, one: Item, other: Item) -> None:
        self.begins[self._a_rows.place[one.start]] = self._b_rows.place[other.start]

    def _same(self, one: Item, other: Item) -> None:
        for k in range(one.end - one.start):
            self._put(one.start + k, other.start + k)

    def _put(self, i: int, j: int) -> None:
        if i not in self._a_rows.place or j not in self._b_rows.place:
            return
        x, y = self._a_rows.place[i], self._b_rows.place[j]
        self.partner[self._taken.get(y, x)] = -1
        self.partner[x] = y
        self._taken[y] = x


def _inside(clause: Clause) -> Iterator[Item]:
    for item in clause.items:
        yield item
        yield from item
