"""The layout of Python: what stands between lines, where lines break, and that a stream gives the same text."""

from __future__ import annotations

import ast
import random

import pytest

from simpy_grammar.terminals import ID
from transpiler.pep8 import DEEPEST, Layout, TooDeepError

Lexemes = list[tuple[str, str]]


def lexemes(words: str) -> Lexemes:
    """Lexemes in a short notation: terminals, names, numbers and strings; ``COMMENT:#c`` has a text; ``|`` is a line break in one."""
    found = []
    for word in words.split():
        name, colon, text = word.partition(":")
        if word in ID:
            found.append((word, ""))
        elif colon and name in ID:
            mark, end = "<comment>" * (name == "INNER_COMMENT"), "\n" * name.endswith("COMMENT")
            found.append((name, mark + text.replace("|", "\n") + end))
        elif word[0] in "'\"":
            found.append(("STRING", word.replace("|", "\n")))
        else:
            found.append(("NUMBER" if word[0].isdigit() else "NAME", word))
    return found


def lay(words: str | Lexemes, *, width: int | None = 88, indent: str = "    ", base: str = "") -> str:
    stream = lexemes(words) if isinstance(words, str) else words
    layout = Layout(width=width, indent=indent, base=base)
    layout.write([ID[name] for name, _ in stream], [text for _, text in stream])
    return layout.finish()


def pieces(stream: Lexemes, size: int, *, width: int | None = 88) -> list[str]:
    layout = Layout(width=width)
    found = []
    for at in range(0, len(stream), size):
        part = stream[at : at + size]
        layout.write([ID[name] for name, _ in part], [text for _, text in part])
        found.append(layout.take())
    return [*found, layout.finish()]


ASSIGN = "a ASSIGN b"
PASS = "BLOCK_START PASS BLOCK_END"
F = f"DEF f EMPTY_PARAMETERS {PASS}"


@pytest.mark.parametrize(
    ("words", "python"),
    [
        ("", ""),
        (ASSIGN, "a = b\n"),
        ("COMMENT:#c", "#c\n"),
        ("IF_STMT a BLOCK_START PASS BLOCK_END ELSE_STMT BLOCK_START RETURN space b BLOCK_END", "if a:\n    pass\nelse:\n    return b\n"),
        ("a LINE_SEP b TRAILING_COMMENT:#c d", "a\nb  #c\nd\n"),
        ("IF_STMT a HEADER_COMMENT:#c BLOCK_START b BLOCK_END c", "if a:  #c\n    b\nc\n"),
        ("a TARGET_SEP b ASSIGN c COMMA", "a, b = c,\n"),
        ("LAZY IMPORT a", "lazy import a\n"),
        (f"WITH WITH_PARENTHESES:? ( a AS b ) {PASS}", "with (a as b):\n    pass\n"),
        ("ASYNC WITH a BLOCK_START b BLOCK_END", "async with a:\n    b\n"),
        ("FSTRING_START_1:f' FIELD_START:{ FIELD_VERBATIM:<debug>a=<debug> } FSTRING_END_1:'", "f'{a=}'\n"),
    ],
)
def test_lines(words: str, python: str) -> None:
    assert lay(words) == python


