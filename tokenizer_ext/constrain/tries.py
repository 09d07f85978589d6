"""What ids do in a lexer state, in one tree: the tokens that they decide, and those that what they leave can still become.

A table (``tokenizer_ext.constrain.trees``) keeps these apart, and leaves to other tables what ids do there. A mask asks only what the
parser must take so that ids may come. With the vocabulary `b`, `(`, ` b`, while a name is under way in the dialect classic:

    NAME       `b`
      (        `(`
      " "      (nothing)
        NAME   ` b`

Equal tries are the same object, so that what a mask finds out about one is known wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

from simpy_grammar.native import core
from tokenizer_ext.constrain.groups import MANY, bits_of
from tokenizer_ext.constrain.lexer import Edge, LexerState
from tokenizer_ext.constrain.native_tries import NativeTries, made_by_core
from tokenizer_ext.constrain.shelf import Shelf
from tokenizer_ext.constrain.state_names import state_name
from tokenizer_ext.constrain.trees import Table, Tables, Tree
from tokenizer_ext.constrain.trie import Branch, Ids, Trie
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_FLAGS = bytes.maketrans(b"01", b"\0\1")


class Tries:
    """The tries of a vocabulary, each made when it is first needed.

    Args:
        tables: the tables of the vocabulary.

    Attributes:
        bits: how many bits are kept.
        known: name of a lexer state -> the number of its trie on ``shelf``, as ``tokenizer_ext.constrain.trie_cache`` keeps them.
        shelf: tries that have been kept.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ids: dict[tuple[int, tuple[int, ...]], Ids] = {}
        self._tries: dict[tuple[Ids, tuple[Branch, ...]], Trie] = {}
        self._branches: dict[tuple[Edge, Trie], Branch] = {}
        self._of: dict[tuple[LexerState, Rest, bool], Trie] = {}
        self._numbers: dict[Edge, int] = {}  # the order of branches, so that equal tries have them in the same one
        self._parts: dict[tuple[LexerState, int], Trie] = {}
        self.known: dict[str, int] = {}
        self.shelf: Shelf | None = None
        self._native: NativeTries | None = None
        self._made: Shelf | None = None  # what the core has made
        self._has_native = core is not None
        self.bits = 0
        self.lexer = tables.lexer
        self.no_ids = self.ids(0, ())
        self._empty = self.trie(self.no_ids, ())

    def of(self, state: LexerState, rest: Rest = WHOLE, shorn: bool = False) -> Trie:
        """The trie of a lexer state; see ``Tables.table``."""
        key = state, rest, shorn
        found = self._of.get(key)
        if found is None:
            found = self._kept(state, shorn) if self.known and not rest.left else None
            found = found or self._made_natively(state, rest, shorn)
            found = self._of[key] = found or self._table(self._tables.made(state, rest, shorn))
        return found

    def placed(self, state: LexerState, rest: Rest = WHOLE, shorn: bool = False) -> tuple[Shelf, int] | None:
        """The shelf that the trie of a lexer state is on, and its number there; ``None`` if it is on none."""
        number = self.known.get(state_name(state, shorn)) if self.known and not rest.left else None
        if number is not None and self.shelf is not None:
            return self.shelf, number
        native = self.native
        if native is None:
            return None
        numbers = native.numbers((state,), rest, shorn)
        return None if numbers is None else (self.made_shelf(native), numbers[0])

    def _kept(self, state: LexerState, shorn: bool) -> Trie | None:
        number = self.known.get(state_name(state, shorn))
        return None if number is None or self.shelf is None else self.shelf.trie(number)

    @property
    def native(self) -> NativeTries | None:
        """What makes tries in the core; ``None`` if it does not."""
        if self._has_native and self._native is None:
            self._native = made_by_core(self._tables)
            self._has_native = self._native is not None
        return self._native

    def _made_natively(self, state: LexerState, rest: Rest, shorn: bool) -> Trie | None:
        native = self.native
        numbers = native.numbers((state,), rest, shorn) if native is not None else None
        if native is None or numbers is None:
            return None
        return self.made_shelf(native).trie(numbers[0])

    def made_shelf(self, native: NativeTries) -> Shelf:
        """The tries that the core has made."""
        with native.lock:
            if self._made is None:
                self._made = Shelf(self, native.edges, self.width)
            self._made.add(*native.exported(*self._made.counts))
            return self._made

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return self._tables.vocabulary.size

    @property
    def width(self) -> int:
        """How many bytes the bits of a large set are."""
        return (self._tables.vocabulary.size + 7) // 8

    def ids(self, bits: int, few: Iterable[int]) -> Ids:
        """The set of the bits of a number and of some more ids."""
        one_by_one = tuple(sorted(few))
        if len(one_by_one) >= MANY:
            bits |= bits_of(one_by_one)
            one_by_one = ()
        key = bits, one_by_one
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = Ids(*key)
            self.bits += bits.bit_length()
        return found

    def union(self, sets: Iterable[Ids]) -> Ids:
        """All ids of some sets."""
        different = set(sets)
        different.discard(self.no_ids)
        if len(different) < 2:
            return different.pop() if different else self.no_ids
        bits = 0
        few: set[int] = set()
        for one in different:
            bits |= one.bits
            few.update(one.few)
        return self.ids(bits, few)

    def trie(self, ids: Ids, branches: tuple[Branch, ...]) -> Trie:
        """The trie of some ids and branches."""
        found = self._tries.get((ids, branches))
        if found is None:
            found = self._tries[ids, branches] = Trie(ids, branches)
        return found

    def branch(self, edge: Edge, below: Trie) -> Branch:
        """The branch of a token and what comes after it."""
        found = self._branches.get((edge, below))
        if found is None:
            found = self._branches[edge, below] = Branch(edge, below)
        return found

    def only(self, branches: Iterable[Branch]) -> Trie:
        """The trie of some branches without ids."""
        return self.trie(self.no_ids, tuple(branches))

    def _table(self, table: Table) -> Trie:
        parts = [self._tree(table.tree)]
        for link in table.links:
            within = self._linked(link.target, link.bits)
            if within is not self._empty:
                parts.append(self._after(link.path, within))
        return self._united(parts)

    def _linked(self, target: LexerState, bits: int) -> Trie:
        """The trie of a state, of some ids alone. Many states refer to the same ids of another one."""
        found = self._parts.get((target, bits))
        if found is None:
            flags = f"{bits:0{self._tables.vocabulary.size}b}"[::-1].encode().translate(_FLAGS)
            found = self._parts[target, bits] = self._within(self.of(target), bits, flags)
        return found

    def _tree(self, tree: Tree) -> Trie:
        sets: list[Ids] = []
        below: dict[Edge, list[Trie]] = {}
        for leaf in tree.leaves:
            ids = self.ids(leaf.bits, leaf.ids)
            whole = self.trie(ids, ())
            for path, _ in leaf.endings:
                if path:
                    below.setdefault(path[0], []).append(self._after(path[1:], whole))
                else:
                    sets.append(ids)
        for edge, subtree in tree.branches:
            below.setdefault(edge, []).append(self._tree(subtree))
        return self._joined(sets, below)

    def _after(self, path: tuple[Edge, ...], trie: Trie) -> Trie:
        """A trie after some tokens."""
        for edge in reversed(path):
            trie = self.only((self.branch(edge, trie),))
        return trie

    def _united(self, tries: list[Trie]) -> Trie:
        """What several tries hold."""
        if len(tries) < 2:
            return tries[0]
        below: dict[Edge, list[Trie]] = {}
        different = dict.fromkeys(tries)
        for trie in different:
            for branch in trie.branches:
                below.setdefault(branch.edge, []).append(branch.below)
        return self._joined([trie.ids for trie in different], below)

    def _joined(self, sets: list[Ids], below: dict[Edge, list[Trie]]) -> Trie:
        branches = []
        number_of = self._numbers
        for edge in sorted(below, key=lambda edge: number_of.setdefault(edge, len(number_of))):
            branches.append(self.branch(edge, self._united(below[edge])))
        return self.trie(self.union(sets), tuple(branches))

    def _within(self, trie: Trie, bits: int, flags: bytes) -> Trie:
        """A trie of those of its ids alone that are among some, which are given as the bits of a number and as a byte for each id."""
        every = self._every(trie)
        kept = every.bits & bits, _among(every.few, flags)
        if kept == (every.bits, every.few):
            return trie
        if kept == (0, ()):
            return self._empty
        branches = []
        for branch in trie.branches:
            below = self._within(branch.below, bits, flags)
            if below is not self._empty:
                branches.append(self.branch(branch.edge, below))
        return self.trie(self.ids(trie.ids.bits & bits, _among(trie.ids.few, flags)), tuple(branches))

    def _every(self, trie: Trie) -> Ids:
        if trie.every is None:
            sets = [trie.ids]
            for branch in trie.branches:
                sets.append(self._every(branch.below))
            trie.every = self.union(sets)
        return trie.every


def _among(few: tuple[int, ...], flags: bytes) -> tuple[int, ...]:
    """Those of some ids whose byte is not 0."""
    return tuple(compress(few, map(flags.__getitem__, few)))
