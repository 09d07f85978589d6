"""Extreme texts: each is converted or refused with an error of ours, and the work grows as the text does.

How long it takes and how much memory is measured by ``benchmarks/limits.py``; here small versions of the same texts run,
and what is counted are steps, never seconds.
"""

from __future__ import annotations

import contextlib
import random
import re

import pytest

import transpiler
from benchmarks.limits import PROGRAMS, SIMPY
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import RoundTripError, SimPyError, SimPySyntaxError, UnsupportedSyntaxError
from simpy_grammar.parser import Parser
from simpy_grammar.tables import load_tables
from tests.helpers import ALL, GRAMMATICAL, assert_round_trip, comments_of, pieces_of, streamed
from transpiler import long_runs
from transpiler.layout import ACTIONS, DEEPEST, Layout
from transpiler.long_runs import quieted

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
        python = transpiler.decode(simpy, dialect=dialect)
        assert streamed(pieces_of(simpy, 97), dialect) == python
        assert transpiler.encode(python, dialect=dialect) == simpy
    transpiler.encode(source[: 2 * len(source) // 3], partial=True)


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
    deeper = f"<if_stmt>a<block_start>{simpy}<block_end>" if dialect == "classic" else f"<if_stmt>a{simpy}"
    for convert in (transpiler.decode, lambda text, dialect: streamed(pieces_of(text, 64), dialect)):
        with pytest.raises(SimPySyntaxError, match=f"more than {DEEPEST} blocks") as caught:
            convert(deeper, dialect=dialect)
        assert caught.value.column > len(simpy) // 3
    with pytest.raises(SimPySyntaxError, match=f"more than {DEEPEST} blocks"):
        transpiler.convert(deeper, source=dialect, target="compact")


# ------------------------------------------------------------------------------------------------------ long rows

ROWS = (
    *("if a:\n  b\n{}else:\n  c\n", "if a:\n{}  b\nc\n", "def f():\n  if a:\n    pass\n{}  d\n{}", "x = (a,\n{}b)\n", "x = (a\n{}.b)\n"),
    *("{}x\n", "x = '''\n{}'''\ny\n", "if a:\n  b\n  x = '''\n{}'''\n{}  c\n", "@a\n{}def f(): pass\n", "type(a).b = 1\nif x:\n  c\n{}b\n"),
    *("match a:\n{}  case 1:\n    b\n{}  case 2:\n    pass\n{}c\n", "x = f'''\n{}{{a}}\n{}'''\n", "try:\n  a\n{}except b:\n  c\n{}"),
    *("class A:\n  def f():\n    if x:\n      y\n{}  def g(): pass\n{}", "x = 1 # '''\n{}if a:\n{} b\n", "(lambda a,\n{}b: c)\n"),
    *("def f():\n  return *-a, b\n{}  c\n", "x = [*-a,\n{}b]\nif c:\n{}  d\n", "x = f\"{{'''\n{}'''}}\"\ny\n"),
)


def _row(random_: random.Random) -> str:
    columns = random_.choice(((0,), (2,), (0, 2), (2, 4), (1, 3, 8)))
    length = random_.choice((3, long_runs.LONG, 2 * long_runs.LONG))
    return "".join(f"{' ' * random_.choice(columns)}# {i} '\n" if random_.random() < 0.9 else " \n" for i in range(length))


@pytest.mark.parametrize("shape", ROWS)
def test_long_rows_of_comments_encode_as_short_ones_do(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hidden from the parser of Python changes nothing."""
    random_ = random.Random(shape)
    for _ in range(6):
        source = re.sub(r"\{\}", lambda _: _row(random_), shape).replace("{{", "{").replace("}}", "}")
        assert_round_trip(source, ("classic", "dense"), chunkings=())
        found = [transpiler.encode(source, dialect=dialect) for dialect in ALL]
        with monkeypatch.context() as patch:
            patch.setattr(long_runs, "_COMMENTS", re.compile(rb"(?!)"))
            assert [transpiler.encode(source, dialect=dialect) for dialect in ALL] == found


@pytest.mark.parametrize("shape", ROWS)
def test_unfinished_text_with_long_rows_encodes_as_with_short_ones(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random_ = random.Random(shape)
    source = re.sub(r"\{\}", lambda _: _row(random_), shape).replace("{{", "{").replace("}}", "}")
    ends = [random_.randrange(len(source) + 1) for _ in range(12)]
    found = [transpiler.encode(source[:end], partial=True) for end in ends]
    with monkeypatch.context() as patch:
        patch.setattr(long_runs, "_COMMENTS", re.compile(rb"(?!)"))
        assert [transpiler.encode(source[:end], partial=True) for end in ends] == found


def test_a_long_row_of_joined_lines_is_one_line() -> None:
    joined = "a = \\\n" + "  \\\n" * 3 * long_runs.LONG + "b\nc = '\\\n" + "\\\n" * 3 * long_runs.LONG + "'\n"
    assert_round_trip(joined)


def test_the_parser_is_not_shown_long_rows() -> None:
    row = b"  # comment\n" * 10 * long_runs.LONG
    shown, hidden = quieted(b"if a:\n  b\n" + row + b"c\n")
    assert shown.count(b"#") == 1
    assert sum(map(len, hidden.values())) == 10 * long_runs.LONG - 1
    in_string = b"x = '''\n" + row + b"'''\n"
    assert quieted(in_string) == (in_string, {})


# ---------------------------------------------------------------------------------------------------- work per text


@pytest.mark.parametrize(
    "shape",
    ["(a\n{}.b)\n", "(\n{}a)\n", "(lambda a,\n{}b: c)\n", "f(a,\n{}b)\n"],
)
def test_comments_in_brackets_cost_no_recursion(shape: str) -> None:
    source = shape.replace("{}", "# c\n" * 3000)
    assert len(comments_of(transpiler.decode(transpiler.encode(source))) or ()) == 3000


def test_many_comments_deep_in_one_expression_look_at_each_frame_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from transpiler import comments

    looked = 0

    class Counting(list[str]):
        def __getitem__(self, i):  # type: ignore[no-untyped-def,override]  # counts what the comments look at
            nonlocal looked
            looked += 1
            return super().__getitem__(i)

    monkeypatch.setattr(comments, "KINDS", Counting(comments.KINDS))
    counts = []
    for length in (100, 400):
        looked = 0
        transpiler.encode("(" + "a +  # c\n" * length + "a)\n", verify=False)
        counts.append(looked)
    assert counts[1] < 5 * counts[0]


@pytest.mark.parametrize(("text", "times"), [("'{}'", 1), ("x='''{}'''", 1), ("'''{}'", 2), ('f"""{}"""', 17), ("a{}", 17), ("# {}\n", 17)])
def test_a_token_of_many_pieces_is_not_read_again_for_each(text: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(self: Parser, buffer: str, final: bool) -> None:
        nonlocal read
        read += len(buffer)
        sound(self, buffer, final)

    sound = Parser._read
    line = "b" * 49 + ("\n" if 3 * text[-1] in text else "b")  # a string of three quotes may have lines
    monkeypatch.setattr(Parser, "_read", counted)
    counts = []
    for length in (40_000, 80_000):
        read = 0
        with contextlib.suppress(SimPySyntaxError):
            streamed(pieces_of(text.replace("{}", line * (length // 50)), 50))
        counts.append(read)
    # A short token is read again for each piece, which is bounded; a long one each time that a part of it more has arrived.
    assert counts[1] - counts[0] <= times * 40_000


def test_the_actions_of_a_decoder_are_looked_up_once_for_all() -> None:
    tables = load_tables(Dialect.load("classic"))
    one, other = (Parser(tables, ACTIONS, [], Layout([])) for _ in range(2))
    assert one._on_state is other._on_state
    assert Parser(tables, ACTIONS, [])._on_state is not one._on_state


def test_open_type_parameters_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from transpiler import repair

    read = 0

    class Counting:
        def finditer(self, *args: object) -> object:
            nonlocal read
            for match in pattern.finditer(*args):  # type: ignore[call-overload]  # as the pattern has it
                read += 1
                yield match

    pattern = repair._TOKEN
    monkeypatch.setattr(repair, "_TOKEN", Counting())
    counts = []
    for length in (100, 400):
        read = 0
        with pytest.raises(SimPyError):
            transpiler.encode("type A [=" * length + "\n")
        counts.append(read)
    assert counts[1] < 5 * counts[0]


def test_one_wide_line_does_not_widen_every_other() -> None:
    source = b"if a:\n" + b" " * 20_000 + b"(\n" + b"b,\n" * 1000 + b"c)\nclass A[T = int]: pass\n"
    from transpiler.repair import repair
    from transpiler.rows import parse

    assert len(repair(source, parse(source))[0]) < 50 * len(source)


def test_fields_in_formats_of_fields_are_no_recursion_error() -> None:
    source = "f'{1:" + "{1:" * 3000 + "}" * 3000 + "}'\n"
    for dialect in ALL:
        with pytest.raises(UnsupportedSyntaxError, match="too deep nesting"):
            transpiler.encode(source, dialect=dialect)
    transpiler.encode(source, partial=True)
