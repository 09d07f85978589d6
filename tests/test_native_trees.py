"""The comparison of trees in C says what the one in Python says, on equal trees and on trees with anything changed anywhere."""

from __future__ import annotations

import ast
import copy
import math
import sys
import warnings
from random import Random

import pytest

from simpy_grammar.native import core
from tests.mutated_programs import mutated
from tests.sample_programs import UNFINISHED
from transpiler.proof import same_by_level

pytestmark = [pytest.mark.quick, pytest.mark.skipif(core is None, reason="the native core is not built")]

_VALUES = (0, 1, 0.0, -0.0, 1.0, 0j, -0j, complex(0, -0.0), 1j, math.nan, 10**40, True, False, None, ..., "", "a", b"", b"a", "é")
_ODD = ((1, 2), frozenset(), object(), type, [], [None], ast.Load(), ast.Name("a", ast.Load()), ast.AST())


def native(one: object, other: object) -> bool | None:
    assert core is not None
    found: bool | None = core.same_tree(one, other)
    return found


def agree(one: ast.AST, other: ast.AST, *, may_refuse: bool = False) -> bool:
    """Whether two trees are the same, which both have to say."""
    pure = same_by_level(one, other)
    for found in (native(one, other), native(other, one)):
        assert found is pure or (may_refuse and found is None)
    return pure


def programs() -> list[ast.Module]:
    found = []
    for source in UNFINISHED:
        try:
            found.append(ast.parse(source))
        except SyntaxError:  # of a newer Python
            continue
    return [*found, ast.parse(f"if a:\n    {' + '.join('abc')}\n    {'(' * 50}x{',)' * 50}\n")]


def change(tree: ast.AST, random: Random, values: tuple[object, ...]) -> None:
    """Change one field of one node."""
    nodes = [node for node in ast.walk(tree) if node._fields]
    node = random.choice(nodes)
    name = random.choice(node._fields)
    value = getattr(node, name, None)
    kind = random.randrange(4)
    if kind == 0:
        setattr(node, name, copy.deepcopy(random.choice(values)))
    elif kind == 1 and name in vars(node):
        delattr(node, name)
    elif kind == 2 and isinstance(value, list):
        value.insert(random.randrange(len(value) + 1), copy.deepcopy(random.choice((*values, *nodes[-3:]))))
    elif isinstance(value, list) and value:
        del value[random.randrange(len(value))]
    else:
        setattr(node, name, copy.copy(value))


def test_equal_trees_and_positions() -> None:
    for tree in programs():
        other = copy.deepcopy(tree)
        assert agree(tree, tree)
        assert agree(tree, ast.increment_lineno(other, 3))
        assert agree(tree, ast.parse(ast.unparse(tree)))


@pytest.mark.parametrize("seed", range(4))
def test_changed_trees(seed: int) -> None:
    random = Random(seed)
    differ = 0
    for tree in programs():
        for _ in range(12):
            other = copy.deepcopy(tree)
            change(other, random, _VALUES)
            differ += not agree(tree, other)
            again = copy.deepcopy(other)
            change(again, random, _VALUES)
            agree(other, again)
            change(again, random, _ODD)
            agree(other, again, may_refuse=True)
    assert differ > 100


def test_changed_programs() -> None:
    random = Random(7)
    same = 0
    for source in UNFINISHED:
        for _ in range(8):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    trees = ast.parse(source), ast.parse(mutated(source, random))
            except (SyntaxError, ValueError):
                continue
            same += agree(*trees)
    assert same > 5


@pytest.mark.parametrize("one", _VALUES)
def test_constants(one: object) -> None:
    for other in _VALUES:
        agree(ast.Constant(one), ast.Constant(copy.deepcopy(other)))
    agree(ast.Constant(float("nan")), ast.Constant(float("nan")))
    agree(ast.Constant(int("1" + "0" * 40)), ast.Constant(10**40))


def test_the_root_is_compared_even_with_itself() -> None:
    assert not native(math.nan, math.nan)  # as the one in Python does
    assert native([], []) and native("a", "a") and not native([], [1]) and native(None, None)


