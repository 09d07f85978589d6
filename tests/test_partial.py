"""Unfinished programs: every beginning of a program encodes, and what it encodes to is a beginning of the whole."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.dialect import Dialect
from transpiler.partial import partial_parts

PROGRAM = '''\
"""A module."""
from __future__ import annotations

import os, sys as system
from . import (a, b as c)


@decorate(1, key="value")
class Shape(Base, metaclass=Meta):
    """What it is."""

    sides: int = 4  # a comment

    async def area(self, *args: int, scale=1.0, **more) -> float:
        if not args or scale is None and self.sides not in {3, 4}:
            return [x * scale for x in args if x > 0][0]
        elif scale == 2:
            raise ValueError(f"bad {scale!r:>{self.width}} of {args[0]:.2f}") from None
        else:
            # nothing
            pass
        try:
            with open("file") as handle, lock:
                yield lambda p, q=2: (p if q else -p)
        except (OSError, KeyError) as error:
            del self.cache[1:2], error
        finally:
            await self.close()


for i, (j, k) in enumerate(pairs):
    while i < 3:
        i += 1; total = total + {"a": [1, 2], **rest}["a"][0]
        continue
match command.split():
    case [first, *others] if first:
        print(f"{first=}", r"\\d", b"bytes", """triple "quoted" text""")
    case {"key": value, **rest} | Point(x=0):
        global state
'''


@pytest.mark.parametrize("dialect", ["classic", "dense", "dense-newline"])
def test_every_beginning_encodes_and_decodes(dialect: str) -> None:
    chosen = Dialect.load(dialect)
    for end in range(len(PROGRAM) + 1):
        simpy, rest = partial_parts(PROGRAM[:end], chosen)
        assert PROGRAM[:end].endswith(rest)
        transpiler.Decoder(dialect=chosen).feed(simpy)


def test_lines_of_a_program_encode_to_beginnings_of_it() -> None:
    whole = transpiler.encode(PROGRAM)
    ends = [i + 1 for i, char in enumerate(PROGRAM) if char == "\n"]
    for end in ends:
        simpy, rest = partial_parts(PROGRAM[:end], Dialect.load("classic"))
        assert not rest
        # A block that is open at the end may yet be closed by what follows: that is the only difference.
        assert whole.startswith(simpy), PROGRAM[:end]


@pytest.mark.parametrize(
    ("python", "simpy"),
    [
        ("", ""),
        ("try:", "<try_stmt><block_start>"),
        ("try:\n    x\n", "<try_stmt><block_start>x"),
        ("def f(a, b", "<def_stmt>f a b"),
        ("def f(a):\n    '''Return", "<def_stmt>f a<block_start>'''Return"),
        ("def f(a):\n    '''Doc.'''\n", "<def_stmt>f a<block_start>'''Doc.'''"),
        ("print(len(x", "print(len(x"),
        ("x = [i for i in", "x=[i<for>i "),
        ("x = f'{a:", "x=f'{a:"),
        ("x = f'{a} and {b.", "x=f'{a} and {b."),
        ("@decorator\n", "@decorator"),
        ("if a:\n    # why\n", "<if_stmt>a<block_start># why\n"),
        ("x = 1 # unfinished", "x=1# unfinished"),
        ("class A", "<class_stmt>A"),
        ("import os.", "<import_stmt>os."),
        ("from a import (", "<import_from_stmt>a "),
        ("x = a if b", "x=a<if>b"),
        ("lambda a", "<lambda>a"),
    ],
)
def test_unfinished(python: str, simpy: str) -> None:
    assert transpiler.encode(python, partial=True) == simpy


def test_what_is_broken_is_given_back() -> None:
    simpy, rest = partial_parts("x = 1\ny = = 2\nz = 3\n", Dialect.load("classic"))
    assert simpy == "x=1"
    assert rest == "y = = 2\nz = 3\n"


@pytest.mark.parametrize(
    ("python", "sound"),
    [
        ("x = 1\nexec 'a' in b\n", "x=1"),
        ("x = 1\nprint 'a'\ny", "x=1"),
        ("exec 'a'", ""),
        ("x = 1\n(*e)\n", "x=1"),
        ("x = 1\nT: = *~b\n", "x=1"),
        ("x = 1\nif a:\nb\n", "x=1"),
        ("x = 1\ny = `a`\n", "x=1"),
    ],
)
def test_what_the_tree_has_and_the_language_has_not_is_given_back(python: str, sound: str) -> None:
    simpy, rest = partial_parts(python, Dialect.load("classic"))
    assert simpy == sound
    assert rest == python[len("x = 1\n") if sound else 0 :]


@pytest.mark.parametrize(
    "python",
    [
        "class C[T = int, *Ts = *tuple[int], **P = []]: pass\n",
        "type X[T = int] = list[T]\n",
        "return *-a, *await b\n",
        "def f() -> None: a[0] = 1\n",
        "type(x).y = z\nprint >> a, b\n",
    ],
)
def test_every_beginning_of_what_needs_a_repair_encodes_and_decodes(python: str) -> None:
    for end in range(len(python) + 1):
        simpy, rest = partial_parts(python[:end], Dialect.load("classic"))
        assert python[:end].endswith(rest)
        transpiler.Decoder().feed(simpy)
    assert not rest
