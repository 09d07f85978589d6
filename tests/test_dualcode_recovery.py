"""Recovery: what becomes of one piece of SimPy that a model writes, in whatever pieces it arrives."""

from __future__ import annotations

import pytest

from dualcode.conversion.recovery import SimPyPart, spells_breaks
from simpy_grammar.dialect import Dialect
from tests.helpers import GRAMMATICAL, pieces_of

CLASSIC = Dialect.load("classic")

# name -> what the model wrote, its Python, what stands as received, whether it is a whole program
PIECES: dict[str, tuple[str, str, str, bool]] = {
    "a program": ("<if_stmt>a<l>b<block_start>c=1<block_end>", "if a < b:\n    c = 1\n", "", True),
    "a program and words": ("<return>a<l>b?! sorry", "return a < b\n", "?! sorry", True),
    "a block that does not end": ("<if_stmt>a<block_start>f(1 2??", "if a:\n    f(1, 2\n", "??", False),
    "one end of a block too many": ("<return>a<l>b<block_end>rest", "return a < b\n", "<block_end>rest", True),
    "words after a line break": ("<return>a<l>b\nThat is all.", "return a < b\n", "That is all.", True),
    "nothing that shows SimPy": ("print hello world?", "", "print hello world?", True),
    "Python": ("x = [1, 2]\ny = 3", "", "x = [1, 2]\ny = 3", True),
    "a token in a string": ("x='<def_stmt>'??", "", "x='<def_stmt>'??", True),
    "a token in a comment": ("x=1# <def_stmt>\n??", "", "x=1# <def_stmt>\n??", True),
    "blanks": ("  ", "", "  ", True),
}


def read(text: str, length: int, *, complete: bool = True) -> tuple[str, str, SimPyPart]:
    piece = SimPyPart(CLASSIC)
    python = rest = ""
    for settled, raw in [*map(piece.feed, pieces_of(text, length)), piece.close(complete)]:
        python += settled
        rest += raw
    return python, rest, piece


@pytest.mark.parametrize("length", [1, 4, 1000])
@pytest.mark.parametrize("name", PIECES)
def test_the_longest_valid_beginning_is_python(name: str, length: int) -> None:
    text, python, rest, whole = PIECES[name]
    found = read(text, length)
    assert (found[0], found[1], found[2].whole) == (python, rest, whole)
    assert found[2].converted is bool(python)
    assert text.startswith(found[2].raw)


def test_the_rest_has_a_place_and_a_reason() -> None:
    _, rest, piece = read("<if_stmt>a<block_start>f(1 2??", 1)
    assert piece.failed_at == len("<if_stmt>a<block_start>f(1 2") and rest == "??"
    assert piece.error is not None and piece.error.message
    _, _, piece = read("<return>a", 1)
    assert (piece.failed_at, piece.error) == (None, None)


def test_offsets_are_those_of_the_text_as_received() -> None:
    """What was taken from the beginning of lines counts: an indent, a line break."""
    piece = SimPyPart(CLASSIC)
    piece.lead("\n")
    assert piece.feed("<return>a<l>b", "    <return>a<l>b")[1] == ""
    _, rest = piece.feed("??", "??")
    assert (rest, piece.raw) == ("??", "\n    <return>a<l>b??")
    assert piece.failed_at == len("\n    <return>a<l>b")


def test_short_code_counts_only_where_the_block_is_complete() -> None:
    """Without a special token, a text that breaks off may be anything."""
    assert read("x=f(a b)", 100)[:2] == ("x = f(a, b)\n", "")
    assert read("x=f(a b)", 100, complete=False)[:2] == ("", "x=f(a b)")
    assert read('print "a"', 100)[:2] == ("", 'print "a"')


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("def f(a):return a<1", "def f(a):\n    return a < 1\n"),
        ("def f(a):\n    return a < 1\n", ""),  # laid out by the model: it stays
        ("def f(a:", ""),
    ],
)
def test_compact_is_laid_out_at_its_end(text: str, python: str) -> None:
    piece = SimPyPart(Dialect.load("compact"))
    assert piece.feed(text) == ("", "")
    assert piece.close() == (python, "" if python else text)


def test_which_dialects_spell_with_line_breaks() -> None:
    assert [name for name in GRAMMATICAL if spells_breaks(Dialect.load(name))] == ["dense-newline"]
