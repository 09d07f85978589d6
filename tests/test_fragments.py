"""Parts of programs: what comes back stands in the place of the part, and the program is the same; logical lines are CPython's."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transpiler.compact
import transpiler.pep8
import transpiler.streams
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from simpy_grammar.python_lexer import PythonLexer
from tests.programs import plain_programs
from transpiler import decode
from transpiler.fragments import convert_fragment
from transpiler.logical_lines import logical_lines

FILES = [inspect.getsource(module) for module in (transpiler.compact, transpiler.pep8, transpiler.streams)]


@given(st.sampled_from(FILES), st.integers(0, 10**6), st.integers(1, 60))
def test_a_part_that_is_converted_and_given_back_leaves_the_program_the_same(source: str, start: int, length: int) -> None:
    lines = source.splitlines(keepends=True)
    at = start % len(lines)
    before, part, after = ("".join(some) for some in (lines[:at], lines[at : at + length], lines[at + length :]))
    try:
        short = convert_fragment(part, target="compact")
    except SimPyError:
        return  # a part that is refused stays as it is
    back = convert_fragment(short, source="compact", target="python", width=None)
    assert ast.dump(ast.parse(before + back + after)) == ast.dump(ast.parse(source))


@pytest.mark.parametrize("source", FILES)
def test_most_parts_of_files_are_converted(source: str) -> None:
    lines = source.splitlines(keepends=True)
    parts = ["".join(lines[at : at + 20]) for at in range(0, len(lines), 20)]
    done = 0
    for part in parts:
        try:
            done += len(convert_fragment(part, target="compact")) < len(part)
        except SimPyError:
            continue
    assert done > len(parts) / 3


@settings(max_examples=25)
@given(plain_programs(12))
def test_an_indented_program_is_the_program_in_its_indentation(program: str) -> None:
    wrapped = ast.parse(f"if 1:\n{indented(program)}") if program.strip() else None
    for dialect in ("classic", "dense", "compact"):
        try:
            sent = convert_fragment(indented(program), target=dialect)
        except PythonSyntaxError:
            continue  # a program of comments only
        assert sent.startswith("    ") and wrapped is not None
        if dialect == "compact":
            assert ast.dump(ast.parse(f"if 1:\n{sent}")) == ast.dump(wrapped)
        else:
            assert decode(sent[4:].removesuffix("\n"), dialect=dialect)


def indented(program: str) -> str:
    """A program whose lines begin with four blanks, those inside of strings too."""
    return "".join(f"    {line}" if line.strip() else line for line in program.splitlines(keepends=True))


@given(plain_programs())
def test_logical_lines_are_those_of_tokenize(program: str) -> None:
    found = logical_lines(program)
    assert "".join(line.text for line in found) == program
    ends, at = set(), 0
    for line in found:
        at += line.text.count("\n")
        if line.text.strip() and not line.text.lstrip().startswith("#"):
            ends.add(at)
    tokens = tokenize.generate_tokens(io.StringIO(program).readline)
    assert ends == {token.start[0] for token in tokens if token.type == tokenize.NEWLINE}


@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_the_lines_of_a_long_string_are_read_once(quotes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    is_string = PythonLexer.is_string

    def counted(lexer: PythonLexer, text: str) -> bool:
        looks.append(len(text))
        return is_string(lexer, text)

    monkeypatch.setattr(PythonLexer, "is_string", counted)
    other = "'''" if quotes[0] == '"' else '"""'
    string = f"x = {quotes}a\n" + f"b {other} \\{quotes[0]} {quotes[:2]} # (\n" * 500 + f"{quotes}, f(\n1,\n2)\n"
    assert [line.text for line in logical_lines(f"y\n{string}z\n")] == ["y\n", string, "z\n"]
    assert len(looks) <= 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("    x = '''\n  a", "inside a string"),
        ("    def f(self):\n", "no whole statement"),
        ("else\n", "no whole statement"),
        ("    prose here\n", "invalid syntax"),
        ("  x = 1\n y = 2\n", "unindent"),
        ("", "no whole statement"),
    ],
)
def test_what_is_no_part_of_a_program_is_refused(text: str, message: str) -> None:
    with pytest.raises(PythonSyntaxError, match=message):
        convert_fragment(text, target="compact")
