"""The speller of the native core: it gives what ``simpy_grammar.speller`` gives, whole and in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.native_spelling import native_spelling
from simpy_grammar.speller import Speller
from simpy_grammar.stream import Stream
from tests.golden import cases
from tests.mutated_programs import mutated
from tests.sample_programs import UNFINISHED
from transpiler.conversion import read_stream

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

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
def streams() -> tuple[Stream, ...]:
    random = Random(17)
    sources = [*UNFINISHED, *(case.python for case in cases() if case.is_readable)]
    sources += ["; ".join(random.choices([*NAMES, "1.5 .a"], k=25)) for _ in range(20)]
    sources += [mutated(source, random) for source in random.choices(UNFINISHED, k=200)]
    return tuple(_read(sources))


def _read(sources: list[str]) -> Iterator[Stream]:
    for source in sources:
        try:
            yield read_stream(source, Dialect.load("python"))
        except SimPyError:
            continue


def in_pieces(dialect: Dialect, stream: Stream, cuts: list[int]) -> list[str]:
    speller = Speller(dialect, check=False)
    found: list[str] = []
    waiting = 0
    for cut in (*cuts, len(stream)):
        spelled = speller.spell(stream.terminals[waiting:cut], stream.texts[waiting:cut], final=len(found) == len(cuts))
        waiting += len(spelled)
        found.append("".join(spelled))
    return found


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_whole(dialect: Dialect) -> None:
    assert core is not None
    spelling = native_spelling(dialect)
    for stream in streams():
        expected = "".join(Speller(dialect, check=False).spell_all(stream))
        assert core.spell(spelling, bytes(stream.terminals), stream.texts) == expected


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_in_pieces(dialect: Dialect) -> None:
    """What each piece settles is the same, too."""
    assert core is not None
    random = Random(18)
    spelling = native_spelling(dialect)
    for stream in streams():
        count = len(stream)
        every = list(range(count + 1)) if count < 40 else []
        for cuts in (every, sorted(random.randint(0, count) for _ in range(random.choice((1, 4, 20))))):
            assert core.spell_pieces(spelling, bytes(stream.terminals), stream.texts, cuts) == in_pieces(dialect, stream, cuts)


def test_what_it_cannot_spell() -> None:
    assert core is not None
    spelling = native_spelling(Dialect.load("dense"))
    assert core.spell(spelling, bytes((255,)), ["a"]) is None  # no terminal
    assert core.spell(spelling, b"", ["a"]) is None  # not as many terminals as texts
    stream = Stream()
    stream.append("NAME", "\ud800")
    assert core.spell(spelling, bytes(stream.terminals), stream.texts) is None  # not UTF-8
    stream = Stream()
    stream.append("BLOCK_END", "")
    assert core.spell(spelling, bytes(stream.terminals), stream.texts) is None  # of no block
    assert native_spelling(Dialect.load("compact")) is None


def test_many_names() -> None:
    """More names than one hash table of a fixed size could hold."""
    assert core is not None
    stream = Stream()
    for i in range(40_000):
        stream.append("NAME", f"n{i}")
        stream.append("LINE_SEP", "")
    spelled = core.spell(native_spelling(Dialect.load("dense-aliases-64")), bytes(stream.terminals), stream.texts)
    assert spelled is not None and spelled.startswith("n0;n1;")