@pytest.mark.parametrize(
    ("words", "python"),
    [
        (f"{ASSIGN} {F} c", "a = b\n\n\ndef f():\n    pass\n\n\nc\n"),
        (f"{F} {F}", "def f():\n    pass\n\n\ndef f():\n    pass\n"),
        (f"CLASS A BLOCK_START {F} {F} BLOCK_END", "class A:\n    def f():\n        pass\n\n    def f():\n        pass\n"),
        (f"CLASS A BLOCK_START {ASSIGN} {F} BLOCK_END b", "class A:\n    a = b\n\n    def f():\n        pass\n\n\nb\n"),
        (f"IF_STMT a BLOCK_START {F} BLOCK_END b", "if a:\n    def f():\n        pass\nb\n"),
        (f"{ASSIGN} LINE_SEP COMMENT:#c COMMENT:#d {F}", "a = b\n\n\n#c\n#d\ndef f():\n    pass\n"),
        (f"COMMENT:#c {F}", "#c\ndef f():\n    pass\n"),
        (f"{ASSIGN} LINE_SEP DECORATOR d LINE_SEP COMMENT:#c DECORATOR e {F}", "a = b\n\n\n@d\n#c\n@e\ndef f():\n    pass\n"),
        (f"{ASSIGN} ASYNC {F}", "a = b\n\n\nasync def f():\n    pass\n"),
        (f"{ASSIGN} ASYNC FOR_STMT a FOR_IN b {PASS}", "a = b\nasync for a in b:\n    pass\n"),
        ("DEF f EMPTY_PARAMETERS BLOCK_START a LINE_SEP COMMENT:#c BLOCK_END b", "def f():\n    a\n    #c\n\n\nb\n"),
    ],
)
def test_blank_lines_round_definitions(words: str, python: str) -> None:
    assert lay(words) == python


@pytest.mark.parametrize(
    ("words", "python"),
    [
        ("IMPORT os IMPORT sys LINE_SEP a", "import os\nimport sys\n\na\n"),
        ("FUTURE_IMPORT a IMPORT os IMPORT numpy FROM_IMPORT IMPORT_PREFIX:. IMPORT_NAMES b", None),
        ("IMPORT os TRAILING_COMMENT:#c IMPORT sys", "import os  #c\nimport sys\n"),
        ("IMPORT os LINE_SEP COMMENT:#c IMPORT sys", "import os\n#c\nimport sys\n"),
        ("IMPORT os LINE_SEP COMMENT:#c IMPORT numpy", "import os\n\n#c\nimport numpy\n"),
        ("IMPORT os LINE_SEP COMMENT:#c a", "import os\n\n#c\na\n"),
        ("IMPORT os LAZY IMPORT sys LAZY IMPORT numpy", "import os\nlazy import sys\n\nlazy import numpy\n"),
        ("TRY BLOCK_START IMPORT os IMPORT numpy BLOCK_END FINALLY BLOCK_START a BLOCK_END", None),
    ],
)
def test_blank_lines_between_imports(words: str, python: str | None) -> None:
    if python is None and words.startswith("TRY"):
        python = "try:\n    import os\n    import numpy\nfinally:\n    a\n"
    elif python is None:
        python = "from __future__ import a\n\nimport os\n\nimport numpy\n\nfrom . import b\n"
    assert lay(words) == python


@pytest.mark.parametrize(
    ("words", "python"),
    [
        ('"doc" IMPORT os', '"doc"\n\nimport os\n'),
        ('COMMENT:#c "doc" CONCAT "more" LINE_SEP a', '#c\n"doc" "more"\n\na\n'),
        ('"doc" TRAILING_COMMENT:#c a', '"doc"  #c\n\na\n'),
        (f'"doc" {F}', '"doc"\n\n\ndef f():\n    pass\n'),
        ('"doc" LINE_SEP "no" LINE_SEP a', '"doc"\n\n"no"\na\n'),
        ('"doc" DOT a LINE_SEP b', '"doc".a\nb\n'),
        ('IF_STMT a BLOCK_START "no" LINE_SEP b BLOCK_END', 'if a:\n    "no"\n    b\n'),
        ("FSTRING_START_1:f' FSTRING_END_1:' LINE_SEP b", "f''\nb\n"),
    ],
)
def test_a_blank_line_after_the_docstring_of_a_module(words: str, python: str) -> None:
    assert lay(words) == python


STUB = "BLOCK_START ELLIPSIS BLOCK_END"


