"""Comments: every one is kept, in order, wherever Python allows one; places by the documented sentences."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

import pytest

import transpiler
from simpy_grammar.errors import SimPySyntaxError
from tests.helpers import CONVERTED, GRAMMATICAL, assert_round_trip, dump
from tests.sample_programs import COMMENTED


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


@pytest.mark.parametrize("source", COMMENTED)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_comment_anywhere(source: str, dialect: str) -> None:
    read = 0
    for python in (*commented(source), *commented_twice(source)):
        if dump(python) is not None:
            read += 1
            assert_round_trip(python, [dialect], chunkings=())
            decoded = transpiler.decode(transpiler.encode(python, dialect=dialect), dialect=dialect)
            assert not [line for line in decoded.splitlines() if line != line.rstrip()], f"a line ends in a blank:\n{decoded}"
    assert read > 5


@pytest.mark.parametrize("source", COMMENTED)
def test_dialects_agree_on_the_places_of_comments(source: str) -> None:
    for python in commented(source):
        if dump(python) is not None:
            simpy = transpiler.encode(python, verify=False)
            for dialect in GRAMMATICAL:
                assert transpiler.convert(simpy, source="classic", target=dialect) == transpiler.encode(
                    python, dialect=dialect, verify=False
                )


# Python, and its SimPy in classic.
PLACES = {
    # in brackets: the first place where the grammar takes a comment and then the next token
    "f(# X\na, b)": "f(<comment># X\na b)",
    "f(a# X\n, b)": "f(a<comment># X\n b)",
    "f(a, # X\nb)": "f(a <comment># X\nb)",
    "f(a, b# X\n)": "f(a b<comment># X\n)",
    "f(a,\n# X\nb)": "f(a <comment>\n# X\nb)",
    "(a.# X\nb)": "(a.b<comment># X\n)",
    "(a # X\nnot in b)": "(a<comment># X\n<notin>b)",
    "(lambda # X\na: b)": "(<lambda>a:<comment># X\nb)",
    "f(a # X\n=b)": "f(a=<comment># X\nb)",
    # though never into a string with fields that opens after it
    "(a # X\n+ f'{b}')": "(a<comment># X\n+f'{b}')",
    "(not # X\nf'{b}')": "(<not><comment># X\nf'{b}')",
    # between a comma and a closing bracket: before the comma
    "(a,# X\n)": "(a<comment># X\n,)",
    "[a, b,# X\n]": "[a b<comment># X\n]",
    "x[a,# X\n]": "x[a<comment># X\n,]",
    # of its own line: in the innermost block that begins no further right
    "if a:\n  b\n  # X\nc": "<if_stmt>a<block_start>b<line_sep># X\n<block_end>c",
    "if a:\n  b\n # X\nc": "<if_stmt>a<block_start>b<block_end># X\nc",
    "if a:\n  if b:\n    c\n  # X\nd": "<if_stmt>a<block_start><if_stmt>b<block_start>c<block_end># X\n<block_end>d",
    "if a: b\n# X\nc": "<if_stmt>a<block_start>b<block_end># X\nc",
    "if a:\n  if b: c\n  # X\nd": "<if_stmt>a<block_start><if_stmt>b<block_start>c<block_end># X\n<block_end>d",
    "if a:\n# X\n  b": "<if_stmt>a<block_start># X\nb<block_end>",
    # above a clause or a case: in the block before it
    "if a:\n  b\n# X\nelse:\n  c": "<if_stmt>a<block_start>b<line_sep># X\n<block_end><else_stmt><block_start>c<block_end>",
    "match a:\n  case b: c\n  # X\n  case d: e": "<match_stmt>a<block_start><case_stmt>b<block_start>c<line_sep># X\n<block_end>"
    "<case_stmt>d<block_start>e<block_end><block_end>",
    # at the end of a line
    "a # X\nb": "a# X\nb",
    "if a: # X\n  b": "<if_stmt>a# X\n<block_start>b<block_end>",
    "if a: b # X\nc": "<if_stmt>a<block_start>b# X\n<block_end>c",
    "@a # X\nclass B: c": "@a# X\n<class_stmt>B<block_start>c<block_end>",
}


@pytest.mark.quick
@pytest.mark.parametrize(("python", "simpy"), PLACES.items())
def test_places(python: str, simpy: str) -> None:
    assert transpiler.encode(python + "\n") == simpy


@pytest.mark.quick
@pytest.mark.parametrize(
    "text",
    [
        "<comment># X\n",
        "a=b<comment>#\n",
        "x=(a)<comment># c\n+1",
        "a[b]<comment># c\n=c",
        "<if_stmt>a<comment># X\n<block_start>b<block_end>",
    ],
)
def test_a_comment_of_brackets_outside_of_them(text: str) -> None:
    with pytest.raises(SimPySyntaxError, match="a <comment> outside brackets"):
        transpiler.decode(text)
