"""Comments: where they stand in SimPy, whatever the tree hangs them on.

A comment on a line of its own goes into the block that its column says; one inside brackets to the next place that the
grammar has for it. Their order never changes.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from transpiler.rows import COMMA, COMMENT, KINDS, ContextRow, Entered
from transpiler.statements import Statements
from transpiler.walker import INNER, NOWHERE, End

# Anonymous tokens after which the grammar has a place for comments, and rows in which it has one after every token.
_PLACES = frozenset("( [ { , :=".split())
_OPERATOR_ROWS = (
    "binary_operator boolean_operator comparison_operator conditional_expression pair keyword_argument slice not_operator union_pattern"
    " if_clause case_sequence"
).split()
# Rows in which a name at the start is no operand, and rows in which there is no place at all.
_NAMES = ("identifier", "list_splat_pattern", "dictionary_splat_pattern")
_NAMING_ROWS = "keyword_argument named_expression default_parameter keyword_pattern typed_parameter typed_default_parameter".split()
_NO_PLACES = "lambda dotted_name aliased_import integer_attribute sum_of_numbers list_splat_pattern dictionary_splat_pattern".split()


class Comments(Statements):
    """The hooks for comments."""

    # ---------------------------------------------------------------------------------------------------- comments

    def decorator(self, node: Node) -> Entered:
        """One decorator."""
        if self.open:
            self.out.append(self.spell["LINE_SEP"])
        self.open = True
        return [child for child in node.children if child.kind_id != COMMENT], self.rows["decorator"], self._decorator_end(node)

    def _decorator_end(self, node: Node) -> Callable[[], None] | None:
        comments = [child for child in node.children if child.kind_id == COMMENT]
        if not comments:
            return None

        def end() -> None:
            for comment in comments:
                self.line_comment(comment)

        return end

    def header_comment(self, node: Node) -> Entered:
        """A comment that is a child of a compound statement: after its header, or after one of its blocks."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 1)
        elif self._own_line(node):
            self.first_comments.append(self._comment_text(node))
        else:
            self.out.append(self._comment_text(node))
        return None

    def case_comment(self, node: Node) -> Entered:
        """A comment between the cases of a match statement."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 1)
        else:
            self.first_comments.append(self._comment_text(node))
        return None

    def line_comment(self, node: Node) -> Entered:
        """A comment among statements."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 0)
        else:  # and not before the first statement of a block: such a comment is a child of the header
            if self.open and self._own_line(node):
                self.out.append(self.spell["LINE_SEP"])
            self.out.append(self._comment_text(node))
            self.open = False
        return None

    def _comment_after_block(self, node: Node, at_least: int) -> None:
        """Put a comment before those block ends of the tail whose blocks it belongs to."""
        ends = self.ends
        count = len(ends)
        column = node.start_point[1]
        inside = next((i for i in range(count) if ends[i].column <= column), count)
        inside = min(inside, count - at_least)
        tail = len(self.out) - (count - inside)
        moved = self.out[tail:]
        del self.out[tail:]
        if moved:
            end = ends[inside]
            if end.only_pass:
                self._restore_pass(end)
            if end.was_open:
                self.out.append(self.spell["LINE_SEP"])
                end.was_open = False
        self.out.append(self._comment_text(node))
        self.out.extend(moved)
        self.ends = ends[inside:]
        self.ends_length = len(self.out) if moved else NOWHERE
        self.open = False

    def _restore_pass(self, end: End) -> None:
        """A block of one implied pass gets a comment: the pass must be written."""
        end.only_pass = False
        self.out[-1] = self.spell["PASS"]
        self.start_kind, self.start_at = end.start, len(self.out) - 2
        self._open_block("keyword")

    def comment(self, node: Node) -> Entered:
        """A comment inside brackets: where it stands if the grammar has a place for it there, else after the node it is in."""
        iterator, children, row, _ = self.frames[-1]
        index = len(children) - iterator.__length_hint__() - 1
        before = children[index - 1] if index else None
        if before is not None and before.kind_id == COMMENT:
            before = self.before_comments  # the last comment has seen what stands before them all
        self.before_comments = before
        self.held.append(self._inner(node))
        inside = self._lambda()
        if inside is not None:
            self._write_after(inside)
        elif before is None or not self._has_place(before, row):
            self._write_after()
        elif before.is_named or (before.kind_id == COMMA and row[COMMA] == self.spell["COMMA"]):
            self.write_after_node()
        else:
            self.write_held()
        return None

    def two_words(self, node: Node) -> Entered:
        """An operator of two words, which a comment may part."""
        self.out.append(self.spell["NOT_IN" if KINDS[node.kind_id] == "not in" else "IS_NOT"])
        self.held += [self._inner(child) for child in node.children if child.kind_id == COMMENT]
        self.write_held()
        return None

    def write_held(self) -> None:
        """Write the comments that have waited for a place."""
        for comment in self.held:
            follows = str(self.out[-1]).startswith(INNER)  # so it stands on a line of its own, whatever it did before
            self.out.append(f"{INNER}\n{comment[len(INNER) :].lstrip(chr(10))}" if follows else comment)
        self.held.clear()

    def write_after_node(self) -> None:
        """Write the held comments after a node, but before the comma of a tuple of one element: nothing may follow that."""
        comma = self.out[-1] == self.spell["COMMA"] and self.out.pop()
        self.write_held()
        if comma:
            self.out.append(comma)

    def _write_after(self, at: int = -1) -> None:
        """Write the held comments when a node that is being walked is done: there is a place for them then."""
        splats = (self.rows["list_splat_pattern"], self.rows["dictionary_splat_pattern"])
        names = (self.rows["dotted_name"], *splats)
        _, around, row, _ = self.frames[at - 1]
        if self.frames[at][2] in names and (row is self.rows["typed_parameter"] or self._names_class(row, around)):
            at -= 1
        self.frames[at][3] = self.write_after_node

    def _names_class(self, row: ContextRow, children: list[Node]) -> bool:
        """Whether a node with this row is a class pattern: its name is followed by its bracket, with nothing between."""
        return row is self.rows["case_sequence"] and KINDS[children[0].kind_id] == "dotted_name"

    def _lambda(self) -> int | None:
        """The frame of the lambda whose parameters are being walked, if no bracket is open in them."""
        frames, seen, base = self.frames, self.seen_frames, self.seen_from
        at = len(frames) - 1
        in_bracket = False
        while at > 0:
            if base <= at < base + len(seen) and seen[at - base] is frames[at]:
                seen[at - base + 1 :] = frames[at + 1 :]
                return self.seen_lambda
            _, children, row, _ = frames[at]
            if row in (self.rows["lambda_parameters"], self.rows["one lambda_parameters"]):
                break
            if not isinstance(children, list) or any(KINDS[child.kind_id] in "([{" for child in children[:2]):
                in_bracket = True
                break
            at -= 1
        found = None if in_bracket or not at else at - 1
        self.seen_frames, self.seen_from, self.seen_lambda = frames[at:], at, found
        return found

    def _has_place(self, before: Node, row: ContextRow) -> bool:
        """Whether the grammar has a place for comments after a child of a node with this row."""
        kind = KINDS[before.kind_id]
        if any(row is self.rows[name] for name in _NO_PLACES):
            return False
        if row is self.rows["keyword_pattern"] and not before.is_named:
            return kind == "="  # and not the sign of a number
        if not before.is_named:
            return kind in _PLACES or any(row is self.rows[name] for name in _OPERATOR_ROWS)
        if kind == "dotted_name" and self._names_class(row, self.frames[-1][1]):
            return False
        return kind not in _NAMES or not any(row is self.rows[name] for name in _NAMING_ROWS)
