"""Masks: which ids may come next, from the tables of a vocabulary and the stack of the parser.

A trie says what each id asks of the parser; walking it with the parser shows what of that is taken. The walk knows the state on top of
the stack only. What it can say from that is kept for every stack with this state on top. Where a reduction goes below what is known, the
rest of the trie waits at a *place*: so many states are still to be popped, then the name of the rule decides. That is all that matters
of what was above: `f(a`, `f(a + b` and `f(not x` leave the same places for `)`. The places of a walk are a *continuation*; it is walked
on with the next state below, and so on, until nothing is open. Equal places and continuations are the same object. So a mask is a few
look-ups, except where something is met for the first time.

Where the native core is at hand, it does these walks (``tokenizer_ext.constrain.native_walks``), and this is what it is compared with.

In Python, the indent of a line makes tokens that depend on the indents of the open blocks. These belong to a walk only as long as its trie
still holds an indent: `x)` asks for the same in all blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from simpy_grammar.simpy_lexer import STATEMENTS
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.layouts import BEGUN, Indents, resolve_indent
from tokenizer_ext.constrain.lexer import ANYWHERE, Edge, Lexer, LexerState
from tokenizer_ext.constrain.native_walks import NativeWalks, walks_by_core
from tokenizer_ext.constrain.stacks import CLOSERS, OPENERS, Stack, stands
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.trie import Branch, Ids, Trie
from tokenizer_ext.constrain.trie_cache import load_tries
from tokenizer_ext.constrain.utf8 import Rest

_MOST = 600_000_000  # bits that are kept
_PLACE = 1_000  # what a place counts
_DEEP = 24  # tokens that a walk goes through before what is deeper is done first


class Where(NamedTuple):
    """Where a token must stand.

    Attributes:
        where: one of the constants of ``tokenizer_ext.constrain.lexer``.
        is_closed: whether the next bracket that is found has been closed.
    """

    where: int
    is_closed: bool


class Continuation:
    """What is open, and where it leads with each state that may be below."""

    __slots__ = ("further", "places")

    def __init__(self, places: frozenset[Place | Guard]) -> None:
        self.places = places
        self.further: dict[int, Found] = {}


class Found:
    """What a walk has found: ids, and what is open."""

    __slots__ = ("ids", "open")

    def __init__(self, ids: Ids, open_: Continuation) -> None:
        self.ids = ids
        self.open = open_


class Place:
    """A reduction that goes below what is known.

    Attributes:
        trie: what follows it.
        indents: those of the open blocks, if they matter to the trie.
        name: that of the rule.
        missing: how many states are still to be popped.
    """

    __slots__ = ("further", "indents", "missing", "name", "trie")

    def __init__(self, trie: Trie, indents: Indents, name: str, missing: int) -> None:
        self.trie = trie
        self.indents = indents
        self.name = name
        self.missing = missing
        self.further: dict[int, Found] = {}


class Guard:
    """What has been found, if something holds that depends on what is below.

    Attributes:
        test: where a token must be refused, a walk that finds ids if it is taken; or where the token must stand.
    """

    __slots__ = ("found", "further", "test")

    def __init__(self, test: Continuation | Where, found: Found) -> None:
        self.test = test
        self.found = found
        self.further: dict[int, Found] = {}


class _DeepError(Exception):
    """A walk has become too deep. Carries the trie, the state on top of the stack, and the indents where it stopped."""


class Masks:
    """The masks of a vocabulary.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
    """

    def __init__(self, lexer: Lexer, tables: Tables) -> None:
        self._lexer = lexer
        self._modes = lexer.modes
        self._rows = lexer.rows
        self._grammar = lexer.automaton.tables
        self._tables = tables
        self._depth = 0
        self._empty()

    def _empty(self) -> None:
        self._tries = load_tries(self._tables)
        self._native: NativeWalks | None = walks_by_core(self._lexer, self._tries)
        self._taken = self._tries.trie(self._tries.ids(1, ()), ())
        self._closed = Continuation(frozenset())
        self._nothing = Found(self._tries.no_ids, self._closed)
        self._kept = 0
        self._partials: dict[tuple[LexerState, Rest, bool, int, Indents], Found] = {}
        self._masks: dict[tuple[Ids, ...], int] = {}
        self._on_top: dict[tuple[Trie, int, Indents], Found] = {}
        self._places: dict[tuple[Trie, Indents, str, int], Place] = {}
        self._guards: dict[tuple[Continuation | Where, Ids, Continuation], Guard] = {}
        self._continuations: dict[frozenset[Place | Guard], Continuation] = {frozenset(): self._closed}

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack) -> int:
        """The ids that may come next, as the bits of a number."""
        if self._native is not None:
            if self._is_full:
                self._empty()
                return self.bits(state, rest, shorn, stack)
            bits = self._native.bits(state, rest, shorn, stack)
            if bits is not None:
                return bits
        return self._walked_bits(state, rest, shorn, stack)

    @property
    def _is_full(self) -> bool:
        """Whether so much is kept that all of it is to be made anew."""
        found = self._native.kept if self._native is not None else 0
        return self._kept + max(found, self._tries.bits) > _MOST

    def _walked_bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack) -> int:
        if self._is_full:
            self._empty()
        node, frames, indents = stack
        key = state, rest, shorn, node.state, indents
        found = self._partials.get(key) or self._safely(self._partial, key)
        sets = [found.ids]
        no_ids = self._tries.no_ids
        open_ = found.open
        while open_.places:
            below = node.below
            if below is None:
                if frames is None:
                    break
                below, frames = frames
            node = below
            found = open_.further.get(node.state) or self._safely(self._further, open_, node.state)
            if found.ids is not no_ids:
                sets.append(found.ids)
            open_ = found.open
        which = tuple(sets)
        bits = self._masks.get(which)
        if bits is None:
            found_ids = self._tries.union(which)
            bits = self._masks[which] = found_ids.bits | bits_of(found_ids.few)
            self._kept += bits.bit_length()
        return bits

    def _safely(self, walk: Callable[..., Found], *args: Any) -> Found:
        """The result of a walk. Where it becomes deep, what is deepest is done first, so that Python's stack suffices."""
        while True:
            self._depth = 0
            try:
                return walk(*args)
            except _DeepError as error:
                deep = error.args
            self._safely(self._at, *deep)

    def _partial(self, key: tuple[LexerState, Rest, bool, int, Indents]) -> Found:
        """What is known of a lexer state from the state on top of the stack."""
        state, rest, shorn, top, indents = key
        found = self._partials[key] = self._at(self._tries.of(state, rest, shorn), top, indents)
        return found

    def _at(self, trie: Trie, top: int, indents: Indents) -> Found:
        """What is known of a trie from the state on top of the stack."""
        key = trie, top, indents if trie.is_laid else ()
        found = self._on_top.get(key)
        if found is None:
            if self._depth == _DEEP:
                raise _DeepError(*key)
            self._depth += 1
            found = self._on_top[key] = self._walk(*key)
            self._depth -= 1
        return found

    def _walk(self, trie: Trie, top: int, indents: Indents) -> Found:
        row = self._rows[top]
        parts = [Found(trie.ids, self._closed)]
        reduced: dict[int, list[Branch]] = {}
        for branch in trie.branches:
            action = row.get(branch.key)
            if action is None:
                continue
            edge = branch.edge
            if edge.layout is not None:
                parts.append(self._laid(branch, top, indents))
                continue
            if not branch.is_plain:
                refused = None if edge.refused is None else row.get(edge.refused)
                if (refused is not None and refused >= 0) or not row.keys().isdisjoint(edge.absent):
                    continue
                if refused is not None and refused != action:
                    parts.append(self._unless_taken(branch, action, refused, top, indents))
                    continue
                branch = self._tries.branch(edge._replace(refused=edge.refused if refused is not None else None, absent=()), branch.below)
            if action < 0:
                reduced.setdefault(action, []).append(branch)
            else:
                parts.append(self._shifted(branch, action, top, indents))
        parts += [self._reduced(self._tries.only(branches), action, top, indents) for action, branches in reduced.items()]
        return self._united(parts)

    def _laid(self, branch: Branch, top: int, indents: Indents) -> Found:
        """What is found after the indent of a line."""
        edge = branch.edge
        if edge.key == BEGUN:
            return self._at(branch.below, top, indents)
        made = resolve_indent(indents, self._rows[top], edge.layout or (0, 0))
        if made is None:
            return self._nothing
        key, count, indents = made
        trie = branch.below
        for _ in range(count if key is not None else 0):
            trie = self._tries.only((self._tries.branch(Edge(key or "", edge.mode), trie),))
        return self._at(trie, top, indents)

    def _shifted(self, branch: Branch, target: int, top: int, indents: Indents) -> Found:
        """What is found after a shift."""
        edge = branch.edge
        if edge.mode != self._modes[target] and branch.below is not self._taken:
            return self._nothing
        found = self._at(branch.below, target, indents)
        if edge.where != ANYWHERE:
            found = self._guarded(Where(edge.where, is_closed=False), found, target)
        return self._on(found, top)

    def _reduced(self, trie: Trie, action: int, top: int, indents: Indents) -> Found:
        """What is found after a reduction."""
        name, length, _ = self._grammar.rules[-1 - action]
        if length:
            return self._waiting(self._place(trie, indents, name, length - 1))
        return self._on(self._at(trie, self._grammar.gotos[top][name], indents), top)

    def _unless_taken(self, branch: Branch, action: int, refused: int, top: int, indents: Indents) -> Found:
        """What is found after a token, if the parser refuses another one."""
        edge = branch.edge
        plain = self._tries.branch(edge._replace(refused=None, absent=()), branch.below)
        if action < 0:
            found = self._reduced(self._tries.only((plain,)), action, top, indents)
        else:
            found = self._shifted(plain, action, top, indents)
        asked = self._tries.branch(Edge(edge.refused or "", ""), self._taken)
        return self._unless(self._reduced(self._tries.only((asked,)), refused, top, ()), found)

    def _unless(self, test: Found, found: Found) -> Found:
        """What has been found, if a test finds nothing."""
        if test.ids is not self._tries.no_ids:
            return self._nothing
        return self._guard(test.open, found) if test.open.places else found

    def _guarded(self, test: Where, found: Found, state: int) -> Found:
        """What has been found, if a token stands where it must; ``state`` is the next one from above, the lowest one is 0."""
        shifted = self._grammar.shifted[state]
        if shifted in OPENERS:
            if not test.is_closed:
                return found if stands(test.where, str(shifted)) else self._nothing
            test = Where(test.where, is_closed=False)
        elif shifted in CLOSERS:
            test = Where(test.where, is_closed=True)
        elif shifted in STATEMENTS or not state:
            return found if stands(test.where, "") else self._nothing
        return self._guard(test, found)

    def _guard(self, test: Continuation | Where, found: Found) -> Found:
        if found is self._nothing:
            return found
        key = test, found.ids, found.open
        guard = self._guards.get(key)
        if guard is None:
            guard = self._guards[key] = Guard(test, found)
        return self._waiting(guard)

    def _waiting(self, place: Place | Guard) -> Found:
        return Found(self._tries.no_ids, self._continuation(frozenset({place})))

    def _on(self, found: Found, below: int) -> Found:
        """What has been found, with one more state below."""
        if not found.open.places:
            return found
        further = found.open.further.get(below) or self._further(found.open, below)
        return self._united([Found(found.ids, self._closed), further])

    def _further(self, open_: Continuation, below: int) -> Found:
        """What a continuation leads to with one more state."""
        parts = [place.further.get(below) or self._resumed(place, below) for place in open_.places]
        found = open_.further[below] = parts[0] if len(parts) == 1 else self._united(parts)
        return found

    def _resumed(self, place: Place | Guard, below: int) -> Found:
        """What a place leads to with one more state."""
        if isinstance(place, Place):
            if place.missing:
                found = self._waiting(self._place(place.trie, place.indents, place.name, place.missing - 1))
            else:
                found = self._on(self._at(place.trie, self._grammar.gotos[below][place.name], place.indents), below)
        else:
            found = self._on(place.found, below)
            if isinstance(place.test, Where):
                found = self._guarded(place.test, found, below)
            else:
                found = self._unless(place.test.further.get(below) or self._further(place.test, below), found)
        place.further[below] = found
        return found

    def _place(self, trie: Trie, indents: Indents, name: str, missing: int) -> Place:
        key = trie, indents if trie.is_laid else (), name, missing
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = Place(*key)
        return found

    def _continuation(self, places: frozenset[Place | Guard]) -> Continuation:
        found = self._continuations.get(places)
        if found is None:
            found = self._continuations[places] = Continuation(places)
            self._kept += _PLACE * len(places)
        return found

    def _united(self, parts: list[Found]) -> Found:
        no_ids = self._tries.no_ids
        parts = [part for part in parts if part.open.places or part.ids is not no_ids]
        if len(parts) < 2:
            return parts[0] if parts else self._nothing
        opens = {part.open for part in parts}
        open_ = opens.pop()
        if opens:
            open_ = self._continuation(open_.places.union(*(one.places for one in opens)))
        return Found(self._tries.union(part.ids for part in parts), open_)
