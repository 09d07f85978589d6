"""Exact texts where other tests ask only for consistency: what a stream gives with each character, what is said of SimPy that
is broken at any place, and the layout of ``compact``.

The expected texts stand in ``tests/cases``; ``--update-cases`` writes what the converter gives now, for a person to read in
the diff. That streams and pieces of any length agree with the whole is the business of ``tests.test_streaming``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import transpiler
from simpy_grammar.errors import PythonSyntaxError, SimPyError, UnsupportedSyntaxError
from tests.golden import cases, check_rows, errors
from tests.helpers import GRAMMATICAL
from tests.odd_programs import BROKEN, COMMENTED, UNFINISHED

STREAMED = [
    "x = 1\n",
    "x = 1.5e+3 + 0x1F - 2j.real * 1 .a / 1e5 // 3. ** .5\n",
    "import a\nfrom b import c\n\n# one\nd  # two\n\n\n# three\ndef e(f):  # four\n    # five\n    pass\n\n\n# six\ng\n",
    "class A:\n    b = 1\n    # one\n    def c(self):\n        pass\n    # two\n    d = e\nf\n",
    "x = (a,  # one\n     # two\n     b + c  # three\n     - d)\ny = [\n    # four\n]\n",
    "x = f'a{b!r:>{c}}{{d}}' rf'\\N{e}' f'\\N{DASH}{f}' f'''{g:\nh}''' f\"{i=}{j = !r}\" f'{ {k: l}}' F''\n",
    "x = 'a' \"b\" r'\\'' b\"\\\"\" '''c'd''e\\''' ''' Rb\"\"\"f\n\"g\"\"\" u'' '' \"\"\n",
    "x = '<def_stmt>' '<comment>'  # <block_end>\n",
    "if a < b <= c << d < e: pass\n",
    "if a <= b << c < d: e <<= f; g >>= h >> i\nelif j: pass\nelse:\n    while k: break\n",
    "async def a(b: c = d, *e: f, g=h, **i) -> j:\n    async for k in l: await m\n    return [n async for o in p]\n",
    "@a\n# one\n@b.c(d)\nclass E(f, g=h): pass\n",
    "try: a\nexcept B as c: d\nexcept: e\nelse: f\nfinally: g\ntry: h\nexcept* I: j\n",
    "match a, b:\n    # one\n    case [c, *_] | D(e, f=-1 + 2j) if g:\n        pass\n    case {'h': i, **j}: k\n    case _: l\n",
    "x = lambda: a, lambda b, *c, d=e: f\nz = (yield), not g, h if i else j, *k\n",
    "é = 'ж' + ñ_1\nname = True_ + None_ + _x\n",
    "x[a:b, ::c, d] = {e: f, **g}, {h}, (), (i,), [j for k, in l if m]\n",
    "x: int = 1\ny += 2; z -= 3; del a, b; assert c, d; raise e from f\nglobal g; nonlocal h\n",
    "type A[B: int, *C, **D] = E\ndef f[G](h): pass\n",
    "with a as b, (c): pass\nwith (a,  # one\n      b): pass\n",
    "from . import a\nfrom .b import *\nfrom ... import (c as d, e)\nfrom __future__ import f\n",
]
"""Programs in which each kind of token, and most of what is held back, comes once or more."""

WRONG = ("<block_end>", "<else_stmt>", ")", "=", " ", "'", "<comment># X\n", "1", "a", "<nothing>", "# X\n", "é", "}", "\0", "<l", "...")
"""What is put where it does not belong."""


def _spelled(sources: list[str]) -> Iterator[str]:
    """Programs in every dialect that has a grammar, each after the name of the dialect."""
    for dialect in GRAMMATICAL:
        for source in sources:
            yield f"{dialect}|{transpiler.encode(source, dialect=dialect, verify=False)}"


def _said(error: SimPyError) -> str:
    """Where and what, without the line that is shown."""
    return f"{error.line}:{error.column}: {error.message} ({error.hint})"


def test_what_each_character_of_a_stream_settles(request: pytest.FixtureRequest) -> None:
    """Each row: the SimPy, and the Python with a bar after what each character has settled."""

    def settled(row: str) -> list[str]:
        dialect, _, simpy = row.partition("|")
        decoder = transpiler.Decoder(dialect=dialect)
        return ["|".join([*map(decoder.feed, simpy), decoder.close()])]

    check_rows("settled.json", request, lambda: _spelled(STREAMED), settled)


def test_what_is_said_of_simpy_with_something_wrong_in_it(request: pytest.FixtureRequest) -> None:
    """Each row: the broken SimPy, what is said of it, and after how many of its characters a stream of it says the same."""

    def said(row: str) -> list[str]:
        dialect, _, simpy = row.partition("|")
        try:
            return [transpiler.decode(simpy, dialect=dialect)]  # broken it is not, after all
        except SimPyError as error:
            whole = _said(error)
        decoder = transpiler.Decoder(dialect=dialect)
        taken = 0
        try:
            for taken, char in enumerate(simpy, 1):  # noqa: B007 (told at the end)
                decoder.feed(char)
            taken += 1
            decoder.close()
        except SimPyError as error:
            return [whole, str(taken), "" if _said(error) == whole else _said(error)]
        raise AssertionError("only the whole is refused")

    def broken() -> Iterator[str]:
        number = 0
        for row in _spelled([*STREAMED[:12], *STREAMED[13:15]]):
            dialect, _, simpy = row.partition("|")
            for lexeme in transpiler.lexemes(simpy, dialect=dialect):
                number += 1
                if number % 3:
                    wrong = WRONG[number % len(WRONG)] if number % 2 else ""
                    yield f"{dialect}|{simpy[: lexeme.start]}{wrong}{simpy[lexeme.end if number % 5 else lexeme.start :]}"

    check_rows("refused.json", request, broken, said)


def test_the_layout_of_compact(request: pytest.FixtureRequest) -> None:
    """Each row: a program, and it in ``compact``."""

    def programs() -> Iterator[str]:
        for python in (*STREAMED, *UNFINISHED, *COMMENTED, *(case.python for case in cases())):
            if len(python) < 400:
                yield python

    check_rows("compact.json", request, programs, lambda python: [transpiler.encode(python, dialect="compact", verify=False)])


FOUND_BY_THE_PROOF = ("dedent_mismatch", "python2_number", "unexpected_indent")


@pytest.mark.parametrize(
    "case",
    [case for case in errors() if "python" in case.sections and case.path.stem not in FOUND_BY_THE_PROOF],
    ids=lambda case: case.path.stem,
)
@pytest.mark.parametrize("dialect", ["classic", "compact"])
def test_errors_are_found_without_the_proof(case: object, dialect: str) -> None:
    sections = case.sections  # type: ignore[attr-defined]  # a Case
    with pytest.raises(SimPyError) as caught:
        transpiler.encode(sections["python"], dialect=dialect, verify=False, path=f"{case.path.stem}.py")  # type: ignore[attr-defined]  # as above
    assert str(caught.value) == sections["message"]


def test_a_node_that_the_grammar_does_not_know_says_where_it_stands() -> None:
    from simpy_grammar.dialect import Dialect
    from transpiler.encoder import Encoder
    from transpiler.rows import parse

    source = "é = 1\nü = (é,\n  ñ + 2)\n".encode()
    encoder = Encoder(source.decode("latin-1"), Dialect.load("classic"))
    node = parse(source).root_node.descendant_for_byte_range(source.index("ñ".encode()), source.index("ñ".encode()) + 1)
    assert node is not None
    with pytest.raises(UnsupportedSyntaxError) as caught:
        encoder.error(node)
    assert _said(caught.value) == "3:3: 'identifier' is unknown to the grammar ()"
    assert caught.value.source_line == "  ñ + 2)"
    with pytest.raises(KeyError):
        encoder.rows["no such row"]


def test_what_cannot_be_repaired_is_an_error_of_the_text() -> None:
    for source in (
        *BROKEN[:2],
        "x = )\n",
        "x = $\ny\n",
        "def f[T = int](): = *-a\n",
        "print 'a'\n",
        "exec 'a' in b\n",
        "print >> a, = b\n",
    ):
        for dialect in ("classic", "compact"):
            with pytest.raises(PythonSyntaxError):
                transpiler.encode(source, dialect=dialect, verify=False)


def test_unfinished_compact_is_the_text_as_it_is() -> None:
    assert transpiler.encode("x = (a +", dialect="compact", partial=True) == "x = (a +"
    assert transpiler.encode("x =\r\n  $", dialect="compact", partial=True) == "x =\n  $"
