"""How the dialect ``compact`` lays lexemes out."""

from __future__ import annotations

import pytest

from simpy_grammar.dialect import PYTHON, Dialect
from tests.golden import Case, cases
from tests.lexemes import stream_of
from transpiler.compact import compact_layout
from transpiler.compact_style import ALL_BLANKS, STYLE, Style
from transpiler.conversion import read_stream
from transpiler.pep8 import DEEPEST, TooDeepError

LAYOUTS = {
    # blanks
    "x ASSIGN a IN b AND NOT c": "x=a in b and not c",
    "x ASSIGN a NOT_IN [ b ] OR c": "x=a not in [b] or c",
    "RETURN space a": "return a",
    "RETURN space [ a ]": "return [a]",
    "RETURN space ( a PLUS b ) TIMES c": "return (a+b)*c",
    "x ASSIGN LAMBDA space SPLAT a LAMBDA_SEP b LAMBDA_COLON c": "x=lambda *a,b:c",
    "x ASSIGN NEGATE NEGATE a": "x=--a",
    "1 NUMBER_DOT real": "1 .real",
    "x TARGET_SEP y ASSIGN a COMMA": "x,y=a,",
    # imports
    "FUTURE_IMPORT a AS b": "from __future__ import a as b",
    "FROM_IMPORT a DOT b IMPORT_NAMES *": "from a.b import *",
    "LAZY IMPORT a IMPORT_SEP b": "lazy import a,b",
    "LAZY FROM_IMPORT a IMPORT_NAMES b": "lazy from a import b",
    # lines and blocks
    "a LINE_SEP b": "a\nb",
    "IF_STMT a BLOCK_START b LINE_SEP c BREAK BLOCK_END ELSE_STMT BLOCK_START d BLOCK_END e": "if a:b;c;break\nelse:d\ne",
    "IF_STMT a BLOCK_START b LINE_SEP c IF_STMT d BLOCK_START e BLOCK_END f LINE_SEP g BLOCK_END": "if a:\n b;c\n if d:e\n f;g",
    "CLASS A BLOCK_START DEF f EMPTY_PARAMETERS BLOCK_START PASS BLOCK_END BLOCK_END": "class A:\n def f():pass",
    "DECORATOR a LINE_SEP DECORATOR b DEF f EMPTY_PARAMETERS BLOCK_START PASS BLOCK_END": "@a\n@b\ndef f():pass",
    "IF_STMT a BLOCK_START DECORATOR b CLASS A BLOCK_START c BLOCK_END BLOCK_END": "if a:\n @b\n class A:c",
    "IF_STMT a BLOCK_START LAZY IMPORT b LINE_SEP c BLOCK_END": "if a:lazy import b;c",
    "ASYNC DEF f PARAMETERS_START a PARAMETERS_END RETURN_ARROW b BLOCK_START PASS BLOCK_END": "async def f(a)->b:pass",
    "IF_STMT a BLOCK_START ASYNC FOR_STMT b FOR_IN c BLOCK_START d BLOCK_END BLOCK_END": "if a:\n async for b in c:d",
    "TRY BLOCK_START a BLOCK_END EXCEPT_GROUP b AS c BLOCK_START d BLOCK_END": "try:a\nexcept* b as c:d",
    "MATCH a BLOCK_START CASE b GUARD c BLOCK_START d BLOCK_END BLOCK_END": "match a:\n case b if c:d",
    "WITH WITH_PARENTHESES ( a WITH_SEP b ) BLOCK_START c BLOCK_END": "with (a,b):c",
    # redundant parentheses
    "( a ) LINE_SEP ( b ) ( c )": "a\nb(c)",
    "x ASSIGN NOT ( a )": "x=not a",
    "IF_STMT a BLOCK_START ( b ) BLOCK_END": "if a:b",
}

OWN, TRAILING = ("COMMENT", "# c\n"), ("TRAILING_COMMENT", "# c\n")
HEADER, INNER, INNER_OWN = ("HEADER_COMMENT", "# c\n"), ("INNER_COMMENT", "<comment># c\n"), ("INNER_COMMENT", "<comment>\n# c\n")

COMMENTS = [
    (("a", TRAILING, "b"), "a# c\nb"),
    ((OWN, "a LINE_SEP", ("COMMENT", "# d")), "# c\na\n# d"),
    (("IF_STMT a BLOCK_START b", TRAILING, "BLOCK_END c"), "if a:b# c\nc"),
    (("IF_STMT a BLOCK_START b", TRAILING, "c BLOCK_END"), "if a:\n b# c\n c"),
    (("IF_STMT a BLOCK_START", OWN, "b LINE_SEP c BLOCK_END"), "if a:\n # c\n b;c"),
    (("IF_STMT a BLOCK_START b LINE_SEP", OWN, "BLOCK_END"), "if a:\n b\n # c"),
    (("IF_STMT a", HEADER, "BLOCK_START b BLOCK_END"), "if a:# c\n b"),
    (("f ( a ARGUMENT_SEP", INNER, "b )"), "f(a,# c\n b)"),
    (("f (", INNER_OWN, INNER_OWN, "a )"), "f(\n# c\n # c\n a)"),
    (("f (", INNER, INNER_OWN, "a )"), "f(# c\n # c\n a)"),
    (("IF_STMT a BLOCK_START f ( b", INNER, ") LINE_SEP c BLOCK_END"), "if a:f(b# c\n  );c"),
    (("x ASSIGN ( a", INNER, ")"), "x=(a# c\n )"),
]


