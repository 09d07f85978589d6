"""Statements and blocks: where a separator stands, how a block opens and closes, what a clause follows."""

from __future__ import annotations

from tree_sitter import Node

from transpiler.repair import MisreadError, misread_alias, misread_match
from transpiler.rows import COMMA, COMMENT, KINDS, Entered, LimitReachedError
from transpiler.walker import NOWHERE, UNLIMITED, End, Walker, drain


class Statements(Walker):
    """The hooks for statements."""

    def python2(self, node: Node) -> Entered:
        """A statement of Python 2; ``print >> f`` alone is an expression of Python 3, too."""
        children = self.without_continuations(node.children)
        if KINDS[node.kind_id] == "print_statement" and KINDS[children[1].kind_id] == "chevron":
            return self.expression_statement(node)
        raise self._not_python(node)

    # -------------------------------------------------------------------------------------------------- statements

    def _begin(self, what: str = "") -> None:
        """Stand where a statement begins: open the block it is first in, or separate it from the one before."""
        if self.start_at == len(self.out) - 1:
            self._open_block("comment" if self.first_comments else what)
            for comment in self.first_comments:
                self.out.append(comment)
            self.first_comments = []
        elif self.open and what != "keyword":
            self.out.append(self.spell["LINE_SEP"])
        self.open = False

    def _open_block(self, first: str = "") -> None:
        kind = self.start_kind
        if kind == "header":
            name = "KEYWORD_BLOCK_START" if first == "keyword" else "BLOCK_START"
        elif kind == "bare":
            name = "EXPLICIT_BLOCK_START" if first == "comment" else "BARE_BLOCK_START"
        elif kind == "except":
            name = "EXPLICIT_BLOCK_START"
        else:
            name = "BLOCK_START" if first == "comment" else "MATCH_BLOCK_START"
        self.out[self.start_at] = self.spell[name]
        self.start_at = NOWHERE

    def simple_statement(self, node: Node) -> Entered:
        """A statement that starts with a keyword."""
        alone = self.start_at == len(self.out) - 1 and not self.first_comments
        self._begin("keyword")
        if alone and KINDS[node.kind_id] == "pass_statement":
            self.pass_at = len(self.out)
        self.open = True
        kind = KINDS[node.kind_id]
        if kind in ("import_from_statement", "future_import_statement"):
            return self._imports(node, kind)
        if kind == "type_alias_statement":
            return self._type_alias(node)
        return node.children, self.rows[kind], None

    def _imports(self, node: Node, kind: str) -> Entered:
        children = self.without_continuations(node.children)
        commented = "#" in self.text(node)
        last = len(children) - 1
        while KINDS[children[last].kind_id] in (")", "comment"):
            last -= 1
        if children[last].kind_id == COMMA:
            children = children[:last] + children[last + 1 :]
        if not commented:
            children = [child for child in children if KINDS[child.kind_id] not in ("(", ")")]
        return children, self.rows[kind], None

    def _type_alias(self, node: Node) -> Entered:
        if misread_alias(node):
            raise MisreadError
        self.out.append(self.spell["TYPE_ALIAS"])
        keyword, left, *rest = self.without_continuations(node.children)
        self.walk(left.children, self.rows["type_alias_left"])
        return rest, self.rows["type_alias_statement"], None

    def type_alias_part(self, node: Node) -> Entered:
        """A type of a type alias: the keyword is written already, the right side is an ordinary type."""
        return (node.children, self.rows["type"], None) if node.is_named else None

    def expression_statement(self, node: Node) -> Entered:
        """A statement that starts with an expression."""
        if self.source.startswith("match", node.start_byte) and misread_match(node) is not None:
            raise MisreadError
        self._begin()
        self.open = True
        children = self.without_continuations(node.children)
        kind = KINDS[node.kind_id]
        if children[-1].kind_id == COMMA:
            if len(children) == (3 if kind == "print_statement" else 2):  # the word print is a node of its own
                return children, self.rows[f"one {kind}"], None
            children = children[:-1]
        return children, self.rows[kind], None

    def semicolon(self, node: Node) -> Entered:
        """A semicolon, which says nothing unless ``transpiler.repair`` has put it in the place of a comma."""
        if node.start_byte in self.replaced:
            self.out.append(self.spell[self.replaced[node.start_byte]])
        return None

    def delete_list(self, node: Node) -> Entered:
        """The targets of ``del``: a trailing comma makes no tuple."""
        children = self.without_continuations(node.children)
        if children[-1].kind_id == COMMA:
            children = children[:-1]
        return children, self.rows["expression_list"], None

    def compound_statement(self, node: Node) -> Entered:
        """A statement with blocks."""
        self._begin("keyword")
        kind = KINDS[node.kind_id]
        return self._match(node) if kind == "match_statement" else (node.children, self.rows[kind], None)

    def _match(self, node: Node) -> Entered:
        children = self.without_continuations(node.children)
        colon = next(i for i, child in enumerate(children) if KINDS[child.kind_id] == ":")
        if children[colon - 1].kind_id == COMMA:
            if colon == 3:
                return children, self.rows["one match_statement"], None
            children = children[: colon - 1] + children[colon:]
        return children, self.rows["match_statement"], None

    def decorated_definition(self, node: Node) -> Entered:
        """Decorators and a definition."""
        self._begin()
        return node.children, self.rows["decorated_definition"], None

    # ------------------------------------------------------------------------------------------------------ blocks

    def block(self, node: Node) -> Entered:
        """The block of a header."""
        return self._block(node, "header")

    def bare_block(self, node: Node) -> Entered:
        """The block of else, try or finally."""
        return self._block(node, "bare")

    def except_block(self, node: Node) -> Entered:
        """The block of a bare except."""
        return self._block(node, "except")

    def match_block(self, node: Node) -> Entered:
        """The cases of a match statement."""
        return self._block(node, "match", "match_block", "MATCH_BLOCK_END")

    def _block(self, node: Node, kind: str, row: str = "block", end: str = "BLOCK_END") -> Entered:
        if node.start_byte >= self.limit:
            self._check_colon(node)
        children = self.without_continuations(node.children)
        if not children:
            raise self._not_python(node)
        column = next((child.start_point[1] for child in children if child.kind_id != COMMENT), 0)
        self.start_at = len(self.out)
        self.start_kind = kind
        self.pass_at = NOWHERE
        self.open = False
        self.out.append("")

        def close() -> None:
            only_pass = self._close_only_pass(kind)
            self._append_end(End(column, self.open, only_pass, kind), end)
            self.open = False

        return drain(children), self.rows[row], close

    def _check_colon(self, node: Node) -> None:
        """Stop unless the colon before a block comes before the limit."""
        before = node.prev_sibling
        while before is not None and before.kind_id == COMMENT:
            before = before.prev_sibling
        if before is None or before.start_byte >= self.limit:
            raise LimitReachedError

    def _close_only_pass(self, kind: str) -> bool:
        at = self.pass_at
        self.pass_at = NOWHERE
        if at != len(self.out) - 1 or "ONLY_PASS" not in self.spell or self.limit != UNLIMITED:
            return False
        self.out[at] = self.spell["ONLY_PASS"]
        self.start_kind, self.start_at = kind, at - 1
        self._open_block()
        return True

    def _append_end(self, end: End, name: str) -> None:
        if self.ends_length != len(self.out):
            self.ends = []
        self.ends.append(end)
        self.out.append(self.spell[name])
        self.ends_length = len(self.out)

    def _finish_ends(self) -> None:
        if self.ends_length == len(self.out) and "FINAL_BLOCK_END" in self.spell:
            del self.out[len(self.out) - len(self.ends) :]
            self.out.extend(self.spell["FINAL_BLOCK_END"] for _ in self.ends)

    def clause(self, node: Node) -> Entered:
        """A clause after a block of the same statement."""
        self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        return node.children, self.rows[KINDS[node.kind_id]], None

    def except_clause(self, node: Node) -> Entered:
        """``except``, which may be bare or ``except*``."""
        self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        second = KINDS[self.without_continuations(node.children)[1].kind_id]
        row = "bare_except_clause" if second == ":" else "except_group_clause" if second == "*" else "except_clause"
        return node.children, self.rows[row], None

    def case_clause(self, node: Node) -> Entered:
        """One case of a match statement."""
        if self.start_at == len(self.out) - 1:
            self._begin()
        elif self.ends_length == len(self.out):
            self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        children = self.without_continuations(node.children)
        end = next(i for i, child in enumerate(children) if KINDS[child.kind_id] in (":", "if_clause"))
        if children[end - 1].kind_id == COMMA:
            if end == 3:
                return children, self.rows["one case_clause"], None
            children = children[: end - 1] + children[end:]
        return children, self.rows["case_clause"], None
