"""The comparison of the proof agrees with ``ast.dump``: on equal programs, and on programs that differ in one thing anywhere."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from transpiler.proof import same_tree

pytestmark = pytest.mark.quick

SOURCE = (Path(__file__).resolve().parent.parent / "examples" / "two_sum.py").read_text(encoding="utf-8")
SOURCE += "async def g(a, /, *b: int, c=-0.5j, **d): return [*b, b'x', u'y', f'{a!r:>{c}}', ..., None, 1_000, 1.5, {**d, 1: 2}]\n"


def changed_trees() -> Iterator[ast.AST]:
    """The tree of the source, each time with one field changed: another value, an element fewer, or nothing."""
    count = sum(len(node._fields) for node in ast.walk(ast.parse(SOURCE)))
    for number in range(count):
        tree = ast.parse(SOURCE)
        node, name = [(node, name) for node in ast.walk(tree) for name in node._fields][number]
        value = getattr(node, name, None)
        if isinstance(value, list):
            setattr(node, name, value[:-1])
        elif isinstance(value, str | bytes | int | float | complex) and not isinstance(value, bool):
            setattr(node, name, value + value)
        else:
            setattr(node, name, None if value is not None else ast.Name("other", ast.Load()))
        yield tree


def test_every_change_is_seen() -> None:
    tree = ast.parse(SOURCE)
    dumped = ast.dump(tree)
    seen = [(ast.dump(other) == dumped, same_tree(tree, other), same_tree(other, tree)) for other in changed_trees()]
    assert all(same == expected == back for expected, same, back in seen)
    assert sum(not expected for expected, _, _ in seen) > 100


def test_equal_trees_of_different_objects_are_the_same() -> None:
    tree = ast.parse(SOURCE)
    assert same_tree(tree, copy.deepcopy(tree))


@pytest.mark.parametrize(("one", "other"), [("0.0", "0"), ("1", "True"), ("1j", "1.0"), ("b'a'", "'a'"), ("u'a'", "'a'"), ("a", "a()")])
def test_constants_that_compare_equal_are_told_apart(one: str, other: str) -> None:
    assert not same_tree(ast.parse(one), ast.parse(other))


def test_zeros_of_both_signs_are_told_apart() -> None:
    assert not same_tree(ast.Constant(0.0), ast.Constant(-0.0))
    assert not same_tree(ast.Constant(0j), ast.Constant(-0j))


def test_a_missing_field_is_none() -> None:
    one, other = ast.parse("return"), ast.parse("return")
    del one.body[0].value  # type: ignore[attr-defined]  # a statement that returns
    assert same_tree(one, other)