def test_what_no_parser_makes_is_left_to_python() -> None:
    class Named(ast.Name):
        pass

    class Strange:
        _fields = ("a",)

    for odd, same in ((Named("a", ast.Load()), Named()), (Strange(), Strange()), ((1,), (2,)), ({}, {1: 2}), (object(), object())):
        assert native(ast.Expr(odd), ast.Expr(same)) is None
    assert native(ast.Expr(Named("a")), ast.Expr(ast.Name("a"))) is False
    assert native(Named, Strange) is None


def test_classes_whose_fields_are_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = ast.Name("a", ast.Load()), ast.Name("b", ast.Load())
    for fields in (["id"], (1,), None):
        monkeypatch.setattr(ast.Name, "_fields", fields)
        assert native(one, other) is None
    monkeypatch.setattr(ast.Name, "_fields", ("lineno", "id"))
    assert native(one, other) is False


def test_trees_of_any_depth() -> None:
    one: ast.expr = ast.Name("a", ast.Load())
    other: ast.expr = ast.Name("a", ast.Load())
    wrong: ast.expr = ast.Name("b", ast.Load())
    kept: list[ast.AST] = []  # freeing so deep a tree at once is not for every interpreter
    for _ in range(100_000):
        kept += (one, other, wrong)
        one, other, wrong = ast.Await(one), ast.Await(other), ast.Await(wrong)
    assert native(one, other) is True and native(one, wrong) is False
    while kept:
        vars(one).clear()
        vars(other).clear()
        vars(wrong).clear()
        wrong, other, one = kept.pop(), kept.pop(), kept.pop()  # type: ignore[assignment]  # expressions


def in_a_circle(size: int, name: str) -> ast.expr:
    """An expression that holds itself."""
    first = inner = ast.Await()
    for _ in range(size - 1):
        inner.value = ast.Await()
        inner = inner.value
    inner.value = ast.Tuple([ast.Name(name), first], ast.Load())
    return first


def test_trees_that_hold_themselves() -> None:
    for size, other_size in ((1, 1), (2, 3), (1500, 4)):
        one, same, wrong = in_a_circle(size, "a"), in_a_circle(other_size, "a"), in_a_circle(other_size, "b")
        assert agree(ast.Expr(one), ast.Expr(copy.deepcopy(one) if size < 100 else one))
        assert agree(one, same) == (size == other_size) and not agree(one, wrong)
        assert not agree(ast.Expr(ast.Await(one)), ast.Expr(one))
    # what holds itself through a list, and circles of which one goes round more often than the other
    one_list, other_list = [ast.Load()], [ast.Load()]
    one_list.append(one_list)  # type: ignore[arg-type]
    other_list.append([ast.Load(), other_list])  # type: ignore[arg-type, list-item]
    assert agree(ast.Module(one_list, []), ast.Module(other_list, []))
    twice = ast.Await(ast.Await())
    twice.value.value = twice  # type: ignore[attr-defined]
    once = ast.Await()
    once.value = once
    assert agree(once, twice) and agree(ast.Await(once), twice)


def test_nodes_that_are_shared() -> None:
    one, other, wrong = (ast.Name(name, ast.Load()) for name in "aab")
    for _ in range(60):  # of 2 ** 60 places
        one, other, wrong = (ast.Tuple([node, node], ast.Load()) for node in (one, other, wrong))  # type: ignore[assignment]
    assert agree(one, other) and not agree(one, wrong)


def test_references_are_given_back() -> None:
    one, other = in_a_circle(3, "a"), in_a_circle(3, "a")
    nodes = [node for tree in (one, other) for node in (tree, vars(tree)["value"], vars(tree)["value"].value.value.elts)]
    counts = [sys.getrefcount(node) for node in nodes]
    for _ in range(100):
        assert native(one, other)
        assert native(ast.Expr(one), ast.Expr((1,))) is False
    assert [sys.getrefcount(node) for node in nodes] == counts


def test_arguments() -> None:
    assert core is not None
    with pytest.raises(TypeError):
        core.same_tree(ast.Load())
