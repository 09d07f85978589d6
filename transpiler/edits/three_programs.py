"""What a model has seen, between the file and what the model wrote: where the tokens of one stand in the others."""

from __future__ import annotations

from typing import NamedTuple

from transpiler.edits.correspondence import Correspondence
from transpiler.edits.tokens import COMMENT, DEDENT, INDENT, LAYOUT, Tokens
from transpiler.edits.writer import rows_of


class Run(NamedTuple):
    """Tokens of the source that were not seen.

    Attributes:
        start, end: the tokens of the source.
        before, after: the tokens of the view between which they stand.
    """

    start: int
    end: int
    before: int
    after: int


class ThreePrograms:
    """A file, what was seen of it, and what that was rewritten to.

    Attributes:
        tokens, seen_tokens: the file and what was seen.
        source, seen, rewritten: the rows of the three.
        to_source: for each token of what was seen, that of the file; -1 for none.
        to_rewritten: ... and that of what was written.
        changed_rows: start of a statement that was seen -> start of the one that it has become.
        changed_to: the starts that statements have become.
        from_rewritten: token of what was written -> token of what was seen.

    >>> programs = ThreePrograms(Tokens("a  # b\\nc\\n"), Tokens("a\\nc\\n"), Tokens("c\\n"))
    >>> programs.runs(), programs.kept(0), programs.kept(1)
    ([Run(start=1, end=2, before=0, after=1)], None, 0)
    """

    def __init__(self, source: Tokens, seen: Tokens, rewritten: Tokens) -> None:
        self.tokens, self.seen_tokens = source, seen
        self.source, self.seen, self.rewritten = rows_of(source), rows_of(seen), rows_of(rewritten)
        self.to_source = Correspondence(seen, source, self.seen, self.source, view=True).partner
        written = Correspondence(seen, rewritten, self.seen, self.rewritten)
        self.to_rewritten, self.changed_rows = written.partner, written.begins
        self.changed_to = frozenset(written.begins.values())
        self.from_rewritten = {j: i for i, j in enumerate(self.to_rewritten) if j >= 0}

    def runs(self) -> list[Run]:
        """What was not seen, or is shown as something else, in order."""
        runs = []
        last_seen, last = -1, -1
        for i, j in (*enumerate(self.to_source), (len(self.to_source), len(self.source.keys))):
            if j < 0:
                continue
            if j < last:
                continue  # it has moved
            if j > last + 1 or i > last_seen + 1:
                runs.append(Run(last + 1, j, last_seen, i))
            last_seen, last = i, j
        return runs

    def kept(self, i: int) -> int | None:
        """The token of the rewritten program that a token of the view is; the ends of the programs are tokens, too."""
        if i < 0:
            return -1
        if i == len(self.to_rewritten):
            return len(self.rewritten.keys)
        j = self.to_rewritten[i]
        return None if j < 0 else j

    def row_kept(self, i: int) -> bool:
        """Whether a row of the view is as it was; of a block end, the header of the block."""
        depth = 0
        while i >= 0 and self.seen.keys[i] in LAYOUT:
            depth += (self.seen.keys[i] == DEDENT) - (self.seen.keys[i] == INDENT)
            i -= 1
            while depth > 0 and i >= 0:
                depth += (self.seen.keys[i] == DEDENT) - (self.seen.keys[i] == INDENT)
                i -= 1
        first = last = i
        while first > 0 and not self.seen.begins[first]:
            first -= 1
        while last + 1 < len(self.seen.keys) and not self.seen.begins[last + 1] and self.seen.keys[last + 1] not in (*LAYOUT, COMMENT):
            last += 1
        places = [self.kept(k) for k in range(first, min(last + 2, len(self.seen.keys) + 1))]
        return None not in places and places == list(range(places[0] or 0, (places[0] or 0) + len(places)))

    def block_kept(self, i: int) -> bool:
        """Whether the block that a token of the view stands in is part of what was written."""
        depth = 0
        while i >= 0:
            key = self.seen.keys[i]
            if key == DEDENT:
                depth += 1
            elif key == INDENT:
                if not depth:
                    return self.to_rewritten[i] >= 0
                depth -= 1
            i -= 1
        return True

    def row_start(self, j: int, first_hidden: int) -> int:
        """The token before which a comment on lines of its own can stand; for other tokens, the one that is given."""
        rewritten = self.rewritten
        if self.source.keys[first_hidden] == COMMENT:
            while 0 < j < len(rewritten.keys) and not rewritten.begins[j] and rewritten.keys[j] not in LAYOUT:
                j -= 1
        return j

    def row_end(self, i: int) -> int | None:
        """The last token of the row of the rewritten program that a row of the view has become, if some of it is left."""
        while self.to_rewritten[i] < 0:
            if self.seen.begins[i] or i == 0 or self.seen.keys[i] in LAYOUT:
                return None
            i -= 1
        j = self.to_rewritten[i]
        rewritten = self.rewritten
        while j + 1 < len(rewritten.keys) and not rewritten.begins[j + 1] and rewritten.keys[j + 1] not in (*LAYOUT, COMMENT):
            j += 1
        return j

    def owner(self, i: int) -> int | None:
        """The name that an annotation goes with whose name has moved in its row, or has been renamed."""
        at = self.kept(i - 1)
        k = i - 1
        while k > 0 and self.kept(k) is None and not self.seen.begins[k]:
            k -= 1
        row = self.kept(k)
        while row is not None and row > 0 and not self.rewritten.begins[row]:
            row -= 1
        j = row if row is not None else len(self.rewritten.keys)
        while j < len(self.rewritten.keys) and (j == row or not self.rewritten.begins[j]) and self.rewritten.keys[j] not in LAYOUT:
            if self.rewritten.texts[j] == self.seen.texts[i] and j not in self.from_rewritten and self.rewritten.keys[j] == "NAME":
                return j
            j += 1
        renamed = at is not None and self.rewritten.keys[at + 1 : at + 2] == ["NAME"] and at + 1 not in self.from_rewritten
        return at + 1 if renamed and at is not None and self.kept(i + 1) == at + 2 else None

    def is_new_statement(self, j: int) -> bool:
        """Whether a token of the rewritten program begins a statement that has come from none of the view."""
        rewritten = self.rewritten
        return rewritten.begins[j] and rewritten.keys[j] != COMMENT and j not in self.from_rewritten and j not in self.changed_to

    def is_decorated(self, j: int) -> bool:
        """Whether the row above a token of the rewritten program is a decorator."""
        row = j - 1
        while row > 0 and not self.rewritten.begins[row]:
            row -= 1
        return row >= 0 and self.rewritten.keys[row] == "^@"
