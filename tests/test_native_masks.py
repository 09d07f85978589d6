"""Masks whose tries the native core makes, against those that Python makes: the same at every place of programs and of broken ones."""

from __future__ import annotations

from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.native import core
from simpy_grammar.table_cache import load_tables
from tests.sample_programs import COMMENTED
from tests.small_tokenizers import SMALL
from tests.test_constrain import PROGRAM
from tests.test_constrain_python import LAYOUTS
from tokenizer_ext import extend
from tokenizer_ext.constrain import Constraint, native_tries, trie_cache, tries
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexers import lexer_of
from tokenizer_ext.constrain.native_tries import NativeTries
from tokenizer_ext.constrain.states import State
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.trie import Trie
from tokenizer_ext.constrain.trie_cache import states_of
from tokenizer_ext.constrain.tries import Tries
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Vocabulary
from tokenizer_ext.errors import TokenizerError
from transpiler import encode

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")
KINDS = [
    ("tiktoken_small", "dense"),
    ("byte_bpe", "classic"),
    ("sentencepiece_dummy", "classic"),
    ("sentencepiece_dummy", "python"),
    ("tiktoken_small", "python"),
    ("tiktoken_small", "dense-aliases-64"),
]


def tokenizer_of(name: str, dialect: str) -> object:
    made = SMALL[name]()
    return made if Dialect.load(dialect).is_python else extend(made, dialect=dialect)


def texts_of(dialect: str, random: Random, count: int) -> list[str]:
    """Beginnings of programs and of programs with faults."""
    sources = [PROGRAM, LAYOUTS, *COMMENTED]
    found = []
    for _ in range(count):
        source = random.choice(sources)
        text = source if dialect == "python" else encode(source, dialect=dialect, verify=False)
        text = text[: random.randrange(len(text) + 1)]
        if random.random() < 0.4 and text:
            at = random.randrange(len(text))
            text = text[:at] + random.choice("(){}[]'\"\\\n \t#.:,=0a\u00e9<") + text[at + random.randrange(2) :]
        found.append(text)
    return found


def started(constraint: Constraint, text: str) -> State | None:
    try:
        return constraint.start(text)
    except TokenizerError:
        return None


@pytest.mark.parametrize(("name", "dialect"), KINDS)
def test_masks_are_those_of_python(name: str, dialect: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load_tables(lexer_of(Dialect.load(dialect)).dialect)
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path))
    monkeypatch.setattr(native_tries, "SMALL", 0)
    tokenizer = tokenizer_of(name, dialect)
    with monkeypatch.context() as patch:
        patch.setattr(tries, "core", None)
        pure = Constraint(tokenizer, dialect=dialect, ends=())
    with monkeypatch.context() as patch:  # all at once, and from the cache
        patch.setattr(trie_cache, "LARGE", 0)
        made = [Constraint(tokenizer, dialect=dialect, ends=()) for _ in range(2)]
    made.append(Constraint(tokenizer, dialect=dialect, ends=()))  # each trie as it is needed
    random = Random(f"{name} {dialect}")
    places = 0
    for text in texts_of(dialect, random, 40):
        first = started(pure, text)
        others = [started(constraint, text) for constraint in made]
        assert [other is None for other in others] == [first is None] * len(made), text
        for _ in range(4):
            mask = first.mask() if first is not None else None
            assert all(other is None or other.mask() == mask for other in others), text
            places += 1
            if first is None or not mask:
                break
            number = random.choice(list(mask))
            first = first.after(number)
            others = [other and other.after(number) for other in others]
    assert places > 50


