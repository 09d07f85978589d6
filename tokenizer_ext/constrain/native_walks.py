"""Masks by the native core: it walks the tries, and this keeps what it has found for the stacks that come.

What the core finds is what the walks of ``tokenizer_ext.constrain.masks`` find. Its answers are numbers, for a set of ids and for what is
open (0 if nothing is). Each is asked for once; from then on a mask is a few look-ups here.
"""

from __future__ import annotations

from array import array
from typing import Any

from simpy_grammar.native import core, tables_in_core
from simpy_grammar.simpy_lexer import STATEMENTS
from simpy_grammar.tables import Key
from tokenizer_ext.constrain.layouts import BEGUN, DEDENT, INDENT, LAYOUT, Indents
from tokenizer_ext.constrain.lexer import IN_CODE_BRACKET, Edge, Lexer, LexerState
from tokenizer_ext.constrain.shelf import Shelf
from tokenizer_ext.constrain.stacks import CLOSERS, OPENERS, Stack, stands
from tokenizer_ext.constrain.trie_cache import NumberedTries
from tokenizer_ext.constrain.tries import Tries
from tokenizer_ext.constrain.utf8 import Rest

_OTHER, _OPENS, _OPENS_FIELD, _CLOSES, _BEGINS = range(5)
_NONE = 0xFFFFFFFF
_INNERMOST = ("", "(", "FIELD_START")  # what a token may stand in, in the order of the core
_STEP = 3_000  # bits that an answer takes here


class _CannotError(Exception):
    """The core cannot walk this."""


class _Open(dict[int, "tuple[int, _Open | None]"]):
    """What is open: the state below -> the number of a set of ids, and what is open then."""

    __slots__ = ("number", "walks")
    __hash__ = object.__hash__  # type: ignore[assignment]  # equal ones are the same object

    def __init__(self, walks: NativeWalks, number: int) -> None:
        self.walks = walks
        self.number = number

    def __missing__(self, below: int) -> tuple[int, _Open | None]:
        found = self[below] = self.walks.further(self.number, below)
        return found


