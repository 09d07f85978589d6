"""Sets and tries as numbers in bytes, of which objects are made when they are asked for.

A set is how many ids it has, and these, or ``MANY_IDS``: then its bits come next among those of all such sets. A trie is the number of its
set, how many branches it has, and the numbers of an edge and of a trie for each branch; that trie has come before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Protocol

from simpy_grammar.native import core
from tokenizer_ext.constrain.lexer import Edge
from tokenizer_ext.constrain.trie import Branch, Ids, Trie

MANY_IDS = 0xFFFFFFFF
Exported = tuple[bytes, bytes, bytes]
"""Sets, the bits of those that are large, and tries."""


class Maker(Protocol):
    """Makes the objects, so that equal ones are the same: ``Tries``."""

    def ids(self, bits: int, few: Iterable[int]) -> Ids:
        """The set of the bits of a number and of some more ids."""
        ...

    def branch(self, edge: Edge, below: Trie) -> Branch:
        """The branch of a token and what comes after it."""
        ...

    def trie(self, ids: Ids, branches: tuple[Branch, ...]) -> Trie:
        """The trie of some ids and branches."""
        ...


class Shelf:
    """Tries by number.

    Args:
        tries: makes the objects.
        edges: the edges by number; more may come.
        width: the bytes of a set that is kept as bits.

    Attributes:
        edges: the argument, to which more may come.
        exported: what has been put on it, for the native core.
    """

    def __init__(self, tries: Maker, edges: Sequence[Edge], width: int) -> None:
        self._tries = tries
        self.edges = edges
        self.exported: list[Exported] = []
        self._width = width
        self._set_parts: list[tuple[int, ...] | bytes | memoryview] = []
        self._trie_parts: list[array[int]] = []
        self._sets: dict[int, Ids] = {}
        self._made: dict[int, Trie] = {}

    @property
    def counts(self) -> tuple[int, int]:
        """How many sets and tries there are."""
        return len(self._set_parts), len(self._trie_parts)

    def add(self, sets: bytes, bits: bytes, tries: bytes) -> None:
        """Put more sets and tries on the shelf.

        Raises:
            ValueError: these are none.
        """
        numbers, blob, at, place, width = array("I", sets), memoryview(bits), 0, 0, self._width
        while at < len(numbers):
            count = numbers[at]
            at += 1
            if count == MANY_IDS:
                self._set_parts.append(blob[place : place + width])
                place += width
            else:
                self._set_parts.append(tuple(numbers[at : at + count]))
                at += count
        if at != len(numbers) or place != len(bits):
            raise ValueError("the bytes do not hold sets")
        numbers, at = array("I", tries), 0
        known = len(self._set_parts)
        while at < len(numbers):
            end = at + 2 + 2 * numbers[at + 1]
            part = numbers[at:end]
            below = part[3::2]
            if end > len(numbers) or part[0] >= known or (below and max(below) >= len(self._trie_parts)):
                raise ValueError("the bytes do not hold tries")
            self._trie_parts.append(part)
            at = end
        if core is not None and (sets or tries):
            self.exported.append((sets, bits, tries))

    def packed(self, roots: Iterable[int]) -> tuple[Exported, dict[int, int]]:
        """Some tries and those below them, without all others, and the new number of each."""
        sets: dict[int, int] = {}
        numbers: dict[int, int] = {}
        stored, stored_sets, blob = array("I"), array("I"), bytearray()
        parts = self._trie_parts
        wanted = set(roots)
        todo = list(wanted)
        while todo:
            more = set(parts[todo.pop()][3::2]) - wanted
            wanted |= more
            todo += more
        for number in sorted(wanted):  # each after those below it
            part = parts[number]
            ids = sets.get(part[0])
            if ids is None:
                ids = sets[part[0]] = len(sets)
                own = self._set_parts[part[0]]
                if isinstance(own, tuple):
                    stored_sets.extend((len(own), *own))
                else:
                    stored_sets.append(MANY_IDS)
                    blob += own
            part = part[:]
            part[0] = ids
            part[3::2] = array("I", map(numbers.__getitem__, part[3::2]))
            numbers[number] = len(numbers)
            stored += part
        return (stored_sets.tobytes(), bytes(blob), stored.tobytes()), numbers

    def trie(self, number: int) -> Trie:
        """The trie of a number."""
        made, parts, edges, tries = self._made, self._trie_parts, self.edges, self._tries
        todo = [number]
        while todo:
            one = todo[-1]
            missing = [below for below in parts[one][3::2] if below not in made] if one not in made else []
            if missing:
                todo += missing
                continue
            todo.pop()
            if one not in made:
                part = parts[one]
                branches: list[Branch] = [tries.branch(edges[part[i]], made[part[i + 1]]) for i in range(2, len(part), 2)]
                made[one] = tries.trie(self._ids(part[0]), tuple(branches))
        return made[number]

    def _ids(self, number: int) -> Ids:
        found = self._sets.get(number)
        if found is None:
            part = self._set_parts[number]
            found = self._tries.ids(0, part) if isinstance(part, tuple) else self._tries.ids(int.from_bytes(part, "little"), ())
            self._sets[number] = found
        return found
