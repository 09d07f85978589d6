"""Budgets and ways to an end in Python: indents, blanks between words, and rules."""

from __future__ import annotations

import random
from functools import cache

import pytest
import tiktoken

from tests.small_tokenizers import SMALL
from tests.test_constrain import PROGRAM
from tests.test_constrain_python import LAYOUTS, made
from tests.test_ways import assert_compiles
from tokenizer_ext.constrain import Constraint

BYTES_ONLY = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})


@cache
def valid(tokenizer: str) -> Constraint:
    return Constraint(SMALL[tokenizer](), dialect="python", ends=(), valid_python=True, version=(3, 8))


@pytest.mark.parametrize("tokenizer", ["byte_bpe", "tiktoken_small"])
def test_affordable_ids_are_those_after_which_the_rest_suffices(tokenizer: str) -> None:
    constraint, rng = made(tokenizer), random.Random(tokenizer)
    for _ in range(14):
        source = rng.choice((PROGRAM, LAYOUTS))
        state = constraint.start(source[: rng.randrange(len(source))])
        for _ in range(rng.randrange(3)):
            state = state.advance(rng.choice(list(state.mask())))
        least, allowed = state.least(), list(state.mask())
        drawn = {number: state.advance(number).least() for number in rng.sample(allowed, min(40, len(allowed)))}
        for slack in (0, 1, 4, 12, 40):
            mask = state.mask(budget=least + slack)
            assert list(mask) or not least + slack
            for number, after in drawn.items():
                if number in mask or slack <= 24:
                    assert (number in mask) == (after < least + slack), (number, after, least, slack)


@pytest.mark.parametrize("tokenizer", ["byte_bpe", "sentencepiece_dummy", "tiktoken_small"])
def test_no_generation_gets_stuck_after_the_beginning_of_a_program(tokenizer: str) -> None:
    constraint, rng = made(tokenizer), random.Random(tokenizer)
    for _ in range(20):
        source = rng.choice((PROGRAM, LAYOUTS))
        state = constraint.start(source[: rng.randrange(len(source))])
        for left in range(state.least() + rng.choice((0, 1, 4, 12)), 0, -1):
            allowed = list(state.mask(budget=left))
            assert allowed
            state = state.advance(rng.choice(allowed))
            assert state.least() < left
        assert state.may_end()


@pytest.mark.parametrize(
    ("prefix", "most"),
    [
        ("if a:", 3),
        ("def f():\n    if a:\n", 8),
        ("def f():\n    try:\n        x\n", 15),
        ("def f():\n    try:\n        x\n    ", 11),
        ("def f():\n    try: x", 17),
        ("def f():\n        try:\n   \\\n ", 32),
        ("def f():\n  @a\n", 16),
        ("match x:\n", 12),
        ("a if 0x1", 8),
        ("a if 0", 8),
        ("(a if 1.", 9),
        ('f(f"""a', 4),
        ("if a:\n  x # b", 0),
        ("if a: # b", 5),
    ],
)
def test_least_counts_the_indents_of_lines(prefix: str, most: int) -> None:
    state = Constraint(BYTES_ONLY, dialect="python", ends=()).start(prefix)
    least = state.least()
    assert least <= most
    for left in range(least, 0, -1):
        if state.may_end():
            break
        state = state.advance(next(number for number in state.mask(budget=left) if 32 <= number < 127 or number == 10))
    assert state.may_end()


@pytest.mark.parametrize(
    "prefix",
    [
        "f(a=1, b",
        "f(**a, b",
        "x=(await a",
        "for 4",
        "with f() as g()",
        "del f()",
        "a,4",
        "def f(a=1, b",
        "def f():\n  def g():\n    nonlocal abc\n",
        "def f():\n  (yield",
        "if a:\n  #",
        "try: #",
        "def f():\n    try:\n        return",
        "class A:\n    @a\n",
        "if a:\n  b\n  \\\n c",
        "async def f():\n  async for x in y:\n   ",
        "x='\\N{DIG",
        "(a #",
        "x = \\",
        "x = f'''{a:>",
        "a if 0x1",
        "from __future__",
        "1 .",
    ],
)
def test_a_way_ends_as_valid_python(prefix: str) -> None:
    constraint = valid("tiktoken_small")
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
    assert_compiles(prefix + b"".join(constraint.vocabulary.pieces[number] for number in way).decode())


def test_no_generation_of_valid_python_gets_stuck() -> None:
    constraint = valid("byte_bpe")
    pieces = constraint.vocabulary.pieces
    for seed in range(6):
        rng = random.Random(seed)
        state, ids = constraint.start(), []
        for left in range(rng.choice((20, 40)), 0, -1):
            allowed = [number for number in state.mask(budget=left) if pieces[number].isascii()]
            sure = state.way(left)
            assert sure is not None
            steps = ((number, state.within(number, left)) for number in (*rng.sample(allowed, min(5, len(allowed))), *sure[:1]))
            number, following = next(((number, after) for number, after in steps if after is not None), (-1, None))
            if following is None:
                assert not sure and state.may_end()
                break
            ids.append(number)
            state = following
        assert state.may_end()
        assert_compiles(b"".join(pieces[number] for number in ids).decode())