class NativeWalks:
    """Masks whose tries the core walks.

    Args:
        lexer: the lexer of the dialect.
        tries: those of the vocabulary.
        tables: those of the dialect, as the core has them.

    Attributes:
        kept: how many bits are kept, those of the tries too.
    """

    def __init__(self, lexer: Lexer, tries: Tries, tables: Any) -> None:
        self._core: Any = core
        self._tries = tries
        self._lexer = lexer
        automaton = lexer.automaton
        self._keys: dict[Key, int] = {automaton.key_of[token]: at for at, token in enumerate(automaton.tables.tokens)}
        self._keys |= {LAYOUT: len(self._keys), BEGUN: len(self._keys) + 1}
        self._modes: dict[str, int] = {"": 0}
        modes = array("I", (self._mode(mode) for mode in lexer.modes))
        shifted = bytes(map(_shifted, automaton.tables.shifted))
        fresh = bytes(state in lexer.fresh for state in range(len(shifted)))
        allowed = bytes(stands(where, innermost) for where in range(IN_CODE_BRACKET + 1) for innermost in _INNERMOST)
        keys = self._keys.get(INDENT, -1), self._keys.get(DEDENT, -1)
        self._walks: Any = self._core.start_walks(tables, tries.size, *keys, modes.tobytes(), shifted, fresh, allowed)
        self._shelves: dict[Shelf | NumberedTries, tuple[int, list[int]]] = {}
        self._own = NumberedTries(tries.width)
        self._tries_of: dict[tuple[LexerState, Rest, bool], tuple[int, int]] = {}
        self._blocks: dict[Indents, int] = {(): 0}
        self._opens: dict[int, _Open | None] = {0: None}
        self._begun: dict[tuple[LexerState, Rest, bool, int, Indents], tuple[int, _Open | None]] = {}
        self._masks: dict[tuple[int, ...], int] = {}
        self._numbers: dict[int, int] = {}  # equal masks are the same object
        self._has_all = True  # the core has been given all that it was to be given
        self._bits = 0
        self.kept = 0

    @property
    def is_made(self) -> bool:
        """Whether the core can walk over these tables at all."""
        return self._walks is not None

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack) -> int | None:
        """The ids that may come next, as the bits of a number; ``None`` if the core cannot say."""
        node, frames, indents = stack
        key = state, rest, shorn, node.state, indents
        try:
            ids, open_ = self._begun.get(key) or self._begin(key)
            sets = [ids]
            while open_ is not None:
                below = node.below
                if below is None:
                    if frames is None:
                        break
                    below, frames = frames
                node = below
                ids, open_ = open_[node.state]
                if ids:
                    sets.append(ids)
            which = tuple(sets)
            bits = self._masks.get(which)
            return self._united(which) if bits is None else bits
        except _CannotError:
            return None

    def further(self, number: int, below: int) -> tuple[int, _Open | None]:
        """What the core finds with one more state below."""
        return self._answer(self._core.walk_further(self._walks, number, below))

    def _begin(self, key: tuple[LexerState, Rest, bool, int, Indents]) -> tuple[int, _Open | None]:
        state, rest, shorn, top, indents = key
        blocks = self._blocks.get(indents)
        if blocks is None:
            blocks = self._number_of(indents)
        place = self._tries_of.get((state, rest, shorn)) or self._placed(state, rest, shorn)
        found = self._begun[key] = self._answer(self._core.walk_trie(self._walks, *place, top, blocks))
        return found

    def _answer(self, found: tuple[int, int] | None) -> tuple[int, _Open | None]:
        self._bits += _STEP
        self.kept = self._bits + 8 * self._core.size_of_walks(self._walks) + self._tries.bits
        if found is None:
            raise _CannotError
        ids, number = found
        if number not in self._opens:
            self._opens[number] = _Open(self, number)
        return ids, self._opens[number]

    def _united(self, which: tuple[int, ...]) -> int:
        found = self._core.unite_sets(self._walks, which)
        if found is None:
            raise _CannotError
        bits = int.from_bytes(found, "little")
        bits = self._masks[which] = self._numbers.setdefault(bits, bits)
        self._bits += bits.bit_length()
        self.kept += bits.bit_length()
        return bits

    def _number_of(self, indents: Indents) -> int:
        found = 0
        for at, (column, narrow) in enumerate(indents, 1):
            if indents[:at] not in self._blocks:
                made = self._core.add_block(self._walks, found, column, narrow)
                if made is None:
                    raise _CannotError
                self._blocks[indents[:at]] = made
            found = self._blocks[indents[:at]]
        return found

    def _placed(self, state: LexerState, rest: Rest, shorn: bool) -> tuple[int, int]:
        """The shelf that the trie of a state is on, and its number there."""
        if not self._has_all:
            raise _CannotError
        placed = self._tries.placed(state, rest, shorn)
        shelf, number = placed or (self._own, self._own.number(self._tries.of(state, rest, shorn)))
        found = self._tries_of[state, rest, shorn] = self._shelved(shelf), number
        return found

    def _shelved(self, shelf: Shelf | NumberedTries) -> int:
        """The number of a shelf in the core, which is given what has come onto it."""
        place, told = self._shelves.setdefault(shelf, (len(self._shelves), [0, 0]))
        parts = shelf.exported[told[0] :]
        for sets, bits, tries in parts:
            edges = b"".join(map(self._edge, shelf.edges[told[1] :]))
            self._has_all = False  # unless it takes this
            if not self._core.add_shelf(self._walks, place, edges, sets, bits, tries):
                raise _CannotError
            self._has_all = True
            told[:] = told[0] + 1, len(shelf.edges)
        return place

    def _edge(self, edge: Edge) -> bytes:
        keys = self._keys
        refused = _NONE if edge.refused is None else keys[edge.refused]
        numbers = [keys[edge.key], self._mode(edge.mode), edge.where, refused, edge.layout is not None, *(edge.layout or (0, 0))]
        return array("I", (*numbers, len(edge.absent), *map(keys.__getitem__, edge.absent))).tobytes()

    def _mode(self, mode: str) -> int:
        return self._modes.setdefault(mode, len(self._modes))


def _shifted(name: str | None) -> int:
    """What a shift into a state reads, as far as it matters to where a token must stand."""
    if name in OPENERS:
        return _OPENS_FIELD if name == "FIELD_START" else _OPENS
    return _CLOSES if name in CLOSERS else _BEGINS if name in STATEMENTS else _OTHER


def walks_by_core(lexer: Lexer, tries: Tries) -> NativeWalks | None:
    """What walks tries in the core; ``None`` if it does not."""
    tables = lexer.automaton.tables
    if core is None or len(lexer.automaton.token_of) != len(tables.tokens):
        return None
    native = tables_in_core(tables)
    found = NativeWalks(lexer, tries, native) if native is not None else None
    return found if found is not None and found.is_made else None
