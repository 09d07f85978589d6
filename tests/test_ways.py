"""Ways to an end that the rules of valid Python take, and generations that always know one."""

from __future__ import annotations

import random
import sys
import warnings
from functools import cache

import pytest

from tests.small_tokenizers import SMALL
from tokenizer_ext import extend
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint
from transpiler import decode


@cache
def made(dialect: str, tokenizer: str = "tiktoken_small", valid_python: bool = True) -> tuple[Codec, Constraint]:
    extended = extend(SMALL[tokenizer](), dialect=dialect)
    version = sys.version_info[:2] if valid_python and tokenizer == "byte_bpe" else None
    return Codec(extended, dialect=dialect), Constraint(extended, dialect=dialect, ends=(), valid_python=valid_python, version=version)


def assert_compiles(program: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a literal is called, for example
        compile(program, "<program>", "exec")


FUNCTION = "<def_stmt>f<block_start>"
CASE = "<match_stmt>a<block_start><case_stmt>"


@pytest.mark.parametrize(
    ("dialect", "prefix"),
    [
        ("classic", "f(a=1 b"),
        ("classic", "f(**a b"),
        ("classic", "x=(<await>a"),
        ("dense", "x=(<await>a+b(c"),
        ("classic", "<for_stmt>f()"),
        ("classic", "<for_stmt>4"),
        ("classic", "<with_stmt>f()<as>g()"),
        ("classic", "<del_stmt>f()"),
        ("classic", "a,4"),
        ("classic", "a,(4"),
        ("classic", "<def_stmt>f a=1 b"),
        ("classic", f"{FUNCTION}<def_stmt>g<block_start><nonlocal>abc<block_end>"),
        ("classic", f"{FUNCTION}(<yield>"),
        ("classic", "<if_stmt>a<block_start>#"),
        ("classic", "<try_stmt>#"),
        ("classic", f"{CASE}[abc]|[a"),
        ("classic", f"{CASE}1+"),
        ("classic", "x='\\x4"),
        ("classic", "x='\\N{DIG"),
        ("classic", "x=b'\\"),
        ("classic", "0123"),
        ("classic", "0b"),
        ("classic", "x=f'{a!"),
        ("dense-newline", "f(a=1 b"),
    ],
)
def test_a_way_ends_as_valid_python(dialect: str, prefix: str) -> None:
    codec, constraint = made(dialect)
    state = constraint.start(prefix)
    way = state.way(40)
    assert way is not None
    for left in range(len(way), 0, -1):
        ids = state.way(left)
        assert ids is not None and ids[0] in state.mask(budget=left)
        following = state.within(ids[0], left)
        assert following is not None
        state = following
    assert state.may_end()
    if sys.version_info >= (3, 10) or CASE not in prefix:
        assert_compiles(decode(prefix + codec.decode(list(way)), dialect=dialect))


def test_where_there_is_no_way_the_id_is_refused() -> None:
    _, constraint = made("classic")
    state = constraint.start("x=''<concat>")
    assert state.after(ord("b")) is not None, "the rules do not see yet that only bytes can follow"
    assert state.within(ord("b"), 40) is None
    assert constraint.start("f(((a").way(2) is None
    assert constraint.start("f(((a").way(3) is not None


@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_no_generation_gets_stuck(dialect: str) -> None:
    codec, constraint = made(dialect, "byte_bpe")
    for seed in range(4):
        rng = random.Random(f"{dialect} {seed}")
        budget = rng.choice((20, 40))
        state, ids = constraint.start(), []
        for left in range(budget, 0, -1):
            allowed = list(state.mask(budget=left))
            own = [number for number in allowed if number in constraint.vocabulary.own]
            drawn = rng.sample(own, min(2, len(own))) + rng.sample(allowed, min(4, len(allowed)))
            sure = state.way(left)
            assert sure is not None
            steps = ((number, state.within(number, left)) for number in (*drawn, *sure[:1]))
            number, following = next(((number, after) for number, after in steps if after is not None), (-1, None))
            if following is None:
                assert not sure and state.may_end()
                break
            ids.append(number)
            state = following
        assert state.may_end()
        assert_compiles(decode(codec.decode(ids), dialect=dialect))


@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_affordable_ids_are_those_after_which_the_rest_suffices(dialect: str) -> None:
    codec, constraint = made(dialect, "byte_bpe", valid_python=False)
    rng = random.Random(dialect)
    state = constraint.start()
    for _ in range(12):
        least = state.least()
        for slack in (1, 4, 40):
            mask = state.mask(budget=least + slack)
            allowed = list(state.mask())
            for number in rng.sample(allowed, min(12, len(allowed))):
                after = state.advance(number)
                if number in mask:
                    assert after.least() < least + slack
                elif slack <= 24:
                    assert after.least() >= least + slack
        own = [number for number in state.mask() if number in constraint.vocabulary.own]
        state = state.advance(rng.choice(own if own and rng.random() < 0.6 else list(state.mask())))
