"""Decoding a stream gives what decoding the whole gives, wherever the stream is cut."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.errors import SimPySyntaxError
from tests.golden import Case, cases
from tests.helpers import ALL, pieces_of, streamed

GOLDEN = cases()


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", ALL)
def test_every_split_point(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    python = transpiler.decode(simpy, dialect=dialect)
    for at in range(len(simpy) + 1):
        assert streamed((simpy[:at], simpy[at:]), dialect) == python, f"cut into {simpy[:at]!r} and {simpy[at:]!r}"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", ALL)
def test_every_length_of_piece(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    python = transpiler.decode(simpy, dialect=dialect)
    for length in range(1, 12):
        assert streamed(pieces_of(simpy, length), dialect) == python, f"pieces of {length}"


def test_empty_pieces() -> None:
    assert streamed(["", "a", "", "=1", ""]) == "a = 1\n"


def test_text_comes_as_soon_as_it_is_settled() -> None:
    decoder = transpiler.Decoder()
    shown = [decoder.feed(piece) for piece in ("<def_stmt>f a", " b<block_start>", "<return>a", "+b<block_end>")]
    assert "".join(shown[:2]).startswith("def f(a, b)")
    assert "return" in "".join(shown[:3])
    assert "".join([*shown, decoder.close()]) == "def f(a, b):\n    return a + b\n"


@pytest.mark.parametrize("pieces", [["<if_stmt>a<block_start>"], ["a", "=", "1 2 3=="], ["f(", "1"], ["'open"]])
def test_a_stream_that_is_no_program(pieces: list[str]) -> None:
    with pytest.raises(SimPySyntaxError):
        streamed(pieces)


def test_an_error_counts_from_the_start_of_the_stream() -> None:
    with pytest.raises(SimPySyntaxError) as streaming:
        streamed(["a=1<line_sep>", "b=", "<pass>"])
    with pytest.raises(SimPySyntaxError) as whole:
        transpiler.decode("a=1<line_sep>b=<pass>")
    assert str(streaming.value) == str(whole.value)
