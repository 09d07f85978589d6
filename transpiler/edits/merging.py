"""From one program to another, in the bytes of the first: which ranges of its text change, and what stands there then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from transpiler.edits.alignment import pair_clauses, pair_items
from transpiler.edits.printer import Printer, Style
from transpiler.edits.rows import Row, row_end
from transpiler.edits.structure import Clause, Item, items_of
from transpiler.edits.tokens import COMMENT, INNER_COMMENT, Tokens
from transpiler.proof import parse_tree, same_tree


class Splice(NamedTuple):
    """A change of a text.

    Attributes:
        start, end: the range of characters that goes.
        text: what comes in its place.
    """

    start: int
    end: int
    text: str


class _CoarserError(Exception):
    """The change cannot be made inside this item: the whole of it has to be written anew."""


class _Hunk(NamedTuple):
    """Items ``[i0:i1]`` of a block of the source, in whose place items ``[j0:j1]`` of the target come."""

    i0: int
    i1: int
    j0: int
    j1: int


def splices(source: Tokens, target: Tokens, style: Style, *, fine: bool = True) -> list[Splice]:
    """The changes that make a program say what another one says.

    Args:
        source: the program.
        target: what it shall say, in the canonical layout without a width.
        style: the habits of the file.
        fine: change less than whole statements where that can be.
    """
    return _Merger(source, target, style, fine).run()


class _Merger:
    def __init__(self, source: Tokens, target: Tokens, style: Style, fine: bool) -> None:
        self.source = source
        self.target = target
        self.fine = fine
        self.printer = Printer(style, target.text)

    def run(self) -> list[Splice]:
        ours, theirs = items_of(self.source), items_of(self.target)
        if not ours:
            printed = self.printer.items(theirs[0], theirs[-1], "") + "\n" if theirs else ""
            return [Splice(len(self.source.text), len(self.source.text), printed)]
        try:
            return self._block(ours, theirs)
        except _CoarserError:
            printed = self.printer.items(theirs[0], theirs[-1], "") + "\n" if theirs else ""
            return [Splice(0, len(self.source.text), printed)]

    # ------------------------------------------------------------------------------------------------------- blocks

    def _block(self, ours: Sequence[Item], theirs: Sequence[Item]) -> list[Splice]:
        """The changes of a block.

        Raises:
            _CoarserError: it shares a line with its header, or with what follows.
        """
        changes: dict[int, list[Splice]] = {}
        kept: list[tuple[int, int]] = []
        for i, j in pair_items(ours, theirs):
            if ours[i].words != theirs[j].words:
                try:
                    changes[i] = self._item(ours[i], theirs[j])
                except _CoarserError:
                    continue
            kept.append((i, j))
        hunks = self._hunks(ours, theirs, kept)
        if hunks and self._indent(ours) is None:
            raise _CoarserError
        out: list[Splice] = []
        pending = list(hunks)
        for i in range(len(ours) + 1):
            while pending and pending[0].i0 <= i:
                out.append(self._hunk(ours, theirs, pending.pop(0)))
            if not any(hunk.i0 <= i < hunk.i1 for hunk in hunks):
                out += changes.get(i, ())
        return out

    def _hunks(self, ours: Sequence[Item], theirs: Sequence[Item], kept: list[tuple[int, int]]) -> list[_Hunk]:
        """The items to be replaced: whole lines, so items that share one with what is replaced go along."""
        partner = dict(kept)
        hunks: list[_Hunk] = []
        i = j = 0
        for x, y in (*kept, (len(ours), len(theirs))):
            if i < x or j < y:
                i0, i1, j0, j1 = i, x, j, y
                while self._shares_start(ours, i0):
                    i0 -= 1
                    j0 = partner.get(i0, j0)
                while self._shares_end(ours, i1):
                    j1 = partner.get(i1, j1 - 1) + 1
                    i1 += 1
                while hunks and (hunks[-1].i1 > i0 or hunks[-1].j1 > j0):
                    last = hunks.pop()
                    i0, j0, i1, j1 = min(last.i0, i0), min(last.j0, j0), max(last.i1, i1), max(last.j1, j1)
                hunks.append(_Hunk(i0, i1, j0, j1))
            i, j = x + 1, y + 1
        return hunks

    def _shares_start(self, ours: Sequence[Item], i: int) -> bool:
        """Whether the place before an item is inside a line."""
        if i < len(ours):
            if self.source.begins_line(ours[i].start):
                return False
            if not i:
                raise _CoarserError  # the line of the header
            return True
        return self._goes_on(ours[i - 1])

    def _shares_end(self, ours: Sequence[Item], i: int) -> bool:
        """Whether the place after the item before ``i`` is inside a line."""
        if not i or not self._goes_on(ours[i - 1]):
            return False
        if i == len(ours):
            raise _CoarserError
        return True

    def _goes_on(self, item: Item) -> bool:
        """Whether something stands on the line after an item."""
        rest = self.source.text[self._last(item.end) : self.source.line_end(self._last(item.end))]
        return bool(rest.strip(" \t\f;"))

    def _indent(self, ours: Sequence[Item]) -> str | None:
        """What the lines of a block begin with; ``None`` if it has none of its own."""
        lines = [item for item in ours if self.source.begins_line(item.start)]
        statements = [item for item in lines if item.head != COMMENT]
        return self.source.indent((statements or lines)[0].start) if lines else None

    def _last(self, end: int) -> int:
        """The offset of the end of the last token before ``end`` that has a text."""
        while end > 1 and self.source.starts[end - 1] == self.source.ends[end - 1]:
            end -= 1
        return row_end(self.source, end)

    # -------------------------------------------------------------------------------------------------------- hunks

    def _hunk(self, ours: Sequence[Item], theirs: Sequence[Item], hunk: _Hunk) -> Splice:
        source, text = self.source, self.source.text
        i0, i1, j0, j1 = hunk
        indent = self._indent(ours) or ""
        printed = self.printer.items(theirs[j0], theirs[j1 - 1], indent) + "\n" if j0 < j1 else ""
        if i0 < i1:
            start = source.line_start(source.starts[ours[i0].start])
            end = min(source.line_end(self._last(ours[i1 - 1].end)) + 1, len(text))
        elif i0:
            start = end = min(source.line_end(self._last(ours[i0 - 1].end)) + 1, len(text))
        else:
            start = end = source.line_start(source.starts[ours[0].start])
        above, below = _blank_before(text, start), _blank_after(text, end)
        if not printed:
            if start and (i1 == len(ours) or above <= below):
                start -= above
            else:
                end += below
            return Splice(start, end, "")
        wanted = self.printer.blank_lines(theirs[j0]) if i0 else 0
        if start and text[start - 1] != "\n":
            printed = "\n" + printed
        after = self.printer.blank_lines(theirs[j1]) if j1 < len(theirs) else 0
        if i0 == i1 and i0:
            # The blank lines that stand there already come after what is new.
            printed = "\n" * wanted + printed
        else:
            printed = "\n" * max(wanted - above, 0) + printed
        if j1 < len(theirs) and i1 < len(ours):
            printed += "\n" * max(after - below, 0)
        if end == len(text) and text[-1:] != "\n":
            printed = printed.removesuffix("\n")
        return Splice(start, end, printed)

    # -------------------------------------------------------------------------------------------------------- items

    def _item(self, ours: Item, theirs: Item) -> list[Splice]:
        if ours.head == COMMENT or not self.fine:
            raise _CoarserError
        if bool(ours.clauses) != bool(theirs.clauses) or (ours.clauses and ours.head != theirs.head):
            raise _CoarserError
        if not ours.clauses:
            return [self._row(ours.start, ours.end, theirs.start, theirs.end)]
        return self._clauses(ours.clauses, theirs.clauses)

    def _clauses(self, ours: Sequence[Clause], theirs: Sequence[Clause]) -> list[Splice]:
        out: list[Splice] = []
        source = self.source
        pairs = pair_clauses(ours, source, theirs, self.target)
        i = j = 0
        for x, y in (*pairs, (len(ours), len(theirs))):
            if i < x or j < y:
                out.append(self._clause_hunk(ours, i, x, theirs, j, y))
            if x < len(ours):
                a, b = ours[x], theirs[y]
                if source.words[a.start : a.end] != self.target.words[b.start : b.end]:
                    out += self._header(a, b)
                if source.words[a.end : a.close] != self.target.words[b.end : b.close]:
                    out += self._block(a.items, b.items)
            i, j = x + 1, y + 1
        return out

    def _clause_hunk(self, ours: Sequence[Clause], i0: int, i1: int, theirs: Sequence[Clause], j0: int, j1: int) -> Splice:
        source, text = self.source, self.source.text
        for clause in ours[i0:i1]:
            if not source.begins_line(clause.start):
                raise _CoarserError
        start_of_first = source.starts[ours[0].start]
        indent = text[source.line_start(start_of_first) : start_of_first]
        if indent.strip(" \t\f"):
            raise _CoarserError
        at = min(source.line_end(self._last(ours[i0 - 1].close)) + 1, len(text)) if i0 else source.line_start(start_of_first)
        end = min(source.line_end(self._last(ours[i1 - 1].close)) + 1, len(text)) if i0 < i1 else at
        start = source.line_start(source.starts[ours[i0].start]) if i0 < i1 else at
        printed = "".join(self.printer.clause(clause, indent) + "\n" for clause in theirs[j0:j1])
        if printed and start and text[start - 1] != "\n":
            printed = "\n" + printed
        if end == len(text) and text[-1:] != "\n":
            printed = printed.removesuffix("\n")
        return Splice(start, end, printed)

    def _header(self, ours: Clause, theirs: Clause) -> list[Splice]:
        """The changes of a header: of what stands before its colon, and of the comment after it."""
        source, target = self.source, self.target
        end, their_end = ours.end, theirs.end
        end -= source.keys[end - 1] == COMMENT
        their_end -= target.keys[their_end - 1] == COMMENT
        out: list[Splice] = []
        if source.words[ours.start : end] != target.words[theirs.start : their_end]:
            try:
                out.append(self._row(ours.start, end, theirs.start, their_end, header=True))
            except _CoarserError:
                if {COMMENT, INNER_COMMENT}.intersection(source.keys[ours.start : end] + target.keys[theirs.start : their_end]):
                    raise
                start = source.starts[ours.start]
                line = source.text[source.line_start(start) : start]
                if line.strip(" \t\f"):
                    raise
                out.append(Splice(start, row_end(source, end), self.printer.header(theirs.start, their_end, line)))
        comment = source.words[end : ours.end]
        their_comment = target.words[their_end : theirs.end]
        if comment != their_comment:
            colon = source.text.index(":", row_end(source, end)) + 1
            line_end = source.line_end(colon)
            if source.text[colon:line_end].strip() and not comment:
                raise _CoarserError  # the block stands on the line of the header
            new = "  " + target.text[target.starts[their_end] : target.ends[their_end]] if their_comment else ""
            out.append(Splice(colon, source.ends[end] if comment else line_end, new))
        return out

    def _row(self, s0: int, s1: int, t0: int, t1: int, *, header: bool = False) -> Splice:
        """The change of a row, proved on its own.

        Raises:
            _CoarserError: the result says something else, or has a line that is too long.
        """
        source, target = self.source, self.target
        start, end = source.starts[s0], row_end(source, s1)
        line = source.text[source.line_start(start) : start]
        old_lines = set((line + source.text[start:end]).split("\n"))
        row = Row(source, s0, s1, target, t0, t1, self.printer)
        while True:
            new = row.text()
            lines = (line + new).split("\n")
            fits = self.printer.style.fits
            long = next((number for number, text in enumerate(lines) if text not in old_lines and not fits(text)), None)
            if long is None:
                break
            if not row.break_line(long):
                raise _CoarserError
        wanted = target.text[target.starts[t0] : row_end(target, t1)]
        indent = line[: len(line) - len(line.lstrip(" \t\f"))]
        if not _same_row(
            new, wanted, target.keys[t0], header, indent, target.text[target.line_start(target.starts[t0]) : target.starts[t0]]
        ):
            raise _CoarserError
        return Splice(start, end, new)


_BEFORE = {"^elif": "if 1: pass\n", "^else": "if 1: pass\n", "^except": "try: pass\n", "^finally": "try: pass\n", "^case": "match x:\n"}


def _same_row(new: str, wanted: str, key: str, header: bool, new_indent: str, wanted_indent: str) -> bool:
    """Whether two rows say the same to CPython."""
    trees = []
    for row, indent in ((new, new_indent), (wanted, wanted_indent)):
        opener = _BEFORE.get(key, "")
        if key == "^case":
            text = f"{opener}{indent or ' '}{row}"
        elif indent:
            text = f"if 1:\n{indent}{opener}{indent if opener else ''}{row}"
        else:
            text = opener + row
        if header:
            text += ": pass"
        try:
            trees.append(parse_tree(text + "\n"))
        except SyntaxError:
            # Where this interpreter cannot read what is wanted, the proof of the whole decides.
            return row == wanted
    one, other = trees
    return one is not None and other is not None and same_tree(one, other)


def _blank_before(text: str, at: int) -> int:
    """How many blank lines end at the start of a line."""
    before = text[:at]
    return max(len(before) - len(before.rstrip("\n")) - (1 if before.strip("\n") else 0), 0)


def _blank_after(text: str, at: int) -> int:
    count = 0
    while at < len(text) and text[at] == "\n":
        at, count = at + 1, count + 1
    return count


def applied(text: str, changes: Sequence[Splice]) -> str:
    """A text with some changes, which are in order."""
    out: list[str] = []
    at = 0
    for start, end, new in changes:
        out += (text[at:start], new)
        at = end
    return "".join((*out, text[at:]))
