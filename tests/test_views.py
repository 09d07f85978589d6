"""Views: what each shows of a program, against trees that ``ast`` alone has worked out; numbers, errors, budgets."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import transpiler
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError
from tests import view_trees
from tests.golden import Case, cases
from tests.helpers import ALL, comments_of, dump
from tests.programs import programs
from transpiler.source import read_source
from transpiler.views import KINDS, View, rendering, strip_numbers, view
from transpiler.views.weights import STATEMENT_WEIGHTS, category, token_categories

DIALECTS = (*ALL, "python")
SHOP = '''\
"""A shop.

It sells.
"""
import os  # for nothing

RATE: float = 0.2
names: list[str]

# how it is sold
# above the class
@final
class Shop(Base):
    """One shop."""

    owner: str
    size: int = 1
    open = True

    # not adjoining

    # adjoining
    @property
    def total(self, tax: float = RATE, *rest: int,  # in percent
              ) -> float:
        "The total.\\n\\nWith tax."
        if tax:
            return self.net * (1 + tax)
        else: return self.net

    @total.setter
    def total(self, value): self.net = value

if os.name == "nt":
    def helper():
        def inner(): x = 1
else:
    helper = None
'''


def python_of(shown: View, dialect: str) -> str:
    """The program of a view as Python."""
    return shown.program if dialect in ("compact", "python") else transpiler.decode(shown.program, dialect=dialect)


def expected(source: str, name: str) -> str:
    """``ast.dump`` of what a view should leave."""
    tree = view_trees.marked(source)
    if name == "no-docstrings":
        tree = view_trees.WithoutDocstrings().visit(tree)
    elif name == "no-annotations":
        tree = view_trees.WithoutAnnotations().visit(tree)
    elif name == "signatures":
        tree.body = view_trees.signatures(tree.body)
    return ast.dump(tree)


def check(source: str, dialect: str) -> None:
    """Show that every view of a program is what ``ast`` makes of it, that budgets hold, and that numbers come off again."""
    for name in ("no-comments", "no-docstrings", "no-annotations", "signatures"):
        shown = view(source, [name], dialect=dialect)
        assert dump(python_of(shown, dialect)) == expected(source, name), name
    plain = view(source, ["no-comments"], dialect=dialect)
    comments = comments_of(source) or []
    assert (comments_of(python_of(plain, dialect)), plain.left_out.get("comments", 0)) == ([], len(comments))
    if dialect != "python":
        assert transpiler.encode(python_of(plain, dialect), dialect=dialect, verify=False) == plain.program, "not canonical"
    outlined = python_of(view(source, ["outline"], dialect=dialect), dialect)
    assert view_trees.outline(ast.parse(outlined).body) == view_trees.outline(ast.parse(source).body)
    whole = view(source, dialect=dialect)
    for budget in {0, 1, 3, 30, len(whole.text) // 2, len(whole.text) - 1, len(whole.text)}:
        shown = view(source, [f"prune={max(budget, 0)}"], dialect=dialect)
        assert shown.fits and len(shown.text) <= max(budget, 0)
        assert dump(python_of(shown, dialect)) is not None
    assert view(source, [f"prune={len(whole.text)}"], dialect=dialect) == whole


@pytest.mark.quick
@pytest.mark.parametrize("dialect", DIALECTS)
def test_views_of_the_shop(dialect: str) -> None:
    check(SHOP, dialect)


@pytest.mark.parametrize("case", [case for case in cases() if dump(case.python) is not None], ids=lambda case: case.path.stem)
def test_views_of_the_golden_cases(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a case may hold what CPython warns of
        for dialect in ("compact", "dense-newline"):
            check(case.python, dialect)


def _library(count: int) -> list[Path]:
    """Some files of the standard library, the same each time."""
    files = sorted(path for path in Path(sysconfig.get_path("stdlib")).glob("*.py") if path.stat().st_size < 15_000)
    return files[:: max(1, len(files) // count)]


@pytest.mark.parametrize("path", _library(6), ids=lambda path: path.name)
def test_views_of_the_library(path: Path) -> None:
    source = read_source(path.read_bytes())
    for dialect in ("compact", "dense"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(source, dialect)
            for budget in (50, 5000):
                compile(python_of(view(source, [f"prune={budget}"], dialect=dialect), dialect), path.name, "exec", dont_inherit=True)


def test_the_cases_of_a_match_that_defines_something_stay_together() -> None:
    check("match c:\n    case 2:\n        def f(): pass\n    case 1:\n        x = 3\n", "python")
    check("def g():\n    match c:\n        case 1:\n            x = 3\nmatch c:\n    case 1:\n        x = 3\n", "classic")


@given(programs(), st.sampled_from(DIALECTS))
def test_views_of_random_programs(source: str, dialect: str) -> None:
    source = read_source(source)
    assume(dump(source) is not None)
    check(source, dialect)


@given(programs(), st.sampled_from(DIALECTS), st.sampled_from(["definitions", "all"]))
def test_numbers_come_off(source: str, dialect: str, numbers: str) -> None:
    assume(dump(read_source(source)) is not None and (numbers == "definitions" or dialect in ("compact", "python")))
    shown = view(source, dialect=dialect, numbers=numbers)
    assert shown.program == view(source, dialect=dialect, numbers=None).text
    assert strip_numbers(shown.text, numbers=numbers, dialect=dialect) == shown.program


@given(programs(), st.integers(1, 40), st.integers(0, 10))
def test_lines_are_whole_statements_that_hold_them(source: str, first: int, more: int) -> None:
    source = read_source(source)
    assume(dump(source) is not None)
    try:
        shown = view(source, [f"lines={first}-{first + more}"], dialect="python")
    except SimPyError:
        return  # nothing in these lines
    wanted = [line for line in range(first, first + more + 1) if line <= source.count("\n") + 1 and source.split("\n")[line - 1].strip()]
    statements = {ast.dump(node) for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.stmt, ast.match_case))}
    assert {ast.dump(node) for node in ast.parse(shown.program).body} <= statements
    for node in ast.parse(source).body:
        if node.lineno in wanted:
            assert shown.lines[0] <= node.lineno <= shown.lines[1]


# ------------------------------------------------------------------------------------------------- what each shows


@pytest.mark.quick
@pytest.mark.parametrize(
    ("source", "views", "text"),
    [
        ("def f(  # a\n): pass\n", ["no-comments"], "def f():pass"),
        ("with (  # a\n  b as c,\n  d): pass\n", ["no-comments"], "with b as c,d:pass"),
        ("from a import (  # b\n  c,\n)\n", ["no-comments"], "from a import c"),
        ("@a  # b\n# c\n@d\n# e\ndef f(): ...\n", ["no-comments"], "@a\n@d\ndef f():..."),
        ("def f():\n  ('a'  # b\n   'c')\n", ["no-docstrings"], "def f():pass"),
        ("def f():\n  b'a'\n", ["no-docstrings"], "def f():b'a'"),
        ("def f():\n  f'a'\n", ["no-docstrings"], "def f():f'a'"),
        ("class A:\n  # x\n  'a'\n", ["no-docstrings"], "class A:\n # x\n pass"),
        ("if a:\n  'b'\n", ["no-docstrings"], "if a:'b'"),
        ("x: int\n", ["no-annotations"], ""),
        ("class A:\n  x: int\n", ["no-annotations"], "class A:pass"),
        ("class A:\n  x: int = 1\n", ["no-annotations"], "class A:x=1"),
        ("x: int = yield\n", ["no-annotations"], "x=yield"),
        ("def f(a: int,  # b\n  c: d[\n  # e\n  1] = 2): ...\n", ["no-annotations"], "def f(a,# b\n c=2):..."),
        ("def f(a: lambda x, y=1: 2, *b: *c, **d: e) -> f: ...\n", ["no-annotations"], "def f(a,*b,**d):..."),
        ("def f(a: int  # b\n): ...\n", ["no-annotations"], "def f(a# b\n ):..."),
        ("def f[T: int](): ...\n", ["no-annotations"], "def f[T:int]():..."),
        ("def f():\n  'a'\n", ["signatures"], "def f():'a'"),
        ("def f():\n  '''\n  a \\\\ b\n  c'''\n  d\n", ["signatures"], "def f():'a \\\\ b';..."),
        ("try: import a\nexcept E:\n  def b(): c\n", ["signatures"], "try:...\nexcept E:\n def b():..."),
        ("if a: b\nclass C(D):\n  @e\n  async def f(self, g): h\n", ["outline"], "class C:\n async def f():..."),
        ("if a:\n  def b(): c\n", ["outline"], "def b():..."),
        ("try: a\nexcept b: c\nfinally: d\n", ["prune=16"], "..."),
        ("# a\nx = 1\n", ["prune=3"], "x=1"),
        ("# a\nx = 1\n", ["prune=2"], ""),
        ("", ["prune=0", "signatures"], ""),
        ("a\nb\n", ["lines=2"], "b"),
        ("if a:\n  b\n  c\n", ["lines=3-3"], "c"),
        ("if a:\n  b\n  c\n", ["lines=1-2"], "if a:b;c"),
        ("if a: b\nelse: c\n", ["lines=2-2"], "if a:b\nelse:c"),
        ("match a:\n  case 1:\n    b\n  case 2: c\n", ["lines=3-4"], "match a:\n case 1:b\n case 2:c"),
        ("match a:\n  case 1:\n    b\n  case 2: c\n", ["lines=3-3"], "b"),
        ("from a import (\n  b,\n)\nc\n", ["lines=3-3"], "from a import b"),
        ("# a\n\n# b\nx = y = 1\nx = 2\n", ["symbol=x"], "# b\nx=y=1\nx=2"),
        ("# a\n\n# b\nx = y = 1\n", ["symbol=y", "no-comments"], "x=y=1"),
        ("def f():\n  def g(): 1\n", ["symbol=f.g"], "def g():1"),
    ],
)
def test_what_a_view_shows(source: str, views: list[str], text: str) -> None:
    assert view(source, views, numbers=None, verify=sys.version_info >= (3, 12)).text == text


def test_a_symbol_with_what_is_above_it() -> None:
    shown = view(SHOP, ["symbol=Shop.total"], dialect="python")
    lines = shown.text.splitlines()
    assert lines[:3] == ["# adjoining", "@property", "24:def total("]
    assert "32:def total(self, value):" in lines and "# not adjoining" not in lines
    assert shown.lines == (22, 32)


def test_what_was_left_out_is_said() -> None:
    shown = view(SHOP, ["no-comments", "no-docstrings", "no-annotations"])
    assert shown.left_out == {"comments": 6, "docstrings": 3, "docstring lines": 3, "annotations": 7, "statements": 2}
    assert shown.summary == "6 comments, 3 docstrings, 3 docstring lines, 7 annotations, 2 statements"
    assert view(SHOP, ["signatures"]).left_out["bodies"] == 4
    assert view("x = 1").summary == ""


def test_the_order_of_views_does_not_matter() -> None:
    names = ["prune=120", "no-comments", "signatures", "symbol=Shop"]
    assert view(SHOP, names) == view(SHOP, names[::-1])


def test_a_counter_of_tokens() -> None:
    words = view(SHOP, ["prune=12"], count=lambda text: len(text.split()))
    assert words.tokens == len(words.text.split()) <= 12
    assert view(SHOP).tokens is None
    assert not view(SHOP, ["prune=9"], count=lambda text: 10 + len(text)).fits


# ------------------------------------------------------------------------------------------------ numbers and errors


@pytest.mark.quick
@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("compact", "x\n@a\n4:async def f():\n5: class A:b"),
        ("python", "x\n\n\n@a\n4:async def f():\n5:    class A:\n        b\n"),
        (
            "classic",
            "x<line_sep>@a\n4:<async_keyword><def_stmt>f<block_start>\n5:<class_stmt>A<block_start>b<block_end><block_end>",
        ),
        ("dense-newline", "x\n@a\n4:<async_keyword><def_stmt>f\n5:<class_stmt>A:\nb"),
    ],
)
def test_numbers_at_definitions(dialect: str, text: str) -> None:
    shown = view("x\n\n@a\nasync def f():\n  class A: b\n", dialect=dialect)
    assert shown.text.replace("<empty_parameters>", "") == text
    assert strip_numbers(shown.text, dialect=dialect) == shown.program


def test_a_whole_gutter() -> None:
    assert view("x = [\n  1,\n\n  '''a\nb''']\n\ny\n", numbers="all").text == "1:x=[1,'''a\n5:b''']\n7:y"


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("12:def f():\n x[\n1:2]", "def f():\n x[\n1:2]"),
        ("3: class A:...", " class A:..."),
        ('1: "a",\n2: "b",', '1: "a",\n2: "b",'),
        ("1:define", "1:define"),
    ],
)
def test_numbers_are_taken_only_from_definitions(text: str, stripped: str) -> None:
    assert strip_numbers(text) == stripped


@pytest.mark.quick
@pytest.mark.parametrize(
    ("views", "options", "message"),
    [
        (["x"], {}, "no view 'x'"),
        (["symbol"], {}, "'symbol' is not a view"),
        (["no-comments=1"], {}, "'no-comments=1' is not a view"),
        (["prune=-1"], {}, "'prune=-1' is not a view"),
        (["lines=0-2"], {}, "lines 0-2 are not a range"),
        (["lines=3-2"], {}, "lines 3-2 are not a range"),
        (["lines=900-901"], {}, "there is no statement in lines 900-901"),
        (["prune=1", "prune=2"], {}, "two views prune"),
        (["symbol=a", "lines=1-2"], {}, "symbol= and lines= exclude each other"),
        (["symbol=Shop.totals"], {}, "nothing is called 'Shop.totals' here"),
        (["symbol=Shop.total.tax"], {}, "nothing is called"),
        ([], {"numbers": "some"}, "no numbers 'some'"),
        ([], {"numbers": "all", "dialect": "dense"}, "dense has no lines to number"),
    ],
)
def test_what_is_refused(views: list[str], options: dict[str, str], message: str) -> None:
    with pytest.raises(SimPyError, match=message) as caught:
        view(SHOP, views, path="shop.py", **options)  # type: ignore[arg-type]  # one dict of several options
    assert caught.value.path == "shop.py"


def test_a_symbol_that_is_not_there_has_candidates() -> None:
    with pytest.raises(SimPyError) as caught:
        view(SHOP, ["symbol=total"])
    assert caught.value.hint == "did you mean Shop.total?"


def test_bad_sources() -> None:
    with pytest.raises(PythonSyntaxError, match="invalid syntax") as caught:
        view("x = = 1\n", ["outline"], path="a.py")
    assert caught.value.location == "a.py:1:5"
    with pytest.raises(SimPyError, match="deep"):
        view("".join(" " * depth + "if a:\n" for depth in range(300)) + " " * 300 + "b\n", ["no-comments"])
    assert view("return 1\n", verify=False).program == "return 1"


def test_a_view_that_breaks_a_program_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty_blocks(body: list[rendering.Statement], _: str, __: object) -> bool:
        for statement in body:
            for block in statement.blocks():
                block.clear()
        return True

    monkeypatch.setitem(KINDS, "no-docstrings", KINDS["no-docstrings"]._replace(apply=empty_blocks))
    for dialect in ("compact", "classic"):
        with pytest.raises(RoundTripError, match="the view"):
            view("if a: b\n", ["no-docstrings"], dialect=dialect)

    def lose(body: list[rendering.Statement], _: str, __: object) -> bool:
        return not body.pop()

    monkeypatch.setitem(KINDS, "no-comments", KINDS["no-comments"]._replace(apply=lose))
    with pytest.raises(RoundTripError, match="another syntax tree"):
        view("a\nb\n", ["no-comments"])


# --------------------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f(): ...", "method"),
        ("async def f(): ...", "method"),
        ("return a", "return"),
        ("if a: ...", "if"),
        ("f(a)", "function"),
        ("a + b", "expression"),
        ("a = f(b)", "variable"),
        ("a: int", "variable"),
        ("a += 1", "variable"),
        ("import a", ""),
        ("raise a", ""),
        ("# a", ""),
        ("with a: ...", ""),
    ],
)
def test_categories_of_statements(source: str, name: str) -> None:
    statement = rendering.read_blocks(rendering._read(source, None))[0]
    assert category(statement.header) == name
    assert not name or name in STATEMENT_WEIGHTS


@pytest.mark.parametrize(
    ("source", "expected_categories"),
    [
        ("def f(a): ...", [1, 1, 8, 1, 8]),
        ("if a: ...", [6, 2]),
        ("a = f(b, 1)", [4, 8, 3, 8, 3, 8, 5, 8]),
        ("a.b", [4, 8, 4]),
    ],
)
def test_categories_of_tokens(source: str, expected_categories: list[int]) -> None:
    statement = rendering.read_blocks(rendering._read(source, None))[0]
    assert token_categories(statement.header.pieces) == expected_categories


def test_what_is_worth_most_is_kept_longest() -> None:
    source = "import a\n# b\ndef f(x):\n    'c'\n    raise d\n    return x\n"
    assert view(source, ["prune=20"], numbers=None).text == "def f(x):return x"
