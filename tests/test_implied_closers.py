"""Closing brackets that the end of a statement implies: what is left out, what is read back, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPySyntaxError
from simpy_grammar.simpy_lexer import SimPyReader
from tests.golden import Case, cases
from tests.helpers import OPEN, dump, pieces_of, streamed
from tests.programs import programs
from tokenizer_ext.fitting import fit

NAME = "dense-open"
DIALECT = Dialect.load(NAME)

# Python -> its text in dense-open.
WRITTEN = {
    "x = f(g(a))\ny = 1\n": "x=f(g(a;y=1",
    "x = [f(a)]\nreturn_ = {1: {2}}\nx\n": "x=[f(a;return_={1:{2;x",
    "x = f(a)\nimport b\n": "x=f(a<import_stmt>b",
    "for a in f(b):\n    g(c)\nd\n": "<for_stmt>a f(b{g(c}d",
    "class A(B):\n    pass\nclass C(D):\n    x = 1\n": "<class_stmt>A(B{}<class_stmt>C(D{x=1",
    "try:\n    f(a)\nexcept g(b):\n    h(c)\nelse:\n    i(d)\n": "<try_stmt>f(a<except_stmt>g(b{h(c<else_stmt>i(d",
    "match f(a):\n    case (1, 2):\n        g(b)\n    case A(c):\n        pass\n": "<match_stmt>f(a<case_stmt>(1 2{g(b<case_stmt>A(c{",
    "def f[T](a=g(b)) -> h(c):\n    pass\n": "<def_stmt>f[T] a=g(b)->h(c{",
    "def f[T]():\n    pass\n": "<def_stmt>f[T{",
    "with f(a) as b, (c):\n    pass\n": "<with_stmt>f(a)<as>b (c{",
    "@a(b)\ndef f():\n    pass\n": "@a(b<def_stmt>f{",
    "x = f(a)  # why\n": "x=f(a# why\n",
    "if f(a):  # why\n    b\n": "<if_stmt>f(a# why\n{b",
    "from a import (b,  # c\n  d)\nfrom e import (f)\n": "<import_from_stmt>a (b <comment># c\nd<import_from_stmt>e f",
    # what no operand precedes, and what a brace would close
    "x = f()\ny = ()\nz = a[1:]\nf((yield))\n": "x=f();y=();z=a[1:];f((<yield>)",
    "x = g(f())\ny = [(a,)]\nz = b[a[1:]]\n": "x=g(f();y=[(a,);z=b[a[1:]",
    "if f({}):\n    x = {1: 2}\ny\n": "<if_stmt>f({}{x={1:2}}y",
    "if a:\n    x = f({1: g(2)})\ny\n": "<if_stmt>a{x=f({1:g(2)}}y",
    "if f(a, {}):\n    b\n": "<if_stmt>f(a {}{b",
    "if f(  # c\n    ):\n    b\n": "<if_stmt>f(<comment># c\n){b",
    # fields of strings are data to their end
    "x = f(f'{g(a)}')\ny = f'{b}'\n": "x=f(f'{g(a)}';y=f'{b}'",
    "x = {f'{a}'}\ny\n": "x={f'{a}';y",
    # a word that may stand inside of brackets, too
    "x = f(a)\nasync def g():\n    pass\n": "x=f(a)<async_keyword><def_stmt>g{",
}


@pytest.mark.quick
@pytest.mark.parametrize("python", WRITTEN)
def test_what_is_left_out(python: str) -> None:
    simpy = transpiler.encode(python, dialect=NAME, verify=False)
    assert simpy == WRITTEN[python]
    assert transpiler.encode(transpiler.decode(simpy, dialect=NAME), dialect=NAME, verify=False) == simpy
    for length in (1, 2, 5):
        assert streamed(pieces_of(simpy, length), NAME) == transpiler.decode(simpy, dialect=NAME)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("x=f(g(a));y=[1]", "x = f(g(a))\ny = [1]\n"),
        ("x=f(g(a);y=[1", "x = f(g(a))\ny = [1]\n"),
        ("f(;g[1:;h({", "f()\ng[1:]\nh({})\n"),  # where the writer leaves brackets, the reader needs them no more than elsewhere
        ("<if_stmt>f(a=1<return>", "if f(a=1):\n    return\n"),
        ("f(a<async_keyword> for b c;d", "f(a async for b in c)\nd\n"),
    ],
)
def test_brackets_that_are_spelled_or_left_out_more_often_are_read(text: str, python: str) -> None:
    assert transpiler.decode(text, dialect=NAME) == python


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("f(a]", 4, "unexpected ']'"),
        ("x=f({);y", 6, "unexpected ')'"),  # only the end of a statement closes what is open
        ("x=f(a;]", 7, "unexpected ']'"),
        (
            "x={1:f(a}",
            9,
            "} without an open block, or in the middle of a statement",
        ),  # the brace is that of the dictionary, and its bracket is open
        ("<if_stmt>a{x={1:f(a}", 20, "} without an open block, or in the middle of a statement"),
        ("f(a+;b", 5, "an operand is missing before ';'"),
        ("f(a=", 5, "the text ends in the middle of a statement"),
        ("<if_stmt>f(a", 13, "the text ends in the middle of a statement"),
        ("<if_stmt>f(a;b", 13, "unexpected ';'"),
        ("f'{g(a;'", 7, "unexpected ';'"),  # nothing is implied in a field
        ("f'{g(a", 7, "the text ends inside brackets"),
        ("x[a=1", 4, "unexpected '='"),  # the end of a target is not the end of a statement
        ("f(a<async_keyword><def_stmt>g{", 19, "unexpected '<def_stmt>'"),
    ],
)
def test_what_is_refused(text: str, column: int, message: str) -> None:
    with pytest.raises(SimPySyntaxError) as caught:
        transpiler.decode(text, dialect=NAME)
    assert (caught.value.line, caught.value.column) == (1, column)
    assert message in caught.value.message
    with pytest.raises(SimPySyntaxError) as streaming:
        streamed(pieces_of(text, 1), NAME)
    assert (streaming.value.message, streaming.value.column) == (caught.value.message, column)


@pytest.mark.quick
def test_where_a_text_may_end() -> None:
    for text, may_end in (("f(~", False), ("f(a)", True), ("f([", True), ("f((a)", True), ("f'{(a)", False), ("<if_stmt>(a)", False)):
        reader = SimPyReader(DIALECT)
        reader.feed(text)
        assert reader.buffer == ""
        assert reader.may_end() is may_end, text
        assert reader.end() is may_end, text


@pytest.mark.quick
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_a_text_is_that_of_dense_less_closing_brackets(case: Case) -> None:
    dense, text = (transpiler.encode(case.python, dialect=name, verify=False) for name in ("dense", NAME))
    closed, opened = transpiler.lexemes(dense, dialect="dense", implied=True), transpiler.lexemes(text, dialect=NAME, implied=True)
    assert [lexeme.terminal for lexeme in closed] == [lexeme.terminal for lexeme in opened]
    for one, other in zip(closed, opened, strict=True):
        assert one.text == other.text or (one.text in (")", "]", "}") and not other.text)
    assert transpiler.convert(dense, source=NAME, target=NAME) == text


@given(programs(), st.data())
def test_any_of_them_may_be_spelled(source: str, data: st.DataObject) -> None:
    """Of the brackets that the end of a statement implies, any number of the first ones may stand there."""
    opened = transpiler.lexemes(transpiler.encode(source, dialect=NAME, verify=False), dialect=NAME, implied=True)
    text, spelled = "", True
    for lexeme in opened:
        implied = lexeme.terminal in (")", "]", "}") and not lexeme.text
        spelled = spelled and data.draw(st.booleans()) if implied else True
        text += lexeme.terminal if spelled and implied else lexeme.text
    assert transpiler.convert(text, source=NAME, target=NAME) == transpiler.encode(source, dialect=NAME, verify=False)
    assert dump(transpiler.decode(text, dialect=NAME)) == dump(source)


@pytest.mark.quick
@pytest.mark.parametrize("dialect", OPEN)
def test_a_search_for_spellings_does_not_begin_there(dialect: str) -> None:
    with pytest.raises(DialectError, match="leaves out brackets"):
        fit(None, ["x = 1\n"], start=dialect)
