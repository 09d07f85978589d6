"""Brackets, strings and other expressions: which commas are redundant, and what an f-string is made of."""

from __future__ import annotations

import re

from tree_sitter import Node

from transpiler.repair import MisreadError, commas_of_lines
from transpiler.rows import COMMA, COMMENT, KINDS, Entered, LimitReachedError
from transpiler.walker import Walker


class Expressions(Walker):
    """The hooks for expressions."""

    # ------------------------------------------------------------------------------------------------------ commas

    def sequence(self, node: Node) -> Entered:
        """A node whose trailing comma is redundant, or makes a tuple of one element."""
        children = node.children
        kind = KINDS[node.kind_id]
        if kind == "pattern_list" and node.start_point[0] != node.end_point[0]:
            self._check_lines(node)
        return self._sequence(children, kind, kind in ("tuple", "subscript", "expression_list", "pattern_list", "tuple_pattern"))

    def _check_lines(self, node: Node) -> None:
        """Stop where tree-sitter reads on after a comma that ends a line, as in ``a,`` before ``*b, c = d``."""
        if node.parent is None or KINDS[node.parent.kind_id] not in ("assignment", "augmented_assignment"):
            return  # the targets of a comprehension may stand on several lines
        if commas_of_lines(node):
            raise MisreadError

    def _sequence(self, children: list[Node], row: str, tuples: bool = False) -> Entered:
        children = self.without_continuations(children)
        last = len(children) - 1
        if last > 0:
            if KINDS[children[last].kind_id] in _BRACKETS:
                last -= 1
            while children[last].kind_id == COMMENT:
                last -= 1
            if children[last].kind_id == COMMA:
                if tuples and sum(1 for child in children if child.kind_id == COMMA) == 1:
                    return children, self.rows[f"one {row}"], None
                children = children[:last] + children[last + 1 :]
        return children, self.rows[row], None

    def case_sequence(self, node: Node) -> Entered:
        """A bracketed pattern."""
        return self._sequence(node.children, "case_sequence", KINDS[node.kind_id] == "tuple_pattern")

    def type_index(self, node: Node) -> Entered:
        """The brackets of a generic type: an index like any other."""
        return self._sequence(node.children, "type_index", True)

    def type_parameters(self, node: Node) -> Entered:
        """The type parameters of a definition."""
        return self._sequence(node.children, "type_parameters")

    def parameters(self, node: Node) -> Entered:
        """The parameters of a function."""
        children = self.without_continuations(node.children)
        if len(children) == 2:
            self.out.append(self.spell["EMPTY_PARAMETERS"])
            return None
        return self._sequence(children, "parameters")

    def with_clause(self, node: Node) -> Entered:
        """The items of a with statement; their parentheses matter only where a comment stands in them."""
        children = node.children
        if len(children) == 1 and _holds_as_pattern(children[0]):
            # with (a as b): the parser takes the parentheses of the clause for those of an expression.
            children = children[0].children[0].children
        commented = KINDS[children[0].kind_id] == "(" and "#" in self.text(node)
        if commented:
            self.out.append(self.spell["WITH_PARENTHESES"])
        return self._sequence(children, "commented_with_clause" if commented else "with_clause")

    # ------------------------------------------------------------------------------------------------- expressions

    def attribute(self, node: Node) -> Entered:
        """An attribute; a decimal integer keeps a blank before the dot."""
        children = node.children
        if KINDS[children[0].kind_id] == "integer" and self.text(children[0]).replace("_", "").isdecimal():
            return children, self.rows["integer_attribute"], None
        return children, self.rows["attribute"], None

    def complex_pattern(self, node: Node) -> Entered:
        """A sum of two numbers in a pattern: the sign before the first is no operator."""
        children = node.children
        if KINDS[children[0].kind_id] == "-":
            self.out.append(self.spell["NEGATE"])
            children = children[1:]
        return children, self.rows["sum_of_numbers"], None

    def string(self, node: Node) -> Entered:
        """A string: one piece of data, or the parts of an f-string."""
        start = node.start_byte
        if self.source[start] == "`":  # of Python 2
            raise self._not_python(node)
        if _FORMATTED.match(self.source, start):
            self._fstring(node)
        else:
            self._data(start, node.end_byte)
        return None

    def _fstring(self, node: Node) -> None:
        children = node.children
        template = "t" in self.text(children[0]).lower()
        self._data(children[0].start_byte, children[0].end_byte)
        at = children[0].end_byte
        for child in children[1:-1]:
            if KINDS[child.kind_id] == "interpolation":
                if child.start_byte > at:
                    self._data(at, child.start_byte)
                self._field(child, template)
                at = child.end_byte
        end = children[-1]
        if end.start_byte > at:
            self._data(at, end.start_byte)
        self._data(end.start_byte, end.end_byte)

    def _field(self, node: Node, template: bool) -> None:
        if node.start_byte >= self.limit:
            raise LimitReachedError
        out = self.out
        children = node.children
        kinds = [KINDS[child.kind_id] for child in children]
        tail = next(i for i, kind in enumerate(kinds) if kind in ("type_conversion", "format_specifier") or i == len(kinds) - 1)
        if "=" in kinds or template:
            text = self.source[children[0].end_byte : children[tail].start_byte]
            if children[tail].start_byte > self.limit:
                raise LimitReachedError
            out.append("{")
            out.append(f"<debug>{text.replace('<debug', '<debug' + chr(92))}<debug>")
            self.walk(children[tail:], self.rows["interpolation"])
            return
        out.append("{")
        at = len(out)
        self.walk(children[1:tail], self.rows["interpolation"])
        if out[at][:1] == "{":
            out[at - 1] = "{ "
        self.walk(children[tail:], self.rows["interpolation"])

    def format_specifier(self, node: Node) -> Entered:
        """The part of a field after its colon: text, with fields in it."""
        self.out.append(self.spell["FORMAT_COLON"])
        at = node.start_byte + 1
        for child in node.children[1:]:
            if KINDS[child.kind_id] == "format_expression":
                if child.start_byte > at:
                    self._data(at, child.start_byte)
                self._field(child, False)
                at = child.end_byte
        brace = node.next_sibling  # a line break before it belongs to the text, and not to the node
        end = node.end_byte if brace is None else brace.start_byte
        if end > at:
            self._data(at, end)
        return None

    def concatenated_string(self, node: Node) -> Entered:
        """Adjacent strings."""
        first = True
        held: list[Node] = []
        for child in node.children:
            if child.kind_id == COMMENT:
                held.append(child)
            elif KINDS[child.kind_id] == "string":
                if not first:
                    self.out.append(self.spell["CONCAT"])
                for comment in held:
                    self.out.append(self._inner(comment))
                held = []
                first = False
                self.string(child)
        return None

    def import_prefix(self, node: Node) -> Entered:
        """The dots of a relative import, which blanks may part."""
        self.out.append("." * self.text(node).count("."))
        return None


def _holds_as_pattern(item: Node) -> bool:
    inside = item.children[0]
    return KINDS[inside.kind_id] in ("parenthesized_expression", "tuple") and any(
        KINDS[child.kind_id] == "as_pattern" for child in inside.children
    )


_BRACKETS = frozenset(")]}")
_FORMATTED = re.compile("[rR]?[fFtT]")  # how a string with fields begins
