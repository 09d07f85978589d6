"""The automaton: copies, what it accepts and expects, where a text may end, and that pieces make no difference."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.stream import Stream
from tests.golden import Case, cases
from tests.helpers import GRAMMATICAL, pieces_of

pytestmark = pytest.mark.quick
CLASSIC = Dialect.load("classic")


def reader_of(text: str, dialect: str = "classic") -> SimPyReader:
    """A reader that has read the beginning of a text."""
    reader = SimPyReader(Dialect.load(dialect))
    reader.feed(text)
    return reader


def test_a_copy_goes_on_by_itself() -> None:
    reader = reader_of("<if_stmt>a<block_start>")
    other = reader.copy()
    assert other.push(["<pass>", "<block_end>"], ["", ""]) == 2
    assert other.may_end()
    assert not reader.may_end()
    assert other.stream.terminals and len(other.stream) == 2
    assert reader.push(["<pass>"], [""]) == 1
    assert not reader.accepts("<else_stmt>")
    assert other.accepts("<else_stmt>")


def test_asking_changes_nothing() -> None:
    reader = reader_of("<if_stmt>(a)")
    before = reader.node, reader.frames, list(reader.stream.terminals)
    for _ in range(2):
        assert reader.accepts("<block_start>", "<pass>", "<block_end>")
        assert not reader.accepts("<block_start>", "<block_end>")
        assert not reader.may_end()
        assert reader.expected()
    assert (reader.node, reader.frames, list(reader.stream.terminals)) == before


@pytest.mark.parametrize(
    ("text", "accepted", "refused"),
    [
        ("", ["<return>", "<def_stmt>", "(", "NAME", "<pass>"], ["<else_stmt>", "<block_end>", ")", "<in>", "="]),
        ("<if_stmt>", ["NAME", "<not>", "("], ["<pass>", "<block_start>", "="]),
        ("<if_stmt>a<block_start><pass><block_end>", ["<else_stmt>", "<elif_stmt>", "<pass>", "NAME"], ["<block_end>", "<except_stmt>"]),
        ("<try_stmt><block_start><pass><block_end>", ["<except_stmt>", "<finally_stmt>"], ["<pass>", "NAME", "<else_stmt>"]),
        ("f(", [")", "NAME", "*", "**"], ["]", "=", "<pass>"]),
        ("<match_stmt>a<block_start>", ["<case_stmt>"], ["<pass>", "NAME"]),
    ],
)
def test_what_may_come_next(text: str, accepted: list[str], refused: list[str]) -> None:
    reader = reader_of(text)
    keys = reader.automaton.key_of
    found = {key: token for token, key in keys.items()}
    expected = reader.expected()
    for wanted, words in ((True, accepted), (False, refused)):
        for word in words:
            key = keys.get(word, word)
            assert reader.accepts(key) is wanted, f"{word} after {text!r}"
            assert (key in expected) is wanted, f"{word} after {text!r}: {sorted(map(str, (found[one] for one in expected)))}"


@pytest.mark.parametrize(
    ("text", "may_end"),
    [
        ("", True),
        ("a", True),
        ("a=", False),
        ("f(a", False),
        ("<if_stmt>a<block_start>b", False),
        ("<if_stmt>a<block_start>b<block_end>", True),
        ("<try_stmt><block_start>a<block_end>", False),
    ],
)
def test_where_a_text_may_end(text: str, may_end: bool) -> None:
    reader = SimPyReader(CLASSIC)
    reader.feed(text)
    if not reader.position < len(text):  # else a last name may go on, and has not been read
        assert reader.may_end() is may_end
    if may_end:
        reader.close()
    else:
        with pytest.raises(StuckError):
            reader.close()


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_pieces_make_no_difference_to_the_stream(case: Case, dialect: str) -> None:
    simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
    whole = SimPyReader(Dialect.load(dialect))
    whole.read_all(simpy)
    reader = SimPyReader(Dialect.load(dialect))
    for piece in pieces_of(simpy, 7):
        reader.feed(piece)
    reader.close()
    assert _merged(reader.stream) == _merged(whole.stream)


def _merged(stream: Stream) -> list[tuple[str, str]]:
    """The lexemes, with the pieces of a string's text as one."""
    found: list[tuple[str, str]] = []
    for lexeme in stream.lexemes():
        if "FSTRING_TEXT" in lexeme.terminal and found and found[-1][0] == lexeme.terminal:
            found[-1] = lexeme.terminal, found[-1][1] + lexeme.text
        else:
            found.append((lexeme.terminal, lexeme.text))
    return found


def test_the_reader_of_python_has_the_same_parts() -> None:
    reader = PythonReader(Dialect.load(PYTHON))
    reader.feed("if a:\n    b = f(")
    assert reader.accepts(")")
    assert not reader.accepts("]")
    assert not reader.may_end()
    assert ")" in reader.expected()


def test_where_and_what_is_wrong() -> None:
    reader = SimPyReader(CLASSIC)
    with pytest.raises(StuckError) as caught:
        reader.read_all("f(a]")
    assert caught.value.offset == 3
    assert ")" in caught.value.expected
