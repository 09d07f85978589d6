"""Which parentheses of a program do nothing: an encoder that leaves them out, for the dialect ``compact``.

What stands in them decides by how tightly it binds, where they stand by how tightly it must. Parentheses with a comment
in them stay, since a comment needs them; so do those that no table here names.
"""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node

from transpiler.contexts import ROWS, Entry, Hook
from transpiler.encoder import Encoder
from transpiler.rows import COMMENT, KINDS, Entered

_OPERATORS = ({"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"})  # of two operands, loosest first
_NAMED, _LAMBDA, _CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _OPERATOR = range(8)
_UNARY, _POWER, _AWAIT, _ATOM = range(_OPERATOR + len(_OPERATORS), _OPERATOR + len(_OPERATORS) + 4)
_LEVELS = {"or": _OR, "and": _AND, "**": _POWER, **{text: _OPERATOR + i for i, texts in enumerate(_OPERATORS) for text in texts}}

# How tightly each kind of expression binds; what is not here keeps its parentheses.
_BINDS = {
    "named_expression": _NAMED,
    "lambda": _LAMBDA,
    "conditional_expression": _CONDITIONAL,
    "not_operator": _NOT,
    "comparison_operator": _COMPARISON,
    "unary_operator": _UNARY,
    "await": _AWAIT,
    **dict.fromkeys(
        (
            "identifier integer float true false none ellipsis string concatenated_string call attribute subscript list set "
            "dictionary tuple list_comprehension set_comprehension dictionary_comprehension generator_expression"
        ).split(),
        _ATOM,
    ),
}

# How tightly an expression must bind to need no parentheses in each kind of node; operators have tables of their own.
_NEEDS = {
    **dict.fromkeys("if_statement elif_clause while_statement argument_list list set tuple".split(), _NAMED),
    **dict.fromkeys(
        (
            "return_statement assignment augmented_assignment assert_statement raise_statement yield expression_statement "
            "keyword_argument default_parameter typed_default_parameter for_statement lambda"
        ).split(),
        _LAMBDA,
    ),
    **dict.fromkeys("pair for_in_clause if_clause conditional_expression".split(), _OR),
    "not_operator": _NOT,
    "comparison_operator": _OPERATOR,
    "unary_operator": _UNARY,
}
_OPERATIONS = ("boolean_operator", "binary_operator")
_TUPLES = "return_statement assignment augmented_assignment yield for_statement expression_statement subscript".split()
_PATTERNS = ("assignment", "for_statement", "for_in_clause")

# Where a statement begins, these words mean something else to one parser or another.
_SOFT = ("match", "case", "type", "print", "exec")


def _with(table: dict[str, dict[str, Entry]], names: Iterable[str], kind: str, hook: str) -> None:
    table.update({name: {**table.get(name, {}), kind: Hook(hook)} for name in names})


class BareEncoder(Encoder):
    """An encoder that leaves out the parentheses that change nothing."""

    TABLE = {**ROWS, "bare_index": ROWS["subscript"]}
    _with(TABLE, (*_NEEDS, *_OPERATIONS), "parenthesized_expression", "parenthesized")
    _with(TABLE, ("argument_list",), "generator_expression", "only_generator")
    _with(TABLE, _TUPLES, "tuple", "bare_tuple")
    _with(TABLE, _PATTERNS, "tuple_pattern", "bare_tuple")

    fields = 0  # fields of f-strings that are open: CPython before 3.12 does not read all expressions there without parentheses

    def _field(self, node: Node, template: bool) -> None:
        self.fields += 1
        super()._field(node, template)
        self.fields -= 1

    def parenthesized(self, node: Node) -> Entered:
        """An expression in parentheses."""
        if self.fields:
            return node.children, self.rows["parenthesized_expression"], None
        needed = self._needed(node)
        place = inside = node
        while KINDS[inside.kind_id] == "parenthesized_expression" and not self._commented(inside):
            node, inside = inside, self.without_continuations(inside.children)[1]
        bare = _binds(inside) >= needed and not self._commented(node)
        if bare and KINDS[inside.kind_id] == "tuple" and self.frames[-1][2].name.removeprefix("one ") in _TUPLES:
            return self._tuple(inside, place)
        return [inside] if bare else node.children, self.rows["parenthesized_expression"], None

    def only_generator(self, node: Node) -> Entered:
        """A generator as an argument: the only one shares the parentheses of its call."""
        arguments = node.parent
        assert arguments is not None and arguments.parent is not None
        alone = len(arguments.children) == 3 and KINDS[arguments.parent.kind_id] == "call"
        return node.children[1:-1] if alone else node.children, self.rows["generator_expression"], None

    def _commented(self, node: Node) -> bool:
        """Whether a comment stands somewhere in a node."""
        todo = [node] if "#" in self.text(node) else []
        while todo:
            inside = todo.pop()
            if inside.kind_id == COMMENT:
                return True
            todo += inside.children
        return False

    def _needed(self, node: Node) -> int:
        """How tightly an expression must bind to stand in the place of ``node``."""
        _, around, row, _ = self.frames[-1]  # of the parent, which tree-sitter finds from the root only
        kind = row.name.removeprefix("one ")
        if kind in _OPERATIONS:
            first, operator = around[0] == node, _operator(around)
            if operator == "**":
                return _AWAIT if first else _UNARY
            return _LEVELS[operator] + (not first or kind == "boolean_operator")
        if kind == "expression_statement" and self.text(node).lstrip("( \t\n\\").startswith(_SOFT):
            return _ATOM + 1
        return _NEEDS[kind]

    def bare_tuple(self, node: Node) -> Entered:
        """A tuple in parentheses that has its place to itself."""
        inside = node
        while len(inside.children) == 3 and KINDS[inside.children[1].kind_id] == "tuple_pattern" and not self._commented(node):
            inside = inside.children[1]  # parentheses round a target
        return self._tuple(inside, node)

    def _tuple(self, node: Node, place: Node) -> Entered:
        """A tuple that stands in a place, perhaps in more parentheses."""
        parent = place.parent
        assert parent is not None
        kind = KINDS[parent.kind_id]
        inside = {KINDS[child.kind_id] for child in node.children}
        beside = {KINDS[child.kind_id] for child in parent.children}
        keep = self.fields or len(node.children) == 2 or inside & {"named_expression", "list_splat"} or self._commented(node)
        if kind == "subscript":
            keep = keep or "," in beside or parent.children[0] == place
        elif kind == "expression_statement":
            keep = keep or "," in beside or self.text(node).lstrip("( \t\n\\").startswith(_SOFT)
        elif kind == "yield":
            keep = keep or "from" in beside
        elif kind == "assignment":  # `(x): int` declares nothing
            keep = keep or ("type" in beside and parent.children[0] == place)
        if keep:
            return self.sequence(node)
        row = "bare_index" if kind == "subscript" else "pattern_list" if KINDS[node.kind_id] == "tuple_pattern" else "expression_list"
        return self._sequence(node.children[1:-1], row, True)


def _operator(children: list[Node]) -> str:
    return next(kind for child in children if (kind := KINDS[child.kind_id]) in _LEVELS)


def _binds(node: Node) -> int:
    kind = KINDS[node.kind_id]
    return _LEVELS[_operator(node.children)] if kind in _OPERATIONS else _BINDS.get(kind, -1)
