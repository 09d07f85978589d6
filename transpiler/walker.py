"""The walk over the tree-sitter tree, in the order of the text: what the rows say is done, what they cannot say is a hook.

The hooks are methods of the classes that build on this one: ``transpiler.statements``, ``transpiler.expressions``,
``transpiler.comments``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from tree_sitter import Node

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError, UnsupportedSyntaxError, locate
from transpiler.contexts import ROWS
from transpiler.long_runs import Hidden
from transpiler.rows import CONTINUATION, KINDS, Children, ContextRow, Entered, LimitReachedError, Separator, rows_of

UNLIMITED = sys.maxsize
NOWHERE = -2  # an index that the last piece of the output never has, even where there is none
INNER = "<comment>"  # what a comment inside brackets begins with


class End:
    """A block end at the tail of the output: what a comment that belongs before it must know."""

    __slots__ = ("column", "only_pass", "start", "was_open")

    def __init__(self, column: int, was_open: bool, only_pass: bool, start: str) -> None:
        self.column = column
        self.was_open = was_open
        self.only_pass = only_pass
        self.start = start


class Walker:
    """One walk over one tree.

    Args:
        source: UTF-8 text that the tree was made of, seen as Latin-1, so that byte offsets are character offsets.
        dialect: how to spell what is found.
        replaced: byte offset -> terminal, for the tokens that a repair has disguised.
        limit: stop before what starts at this byte offset, and leave the blocks that are open there open.
        hidden: byte offset of a comment -> the spans of those after it that the tree does not hold.
    """

    TABLE = ROWS  # what the rows say; a class with hooks of its own may say more

    def __init__(
        self,
        source: str,
        dialect: Dialect,
        replaced: dict[int, str] | None = None,
        limit: int | None = None,
        hidden: Hidden | None = None,
    ) -> None:
        self.source = source
        self.dialect = dialect
        self.replaced = replaced or {}
        self.limit = UNLIMITED if limit is None else limit
        self.hidden = hidden or {}
        self.rows = rows_of(dialect, type(self), limit is not None)
        self.spell = self.rows.spell
        self.continued = "\\\n" in source
        self.out: list[Any] = []
        self.open = False  # the last statement is simple: an expression statement after it needs a separator
        self.ends: list[End] = []  # block ends at the tail of the output
        self.ends_length = NOWHERE  # length of the output when that tail was complete
        self.start_at = NOWHERE  # index of a block start whose spelling the first statement of the block decides
        self.start_kind = "header"
        self.pass_at = NOWHERE  # index of a pass that may be the only statement of its block
        self.first_comments: list[str] = []  # whole-line comments between a header and the first statement of its block
        self.held: list[str] = []  # comments inside brackets that wait for a place
        self.frames: list[list[Any]] = []  # [iterator, children, row, exit] of each node being walked
        # What is known of comments inside brackets (transpiler.comments), so that many of them stay linear.
        self.before_comments: Node | None = None  # what stands before a row of them, from its first comment on
        self.seen_frames: list[list[Any]] = []  # frames for which it is known whether they are parameters of a lambda ...
        self.seen_from = 0  # ... of which this is the index of the first ...
        self.seen_lambda: int | None = None  # ... and this the frame of the lambda

    def walk(self, children: Children, row: ContextRow, exit_: Callable[[], None] | None = None) -> None:
        """Walk some nodes and all below them."""
        append = self.out.append
        source = self.source
        replaced = self.replaced
        frames = self.frames
        base = len(frames)
        iterator = iter(children)
        frames.append([iterator, children, row, exit_])
        while True:
            for node in iterator:
                entry = row[node.kind_id]
                kind = entry.__class__
                if kind is str:
                    if replaced and node.start_byte in replaced:
                        append(self.spell[replaced[node.start_byte]])
                    else:
                        append(entry)
                elif entry is True:
                    append(source[node.start_byte : node.end_byte])
                elif entry is None:
                    pass
                elif kind is ContextRow:
                    children = node.children
                    iterator = iter(children)
                    row = entry
                    frames.append([iterator, children, row, None])
                    break
                elif kind is Separator:
                    append(entry)
                else:
                    entered = entry(self, node)
                    if entered is not None:
                        children, row, exit_ = entered
                        iterator = iter(children)
                        frames.append([iterator, children, row, exit_])
                        break
            else:
                done = frames.pop()[3]
                if done is not None:
                    done()
                if len(frames) == base:
                    return
                iterator, children, row, _ = frames[-1]

    def limited_text(self, node: Node) -> Entered:
        """A leaf of data, up to the limit."""
        self._data(node.start_byte, node.end_byte)
        return None

    def _data(self, start: int, end: int) -> None:
        """Write source text, up to the limit."""
        if start < self.limit:
            self.out.append(self.source[start : min(end, self.limit)])
        if end > self.limit or start >= self.limit:
            raise LimitReachedError

    def without_continuations(self, children: list[Node]) -> list[Node]:
        """Some nodes without the backslashes that join lines among them."""
        if not self.continued:
            return children
        return [child for child in children if child.kind_id != CONTINUATION]

    def text(self, node: Node) -> str:
        """The source text of a node."""
        return self.source[node.start_byte : node.end_byte]

    def error(self, node: Node) -> Entered:
        """A node that the grammar has no rule for."""
        raise self._error_at(node, UnsupportedSyntaxError, f"{KINDS[node.kind_id]!r} is unknown to the grammar")

    def _not_python(self, node: Node) -> SimPyError:
        """What is in the tree and not in the language. The words are CPython's, later; here it counts where."""
        return self._error_at(node, PythonSyntaxError, "invalid syntax")

    def _error_at(self, node: Node, kind: type[SimPyError], message: str) -> SimPyError:
        before = self.source[: node.start_byte].encode("latin-1").decode("utf-8", "replace")
        text = self.source.encode("latin-1").decode("utf-8", "replace")
        line, column, source_line = locate(text, len(before))
        return kind(message, line=line, column=column, source_line=source_line)

    def _own_line(self, node: Node) -> bool:
        start = node.start_byte
        before = self.source[self.source.rfind("\n", 0, start) + 1 : start]
        return not before or before.isspace()

    def _comment_text(self, node: Node) -> str:
        """A comment with its line break, or without where the text stops inside it; those that are hidden behind it too."""
        text = self._ended(node.start_byte, node.end_byte)
        return text + "".join(self._behind(node)) if self.hidden else text

    def _ended(self, start: int, end: int) -> str:
        return self.source[start:end] + ("\n" if end < self.limit else "")

    def _behind(self, node: Node) -> Iterator[str]:
        """The comments that are hidden behind one."""
        return (self._ended(start, end) for start, end in self.hidden.pop(node.start_byte, ()) if start < self.limit)

    def _inner(self, node: Node) -> str:
        text = f"{INNER}{chr(10) if self._own_line(node) else ''}{self._ended(node.start_byte, node.end_byte)}"
        return text + "".join(f"{INNER}\n{comment}" for comment in self._behind(node)) if self.hidden else text


def drain(nodes: list[Node]) -> Iterator[Node]:
    """The nodes one after the other, each let go of when the next is asked for: a node keeps all below it in memory."""
    rest = nodes[::-1]
    nodes.clear()
    while rest:
        yield rest.pop()
