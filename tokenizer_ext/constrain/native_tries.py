"""The tries of a vocabulary, made by the native core: this hands over the vocabulary and, as it is asked for, what the lexer does.

What the core makes is what ``tokenizer_ext.constrain.trees`` and ``tokenizer_ext.constrain.tries`` make together.
"""

from __future__ import annotations

from _thread import RLock
from array import array
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from simpy_grammar.native import core
from simpy_grammar.tables import Key
from tokenizer_ext.constrain.layouts import BEGUN, LAYOUT
from tokenizer_ext.constrain.lexer import Branches, Edge, Lexer, LexerState, Path
from tokenizer_ext.constrain.shelf import Exported
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Spellings

SMALL = 2_000
"""Ids below which Python makes the few tries that are asked for sooner than it could tell the core of the lexer."""
_MOST_SYMBOLS = 256
_ALL = 0xFFFFFFFF  # what is asked for: all that is to be said of a state
_IS_START, _IN_LITERAL, _IN_CODE, _BEGINS_LINE = 1, 2, 4, 8
_OF_STATES, _OF_WALK, _OF_SHORN = range(3)
_LONGEST_LINE = 100  # blanks that a line is told to begin with at once
_RUNS = {" ": 8, "\t": 16}  # how many of these are told of at once elsewhere, and tabs everywhere
_BLANKS, _NO_CODE = " \t\f", "\n#\\\r"


class LexerRecords:
    """What a lexer does, as numbers that the core reads: each record is given once, and refers to those given before.

    Args:
        lexer: the lexer.

    Attributes:
        symbols: symbol -> its number, the same for those that no pattern tells apart.
        edges: the edges, by number.
    """

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        numbers = {symbol: at for at, symbol in enumerate(lexer.alphabet)}
        self.symbols = {symbol: numbers[one] for symbol, one in lexer.same.items()}
        self.keys: dict[Key, int] = {key: at for at, key in enumerate((*lexer.automaton.token_of, LAYOUT, BEGUN))}
        self.edges: list[Edge] = []
        self._edge_numbers: dict[Edge, int] = {}
        self._follower_numbers: dict[tuple[Key, str], int] = {}
        self._list_numbers: dict[tuple[tuple[Path, LexerState | int], ...], int] = {}
        self._step_numbers: dict[int, int] = {}  # by the identity of lists, which are kept, since many states have the same ones
        self._numbered: list[Branches] = []
        self._modes: dict[str, int] = {}
        self._told: set[LexerState] = set()
        self._stepped: set[LexerState] = set()
        self._empty()

    def _empty(self) -> None:
        self._followers, self._edges, self._lists, self._states, self._steps = (array("I") for _ in range(5))
        self._counts = [0] * 5

    def taken(self) -> bytes:
        """The records since the last time."""
        parts = (self._followers, self._edges, self._lists, self._states, self._steps)
        found = b"".join(array("I", (count,)).tobytes() + part.tobytes() for count, part in zip(self._counts, parts, strict=True))
        self._empty()
        return found

    def tell(self, state: LexerState) -> None:
        """Say of a state all but where symbols lead."""
        if state in self._told:
            return
        self._told.add(state)
        lexer = self.lexer
        flags = _IS_START * state.is_start | _IN_LITERAL * lexer.in_literal(state)
        flags |= _IN_CODE * (state.mode in lexer.code) | _BEGINS_LINE * lexer.begins_line(state)
        begun = self._list(lexer.begun(state))
        resolved = self._list(tuple(dict.fromkeys((path, 0) for path, _ in lexer.resolutions(state))))
        relevant = {self.symbols[symbol] for symbol in lexer.relevant(state)}
        mode = self._modes.setdefault(state.mode, len(self._modes))
        self._states.extend((state.number, flags, mode, begun, resolved, len(relevant), *relevant))
        self._counts[3] += 1

    def tell_steps(self, state: LexerState) -> None:
        """Say where each symbol leads from a state."""
        if state not in self._stepped:
            self._stepped.add(state)
            found = self.lexer.steps(state)
            numbers = self._step_numbers
            for branches in found:
                if id(branches) not in numbers:
                    numbers[id(branches)] = self._list(branches)
                    self._numbered.append(branches)
            self._steps.extend((state.number, 0, len(found), *map(numbers.__getitem__, map(id, found))))
            self._counts[4] += 1

    def answer(self, state: LexerState, symbol: int) -> None:
        """Say what the core has asked for: where a symbol leads from a state, or all that is to be said of it."""
        self.tell(state)
        if not self.lexer.begins_line(state):
            self.tell_steps(state)
        elif symbol != _ALL:
            one, begins = self.lexer.alphabet[symbol], state is self.lexer.beginning or state in self.lexer.starts
            for _ in range(_LONGEST_LINE if one == " " and begins else _RUNS.get(one, 1)):
                branches = self.lexer.step(state, one)
                self._steps.extend((state.number, symbol, 1, self._list(branches)))
                self._counts[4] += 1
                if one in _RUNS:
                    ((_, state),) = branches
                    self.tell(state)

    def _list(self, branches: tuple[tuple[Path, LexerState | int], ...]) -> int:
        found = self._list_numbers.get(branches)
        if found is None:
            numbers = [len(branches)]
            for path, to in branches:
                numbers += (to if isinstance(to, int) else to.number, len(path), *map(self._edge, path))
            found = self._list_numbers[branches] = len(self._list_numbers)
            self._lists.extend(numbers)
            self._counts[2] += 1
        return found

    def _edge(self, edge: Edge) -> int:
        found = self._edge_numbers.get(edge)
        if found is None:
            found = self._edge_numbers[edge] = len(self.edges)
            self.edges.append(edge)
            self._edges.extend((self.keys[edge.key], self._follower_set(edge.key, edge.mode)))
            self._counts[1] += 1
        return found

    def _follower_set(self, key: Key, mode: str) -> int:
        found = self._follower_numbers.get((key, mode))
        if found is None:
            found = self._follower_numbers[key, mode] = len(self._follower_numbers)
            keys = [self.keys[one] for one in self.lexer.followers(key, mode) if one in self.keys]
            self._followers.extend((len(keys), *keys))
            self._counts[0] += 1
        return found


