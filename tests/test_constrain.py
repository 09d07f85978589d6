"""Masks against the reader: no program is refused, and each id is allowed exactly where some program goes on with it."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.simpy_lexer import SimPyReader
from tests.completions import differences
from tests.helpers import ALIASED, CLOSED, OPEN
from tests.small_tokenizers import SMALL
from tokenizer_ext import extend
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, State
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.learned_tokens import LearnedTokens
from transpiler import decode, encode
from transpiler.conversion import read_stream
from transpiler.versions import RUNNING, needed_version

PROGRAM = '''\
import os.path as p, sys
from .. import a
from . import (b as c, d)  # names
@d(1)
async def f(x: int = 1, *args, y=2, **kw) -> list[int]:
    """A text, "quoted"."""
    if x and not y or x in args and y is not None:
        return [f"{x!r:>{y}} {{}} {x + 1}", x ** -1, .5, 0x1F, 1_0.5e-3j]
    elif x == y:  # why
        x.y[1:2, ::3] = lambda a, *b: (a, b)
    else:
        pass
    for i, j in z:
        x += 1 if i else 2
    while True:
        break
    try:
        with open(p) as g, h:
            yield from g
    except (A, B) as e:
        raise E from e
    finally:
        del x, y
    return {"a": 1, **b}, {i for i in j if i}, (k := 3)
class C(B, metaclass=M):
    v: int = 3
    s = r'\\d' 'é' + b"\\x00" "ü"
match x:
    case {"k": [1, *rest], **kw} if y:
        pass
    case C(a=1) | None:
        x = 1 .real
f(
    a,  # of a
    b,
)
'''
DIALECTS = (*CLOSED, ALIASED)
TOKENIZERS = ("byte_bpe", "sentencepiece_dummy", "blank_tokens", "greedy_tokens", "unigram", "tiktoken_small")


@cache
def made(tokenizer: str, dialect: str) -> tuple[Any, Codec, Constraint]:
    """A small tokenizer, extended, with its codec and constraint."""
    extended = extend(SMALL[tokenizer](), dialect=dialect)
    return extended, Codec(extended, dialect=dialect), Constraint(extended, dialect=dialect, ends=())


@pytest.mark.parametrize("dialect", ["classic-spaced", "dense-spaced"])
def test_there_are_no_masks_with_the_blanks_of_python(dialect: str) -> None:
    with pytest.raises(TokenizerError, match=f"there are no masks for {dialect}"):
        made("byte_bpe", dialect)


@pytest.mark.parametrize("dialect", OPEN)
def test_there_are_no_masks_where_brackets_are_left_out(dialect: str) -> None:
    with pytest.raises(TokenizerError, match=f"there are no masks for {dialect}, which leaves out brackets"):
        made("byte_bpe", dialect)


def ids_of(codec: Codec) -> list[int]:
    return codec.encode(encode(PROGRAM, dialect=codec.dialect, verify=False))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_nothing_of_a_program_is_refused(tokenizer: str, dialect: str) -> None:
    _, codec, constraint = made(tokenizer, dialect)
    state = constraint.start()
    for number in ids_of(codec):
        assert number in state.mask()
        state = state.advance(number)
    assert state.may_end()


@pytest.mark.parametrize(
    ("tokenizer", "dialect"),
    [("tiktoken_small", "classic"), ("sentencepiece_dummy", "dense"), ("tiktoken_small", "dense-newline")],
)
def test_masks_are_what_the_reader_takes(tokenizer: str, dialect: str) -> None:
    _, codec, constraint = made(tokenizer, dialect)
    rng = random.Random(f"{tokenizer} {dialect}")
    ids = ids_of(codec)
    found: list[str] = []
    for end in sorted(rng.sample(range(len(ids)), 2)):
        state = constraint.start()
        for number in ids[:end]:
            state = state.advance(number)
        found += differences(codec, constraint, ids[:end], state)[1]
    assert not found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_masks_of_random_texts_are_what_the_reader_takes(dialect: str) -> None:
    _, codec, constraint = made("tiktoken_small", dialect)
    rng = random.Random(dialect)
    state, ids = constraint.start(), []
    for _ in range(20):
        allowed = [number for number in state.mask() if number in constraint.vocabulary.own or 32 <= number < 127 or number > 255]
        ids.append(rng.choice(allowed))
        state = state.advance(ids[-1])
    assert not differences(codec, constraint, ids, state)[1]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tokenizer", ["byte_bpe", "sentencepiece_dummy"])
def test_generations_end_inside_their_budget(tokenizer: str, dialect: str) -> None:
    _, codec, constraint = made(tokenizer, dialect)
    rng = random.Random(f"{tokenizer} {dialect}")
    for budget in (0, 1, 3, 9, 25):
        state, ids = constraint.start(), []
        for left in range(budget, 0, -1):
            allowed = list(state.mask(budget=left))
            grammar = [number for number in allowed if number in constraint.vocabulary.own]
            ids.append(rng.choice(grammar if grammar and rng.random() < 0.5 else allowed))
            state = state.advance(ids[-1])
            assert state.least() < left
        assert state.may_end()
        SimPyReader(Dialect.load(dialect)).read_all(codec.decode(ids))


def test_states_are_values() -> None:
    _, codec, constraint = made("byte_bpe", "classic")
    ids = codec.encode("<return>f(a")
    states = [constraint.start()]
    for number in ids:
        states.append(states[-1].advance(number))
    masks = [state.mask() for state in states]
    states[-2].advance(ids[-1]).advance(codec.encode("<in>")[0])
    assert [state.mask() for state in states] == masks
    assert constraint.start("<return>f(a").mask() == masks[-1]


@pytest.mark.parametrize(
    ("prefix", "goes_on", "does_not"),
    [
        ("<return>na", "me", "'"),
        ("x='a", "'", "\n"),
        ("x=f'{a", "}", ")"),
        ("# a", "b", ""),
        ("f(a <comment># a", "b", ""),
        ("<if_stmt>a<block_start>", "b", "<line_sep>"),
        ("x='<if>", "'", "\n"),
        ("<import_from_stmt>.", "a", "1"),
    ],
)
def test_start_at_any_prefix(prefix: str, goes_on: str, does_not: str) -> None:
    _, _, constraint = made("tiktoken_small", "classic")
    state = constraint.start(prefix)
    added = constraint.vocabulary.spellings.symbols
    assert ord(goes_on[0]) in state.mask()
    if does_not:
        number = ord(does_not) if len(does_not) == 1 else next(i for i in added if constraint.vocabulary.text(i) == does_not)
        assert number not in state.mask()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_number_may_begin_with_a_dot_after_a_blank(dialect: str) -> None:
    constraint = made("tiktoken_small", dialect)[2]
    for prefix in ("f(a ", "x=a ", "[a "):
        state = constraint.start(prefix).advance(ord("."))
        assert [char for char in "5a)" if ord(char) in state.mask()] == ["5"]


def test_comments_stand_inside_brackets_only() -> None:
    _, codec, constraint = made("byte_bpe", "classic")
    (comment,) = codec.encode("<comment>")
    assert comment in constraint.start("x=f(a").mask()
    assert comment not in constraint.start("x=a").mask()
    # A bracket that has just been closed is not one around what follows.
    assert comment not in constraint.start("x=(a)").mask()
    assert comment not in constraint.start("a[b]").mask()
    assert comment in constraint.start("x=[f(a)").mask()


def test_a_colon_after_a_call_in_a_field_begins_a_format() -> None:
    _, _, constraint = made("tiktoken_small", "dense-newline")
    state = constraint.start("x=f'{f(a)")
    for char in ":>3}'":
        assert ord(char) in state.mask()
        state = state.advance(ord(char))
    assert state.may_end()


def test_characters_are_completed_as_utf_8() -> None:
    _, _, constraint = made("tiktoken_small", "classic")
    state = constraint.start("x=")
    for byte in "é".encode():
        assert byte in state.mask()
        state = state.advance(byte)
    begun = constraint.start("x='").advance(0xE0)
    assert [number for number in begun.mask() if number < 256] == list(range(0xA0, 0xC0))
    assert not begun.may_end()
    assert 0xFF not in constraint.start("x='").mask()


def test_learned_tokens_do_not_begin_inside_literals() -> None:
    extended = extend(SMALL["tiktoken_small"](), learned=LearnedTokens(("a)<line_sep>", "self."), "small"), dialect="classic")
    constraint = Constraint(extended, dialect="classic", ends=())
    codec = Codec(extended, dialect="classic")
    whole, start = codec.encode("a)<line_sep>"), codec.encode("self.")
    assert len(whole) == len(start) == 1
    assert whole[0] in constraint.start("f(").mask()
    assert whole[0] not in constraint.start("f").mask()
    assert whole[0] not in constraint.start("f('").mask()
    assert start[0] in constraint.start("f(").mask()
    assert start[0] not in constraint.start("# ").mask()


def test_views_share_the_bits() -> None:
    numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    _, _, constraint = made("byte_bpe", "dense")
    mask = constraint.start("f(").mask()
    packed = int.from_bytes(mask.packed, "little")
    assert mask.numpy().dtype == numpy.int32 and mask.torch().dtype == torch.int32
    assert mask.numpy().tobytes() == bytes(mask.packed) == mask.torch().numpy().tobytes()
    assert mask.numpy().ctypes.data == mask.torch().data_ptr()
    assert {i for i in range(mask.size) if packed >> i & 1} == set(mask) == {i for i in range(mask.size) if i in mask}
    assert len(mask) == len(set(mask))


def test_errors_say_what_may_stand_there() -> None:
    _, codec, constraint = made("byte_bpe", "classic")
    with pytest.raises(TokenizerError, match=r"not the beginning of a program in the dialect classic[\s\S]*here may stand:"):
        constraint.start("<return><return>)")
    with pytest.raises(TokenizerError, match=r"must not come here"):
        constraint.start("<return>").advance(codec.encode("<in>")[0])
    with pytest.raises(TokenizerError, match="has not been extended"):
        Constraint(SMALL["byte_bpe"](), dialect="classic")
    assert ")" in constraint.start("f(a").expected()


def valid(prefix: str, tokenizer: str = "tiktoken_small", dialect: str = "classic") -> State:
    return _valid(tokenizer, dialect)[1].start(prefix)


@cache
def _valid(tokenizer: str, dialect: str) -> tuple[Codec, Constraint]:
    extended = extend(SMALL[tokenizer](), dialect=dialect)
    return Codec(extended, dialect=dialect), Constraint(extended, dialect=dialect, ends=(), valid_python=True)


@pytest.mark.parametrize(
    ("prefix", "allowed", "refused"),
    [
        ("f(c=1 d", "=d", ")."),
        ("f(c=1 ", "d", "2'"),
        ("f()", ".", "="),
        ("f().a", "=", ""),
        ("<for_stmt>f()", ".", " "),
        ("<def_stmt>f a=1 b", "=b", "*"),
        ("x=", "a", ")"),
    ],
)
def test_masks_of_valid_python(prefix: str, allowed: str, refused: str) -> None:
    mask = valid(prefix).mask()
    assert all(ord(char) in mask for char in allowed)
    assert not any(ord(char) in mask for char in refused)


@pytest.mark.parametrize(
    ("prefix", "goes_on", "does_not"),
    [
        ("f(a=1 a", "b", "="),
        ("x=0", ".", "_1"),
        ("x='\\x4", "1", "'"),
        ("x='\\N{DIGIT ONE", "}", "x"),
        ("x=b'", "a", "é"),
        ("x='a", "b", "\r"),
        ("a", "é", "×"),
    ],
)
def test_ids_that_spoil_a_lexeme_are_refused(prefix: str, goes_on: str, does_not: str) -> None:
    def read(text: str) -> State | None:
        state: State | None = valid(prefix)
        for byte in text.encode():
            state = state.after(byte) if state is not None else None
        return state

    assert read(goes_on) is not None
    assert read(does_not) is None or does_not == "_1"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_valid_programs_pass(dialect: str) -> None:
    codec, constraint = _valid("byte_bpe", dialect)
    source = PROGRAM.replace("yield from g", "await g").replace(' + b"', ' + "')
    state = constraint.start()
    for number in codec.encode(encode(source, dialect=dialect, verify=False)):
        assert number in state.mask()
        state = state.advance(number)
    assert state.may_end()


def test_generations_of_valid_python_end_inside_their_budget() -> None:
    codec, constraint = _valid("byte_bpe", "classic")
    rng = random.Random(5)
    compiled = 0
    for budget in (4, 12, 20, 30):
        state, ids = constraint.start(), []
        for left in range(budget, 0, -1):
            allowed = list(state.mask(budget=left))
            drawn = rng.sample(allowed, min(8, len(allowed)))
            steps = ((number, state.within(number, left)) for number in (*drawn, *(state.way(left) or ())[:1]))
            number, state = next((number, after) for number, after in steps if after is not None)
            ids.append(number)
        assert state.may_end()
        python = decode(codec.decode(ids), dialect="classic")
        if needed_version(read_stream(python, Dialect.load("python"))) <= RUNNING:
            compile(python, "<generated>", "exec")
            compiled += 1
    assert compiled >= 2
