"""Unfinished programs: every beginning of a program encodes to a beginning of its SimPy, and broken text to its sound beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from simpy_grammar.errors import PythonSyntaxError
from tests.golden import Case, cases
from tests.helpers import CONVERTED, GRAMMATICAL, dump
from tests.programs import programs
from tests.sample_programs import BROKEN, UNFINISHED

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


def check_beginning(python: str, whole: str, dialect: str) -> transpiler.Beginning:
    """The beginning of a program whose SimPy is known."""
    begun = transpiler.encode_beginning(python, dialect)
    assert begun.error is None, f"{python!r}: {begun.error}"
    assert whole.startswith(begun.simpy), f"{python!r} encodes to {begun.simpy!r}, and {whole!r} does not begin so"
    assert python.endswith(begun.rest)
    return begun


def check_cuts(python: str, dialect: str, step: int = 1) -> None:
    """Every beginning of a program."""
    whole = transpiler.encode(python, dialect=dialect, verify=False)
    for end in (*range(0, len(python), step), len(python)):
        begun = check_beginning(python[:end], whole, dialect)
        transpiler.Decoder(dialect=dialect).feed(begun.simpy)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_every_cut_of_the_cases(case: Case) -> None:
    check_cuts(case.python, "classic")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", [dialect for dialect in GRAMMATICAL if dialect != "classic"])
def test_cuts_of_the_cases_in_other_dialects(case: Case, dialect: str) -> None:
    check_cuts(case.python, dialect, step=7)


@pytest.mark.quick
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_every_cut_of_a_program(dialect: str) -> None:
    check_cuts(PROGRAM, dialect, step=1 if dialect == "classic" else 3)


def test_every_cut_of_small_programs() -> None:
    for python in UNFINISHED:
        check_cuts(python, "classic")


@given(programs(), st.data())
def test_any_beginning_of_any_program(source: str, data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from(GRAMMATICAL))
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    whole = transpiler.encode(text, dialect=dialect, verify=False)
    for end in data.draw(st.lists(st.integers(0, len(text)), min_size=1, max_size=6)):
        check_beginning(text[:end], whole, dialect)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("python", "simpy", "rest"),
    [
        ("", "", ""),
        ("x", "", "x"),  # a longer name may come
        ("x ", "x", " "),
        ("x = ", "x=", " "),
        ("try:", "<try_stmt>", ":"),
        ("try:\n    x\n", "<try_stmt><block_start>x", "\n"),
        ("def f(a, b", "<def_stmt>f a", ", b"),
        ("def f(a):\n    '''Return", "<def_stmt>f a<block_start>", "'''Return"),
        ("print(len(x", "print(len(", "x"),
        ("x = [i for i in", "x=[i<for>i", " in"),
        ("x = f'{a", "x=f'", "{a"),  # a field that ends in = keeps its text
        ("x = f'{a} and {b.", "x=f'{a} and ", "{b."),
        ("if a:\n    # why\n", "<if_stmt>a", ":\n    # why\n"),  # the next line may be less deep
        ("x = 1 # unfinished", "x=1", " # unfinished"),
        ("import os.", "<import_stmt>os", "."),
        ("from a import (", "<import_from_stmt>a ", " ("),
        ("x = a if b", "x=a<if>", " b"),
        ("lambda a", "<lambda>", " a"),
        ("a, b", "a", ", b"),  # targets, or a tuple
    ],
)
def test_what_is_settled(python: str, simpy: str, rest: str) -> None:
    begun = transpiler.encode_beginning(python)
    assert (begun.simpy, begun.rest, begun.error) == (simpy, rest, None)


BROKEN_LATER = {
    "x = 1\ny = = 2\nz = 3\n": "x=1<line_sep>y=",
    "x = 1\nexec 'a' in b\n": "x=1<line_sep>exec",
    "x = 1\nprint 'a'\ny": "x=1<line_sep>print",
    "x = 1\nif a:\nb\n": "x=1<if_stmt>a",
    "x = 1\ny = `a`\n": "x=1<line_sep>y=",
    "x = 1\nelse: a\n": "x=1",
    "x = 1\n  y\n": "x=1",
    "x = (1]\n": "x=(1",
}


@pytest.mark.quick
@pytest.mark.parametrize(("python", "sound"), BROKEN_LATER.items())
def test_what_is_broken_is_given_back_with_the_reason(python: str, sound: str) -> None:
    begun = transpiler.encode_beginning(python)
    assert begun.simpy == sound
    assert python.endswith(begun.rest)
    assert isinstance(begun.error, PythonSyntaxError)
    with pytest.raises(PythonSyntaxError) as whole:
        transpiler.encode(python)
    assert begun.error.line == whole.value.line
    transpiler.Decoder().feed(begun.simpy)


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_broken_text_has_a_sound_beginning_wherever_it_is_cut(dialect: str) -> None:
    for python in (*BROKEN, *BROKEN_LATER):
        for end in range(len(python) + 1):
            begun = transpiler.encode_beginning(python[:end], dialect)
            assert python[:end].endswith(begun.rest)
            transpiler.Decoder(dialect=dialect).feed(begun.simpy)


@pytest.mark.quick
@pytest.mark.parametrize("dialect", ["compact", "python"])
def test_the_beginning_of_a_layout_of_python_is_the_text(dialect: str) -> None:
    assert transpiler.encode_beginning("x = (a +", dialect) == ("x = (a +", "", None)


# ---------------------------------------------------------------------------------------------------------- completions


@pytest.mark.quick
@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_completed_beginning_is_a_program(dialect: str) -> None:
    complete = 0
    for python in (PROGRAM, *UNFINISHED[:40]):
        for end in range(0, len(python) + 1, 5):
            text = python[:end]
            ending = transpiler.completion(text)
            if dump(text + ending) is not None:
                complete += 1
                transpiler.encode(text + ending, dialect=dialect)
    assert complete > 100


def test_most_beginnings_can_be_completed() -> None:
    cuts = [PROGRAM[:end] for end in range(len(PROGRAM) + 1)]
    read = [dump(text + transpiler.completion(text)) is not None for text in cuts]
    assert sum(read) > 0.9 * len(read)  # a word that is cut in two may not be one that can be completed


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("x = 1\n", ""),
        ("def f(a)", ": simpy_cut"),
        ("x = [f(1", ")]"),
        ("try:\n    a", "\nfinally: simpy_cut"),
        ("x = ((*", " simpy_cut,))"),
        ("x = = 1", ""),
    ],
)
def test_completion(text: str, ending: str) -> None:
    assert transpiler.completion(text) == ending
