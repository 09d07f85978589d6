"""What ids do in a lexer state, in one tree: the tokens that they decide, and those that what they leave can still become.

A table (``tokenizer_ext.constrain.trees``) keeps these apart, and leaves to other tables what ids do there. A mask asks only what the
parser must take so that ids may come. With the vocabulary `b`, `(`, ` b`, while a name is under way:

    NAME       `b`
      (        `(`
      " "      (nothing)
        NAME   ` b`
        ...

Equal tries are the same object, and most tries are found below many others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tokenizer_ext.constrain.lexer import Edge, LexerState
from tokenizer_ext.constrain.trees import Leaf, Table, Tables, Tree, bits_of
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_MANY = 128  # ids from which on they are kept as bits


class Ids(NamedTuple):
    """A set of ids: as the bits of a number if they are many, and those that are few."""

    bits: int = 0
    few: tuple[int, ...] = ()


NO_IDS = Ids()


def union(sets: Iterable[Ids]) -> Ids:
    """All ids of some sets."""
    bits = 0
    few: set[int] = set()
    for one in sets:
        if one.bits:
            bits = bits | one.bits if bits else one.bits
        if one.few:
            few.update(one.few)
    if len(few) >= _MANY:
        bits |= bits_of(few)
        few.clear()
    return Ids(bits, tuple(sorted(few))) if bits or few else NO_IDS


class Branch:
    """A token that must be taken, and what comes after it. Equal branches are the same object."""

    __slots__ = ("absent", "below", "edge", "key", "mode", "plain", "refused", "where")

    def __init__(self, edge: Edge, below: Trie) -> None:
        self.edge = edge
        self.key, self.mode, self.where, self.refused, self.absent = edge
        self.below = below
        self.plain = edge.refused is None


class Trie:
    """What ids do from some place on. Equal tries are the same object.

    Attributes:
        ids: the ids that ask for nothing more.
        branches: the tokens that others ask for.
    """

    __slots__ = ("branches", "ids")

    def __init__(self, ids: Ids, branches: tuple[Branch, ...]) -> None:
        self.ids = ids
        self.branches = branches


class Tries:
    """The tries of a vocabulary, each made when it is first needed.

    Args:
        tables: the tables of the vocabulary.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._tries: dict[tuple[Ids, tuple[Branch, ...]], Trie] = {}
        self._branches: dict[tuple[Edge, Trie], Branch] = {}
        self._of: dict[tuple[LexerState, Rest, bool], Trie] = {}
        self.empty = self.trie(NO_IDS, ())

    def of(self, state: LexerState, rest: Rest = WHOLE, shorn: bool = False) -> Trie:
        """The trie of a lexer state; see ``Tables.table``."""
        key = state, rest, shorn
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = self._table(self._tables.table(state, rest, shorn))
        return found

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

    def _table(self, table: Table) -> Trie:
        parts = [self._tree(table.tree)]
        for link in table.links:
            if isinstance(link.then.target, LexerState):
                parts.append(self._after(link.then.path, self._within(self.of(link.then.target), link.bits, {})))
        return self._united(parts)

    def _tree(self, tree: Tree) -> Trie:
        parts = [part for leaf in tree.leaves for part in self._leaf(leaf)]
        parts += [self._after((edge,), self._tree(below)) for edge, below in tree.branches]
        return self._united(parts)

    def _leaf(self, leaf: Leaf) -> list[Trie]:
        whole = self.trie(Ids(leaf.bits, tuple(sorted(leaf.ids))), ())
        return [self._after(path, whole) for path, _ in leaf.endings if path] or [whole]

    def _after(self, path: tuple[Edge, ...], trie: Trie) -> Trie:
        """A trie after some tokens."""
        for edge in reversed(path):
            trie = self.trie(NO_IDS, (self.branch(edge, trie),))
        return trie

    def _united(self, tries: list[Trie]) -> Trie:
        """What several tries hold."""
        tries = [trie for trie in dict.fromkeys(tries) if trie is not self.empty]
        if len(tries) < 2:
            return tries[0] if tries else self.empty
        below: dict[Edge, list[Trie]] = {}
        for trie in tries:
            for branch in trie.branches:
                below.setdefault(branch.edge, []).append(branch.below)
        branches = tuple(self.branch(edge, self._united(parts)) for edge, parts in below.items())
        return self.trie(union(trie.ids for trie in tries), branches)

    def _within(self, trie: Trie, bits: int, known: dict[Trie, Trie]) -> Trie:
        """A trie of those ids alone that are among some."""
        found = known.get(trie)
        if found is None:
            below = ((branch, self._within(branch.below, bits, known)) for branch in trie.branches)
            branches = tuple(self.branch(branch.edge, kept) for branch, kept in below if kept is not self.empty)
            few = tuple(number for number in trie.ids.few if bits >> number & 1)
            found = known[trie] = self.trie(union([Ids(trie.ids.bits & bits, few)]), branches)
        return found
