"""The second opinion: tree-sitter-python sees one program in two layouts of it, and two programs where CPython sees two."""

from __future__ import annotations

from random import Random

import pytest

from tests.random_ast import Programs
from transpiler import decode, encode
from transpiler.proof import parse_tree, same_tree
from transpiler.witness import same_program

ALIKE = [
    ("((a)) = ((b)) = c", "a=b=c"),
    ("(a \\\n): (0)", "(a):0"),
    ("(a, b) = c", "a,b=c"),
    ("x -= (a,)", "x-=a,"),
    ("(a, b)", "a,b"),
    ("((a), (b))", "a,b"),
    ("for (a) in (b): pass", "for a in b:pass"),
    ("match a:\n    case (-3 \\\n): pass", "match a:\n\tcase(-3):pass"),
    ("type A = (b)", "type A=b"),
    ("f'{a:>{ b }}{c!r:{d}}'", "f'{a:>{b}}{c!r:{d}}'"),
]
DIFFERENT = [
    ("(a,) = b", "(a) = b"),
    ("[a] = b", "a = b"),
    ("(a,)", "(a)"),
    ("a, b", "a; b"),
    ("f((a, b))", "f(a, b)"),
    ("x = (a, b), c", "x = a, b, c"),
    ("a - (b - c)", "a - b - c"),
    ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ("type A = b", "type A = c"),
    (r"'a\nb'", r"'a\nc'"),
    ("f'{a:>{b}}'", "f'{a:<{b}}'"),
    ("f'{a:>{b}}'", "f'{a:>{c}}'"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_layouts_of_one_program_are_alike(one: str, other: str) -> None:
    assert same_program(one, other) is True


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_programs_are_told_apart(one: str, other: str) -> None:
    assert same_program(one, other) is False


def test_it_agrees_with_cpython_on_changed_programs() -> None:
    random, told_apart = Random(5), 0
    while told_apart < 60:
        one = Programs(random, 6).program()
        names = [at for at, letter in enumerate(one) if letter in "abxyz,()[]-+"]
        if not names:
            continue
        at = random.choice(names)
        other = one[:at] + one[at + 1 :]
        try:
            trees = parse_tree(one), parse_tree(other)
        except SyntaxError:
            continue
        if trees[0] is None or trees[1] is None or same_tree(trees[0], trees[1]):
            continue
        told_apart += 1
        assert not same_program(one, other), (one, other)


def test_a_new_program_with_a_target_in_parentheses_converts() -> None:
    source = "((a)) = ((b)) = c\ntype B[C, *D, **E] = d\n"
    assert encode(source, dialect="compact") == "a=b=c\ntype B[C,*D,**E]=d"
    assert decode(encode(source)) == "((a)) = ((b)) = c\ntype B[C, *D, **E] = d\n"
