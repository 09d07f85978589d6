"""The cache of tries. Those of a large vocabulary are made at once, for all states of the lexer, and kept beside the compiled tables.

A file is named by a hash of what its tries are made from: the dialect and its tables, the vocabulary, and this code. It holds, compressed,
a line of JSON with the edges, the trie of each state, and how long the parts are that follow: sets, bits and tries, as
``tokenizer_ext.constrain.shelf`` describes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from array import array
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from itertools import accumulate

from simpy_grammar.native import core
from simpy_grammar.table_cache import cache_folder, read_kept, tables_key, write_kept
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.layouts import BEGUN, LAYOUT
from tokenizer_ext.constrain.lexer import Branches, Edge, Lexer, LexerState
from tokenizer_ext.constrain.shelf import MANY_IDS, Exported, Shelf
from tokenizer_ext.constrain.state_names import state_name
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.trie import Ids, Trie
from tokenizer_ext.constrain.tries import Tries
from tokenizer_ext.constrain.utf8 import WHOLE
from tokenizer_ext.constrain.vocabulary import Vocabulary

LARGE = 8_000  # ids from which on tries are worth a file
_BLANKS = 32  # before a line


def load_tries(tables: Tables) -> Tries:
    """The tries of a vocabulary: from the cache, or made now and kept. Those of a small vocabulary are made when they are needed."""
    if len(tables.vocabulary.spellings.symbols) < LARGE:
        return Tries(tables)
    path = os.path.join(cache_folder(), f"{_key(tables)}.tries")
    data = read_kept(path)
    if data is not None:
        try:
            return _loaded(Tries(tables), data)
        except (ValueError, KeyError, IndexError, TypeError, zlib.error):  # a file that is not ours
            pass
    tries = Tries(tables)
    write_kept(path, _made(tries, [*states_of(tables.lexer), *_lines(tables.lexer)], bool(tables.vocabulary.dummy)))
    return tries


def _made(tries: Tries, states: list[LexerState], has_dummy: bool) -> bytes:
    """Make the tries of states, and say them in bytes."""
    native = tries.native
    shorn = [state for state in states if state.is_start] if has_dummy else []
    numbers = native.numbers(states) if native is not None else None
    more = native.numbers(shorn, WHOLE, shorn=True) if native is not None and numbers is not None else None
    if native is not None and numbers is not None and more is not None:
        tries.shelf = tries.made_shelf(native)
        edges = native.edges
    else:
        made = [tries.of(state) for state in states]
        made_shorn = [tries.of(state, WHOLE, shorn=True) for state in shorn]
        numbered = NumberedTries(tries.width)
        numbered.add((*made, *made_shorn))
        numbers, more = ([numbered.numbers[trie] for trie in some] for some in (made, made_shorn))
        edges = numbered.edges
        tries.shelf = Shelf(tries, edges, tries.width)
        tries.shelf.add(*numbered.exported[0])
    tries.known = {state_name(state): number for state, number in zip(states, numbers, strict=True)}
    tries.known |= {state_name(state, shorn=True): number for state, number in zip(shorn, more, strict=True)}
    exported, new = tries.shelf.packed(tries.known.values())
    return _packed(tries, edges, exported, {name: new[number] for name, number in tries.known.items()})


def states_of(lexer: Lexer) -> list[LexerState]:
    """All states of a lexer but those that are endlessly many, whose tries are made from those of the others."""
    found = [lexer.beginning, *(state for state in lexer.starts if state is not lexer.beginning)]
    seen = set(found)
    lists: dict[int, Branches] = {}  # many states have the same ones
    for state in found:
        for branches in lexer.steps(state):
            if id(branches) in lists:
                continue
            lists[id(branches)] = branches
            for _, to in branches:
                if to not in seen and not lexer.is_endless(to):
                    seen.add(to)
                    found.append(to)
    return found


def _lines(lexer: Lexer) -> list[LexerState]:
    """The states after the few blanks that a line mostly begins with, if indents matter."""
    found: list[LexerState] = []
    line = lexer.beginning
    for _ in range(_BLANKS if lexer.begins_line(line) else 0):
        ((_, line),) = lexer.step(line, " ")
        found.append(line)
    return found


def _key(tables: Tables) -> str:
    parts = [tables_key(tables.lexer.dialect).encode(), _code_digest(), _vocabulary_digest(tables.vocabulary)]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:32]


@lru_cache(maxsize=1)
def _code_digest() -> bytes:
    folder = os.path.dirname(__file__)
    digest = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                digest.update(file.read())
    if core is not None and core.__file__:
        with open(core.__file__, "rb") as built:
            digest.update(built.read())
    return digest.digest()


def _vocabulary_digest(vocabulary: Vocabulary) -> bytes:
    symbols, rests = vocabulary.spellings
    numbers = sorted(symbols)
    texts = list(map(symbols.__getitem__, numbers))
    digest = hashlib.sha256(repr((vocabulary.dummy, sorted(vocabulary.atomic), sorted(rests.items()))).encode())
    digest.update(array("q", numbers).tobytes())
    digest.update(array("q", map(len, texts)).tobytes())
    digest.update("".join(texts).encode())
    return digest.digest()


class NumberedTries:
    """Tries by number, as a shelf wants them: each after those below it.

    Args:
        width: the bytes of a set that is kept as bits.

    Attributes:
        edges: the edges by number.
        numbers: the tries.
        exported: what has been added, one for each time.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._edges: dict[Edge, int] = {}
        self._sets: dict[Ids, int] = {}
        self.edges: list[Edge] = []
        self.numbers: dict[Trie, int] = {}
        self.exported: list[Exported] = []

    def number(self, trie: Trie) -> int:
        """The number of a trie, which is added if it is new."""
        if trie not in self.numbers:
            self.add((trie,))
        return self.numbers[trie]

    def add(self, roots: Iterable[Trie]) -> None:
        """Add tries and those below them."""
        sets, numbers = self._sets, self.numbers
        stored, stored_sets, blob = array("I"), array("I"), bytearray()
        for trie in _bottom_up(roots, numbers):
            numbers[trie] = len(numbers)
            if trie.ids not in sets:
                sets[trie.ids] = len(sets)
                bits, few = trie.ids.bits, trie.ids.few
                if bits:
                    stored_sets.append(MANY_IDS)
                    blob += (bits | bits_of(few)).to_bytes(self._width, "little")
                else:
                    stored_sets.extend((len(few), *few))
            stored.extend((sets[trie.ids], len(trie.branches)))
            for branch in trie.branches:
                stored.extend((self._edge(branch.edge), numbers[branch.below]))
        self.exported.append((stored_sets.tobytes(), bytes(blob), stored.tobytes()))

    def _edge(self, edge: Edge) -> int:
        found = self._edges.get(edge)
        if found is None:
            found = self._edges[edge] = len(self.edges)
            self.edges.append(edge)
        return found


