"""What the parser says of the tokens that a lexer decides, on a whole stack. It is that of ``simpy_grammar.reader``: a frame, and the
frames below it. Both are never changed, so that a stack is copied by keeping it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simpy_grammar.reader import BELOW, Frames, Node, Step
from simpy_grammar.simpy_lexer import BRACKETS, STATEMENTS
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import CLOSE, named
from tokenizer_ext.constrain.layouts import BEGUN, DEDENT, INDENT, NEWLINE, Indent, Indents, resolve_indent
from tokenizer_ext.constrain.lexer import ANYWHERE, IN_BRACKET, IN_CODE_BRACKET, IN_FIELD, OUTSIDE, Edge, Lexer, Path

OPENERS = BRACKETS | {"WITH_OPEN"}
CLOSERS = frozenset((*named(CLOSE), "WITH_CLOSE"))
"""The terminals that open brackets, and those that close them."""


class Stack(NamedTuple):
    """A frame, and the frames below it as far as they are known: the nodes that they stand on, the innermost first; and the indents of
    the open blocks, where indents matter."""

    node: Node
    frames: Frames
    indents: Indents = ()


def stands(where: int, innermost: str) -> bool:
    """Whether a token may stand where it asks for more than the tables say; ``innermost`` is the innermost bracket
    around it in its statement."""
    if where == IN_BRACKET:
        return bool(innermost)
    if where == OUTSIDE:
        return not innermost
    is_field = innermost == "FIELD_START"
    return bool(innermost) and not is_field if where == IN_CODE_BRACKET else is_field == (where == IN_FIELD)


class Parser:
    """Answers questions about stacks.

    Args:
        lexer: the lexer of the dialect.
    """

    def __init__(self, lexer: Lexer) -> None:
        self.rows = lexer.rows
        self.modes = lexer.modes
        self.shifted = lexer.automaton.tables.shifted

    def step(self, stack: Stack, key: Key) -> tuple[Step, Frames] | None:
        """The step that a token causes, and the frames that are below it then; ``None`` if it is refused."""
        node, frames, _ = stack
        step = node[key]
        while step is BELOW:
            if frames is None:
                return None
            base, frames = frames
            node = node.on(base)
            step = node[key]
        return None if step is None else (step, frames)

    def push(self, stack: Stack, key: Key) -> Stack | None:
        """The stack after a token; ``None`` if it is refused. A block is indented by one blank."""
        found = self.step(stack, key)
        if found is None:
            return None
        (after, _, extra), frames = found
        indents = stack.indents
        if indents and key == INDENT:
            column, narrow = indents[-1]
            indents = (*indents, (column + 1, narrow + 1))
        elif indents and key == DEDENT:
            indents = indents[:-1]
        return Stack(after, frames if extra is None or extra[2] is None else (extra[2], frames), indents)

    def ends(self, stack: Stack) -> tuple[Edge, ...] | None:
        """The tokens that the end of the text makes, before the end itself; ``None`` if it must not come here."""
        if not stack.indents:
            return None if self.push(stack, END) is None else ()
        made: list[Edge] = []
        for key in (NEWLINE, *(DEDENT for _ in stack.indents[1:])):
            after = self.push(stack, key)
            if after is not None:
                made.append(Edge(key, ""))
                stack = after
        return None if self.push(stack, END) is None else tuple(made)

    def tokens(self, stack: Stack, edge: Edge) -> Iterator[Edge]:
        """What an edge stands for on a stack, a token at a time."""
        if edge.layout is None:
            yield edge
            return
        found = resolve_indent(stack.indents, self.rows[stack.node.state], edge.layout)
        if found is not None and found[0] is not None:
            yield from (Edge(found[0], edge.mode) for _ in range(found[1]))

    def take(self, stack: Stack, edge: Edge) -> Stack | None:
        """The stack after a token that a lexer has decided; ``None`` if the reader would not read it so."""
        key, mode, where, refused, absent, layout = edge
        row = self.rows[stack.node.state]
        if key not in row:
            return None
        if layout is not None:
            return stack if key == BEGUN else self._lay(stack, layout)
        if refused is not None and (self.push(stack, refused) is not None or not row.keys().isdisjoint(absent)):
            return None
        after = self.push(stack, key)
        if after is None or self.modes[after.node.state] != mode:
            return None
        return after if where == ANYWHERE or stands(edge.where, self._innermost(after)) else None

    def _lay(self, stack: Stack, layout: Indent) -> Stack | None:
        """The stack after what an indent says."""
        found = resolve_indent(stack.indents, self.rows[stack.node.state], layout)
        if found is None:
            return None
        key, count, indents = found
        after: Stack | None = stack
        for _ in range(count):
            after = self.push(after, key) if after is not None and key is not None else None
        return after and after._replace(indents=indents)

    def states(self, stack: Stack) -> Iterator[int]:
        """The states on a stack, the last one first."""
        node: Node | None = stack.node
        frames = stack.frames
        while node is not None:
            yield node.state
            node = node.below
            if node is None and frames is not None:
                node, frames = frames

    def follow(self, stack: Stack, path: Path) -> Stack | None:
        """The stack after some tokens that a lexer has decided; ``None`` if the parser refuses one."""
        after: Stack | None = stack
        for edge in path:
            after = self.take(after, edge) if after is not None else None
        return after

    def _innermost(self, stack: Stack) -> str:
        """The innermost open bracket of the statement. Asked after a token, which has reduced what was closed before it."""
        node: Node | None = stack.node
        frames = stack.frames
        is_closed = False
        while node is not None:
            shifted = self.shifted[node.state]
            is_closed = is_closed or shifted in CLOSERS
            if shifted in OPENERS:
                if not is_closed:
                    return str(shifted)
                is_closed = False
            if shifted in STATEMENTS:
                return ""
            node = node.below
            if node is None and frames is not None:
                node, frames = frames
        return ""
