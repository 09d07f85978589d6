"""How statements are recognised when a block is given anew: by what they say, by their header, by what they define."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from simpy_grammar.python_tokens import LexError
from transpiler.edits.structure import Item, items_of, words_of
from transpiler.edits.tokens import COMMENT, STRING, Tokens
from transpiler.edits.writer import Rows, rows_of, written
from transpiler.proof import parse_tree

_ENDS = ("return", "raise")  # the statement that a block ends with


class Block(NamedTuple):
    """The statements of a block.

    Attributes:
        text: the program that they stand in.
        items: the statements and comments.
        name: the definition that holds it, such as ``C.f``; empty outside of definitions.
    """

    text: Program
    items: Sequence[Item]
    name: str


class Program:
    """A program, or code with a name in the place of each part that was left out.

    Attributes:
        tokens: its tokens.
        rows: the same without their new lines.
        items: its statements.
        elided: the names that stand for what was left out.
    """

    def __init__(self, text: str, elided: Sequence[str] = ()) -> None:
        self.tokens = Tokens(text)
        self.rows: Rows = rows_of(self.tokens)
        self.items = items_of(self.tokens)
        self.elided = frozenset(elided)
        self._keys: dict[int, Keys] = {}

    def is_elided(self, item: Item) -> bool:
        """Whether a statement stands for what was left out."""
        return item.end - item.start == 1 and self.source(item) in self.elided

    def has_elided(self, item: Item) -> bool:
        """Whether something in a statement was left out."""
        return bool(self.elided) and any(map(self.is_elided, item))

    def source(self, item: Item) -> str:
        """A statement as it is written."""
        tokens = self.tokens
        end = item.clauses[0].end if item.clauses else item.end
        return tokens.text[tokens.starts[item.start] : tokens.ends[end - 1]]

    def line(self, item: Item) -> int:
        """The line that a statement begins on."""
        return self.tokens.line(self.tokens.starts[item.start])

    def column(self, item: Item) -> int:
        """What a statement is indented by."""
        start = self.tokens.starts[item.start]
        return start - self.tokens.line_start(start)

    def blocks(self) -> Iterator[Block]:
        """All its blocks, the whole program first."""

        def walk(items: Sequence[Item], name: str) -> Iterator[Block]:
            yield Block(self, items, name)
            for item in items:
                inner = f"{name}.{_bare(item)}".removeprefix(".") if item.name else name
                for clause in item.clauses:
                    yield from walk(clause.items, inner)

        return walk(self.items, "")

    def keys(self, item: Item) -> Keys:
        """How a statement is recognised."""
        found = self._keys.get(id(item))
        if found is None:
            found = self._keys[id(item)] = self._read_keys(item)
        return found

    def _read_keys(self, item: Item) -> Keys:
        words = tuple(words_of(self.tokens, item.start, item.end, comments=item.head == COMMENT))
        if item.head == COMMENT:
            return Keys("comment", words, (), frozenset())
        if item.clauses:
            clause = item.clauses[0]
            header = tuple(words_of(self.tokens, clause.start, clause.end, comments=False))
            kind = item.head.removeprefix("^")
            if item.name:
                return Keys("definition", words, header, frozenset((_bare(item),)))
            return Keys(kind, words, header, frozenset((" ".join(header),)) if len(header) > 1 else frozenset())
        kind, names = _simple(written(self.tokens, item.start, item.end))
        return Keys(kind, words, (), names)


class Keys(NamedTuple):
    """How a statement is recognised.

    Attributes:
        kind: ``comment``, ``definition``, the keyword, or the name of its node.
        words: all that it says, but for comments.
        header: of a compound statement, its header.
        names: what it defines or imports; empty if that does not tell it.
    """

    kind: str
    words: tuple[str, ...]
    header: tuple[str, ...]
    names: frozenset[str]


LEVELS: tuple[Callable[[Keys], object], ...] = (
    lambda keys: keys.words,
    lambda keys: keys.header or None,
    lambda keys: (keys.kind in ("definition", "Import", "ImportFrom"), keys.names) if keys.names else None,
)
"""By what statements are paired, what is surest first."""


def may_be_a_part(source: str, code: str) -> bool:
    """Whether code is only definitions, all of which the file has beside other code.

    >>> may_be_a_part("import os\\ndef f(): pass\\n", "def f(): return 1\\n"), may_be_a_part("import os\\n", "def f(): return 1\\n")
    (True, False)
    """
    try:
        ours, theirs = Program(source), Program(code)
    except LexError:
        return False  # who reads it says what is wrong
    names = [item.name for item in theirs.items if item.head != COMMENT]
    if not names or not all(names) or not set(names) <= {item.name for block in ours.blocks() for item in block.items}:
        return False
    return any(item.head not in (COMMENT, STRING) and item.name not in names for item in ours.items)


def ends_block(keys: Keys) -> bool:
    """Whether nothing can follow a statement in its block."""
    return keys.kind in _ENDS


def _bare(item: Item) -> str:
    return item.name.removeprefix("NAME ")


def _simple(text: str) -> tuple[str, frozenset[str]]:
    """The kind of a simple statement, and what it defines or imports."""
    try:
        tree = parse_tree(text + "\n")
    except SyntaxError:
        return text.split(" ")[0], frozenset()
    if not isinstance(tree, ast.Module) or not tree.body:
        return "", frozenset()
    node = tree.body[0]
    kind = type(node).__name__
    if isinstance(node, ast.Assign):
        return "Assign", frozenset(name for target in node.targets for name in _targets(target))
    if isinstance(node, ast.AnnAssign):
        return "Assign", frozenset(_targets(node.target))
    if isinstance(node, ast.Import):
        return kind, frozenset(alias.asname or alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return kind, frozenset((f"from {'.' * node.level}{node.module or ''}",))
    return (kind.lower() if kind.lower() in _ENDS else kind), frozenset()


def _targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _targets(part)
    else:
        yield ast.unparse(target)


__all__ = ["LEVELS", "Block", "Keys", "Program", "ends_block", "may_be_a_part"]
