"""Nothing is forgotten: every terminal has a spelling and a case, every node kind of tree-sitter-python a row."""

from __future__ import annotations

import re
from pathlib import Path

import lark
import pytest

import transpiler
from simpy_grammar.compile import lark_grammar
from simpy_grammar.dialect import GRAMMAR_FOLDER, Dialect
from simpy_grammar.terminals import DATA, GENERAL, LAYOUT, PYTHON
from tests.golden import cases
from tests.helpers import GRAMMATICAL
from transpiler.contexts import CHILDREN, ROWS
from transpiler.rows import LANGUAGE

GRAMMAR = Path(GRAMMAR_FOLDER, "simpy.lark").read_text(encoding="utf-8")
TERMINALS = {*PYTHON, *DATA, *LAYOUT}

# Node kinds that have no row: their children are walked, or their text taken, as CHILDREN says of the children.
PASSED_THROUGH = {
    *("type", "type_parameter", "member_type", "parenthesized_expression", "call", "dotted_name", "relative_import", "aliased_import"),
    *("as_pattern", "as_pattern_target", "with_item"),
    # comprehensions: their clauses have rows
    *("list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"),
    # patterns that hooks of the encoder walk under the rows of other names
    *("class_pattern", "dict_pattern", "complex_pattern"),
    "exec_statement",  # of Python 2: Encoder.python2 refuses it
    # what is inside a string, which Encoder.string reads
    *("string_start", "string_content", "string_end", "escape_sequence", "escape_interpolation", "format_specifier"),
}


def grammar_terminals() -> set[str]:
    """The terminals that the rules of the grammar speak of."""
    rules = re.sub(r"//[^\n]*", "", GRAMMAR.split("\n// The terminals whose text is data")[0])
    return set(re.findall(r"\b[A-Z][A-Z_0-9]+\b", rules))


def test_every_terminal_of_the_grammar_is_in_the_table() -> None:
    assert grammar_terminals() - TERMINALS - set(GENERAL) == set()


def test_every_terminal_of_the_table_is_in_the_grammar() -> None:
    named = {terminal for terminal in (*TERMINALS, *GENERAL) if terminal[0].isalpha()}
    assert named - grammar_terminals() == set()


@pytest.mark.parametrize("name", GRAMMATICAL)
def test_every_terminal_has_a_spelling(name: str) -> None:
    spelled = set(Dialect.load(name).spellings)
    optional = {"FINAL_BLOCK_END", "ONLY_PASS"}  # terminals that classic leaves out
    own = set(re.findall(r"^([A-Z_0-9]+):", GRAMMAR, re.MULTILINE))
    assert grammar_terminals() - own - spelled - optional == set()


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """The terminals that appear in the golden cases."""
    found = set()
    for case in cases():
        simpy = transpiler.encode(case.python, verify=False)
        found |= {lexeme.terminal for lexeme in transpiler.lexemes(simpy)}
    return found


# No lexeme has an empty text: what every dialect implies is seen in the Python that golden cases decode to.
IMPLIED = {terminal for terminal in TERMINALS if all(Dialect.load(name).spellings.get(terminal) == ("",) for name in GRAMMATICAL)}


@pytest.mark.parametrize("terminal", sorted(TERMINALS - IMPLIED))
def test_every_terminal_has_a_case(terminal: str, shown: set[str]) -> None:
    assert terminal in shown, f"no case in tests/cases/ has a {terminal}"


def test_lexemes_are_known_and_join_to_the_text() -> None:
    for case in cases():
        for dialect in GRAMMATICAL:
            simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
            lexemes = transpiler.lexemes(simpy, dialect=dialect)
            assert "".join(lexeme.text for lexeme in lexemes) == simpy
            assert {lexeme.terminal for lexeme in lexemes} <= TERMINALS
            assert all(simpy[lexeme.start : lexeme.end] == lexeme.text for lexeme in lexemes)


def node_kinds() -> set[str]:
    """The named node kinds that tree-sitter-python can put into a tree."""
    kinds = set()
    for i in range(LANGUAGE.node_kind_count):
        name = LANGUAGE.node_kind_for_id(i)
        if name and LANGUAGE.node_kind_is_named(i) and LANGUAGE.node_kind_is_visible(i):
            kinds.add(name)
    return kinds


@pytest.mark.parametrize("kind", sorted(node_kinds()))
def test_every_node_kind_has_a_row(kind: str) -> None:
    assert kind in ROWS or kind in CHILDREN or kind in PASSED_THROUGH


def test_nothing_is_passed_through_that_does_not_exist() -> None:
    assert PASSED_THROUGH - node_kinds() == set()
    assert PASSED_THROUGH & {*ROWS, *CHILDREN} == set()


@pytest.mark.parametrize("dialect", GRAMMATICAL)
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
