"""What the parser says of the tokens that a lexer decides, on a stack of which only the upper part may be known.

The stack is that of ``simpy_grammar.reader``: a frame, and the frames below it. A question about the frame alone has the same answer
in every program that has this frame on top, which is what makes answers worth keeping. Some questions (may two brackets close?) go
below the frame: their answer is ``UNKNOWN`` until the frame has been joined to the one below.
"""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.reader import BELOW, Automaton, Frames, Node
from simpy_grammar.simpy_lexer import BRACKETS, STATEMENTS
from simpy_grammar.tables import Key
from tokenizer_ext.constrain.lexer import ANYWHERE, IN_BRACKET, IN_FIELD, NOT_IN_FIELD, Edge


class Stack(NamedTuple):
    """A frame, and the frames below it as far as they are known: the nodes that they stand on, the innermost first."""

    node: Node
    frames: Frames

    def joined(self) -> Node:
        """All that is known, as one frame."""
        node, frames = self
        while frames is not None:
            base, frames = frames
            node = node.on(base)
        return node


class Unknown:
    """The answer to a question that goes below what is known of a stack."""


UNKNOWN = Unknown()


class Parser:
    """Answers questions about stacks.

    Args:
        automaton: the automaton of the dialect.
        modes: state of the parser -> the mode of the lexer in it.
        whole: whether a stack is known to its bottom, so that nothing is unknown.
    """

    def __init__(self, automaton: Automaton, modes: list[str], *, whole: bool = False) -> None:
        self.rows = automaton.rows
        self.modes = modes
        self.shifted = automaton.tables.shifted
        self._nothing_below: Unknown | None = None if whole else UNKNOWN

    def push(self, stack: Stack, key: Key) -> Stack | Unknown | None:
        """The stack after a token; ``None`` if it is refused."""
        node, frames = stack
        step = node[key]
        while step is BELOW:
            if frames is None:
                return self._nothing_below
            base, frames = frames
            node = node.on(base)
            step = node[key]
        if step is None:
            return None
        after, _, extra = step
        if extra is not None and extra[2] is not None:
            return Stack(after, (extra[2], frames))
        return Stack(after, frames)

    def take(self, stack: Stack, edge: Edge) -> Stack | Unknown | None:
        """The stack after a token that a lexer has decided; ``None`` if the reader would not read it so."""
        key, mode, where, refused, absent = edge
        row = self.rows[stack.node.state]
        if key not in row:
            return None
        if where != ANYWHERE:
            stands = self._stands(stack, where)
            if not isinstance(stands, bool):
                return stands
            if not stands:
                return None
        if refused is not None:
            first = self.push(stack, refused)
            if first is not None:
                return UNKNOWN if isinstance(first, Unknown) else None
            if not row.keys().isdisjoint(absent):
                return None
        after = self.push(stack, key)
        if isinstance(after, Stack) and self.modes[after.node.state] != mode:
            return None
        return after

    def _stands(self, stack: Stack, where: int) -> bool | Unknown | None:
        """Whether a token may stand here that asks for more than the tables say."""
        innermost = self._innermost(stack)
        if not isinstance(innermost, str):
            return innermost
        return bool(innermost) if where == IN_BRACKET else (innermost == "FIELD_START") == (where == IN_FIELD)

    def _innermost(self, stack: Stack) -> str | Unknown | None:
        """The innermost bracket of the statement, as ``simpy_grammar.simpy_lexer.innermost`` has it."""
        node: Node | None = stack.node
        frames = stack.frames
        while node is not None:
            shifted = self.shifted[node.state]
            if shifted in BRACKETS:
                return str(shifted)
            if shifted in STATEMENTS:
                return ""
            node = node.below
            if node is None and frames is not None:
                node, frames = frames
        return "" if self._nothing_below is None else UNKNOWN


__all__ = ["ANYWHERE", "IN_BRACKET", "IN_FIELD", "NOT_IN_FIELD", "UNKNOWN", "Parser", "Stack", "Unknown"]
