"""The part of a file that an edit concerns: whole lines of one block, which can be read, changed and proved on their own.

What stands outside keeps every byte, and a block of statements that is replaced by another one leaves the tree around it as
it is. So the work, and the proof, need not grow with the file; and a file that is broken elsewhere can be edited.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from transpiler.edits.rows import row_end
from transpiler.edits.structure import Clause, Item, items_of
from transpiler.edits.tokens import COMMENT, Tokens

_OPENER = "if 1:\n"
_OPENER_TOKENS = 3  # the keyword, the condition, the block start
_MOST_CONTEXT = 400  # tokens of a neighbour that is read along, for the blank lines beside it


class Part(NamedTuple):
    """Whole lines of a text.

    Attributes:
        start, end: their offsets in the text.
        opener: what has to stand before them to make a program; they are indented then.
        first: the token of the whole text that is the first of theirs.
    """

    start: int
    end: int
    opener: str
    first: int

    def text(self, whole: str) -> str:
        """The program that the lines are."""
        return self.opener + whole[self.start : self.end]

    @property
    def shift(self) -> int:
        """What an offset into the program is less than that into the whole text."""
        return self.start - len(self.opener)

    @property
    def tokens_before(self) -> int:
        """How many more tokens stand before one in the whole text than in the program."""
        return self.first - (_OPENER_TOKENS if self.opener else 0)


def whole(tokens: Tokens) -> Part:
    """All of a text."""
    return Part(0, len(tokens.text), "", 0)


def part_of(tokens: Tokens, items: Sequence[Item]) -> Part | None:
    """The lines of some neighbouring items of a block; ``None`` if they share lines with others."""
    if not items or not tokens.begins_line(items[0].start) or items[0].head == "^case":
        return None
    start = tokens.line_start(tokens.starts[items[0].start])
    last = _last(tokens, items[-1].end)
    end = tokens.line_end(last)
    if tokens.text[last:end].strip(" \t\f;"):
        return None
    column = tokens.starts[items[0].start] - start
    if items[0].head == COMMENT and any(
        tokens.starts[item.start] - tokens.line_start(tokens.starts[item.start]) != column for item in items
    ):
        return None  # a comment need not stand where the statements do
    return Part(start, min(end + 1, len(tokens.text)), _OPENER if column else "", items[0].start)


def _last(tokens: Tokens, end: int) -> int:
    while end > 1 and tokens.starts[end - 1] == tokens.ends[end - 1]:
        end -= 1
    return row_end(tokens, end)


def part_around(tokens: Tokens, items: Sequence[Item], start: int, end: int) -> Part:
    """The lines of the innermost statements that hold some tokens."""
    best: Part | None = None
    while True:
        inside = [i for i, item in enumerate(items) if item.start < end and start < item.end]
        if not inside:
            break
        best = part_of(tokens, with_context(items, inside[0], inside[-1] + 1)) or best
        block = _block_around(items[inside[0]].clauses, start, end) if len(inside) == 1 else None
        if block is None:
            break
        items = block.items
    return best or whole(tokens)


def _block_around(clauses: Sequence[Clause], start: int, end: int) -> Clause | None:
    return next((clause for clause in clauses if clause.end < start and end < clause.close), None)


def with_context(items: Sequence[Item], start: int, end: int) -> Sequence[Item]:
    """Some items with a neighbour on each side, if those are small."""
    if start and items[start - 1].end - items[start - 1].start <= _MOST_CONTEXT:
        start -= 1
    if end < len(items) and items[end].end - items[end].start <= _MOST_CONTEXT:
        end += 1
    return items[start:end]


def with_other_text(ours: Tokens, wanted: str) -> tuple[Part, Sequence[Item], str] | None:
    """The lines of a program outside of which another one has the same text, their statements, and the other lines.

    There is a statement more on each side where there is one. ``None`` if it cannot be told without reading all of both.

    >>> part, _, text = with_other_text(Tokens("a\\nb\\nc\\nd\\ne\\n"), "a\\nb\\nC\\nd\\ne\\n")
    >>> part.start, part.end, text
    (2, 8, 'b\\nC\\nd\\n')
    """
    text, items = ours.text, items_of(ours)
    head = _common_length(text, wanted)
    most = min(len(text), len(wanted)) - head
    tail = _common_length(text[::-1][:most], wanted[::-1][:most])
    starts = [ours.line_start(ours.starts[item.start]) for item in items]
    first, last = max(bisect_right(starts, head) - 2, 0), bisect_left(starts, len(text) - tail)
    part = part_of(ours, items[first : last + 1])
    if part is None or part.opener or part.start > head or len(text) - part.end > tail:
        return None
    other = wanted[part.start : len(wanted) - (len(text) - part.end)]
    return None if other.rstrip().endswith("\\") else (part, items[first : last + 1], other)


def _common_length(one: str, other: str) -> int:
    """How many characters two texts share at their beginning.

    >>> _common_length("abcd", "abxd"), _common_length("ab", "abc")
    (2, 2)
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def changed_parts(
    ours: Tokens, our_items: Sequence[Item], theirs: Tokens, their_items: Sequence[Item], best: tuple[Part, Part]
) -> tuple[Part, Part]:
    """The lines of two programs outside of which they say the same: ``best``, or fewer."""
    while True:
        head = 0
        most = min(len(our_items), len(their_items))
        while head < most and our_items[head].words == their_items[head].words:
            head += 1
        tail = 0
        while tail < most - head and our_items[-1 - tail].words == their_items[-1 - tail].words:
            tail += 1
        ends = len(our_items) - tail, len(their_items) - tail
        one, other = with_context(our_items, head, ends[0]), with_context(their_items, head, ends[1])
        if len(one) - (ends[0] - head) == len(other) - (ends[1] - head):
            parts = part_of(ours, one), part_of(theirs, other)
            if parts[0] is not None and parts[1] is not None and bool(parts[0].opener) == bool(parts[1].opener):
                best = parts[0], parts[1]
        if (ends[0] - head, ends[1] - head) != (1, 1):
            return best
        block = _changed_block(ours, our_items[head].clauses, theirs, their_items[head].clauses)
        if block is None:
            return best
        our_items, their_items = block[0].items, block[1].items


def _changed_block(ours: Tokens, a: Sequence[Clause], theirs: Tokens, b: Sequence[Clause]) -> tuple[Clause, Clause] | None:
    """The one clause of two statements whose blocks differ, if nothing else does."""
    if len(a) != len(b) or any(ours.words[x.start : x.end] != theirs.words[y.start : y.end] for x, y in zip(a, b, strict=True)):
        return None
    changed = [(x, y) for x, y in zip(a, b, strict=True) if ours.words[x.end : x.close] != theirs.words[y.end : y.close]]
    return changed[0] if len(changed) == 1 else None
