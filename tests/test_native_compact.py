"""Compact Python from the native core: the same text as ``transpiler.compact`` gives."""

from __future__ import annotations

from random import Random

import pytest

from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from simpy_grammar.terminals import ID
from tests.golden import cases
from tests.mutated_programs import mutated
from tests.sample_programs import UNFINISHED
from transpiler.compact import compact_layout
from transpiler.conversion import read_stream
from transpiler.nesting import DEEPEST

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

PARENTHESES = [
    "((a, b)) = ((c)) = ((yield d))\n",
    "with ((a, b)): (c)\n",
    "with (a, b): (print) (c)\n",
    "x = (a + b) * (c * d) + -(e ** f) - (-g) ** h if (i if j else k) else (lambda: l)\n",
    "(type) = (match)(a); (case).b; ((print)); (exec) + 1\n",
    "type A[B: (c, d)] = (a, b)\nclass C[T](D, (E), F((G for H in I))): (j)\n",
    "f((a for b in c), ((d)))[(e, f)][(g)] = (*h, i), (j,)\n",
    "match (a):\n    case (b) | ((c)): (d)\n    case [(e), *f] if (g): ((h))\n",
    "f'{(a)} {((b))!r} {(c)=}' f''  '' 'd'\n",
    "for (a, b) in (c, d): ((()))\ndel (a), (b)\n",
    "x = (  # one\n    (a)  # two\n    + (b)\n)\n[(c) for (d) in (e) if (f)]\n",
    "return (a) if (not (b)) else (await (c))\nassert (a), (b)\n(x): y = (z)\n(1).a\n(a < b) < c\n",
]
SOURCES = (*UNFINISHED, *PARENTHESES, *(case.python for case in cases()))


def compact(terminals: bytes, texts: list[str], base: str = "") -> str | None:
    assert core is not None
    found: str | None = core.write(core.compact(base), terminals, texts)
    return found


def assert_same(stream: Stream, *bases: str) -> None:
    for base in bases:
        assert compact(bytes(stream.terminals), stream.texts, base) == compact_layout(stream, base)


@pytest.mark.parametrize("source", SOURCES)
def test_programs(source: str) -> None:
    try:
        stream = read_stream(source, Dialect.load("python"))
    except SimPyError:
        return
    assert_same(stream, "", "    ", "# é ", "''")
    for dialect in map(Dialect.load, BUILT_IN):  # a stream has the texts of what was read
        assert_same(read_stream("".join(Speller(dialect).spell_all(stream)), dialect), "")


def test_mutated_programs() -> None:
    random = Random(19)
    read = 0
    for source in random.choices(SOURCES, k=800):
        try:
            stream = read_stream(mutated(source, random), Dialect.load("python"))
        except (SimPyError, SyntaxError, IndexError, ValueError):  # the last three are those of ``mutated``
            continue
        assert_same(stream, "")
        read += 1
    assert read > 100


def test_depth() -> None:
    """As deep as Python reads, and brackets as deep as the text has them."""
    stream = Stream()
    for depth in range(DEEPEST + 1):
        if depth == DEEPEST:
            assert compact(bytes([*stream.terminals, *[ID["BLOCK_END"]] * depth]), [*stream.texts, *[""] * depth]) is not None
        for name, text in (("IF_STMT", "if"), ("NAME", "a"), ("BLOCK_START", ":")):
            stream.append(name, text)
    for _ in range(DEEPEST + 1):
        stream.append("BLOCK_END", "")
    assert compact(bytes(stream.terminals), stream.texts) is None
    stream = Stream()
    for name, text in [("NAME", "x"), ("ASSIGN", "="), *[("(", "(")] * 50_000, ("NAME", "y"), *[(")", ")")] * 50_000]:
        stream.append(name, text)
    assert compact(bytes(stream.terminals), stream.texts) == "x=y"


def test_what_it_cannot_lay_out() -> None:
    for terminals, texts in ((bytes((255,)), ["a"]), (b"", ["a"]), (bytes((ID["BLOCK_END"],)), [""]), (bytes((ID[")"],)), [")"])):
        assert compact(terminals, texts) is None
