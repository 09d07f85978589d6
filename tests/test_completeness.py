"""Nothing is forgotten: every terminal has its spellings and a case, and a stock Lark reads the grammar."""

from __future__ import annotations

import re
from pathlib import Path

import lark
import pytest

import transpiler
from simpy_grammar.compile import lark_grammar
from simpy_grammar.dialect import BUILT_IN, GRAMMAR_FOLDER, PYTHON, Dialect
from simpy_grammar.engines import FORMATS, engine_grammar
from simpy_grammar.errors import DialectError
from simpy_grammar.terminals import COMMENT, DATA, DROPPED, LAYOUT, SPACE, TERMINALS, Terminal
from tests.golden import cases
from tests.helpers import OPEN, streamed
from transpiler.conversion import located_stream, read_stream

GRAMMAR = Path(GRAMMAR_FOLDER, "simpy.lark").read_text(encoding="utf-8")
RULES = re.sub(r"//[^\n]*", "", GRAMMAR.split("\n// The terminals whose text is data")[0])
SIGNS = frozenset("()[]{}")  # terminals that are spelled as they are named, in every dialect

# What a dialect leaves out, and the reason.
LEFT_OUT = {
    # these spell every block end and every pass
    **dict.fromkeys(("classic", "classic-spaced"), {"FINAL_BLOCK_END", "ONLY_PASS"}),
    PYTHON: {
        *("ONLY_PASS", "FINAL_BLOCK_END"),  # Python writes every pass, and ends blocks by the lines that follow
        *("TARGET_SEP", "TARGET_COMMA"),  # every comma has one key, and TARGETS says that those before it stand between targets
    },
}
# What only Python's spelling of the grammar has: the other dialects leave it out.
ONLY_PYTHON = {terminal.name for terminal in TERMINALS if terminal.role == DROPPED}


def grammar_terminals() -> set[str]:
    """The terminals that the rules of the grammar speak of."""
    return set(re.findall(r"\b[A-Z][A-Z_0-9]+\b", RULES))


def named() -> list[Terminal]:
    """The terminals of the table that have a name of letters, without the mark of blanks."""
    return [terminal for terminal in TERMINALS if terminal.name[0].isalpha() and terminal.role != SPACE]


@pytest.mark.quick
def test_the_table_and_the_grammar_have_the_same_terminals() -> None:
    assert grammar_terminals() == {terminal.name for terminal in named()}


@pytest.mark.quick
@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda terminal: terminal.name)
def test_every_terminal_has_a_python_spelling_or_is_data_or_layout(terminal: Terminal) -> None:
    if terminal.role in (DATA, COMMENT, LAYOUT, DROPPED):
        assert terminal.python == ""
    else:
        assert terminal.python or terminal.name == "WITH_PARENTHESES", f"{terminal.name} has no Python spelling"


@pytest.mark.quick
@pytest.mark.parametrize("name", [*BUILT_IN, PYTHON])
def test_every_terminal_has_a_spelling_in_each_dialect_or_is_left_out_on_purpose(name: str) -> None:
    spelled = set(Dialect.load(name).spellings)
    of_the_grammar = set(re.findall(r"^([A-Z_0-9]+):", GRAMMAR, re.MULTILINE))  # data and comments: the same in all
    left_out = LEFT_OUT.get(name, set()) | (set() if name == PYTHON else ONLY_PYTHON)
    missing = {terminal.name for terminal in named()} - of_the_grammar - spelled
    assert missing <= left_out, f"{name} spells no {sorted(missing - left_out)}"
    assert left_out <= missing, f"{name} spells {sorted(left_out - missing)}, which it is said to leave out"


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """The terminals that appear in the cases, as lexemes of classic or of Python."""
    found = set()
    for case in cases():
        for dialect, text in (("classic", case.sections["classic"]), (PYTHON, case.python)):
            found |= {lexeme.terminal for lexeme in located_stream(text, Dialect.load(dialect)).lexemes()}
    return found


@pytest.mark.parametrize(
    "terminal", [terminal for terminal in TERMINALS if terminal.role not in (DROPPED, SPACE)], ids=lambda terminal: terminal.name
)
def test_every_terminal_has_a_case(terminal: Terminal, shown: set[str]) -> None:
    assert terminal.general in shown, f"no case in tests/cases/ has a {terminal.name}"


@pytest.mark.parametrize("dialect", [*BUILT_IN, PYTHON])
def test_lexemes_are_known_and_join_to_the_text(dialect: str) -> None:
    known = {terminal.general for terminal in TERMINALS}
    for case in cases():
        text = case.python if dialect == PYTHON else transpiler.encode(case.python, dialect=dialect, verify=False)
        lexemes = transpiler.lexemes(text, dialect=dialect)
        assert {lexeme.terminal for lexeme in lexemes} <= known
        if dialect != PYTHON:
            assert "".join(lexeme.text for lexeme in lexemes) == text
            assert all(text[lexeme.start : lexeme.end] == lexeme.text for lexeme in lexemes)
        # A comment inside brackets may stand later in the stream than in the text.
        starts = [lexeme.start for lexeme in lexemes if lexeme.terminal != "INNER_COMMENT"]
        assert starts == sorted(starts)


def test_a_program_is_the_same_stream_in_every_spelling() -> None:
    """Token order is the same everywhere: what the readers of all dialects give is one stream, data and all."""
    for case in cases():
        simpy = {name: transpiler.encode(case.python, dialect=name, verify=False) for name in BUILT_IN}
        python = streamed((simpy["classic"],))
        found = [read_stream(simpy[name], Dialect.load(name)) for name in BUILT_IN]
        found.append(read_stream(python, Dialect.load(PYTHON)))
        streams = [[(one.terminal, one.text if one.is_data else "") for one in stream.lexemes()] for stream in found]
        for number, stream in enumerate(streams[1:], 1):
            assert [_without_end(*one) for one in stream] == [_without_end(*one) for one in streams[0]], (case.path.stem, number)


def _without_end(terminal: str, text: str) -> tuple[str, str]:
    """A comment without the line break that may be its own or the line's."""
    return terminal, text.rstrip("\n")


@pytest.mark.parametrize("dialect", [name for name in BUILT_IN if name not in OPEN])
def test_a_stock_lark_reads_the_grammar(dialect: str) -> None:
    parser = lark.Lark(lark_grammar(Dialect.load(dialect)), start="module", parser="lalr", lexer="contextual", strict=True)
    for case in cases():
        simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
        if dialect == "dense-newline" and case.path.stem == "fstring_format_breaks":
            # The colon of a format and the line break after it: only our lexer looks whether a field is open.
            with pytest.raises(lark.UnexpectedToken):
                parser.parse(simpy)
        else:
            parser.parse(simpy)


@pytest.mark.parametrize("dialect", OPEN)
@pytest.mark.parametrize("to", FORMATS)
def test_no_grammar_says_which_brackets_are_implied(dialect: str, to: str) -> None:
    for write in (lambda: lark_grammar(Dialect.load(dialect)), lambda: engine_grammar(Dialect.load(dialect), to)):
        with pytest.raises(DialectError, match="closing brackets are implied here") as caught:
            write()
        assert caught.value.path == dialect
        assert caught.value.hint == "use a dialect without %open, such as dense"