@pytest.mark.parametrize(
    ("words", "python"),
    [
        (f"DEF f EMPTY_PARAMETERS {STUB} {F}", "def f(): ...\n\n\ndef f():\n    pass\n"),
        (f"CLASS A {STUB}", "class A: ...\n"),
        (f"CLASS A BLOCK_START ASYNC DEF f EMPTY_PARAMETERS {STUB} BLOCK_END", "class A:\n    async def f(): ...\n"),
        (f"CLASS A HEADER_COMMENT:#c {STUB}", "class A:  #c\n    ...\n"),
        ("CLASS A BLOCK_START ELLIPSIS TRAILING_COMMENT:#c BLOCK_END", "class A:\n    ...  #c\n"),
        ("CLASS A BLOCK_START ELLIPSIS LINE_SEP a BLOCK_END", "class A:\n    ...\n    a\n"),
        ("CLASS A BLOCK_START ELLIPSIS DOT a BLOCK_END", "class A:\n    ....a\n"),
        (f"IF_STMT a {STUB}", "if a:\n    ...\n"),
        (f"CLASS {'A' * 77} {STUB}", f"class {'A' * 77}: ...\n"),
        (f"CLASS {'A' * 78} {STUB}", f"class {'A' * 78}:\n    ...\n"),
    ],
)
def test_a_body_of_an_ellipsis(words: str, python: str) -> None:
    assert lay(words) == python


CALL = "f ( aaaa ARGUMENT_SEP bbbb ARGUMENT_SEP cccc )"


@pytest.mark.parametrize(
    ("width", "words", "python"),
    [
        (None, CALL, "f(aaaa, bbbb, cccc)\n"),
        (19, CALL, "f(aaaa, bbbb, cccc)\n"),
        (18, CALL, "f(\n    aaaa,\n    bbbb,\n    cccc,\n)\n"),
        (21, f"g ASSIGN {CALL}", "g = f(\n    aaaa, bbbb, cccc\n)\n"),
        # The last bracket breaks first; a colon or an operator after it counts.
        (24, f"WHILE f ( a ARGUMENT_SEP b ) DOT g ( {'c' * 9} ) BLOCK_START d BLOCK_END", f"while f(a, b).g(\n    {'c' * 9}\n):\n    d\n"),
        (20, f"IF_STMT f ( {'a' * 9} ) EQUAL b {PASS}", f"if f(\n    {'a' * 9}\n) == b:\n    pass\n"),
        # Small brackets do not.
        (20, "aaaa ASSIGN f ( bbbb ARGUMENT_SEP cc ) [ 0 ]", "aaaa = f(\n    bbbb, cc\n)[0]\n"),
        (9, "aaaa ASSIGN f ( b ) ", "aaaa = f(b)\n"),
        (9, "aaaa ASSIGN ffff ( )", "aaaa = ffff()\n"),
        # Not without brackets, nor in f-strings.
        (9, "aaaa PLUS bbbb PLUS cccc", "aaaa + bbbb + cccc\n"),
        (9, "FSTRING_START_1:f' FIELD_START:{ ffff ( aaaa ARGUMENT_SEP bbbb ) } FSTRING_END_1:'", "f'{ffff(aaaa, bbbb)}'\n"),
    ],
)
def test_lines_break_in_brackets(width: int | None, words: str, python: str) -> None:
    assert lay(words, width=width) == python


@pytest.mark.parametrize(
    ("words", "commas"),
    [
        ("f ( aaaaaaaaa ARGUMENT_SEP SPLAT bbbbbbbb )", 2),
        ("{ aaaaaaaa PAIR_COLON b PAIR_SEP DOUBLE_SPLAT bbbbb }", 2),
        ("a [ aaaaaaaa SLICE_COLON b INDEX_SEP bbbbbbbb ]", 2),
        ("[ aaaaaaaaa ELEMENT_SEP bbbbbbbb ]", 2),
        ("( aaaaaaaaaaaaaaaaaaaaaaa COMMA )", 1),
        ("a [ aaaaaaaaaaaaaaaaaaaaaaa COMMA ]", 1),
        ("f ( aaaaaaaaa COMPREHENSION_FOR bbb COMPREHENSION_IN ccccc )", 0),
        ("( aaaaaaaaaaa PLUS bbbbbbbbbbb )", 0),
        ("f ( aaaaaaaaaaaaaaaaaaaaaaaaaaa )", 0),
        ("f ( LAMBDA space aaaaaaaaa LAMBDA_SEP bbbbb LAMBDA_COLON c )", 1),
        ("( YIELD space aaaaaaaaa EXPRESSION_SEP bbbbb )", 1),
        ("DEF f PARAMETERS_START aaaaaaaaa PARAMETER_SEP DOUBLE_SPLAT bbbbbb PARAMETERS_END BLOCK_START PASS BLOCK_END", 2),
    ],
)
def test_a_comma_follows_the_last_element_where_it_changes_nothing(words: str, commas: int) -> None:
    python = lay(words, width=18)
    assert len(python.splitlines()) > 2
    assert python.count(",") == commas
    assert ast.dump(ast.parse(python)) == ast.dump(ast.parse(lay(words, width=None)))


