"""What a model has not seen, put back into what it wrote.

A view leaves out tokens of a program: comments, parentheses that change nothing, annotations, whole bodies. Every run of them
stands between two tokens that were seen. If both are still neighbours in what the model wrote, the run goes back between
them; otherwise it goes with the one that it belongs to: a comment above a statement with the statement, an annotation with
its name. Where the view shows something in the place of a run (``...`` for a body), the run takes its place again. What was
changed on both sides is a conflict.
"""

from __future__ import annotations

import re
from collections import Counter

from simpy_grammar.errors import ConflictError
from transpiler.edits.additions import may_be_left_out
from transpiler.edits.structure import definitions
from transpiler.edits.three_programs import Run, ThreePrograms
from transpiler.edits.tokens import COMMENT, COMMENTS, INDENT, LAYOUT, STRING, Tokens
from transpiler.edits.writer import Writer

_DOCSTRING = re.compile(r"(?s)[rRuU]?('{3}|\"{3}|['\"])(.*)\1\Z")
_HEAD = re.compile(r"#!|#.*?coding[:=]")  # what has to stand in the first lines of a file
_BOTH_SIDES = "this place was changed on both sides"
_CLAUSES = ("^elif", "^else", "^except", "^finally")


def twice_defined(source: Tokens, rewritten: Tokens, merged: Tokens) -> str:
    """A name that is defined more often in a merged program than in each of those that it comes from; empty if there is none."""
    counts = [Counter(name for name, _, _ in definitions(tokens)) for tokens in (source, rewritten, merged)]
    return next((name for name, count in counts[2].items() if count > max(counts[0][name], counts[1][name])), "")


def restored(source: Tokens, seen: Tokens, rewritten: Tokens, *, parentheses: bool = True, path: str | None = None) -> str:
    """A program that says what ``rewritten`` says, and what ``source`` says beyond ``seen``.

    Args:
        source: the person's program.
        seen: what the model has seen of it, as Python.
        rewritten: what the model made of that, as Python.
        parentheses: put back parentheses that change nothing, too.
        path: the file, for messages.

    Raises:
        ConflictError: a place was changed on both sides, or what was not seen has lost its place.
    """
    return _Restorer(source, seen, rewritten, parentheses, path).run()


