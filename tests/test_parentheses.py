"""Which parentheses are redundant, by what stands in them and beside them."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable

import pytest

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import TERMINALS
from tests.lexemes import stream_of, without
from transpiler.parentheses import redundant_parentheses


def bare(words: str) -> str:
    return without(words, redundant_parentheses(stream_of(words)))


# What is left of a stream without its redundant parentheses.
REDUNDANT = [
    # operators
    ("( a TIMES b ) PLUS c", "a TIMES b PLUS c"),
    ("a PLUS ( b TIMES c )", "a PLUS b TIMES c"),
    ("( a MINUS b ) MINUS c", "a MINUS b MINUS c"),
    ("a POWER ( b POWER c )", "a POWER b POWER c"),
    ("a POWER ( NEGATE b )", "a POWER NEGATE b"),
    ("NEGATE ( a POWER b )", "NEGATE a POWER b"),
    ("NOT ( a IN b )", "NOT a IN b"),
    ("( a EQUAL b ) AND c", "a EQUAL b AND c"),
    ("a OR ( b AND c )", "a OR b AND c"),
    ("( NOT a ) OR b", "NOT a OR b"),
    ("( a OR b ) IF ( c ) ELSE ( d IF e ELSE f )", "a OR b IF c ELSE d IF e ELSE f"),
    ("AWAIT ( a DOT b )", "AWAIT a DOT b"),
    # operands
    ("( a DOT b ) [ c ]", "a DOT b [ c ]"),
    ("( a ( b ) ) DOT c", "a ( b ) DOT c"),
    ("( a ) ( b )", "a ( b )"),
    # statements
    ("x ASSIGN ( LAMBDA LAMBDA_COLON a )", "x ASSIGN LAMBDA LAMBDA_COLON a"),
    ("RETURN space ( a IF b ELSE c )", "RETURN space a IF b ELSE c"),
    ("IF_STMT ( a WALRUS b ) BLOCK_START PASS BLOCK_END", "IF_STMT a WALRUS b BLOCK_START PASS BLOCK_END"),
    ("EXCEPT space ( a ) AS b", "EXCEPT space a AS b"),
    ("( a ) PLUS_ASSIGN b", "a PLUS_ASSIGN b"),
    ("WITH ( a OR b ) IF c ELSE d BLOCK_START", "WITH a OR b IF c ELSE d BLOCK_START"),
    # brackets
    ("f ( ( a WALRUS b ) ARGUMENT_SEP SPLAT ( c PLUS d ) )", "f ( a WALRUS b ARGUMENT_SEP SPLAT c PLUS d )"),
    ("[ ( a WALRUS b ) ELEMENT_SEP ( c ) ]", "[ a WALRUS b ELEMENT_SEP c ]"),
    ("{ ( a ) PAIR_COLON ( LAMBDA LAMBDA_COLON b ) }", "{ a PAIR_COLON LAMBDA LAMBDA_COLON b }"),
    ("a [ ( b ) SLICE_COLON ( c OR d ) ]", "a [ b SLICE_COLON c OR d ]"),
    ("[ ( a ) COMPREHENSION_FOR ( b ) COMPREHENSION_IN ( c OR d ) ]", "[ a COMPREHENSION_FOR b COMPREHENSION_IN c OR d ]"),
    # double ones
    ("x ASSIGN ( ( YIELD ) )", "x ASSIGN ( YIELD )"),
    ("f ( ( ( a COMPREHENSION_FOR b COMPREHENSION_IN c ) ) )", "f ( a COMPREHENSION_FOR b COMPREHENSION_IN c )"),
    ("( ( ) )", "( )"),
    ("( ( ( ) ) ELEMENT_SEP ( ) )", "( ) ELEMENT_SEP ( )"),
    ("( ( ( a ) PLUS b ) TIMES c )", "( a PLUS b ) TIMES c"),
    # tuples
    ("x ASSIGN ( a ELEMENT_SEP b )", "x ASSIGN a ELEMENT_SEP b"),
    ("( a COMMA ) ASSIGN ( b COMMA )", "a COMMA ASSIGN b COMMA"),
    ("RETURN space ( SPLAT a ELEMENT_SEP b )", "RETURN space SPLAT a ELEMENT_SEP b"),
    ("( YIELD space ( a ELEMENT_SEP b ) )", "( YIELD space a ELEMENT_SEP b )"),
    ("FOR_STMT ( a ELEMENT_SEP b ) FOR_IN ( c ELEMENT_SEP d ) BLOCK_START", "FOR_STMT a ELEMENT_SEP b FOR_IN c ELEMENT_SEP d BLOCK_START"),
    ("a [ ( b ELEMENT_SEP c ) ]", "a [ b ELEMENT_SEP c ]"),
    (
        "f ( ( a COMPREHENSION_FOR ( SPLAT b ELEMENT_SEP c ) COMPREHENSION_IN d ) )",
        "f ( a COMPREHENSION_FOR SPLAT b ELEMENT_SEP c COMPREHENSION_IN d )",
    ),
    # a star that makes no element
    ("x ASSIGN ( LAMBDA space SPLAT a LAMBDA_COLON b )", "x ASSIGN LAMBDA space SPLAT a LAMBDA_COLON b"),
    # a word that an assignment settles
    ("( match ) ASSIGN a", "match ASSIGN a"),
]

KEPT = [
    # operators
    "( a PLUS b ) TIMES c",
    "a MINUS ( b MINUS c )",
    "( a POWER b ) POWER c",
    "( NEGATE a ) POWER b",
    "( a LESS b ) LESS c",
    "a LESS ( b LESS c )",
    "a AND ( b AND c )",
    "( a OR b ) OR c",
    "a EQUAL ( NOT b )",
    "( a IF b ELSE c ) IF d ELSE e",
    "( LAMBDA LAMBDA_COLON a ) OR b",
    "AWAIT ( AWAIT a )",
    "( AWAIT a ) DOT b",
    "( 1 ) DOT real",
    # what is no plain expression
    "x ASSIGN ( YIELD )",
    "x ASSIGN ( a WALRUS b IF c ELSE d )",
    "RETURN space ( a WALRUS b )",
    "( a WALRUS b )",
    "x ASSIGN ( a COMPREHENSION_FOR b COMPREHENSION_IN c )",
    "f ( KEYWORD_ASSIGN ( a WALRUS b ) )",
    "{ ( a WALRUS b ) ELEMENT_SEP ( c WALRUS d ) }",
    "a [ ( b WALRUS c ) ]",
    "[ ( a WALRUS b ) COMPREHENSION_FOR c COMPREHENSION_IN d ]",
    "[ a COMPREHENSION_FOR b COMPREHENSION_IN ( c IF d ELSE e ) ]",
    # tuples
    "YIELD YIELD_FROM ( a ELEMENT_SEP b )",
    "x ASSIGN ( a ELEMENT_SEP b WALRUS c )",
    "x PLUS_ASSIGN ( SPLAT a ELEMENT_SEP b )",
    "FOR_STMT a FOR_IN ( SPLAT b ELEMENT_SEP c ) BLOCK_START",
    "[ ( a ELEMENT_SEP b ) ]",
    "DEL ( a ELEMENT_SEP b )",
    "WITH ( a ELEMENT_SEP b ) AS c BLOCK_START",
    "WITH ( ( a ELEMENT_SEP b ) ) BLOCK_START",
    "EXCEPT space ( a ELEMENT_SEP b ) BLOCK_START",
    "ASSERT a ASSERT_SEP ( b ELEMENT_SEP c )",
    "RETURN space ( a ELEMENT_SEP b ) EXPRESSION_SEP c",
    "a [ ( b ELEMENT_SEP c ) INDEX_SEP d ]",
    "[ a COMPREHENSION_FOR b COMPREHENSION_IN ( c ELEMENT_SEP d ) ]",
    "TYPE_ALIAS X [ T ] ASSIGN ( a ELEMENT_SEP b )",
    "x ASSIGN ( )",
    # targets of annotations
    "( x ) ANNOTATION int",
    # a generator in the parentheses of a class, or beside another argument
    "CLASS A ( ( a COMPREHENSION_FOR b COMPREHENSION_IN c ) ) BLOCK_START",
    "CLASS A [ T ] ( ( a COMPREHENSION_FOR b COMPREHENSION_IN c ) ) BLOCK_START",
    "f ( ( a COMPREHENSION_FOR b COMPREHENSION_IN c ) ARGUMENT_SEP d )",
    "f ( ( a WALRUS b COMPREHENSION_FOR c COMPREHENSION_IN d ) )",
    # with a comment in them
    "x ASSIGN ( a INNER_COMMENT PLUS b )",
    "( ( INNER_COMMENT ) )",
    # in the field of an f-string
    "FSTRING_START_1 FIELD_START ( a ) PLUS ( b ) } FSTRING_END_1",
    # patterns
    "CASE ( a BIT_OR b ) BIT_OR ( c ) BLOCK_START",
    # parentheses of others
    "FROM_IMPORT a IMPORT_NAMES ( INNER_COMMENT b )",
    "WITH WITH_PARENTHESES ( INNER_COMMENT a WITH_SEP b ) BLOCK_START",
    "f ( a )",
    "DEF f PARAMETERS_START a PARAMETERS_END BLOCK_START",
    # words that may mean something else where a statement begins
    "( match ) ( x )",
    "a LINE_SEP ( type ) [ x ]",
    "IF_STMT a BLOCK_START ( lazy ) BLOCK_END",
    "( match DOT a )",
]


@pytest.mark.parametrize(("words", "expected"), REDUNDANT)
def test_redundant(words: str, expected: str) -> None:
    assert bare(words) == expected


@pytest.mark.parametrize("words", KEPT)
def test_kept(words: str) -> None:
    assert bare(words) == words


def test_comments_beside_parentheses_do_not_keep_them() -> None:
    assert bare("f ( INNER_COMMENT ( a ) INNER_COMMENT PLUS ( b ) )") == "f ( INNER_COMMENT a INNER_COMMENT PLUS b )"


def test_fields_end() -> None:
    words = "FSTRING_START_1 FIELD_START { ( a ) } } FSTRING_END_1 PLUS ( b )"
    assert bare(words) == "FSTRING_START_1 FIELD_START { ( a ) } } FSTRING_END_1 PLUS b"


@pytest.mark.parametrize("inside", ["a", "", "a COMMA", "YIELD"])
def test_deep_nesting(inside: str) -> None:
    stream = stream_of("( " * 20_000 + inside + " )" * 20_000)
    left = len(stream) - len(redundant_parentheses(stream))
    assert left == {"a": 1, "": 2, "a COMMA": 2, "YIELD": 3}[inside]


# ------------------------------------------------------------------------------- random expressions, by their syntax trees

_BINARY = "PLUS MINUS TIMES DIVIDE POWER LEFT_SHIFT BIT_AND BIT_OR BIT_XOR EQUAL LESS IN IS_NOT AND OR".split()


def _expression(rng: random.Random, depth: int) -> str:
    """An expression as words, each operand of which stands in one pair of parentheses or in more."""
    if depth == 0:
        return rng.choice(["a", "b", "c", "1", "NONE"])

    def operand() -> str:
        pairs = rng.choice([1, 1, 1, 2])
        return "( " * pairs + _expression(rng, depth - 1) + " )" * pairs

    kinds: list[Callable[[], str]] = [
        lambda: f"{operand()} {rng.choice(_BINARY)} {operand()}",
        lambda: f"{operand()} {rng.choice(_BINARY)} {operand()}",
        lambda: f"{rng.choice(['NEGATE', 'NOT', 'AWAIT', 'INVERT'])} {operand()}",
        lambda: f"{operand()} IF {operand()} ELSE {operand()}",
        lambda: f"LAMBDA LAMBDA_COLON {operand()}",
        lambda: f"LAMBDA space SPLAT a LAMBDA_COLON {operand()}",
        lambda: f"{operand()} ELEMENT_SEP {operand()}",
        lambda: f"{operand()} COMMA",
        lambda: f"YIELD space {operand()}",
        lambda: f"a WALRUS {operand()}",
        lambda: f"{operand()} DOT b",
        lambda: f"{operand()} ( {operand()} )",
        lambda: f"{operand()} [ {operand()} ]",
        lambda: f"[ {operand()} ELEMENT_SEP {operand()} ]",
        lambda: f"{{ {operand()} PAIR_COLON {operand()} }}",
        lambda: f"{operand()} COMPREHENSION_FOR {rng.choice(['a', '( a ELEMENT_SEP SPLAT b )'])} COMPREHENSION_IN {operand()}",
    ]
    return rng.choice(kinds)()


def _python(stream: Stream, left_out: set[int]) -> str:
    """A stream as Python writes its terminals, blanks between all."""
    pairs = enumerate(zip(stream.terminals, stream.texts, strict=True))
    return " ".join(TERMINALS[terminal].python or text for i, (terminal, text) in pairs if i not in left_out)


@pytest.mark.parametrize(
    ("before", "after", "end"),
    [
        ("x ASSIGN", "", ""),
        ("", "", ""),
        ("RETURN", "", ""),
        ("f (", ")", ""),
        ("FOR_STMT a FOR_IN", "", ": pass"),
        ("IF_STMT", "", ": pass"),
    ],
)
def test_random_expressions_keep_their_trees(before: str, after: str, end: str) -> None:
    rng = random.Random(before)
    judged = left_out = 0
    for _ in range(300):
        words = f"{before} ( {_expression(rng, rng.randrange(1, 4))} ) {after}"
        stream = stream_of(words)
        try:
            expected = ast.dump(ast.parse(_python(stream, set()) + end))
        except SyntaxError:  # `*b` alone and the like
            continue
        redundant = redundant_parentheses(stream)
        assert ast.dump(ast.parse(_python(stream, redundant) + end)) == expected, words
        judged += 1
        left_out += len(redundant)
    assert judged > 100
    assert left_out > judged
