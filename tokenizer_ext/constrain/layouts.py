"""What the indent of a line says: which blocks open or end before its first token."""

from __future__ import annotations

from collections.abc import Container

from simpy_grammar.tables import Key

Indent = tuple[int, int]
"""The column of a line, counted twice: with tabs to the next multiple of eight, and with tabs as one column. Both must agree."""
Indents = tuple[Indent, ...]
"""The indents of the open blocks, the module's first."""
NEWLINE, INDENT, DEDENT = "NEWLINE", "INDENT", "DEDENT"
"""The keys of the tokens that lines and indents make."""
TAB = 8
"""A tab leads to the next multiple of so many columns."""
LAYOUT, BEGUN = "LAYOUT", "BEGUN"
"""Keys that stand for the tokens that an indent turns out to make, and for an indent that may still grow."""


def blanks(start: Indent, end: Indent) -> str | None:
    """Blanks and tabs that lead from one indent of a line to another, only blanks unless it starts at 0; ``None`` if there are none.

    >>> blanks((0, 0), (4, 4)), blanks((0, 0), (10, 4)), blanks((8, 1), (10, 3)), blanks((8, 1), (4, 4))
    ('    ', ' \\t  ', '  ', None)
    """
    count = end[0] - start[0]
    if count >= 0 and end[1] - start[1] == count:
        return " " * count
    if start == (0, 0):
        for before in range(end[1]):
            for tabs in range(1, end[1] - before + 1):
                after = end[1] - before - tabs
                if (before // TAB + tabs) * TAB + after == end[0]:
                    return " " * before + "\t" * tabs + " " * after
    return None


def resolve_indent(indents: Indents, row: Container[Key], indent: Indent) -> tuple[Key | None, int, Indents] | None:
    """The token that an indent makes (or ``None``), how many times, and the indents after it; ``None`` if the indent is not allowed.

    Args:
        indents: those of the open blocks.
        row: the tokens that the parser may take.
        indent: that of the new line.

    >>> resolve_indent(((0, 0),), {"INDENT"}, (4, 4)), resolve_indent(((0, 0), (4, 4), (8, 8)), {"DEDENT"}, (0, 0))
    (('INDENT', 1, ((0, 0), (4, 4))), ('DEDENT', 2, ((0, 0),)))
    >>> resolve_indent(((0, 0), (4, 4)), {"DEDENT"}, (4, 4)), resolve_indent(((0, 0), (4, 4)), {"DEDENT"}, (2, 2))
    ((None, 0, ((0, 0), (4, 4))), None)
    """
    if INDENT in row:
        column, narrow = indents[-1]
        return (INDENT, 1, (*indents, indent)) if indent[0] > column and indent[1] > narrow else None
    if indent == indents[-1]:
        return None, 0, indents
    left = len(indents)
    while indents[left - 1][0] > indent[0]:
        left -= 1
    count = len(indents) - left
    return (DEDENT, count, indents[:left]) if count and indents[left - 1] == indent else None
