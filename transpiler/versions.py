"""Which Python a source needs at least, where this interpreter cannot read it: told from the syntax it uses."""

from __future__ import annotations

import sys

from tree_sitter import Node

from transpiler.rows import parse

# Kind of node, kind of a child (or None) -> the first Python that reads it.
_NEEDS: dict[tuple[str, str | None], tuple[int, int]] = {
    ("except_clause", "*"): (3, 11),
    ("subscript", "list_splat"): (3, 11),
    ("type_alias_statement", None): (3, 12),
    ("function_definition", "type_parameter"): (3, 12),
    ("class_definition", "type_parameter"): (3, 12),
    ("except_clause", ","): (3, 14),
}


def newer_syntax(text: str, running: tuple[int, int] = sys.version_info[:2]) -> tuple[int, int] | None:
    """The lowest version that has all the syntax in ``text``, if that is newer than the running one.

    >>> newer_syntax("type X = int", running=(3, 10))
    (3, 12)
    """
    needed = (3, 0)
    data = text.encode("utf-8", "surrogatepass")
    todo: list[Node] = [parse(data).root_node]
    while todo:
        node = todo.pop()
        kinds = {child.type for child in node.children}
        for (kind, below), version in _NEEDS.items():
            if node.type == kind and (below is None or below in kinds):
                needed = max(needed, version)
        if node.type == "string":
            needed = max(needed, _string_needs(node, data))
        elif node.type == "ERROR":
            needed = max(needed, (3, 13))  # defaults of type parameters are what tree-sitter cannot read
        todo.extend(node.children)
    return needed if needed > running else None


def _string_needs(node: Node, data: bytes) -> tuple[int, int]:
    start = node.children[0]
    opening = data[start.start_byte : start.end_byte].lower()
    if b"t" in opening:
        return (3, 14)
    quote = opening.lstrip(b"frbu")
    for child in node.children:
        if child.type == "interpolation":
            inside = data[child.start_byte : child.end_byte]
            if quote in inside or b"\\" in inside or b"#" in inside or (b"\n" in inside and len(quote) == 1):
                return (3, 12)
    return (3, 0)
