"""Which Python a program needs: one table, asked where this interpreter cannot read the program; and the witness of the proof."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

import transpiler
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError
from tests.golden import Case, cases
from tests.helpers import CONVERTED, assert_round_trip, dump
from transpiler import proof, versions
from transpiler.conversion import read_stream
from transpiler.versions import needed_version
from transpiler.witness import same_program

# Syntax -> the first Python that reads it, where this is not the first that we read.
NEEDED = {
    "x = 1\n": (3, 0),
    "(x := 1)\n": (3, 8),
    "match a:\n    case b: c\n": (3, 10),
    "try: a\nexcept* b: c\n": (3, 11),
    "a[*b]\n": (3, 11),
    "type A = b\n": (3, 12),
    "def f[T](a): b\n": (3, 12),
    "class A[T]: b\n": (3, 12),
    "x = f'{a['b']}'\n": (3, 12),
    "x = f\"{'\\n'.join(a)}\"\n": (3, 12),
    "x = f'{a # b\n}'\n": (3, 12),
    "x = f'{a:{b:{c}}}'\n": (3, 12),
    "class A[T = int]: b\n": (3, 13),
    "x = t'{a} b'\n": (3, 14),
    "try: a\nexcept b, c: d\n": (3, 14),
    "try: a\nexcept b,: d\n": (3, 14),
    "lazy import a\n": (3, 15),
    "lazy from a import b\n": (3, 15),
    "x = [*a for a in b]\n": (3, 15),
    "x = {**a for a in b}\n": (3, 15),
    "f(*a for a in b)\n": (3, 15),
    "match a:\n    case +1: b\n": (3, 15),
    "match a:\n    case [b, +1 + 2j]: c\n": (3, 15),
}
NOT_NEWER = [
    "x = [*a, *b]\n",
    "f(*a, **b)\n",
    "x = f'{a}' f\"{b['c']}\"\n",
    "try: a\nexcept (b, c): d\n",
    "x = +1\n",
    "lazy = 1\nlazy(a)\n",
    "match(a)\ntype(b)\n",
    "x[a, b]\n",
    "x = [a for a in [*b]]\n",
]


@pytest.mark.quick
@pytest.mark.parametrize(("source", "version"), NEEDED.items())
def test_needed_version(source: str, version: tuple[int, int]) -> None:
    assert needed_version(read_stream(source, Dialect.load(PYTHON))) == version
    assert (dump(source) is not None) == (sys.version_info >= version)


@pytest.mark.quick
@pytest.mark.parametrize("source", NOT_NEWER)
def test_what_looks_newer_and_is_not(source: str) -> None:
    assert dump(source) is not None
    assert needed_version(read_stream(source, Dialect.load(PYTHON))) <= (3, 8)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_the_cases_say_what_they_need(case: Case) -> None:
    """No case needs more than it says, and what this Python cannot read needs more than this Python."""
    needed = needed_version(read_stream(case.python, Dialect.load(PYTHON)))
    assert needed <= case.since
    # In one case the line breaks in a field are what is new, and a stream has none.
    if dump(case.python) is None and case.path.stem != "fstrings_in_multiline_fstrings":
        assert needed > sys.version_info[:2]


# ---------------------------------------------------------------------------------------------------------- the proof


def as_if(running: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this Python were an old one that reads nothing."""

    def parse(text: str) -> None:
        raise SyntaxError("invalid syntax", ("<text>", 1, 1, text, 1, 2))

    monkeypatch.setattr(versions, "RUNNING", running)
    monkeypatch.setattr(proof, "_parse", parse)


WITNESSED = {
    "except* and starred subscripts": "try:\n    a\nexcept* b:\n    c[*d]\n",
    "type parameters": "type A[T] = list[T]\n\n\ndef f[T: int](a: T) -> T:\n    return a\n\n\nclass B[*C]:\n    d = 1\n",
    "a backslash in a field": "x = f\"{'\\n'.join(a)}\"\n",
    "except without parentheses": "try:\n    a\nexcept b, c:\n    d\n",
}
NOT_WITNESSED = {
    "defaults of type parameters": ("class A[T = int, *U = *tuple[int]]:\n    b = 1\n", "needs Python 3.13"),
    "lazy imports": ("lazy import a\n", "needs Python 3.15"),
    "signs of patterns": ("match a:\n    case +1:\n        b\n", "needs Python 3.15"),
}


@pytest.mark.parametrize("name", WITNESSED)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_newer_source_is_proved_by_the_witness(name: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = WITNESSED[name]
    as_if((3, 8), monkeypatch)
    simpy = transpiler.encode(source, dialect=dialect)
    assert simpy == transpiler.encode(source, dialect=dialect, verify=False)


LOSSES: dict[str, Callable[[str], str]] = {
    "one line more": lambda text: text + "lost = 1\n",
    "another name": lambda text: text.replace("a", "z"),
    "no first line": lambda text: text[text.index("\n") + 1 :],
}


@pytest.mark.parametrize("name", WITNESSED)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_witness_notices_a_loss(name: str, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = WITNESSED[name]
    as_if((3, 8), monkeypatch)
    stream = read_stream(source, Dialect.load(PYTHON))
    with pytest.raises((RoundTripError, PythonSyntaxError)):
        proof.prove(source, lambda: stream, lambda: LOSSES[loss](source), None)


@pytest.mark.quick
@pytest.mark.parametrize("name", NOT_WITNESSED)
def test_what_nobody_here_can_read_names_the_python_that_can(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, message = NOT_WITNESSED[name]
    as_if((3, 11), monkeypatch)
    with pytest.raises(PythonSyntaxError, match=message) as caught:
        transpiler.encode(source)
    assert "3.11" in caught.value.message
    assert caught.value.hint
    assert_round_trip(source, ["classic", "dense"])


@pytest.mark.quick
def test_a_source_without_newer_syntax_is_what_python_says_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    as_if((3, 8), monkeypatch)
    with pytest.raises(PythonSyntaxError, match="invalid syntax"):
        transpiler.encode("x = f'{a}'\n")


@pytest.mark.quick
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("f(a,)", "f( a )", True),
        ("x = (a)", "x=a", True),
        ("a; b\n", "a\nb\n", True),
        ("if a: b\n", "if a:\n        b  # c\n", True),
        ("f(a)", "f(b)", False),
        ("a - (b - c)", "a - b - c", False),
        ("x = 1", "x = 1\ny", False),
        ("x = 'a' 'b'", "x = 'a'", False),
        ("if a:\n  b\n  c", "if a:\n  b\nc", False),
        ("f(", "f(", None),
        ("lazy import a", "lazy import a", None),
    ],
)
def test_the_witness(one: str, other: str, same: bool | None) -> None:
    assert same_program(one, other) is same