def test_operators_break_by_rank() -> None:
    words = "f ( aaaa TIMES bbbb PLUS cccc AND dddd IF eeee ELSE ffff )"
    assert lay(words, width=40) == "f(\n    aaaa * bbbb + cccc and dddd\n    if eeee\n    else ffff\n)\n"
    assert lay(words, width=22) == "f(\n    aaaa * bbbb + cccc\n    and dddd\n    if eeee\n    else ffff\n)\n"
    assert lay(words, width=18) == "f(\n    aaaa * bbbb\n    + cccc\n    and dddd\n    if eeee\n    else ffff\n)\n"


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("after", ["", " PLUS x", " CONCAT 'e|f' CONCAT 'g'", " ARGUMENT_SEP 'h' CONCAT 'i'"])
def test_strings_of_a_broken_chain_have_lines_of_their_own(after: str, size: int) -> None:
    words = f"f ( a ARGUMENT_SEP 'aaaaaaaaaaaaaaaaaaaa' CONCAT 'b' CONCAT 'cc' CONCAT 'd'{after} )"
    text = lay(words, width=24)
    assert text.startswith("f(\n    a,\n    'aaaaaaaaaaaaaaaaaaaa'\n    'b'\n    'cc'\n    'd'")
    assert "".join(pieces(lexemes(words), size, width=24)) == text


def test_comprehensions_break_before_their_clauses() -> None:
    words = "[ aaaaaa COMPREHENSION_ASYNC COMPREHENSION_FOR a TARGET_SEP b COMPREHENSION_IN c COMPREHENSION_IF dddd ]"
    assert lay(words, width=24) == "[\n    aaaaaa\n    async for a, b in c\n    if dddd\n]\n"


def test_parameters_break_before_what_they_return() -> None:
    words = "DEF f PARAMETERS_START aaaaaa PARAMETER_SEP bbbb PARAMETERS_END RETURN_ARROW dict [ cc INDEX_SEP dddddd ] " + PASS
    assert lay(words, width=30) == "def f(\n    aaaaaa, bbbb\n) -> dict[cc, dddddd]:\n    pass\n"


def test_imports_get_parentheses_where_they_break() -> None:
    words = "FROM_IMPORT aaaa IMPORT_NAMES bbbb IMPORT_SEP cccc AS dddd"
    assert lay(words, width=31) == "from aaaa import (\n    bbbb,\n    cccc as dddd,\n)\n"
    assert lay(words, width=37) == "from aaaa import bbbb, cccc as dddd\n"
    assert lay("FROM_IMPORT aaaa IMPORT_NAMES *", width=9) == "from aaaa import *\n"
    assert lay("FUTURE_IMPORT annotations", width=30) == "from __future__ import (\n    annotations,\n)\n"


