"""Rules about neighbours: block starts and ends, a lone ``pass``, separators of two spellings, blanks; whole and in pieces."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.speller import Speller
from tests.golden import Case, cases
from tests.lexemes import stream_of
from transpiler.conversion import read_stream

pytestmark = pytest.mark.quick

# Lexemes -> how classic, dense and dense-newline spell them.
SPELLED = {
    # a block start is implied before a keyword, after a bare header, and round a lone pass
    "IF_STMT a BLOCK_START b BLOCK_END c": ("<if_stmt>a<block_start>b<block_end>c", "<if_stmt>a{b}c", "<if_stmt>a:\nb\n\nc"),
    "IF_STMT a BLOCK_START RETURN space b BLOCK_END": (
        "<if_stmt>a<block_start><return>b<block_end>",
        "<if_stmt>a<return>b",
        "<if_stmt>a<return>b",
    ),
    "IF_STMT a BLOCK_START PASS BLOCK_END": ("<if_stmt>a<block_start><pass><block_end>", "<if_stmt>a{", "<if_stmt>a:\n"),
    "IF_STMT a BLOCK_START PASS LINE_SEP b BLOCK_END": (
        "<if_stmt>a<block_start><pass><line_sep>b<block_end>",
        "<if_stmt>a<pass>;b",
        "<if_stmt>a<pass>\nb",
    ),
    "TRY BLOCK_START a BLOCK_END EXCEPT BLOCK_START b BLOCK_END": (
        "<try_stmt><block_start>a<block_end><except_stmt><block_start>b<block_end>",
        "<try_stmt>a<except_stmt>:b",
        None,
    ),
    # a block end is implied before a clause and at the end of the text
    "IF_STMT a BLOCK_START b BLOCK_END ELSE_STMT BLOCK_START c BLOCK_END": (
        "<if_stmt>a<block_start>b<block_end><else_stmt><block_start>c<block_end>",
        "<if_stmt>a{b<else_stmt>c",
        None,
    ),
    "MATCH a BLOCK_START CASE b BLOCK_START c BLOCK_END CASE d BLOCK_START e BLOCK_END BLOCK_END f": (
        "<match_stmt>a<block_start><case_stmt>b<block_start>c<block_end><case_stmt>d<block_start>e<block_end><block_end>f",
        "<match_stmt>a<case_stmt>b{c<case_stmt>d{e}f",
        None,
    ),
    # a separator is another one between a closing and an opening bracket or quote
    "f ( a ARGUMENT_SEP b )": ("f(a b)", "f(a b)", "f(a b)"),
    "f ( [ a ] ARGUMENT_SEP [ b ] )": ("f([a] [b])", "f([a],[b])", "f([a],[b])"),
    "f ( [ a ] ARGUMENT_SEP b )": ("f([a] b)", "f([a] b)", "f([a] b)"),
    "[ a ELEMENT_SEP ( b COMMA ) ]": ("[a (b,)]", "[a (b,)]", "[a (b,)]"),
}

# Lexemes -> how classic-spaced and dense-spaced spell them.
SPACED = {
    # names, numbers, strings and brackets keep the blank that Python has before them, or the start of a line
    "IF_STMT a BLOCK_START b BLOCK_END c": ("<if_stmt> a<block_start> b<block_end> c", "<if_stmt> a{b}c"),
    "IF_STMT a BLOCK_START RETURN space b BLOCK_END": ("<if_stmt> a<block_start><return> b<block_end>", "<if_stmt> a<return> b"),
    "IF_STMT a BLOCK_START PASS LINE_SEP b BLOCK_END": (
        "<if_stmt> a<block_start><pass><line_sep> b<block_end>",
        "<if_stmt> a<pass>; b",
    ),
    "RETURN space ( a ) RETURN": ("<return> (a)<return>", "<return> (a)<return>"),
    "NOT ( a AND b )": ("<not> (a<and> b)", "not (a and b)"),
    "x ASSIGN y PLUS 1": ("x = y + 1", "x = y + 1"),
    "x ASSIGN NEGATE y MINUS NEGATE z": ("x = -y - -z", "x = -y - -z"),
    # nothing stands before a token in angle brackets, nor where Python has nothing
    "x ASSIGN NONE": ("x=<none>", "x = None"),
    "x ASSIGN LAMBDA LAMBDA_COLON a": ("x=<lambda>:a", "x=<lambda>:a"),
    "( YIELD )": ("(<yield>)", "(<yield>)"),
    "TRY BLOCK_START a BLOCK_END EXCEPT BLOCK_START b BLOCK_END": (
        "<try_stmt><block_start> a<block_end><except_stmt><block_start> b<block_end>",
        "<try_stmt> a<except_stmt>:b",
    ),
    # after a header that stands alone, the implied start of its block is the start of a line
    "IF_STMT a BLOCK_START b BLOCK_END ELSE_STMT BLOCK_START c BLOCK_END": (
        "<if_stmt> a<block_start> b<block_end><else_stmt><block_start> c<block_end>",
        "<if_stmt> a{b<else_stmt> c",
    ),
    "MATCH a BLOCK_START CASE b BLOCK_START c BLOCK_END CASE d BLOCK_START e BLOCK_END BLOCK_END f": (
        "<match_stmt> a<block_start><case_stmt> b<block_start> c<block_end><case_stmt> d<block_start> e<block_end><block_end> f",
        "<match_stmt> a<case_stmt> b{c<case_stmt> d{e}f",
    ),
    # `f a=1 / b` has three parameters, so a division has no blanks
    "DEF f PARAMETERS_START a DEFAULT 1 PARAMETER_SEP / PARAMETER_SEP b PARAMETERS_END BLOCK_START a DIVIDE b BLOCK_END": (
        "<def_stmt> f a=1 / b<block_start> a/b<block_end>",
        "<def_stmt> f a=1 / b{a/b",
    ),
}


# Lexemes -> how dense-open spells them.
OPEN = {
    "f ( a ARGUMENT_SEP b )": ("f(a b",),
    "f ( [ a ] ARGUMENT_SEP [ b ] )": ("f([a],[b",),
    "[ a ELEMENT_SEP ( b COMMA ) ]": ("[a (b,)",),
    # what ends a statement: a separator, a keyword, a block, the end of the text
    "f ( a ) LINE_SEP g ( b ) RETURN": ("f(a;g(b<return>",),
    "IF_STMT f ( a ) BLOCK_START g ( b ) BLOCK_END c": ("<if_stmt>f(a{g(b}c",),
    "IF_STMT f ( a ) BLOCK_START PASS BLOCK_END": ("<if_stmt>f(a{",),
    "IF_STMT a BLOCK_START f ( b ) BLOCK_END ELSE_STMT BLOCK_START g ( c ) BLOCK_END": ("<if_stmt>a{f(b<else_stmt>g(c",),
    "DEF f PARAMETERS_START a DEFAULT g ( b ) PARAMETERS_END BLOCK_START c BLOCK_END": ("<def_stmt>f a=g(b{c",),
    # the first bracket stays where no operand stands before it
    "f ( g ( ) )": ("f(g()",),
    "x ASSIGN a [ b SLICE_COLON ]": ("x=a[b:]",),
    "( YIELD )": ("(<yield>)",),
    # a brace stays before the brace that ends a block, and all before a word that could go on inside
    "IF_STMT a BLOCK_START f ( { b } ) BLOCK_END c": ("<if_stmt>a{f({b}}c",),
    "IF_STMT a BLOCK_START { f ( b ) } BLOCK_END c": ("<if_stmt>a{{f(b)}}c",),
    "f ( a ) ASYNC DEF f EMPTY_PARAMETERS BLOCK_START c BLOCK_END": ("f(a)<async_keyword><def_stmt>f{c",),
    # brackets that something follows
    "f ( a ) PLUS g ( b )": ("f(a)+g(b",),
    "f ( a ) DOT b": ("f(a).b",),
}


def _expected(words: str) -> dict[str, str | None]:
    """Lexemes -> dialect -> how it spells them; ``None`` where that is not listed."""
    groups = ((BUILT_IN[:3], SPELLED), (BUILT_IN[3:5], SPACED), (BUILT_IN[5:], OPEN))
    nothing = (None, None, None)
    return {name: text for names, listed in groups for name, text in zip(names, listed.get(words, nothing), strict=False)}


@pytest.mark.parametrize("words", dict.fromkeys((*SPELLED, *SPACED, *OPEN)))
@pytest.mark.parametrize("dialect", BUILT_IN)
def test_spelling(words: str, dialect: str) -> None:
    expected = _expected(words)[dialect]
    spelled = "".join(Speller(Dialect.load(dialect)).spell_all(stream_of(words)))
    if expected is not None:
        assert spelled == expected
    assert read_stream(spelled, Dialect.load(dialect)).terminals == stream_of(words).terminals


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", BUILT_IN)
def test_spelling_in_pieces(case: Case, dialect: str) -> None:
    """What is spelled before the rest has come is the beginning of the whole, and nothing is held back for long."""
    chosen = Dialect.load(dialect)
    stream = read_stream(transpiler.encode(case.python, dialect=dialect, verify=False), chosen)
    whole = Speller(chosen).spell_all(stream)
    for size in (1, 5):
        speller = Speller(chosen)
        spelled: list[str] = []
        waiting = at = 0
        while at < len(stream):
            at = min(at + size, len(stream))
            part = speller.spell(stream.terminals[waiting:at], stream.texts[waiting:at], final=at == len(stream))
            spelled += part
            waiting += len(part)
        assert spelled == whole
        assert waiting == len(stream)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_spelling_in_pieces_with_blanks_and_implied_brackets(case: Case) -> None:
    """Both may wait for what comes, one after the other."""
    chosen = Dialect.parse("%extends dense-spaced\n%open\n", name="mine")
    stream = read_stream(case.python, Dialect.load("python"))
    speller = Speller(chosen, check=False)
    spelled: list[str] = []
    for at in range(len(stream) + 1):
        spelled += speller.spell(stream.terminals[len(spelled) : at], stream.texts[len(spelled) : at], final=at == len(stream))
    assert spelled == Speller(chosen, check=False).spell_all(stream)
