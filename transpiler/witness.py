"""A second opinion on whether two texts are one program, by tree-sitter-python: for syntax that this interpreter cannot read.

Its trees keep the punctuation, so what a layout may change is left out of the comparison: comments, line breaks, commas,
semicolons and parentheses that only group.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_LAYOUT = frozenset(("comment", "line_continuation", ",", ";", "(", ")", "parenthesized_expression"))


def same_program(one: str, other: str) -> bool | None:
    """Whether two texts are the same program; ``None`` if tree-sitter-python cannot read one of them, or is not installed.

    >>> same_program("f(a,)", "f( a )"), same_program("f(a)", "f(b)"), same_program("f(", "f(")
    (True, False, None)
    """
    try:
        import tree_sitter_python
        from tree_sitter import Language, Parser
    except ImportError:  # where native modules cannot be had, such as in a browser
        return None
    language = Language(tree_sitter_python.language())
    trees = [Parser(language).parse(text.encode("utf-8", "surrogatepass")) for text in (one, other)]
    if any(tree.root_node.has_error for tree in trees):
        return None
    one_by_one = zip_longest(*(_events(tree.root_node) for tree in trees))
    return all(a == b for a, b in one_by_one)


def _events(root: Node) -> Iterator[tuple[str, bytes]]:
    """The nodes that say something, in order: kind, and the text of a leaf; an empty kind where one ends."""
    todo: list[Node | None] = [root]
    while todo:
        node = todo.pop()
        if node is None:
            yield "", b""
            continue
        said = node.type not in _LAYOUT
        if said:
            yield node.type, b"" if node.children else (node.text or b"")
            if node.children:
                todo.append(None)
        todo.extend(reversed(node.children))
