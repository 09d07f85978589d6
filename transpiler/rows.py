"""The context table compiled for a dialect: for each kind of node and each kind of child, what to do with it.

What the table says is in ``transpiler.contexts``; who walks with it is ``transpiler.walker``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Tree

from simpy_grammar.dialect import Dialect
from transpiler.contexts import CHILDREN, DROP, TEXT, Entry, Hook, Row
from transpiler.formats import disguised
from transpiler.long_runs import Hidden, quieted
from transpiler.tabs import levelled

if TYPE_CHECKING:
    from transpiler.walker import Walker

LANGUAGE = Language(tree_sitter_python.language())
KINDS = [LANGUAGE.node_kind_for_id(i) or "" for i in range(LANGUAGE.node_kind_count)]
COMMA, COMMENT, CONTINUATION = (
    LANGUAGE.id_for_node_kind(kind, named) for kind, named in ((",", False), ("comment", True), ("line_continuation", True))
)
_KINDS = frozenset(KINDS)
_ERROR = 65535
# Names that a token and a node share: an entry of a row that is a terminal means the token, any other the node.
_TOKENS_AND_NODES = frozenset(("lambda", "await", "yield", "type"))


class Separator:
    """A separator of two spellings: the second stands between a closing and an opening bracket or quote."""

    __slots__ = ("apart", "tight")

    def __init__(self, apart: str, tight: str) -> None:
        self.apart = apart
        self.tight = tight


# An entry of a compiled row: text to append, a row to walk with, None to drop, True for source text, or a hook.
Compiled = Any
Children = Iterable[Node]
Entered = Any  # tuple[Children, Row, Callable[[], None] | None] | None: what to walk, with which row, and what to do after


def parse(source: bytes, hidden: Hidden | None = None, *, quiet: bool = True) -> Tree:
    """The tree-sitter tree of some UTF-8 text.

    If it shall be ``quiet``, it lacks most comments of long rows of them; ``hidden`` then takes up which.
    """
    shown = source
    if quiet:
        shown, found = quieted(source)
        if hidden is not None:
            hidden.clear()
            hidden.update(found)
    return Parser(LANGUAGE).parse(levelled(disguised(shown)))


class Rows(dict[str, "ContextRow"]):
    """The context table with the spellings of a dialect in it; rows and their entries are made when first asked for.

    With ``limited`` every entry is a hook that stops the walk at the walker's limit.
    """

    def __init__(self, spell: dict[str, Any], hooks: type[Walker], limited: bool) -> None:
        self.spell = spell
        self.hooks = hooks
        self.limited = limited

    def __missing__(self, name: str) -> ContextRow:
        kind = name.removeprefix("one ")
        row = self.hooks.TABLE.get(kind)
        if row is None:
            if kind not in _KINDS:
                raise KeyError(name)
            row = {}
        if name.startswith("one "):  # a sequence of one element and a comma: that comma stays
            row = {**row, ",": "COMMA"}
        made = self[name] = ContextRow(self, name, row)
        return made

    def entry(self, row: dict[str, Entry], i: int) -> Compiled:
        """The compiled entry of a child with a kind id, in a row of the table."""
        if i == _ERROR:
            return self.hooks.error
        kind = KINDS[i]
        value: Entry | None = row.get(kind)
        if value is None or (kind in _TOKENS_AND_NODES and isinstance(value, str) == LANGUAGE.node_kind_is_named(i)):
            value = CHILDREN.get(kind)
        if value is None:
            return self[kind] if LANGUAGE.node_kind_is_named(i) else self.hooks.error
        if isinstance(value, Row):
            return self[value.name]
        if isinstance(value, Hook):
            hook = getattr(self.hooks, value.name)
            # A block may begin with the limit: whether it is open there depends on the colon before it.
            return _until_limit(hook) if self.limited and not value.name.endswith("block") else hook
        if value == TEXT:
            return self.hooks.limited_text if self.limited else True
        if value == DROP:
            return None
        return _limited_token(self.spell[value]) if self.limited else self.spell[value]


class ContextRow(dict[int, Compiled]):
    """Kind id of a child -> what to do with it.

    Attributes:
        name: of the row in the context table.
    """

    def __init__(self, rows: Rows, name: str, row: dict[str, Entry]) -> None:
        self.name = name
        self.rows = rows
        self.row = row

    def __missing__(self, i: int) -> Compiled:
        made = self[i] = self.rows.entry(self.row, i)
        return made


_rows: dict[tuple[str, type[Walker], bool], Rows] = {}


def rows_of(dialect: Dialect, hooks: type[Walker], limited: bool) -> Rows:
    """The rows of a dialect, made once. ``hooks`` is the class whose methods the table names."""
    key = (dialect.digest, hooks, limited)
    if key not in _rows:
        _rows[key] = Rows(_spellings(dialect), hooks, limited)
    return _rows[key]


def _until_limit(hook: Callable[[Walker, Node], Entered]) -> Callable[[Walker, Node], Entered]:
    def limited(walker: Walker, node: Node) -> Entered:
        if node.start_byte >= walker.limit:
            raise LimitReachedError
        return hook(walker, node)

    return limited


def _limited_token(spelling: Any) -> Callable[[Walker, Node], Entered]:
    def limited(walker: Walker, node: Node) -> Entered:
        terminal = walker.replaced.get(node.start_byte)
        walker.out.append(spelling if terminal is None else walker.spell[terminal])
        return None

    return _until_limit(limited)


class LimitReachedError(Exception):
    """The walk has come to the end of what was to be encoded."""


def _spellings(dialect: Dialect) -> dict[str, Any]:
    spell: dict[str, Any] = {text: text for text in "()[]{}*/"}
    for name, texts in dialect.spellings.items():
        spell[name] = texts[0] if len(texts) == 1 else Separator(*texts)
    spell["NUMBER_DOT"] = " ."
    return spell
