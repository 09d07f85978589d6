"""Pieces that stand in the fields of strings.

A string with fields is one token, so a piece in it is not found among the tokens of the file. It is replaced by replacing the
string, after a comparison of trees: the new string is the old one with one expression in the place of another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from simpy_grammar.candidates import Candidate
from simpy_grammar.errors import EditError
from transpiler.edits.finding import Place, candidate_at, stands_in
from transpiler.edits.pieces import read_pieces
from transpiler.edits.string_parts import string_parts
from transpiler.edits.tokens import COMMENTS, FIELDS, INNER_COMMENT, LAYOUT, STRING, Tokens
from transpiler.proof import parse_tree, same_tree


class Field(NamedTuple):
    """A piece in a field of a string.

    Attributes:
        token: the string.
        start, end: offsets of the piece in the file.
        where: what the place is called.
    """

    token: int
    start: int
    end: int
    where: Candidate


def find_in_fields(tokens: Tokens, old: str, *, within: str | None = None) -> list[Field]:
    """The places in fields of strings where an expression stands, in order. A piece with blanks around it is a line, not an expression.

    Args:
        tokens: the file.
        old: the expression.
        within: only in this definition.

    >>> tokens = Tokens("x = a\\ny = f'{a + 1} a'\\n")
    >>> [(field.start, field.where.text) for field in find_in_fields(tokens, "a")]
    [(13, 'line 2')]
    """
    if old != old.strip() or not tokens.has_fields:
        return []
    found: dict[int, Field] = {}
    for piece in read_pieces(old):
        inside = range(piece.start, piece.end)
        if LAYOUT.isdisjoint(piece.tokens.keys[piece.start : piece.end]):
            texts = [
                piece.tokens.text[piece.tokens.starts[i] : piece.tokens.ends[i]] for i in inside if piece.tokens.keys[i] not in COMMENTS
            ]
            found |= {field.start: field for field in _fields(tokens, texts)} if texts else {}
    return sorted(field for field in found.values() if within is None or stands_in(tokens, field.token, within))


def _fields(tokens: Tokens, texts: list[str]) -> Iterator[Field]:
    for token, word in enumerate(tokens.words):
        if FIELDS not in word or not all(text in word for text in texts):
            continue
        parts = _parts(tokens, token)
        said = [text for text, _, _ in parts]
        for k in range(len(parts) - len(texts) + 1):
            if said[k : k + len(texts)] == texts:
                yield Field(token, parts[k][1], parts[k + len(texts) - 1][2], candidate_at(tokens, token))


@lru_cache(maxsize=256)
def _parts(tokens: Tokens, token: int) -> Sequence[tuple[str, int, int]]:
    """The texts of the parts of a string with fields, with their offsets; parts that are not code are empty."""
    start = tokens.starts[token]
    parts = string_parts(tokens.text[start : tokens.ends[token]])
    return [(text if is_code else "", start + first, start + end) for text, first, end, is_code in parts]


def replaced_in_fields(tokens: Tokens, fields: Sequence[Field], old: str, new: str) -> tuple[Place, str, str]:
    """The place of a string, and its text before and after an expression in some of its fields is replaced.

    Args:
        tokens: the file.
        fields: the places in one string.
        old, new: the expressions.

    Raises:
        EditError: the string would not be what is asked for.

    >>> tokens = Tokens("y = f'{a + 1} a'\\n")
    >>> replaced_in_fields(tokens, find_in_fields(tokens, "a"), "a", "b")[1:]
    ("f'{a + 1} a'", "f'{b + 1} a'")
    """
    start = end = fields[0].token
    while start and tokens.keys[start - 1] in (STRING, INNER_COMMENT):  # strings in a row are one operand
        start -= 1
    while tokens.keys[end + 1 : end + 2] and tokens.keys[end + 1] in (STRING, INNER_COMMENT):
        end += 1
    at, stop = tokens.starts[start], tokens.ends[end]
    before = tokens.text[at:stop]
    for form in ("{}", " {}", "({})"):
        after, last = "", at
        for field in fields:
            after += tokens.text[last : field.start] + form.format(new.strip())
            last = field.end
        after += tokens.text[last:stop]
        if _is_asked(before, after, old, new, len(fields)):
            return Place(start, end + 1, read_pieces(before)[0], fields[0].where, ()), before, after
    raise EditError("the new piece cannot stand in the field of a string as it is meant", hint="quote and give the whole string")


def _is_asked(before: str, after: str, old: str, new: str, count: int) -> bool:
    """Whether a string is made from another by putting a new expression in the place of the old one, ``count`` times."""
    trees = []
    for text in (before, after, old, new):
        try:
            trees.append(parse_tree(f"({text}\n)"))
        except SyntaxError:
            return False
    if not all(isinstance(tree, ast.Module) and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) for tree in trees):
        return False
    string, wanted, one, other = (tree.body[0].value for tree in trees)  # type: ignore[union-attr]
    exchange = _Exchange(one, other)
    exchange.visit(string)
    return exchange.count == count and same_tree(ast.Expression(string), ast.Expression(wanted))


class _Exchange(ast.NodeTransformer):
    """Puts an expression in the place of each one that equals the old one."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self._old = ast.dump(old)
        self._new = new
        self.count = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A node with the expressions in it exchanged."""
        if isinstance(node, ast.expr) and ast.dump(node) == self._old:
            self.count += 1
            return self._new
        return super().generic_visit(node)
