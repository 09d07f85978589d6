"""The lexer of Python, through the reader: lines and indents by CPython's rules, words, brackets, strings with fields, comments."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.errors import PythonSyntaxError
from tests.helpers import assert_round_trip, dump, encoded, pieces_of

pytestmark = pytest.mark.quick
BLOCK = "<if_stmt>a<block_start>b<line_sep>c<block_end>d"

# Layouts of one program: a block of two statements and a statement after it.
LAYOUTS = [
    "if a:\n    b\n    c\nd\n",
    "if a: b; c\nd\n",
    "if a: b; c;\nd;\n",
    "if a:\n\tb\n\tc\nd\n",
    "if a:\n \tb\n \tc\nd\n",
    "if a:\n        b\n        c\nd\n",
    "if a:\n\n    b\n  \n\t\n    c\n\nd\n",
    "if a:\n    b\n    c\n\\\nd\n",
    # a form feed begins the count anew
    "if a:\n  \f    b\n    c\nd\n",
    "if a:\n\f    b\n\f    c\n\fd\n",
    # a line that is only a backslash gives its column
    "if a:\n \\\n b\n c\nd\n",
    "if a:\n        \\\n  b\n        c\nd\n",
    "if a:\n    \\\nb\n    c\nd\n",
    "if a:\n\\\n    b\n    c\nd\n",
    # joined lines
    "if \\\n    a:\n    b\n    c\nd\n",
    "if a\\\n:\n    b; \\\n    c\nd\n",
    "if a:\n    b\n    c\nd",
    "\n\n\\\nif a:\n    b\n    c\nd\n\n\n",
]


@pytest.mark.parametrize("source", LAYOUTS)
def test_lines_and_indents(source: str) -> None:
    assert dump(source) == dump(LAYOUTS[0])
    assert transpiler.encode(source) == BLOCK
    for length in (1, 2, 5):
        assert encoded(pieces_of(source, length)) == BLOCK


@pytest.mark.parametrize(
    "source",
    [
        "if a:\n\tb\n        c\n",  # a tab and blanks that look alike
        "if a:\n        b\n\tc\n",
        "if a:\n  \tb\n\tc\n",
        "if a:\n    b\n  c\n",
        "if a:\n    b\n      c\n",
        "  a\n",
        " \\\n a\n",
        "if a:\nb\n",
        "if a:\n",
        "a\\",
        "a \\ b\n",
        "a; if b: c\n",
        "if a: if b: c\n",
        "a\n\f b\n",
        "if a:\n    b\n  \f  c\n",
    ],
)
def test_lines_and_indents_that_are_refused(source: str) -> None:
    assert dump(source) is None
    for verify in (True, False):
        with pytest.raises(PythonSyntaxError):
            transpiler.encode(source, verify=verify)


# Python -> classic, where a word, a bracket or a sign may be several things.
WORDS = {
    "match a:\n  case b: c\n": "<match_stmt>a<block_start><case_stmt>b<block_start>c<block_end><block_end>",
    "match(a)\n": "match(a)",
    "match(a):\n  case b: c\n": "<match_stmt>(a)<block_start><case_stmt>b<block_start>c<block_end><block_end>",
    "match[a:b]\n": "match[a:b]",
    "match[a, b]:\n  case c: d\n": "<match_stmt>[a b]<block_start><case_stmt>c<block_start>d<block_end><block_end>",
    "match -a\n": "match-a",
    "match -a:\n  case b: c\n": "<match_stmt>-a<block_start><case_stmt>b<block_start>c<block_end><block_end>",
    "match = lambda: a\n": "match=<lambda>:a",
    "match: int\n": "match:int",
    "match.a = {b: c}\n": "match.a={b:c}",
    "match(a, b=lambda: c)\n": "match(a b=<lambda>:c)",
    "match a, b:\n  case c: d\n": "<match_stmt>a b<block_start><case_stmt>c<block_start>d<block_end><block_end>",
    "case = a\n": "case=a",
    "type = a\n": "type=a",
    "type(a)\n": "type(a)",
    "type A = b\n": "<type_stmt>A=b",
    "type type = type\n": "<type_stmt>type=type",
    "lazy = a\n": "lazy=a",
    "lazy\nimport a\n": "lazy<import_stmt>a",
    "lazy import a\n": "<lazy><import_stmt>a",
    "lazy from a import b\n": "<lazy><import_from_stmt>a b",
    "a not in b, a is not b, not a in b\n": "a<notin>b a<isnot>b <not>a<in>b",
    "a not \\\n in b\n": "a<notin>b",
    "with (a, b): c\n": "<with_stmt>a b<block_start>c<block_end>",
    "with (a): b\n": "<with_stmt>(a)<block_start>b<block_end>",
    "with (a), b: c\n": "<with_stmt>(a) b<block_start>c<block_end>",
    "with (a, b) as c: d\n": "<with_stmt>(a b)<as>c<block_start>d<block_end>",
    "with (a as b): c\n": "<with_stmt>a<as>b<block_start>c<block_end>",
    "with (a).b, c: d\n": "<with_stmt>(a).b c<block_start>d<block_end>",
    "from a import (b)\n": "<import_from_stmt>a b",
    "from a import (b, c,)\n": "<import_from_stmt>a b c",
    "from . a import b\n": "<import_from_stmt>.a b",
    "from .. . import a\n": "<import_from_stmt>... a",
    "from __future__ import a\n": "<import_from_future_stmt>a",
    "from __future__ import *\n": "<import_from_future_stmt>*",
    "from __future__.a import b\n": "<import_from_stmt>__future__.a b",
    "x = 1if a else 2\n": "x=1<if>a<else>2",
    "x = 0xfor a\n": "x=0xf<or>a",
    "1 .a, 1..a, 1.0.a\n": "1 .a 1..a 1.0.a",
    "a if b else lambda: c\n": "a<if>b<else><lambda>:c",
    "x = {a: lambda b: c}\n": "x={a:<lambda>b:c}",
    "if a[b:c]: d\n": "<if_stmt>a[b:c]<block_start>d<block_end>",
    "if (lambda: a): b\n": "<if_stmt>(<lambda>:a)<block_start>b<block_end>",
    "for a in b[c:d]: e\n": "<for_stmt>a b[c:d]<block_start>e<block_end>",
    "for a[b in c] in d: e\n": "<for_stmt>a[b<in>c] d<block_start>e<block_end>",
    "def f(a: b = c) -> d[e:f]: g\n": "<def_stmt>f a:b=c<arrow>d[e:f]<block_start>g<block_end>",
    "async def f(): await a\n": "<async_keyword><def_stmt>f<block_start><await>a<block_end>",
    "try: a\nexcept* b: c\n": "<try_stmt><block_start>a<block_end><except_group_stmt>b<block_start>c<block_end>",
    "a, b = c, d\n": "a,b=c d",
    "a, b\n": "a b",
    "a = b, = c\n": "a=b,=c",
}


@pytest.mark.parametrize("source", WORDS)
def test_words_and_brackets(source: str) -> None:
    simpy = WORDS[source]
    found = transpiler.encode(source, verify=False)
    assert found == simpy
    for length in (1, 3):
        assert encoded(pieces_of(source, length)) == found


FIELDS = [
    "f'{a}'",
    "f'a{b!r:>{c}}d'",
    "f'{{}}{a}{{'",
    "f'{a:{b}{c:{d}}}'",
    "f'{ {a: b}[c] }'",
    "f'{a!r}{b:=5}{c:=}'",
    "f'{a=}{b = }{c=!r:>3}'",
    "f'{(lambda: a)}{[b for c in d]}'",
    "f'{a if b else c}{d[e:f]}'",
    "f'''a\n{b}\n'''",
    "f\"{a['b']}\"",
    "rf'\\{a}\\d'",
    "f'\\N{DASH}{a}\\{b}'",
    "f'{a, b}{*c, d}'",
    "f'{a:%H:%M}{b::}'",
    "f'{f'{f'{a}'}'}'",
    "f'{'a'}{\"b\"}'",
    "f'{a # c\n}'",
    "f'''{\na\n}{b:\n}'''",
    "t'{a}b{t'{c}'}'",
    "tr'{a!r}\\d'",
    "f'{a:{b:{c}}}'",
    "f'{a != b}{c == d}{e <= f}{g:=h}'",
    "f'{yield_}{(yield)}'",
]


@pytest.mark.parametrize("literal", FIELDS)
def test_strings_with_fields(literal: str) -> None:
    for source in (f"x = {literal}\n", f"if a:\n  f({literal}, {literal})\n", f"def g():\n    return {literal} {literal}\n"):
        assert_round_trip(source, chunkings=(1, 2, 7))
        python = transpiler.decode(transpiler.encode(source, verify=False))
        assert python.count(literal[:2]) >= source.count(literal[:2])


@pytest.mark.parametrize(
    "literal", ["f'{'", "f'{a'", "f'}'", "f'{}'", "f'{a!}'", "f'{a:{b'", "f'{a", "f'{lambda: a}'", "f'{!r}'", "f'{a b}'"]
)
def test_strings_with_fields_that_are_refused(literal: str) -> None:
    for verify in (True, False):
        with pytest.raises(PythonSyntaxError):
            transpiler.encode(f"x = {literal}\n", verify=verify)


def test_deep_nesting_needs_no_recursion() -> None:
    literal = "a"
    for depth in range(3000):
        literal = f"f'{{{literal}}}'" if depth % 2 else f"({literal})"
    assert transpiler.encode(f"x = {literal}\n", verify=False).count("f'") == 1500


@pytest.mark.parametrize("column", range(7))
def test_a_comment_of_its_own_line_has_a_column(column: int) -> None:
    """The block of ``c`` begins in column 4, that of ``b`` in column 2, the module in column 0."""
    source = f"if a:\n  if b:\n    c\n{' ' * column}# X\nd\n"
    before, after = transpiler.encode(source).split("# X\n")
    assert before.count("<block_end>") == (0 if column >= 4 else 1 if column >= 2 else 2)
    assert after.count("<block_end>") == 2 - before.count("<block_end>")