@pytest.mark.parametrize("width", [88, None])
@pytest.mark.parametrize(
    ("words", "python"),
    [
        ("f ( a ARGUMENT_SEP INNER_COMMENT:#c b )", "f(\n    a,  #c\n    b,\n)\n"),
        ("f ( a ARGUMENT_SEP INNER_COMMENT:|#c b )", "f(\n    a,\n    #c\n    b,\n)\n"),
        ("f ( a ARGUMENT_SEP b INNER_COMMENT:#c )", "f(\n    a,\n    b,  #c\n)\n"),
        ("f ( a INNER_COMMENT:#c ARGUMENT_SEP b )", "f(\n    a  #c\n    ,\n    b,\n)\n"),
        ("f ( INNER_COMMENT:#c a ARGUMENT_SEP b )", "f(  #c\n    a, b\n)\n"),
        ("f ( a PLUS INNER_COMMENT:#c b )", "f(\n    a\n    +  #c\n    b\n)\n"),
        ("f ( a INNER_COMMENT:#c PLUS b )", "f(\n    a  #c\n    + b\n)\n"),
        (
            "f ( g ( a ) ARGUMENT_SEP h ( INNER_COMMENT:#c a ) )",
            "f(\n    g(a),\n    h(  #c\n        a\n    ),\n)\n",
        ),
        ("f ( INNER_COMMENT:#c INNER_COMMENT:|#d a )", "f(  #c\n    #d\n    a\n)\n"),
        ("FSTRING_START_1:f' FIELD_START:{ a INNER_COMMENT:#c } FSTRING_END_1:'", "f'{a  #c\n    }'\n"),
        ("f ( INNER_COMMENT:#c )", "f(  #c\n)\n"),
        ("FROM_IMPORT a IMPORT_NAMES ( b IMPORT_SEP INNER_COMMENT:#c d )", "from a import (\n    b,  #c\n    d,\n)\n"),
    ],
)
def test_comments_inside_brackets(words: str, python: str, width: int | None) -> None:
    assert lay(words, width=width) == python
    assert "".join(pieces(lexemes(words), 1, width=width)) == python


@pytest.mark.parametrize(
    ("words", "python"),
    [
        ('f ( """a|b""" )', 'f("""a\nb""")\n'),
        ('f ( """a|b""" ARGUMENT_SEP c )', 'f("""a\nb""", c)\n'),
        ('f ( a ARGUMENT_SEP """b|c""" )', 'f(\n    a,\n    """b\nc""",\n)\n'),
        ('aaaaaaaaaaa ASSIGN f ( """b|c""" )', 'aaaaaaaaaaa = f(\n    """b\nc"""\n)\n'),
        ('a ASSIGN """b|c""" DOT f ( aaaa ARGUMENT_SEP bbbb )', 'a = """b\nc""".f(aaaa, bbbb)\n'),
    ],
)
def test_strings_that_span_lines(words: str, python: str) -> None:
    assert lay(words, width=18) == python


def test_indents() -> None:
    words = f"IF_STMT a BLOCK_START {CALL} BLOCK_END {F}"
    assert (
        lay(words, width=18, indent="\t", base="  ")
        == "if a:\n  \tf(\n  \t\taaaa,\n  \t\tbbbb,\n  \t\tcccc,\n  \t)\n\n\n  def f():\n  \tpass\n"
    )


def test_blocks_nest_as_deep_as_python_reads() -> None:
    layout = Layout()
    deep = lexemes("IF_STMT a BLOCK_START " * (DEEPEST + 1) + "PASS")
    with pytest.raises(TooDeepError) as caught:
        layout.write([ID[name] for name, _ in deep], [text for _, text in deep])
    assert caught.value.index == len(deep) - 2
    python = lay("CLASS a BLOCK_START " * DEEPEST + "b " + "BLOCK_END " * DEEPEST)
    assert python.endswith("    " * DEEPEST + "b\n")


@pytest.mark.parametrize(
    ("words", "python"),
    [
        ("", ""),
        ("a", "a"),
        ("a LINE_SEP", "a\n"),
        ("IF_STMT a BLOCK_START", "if a:\n"),
        ("CLASS a BLOCK_START ELLIPSIS", "class a:\n    ..."),
        ("a LINE_SEP COMMENT:#c", "a\n#c\n"),
        ("f ( a ARGUMENT_SEP", "f(a,"),
        ("f ( a ARGUMENT_SEP INNER_COMMENT:#c", "f(\n    a,  #c\n"),
        ("a ASSIGN", "a ="),
        ("ASYNC", "async"),
    ],
)
def test_breaking_off(words: str, python: str) -> None:
    layout = Layout()
    stream = lexemes(words)
    layout.write([ID[name] for name, _ in stream], [text for _, text in stream])
    assert layout.break_off() == python


