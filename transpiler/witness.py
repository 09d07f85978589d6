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
        children = node.children if node.type != "string_content" else []  # escapes, which are not all of its text
        for kind in _kinds(node):
            yield kind, b"" if children else (node.text or b"")
            if node.type == "format_specifier":
                yield "", _text_between(node)
            if children:
                todo.append(None)
        todo.extend(reversed(children))


def _kinds(node: Node) -> tuple[str, ...]:
    """What a node says: nothing if it is layout; a tuple however it is written."""
    if node.type in _LAYOUT:
        return ()
    if node.type == "expression_statement":  # in `a, b` it has the elements itself, in `(a, b)` it has a tuple
        return ("expression_statement", "tuple") if any(child.type == "," for child in node.children) else ("expression_statement",)
    if node.type == "tuple_pattern" and _only_groups(node):
        return ()
    return (_TUPLES.get(node.type, node.type),)


_TUPLES = {"expression_list": "tuple", "pattern_list": "tuple_pattern"}


def _only_groups(node: Node) -> bool:
    """Whether it is one target in parentheses, as in `(a) = 1`, which tree-sitter-python takes for a tuple."""
    return sum(child.type not in _LAYOUT or child.type == "parenthesized_expression" for child in node.children) == 1 and all(
        child.type != "," for child in node.children
    )


def _text_between(node: Node) -> bytes:
    """The text of a node without its children."""
    text, parts, end = node.text or b"", [], 0
    for child in node.children:
        parts.append(text[end : child.start_byte - node.start_byte])
        end = child.end_byte - node.start_byte
    return b"{}".join([*parts, text[end:]])
