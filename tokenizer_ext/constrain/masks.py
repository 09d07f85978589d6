"""Masks: which ids may come next, from the tables of a vocabulary and the stack of the parser.

A table says what each id would make the lexer decide; walking its tree with the parser shows what of that goes on. The walk knows the
state on top of the stack only. What it can say from that is kept for every stack with this state on top; the places where it would have
to look below are kept too, as a *continuation*. That is walked on with the next state, and so on, until nothing is open. Equal
continuations are the same object, whatever was above them. So a mask is a few look-ups, except where something is met for the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tokenizer_ext.constrain.fragments import Fragment, Fragments, Gap
from tokenizer_ext.constrain.lexer import ANYWHERE, Edge, Lexer, LexerState
from tokenizer_ext.constrain.stacks import Stack, stands
from tokenizer_ext.constrain.trees import Leaf, Tables, Then, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_MOST = 1_600_000_000  # bits that are kept
_PLACE = 1_000  # what a place counts


class Filter:
    """Ids that count, as the bits of a number. Compared by identity: comparing numbers of so many bits takes long."""

    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits


class Taken(NamedTuple):
    """A token that the parser has taken, though it stays open whether it may stand inside what is below; and the fragment after it."""

    fragment: Fragment


class Place(NamedTuple):
    """A place of a walk that goes below what is known.

    Attributes:
        edge: the token that the parser has to decide on.
        then: what is done after it.
        known: the gap that it has left, or a fragment to ask again when more is known.
        filter: the ids that count; ``None`` for all.
    """

    edge: Edge
    then: Tree | Then
    known: Gap | Taken | Fragment
    filter: Filter | None


class Continuation:
    """What is open, and where it leads with each state that may be below: more ids, and what is open then."""

    __slots__ = ("further", "places")

    def __init__(self, places: frozenset[Place]) -> None:
        self.places = places
        self.further: dict[int, tuple[int, Continuation]] = {}


class _Walk:
    """The result of a walk as it grows."""

    __slots__ = ("bits", "filter", "ids", "places")

    def __init__(self, filter_: Filter | None = None) -> None:
        self.bits = 0
        self.ids: list[int] = []
        self.places: list[Place] = []
        self.filter = filter_


class Masks:
    """The masks of a vocabulary.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
    """

    def __init__(self, lexer: Lexer, tables: Tables) -> None:
        self.lexer = lexer
        self.tables = tables
        self._modes = lexer.modes
        self._size = tables.vocabulary.size
        self._filters: dict[int, Filter] = {}
        self._both: dict[tuple[Filter, Filter], Filter] = {}
        self._empty()

    def _empty(self) -> None:
        self.kept = 0
        self.fragments = Fragments(self.lexer.automaton.tables, self.lexer.automaton.rows)
        self._partials: dict[tuple[LexerState, Rest, bool, int], tuple[int, Continuation]] = {}
        self._continuations: dict[frozenset[Place], Continuation] = {}

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack) -> int:
        """The ids that may come next, as the bits of a number."""
        if self.kept > _MOST:
            self._empty()
        node, frames = stack
        bits, continuation = self._partial(state, rest, shorn, node.state)
        while continuation.places:
            below = node.below
            if below is None:
                if frames is None:
                    break
                below, frames = frames
            node = below
            found = continuation.further.get(node.state)
            if found is None:
                found = self._further(continuation, node.state)
            if found[0]:
                bits |= found[0]
            continuation = found[1]
        return bits

    def _partial(self, state: LexerState, rest: Rest, shorn: bool, top: int) -> tuple[int, Continuation]:
        """What is known of a lexer state from the state on top of the stack."""
        key = state, rest, shorn, top
        found = self._partials.get(key)
        if found is None:
            table = self.tables.table(state, rest, shorn)
            walk = _Walk()
            root = self.fragments.root(top)
            self._tree(walk, table.tree, root)
            bits, places = self._finished(walk)
            for link in table.links:
                walk = _Walk(self._filter(link.bits))
                self._then(walk, link.then, root)
                more, further = self._finished(walk)
                bits |= more
                places += further
            self.kept += bits.bit_length() + _PLACE * len(places)
            found = self._partials[key] = bits, self._continuation(places)
        return found

    def _further(self, continuation: Continuation, below: int) -> tuple[int, Continuation]:
        """What a continuation leads to with one more state."""
        bits = 0
        open_: list[Place] = []
        walks: dict[Filter | None, _Walk] = {}
        for place in continuation.places:
            walk = walks.get(place.filter)
            if walk is None:
                walk = walks[place.filter] = _Walk(place.filter)
            self._resume(walk, place, below)
        for walk in walks.values():
            more, places = self._finished(walk)
            bits |= more
            open_ += places
        self.kept += bits.bit_length() + _PLACE * len(open_)
        found = continuation.further[below] = bits, self._continuation(open_)
        return found

    def _resume(self, walk: _Walk, place: Place, below: int) -> None:
        """Go on at a place with one more state."""
        edge, then, known, _ = place
        if isinstance(known, Fragment):
            self._take(walk, edge, then, self._on(known, below))
            return
        if isinstance(known, Gap):
            after = self.fragments.resume(known, edge.key, below)
            if isinstance(after, Gap):
                walk.places.append(Place(edge, then, after, walk.filter))
            elif after is not None:
                self._after(walk, edge, then, after)
        else:
            self._after(walk, edge, then, self._on(known.fragment, below))

    def _on(self, fragment: Fragment, below: int) -> Fragment:
        """A fragment with one more state under it."""
        states = []
        at: Fragment | None = fragment
        while at is not None:
            states.append(at.state)
            at = at.below
        joined = self.fragments.root(below)
        for state in reversed(states):
            joined = joined.push(state)
        return joined

    def _continuation(self, places: list[Place]) -> Continuation:
        key = frozenset(places)
        found = self._continuations.get(key)
        if found is None:
            found = self._continuations[key] = Continuation(key)
        return found

    def _finished(self, walk: _Walk) -> tuple[int, list[Place]]:
        if walk.ids:
            packed = bytearray((self._size >> 3) + 1)
            for number in walk.ids:
                packed[number >> 3] |= 1 << (number & 7)
            walk.bits |= int.from_bytes(packed, "little")
        return walk.bits if walk.filter is None else walk.bits & walk.filter.bits, walk.places

    def _tree(self, walk: _Walk, tree: Tree, fragment: Fragment) -> None:
        for leaf in tree.leaves:
            self._leaf(walk, leaf, fragment)
        row = self.fragments.rows[fragment.state]
        for edge, below in tree.branches:
            if edge.key in row:
                self._take(walk, edge, below, fragment)

    def _leaf(self, walk: _Walk, leaf: Leaf, fragment: Fragment) -> None:
        """Add ids that decide no more, if what they leave can become something that the parser takes."""
        if not leaf.takes:
            walk.bits |= leaf.bits
            walk.ids += leaf.ids
            return
        row = self.fragments.rows[fragment.state]
        for edge, then in leaf.takes:
            if edge.key in row:
                self._take(walk, edge, then, fragment)

    def _take(self, walk: _Walk, edge: Edge, then: Tree | Then, fragment: Fragment) -> None:
        """Go on after a token that the lexer has decided, if the reader would read it so."""
        fragments = self.fragments
        row = fragments.rows[fragment.state]
        if edge.key not in row:
            return
        if edge.refused is not None:
            first = fragments.step(fragment, edge.refused)
            if isinstance(first, Gap):
                walk.places.append(Place(edge, then, fragment, walk.filter))
                return
            if first is not None or not row.keys().isdisjoint(edge.absent):
                return
        after = fragments.step(fragment, edge.key)
        if isinstance(after, Gap):
            walk.places.append(Place(edge._replace(refused=None, absent=()), then, after, walk.filter))
        elif after is not None:
            self._after(walk, edge, then, after)

    def _after(self, walk: _Walk, edge: Edge, then: Tree | Then, fragment: Fragment) -> None:
        if self._modes[fragment.state] != edge.mode:
            return
        # Asked after the token, which has reduced the brackets that were closed before it.
        innermost = self.fragments.innermost(fragment) if edge.where != ANYWHERE else ""
        if innermost is None:
            if isinstance(then, Then) and isinstance(then.target, Leaf) and not then.path:
                fragment = self.fragments.root(fragment.state)  # what is in it matters no more
            walk.places.append(Place(edge._replace(refused=None, absent=()), then, Taken(fragment), walk.filter))
            return
        if edge.where != ANYWHERE and not stands(edge, innermost):
            return
        if isinstance(then, Tree):
            self._tree(walk, then, fragment)
        else:
            self._then(walk, then, fragment)

    def _then(self, walk: _Walk, then: Then, fragment: Fragment) -> None:
        if then.rest is not None:
            self._take(walk, then.path[0], then.rest, fragment)
        elif isinstance(then.target, Leaf):
            walk.bits |= then.target.bits
            walk.ids += then.target.ids
        else:
            bits, continuation = self._partial(then.target, WHOLE, False, fragment.state)
            for below in _below(fragment):
                if not continuation.places:
                    break
                found = continuation.further.get(below) or self._further(continuation, below)
                bits |= found[0]
                continuation = found[1]
            walk.bits |= bits
            walk.places += (place._replace(filter=self._and(place.filter, walk.filter)) for place in continuation.places)

    def _filter(self, bits: int) -> Filter:
        found = self._filters.get(bits)
        if found is None:
            found = self._filters[bits] = Filter(bits)
        return found

    def _and(self, one: Filter | None, other: Filter | None) -> Filter | None:
        if one is None or other is None or one is other:
            return other if one is None else one
        found = self._both.get((one, other))
        if found is None:
            found = self._both[one, other] = self._filter(one.bits & other.bits)
        return found


def _below(fragment: Fragment) -> Iterator[int]:
    at = fragment.below
    while at is not None:
        yield at.state
        at = at.below
