"""The speller of the native core: it gives what ``simpy_grammar.speller`` gives, whole and in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from random import Random

import pytest

from fuzz.native import pure_python
from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.native_spelling import native_spelling
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from tests.golden import cases
from tests.mutated_programs import mutated
from tests.sample_programs import UNFINISHED
from transpiler import native_conversion
from transpiler.conversion import read_stream
from transpiler.streams import Conversion

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")
PYTHON = Dialect.load("python")

OWN = {
    "spaced-open": "%extends dense-spaced\n%open\n",
    "newline-open": "%extends dense-newline\n%open\n%aliases 5\n",
    "final-ends": '%extends classic\nFINAL_BLOCK_END: ""\n',
    "lone-pass": '%extends classic\nONLY_PASS: ""\nLINE_SEP: "\\n" | ";"\n',
    "beyond-ascii": '%extends classic\nEXPLICIT_BLOCK_START: "é:"\nTARGET_SEP: "ü" | " ü "\nEQUAL: " <== " | "=="\n',
    "brackets": '%extends dense-open\nMATCH_BLOCK_END: "]"\nPASS: ")"\n',
}
ALIASED = ("dense-aliases-64", "classic-aliases-1", "dense-open-aliases-3")
DIALECTS = (*map(Dialect.load, (*BUILT_IN, *ALIASED)), *(Dialect.parse(text, name=name) for name, text in OWN.items()))

NAMES = "aNameOfALongName _getHTMLName2 __a_b__ größenÄnderungsmaß x0123456789 ключевоеслово1 größenänderungsmaß long_name".split()


@cache
def programs() -> dict[str, Stream]:
    random = Random(17)
    sources = [*UNFINISHED, *(case.python for case in cases() if case.is_readable)]
    sources += ["; ".join(random.choices([*NAMES, "1.5 .a"], k=25)) for _ in range(20)]
    sources += [mutated(source, random) for source in random.choices(UNFINISHED, k=200)]
    return dict(_read(sources))


def _read(sources: list[str]) -> Iterator[tuple[str, Stream]]:
    for source in sources:
        try:
            yield source, read_stream(source, PYTHON)
        except SimPyError:
            continue


def spell(dialect: Dialect, terminals: bytes, texts: list[str]) -> str | None:
    assert core is not None
    found: str | None = core.write(core.spelled(native_spelling(dialect)), terminals, texts)
    return found


def native_pieces(dialect: Dialect, pieces: list[str]) -> list[str]:
    converter = native_conversion.converter(PYTHON, dialect, 88, "    ", "")
    return [*(core.feed(converter, piece) for piece in pieces), core.finish(converter, "")]  # type: ignore[union-attr]


def pure_pieces(dialect: Dialect, pieces: list[str]) -> list[str]:
    with pure_python():
        conversion = Conversion(PYTHON, dialect)
        return [*map(conversion.feed, pieces), conversion.close()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_whole(dialect: Dialect) -> None:
    for stream in programs().values():
        expected = "".join(Speller(dialect, check=False).spell_all(stream))
        assert spell(dialect, bytes(stream.terminals), stream.texts) == expected


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect.name != "beyond-ascii"], ids=lambda dialect: dialect.name)
def test_in_pieces(dialect: Dialect) -> None:
    """What each piece settles is the same, too; in dialects that can be read."""
    random = Random(dialect.name)
    for source in random.sample([*programs()], 60):
        every = list(range(len(source) + 1)) if len(source) < 100 else []
        for cuts in (every, sorted(random.randint(0, len(source)) for _ in range(random.choice((1, 4, 20))))):
            pieces = [source[at:end] for at, end in pairwise((0, *cuts, len(source)))]
            assert native_pieces(dialect, pieces) == pure_pieces(dialect, pieces), pieces


def test_what_it_cannot_spell() -> None:
    dense = Dialect.load("dense")
    assert spell(dense, bytes((255,)), ["a"]) is None  # no terminal
    assert spell(dense, b"", ["a"]) is None  # not as many terminals as texts
    stream = Stream()
    stream.append("NAME", "\ud800")
    assert spell(dense, bytes(stream.terminals), stream.texts) is None  # not UTF-8
    stream = Stream()
    stream.append("BLOCK_END", "")
    assert spell(dense, bytes(stream.terminals), stream.texts) is None  # of no block
    assert native_spelling(Dialect.load("compact")) is None


def test_many_names() -> None:
    """More names than one hash table of a fixed size could hold."""
    stream = Stream()
    for i in range(40_000):
        stream.append("NAME", f"n{i}")
        stream.append("LINE_SEP", "")
    spelled = spell(Dialect.load("dense-aliases-64"), bytes(stream.terminals), stream.texts)
    assert spelled is not None and spelled.startswith("n0;n1;")