@pytest.mark.parametrize(("name", "dialect"), KINDS[:4])
def test_tries_are_those_of_python(name: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_tries, "SMALL", 0)
    loaded = Dialect.load(dialect)
    lexer = lexer_of(loaded)
    vocabulary = Vocabulary(tokenizer_of(name, dialect), loaded, lexer.specials, ())
    native = Tries(Tables(lexer, vocabulary))
    with monkeypatch.context() as patch:
        patch.setattr(tries, "core", None)
        pure = Tries(Tables(lexer, vocabulary))
    random = Random(name + dialect)
    states = states_of(lexer)
    if loaded.is_python:
        state = lexer.beginning
        for symbol in "  \t \f   \\\n ":
            ((_, state),) = lexer.step(state, symbol)
            states.append(state)
    rests = sorted(set(vocabulary.spellings.rests.values()))
    asked: list[tuple[int, Rest, bool]] = [(at, WHOLE, False) for at in random.sample(range(len(states)), 60)]
    asked += [(len(states) - 1 - at, WHOLE, False) for at in range(12)]
    asked += [(at, random.choice(rests), False) for at in random.sample(range(len(states)), 10)]
    asked += [(at, WHOLE, True) for at in random.sample(range(len(states)), 10) if vocabulary.dummy]
    for at, rest, shorn in asked:
        state = states[at]
        made = native._made_natively(state, rest, shorn)
        assert made is not None and said(made) == said(pure.of(state, rest, shorn)), (state.mode, state.recent, rest)


def said(trie: Trie, known: dict[int, object] | None = None) -> object:
    """What a trie says, however its sets are kept."""
    known = {} if known is None else known
    if id(trie) not in known:
        below = {branch.edge: said(branch.below, known) for branch in trie.branches}
        ids = trie.ids.bits | bits_of(trie.ids.few)
        left = frozenset((edge, one) for edge, one in below.items() if one is not None)
        known[id(trie)] = (ids, left) if ids or left else None
    return known[id(trie)]


def test_many_states_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_tries, "SMALL", 0)
    lexer = lexer_of(Dialect.load("dense"))
    tables = Tables(lexer, Vocabulary(tokenizer_of("byte_bpe", "dense"), Dialect.load("dense"), lexer.specials, ()))
    native = NativeTries(tables)
    states = states_of(lexer)
    numbers = native.numbers(states)
    assert numbers is not None and len(numbers) == len(states) and native.numbers(states[::-1]) == numbers[::-1]
    assert native.numbers(()) == ()


def test_what_is_interrupted_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_tries, "SMALL", 0)
    lexer = lexer_of(Dialect.load("dense"))
    tables = Tables(lexer, Vocabulary(tokenizer_of("byte_bpe", "dense"), Dialect.load("dense"), lexer.specials, ()))
    native = NativeTries(tables)
    states = states_of(lexer)[:20]

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(native._records, "tell_steps", interrupt)
        with pytest.raises(KeyboardInterrupt):
            native.numbers(states)
    assert native.numbers(states) is None and native.exported(0, 0)
    assert NativeTries(tables).numbers(states) is not None


def numbers_of(*numbers: int) -> bytes:
    return array("I", numbers).tobytes()


def test_what_is_not_said_is_asked_for_again() -> None:
    assert core is not None
    walker = core.start_masks(2, 1, 8, b"", b"")
    assert core.add_forest(walker, b"\x00\x01", numbers_of(1, 1), numbers_of(3, 4), b"\x00\x00", b"\x00") == 0
    # a list that leads to state 1, and an empty one; state 0, which nothing is relevant to
    assert core.learn_lexer(walker, numbers_of(0, 0, 2, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)) is True
    missing = numbers_of(0, 0, 0, 1)
    for _ in range(3):  # the same as long as it is not said
        nothing, asked = core.find_tries(walker, 0, numbers_of(0), 0)
        assert nothing == b"" and asked.startswith(missing)
    assert core.find_tries(walker, 0, numbers_of(1), 0) == (b"", numbers_of(1, 0xFFFFFFFF))
    # state 1, and where the symbols lead from both states
    assert core.learn_lexer(walker, numbers_of(0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 2, 0, 0, 2, 0, 0, 1, 0, 2, 0, 0)) is True
    made, asked = core.find_tries(walker, 0, numbers_of(0, 1), 0)
    assert asked == b"" and len(made) == 8


