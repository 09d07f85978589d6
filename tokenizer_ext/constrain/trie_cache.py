"""The cache of tries. Those of a large vocabulary are made at once, for all states of the lexer, and kept beside the compiled tables.

A file is named by a hash of what its tries are made from: the dialect and its tables, the vocabulary, and this code. It holds compressed
lines: the size of a set in bytes, and as JSON the edges, the sets (where its bits begin, or -1, and its few ids), the tries (its set, and
edge and trie of each branch) and the trie of each state; then the bits of the sets.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from simpy_grammar.table_cache import cache_folder, read_kept, tables_key, write_kept
from tokenizer_ext.constrain.layouts import BEGUN, LAYOUT
from tokenizer_ext.constrain.lexer import Edge, Lexer, LexerState
from tokenizer_ext.constrain.state_names import state_name
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.tries import Branch, Ids, Trie, Tries
from tokenizer_ext.constrain.utf8 import WHOLE
from tokenizer_ext.constrain.vocabulary import Vocabulary

LARGE = 8_000  # ids from which on tries are worth a file


def load_tries(tables: Tables) -> Tries:
    """The tries of a vocabulary: from the cache, or made now and kept. Those of a small vocabulary are made when they are needed."""
    if len(tables.vocabulary.spellings) < LARGE:
        return Tries(tables)
    path = os.path.join(cache_folder(), f"{_key(tables)}.tries")
    data = read_kept(path)
    if data is not None:
        try:
            return _loaded(Tries(tables), data)
        except (ValueError, KeyError, IndexError, TypeError, zlib.error):  # a file that is not ours
            pass
    tries = Tries(tables)
    for state in states_of(tables.lexer):
        tries.known[state_name(state)] = tries.of(state)
        if tables.vocabulary.dummy and state.is_start:
            tries.known[state_name(state, shorn=True)] = tries.of(state, WHOLE, shorn=True)
    write_kept(path, _stored(tries, tables.lexer))
    return tries


def states_of(lexer: Lexer) -> list[LexerState]:
    """All states of a lexer but those that are endlessly many, whose tries are made from those of the others."""
    found = [lexer.beginning, *(state for state in lexer.starts if state is not lexer.beginning)]
    seen = set(found)
    for state in found:
        for symbol in lexer.alphabet:
            for _, to in lexer.step(state, symbol):
                if to not in seen and not lexer.is_endless(to):
                    seen.add(to)
                    found.append(to)
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
    return digest.digest()


def _vocabulary_digest(vocabulary: Vocabulary) -> bytes:
    numbers = sorted(vocabulary.spellings)
    spellings = [vocabulary.spellings[number] for number in numbers]
    begun = [(number, tuple(spelling.rest)) for number, spelling in zip(numbers, spellings, strict=True) if spelling.rest.left]
    digest = hashlib.sha256(repr((vocabulary.dummy, sorted(vocabulary.atomic), begun)).encode())
    digest.update(array("q", numbers).tobytes())
    digest.update(array("q", (len(spelling.symbols) for spelling in spellings)).tobytes())
    digest.update("".join(spelling.symbols for spelling in spellings).encode())
    return digest.digest()


def _stored(tries: Tries, lexer: Lexer) -> bytes:
    token_of = {**lexer.automaton.token_of, LAYOUT: LAYOUT, BEGUN: BEGUN}
    edges: dict[Edge, int] = {}
    sets: dict[Ids, int] = {}
    numbers: dict[Trie, int] = {}
    stored: list[list[int]] = []
    for trie in _bottom_up(tries):
        numbers[trie] = len(numbers)
        line = [sets.setdefault(trie.ids, len(sets))]
        for branch in trie.branches:
            line += edges.setdefault(branch.edge, len(edges)), numbers[branch.below]
        stored.append(line)
    width = max(((ids.bits.bit_length() + 7) // 8 for ids in sets), default=0)
    blob = bytearray()
    stored_sets = []
    for ids in sets:
        stored_sets.append([len(blob) if ids.bits else -1, *ids.few])
        blob += ids.bits.to_bytes(width if ids.bits else 0, "little")
    names = [
        (token_of[key], mode, where, None if refused is None else token_of[refused], [token_of[other] for other in absent], layout)
        for key, mode, where, refused, absent, layout in edges
    ]
    parts: list[Any] = [width, names, stored_sets, stored, {name: numbers[trie] for name, trie in tries.known.items()}]
    return zlib.compress(b"\n".join((*(json.dumps(part).encode() for part in parts), blob)), 1)


def _bottom_up(tries: Tries) -> Iterator[Trie]:
    """All tries below those of states, each after those below it."""
    done: set[Trie] = set()
    todo = list(tries.known.values())
    while todo:
        trie = todo[-1]
        below = [branch.below for branch in trie.branches if branch.below not in done]
        if below and trie not in done:
            todo += below
        else:
            todo.pop()
            if trie not in done:
                done.add(trie)
                yield trie


def _loaded(tries: Tries, data: bytes) -> Tries:
    keys = {**tries.lexer.automaton.key_of, LAYOUT: LAYOUT, BEGUN: BEGUN}
    *parts, blob = zlib.decompress(data).split(b"\n", 5)
    width, stored_edges, stored_sets, stored, known = map(json.loads, parts)
    edges = [
        Edge(
            keys[key], mode, where, None if refused is None else keys[refused], tuple(keys[one] for one in absent), layout and tuple(layout)
        )
        for key, mode, where, refused, absent, layout in stored_edges
    ]
    sets = [tries.ids(int.from_bytes(blob[at : at + width], "little") if at >= 0 else 0, few) for at, *few in stored_sets]
    made: list[Trie] = []
    for ids, *pairs in stored:
        branches: list[Branch] = [tries.branch(edges[pairs[i]], made[pairs[i + 1]]) for i in range(0, len(pairs), 2)]
        made.append(tries.trie(sets[ids], tuple(branches)))
    tries.known = {name: made[number] for name, number in known.items()}
    return tries