def string(text: str) -> tuple[str, str]:
    return "STRING", text


LITERALS = [
    (("x ASSIGN a IN", string("'b'"), "OR", string("r'c'")), "x=a in 'b' or r'c'"),
    ((string("'a'"), "CONCAT", string('"b"'), "CONCAT", string("u'c'")), "'a' \"b\" u'c'"),
    ((string("''"), "CONCAT", string("'a'")), "'' 'a'"),
    ((string("b''"), "CONCAT", string("b'a'")), "b'' b'a'"),
    ((string("''''''"), "CONCAT", string("'a'")), "'''''' 'a'"),
    ((string("'\\''"), "CONCAT", string("'a'")), "'\\'' 'a'"),
    ((("FSTRING_START_1", "f'"), ("FSTRING_END_1", "'"), "CONCAT", string("'a'")), "f'' 'a'"),
    ((("FSTRING_START_3", "f'''"), ("FSTRING_END_3", "'''"), "CONCAT", string("'a'")), "f'''''' 'a'"),
    (
        (
            "RETURN space",
            ("FSTRING_START_2", 'f"'),
            ("FSTRING_TEXT_2", "a"),
            ("FIELD_START", "{ "),
            "{ b PAIR_COLON c }",
            ("FIELD_CONVERSION", "!r"),
            "FORMAT_COLON",
            ("FORMAT_TEXT", ">9"),
            "}",
            ("FSTRING_END_2", '"'),
        ),
        'return f"a{ {b:c}!r:>9}"',
    ),
    ((("FSTRING_START_1", "f'"), ("FIELD_START", "{"), ("FIELD_VERBATIM", "<debug>a =<debug>"), "}", ("FSTRING_END_1", "'")), "f'{a =}'"),
    (("RETURN space", ("NUMBER", ".5"), "IF", ("NUMBER", "2."), "ELSE 0x1f"), "return .5 if 2. else 0x1f"),
    (("FROM_IMPORT", ("IMPORT_PREFIX", ".."), "a IMPORT_NAMES b"), "from ..a import b"),
    (("FROM_IMPORT", ("IMPORT_PREFIX", "."), "IMPORT_NAMES b"), "from . import b"),
]


@pytest.mark.parametrize(("words", "expected"), LAYOUTS.items())
def test_layout(words: str, expected: str) -> None:
    assert compact_layout(stream_of(words)) == expected


@pytest.mark.parametrize(("parts", "expected"), [*COMMENTS, *LITERALS])
def test_comments_and_literals(parts: tuple[str | tuple[str, str], ...], expected: str) -> None:
    assert compact_layout(stream_of(*parts)) == expected


def test_texts_of_grammar_tokens_are_not_looked_at() -> None:
    assert compact_layout(stream_of(("RETURN", "<return>"), ("NAME", "a"), ("PLUS", "<plus>"), ("NAME", "b"))) == "return a+b"


def test_the_stream_stays_as_it_is() -> None:
    stream = stream_of("( a )")
    assert compact_layout(stream) == "a"
    assert stream.terminals == stream_of("( a )").terminals


def test_nothing() -> None:
    assert compact_layout(stream_of()) == ""


def test_blocks_nest_as_deep_as_python_reads() -> None:
    def nested(depth: int) -> str:
        return "IF_STMT a BLOCK_START " * depth + "b" + " BLOCK_END" * depth

    assert compact_layout(stream_of(nested(DEEPEST))).endswith(f"\n{' ' * (DEEPEST - 1)}if a:b")
    with pytest.raises(TooDeepError) as raised:
        compact_layout(stream_of("c LINE_SEP", nested(DEEPEST + 1)))
    assert raised.value.index == 2 + 3 * DEEPEST + 2  # the last BLOCK_START


def test_long_lines() -> None:
    assert compact_layout(stream_of("a LINE_SEP " * 20_000)) == "\n".join("a" * 20_000)


STYLES = {
    "nothing": Style(),
    "blanks": Style(ALL_BLANKS, after_colon=" ", semicolon="; ", before_comment="  "),
    "lines": Style(ALL_BLANKS, indent=" ", semicolon="", after_colon=None),
}
SPLIT = (
    "FROM_IMPORT",
    ("IMPORT_PREFIX", "."),
    "IMPORT_NAMES b LINE_SEP IF_STMT a BLOCK_START x ASSIGN NOT ( b ) LINE_SEP f ( 1 ARGUMENT_SEP 2 ) BLOCK_END",
)
STYLED = {
    "nothing": "from.import b\nif a:x=not b;f(1,2)",
    "blanks": "from . import b\nif a: x = not b; f(1, 2)",
    "lines": "from . import b\nif a:\n x = not b\n f(1, 2)",
}


@pytest.mark.parametrize("name", STYLES)
def test_style(name: str) -> None:
    assert compact_layout(stream_of(*SPLIT), style=STYLES[name]) == STYLED[name]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_each_style_is_the_same_program(case: Case) -> None:
    """Whatever the style, the text reads as that of ``compact`` does."""
    python = Dialect.load(PYTHON)
    stream = read_stream(case.python, python)
    short = read_stream(compact_layout(stream, style=STYLE), python)
    for style in STYLES.values():
        again = read_stream(compact_layout(stream, style=style), python)
        assert again.terminals == short.terminals
        assert compact_layout(again, style=STYLE) == compact_layout(short, style=STYLE)
