"""Masks: which ids may come next, from the tables of a vocabulary and the stack of the parser.

A table says what each id would make the lexer decide; walking its tree with the parser shows what of that goes on. The walk is done
for the innermost frame of the stack alone, and its result is kept: the ids that are right in every program with this frame on top, and
the places of the walk that go below the frame. Those are walked on with the frame below, which again is kept. So a mask is a few
look-ups where frames have been seen before.
"""

from __future__ import annotations

from collections.abc import Iterable

from simpy_grammar.reader import Frames, Node
from tokenizer_ext.constrain.lexer import Edge, Lexer, LexerState
from tokenizer_ext.constrain.stacks import UNKNOWN, Parser, Stack, Unknown
from tokenizer_ext.constrain.trees import Leaf, Link, Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_MOST_BITS = 512_000_000  # bits of masks that are kept
Open = tuple["Leaf | tuple[Edge, Tree] | Link | Partial", Node, int]
"""A place of a walk that goes below what is known: what is to be walked, the stack, the ids that count (-1: all)."""


class Partial:
    """The ids that are right on an upper part of a stack, and what is open until more of it is known."""

    __slots__ = ("bits", "further", "opened")

    def __init__(self, bits: int, opened: tuple[Open, ...]) -> None:
        self.bits = bits
        self.opened = opened
        self.further: dict[int, Partial] = {}


class _Walk:
    """The result of a walk as it grows."""

    __slots__ = ("bits", "ids", "opened")

    def __init__(self) -> None:
        self.bits = 0
        self.ids: list[int] = []
        self.opened: list[Open] = []


class Masks:
    """The masks of a vocabulary.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
    """

    def __init__(self, lexer: Lexer, tables: Tables) -> None:
        self.lexer = lexer
        self.tables = tables
        self.parser = Parser(lexer.automaton, lexer.modes)
        self._size = tables.vocabulary.size
        self._most = max(64, _MOST_BITS // max(1, self._size))
        self._kept = 0
        self._partials: dict[tuple[LexerState, Rest, bool, int], Partial] = {}
        self._roots: dict[int, Node] = {}
        self._live: dict[tuple[LexerState, Node], bool | Unknown] = {}

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack) -> int:
        """The ids that may come next, as the bits of a number."""
        node: Node | None = stack.node
        frames = stack.frames
        partial = self._partial(state, rest, shorn, stack.node.state)
        while partial.opened:
            node = node.below if node is not None else None
            if node is None:
                if frames is None:
                    break
                node, frames = frames
            partial = self._deeper(partial, node.state)
        return partial.bits

    def forget(self) -> None:
        """Begin with an empty memory, if it has grown too large."""
        if self._kept > self._most:
            self._kept = 0
            self._partials.clear()
            self._live.clear()

    def is_live(self, state: LexerState, node: Node, frames: Frames = None) -> bool | Unknown:
        """Whether what has come can become something that the parser takes."""
        if state.is_start:
            return True
        if frames is None:
            found = self._live.get((state, node))
            if found is None:
                found = self._live[state, node] = self._is_live(state, Stack(node, None))
            return found
        return self._is_live(state, Stack(node, frames))

    def _is_live(self, state: LexerState, stack: Stack) -> bool | Unknown:
        answer: bool | Unknown = False
        for path, _ in self.lexer.resolutions(state):
            after = self.follow(stack, path)
            if isinstance(after, Stack):
                return True
            if after is not None:
                answer = UNKNOWN
        return answer

    def follow(self, stack: Stack, path: Iterable[Edge], parser: Parser | None = None) -> Stack | Unknown | None:
        """The stack after some tokens."""
        take = (parser or self.parser).take
        for edge in path:
            after = take(stack, edge)
            if not isinstance(after, Stack):
                return after
            stack = after
        return stack

    def _root(self, state: int) -> Node:
        """A stack of which only the state on top is known."""
        node = self._roots.get(state)
        if node is None:
            node = self._roots[state] = Node(self.lexer.automaton, state, None)
        return node

    def _partial(self, state: LexerState, rest: Rest, shorn: bool, top: int) -> Partial:
        key = state, rest, shorn, top
        found = self._partials.get(key)
        if found is None:
            table = self.tables.table(state, rest, shorn)
            walk = _Walk()
            node = self._root(top)
            self._tree(walk, table.tree, Stack(node, None))
            for link in table.links:
                self._link(walk, link, Stack(node, None))
            found = self._partials[key] = Partial(self._bits_of(walk), tuple(walk.opened))
            self._kept += 1
        return found

    def _deeper(self, partial: Partial, below: int) -> Partial:
        further = partial.further.get(below)
        if further is None:
            further = partial.further[below] = self._further(partial, below)
        return further

    def _further(self, partial: Partial, below: int) -> Partial:
        """What is known with one more state of the stack."""
        base = self._root(below)
        by_counting: dict[int, list[Open]] = {}
        for opened in partial.opened:
            by_counting.setdefault(opened[2], []).append(opened)
        bits = partial.bits
        rest: list[Open] = []
        for counting, places in by_counting.items():
            walk = _Walk()
            for item, node, _ in places:
                if isinstance(item, Partial):
                    deeper = self._deeper(item, below)
                    walk.bits |= deeper.bits
                    if deeper.opened:
                        walk.opened.append((deeper, node, -1))
                elif isinstance(item, Leaf):
                    self._leaf(walk, item, Stack(node.on(base), None))
                elif isinstance(item, Link):
                    self._link(walk, item, Stack(node.on(base), None))
                else:
                    self._branch(walk, item, Stack(node.on(base), None))
            bits |= self._bits_of(walk) & counting
            rest += [(item, node, counting & own) for item, node, own in walk.opened]
        self._kept += 1
        return Partial(bits, tuple(rest))

    def _bits_of(self, walk: _Walk) -> int:
        if walk.ids:
            packed = bytearray((self._size >> 3) + 1)
            for number in walk.ids:
                packed[number >> 3] |= 1 << (number & 7)
            walk.bits |= int.from_bytes(packed, "little")
        return walk.bits

    def _tree(self, walk: _Walk, tree: Tree, stack: Stack) -> None:
        for leaf in tree.leaves:
            self._leaf(walk, leaf, stack)
        row = self.parser.rows[stack.node.state]
        for branch in tree.branches:
            if branch[0].key in row:
                self._branch(walk, branch, stack)

    def _leaf(self, walk: _Walk, leaf: Leaf, stack: Stack) -> None:
        live = self.is_live(leaf.state, *stack)
        if live is True:
            walk.bits |= leaf.bits
            walk.ids += leaf.ids
        elif live is UNKNOWN:
            walk.opened.append((leaf, stack.joined(), -1))

    def _branch(self, walk: _Walk, branch: tuple[Edge, Tree], stack: Stack) -> None:
        after = self.parser.take(stack, branch[0])
        if isinstance(after, Stack):
            self._tree(walk, branch[1], after)
        elif after is not None:
            walk.opened.append((branch, stack.joined(), -1))

    def _link(self, walk: _Walk, link: Link, stack: Stack) -> None:
        after = self.follow(stack, link.path)
        if isinstance(after, Stack):
            node = after.joined()
            partial = self._partial(link.state, WHOLE, False, node.state)
            states = node.states()[-2::-1]
            for below in states:
                if not partial.opened:
                    break
                partial = self._deeper(partial, below)
            walk.bits |= partial.bits & link.bits
            if partial.opened:
                walk.opened.append((partial, node, link.bits))
        elif after is not None:
            walk.opened.append((link, stack.joined(), -1))