PROGRAM = lexemes(
    f"""COMMENT:#top "doc" IMPORT os IMPORT numpy LINE_SEP COMMENT:#c FROM_IMPORT IMPORT_PREFIX:. IMPORT_NAMES a IMPORT_SEP b
    LINE_SEP {CALL} LINE_SEP COMMENT:#f DECORATOR d ( a ARGUMENT_SEP [ b ELEMENT_SEP c INNER_COMMENT:#i ] ) {F} CLASS A {STUB}
    ASYNC FOR_STMT a FOR_IN b BLOCK_START
        x ASSIGN {{ 'k' PAIR_COLON f ( 'aaaaaaaa' CONCAT 'bbbbbbb' ARGUMENT_SEP 1 PLUS 6 TIMES 7 ) PAIR_SEP DOUBLE_SPLAT y }}
        RETURN space [ a COMPREHENSION_FOR b COMPREHENSION_IN c COMPREHENSION_IF d ] TRAILING_COMMENT:#r
        f ( a ARGUMENT_SEP '''b|c''' )
    BLOCK_END"""
)


@pytest.mark.parametrize("width", [None, 88, 40, 20, 1])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pieces_join_to_the_text(width: int | None, size: int) -> None:
    assert "".join(pieces(PROGRAM, size, width=width)) == lay(PROGRAM, width=width)


@pytest.mark.parametrize("width", [88, 40, 20, 1])
def test_a_width_changes_neither_the_program_nor_the_order_of_comments(width: int) -> None:
    wide, narrow = lay(PROGRAM, width=None), lay(PROGRAM, width=width)
    assert ast.dump(ast.parse(narrow)) == ast.dump(ast.parse(wide))
    assert not any(line.endswith(" ") for line in narrow.splitlines())
    assert [word for word in narrow.split() if word[0] == "#"] == [word for word in wide.split() if word[0] == "#"]


def test_what_is_settled_can_be_taken() -> None:
    words = lexemes("aaaa ASSIGN f ( bbbb ARGUMENT_SEP cccc )")
    assert pieces(words, 1, width=88) == ["aaaa", " =", " f", "", "", "(", "", "", "bbbb, cccc)\n"]


def random_expression(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(
            ["a", "bbbbbbbb", "12345", "'text'", "'''x|y'''", "TRUE", "FSTRING_START_1:f' FIELD_START:{ f ( a ) } FSTRING_END_1:'"]
        )
    parts = [random_expression(rng, depth - 1) for _ in range(rng.randrange(1, 5))]
    comment = rng.choice(["", "", "", "", "INNER_COMMENT:#c ", "INNER_COMMENT:|#c "])
    return rng.choice(
        [
            f"f ( {comment}{' ARGUMENT_SEP '.join(parts)} )",
            f"[ {f' ELEMENT_SEP {comment}'.join(parts)} {comment}]",
            f"{{ {' PAIR_SEP '.join(f'a PAIR_COLON {part}' for part in parts)} }}",
            f"( NOT {parts[0]} )",
            f"( {' PLUS '.join(parts)} {comment}TIMES a AND b )",
            f"[ {parts[0]} COMPREHENSION_FOR a COMPREHENSION_IN {comment}{parts[-1]} ]",
            f"( {parts[0]} IF b ELSE {parts[-1]} )",
        ]
    )


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions(seed: int) -> None:
    rng = random.Random(seed)
    stream = lexemes(f"x ASSIGN {random_expression(rng, 4)} LINE_SEP y ASSIGN 1")
    tree = ast.dump(ast.parse(lay(stream, width=None)))
    for width in (None, 60, 30, 10):
        python = lay(stream, width=width)
        assert ast.dump(ast.parse(python)) == tree
        for size in (1, 2, 5):
            assert "".join(pieces(stream, size, width=width)) == python


def test_deep_brackets_stay_short() -> None:
    python = lay("[ " * 3000 + "a " + "] " * 3000)
    assert python.count("[") == 3000
    assert len(python) < 10_000
