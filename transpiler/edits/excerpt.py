"""The statements of a long file in which a piece can stand: the others need not be read as tokens, which takes most of an edit's time.

A place has all the names of the piece. So one of them is looked for in the text, the rarest; CPython, which is fast, says where
statements begin and end; and of those that do not have the name only as many are read as the piece has lines, on both sides.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from simpy_grammar.errors import PlaceError
from transpiler.edits.pieces import read_pieces
from transpiler.proof import parse_tree

_SHORT = 12_000  # characters of a file that is read as a whole
_FEW_PLACES = 40  # of the rarest name, which a file may have ...
_CHARACTERS_PER_PLACE = 1000  # ... or more of them, if it is that much longer
_MOST_NAMES = 6  # that are counted
_MOST_READ = 0.6  # share of the lines
_LONG = 30  # lines of a definition whose own statements are looked at
_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_NAME = "NAME "


def excerpt(text: str, piece: str) -> str | None:
    """A text with empty lines in the place of statements in which a piece cannot stand; ``None`` if all of it has to be read."""
    if len(text) < _SHORT:
        return None
    places = min((_places(text, name) for name in _names(piece)), key=len, default=[])
    if not places or len(places) > max(_FEW_PLACES, len(text) // _CHARACTERS_PER_PLACE):
        return None
    lines = text.split("\n")
    ends = list(accumulate(len(line) + 1 for line in lines))
    there = [bisect_right(ends, place) + 1 for place in places]
    try:
        tree = parse_tree(text)
    except SyntaxError:
        return None
    if not isinstance(tree, ast.Module) or not tree.body:
        return None
    reach = piece.count("\n") + piece.count(";") + 1
    kept = [False] * (len(lines) + 1)
    after = (tree.body[-1].end_lineno or len(lines)) + 1
    for first, last in (*_read(tree.body, 1, there, reach), (after, len(lines))):
        kept[first : last + 1] = [True] * (last + 1 - first)
    if sum(kept) > _MOST_READ * len(lines):
        return None
    return "\n".join(line if kept[number] else "" for number, line in enumerate(lines, 1))


def _names(piece: str) -> list[str]:
    """The longest names of a piece, of those that it has in every way to read it."""
    try:
        readings = read_pieces(piece)
    except PlaceError:
        return []
    names = [
        {word.removeprefix(_NAME) for word in reading.tokens.words[reading.start : reading.end] if word.startswith(_NAME)}
        for reading in readings
    ]
    return sorted(set.intersection(*names), key=lambda name: (-len(name), name))[:_MOST_NAMES] if names else []


def _places(text: str, name: str) -> list[int]:
    """Where a name stands in a text, in strings and comments, too."""
    return [match.start() for match in re.finditer(rf"\b{re.escape(name)}\b", text)]


def _read(body: Sequence[ast.stmt], first: int, there: Sequence[int], reach: int) -> Iterator[tuple[int, int]]:
    """The lines of a block that have to be read, as first and last lines.

    Args:
        body: its statements.
        first: its first line; what stands between two statements belongs to the second one.
        there: the lines that have the name, in order.
        reach: how many statements a piece may go over, and one that stands beside it.
    """
    chunks: list[tuple[int, int, ast.stmt | None]] = []
    for node in body:
        end = node.end_lineno or node.lineno
        if chunks and _first_line(node) <= chunks[-1][1]:  # on the line of the one before
            chunks[-1] = chunks[-1][0], max(end, chunks[-1][1]), None
        else:
            chunks.append((first, end, node))
        first = chunks[-1][1] + 1
    with_name = [k for k, (start, end, _) in enumerate(chunks) if _has(there, start, end)]
    for k, (start, end, statement) in enumerate(chunks):
        at = bisect_left(with_name, k - reach)
        if at == len(with_name) or with_name[at] > k + reach:
            continue
        if isinstance(statement, _DEFINITIONS) and end - start > _LONG and _has(there, start, end):
            inner = _first_line(statement.body[0])  # what stands above it is the header, if that has lines of its own
            if inner > statement.lineno and not _has(there, start, inner - 1) and not _shares_line(statement):
                yield start, inner - 1
                yield from _read(statement.body, inner, there, reach)
                continue
        yield start, end


def _has(there: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(there, first)
    return at < len(there) and there[at] <= last


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _shares_line(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the first statement may begin on the last line of the header, which has several lines then."""
    header = [node.lineno]
    for part in ast.iter_child_nodes(node):
        if part not in node.body and part not in node.decorator_list:
            header += [getattr(inner, "end_lineno", None) or 0 for inner in ast.walk(part)]
    return max(header) >= _first_line(node.body[0])
