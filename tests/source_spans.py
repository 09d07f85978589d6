"""Where the nodes and the tokens of a Python file stand, in characters: what random edits cut their pieces by."""

from __future__ import annotations

import ast
import io
import tokenize
from bisect import bisect_left
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

LAYOUT_TOKENS = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER}
_FSTRINGS = ("JoinedStr", "TemplateStr")
_GROUPING = frozenset("(),;")


NodePath = tuple[tuple[str, int], ...]
"""The way to a node: fields, each with an index into its list, or -1."""


class Token(NamedTuple):
    """A token, with offsets into the text."""

    type: int
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a program; a string with fields is one token."""
    starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))] if "\f" not in text else None
    starts = starts or [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    found: list[Token] = []
    depth, begin = 0, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, end = (starts[min(row - 1, len(starts) - 1)] + column for row, column in (token.start, token.end))
        kind = tokenize.tok_name[token.type]
        if kind.endswith("STRING_START"):
            begin = begin if depth else start
            depth += 1
        elif kind.endswith("STRING_END"):
            depth -= 1
            if not depth:
                found.append(Token(tokenize.STRING, text[begin:end], begin, end))
        elif not depth:
            found.append(Token(token.type, token.string, start, end))
    return found


def program_tokens(tokens: list[Token]) -> list[str]:
    """What a program says, token by token: without layout, comments, commas, semicolons and parentheses."""
    return [token.text for token in tokens if token.type not in LAYOUT_TOKENS and token.text not in _GROUPING]


def lines_in_strings(text: str, tokens: list[Token]) -> set[int]:
    """Indexes of the lines that begin inside of a string."""
    inside: set[int] = set()
    for token in tokens:
        if token.type == tokenize.STRING and "\n" in token.text:
            first = text.count("\n", 0, token.start)
            inside.update(range(first + 1, first + 1 + token.text.count("\n")))
    return inside


def node_at(tree: ast.AST, path: NodePath) -> ast.AST:
    """The node at the end of a way."""
    for field, at in path:
        tree = getattr(tree, field) if at < 0 else getattr(tree, field)[at]
    return tree


class SourceSpans:
    """A program with its tree and its tokens.

    Attributes:
        text: the program, with ``\\n`` line breaks.
        tree: its tree.
        nodes: all nodes, in the order of ``ast.walk``.
        tokens: all tokens.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.tokens = tokens_of(text)
        self._line_starts = [0, *accumulate(len(line) for line in text.encode().splitlines(keepends=True))]
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]

    @cached_property
    def _parents(self) -> dict[ast.AST, tuple[ast.AST, str, int]]:
        found: dict[ast.AST, tuple[ast.AST, str, int]] = {}
        for node in self.nodes:
            for field, value in ast.iter_fields(node):
                for at, child in enumerate(value) if isinstance(value, list) else [(-1, value)]:
                    if isinstance(child, ast.AST):
                        found[child] = node, field, at
        return found

    def path(self, node: ast.AST) -> NodePath:
        """The way from the root of the tree to a node; `node_at` goes it in another parse of the same text."""
        steps = []
        while node in self._parents:
            node, field, at = self._parents[node]
            steps.append((field, at))
        return tuple(reversed(steps))

    @cached_property
    def opaque(self) -> set[ast.AST]:
        """Nodes inside of strings with fields: their positions cannot be relied on."""
        return {inner for node in self.nodes if type(node).__name__ in _FSTRINGS for inner in ast.walk(node) if inner is not node}

    @cached_property
    def brackets(self) -> dict[int, int]:
        """Offset of a closing bracket -> offset of its opening one."""
        open_at, pairs = [], {}
        for token in self.tokens:
            if token.type == tokenize.OP and token.text in "([{":
                open_at.append(token.start)
            elif token.type == tokenize.OP and token.text in ")]}":
                pairs[token.start] = open_at.pop()
        return pairs

    @cached_property
    def _joined(self) -> str:
        return "\0" + "\0".join(program_tokens(self.tokens)) + "\0"

    def offset(self, line: int, column: int) -> int:
        """The offset of a position as trees give it: a line from 1, a column in UTF-8 bytes."""
        text = self._lines[line - 1]
        column = column if text.isascii() else len(text.encode()[:column].decode())
        return self._starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.excepthandler | ast.keyword | ast.arg) -> tuple[int, int]:
        """Where a node begins and ends, its decorators included."""
        start = self.offset(node.lineno, node.col_offset)
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            start = self.text.rindex("@", 0, self.offset(decorators[0].lineno, decorators[0].col_offset))
        assert node.end_lineno is not None and node.end_col_offset is not None
        return start, self.offset(node.end_lineno, node.end_col_offset)

    def between(self, start: int, end: int) -> list[Token]:
        """The tokens from one offset to another."""
        first, last = (bisect_left(self._token_starts, offset) for offset in (start, end))
        return [token for token in self.tokens[first:last] if token.end <= end and token.text]

    @cached_property
    def _token_starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    @cached_property
    def _placed(self) -> tuple[list[int], list[ast.expr | ast.stmt]]:
        nodes = [node for node in self.nodes if isinstance(node, (ast.expr, ast.stmt)) and node not in self.opaque]
        pairs = sorted(((self.span(node)[0], node) for node in nodes), key=lambda pair: pair[0])
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def beginning_between(self, start: int, end: int) -> list[ast.expr | ast.stmt]:
        """The expressions and statements that begin from one offset to another, without those in strings with fields."""
        starts, nodes = self._placed
        return nodes[bisect_left(starts, start) : bisect_left(starts, end)]

    def is_unique(self, start: int, end: int) -> bool:
        """Whether the tokens of a piece occur once in the program, as `program_tokens` sees them."""
        piece = "\0" + "\0".join(program_tokens(self.between(start, end))) + "\0"
        first = self._joined.find(piece)
        return len(piece) > 2 and first >= 0 and self._joined.find(piece, first + 1) < 0

    def indent(self, offset: int) -> str | None:
        """The blanks before an offset if nothing else stands before it in its line, or ``None``."""
        begin = self.text.rfind("\n", 0, offset) + 1
        blanks = self.text[begin:offset]
        return None if blanks.strip(" \t\f") else blanks

    def ends_line(self, offset: int) -> bool:
        """Whether nothing but a comment follows an offset in its line."""
        rest = self.text[offset : (self.text + "\n").index("\n", offset)].strip(" \t\f")
        return not rest or rest.startswith("#")

    def items(self, start: int, end: int) -> list[tuple[int, int]]:
        """The spans of what commas separate between two brackets, which stand at ``start`` and ``end - 1``."""
        found: list[tuple[int, int]] = []
        depth, first, last = 0, -1, -1
        for token in self.between(start + 1, end - 1):
            if token.type in LAYOUT_TOKENS:
                continue
            if token.text == "," and not depth:
                found.append((first, last))
                first = -1
                continue
            depth += (token.type == tokenize.OP and token.text in "([{") - (token.type == tokenize.OP and token.text in ")]}")
            first, last = (token.start if first < 0 else first), token.end
        return found if first < 0 else [*found, (first, last)]