class _Restorer(ThreePrograms):
    def __init__(self, source: Tokens, seen: Tokens, rewritten: Tokens, parentheses: bool, path: str | None) -> None:
        super().__init__(source, seen, rewritten)
        self.grouping = {i for pair in source.pairs().items() if source.words[pair[0]] == "(" for i in pair}
        self.parentheses = parentheses
        seen_at = set(self.to_source)
        # How often a comment of the file that was not seen in its place may have been seen elsewhere.
        self._moved_comments = Counter(
            self.source.texts[j] for j, key in enumerate(self.source.keys) if key in COMMENTS and j not in seen_at
        )
        self.path = path

    def run(self) -> str:
        after: dict[int, list[int]] = {}  # token of the rewritten program -> tokens of the source that follow it
        before: dict[int, list[int]] = {}
        replaced: dict[int, list[int]] = {}  # ... that come in its place
        runs = self.runs()
        shown_as = {i for run in runs if run.after > run.before + 1 for i in range(run.start, run.end)}
        dropped = self._lost_parentheses(shown_as)
        for run in runs:
            hidden = [i for i in range(run.start, run.end) if i not in dropped]
            shown = self._without_moved_comments(run, replaced)
            if shown and not self._is_filled(run, hidden, shown):
                self._substitute(run, hidden, shown, replaced)
                continue
            if not hidden:
                continue
            left, cut, right = self._places(run, hidden)
            if left is not None:
                after.setdefault(left, []).extend(hidden[:cut])
            if right is not None:
                before.setdefault(right, []).extend(hidden[cut:])
        return self._written(after, before, replaced)

    def _without_moved_comments(self, run: Run, replaced: dict[int, list[int]]) -> list[int]:
        """What a view shows for a run, without comments that the file has at other tokens of their rows: there they come back."""
        shown: list[int] = []
        for i in range(run.before + 1, run.after):
            text = self.seen.texts[i]
            if self.seen.keys[i] not in COMMENTS or not self._moved_comments[text]:
                shown.append(i)
                continue
            self._moved_comments[text] -= 1
            if self.to_rewritten[i] < 0:
                raise self._conflict(run.start, "a comment is gone that the file has at another place than what was seen")
            replaced[self.to_rewritten[i]] = []
        return shown

    def _places(self, run: Run, hidden: list[int]) -> tuple[int | None, int, int | None]:
        """After which token the first part of a run stands now, how long that is, and before which one the rest stands.

        ``None`` where a part has gone with what it belonged to.
        """
        left, right = self.kept(run.before), self.kept(run.after)
        code = self._is_code(hidden)
        if (code or self.source.keys[hidden[0]] in _CLAUSES) and not self.row_kept(run.before):
            raise self._conflict(run.start, _BOTH_SIDES)
        if left is not None and right == left + 1:
            return left, len(hidden), None
        if self._is_docstring(run, hidden) and left is not None and self.rewritten.keys[left + 1 : left + 2] == [STRING]:
            raise self._conflict(run.start, "there is a docstring that was not seen")
        if left is not None and right is not None and self.rewritten.texts[left + 1 : right] == [self.source.texts[i] for i in hidden]:
            return None, 0, None  # both sides have written the same
        cut = self._cut(hidden)
        if run.before < 0:
            cut = max(cut, sum(_HEAD.match(self.source.texts[i]) is not None for i in hidden[:2]))
        if code:
            raise self._conflict(run.start, _BOTH_SIDES)
        if self._is_added_to(run, hidden):
            first = next(i for i in hidden if self.source.begins[i] and self.source.keys[i] != COMMENT)
            raise self._conflict(first, "both sides have added statements here")
        if self.source.keys[hidden[0]] in (":", "->") and left is None:
            left = self.owner(run.before)
        if right is None and self._decorates(hidden):
            raise self._conflict(run.start, "what was decorated is gone")
        if any(self.source.begins[i] and self.source.keys[i] != COMMENT for i in hidden):  # statements
            if left is not None:
                cut = len(hidden) if right is None else cut
            elif right is not None and self.seen.keys[run.before] != INDENT:  # else it is the docstring of a block that is gone
                cut = 0
            elif right is None and not self._is_docstring(run, hidden):
                raise self._conflict(run.start, "what was not seen stood between statements that are gone")
        if cut and self.source.keys[hidden[0]] == COMMENT and run.before >= 0:
            left = self.row_end(run.before)  # it stands at the end of its row, whatever that ends with now
        if right is None:
            right = self.changed_rows.get(run.after)
        if right is None and run.before < 0:
            right = 0  # what stands at the top of the file stays there
        if run.before < 0 and self._begins_with_new_docstring():
            cut, left, right = self._cut_before_statements(hidden), -1, 1  # statements stand below the docstring
        if right is not None and cut < len(hidden):
            right = self.row_start(right, hidden[cut])
        return left, cut, right

    def _is_added_to(self, run: Run, hidden: list[int]) -> bool:
        """Whether statements of the file were not seen where the model has added others, and their order says something."""
        if not any(self.source.begins[i] and self.source.keys[i] not in (COMMENT, "^@") for i in hidden):
            return False
        first, last = run.before, run.after
        while self.kept(first) is None:
            first -= 1
        while self.kept(last) is None:
            last += 1
        between = range((self.kept(first) or 0) + 1, self.kept(last) or 0)
        added = [self.rewritten.keys[j] for j in between if self.is_new_statement(j)]
        if not added:
            return False
        tokens = [self.source.at[i] for i in hidden]
        before = self.seen.at[run.before] if run.before >= 0 else -1
        after = self.seen.at[run.after] if run.after < len(self.seen.at) else len(self.seen_tokens)
        return not may_be_left_out(self.tokens, tokens, self.seen_tokens, before, after, added[0])

    def _begins_with_new_docstring(self) -> bool:
        """Whether the model has put a docstring at the top of the file, rather than changed one."""
        keys, begins = self.rewritten.keys, self.rewritten.begins
        return keys[:1] == [STRING] and (len(keys) == 1 or begins[1]) and 0 not in self.from_rewritten

    def _cut_before_statements(self, hidden: list[int]) -> int:
        """How many comments some tokens begin with."""
        return next((k for k, i in enumerate(hidden) if self.source.keys[i] not in COMMENTS), len(hidden))

    def _decorates(self, hidden: list[int]) -> bool:
        """Whether a run ends with a decorator."""
        rows = [i for i in hidden if self.source.begins[i] and self.source.keys[i] != COMMENT]
        return bool(rows) and self.source.keys[rows[-1]] == "^@"

    def _is_docstring(self, run: Run, hidden: list[int]) -> bool:
        """Whether the only statement of a run is the docstring of its block."""
        statements = [i for i in hidden if self.source.keys[i] not in COMMENTS]
        return (
            len(statements) == 1
            and self.source.keys[statements[0]] == STRING
            and (run.before < 0 or self.seen.keys[run.before : run.before + 1] == [INDENT])
        )

    def _is_filled(self, run: Run, hidden: list[int], shown: list[int]) -> bool:
        """Whether a block whose docstring was not seen, and that holds nothing else, has been filled."""
        return self._is_docstring(run, hidden) and self.kept(run.before) is not None and all(self.to_rewritten[i] < 0 for i in shown)

    def _stands_for_code(self, shown: list[int]) -> bool:
        """Whether what was shown is only what views show in the place of code: dots, the first line of a docstring."""
        return {self.seen.keys[i] for i in shown} <= {"...", STRING}

    def _is_code(self, hidden: list[int]) -> bool:
        """Whether a run holds words that no view leaves out, and so was written since: not statements, annotations or groups."""
        keys = self.source.keys
        left = [i for i in hidden if keys[i] not in COMMENTS and self.source.at[i] not in self.grouping and keys[i] not in LAYOUT]
        return bool(left) and not any(self.source.begins[i] for i in left) and keys[left[0]] not in (":", "->")

    def _substitute(self, run: Run, hidden: list[int], shown: list[int], replaced: dict[int, list[int]]) -> None:
        """Put what was not seen in the place of what was shown for it."""
        places = [self.to_rewritten[i] for i in shown]
        if self._first_line_changed(run, hidden, shown):
            at = (self.kept(run.before) or 0) + 1
            replaced[at] = hidden[:1]
            hidden, shown, places = hidden[1:], shown[1:], places[1:]
            if not shown:
                if hidden:
                    raise self._conflict(run.start, _BOTH_SIDES)
                return
        # A body that was not seen goes with its header.
        gone = (self._stands_for_code(shown) or self._is_docstring(run, hidden)) and not self.block_kept(run.before)
        if all(j < 0 for j in places) and (not hidden or gone):
            return
        unchanged = places == list(range(places[0], places[0] + len(places))) and places[0] >= 0 and self._stands_alone(run, places)
        if not unchanged or not (self._stands_for_code(shown) or self.row_kept(shown[0])):
            raise self._conflict(run.start, _BOTH_SIDES)
        replaced[places[0]] = hidden
        for j in places[1:]:
            replaced[j] = []

    def _stands_alone(self, run: Run, places: list[int]) -> bool:
        """Whether what was shown for a run is still what stands there, and not a part of something else."""
        rewritten, first, after = self.rewritten, places[0], places[-1] + 1
        begins = self.kept(run.before) == first - 1 or (rewritten.begins[first] and not self.is_decorated(first))
        ends = self.kept(run.after) == after or after == len(rewritten.keys) or rewritten.begins[after] or rewritten.keys[after] in LAYOUT
        return begins and ends

    def _first_line_changed(self, run: Run, hidden: list[int], shown: list[int]) -> bool:
        """Whether the view shows the first line of a docstring, and the model has changed it; the docstring is changed then."""
        at = self.kept(run.before)
        if at is None or self.to_rewritten[shown[0]] >= 0 or not hidden or self.rewritten.keys[at + 1 : at + 2] != [STRING]:
            return False
        old, line = self.source.texts[hidden[0]], self.seen.texts[shown[0]]
        if self.source.keys[hidden[0]] != STRING or self.seen.keys[shown[0]] != STRING:
            return False
        found = [_DOCSTRING.match(text) for text in (old, line, self.rewritten.texts[at + 1])]
        if None in found:
            return False
        bodies = [match[2] for match in found if match is not None]
        start = old.find(bodies[1])
        if start < 0 or '"' in bodies[2] or "'" in bodies[2] or "\\" in bodies[2] or "\n" in bodies[2]:
            return False
        self.source.texts[hidden[0]] = old[:start] + bodies[2] + old[start + len(bodies[1]) :]
        return True

    def _cut(self, hidden: list[int]) -> int:
        """How many of some tokens belong to what stands before them."""
        cut = len(hidden)
        while cut and self._goes_with_next(hidden[cut - 1]):
            cut -= 1
        return cut

    def _goes_with_next(self, i: int) -> bool:
        key = self.source.keys[i]
        if key == "(":
            return True
        row = i
        while row > 0 and not self.source.begins[row]:
            row -= 1
        if self.source.keys[row] == "^@":
            return True
        return key in COMMENTS and self.tokens.begins_line(self.source.at[i])

    def _lost_parentheses(self, shown_as: set[int]) -> set[int]:
        """The parentheses that were not seen and do not come back, since what stands in or beside them has changed."""
        seen_at = {j: i for i, j in enumerate(self.to_source) if j >= 0}
        lost: set[int] = set()
        for start, end in self.tokens.pairs().items():
            opening, close = self.source.place[start], self.source.place[end]
            seen = any(i in seen_at or i in shown_as for i in (opening, close))
            if seen or self.tokens.words[start] != "(" or not any(j in seen_at for j in range(opening + 1, close)):
                continue
            left = next((seen_at[j] for j in range(opening - 1, -1, -1) if j in seen_at), -1)
            right = next((seen_at[j] for j in range(close + 1, len(self.source.keys)) if j in seen_at), len(self.seen.keys))
            span = [self.kept(i) for i in range(left, right + 1)]
            whole = None not in span and span == list(range(span[0] or 0, (span[0] or 0) + len(span)))
            if not (self.parentheses and whole):
                lost |= {opening, close}
        return lost

    def _conflict(self, i: int, why: str) -> ConflictError:
        tokens = self.tokens
        at = tokens.starts[self.source.at[i]] if i < len(self.source.at) else len(tokens.text)
        return ConflictError.at(tokens.text, at, why, path=self.path)

    # ------------------------------------------------------------------------------------------------------ writing

    def _written(self, after: dict[int, list[int]], before: dict[int, list[int]], replaced: dict[int, list[int]]) -> str:
        writer = Writer()
        for i in after.get(-1, ()):
            writer.write(self.source, i)
        for j in range(len(self.rewritten.keys) + 1):
            for i in before.get(j, ()):
                writer.write(self.source, i)
            if j == len(self.rewritten.keys):
                break
            if j in replaced:
                for i in replaced[j]:
                    writer.write(self.source, i)
            else:
                writer.write(self.rewritten, j)
            for i in after.get(j, ()):
                writer.write(self.source, i)
        return writer.text()
