"""Streams in both directions give what the whole text gives, wherever they are cut, and as soon as it is settled."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.errors import PythonSyntaxError, SimPyError, SimPySyntaxError
from simpy_grammar.python_lexer import PythonLexer
from tests.golden import Case, cases
from tests.helpers import CONVERTED, GRAMMATICAL, encoded, pieces_of, streamed
from transpiler import Decoder, Encoder

GOLDEN = cases()
LENGTHS = (1, 2, 3, 5, 8, 13, 50)


def decoded_whole(simpy: str, dialect: str) -> str:
    """What a decoder gives for the text in one piece. For ``compact``, ``decode`` would also want to prove it."""
    return streamed((simpy,), dialect)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_decoding_in_two_pieces(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    python = decoded_whole(simpy, dialect)
    for at in range(0, len(simpy) + 1, max(len(simpy) // 100, 1)):
        assert streamed((simpy[:at], simpy[at:]), dialect) == python, f"cut into {simpy[:at]!r} and {simpy[at:]!r}"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_decoding_in_pieces(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    python = decoded_whole(simpy, dialect)
    for length in LENGTHS:
        assert streamed(pieces_of(simpy, length), dialect) == python, f"pieces of {length}"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
def test_encoding_in_two_pieces(case: Case) -> None:
    python = case.python
    simpy = transpiler.encode(python, verify=False)
    for at in range(0, len(python) + 1, max(len(python) // 100, 1)):
        assert encoded((python[:at], python[at:])) == simpy, f"cut into {python[:at]!r} and {python[at:]!r}"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_encoding_in_pieces(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    for length in LENGTHS:
        assert encoded(pieces_of(case.python, length), dialect) == simpy, f"pieces of {length}"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("width", [None, 20, 60])
def test_lines_are_broken_alike_in_a_stream(case: Case, width: int | None) -> None:
    simpy = transpiler.encode(case.python, verify=False)
    decoder = transpiler.Decoder(width=width)
    python = "".join([*map(decoder.feed, simpy), decoder.close()])
    assert python == transpiler.decode(simpy, width=width)
    assert transpiler.encode(python, verify=False) == simpy
    assert not [line for line in python.splitlines() if line != line.rstrip() and "'''" not in python and '"""' not in python]


# ------------------------------------------------------------------------------------------------------ what comes when


@pytest.mark.quick
def test_empty_pieces() -> None:
    assert streamed(["", "a", "", "=1", ""]) == "a = 1\n"
    assert encoded(["", "a", "", "=1", ""]) == "a=1"
    assert streamed([]) == encoded([]) == ""


@pytest.mark.quick
def test_python_comes_as_soon_as_it_is_settled() -> None:
    decoder = transpiler.Decoder()
    shown = [decoder.feed(piece) for piece in ("<def_stmt>f a", " b<block_start>", "<return>a", "+b<block_end>")]
    assert "".join(shown[:3]).startswith("def f(a, b):\n    return")
    assert "".join([*shown, decoder.close()]) == "def f(a, b):\n    return a + b\n"


@pytest.mark.quick
def test_simpy_comes_as_soon_as_it_is_settled() -> None:
    encoder = transpiler.Encoder()
    shown = [encoder.feed(piece) for piece in ("def f(a", ", b):\n", "    return a", " + b\n")]
    assert "".join(shown[:3]) == "<def_stmt>f a b<block_start><return>"
    assert "".join([*shown, encoder.close()]) == "<def_stmt>f a b<block_start><return>a+b<block_end>"


@pytest.mark.quick
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_what_an_encoder_holds_back_is_little(dialect: str) -> None:
    """A stream of statements is given out statement by statement; only a line's end, a row or a block's end waits."""
    line = "x = f(a, [b, 'c'], {d: e})\n"
    encoder = transpiler.Encoder(dialect=dialect)
    settled = 0
    for number in range(1, 50):
        settled += len(encoder.feed(line))
        assert settled >= len(transpiler.encode(line * (number - 1), dialect=dialect, verify=False))


@pytest.mark.quick
def test_position_pending_and_held() -> None:
    decoder = transpiler.Decoder()
    out = decoder.feed("<if_stmt>a<block_start>b=f(1 <ret")
    assert decoder.pending == " <ret"  # which separator the blank is, only what follows it tells
    assert decoder.position == len("<if_stmt>a<block_start>b=f(1")
    assert out + decoder.held() == "if a:\n    b = f(1"
    assert decoder.held() == ""


@pytest.mark.quick
@pytest.mark.parametrize("pieces", [["<if_stmt>a<block_start>"], ["a", "=", "1 2 3=="], ["f(", "1"], ["'open"]])
def test_a_stream_that_is_not_simpy(pieces: list[str]) -> None:
    with pytest.raises(SimPySyntaxError):
        streamed(pieces)


@pytest.mark.quick
@pytest.mark.parametrize("pieces", [["if a:\n"], ["a = ", "= 1"], ["f(", "1"], ["'open"], ["if a:\n  b\n", " c\n"], ["f(", "]"]])
@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_stream_that_is_not_python(pieces: list[str], dialect: str) -> None:
    with pytest.raises(PythonSyntaxError) as streaming:
        encoded(pieces, dialect)
    with pytest.raises(PythonSyntaxError) as whole:
        transpiler.encode("".join(pieces), dialect=dialect, verify=False)
    assert streaming.value.line == whole.value.line


@pytest.mark.quick
@pytest.mark.parametrize(("stream", "text"), [(Encoder(path="a.py"), "f(]"), (Decoder(path="a.py"), "f(]")])
def test_errors_of_a_stream_name_the_file(stream: Encoder | Decoder, text: str) -> None:
    with pytest.raises(SimPyError) as caught:
        stream.feed(text)
        stream.close()
    assert str(caught.value).startswith("a.py:1:3: error: ")


@pytest.mark.quick
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_arrive_in_pieces(end: str) -> None:
    source = "if a:\n    b = '''c\nd'''\ne\n".replace("\n", end)
    for length in (1, 2, 3, 100):
        assert encoded(pieces_of(source, length)) == transpiler.encode(source)


@pytest.mark.parametrize("pieces", [["\ufeff", "x"], ["", "\ufeffx"], ["", "", "\ufeff", "", "x"]])
def test_a_byte_order_mark_arrives_after_empty_pieces(pieces: list[str]) -> None:
    assert encoded(pieces) == "x"


@pytest.mark.parametrize("pieces", [["\r", "\ufeff"], ["\ufeff", "\ufeff"], ["\ufeff", "", "\ufeffx"]])
def test_a_byte_order_mark_stands_at_the_start_only(pieces: list[str]) -> None:
    with pytest.raises(PythonSyntaxError, match=r"U\+FEFF"):
        encoded(pieces)


def test_a_long_string_is_not_read_again_with_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    read = PythonLexer._tokens

    def counted(lexer: PythonLexer, final: bool) -> None:
        nonlocal reads
        reads += 1
        read(lexer, final)

    source = "def f():\n    '''It's ''\n" + "    ''it's \"a\"\n" * 300 + '    \'\'\'\n    return rb"""\'\\""""\n'
    monkeypatch.setattr(PythonLexer, "_tokens", counted)
    assert encoded(pieces_of(source, 2)) == transpiler.encode(source)
    assert reads < 100