class NativeTries:
    """Makes tries in the core.

    Args:
        tables: the tables of the vocabulary.

    Attributes:
        lock: held by the one thread that uses the core, and by who asks for numbers and then for what they stand for.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.lock = RLock()
        self._vocabulary = tables.vocabulary
        self._records = LexerRecords(tables.lexer)
        self._translation = {ord(symbol): chr(number) for symbol, number in self._records.symbols.items()}
        self._bytes = bytes(ord(self._translation.get(code, chr(code))) for code in range(256))
        lines = [bytes(sorted(self._records.symbols[symbol] for symbol in symbols)) for symbols in (_BLANKS, _NO_CODE)]
        self._core: Any = core
        self._walker = self._core.start_masks(len(tables.lexer.alphabet), len(self._records.keys), self._vocabulary.size, *lines)
        self._is_behind = False  # the core lacks records that it will not be given again
        self._forests: dict[Rest, int | None] = {}
        blank = self._vocabulary.dummy
        self._blank = self._records.symbols[blank] if blank else _MOST_SYMBOLS

    @property
    def edges(self) -> list[Edge]:
        """The edges, by number."""
        return self._records.edges

    def numbers(self, states: Sequence[LexerState], rest: Rest = WHOLE, shorn: bool = False) -> Sequence[int] | None:
        """The numbers of the tries of states; ``None`` where the core cannot make one."""
        if not states:
            return ()
        with self.lock:
            return self._numbers(states, rest, shorn)

    def _numbers(self, states: Sequence[LexerState], rest: Rest, shorn: bool) -> Sequence[int] | None:
        if self._walker is None or self._is_behind or (shorn and not self._blank_stands_alone):
            return None
        forest = self._forest(rest)
        if forest is None or self._forest(WHOLE) != 0:
            return None
        records, of = self._records, self._tables.lexer.states
        self._is_behind = True  # unless this comes to its end: what counts as told may be lost before the core has it
        for state in states:
            records.answer(state, _ALL)
        wanted = array("I", (state.number for state in states)).tobytes()
        kind = _OF_SHORN if shorn else _OF_WALK if rest.left else _OF_STATES
        while self._core.learn_lexer(self._walker, records.taken()):
            found = self._core.find_tries(self._walker, kind, wanted, self._blank if shorn else forest)
            if found is None or not found[1]:
                self._is_behind = False
                return None if found is None else array("I", found[0])
            asked = array("I", found[1])
            for at in range(0, len(asked), 2):
                records.answer(of[asked[at]], asked[at + 1])
        return None

    def exported(self, sets: int, tries: int) -> Exported:
        """The sets and tries that have been made, from some numbers on."""
        with self.lock:
            found: Exported = self._core.export_tries(self._walker, sets, tries)
        return found

    @property
    def _blank_stands_alone(self) -> bool:
        """Whether no other symbol is taken for the blank that ids lose."""
        return [*self._records.symbols.values()].count(self._blank) == 1

    def _forest(self, rest: Rest) -> int | None:
        if rest not in self._forests:
            self._forests[rest] = self._planted(self._vocabulary.continuing(rest) if rest.left else self._vocabulary.spellings, rest)
        return self._forests[rest]

    def _planted(self, spellings: Spellings, before: Rest) -> int | None:
        symbols, rests = spellings
        kinds: dict[tuple[Rest, bool], int] = {(WHOLE, False): 0}
        of_kind = {number: kinds.setdefault((rest, False), len(kinds)) for number, rest in rests.items()}
        if not before.left:
            of_kind.update((number, kinds.setdefault((WHOLE, True), len(kinds))) for number in self._vocabulary.atomic)
        texts = list(symbols.values())
        own = len(texts) - sum(map(self._vocabulary.own.__contains__, symbols))  # these come last, and alone have tokens in angle brackets
        try:
            text = "".join(texts[:own]).encode("latin-1").translate(self._bytes)
            text += "".join(texts[own:]).translate(self._translation).encode("latin-1")
            named = bytes(map(of_kind.get, symbols, repeat(0)))
        except ValueError:  # more symbols or kinds than the core can tell apart
            return None
        sizes, ids = array("I", map(len, texts)).tobytes(), array("I", symbols).tobytes()
        found: int | None = self._core.add_forest(self._walker, text, sizes, ids, named, bytes(one for _, one in kinds))
        return found


def made_by_core(tables: Tables) -> NativeTries | None:
    """What makes the tries of a vocabulary; ``None`` if that is better left to Python."""
    if core is None or len(tables.lexer.alphabet) > _MOST_SYMBOLS or len(tables.vocabulary.spellings.symbols) < SMALL:
        return None
    return NativeTries(tables)
