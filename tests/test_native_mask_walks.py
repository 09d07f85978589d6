"""Masks whose tries the native core walks, against those that Python walks: the same after every token of programs and of broken ones."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.native import core
from simpy_grammar.table_cache import load_tables
from tests.sample_programs import COMMENTED, UNFINISHED
from tests.small_tokenizers import SMALL
from tests.test_constrain import PROGRAM
from tests.test_constrain_python import LAYOUTS
from tokenizer_ext import extend
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, masks, native_tries, trie_cache
from tokenizer_ext.constrain.lexers import lexer_of
from tokenizer_ext.constrain.masks import Masks
from tokenizer_ext.constrain.native_walks import NativeWalks, walks_by_core
from tokenizer_ext.constrain.states import State
from transpiler import encode

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")
KINDS = [
    ("byte_bpe", "classic"),
    ("tiktoken_small", "dense"),
    ("sentencepiece_dummy", "dense-newline"),
    ("tiktoken_small", "dense-aliases-64"),
    ("byte_bpe", "python"),
    ("sentencepiece_dummy", "python"),
]
SOURCES = [
    PROGRAM,
    LAYOUTS,
    *COMMENTED,
    *UNFINISHED,
    "match (a):\n\tcase [1, *_] if b: x = f'{a!r:>{b}}é'\n",
    "if a:\n  if b: \\\n   c\n # d\n",
]


def constrained(name: str, dialect: str) -> tuple[Constraint, list[list[int]]]:
    """A constraint and programs as ids."""
    tokenizer = SMALL[name]()
    if Dialect.load(dialect).is_python:
        programs = adapter_of(tokenizer).ordinary([]).encode(SOURCES)
    else:
        tokenizer = extend(tokenizer, dialect=dialect)
        codec = Codec(tokenizer, dialect=dialect)
        programs = [codec.encode(encode(source, dialect=dialect, verify=False)) for source in SOURCES]
    return Constraint(tokenizer, dialect=dialect, ends=()), programs


def masks_of(constraint: Constraint, state: State) -> tuple[int, ...]:
    """The masks of the core in each reading of a text; they are those of Python."""
    walked = constraint._engine.masks
    native = walked._native
    assert native is not None
    asked = [(one.state, state._rest, state._shorn, one.stack) for one in state._readings]
    found = tuple(walked.bits(*one) for one in asked)
    assert found == tuple(native.bits(*one) for one in asked) == tuple(walked._walked_bits(*one) for one in asked)
    return found


def states(constraint: Constraint, programs: list[list[int]], random: Random) -> Iterator[State]:
    """The states of programs after each id, with some ids that do not belong there and some left out."""
    for ids in programs:
        state: State | None = constraint.start()
        for number in ids:
            if state is None:
                break
            yield state
            chance = random.random()
            if chance < 0.02:
                state = state.after(random.choice(list(state.mask()) or [0])) or state
            after = state.after(number) if chance < 0.98 else state
            state = after or state.after(random.choice(list(state.mask()) or [0]))


@pytest.mark.parametrize("way", ["from Python", "from the core", "from the cache"])
@pytest.mark.parametrize(("name", "dialect"), KINDS)
def test_masks_are_those_of_python(way: str, name: str, dialect: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load_tables(lexer_of(Dialect.load(dialect)).dialect)
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path))
    monkeypatch.setattr(native_tries, "SMALL", 0 if way == "from the core" else sys.maxsize)
    monkeypatch.setattr(trie_cache, "LARGE", 0 if way == "from the cache" else sys.maxsize)
    random = Random(f"{way} {name} {dialect}")
    constraint, programs = constrained(name, dialect)
    places = 0
    for state in states(constraint, [ids[:120] for ids in random.sample(programs, 10)], random):
        masks_of(constraint, state)
        places += 1
    assert places > 60


@pytest.fixture(scope="module")
def classic() -> tuple[Constraint, list[list[int]]]:
    return constrained("tiktoken_small", "classic")


def test_what_the_core_cannot_do_python_does(classic: tuple[Constraint, list[list[int]]], monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        refused = False

        def __getattr__(self, name: str) -> Any:
            Refusing.refused = name not in ("start_walks", "size_of_walks") and random.random() < 0.2
            return (lambda *_: None) if Refusing.refused else getattr(core, name)

    constraint, programs = classic
    walked = constraint._engine.masks
    random = Random(5)
    native = walks_by_core(walked._lexer, walked._tries)
    assert native is not None
    native._core = Refusing()
    monkeypatch.setattr(walked, "_native", native)
    cannot = 0
    for state in states(constraint, programs[:4], random):
        (one,) = state._readings
        asked = one.state, state._rest, state._shorn, one.stack
        cannot += native.bits(*asked) is None
        assert walked.bits(*asked) == walked._walked_bits(*asked)
    assert cannot
    native._has_all = False  # the core has refused a shelf: what it knows still counts
    assert native.bits(*asked) in (None, walked._walked_bits(*asked))
    other = constraint.start("x='")._readings[0]
    assert native.bits(other.state, state._rest, True, other.stack) is None


def test_memory_is_bounded(classic: tuple[Constraint, list[list[int]]], monkeypatch: pytest.MonkeyPatch) -> None:
    constraint, programs = classic
    engine = constraint._engine
    small = Masks(engine.lexer, engine.tables)
    begun: list[NativeWalks | None] = []
    for state in states(constraint, programs[:3], Random(6)):
        (one,) = state._readings
        asked = one.state, state._rest, state._shorn, one.stack
        assert small.bits(*asked) == engine.masks.bits(*asked)
        if small._native not in begun:
            assert small._native is not None
            begun.append(small._native)
            monkeypatch.setattr(masks, "_MOST", small._native.kept + 3_000_000)
    assert len(begun) > 2
    assert begun[0] is not None and begun[-1] is not None and begun[0].kept > 0


def test_numbers_that_stand_for_nothing(classic: tuple[Constraint, list[list[int]]]) -> None:
    """What Python never says is refused, whatever it is."""
    assert core is not None
    lexer = classic[0]._engine.lexer
    tables = lexer.automaton.tables
    assert tables.native is not None
    capsule, count, keys = tables.native[0], len(tables), len(tables.tokens)
    states_said = array("I", [0] * count).tobytes(), bytes(count), bytes(count)
    wrong: list[tuple[Any, ...]] = [
        (capsule, -1, -1, -1, *states_said, bytes(18)),
        (capsule, 8, keys, keys, *states_said, bytes(18)),
        (capsule, 8, -1, 1, *states_said, bytes(18)),
        (capsule, 8, -1, -1, *states_said, bytes(17)),
        (capsule, 8, -1, -1, states_said[0][4:], *states_said[1:], bytes(18)),
        (capsule, 8, -1, -1, states_said[0], bytes([9]) * count, bytes(count), bytes(18)),
    ]
    assert [core.start_walks(*one) for one in wrong] == [None] * len(wrong)
    walks = core.start_walks(capsule, 9, -1, -1, *states_said, bytes(18))
    none = 0xFFFFFFFF

    def said(*numbers: int) -> bytes:
        return array("I", numbers).tobytes()

    edge = said(0, 0, 0, none, 0, 0, 0, 0)
    wrong = [
        (1, b"", b"", b"", b""),  # a shelf that does not follow
        (0, said(0, 0, 0), b"", b"", b""),
        (0, said(keys + 2, 0, 0, none, 1, 0, 0, 0), b"", b"", b""),
        (0, said(0, 0, 6, none, 0, 0, 0, 0), b"", b"", b""),
        (0, said(0, 0, 0, keys, 0, 0, 0, 0), b"", b"", b""),
        (0, said(0, 0, 0, none, 1, 0, 0, 0), b"", b"", b""),  # an indent that is a token
        (0, said(0, 0, 0, none, 0, 0, 0, 1), b"", b"", b""),
        (0, said(0, 0, 0, none, 0, 0, 0, 1, keys + 2), b"", b"", b""),
        (0, b"", said(2, 1), b"", b""),
        (0, b"", said(none), b"\1", b""),
        (0, b"", b"", b"\1", b""),
        (0, b"", b"", bytearray(), b""),
        (0, b"", b"", b"", said(0, 0)),
        (0, b"", said(0), b"", said(0)),
        (0, edge, said(0), b"", said(0, 1, 0, 0)),  # a trie below itself
        (0, b"", said(0), b"", said(0, 1, 7, 0)),
    ]
    assert [core.add_shelf(core.start_walks(capsule, 9, -1, -1, *states_said, bytes(18)), *one) for one in wrong] == [None] * len(wrong)
    # sets that are none: out of order, beyond the size, and bits beyond it
    sets = said(2, 4, 3, 1, 9, none, none, 1, 8)
    assert core.add_shelf(walks, 0, edge, sets, b"\0\2\1\1", said(*(number for at in range(5) for number in (at, 0)))) is True
    assert [core.walk_trie(walks, 0, at, 0, 0) for at in range(3)] == [None] * 3
    bits, few = core.walk_trie(walks, 0, 3, 0, 0), core.walk_trie(walks, 0, 4, 0, 0)
    assert bits[1] == few[1] == 0 and core.unite_sets(walks, (bits[0], few[0])) == b"\1\1"
    assert core.unite_sets(walks, (1000,)) is core.unite_sets(walks, (2**60,)) is None
    asked = [(1, 0, 0, 0), (0, 5, 0, 0), (0, 0, count, 0), (0, 0, 0, 1), (-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, -1, 0), (0, 0, 0, -1)]
    assert [core.walk_trie(walks, *one) for one in asked] == [None] * len(asked)
    assert [core.walk_further(walks, *one) for one in ((1, 0), (-1, 0), (0, count), (0, -1))] == [None] * 4
    assert core.walk_further(walks, 0, 0) == (0, 0)
    assert core.add_block(walks, 0, 0, 0) == core.add_block(walks, 0, 0, 0) == 1
    assert core.add_block(walks, 2, 0, 0) is None
    with pytest.raises(TypeError):
        core.unite_sets(walks, [0])
    with pytest.raises(TypeError):
        core.unite_sets(walks, ("a",))
    with pytest.raises(ValueError, match="PyCapsule"):
        core.walk_further(capsule, 0, 0)
