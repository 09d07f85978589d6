"""What the parser says of the tokens that a lexer decides, on a whole stack. It is that of ``simpy_grammar.reader``: a frame, and the
frames below it. Both are never changed, so that a stack is copied by keeping it."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.reader import BELOW, Automaton, Frames, Node, Step
from simpy_grammar.simpy_lexer import BRACKETS, STATEMENTS
from simpy_grammar.tables import Key
from tokenizer_ext.constrain.lexer import ANYWHERE, IN_BRACKET, IN_FIELD, Edge, Path


class Stack(NamedTuple):
    """A frame, and the frames below it as far as they are known: the nodes that they stand on, the innermost first."""

    node: Node
    frames: Frames


def stands(edge: Edge, innermost: str) -> bool:
    """Whether a token may stand where it asks for more than the tables say; ``innermost`` is the innermost bracket
    around it in its statement."""
    return bool(innermost) if edge.where == IN_BRACKET else (innermost == "FIELD_START") == (edge.where == IN_FIELD)


class Parser:
    """Answers questions about stacks.

    Args:
        automaton: the automaton of the dialect.
        modes: state of the parser -> the mode of the lexer in it.
    """

    def __init__(self, automaton: Automaton, modes: list[str]) -> None:
        self.rows = automaton.rows
        self.modes = modes
        self.shifted = automaton.tables.shifted

    def step(self, stack: Stack, key: Key) -> tuple[Step, Frames] | None:
        """The step that a token causes, and the frames that are below it then; ``None`` if it is refused."""
        node, frames = stack
        step = node[key]
        while step is BELOW:
            if frames is None:
                return None
            base, frames = frames
            node = node.on(base)
            step = node[key]
        return None if step is None else (step, frames)

    def push(self, stack: Stack, key: Key) -> Stack | None:
        """The stack after a token; ``None`` if it is refused."""
        found = self.step(stack, key)
        if found is None:
            return None
        (after, _, extra), frames = found
        return Stack(after, frames if extra is None or extra[2] is None else (extra[2], frames))

    def take(self, stack: Stack, edge: Edge) -> Stack | None:
        """The stack after a token that a lexer has decided; ``None`` if the reader would not read it so."""
        key, mode, where, refused, absent = edge
        row = self.rows[stack.node.state]
        if key not in row:
            return None
        if refused is not None and (self.push(stack, refused) is not None or not row.keys().isdisjoint(absent)):
            return None
        after = self.push(stack, key)
        if after is None or self.modes[after.node.state] != mode:
            return None
        return after if where == ANYWHERE or stands(edge, self._innermost(after)) else None

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
        while node is not None:
            shifted = self.shifted[node.state]
            if shifted in BRACKETS:
                return str(shifted)
            if shifted in STATEMENTS:
                return ""
            node = node.below
            if node is None and frames is not None:
                node, frames = frames
        return ""
