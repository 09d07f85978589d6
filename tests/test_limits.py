"""Extreme texts: each is converted or refused with an error of ours, and the work grows as the text does.

How long it takes and how much memory is measured by ``benchmarks/limits.py``; here small versions of the same texts run,
and what is counted are steps, never seconds.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

import transpiler
from benchmarks.limits import PROGRAMS, SIMPY
from fuzz.native import pure_python
from simpy_grammar import table_cache
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError, UnsupportedSyntaxError
from simpy_grammar.reader import Automaton
from simpy_grammar.tables import Tables
from tests.helpers import ALL, GRAMMATICAL, assert_round_trip, comments_of, encoded, pieces_of, streamed
from transpiler.nesting import DEEPEST

SIZE = 400  # of each text, in its own unit


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_extreme_program_is_converted_or_refused(name: str) -> None:
    source = PROGRAMS[name].make(SIZE)
    for dialect in ALL:
        try:
            simpy = transpiler.encode(source, dialect=dialect)
        except SimPyError as error:
            assert not isinstance(error, RoundTripError)
            continue
        assert encoded(pieces_of(source, 97), dialect) == simpy
        python = transpiler.decode(simpy, dialect=dialect)
        assert streamed(pieces_of(simpy, 97), dialect) == python
        assert transpiler.encode(python, dialect=dialect) == simpy
    transpiler.encode_beginning(source[: 2 * len(source) // 3])


@pytest.mark.parametrize("name", SIMPY)
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_extreme_simpy_is_converted_or_refused(name: str, dialect: str) -> None:
    text = SIMPY[name].make(SIZE)
    for convert in (transpiler.decode, lambda text, dialect: streamed(pieces_of(text, 61), dialect)):
        try:
            convert(text, dialect=dialect)
        except SimPySyntaxError as error:
            assert error.line is not None


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_blocks_nest_as_deep_as_the_parser_of_python_takes(dialect: str) -> None:
    deepest = "".join(f"{' ' * i}if a:\n" for i in range(DEEPEST)) + " " * DEEPEST + "b\n"
    simpy = transpiler.encode(deepest, dialect=dialect)
    assert transpiler.convert(simpy, source=dialect, target="compact").count("if a:") == DEEPEST
    with pytest.raises(UnsupportedSyntaxError, match="too deep nesting"):
        transpiler.encode(deepest.replace("b\n", f"if a:\n{' ' * (DEEPEST + 1)}b\n"), dialect=dialect)
    # A block that opens with a keyword needs no token of its own in the others, and at the end of the text none closes.
    deeper = f"<if_stmt>a<block_start>{simpy}<block_end>" if dialect.startswith("classic") else f"<if_stmt>a{simpy}"
    for convert in (transpiler.decode, lambda text, dialect: streamed(pieces_of(text, 64), dialect)):
        with pytest.raises(SimPySyntaxError, match=f"more than {DEEPEST} blocks") as caught:
            convert(deeper, dialect=dialect)
        assert caught.value.column > len(simpy) // 3
    with pytest.raises(SimPySyntaxError, match=f"more than {DEEPEST} blocks"):
        transpiler.convert(deeper, source=dialect, target="compact")


# ---------------------------------------------------------------------------------------------------------- long rows

ROWS = (
    *("if a:\n  b\n{}else:\n  c\n", "if a:\n{}  b\nc\n", "def f():\n  if a:\n    pass\n{}  d\n{}", "x = (a,\n{}b)\n", "x = (a\n{}.b)\n"),
    *("{}x\n", "@a\n{}def f(): pass\n", "match a:\n{}  case 1:\n    b\n{}  case 2:\n    pass\n{}c\n"),
    *("try:\n  a\n{}except b:\n  c\n{}", "class A:\n  def f():\n    if x:\n      y\n{}  def g(): pass\n{}", "(lambda a,\n{}b: c)\n"),
)


@pytest.mark.parametrize("shape", ROWS)
@pytest.mark.parametrize("indent", ["", "  ", "    "])
def test_long_rows_of_comments_encode_as_short_ones_do(shape: str, indent: str) -> None:
    def with_rows(length: int) -> str:
        return shape.replace("{}", f"{indent}# c\n" * length)

    short, long = (transpiler.encode(with_rows(length), verify=False) for length in (3, 300))
    assert long == short.replace("# c\n" * 3, "# c\n" * 300).replace("<comment>\n# c\n" * 3, "<comment>\n# c\n" * 300)
    assert long.count("# c") == 300 * shape.count("{}")
    assert_round_trip(with_rows(300), ("classic", "dense"), chunkings=())


def test_a_long_row_of_joined_lines_is_one_line() -> None:
    assert_round_trip("a = \\\n" + "  \\\n" * 600 + "b\nc = '\\\n" + "\\\n" * 600 + "'\n")


# ---------------------------------------------------------------------------------------------------- work per text


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, our own and those of libraries, when all that is looked up once is known."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    with contextlib.suppress(SimPyError):
        work()
    sys.setprofile(profile)
    try:
        with contextlib.suppress(SimPyError):
            work()
    finally:
        sys.setprofile(None)
    return count


def check_growth(work: Callable[[str], object], make: Callable[[int], str]) -> None:
    """Calls of Python grow as the text does: at four times its length a square would take sixteen times the calls."""
    texts = [make(size) for size in (150, 600)]
    for tables in table_cache._tables.values():  # what other tests left to remember is not forgotten while calls are counted
        for automaton in tables.automata.values() if isinstance(tables, Tables) else ():
            assert isinstance(automaton, Automaton)
            automaton.remembered = 0
    with pure_python():
        one, four = (calls(partial(work, text)) for text in texts)
    assert four < 1.5 * len(texts[1]) / len(texts[0]) * one + 500


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_calls_of_encoding_grow_as_the_text_does(name: str) -> None:
    check_growth(lambda text: transpiler.encode(text, verify=False), PROGRAMS[name].make)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_calls_of_encoding_a_stream_grow_as_the_text_does(name: str) -> None:
    check_growth(lambda text: encoded(pieces_of(text, 30)), PROGRAMS[name].make)


@pytest.mark.parametrize("name", SIMPY)
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_the_calls_of_decoding_a_stream_grow_as_the_text_does(name: str, dialect: str) -> None:
    check_growth(lambda text: streamed(pieces_of(text, 30), dialect), SIMPY[name].make)


@pytest.mark.parametrize("shape", ["(a\n{}.b)\n", "(\n{}a)\n", "(lambda a,\n{}b: c)\n", "f(a,\n{}b)\n"])
def test_comments_in_brackets_cost_no_recursion(shape: str) -> None:
    source = shape.replace("{}", "# c\n" * 3000)
    assert len(comments_of(transpiler.decode(transpiler.encode(source))) or ()) == 3000


def test_fields_in_formats_of_fields_are_not_a_recursion_error() -> None:
    """CPython refuses them; ours are read by a stack of modes and need no recursion."""
    source = "f'{1:" + "{1:" * 3000 + "}" * 3000 + "}'\n"
    for dialect in ALL:
        with contextlib.suppress(PythonSyntaxError, UnsupportedSyntaxError):
            transpiler.encode(source, dialect=dialect)
    assert transpiler.decode(transpiler.encode(source, verify=False)) == source
    assert transpiler.encode_beginning(source).error is None