def _bottom_up(roots: Iterable[Trie], known: Container[Trie]) -> Iterator[Trie]:
    """Some tries and all below them that are not known, each after those below it; each is known when the next one is asked for."""
    todo = [trie for trie in roots if trie not in known]
    while todo:
        trie = todo[-1]
        below = [branch.below for branch in trie.branches if branch.below not in known]
        if below and trie not in known:
            todo += below
        else:
            todo.pop()
            if trie not in known:
                yield trie


def _packed(tries: Tries, edges: list[Edge], exported: Exported, known: dict[str, int]) -> bytes:
    token_of = {**tries.lexer.automaton.token_of, LAYOUT: LAYOUT, BEGUN: BEGUN}
    names = [
        (token_of[key], mode, where, None if refused is None else token_of[refused], [token_of[other] for other in absent], layout)
        for key, mode, where, refused, absent, layout in edges
    ]
    head = json.dumps([names, known, *map(len, exported)])
    return zlib.compress(b"\n".join((head.encode(), b"".join(exported))), 1)


def _loaded(tries: Tries, data: bytes) -> Tries:
    keys = {**tries.lexer.automaton.key_of, LAYOUT: LAYOUT, BEGUN: BEGUN}
    head, body = zlib.decompress(data).split(b"\n", 1)
    names, known, *sizes = json.loads(head)
    edges = [
        Edge(
            keys[key], mode, where, None if refused is None else keys[refused], tuple(keys[one] for one in absent), layout and tuple(layout)
        )
        for key, mode, where, refused, absent, layout in names
    ]
    sets, bits, stored = (body[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True))
    tries.shelf = Shelf(tries, edges, tries.width)
    tries.shelf.add(sets, bits, stored)
    tries.known = {str(name): range(tries.shelf.counts[1])[number] for name, number in known.items()}
    return tries
