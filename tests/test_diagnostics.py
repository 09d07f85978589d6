"""What is said of a text that cannot be read: the words, the place, and the same of a stream as of the whole.

Whole messages as a person reads them are the case files in ``tests/errors``; see ``tests.test_errors``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import transpiler
from simpy_grammar.errors import PythonSyntaxError, SimPyError, SimPySyntaxError
from tests.broken_texts import check_position
from tests.golden import Case, cases, errors
from tests.helpers import ALL, GRAMMATICAL, pieces_of, streamed
from tests.sample_programs import BROKEN

WRONG = ("<block_end>", "<else_stmt>", ")", "=", " ", "'", "<comment># X\n", "1", "a", "<nothing>", "# X\n", "é", "}", "\0", "<l", "...")
"""What is put where it does not belong."""


def spoiled(simpy: str, dialect: str) -> Iterator[str]:
    """A text with something wrong put before one of its lexemes, or in its place; some two dozen times."""
    lexemes = transpiler.lexemes(simpy, dialect=dialect)
    for number, lexeme in enumerate(lexemes):
        if number % max(len(lexemes) // 24, 1):
            continue
        wrong = WRONG[number % len(WRONG)] if number % 2 else ""
        yield f"{simpy[: lexeme.start]}{wrong}{simpy[lexeme.end if number % 5 else lexeme.start :]}"


def said(error: SimPyError) -> tuple[str, int | None, int]:
    """What is said, and where."""
    return error.message, error.line, error.column


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_broken_simpy_is_refused_at_a_place_in_it_whole_and_streamed(case: Case, dialect: str) -> None:
    for text in spoiled(transpiler.encode(case.python, dialect=dialect, verify=False), dialect):
        try:
            whole = transpiler.decode(text, dialect=dialect)
        except SimPySyntaxError as error:
            check_position(error, text)
            with pytest.raises(SimPySyntaxError) as caught:
                streamed(pieces_of(text, 3), dialect)
            check_position(caught.value, text)
            assert caught.value.line == error.line
        else:
            assert streamed(pieces_of(text, 3), dialect) == whole


# Python that is wrong -> the line, the column and the words.
PYTHON = {
    "x = (\n": (1, 5, "'(' was never closed"),
    "a.b(c, [d\n": (1, 8, "'[' was never closed"),
    "x = {1: 2\ny = 3\n": (1, 5, "'{' was never closed"),
    "f(\n  g(a)\n": (1, 2, "'(' was never closed"),
    "x = (1]\n": (1, 7, "closing parenthesis ']' does not match opening parenthesis '('"),
    "x = 1)\n": (1, 6, "unmatched ')'"),
    "if a\n": (1, 5, "expected ':'"),
    "while a\n    b\n": (1, 8, "expected ':'"),
    "def f()\n    b\n": (1, 8, "expected ':'"),
    "class A\n": (1, 8, "expected ':'"),
    "try\n    a\n": (1, 4, "expected ':'"),
    "if a:\n    b\nelse\n    c\n": (3, 5, "expected ':'"),
    "'a\n": (1, 1, "unterminated string literal (detected at line 1)"),
    "x = '''a\n": (1, 5, "unterminated triple-quoted string literal (detected at line 1)"),
    "x = 1\n  y\n": (2, 2, "unexpected indent"),
    "if a:\n    b\n  c\n": (3, 4, "unindent does not match any outer indentation level"),
    "x = 1__0\n": (1, 6, "invalid decimal literal"),
    "a; if b: c\n": (1, 4, "invalid syntax"),
    "x = $\n": (1, 5, "invalid syntax"),
}


@pytest.mark.quick
@pytest.mark.parametrize(("source", "expected"), PYTHON.items())
def test_wrong_python(source: str, expected: tuple[int, int, str]) -> None:
    """With the proof these are the words of this CPython, which may say more, or point elsewhere in the line."""
    line, column, message = expected
    for dialect in ALL:
        for verify in (True, False):
            with pytest.raises(PythonSyntaxError) as caught:
                transpiler.encode(source, dialect=dialect, verify=verify)
            check_position(caught.value, source)
            assert caught.value.line == line
            assert caught.value.message == message
            assert caught.value.column == column


@pytest.mark.quick
def test_an_expected_block_is_named_with_its_statement() -> None:
    with pytest.raises(PythonSyntaxError, match="expected an indented block after 'if' statement on line 1") as caught:
        transpiler.encode("if a:\nb\n")
    assert (caught.value.line, caught.value.column) == (2, 1)


# What only the proof finds, or says in other words: the grammar takes more targets, and Python 2 is no concern of a reader.
NEEDS_THE_PROOF = frozenset(
    "assign_to_call dedent_mismatch python2_number unexpected_indent python2_print python2_exec keyword_as_name type_called".split()
)


@pytest.mark.parametrize(
    "case",
    [case for case in errors() if "python" in case.sections and case.path.stem not in NEEDS_THE_PROOF],
    ids=lambda case: case.path.stem,
)
@pytest.mark.parametrize("dialect", ["classic", "compact"])
def test_errors_are_found_without_the_proof(case: Case, dialect: str) -> None:
    with pytest.raises(SimPyError) as caught:
        transpiler.encode(case.sections["python"], dialect=dialect, verify=False, path=f"{case.path.stem}.py")
    assert str(caught.value) == case.sections["message"]


@pytest.mark.quick
@pytest.mark.parametrize("source", [*BROKEN, "print 'a'\n", "exec 'a' in b\n", "type A [=\n"])
@pytest.mark.parametrize("dialect", ALL)
def test_what_is_broken_is_refused_with_and_without_the_proof(source: str, dialect: str) -> None:
    for verify in (True, False):
        with pytest.raises(PythonSyntaxError) as caught:
            transpiler.encode(source, dialect=dialect, verify=verify)
        check_position(caught.value, source)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = \0", "a.simpy:1:5: error: source holds a NUL character"),
        ("x = (", "a.simpy:1:5: error: '(' was never closed"),
        ("é = 1\nü = (é,\n  = 2)\n", "a.simpy:3:3: error: invalid syntax"),
    ],
)
def test_errors_of_decoding_compact_are_those_of_python(text: str, message: str) -> None:
    with pytest.raises(PythonSyntaxError) as caught:
        transpiler.decode(text, dialect="compact", path="a.simpy")
    assert str(caught.value).startswith(message)


@pytest.mark.quick
@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_an_error_counts_from_the_start_of_the_stream(dialect: str) -> None:
    simpy = transpiler.encode("a = 1\nb = 2\n", dialect=dialect) + ")"
    with pytest.raises(SimPySyntaxError) as whole:
        transpiler.decode(simpy, dialect=dialect)
    for length in (1, 3, 100):
        with pytest.raises(SimPySyntaxError) as streaming:
            streamed(pieces_of(simpy, length), dialect)
        assert said(streaming.value) == said(whole.value)