@pytest.mark.parametrize("seed", range(8))
def test_numbers_that_nobody_writes(seed: int) -> None:
    """The core takes them or not, and ends."""
    assert core is not None
    random = Random(seed)
    for _ in range(150):
        symbols, keys, size = random.randint(1, 4), random.randint(1, 3), random.randint(0, 700)
        walker = core.start_masks(symbols, keys, size, bytes(random.choices(range(symbols), k=1)), b"")
        count = random.randint(0, min(size, 300))
        sizes = random.choices((0, 1, 2, 5), k=count)
        texts = bytes(random.choices(range(symbols), k=sum(sizes)))
        arguments = [texts, numbers_of(*sizes), numbers_of(*random.sample(range(size), count)), bytes(random.choices((0, 1), k=count))]
        if random.random() < 0.2:
            at = random.randrange(4)
            arguments[at] = arguments[at][: random.randrange(len(arguments[at]) + 1)] + bytes(random.choices(range(256), k=4))
        core.add_forest(walker, *arguments, b"\x00\x01")
        for _ in range(3):
            core.learn_lexer(walker, numbers_of(*records(random, symbols, keys)))
            for kind in (0, 1, 2):
                core.find_tries(walker, kind, numbers_of(*random.choices(range(4), k=2)), random.randrange(2))
        found = core.export_tries(walker, 0, 0)
        assert found is not None


def records(random: Random, symbols: int, keys: int) -> list[int]:
    """Follower sets, edges, lists of branches, states, steps; mostly such as there may be."""

    def some(most: int) -> range:
        return range(random.randint(0, most))

    found = [2, 1, random.randrange(keys), keys, *range(keys), 3]
    for _ in range(3):
        found += [random.randrange(keys), random.randrange(2)]
    found.append(5)
    for _ in range(5):
        branches = [[random.randrange(4), len(path), *path] for path in [[random.randrange(3) for _ in some(2)] for _ in some(2)]]
        found += [len(branches), *(number for branch in branches for number in branch)]
    found.append(4)
    for state in range(4):
        relevant = [random.randrange(symbols) for _ in some(2)]
        found += [state, random.randrange(16), 0, random.randrange(5), random.randrange(5), len(relevant), *relevant]
    found.append(4)
    for state in range(4):
        found += [state, 0, symbols, *(random.randrange(5) for _ in range(symbols))]
    if random.random() < 0.5:
        found[random.randrange(len(found))] = random.choice((0, 1, 2, 3, 4, 5, 255, 0xFFFF, 0xFFFFFFFF))
    if random.random() < 0.1:
        del found[random.randrange(len(found)) :]
    return found


def test_the_core_takes_no_nonsense() -> None:
    assert core is not None
    assert core.start_masks(0, 1, 8, b"", b"") is None and core.start_masks(4, 1, 8, b"\x04", b"") is None
    walker = core.start_masks(4, 1, 8, b"\x00", b"\x01")
    one = (1).to_bytes(4, "little")
    assert core.find_tries(walker, 0, b"", 0) is None  # no ids yet
    assert core.add_forest(walker, b"\x04", one, one, b"\x00", b"\x00") is None  # no such symbol
    assert core.add_forest(walker, b"\x01", one * 2, one, b"\x00", b"\x00") is None
    assert core.add_forest(walker, b"\x01\x02", one * 2, one * 2, b"\x00\x00", b"\x00") == 0
    assert core.find_tries(walker, 0, one, 0) is None  # no such state
    assert core.learn_lexer(walker, one * 3) is None and core.learn_lexer(walker, bytes(20)) is True
    assert core.export_tries(walker, 5, 0) is None and core.export_tries(walker, 0, 0) is not None


def test_threads_that_share_a_constraint_get_the_masks_that_one_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_tries, "SMALL", 0)
    tokenizer = tokenizer_of("tiktoken_small", "dense")
    alone, shared = (Constraint(tokenizer, dialect="dense", ends=()) for _ in range(2))
    texts = texts_of("dense", Random(4), 24)

    def mask_after(constraint: Constraint, text: str) -> object:
        state = started(constraint, text)
        return state and state.mask()

    expected = [mask_after(alone, text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda text: mask_after(shared, text), texts)] == expected
