"""What mutation testing found too few tests for: exact texts of unfinished programs, and of comments wherever they may stand.

``benchmarks/mutation.py`` counts. The expected texts stand in ``tests/cases``; ``--update-cases`` writes what the converter
gives now, for a person to read in the diff.
"""

from __future__ import annotations

import contextlib
import io
import tokenize
from collections.abc import Iterator

import pytest

import transpiler
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from tests.golden import check_rows
from tests.odd_programs import BROKEN, COMMENTED, REPAIRED, UNFINISHED
from transpiler.partial import partial_parts


def commented(source: str) -> Iterator[str]:
    """A program with a comment put in before each of its tokens in turn, at the end of a line and on one of its own."""
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER) or row > len(lines):
            continue
        before, after = "".join(lines[: row - 1]) + lines[row - 1][:column], lines[row - 1][column:] + "".join(lines[row:])
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            yield f"{before}  # X{after}"
            continue
        yield f"{before}# X\n{' ' * column}{after}"
        yield f"{before}\n{' ' * column}# X\n{' ' * column}{after}"
    for indent in ("", "    ", "        "):
        yield f"{source}{indent}# X\n"


def commented_twice(source: str) -> Iterator[str]:
    """A program of blocks with two lines of comments before each of its lines and at its end, each at some indents."""
    lines = source.splitlines(keepends=True)
    for at, line in enumerate([*lines, ""] if "\n " in source else ()):
        own = len(line) - len(line.lstrip())
        for first, second in ((own + 4, own + 4), (own + 8, own + 4)):
            yield "".join((*lines[:at], " " * first + "# X\n", " " * second + "# Y\n", *lines[at:]))


def test_beginnings_of_programs(request: pytest.FixtureRequest) -> None:
    """Each row: the program, then for each of its beginnings the rest that is given back, and the SimPy."""
    classic = Dialect.load("classic")

    def beginnings(python: str) -> list[str]:
        found = []
        for end in range(len(python) + 1):
            simpy, rest = partial_parts(python[:end], classic)
            if python not in BROKEN:
                transpiler.Decoder().feed(simpy)
            found.append(f"{rest}|{simpy}")
        return found

    check_rows("beginnings.json", request, lambda: (*UNFINISHED, *BROKEN), beginnings)


@pytest.mark.parametrize("dialect", ["dense", "dense-newline"])
def test_beginnings_in_other_dialects(dialect: str) -> None:
    """What is open stays open: the beginnings decode as those of the dialect ``classic`` do, as far as that has come."""
    for python in UNFINISHED:
        for end in range(0, len(python) + 1, 3):
            simpy = transpiler.encode(python[:end], dialect=dialect, partial=True)
            transpiler.Decoder(dialect=dialect).feed(simpy)
        assert transpiler.decode(transpiler.encode(python, dialect=dialect, verify=False), dialect=dialect) == transpiler.decode(
            transpiler.encode(python, verify=False)
        )


def test_comments_everywhere(request: pytest.FixtureRequest) -> None:
    """Each row: a program with a comment, its SimPy, and what comes back in the layout of PEP 8 and in ``compact``."""

    def texts(python: str) -> list[str]:
        simpy = transpiler.encode(python, verify=False)
        decoded = transpiler.decode(simpy)
        dense = transpiler.encode(python, dialect="dense", verify=False)
        assert transpiler.convert(simpy, source="classic", target="dense") == dense
        assert transpiler.decode(dense, dialect="dense") == decoded
        return [simpy, decoded, transpiler.encode(python, dialect="compact", verify=False)]

    def programs() -> Iterator[str]:
        for source in COMMENTED:
            for python in (*commented(source), *commented_twice(source)):
                with contextlib.suppress(PythonSyntaxError):  # no comment may stand there
                    transpiler.encode(python)
                    yield python

    check_rows("comment_places.json", request, programs, texts)


def test_repairs(request: pytest.FixtureRequest) -> None:
    """Each row: a program that tree-sitter misreads, its SimPy, and what comes back in the layout of PEP 8 and in ``compact``."""

    def texts(python: str) -> list[str]:
        simpy = transpiler.encode(python, verify=False)
        return [simpy, transpiler.decode(simpy), transpiler.encode(python, dialect="compact", verify=False)]

    check_rows("repairs.json", request, lambda: REPAIRED, texts)


@pytest.mark.parametrize(
    ("text", "dialect", "message"),
    [
        ("<comment># X\n", "classic", "a.simpy:1:1: error: a <comment> outside brackets"),
        ("x = \0", "compact", "a.simpy:1:5: error: source holds a NUL character"),
        ("x = (", "compact", "a.simpy:1:5: error: '(' was never closed"),
        ("a=b<comment>#\n", "classic", "a.simpy:1:4: error: a <comment> outside brackets"),
    ],
)
def test_errors_of_decoding_say_where(text: str, dialect: str, message: str) -> None:
    with pytest.raises(SimPyError) as caught:
        transpiler.decode(text, dialect=dialect, path="a.simpy")
    assert str(caught.value).startswith(message)


def test_lone_surrogates_in_unfinished_text_are_no_fault() -> None:
    assert transpiler.encode("x = '\udc80'\ny = 1", partial=True).endswith("y=1")
