"""Commas that make tuples, and parentheses around them: what a piece says with either is what the file says afterwards."""

from __future__ import annotations

import pytest

from simpy_grammar.errors import PlaceError
from transpiler import replace


@pytest.mark.parametrize(
    ("source", "old", "new", "expected"),
    [
        ("def f():\n    return (b,)\n", "return b,", "x\nreturn b,", "def f():\n    x\n    return (b,)\n"),
        ("b=2; a=(b,)\n", "b=2;a=b,", "c=2;a=b,", "c=2; a=(b,)\n"),
        ("a = (b,)\n", "a=b,", "z=b", "z = b\n"),
        ("x = (a, b)\n", "x=a,b,", "x=z,", "x = z,\n"),
        ("x = (\n    a,\n    b,\n)\n", "    a,\n    b,\n", "    z,\n", "x = (z,)\n"),
        ("x = (a)\n", "a,", "z,", "x = (z)\n"),
        ("x = f(a, b)\n", "a,b,", "z,", "x = f(z)\n"),
        ("x = f(a, b)\n", "a,", "z,", "x = f(z, b)\n"),
    ],
)
def test_a_last_comma_stays_where_it_makes_a_tuple(source: str, old: str, new: str, expected: str) -> None:
    assert replace(source, old, new).text == expected


def test_a_tuple_is_not_found_in_another_value() -> None:
    with pytest.raises(PlaceError):
        replace("x = a\n", "x=a,", "x=b,")


@pytest.mark.parametrize(
    ("source", "old", "new", "expected"),
    [
        ("def f():\n    return a, b\n", "return(a,b)", "return(a,c)", "def f():\n    return (a, c)\n"),
        ("for x in a, b:\n    pass\n", "for x in (a,b):", "for x in (a,c):", "for x in (a, c):\n    pass\n"),
        ("x = a if b else c\n", "x=(a if b else c)", "x=(a if b else d)", "x = (a if b else d)\n"),
    ],
)
def test_a_piece_may_have_parentheses_that_the_file_lacks(source: str, old: str, new: str, expected: str) -> None:
    assert replace(source, old, new).text == expected


def test_names_are_added_to_an_import_in_parentheses() -> None:
    source = "from a import (\n    b,\n    c,\n)\n"
    assert replace(source, "    c,\n", "    z,\n    y,\n").text == "from a import (\n    b,\n    z,\n    y,\n)\n"


def test_comments_on_lines_of_their_own_become_fewer() -> None:
    assert replace("def f():\n    # b\n    # c\n    y = 1\n", "    # b\n    # c\n", "    # d\n").text == "def f():\n    # d\n    y = 1\n"
