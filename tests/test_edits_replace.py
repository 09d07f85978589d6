"""Pieces replaced in a file: the place is found whatever the layout, and nothing else changes."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from simpy_grammar.candidates import Candidate
from simpy_grammar.errors import EditError, PlaceError, PythonSyntaxError, SimPyError
from tests.edited_source import SOURCE, same_program
from tests.random_edits import random_edits
from transpiler import encode, replace
from transpiler.proof import parse_tree, same_tree

ROOT = Path(__file__).resolve().parent.parent

# piece, what comes in its place, the line or lines that are new; all other lines stay.
REPLACED = {
    "expression": ("a + b", "a - b", ["    if (a - b) and c:  # head"]),
    "expression in other layout": ("g( a , b )", "g(a, b, 3)", ["                 b, 3)"]),
    "arguments": ("a, b)\n    elif", "a, z)\n    elif", ["                 z)"]),
    "element": ("1,\n 2", "1, 2, 3", ["            3,"]),
    "header": ("def n(self):", "def n(self, k):", ["    def n(self, k):"]),
    "header without colon": ("elif b", "elif b > 1", ["    elif b > 1: x = 1; y = 2"]),
    "clause": ("except KeyError:\n    pass", "except KeyError:\n    raise", ["            raise"]),
    "new clause": ("finally:\n    done()", "else:\n    go()\nfinally:\n    done()", ["        else:", "            go()"]),
    "decorator": ("@cache", "@cache\n@other", ["@other"]),
    "statement": ("return -a", "return +a", ["    return +a"]),
    "statements": ("x = 1; y = 2", "x = 1\ny = 3", ["    elif b: x = 1; y = 3"]),
    "statement on the line of its header": ("return self.x", "return self.y", ["    def m(self): return self.y"]),
    "across blocks": (
        "            done()\n",
        "            done()\n\n    def o(self):\n        pass\n",
        ["    def o(self):", "        pass"],
    ),
    "a piece that begins in a line": ("and c:  # head\n return g(a, b)", "and c:  # head\n return g(a, b, d)", ["                 b, d)"]),
    "import": ("import os", "import os, sys", ["import os, sys  # for paths"]),
    "docstring": ('"""Doc."""', '"""Docs."""', ['    """Docs."""']),
    "comment": ("# why", "# because", ["    # because"]),
    "new statement at the end of a block": ("return -a", "z = -a\nreturn z", ["    z = -a", "    return z"]),
}


@pytest.mark.parametrize("name", REPLACED)
def test_only_the_lines_of_the_change_are_new(name: str) -> None:
    old, new, lines = REPLACED[name]
    found = replace(SOURCE, old, new)
    assert [line for line in found.text.splitlines() if line not in SOURCE.splitlines()] == lines
    kept = [line for line in SOURCE.splitlines() if line in found.text.splitlines()]
    assert len(kept) >= len(SOURCE.splitlines()) - len(lines)
    ast.parse(found.text)


def test_an_operand_gets_the_parentheses_that_it_needs() -> None:
    assert replace("y = a * 2\n", "a", "b + c").text == "y = (b + c) * 2\n"
    assert replace("y = (a).b\n", "a", "-c").text == "y = (-c).b\n"
    assert replace("f(a)\n", "a", "b + c").text == "f(b + c)\n"


def test_several_elements_in_the_place_of_one() -> None:
    assert replace("f(a, b)\n", "b", "b, c").text == "f(a, b, c)\n"
    assert replace("class A(B): pass\n", "B", "B, C").text == "class A(B, C): pass\n"
    assert replace("x = [\n    'a',\n    'b',\n]\n", "'b'", "'b',\n    'c'").text == "x = [\n    'a',\n    'b',\n    'c',\n]\n"
    assert replace("x = b + 1\n", "b", "b, c").text == "x = (b, c) + 1\n"
    assert replace("f(a, b)\n", "b", "(b, c)").text == "f(a, (b, c))\n"


REFUSED = {
    "a part of a name": ("abc = 1\n", "b", "x"),
    "the beginning of a statement": ("x = a * b\n", "x = a", "x = a + c"),
    "the beginning of a returned value": ("def f():\n    return a + b\n", "    return a\n", "    return 1\n"),
    "the end of an assignment": ("y = f(x)\n", "    f(x)\n", "    z = h(x)\n"),
    "the beginning of an import": ("import a.b\n", "import a", "import c"),
    "the beginning of a condition": ("if a or b:\n    c\n", "if a:", "if d:"),
    "statements for an operand": ("f(x).g()\n", "f(x)\n", "h(x)\ni(x)\n"),
    "a new comment that belongs to nothing": ("def f():\n    x\n", "def f():\n", "def f():\n    # note\n"),
    "a request that CPython does not read": ("f(a, b)\n", "a", "k=a"),
    "what follows would move": (
        "class A:\n    def f(self):\n        x\n    w\n",
        "        x\n",
        "        x\n\ndef g(self):\n    y\n",
    ),
    "no definition in a broken file": ("if a:\n\tb\n        c\n", "b", "d"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(name: str) -> None:
    source, old, new = REFUSED[name]
    with pytest.raises((EditError, PythonSyntaxError)):
        replace(source, old, new)


def test_lines_after_the_first_are_indented_as_in_the_file() -> None:
    source = "class A:\n    def f(self):\n        if a:\n            x\n"
    assert replace(source, "x\n", "x\n        return 1\n").text == f"{source}        return 1\n"


def test_a_header_that_goes_on_is_not_a_line_of_its_own() -> None:
    found = replace("if a: \\\n  x = 1\n", "x = 1", "x = 2\ny = 3").text
    assert same_program(found, "if a:\n    x = 2\n    y = 3\n")


def test_quoted_comments_are_part_of_the_piece() -> None:
    assert replace("# c\nx\n", "# c\nx", "# d\nx").text == "# d\nx\n"
    assert replace("# c\nx\ny\n", "# c\nx\n", "").text == "y\n"
    assert replace("if a:\n    # c\n    x\n", "    # c\n    x", "    x").text == "if a:\n    x\n"


def test_a_call_that_is_broken_before_its_bracket() -> None:
    source = "def f():\n    print(a, b)\n"
    assert replace(source, "print\n   (a, b)", "print\n   (a)").text == "def f():\n    print(a)\n"


def test_pieces_may_end_with_a_comment_of_what_follows() -> None:
    source = "def f(a):\n    # what it does\n    x\n"
    old, new = "def f(a):\n    # what it does\n", "def f(b):\n    # what it does\n"
    assert replace(source, old, new).text == source.replace("(a)", "(b)")


def test_clauses_may_move_to_another_statement() -> None:
    source = "for a in b:\n    if c:\n        d\nelse:\n    e\n"
    assert same_program(
        replace(source, "else:\n    e", "    else:\n        e").text, source.replace("else:\n    e", "    else:\n        e")
    )


def test_pieces_are_indented_by_tabs() -> None:
    source = "class A:\n\tdef f(self):\n\t\tx\n"
    assert replace(source, "\t\tx\n", "\t\tx\n\ty = 1\n").text == f"{source}\n\ty = 1\n"


def test_the_column_of_an_element_says_nothing() -> None:
    assert replace("f(\n    a,\n    b,\n)\n", "    b,\n", "        b,\n        c,\n").text == "f(\n    a,\n    b,\n    c,\n)\n"


def test_a_value_that_is_not_an_element_becomes_a_tuple() -> None:
    assert replace("f(lambda a: b)\n", "b", "b, c").text == "f(lambda a: (b, c))\n"
    assert replace("with a as b: pass\n", "b", "c, d").text == "with a as (c, d): pass\n"
    assert replace("f(k=v)\n", "v", "v, w").text == "f(k=(v, w))\n"


def test_lines_may_move_to_another_block() -> None:
    source = "def f():\n    if a:\n        b\n        d\n    c\n"
    assert replace(source, "        d\n    c", "    d\n    c").text == source.replace("        d", "    d")
    assert replace(source, "    c\n", "        c\n").text == source.replace("    c", "        c")
    with pytest.raises(EditError, match="another column"):
        replace(source, "  d\n", "    d\n")


def test_statements_on_one_line_are_changed_with_it() -> None:
    assert replace("x = 1; y = 2\n", "y = 2", "y = 3").text == "x = 1; y = 3\n"
    assert replace("if a: x = 1; y = 2\n", "y = 2", "y = 3\nz = 4").text == "if a:\n    x = 1\n    y = 3\n    z = 4\n"


def test_new_code_has_the_habits_of_the_file() -> None:
    tabs = "def f():\n\tx = 'a'\n\ty = ['b', 'c']\n\tz = 'd'\n\treturn x\n"
    assert replace(tabs, "return x", 'if x:\n    return "e"\nreturn x').text.endswith("\tif x:\n\t\treturn 'e'\n\treturn x\n")


def test_deleted_statements_leave_the_others_as_they_are() -> None:
    assert replace("a = 1\n\n# about b\nb = 2\nc = 3\n", "b = 2\n", "").text == "a = 1\n\n# about b\nc = 3\n"
    assert replace("if a:\n    b\n    c\n", "    c\n", "").text == "if a:\n    b\n"


def test_what_a_piece_stands_for_is_found_by_depth() -> None:
    source = "for a in b:\n    if a:\n        c()\n    else:\n        d()\nelse:\n    d()\n"
    assert replace(source, "    else:\n        d()\n", "    else:\n        e()\n").text == source.replace("        d()", "        e()")
    with pytest.raises(PlaceError) as caught:
        replace(source, "d()", "e()")
    assert caught.value.candidates == (Candidate.at(5), Candidate.at(7))
    assert replace(source, "d()", "e()", near=7).text == "for a in b:\n    if a:\n        c()\n    else:\n        d()\nelse:\n    e()\n"


def test_a_quote_from_compact_is_indented_by_levels_or_as_the_file() -> None:
    source = "if a:\n  x\nclass B:\n  def f():\n    x\n    while c:\n      x\n"

    def line(old: str, view: str | None) -> int:
        return replace(source, old, old.replace("x", "y"), view=view).ranges[0].line

    assert [line(f"{' ' * column}x", "compact") for column in (1, 3, 4, 6)] == [2, 7, 5, 7]
    assert [line(f"{' ' * column}x", None) for column in (2, 4, 6)] == [2, 5, 7]
    with pytest.raises(PlaceError) as caught:
        line("  x", "compact")  # two levels, or one of the file
    assert caught.value.candidates == (Candidate.at(2), Candidate.at(5, "B.f"))


def test_parentheses_of_a_quote_from_compact_tell_nothing_but_comments_do() -> None:
    source = "x = (a + b) * c\nx = ((a + b) * c)\nx = (a + b) * c  # why\n"
    assert replace(source, "x = ((a + b) * c)", "x = 1").ranges[0].line == 2
    assert replace(source, "x=(a+b)*c# why", "x=1# why", view="compact").ranges[0].line == 3
    with pytest.raises(PlaceError, match="stands at 3 places"):
        replace(source, "x=(a+b)*c", "x=1", view="compact")


def test_a_definition_can_be_named() -> None:
    source = "class C:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 1\n"
    with pytest.raises(PlaceError, match=r"line 3 in C\.f, line 6 in C\.g"):
        replace(source, "return 1", "return 2")
    assert replace(source, "return 1", "return 2", within="C.g").text == source[: -len("1\n")] + "2\n"
    with pytest.raises(PlaceError, match="does not stand in C.h"):
        replace(source, "return 1", "return 2", within="C.h")


@pytest.mark.parametrize("dialect", ["classic", "dense", "dense-newline"])
def test_a_piece_is_quoted_from_simpy(dialect: str) -> None:
    simpy = encode(SOURCE, dialect=dialect)
    old, new = "return>-a", "return>+a"
    assert simpy.count(f"<{old}") == 1
    assert replace(SOURCE, f"<{old}", f"<{new}", view=dialect).text == SOURCE.replace("return -a", "return +a")
    with pytest.raises(PlaceError) as caught:
        replace(SOURCE, "self", "this", view=dialect)
    assert caught.value.candidates[:2] == (Candidate.at(23, "C.m"), Candidate.at(23, "C.m"))
    assert Candidate.at(25, "C.n") in caught.value.candidates
    assert replace(SOURCE, "self", "this", view=dialect, within="C.n").text == SOURCE.replace("n(self)", "n(this)")
    with pytest.raises(PlaceError, match=f"as {dialect} spells it"):
        replace(SOURCE, "elf", "this", view=dialect)


def test_everywhere_replaces_each_place() -> None:
    found = replace("x = x + 1; y = x\n", "x", "zz", everywhere=True)
    assert found.text == "zz = zz + 1; y = zz\n"
    assert [changed[:2] for changed in found.ranges] == [(0, 1), (4, 5), (15, 16)]


def test_everywhere_in_rows_that_are_printed_anew() -> None:
    assert same_program(replace("if a: x\nelse: x\n", "x", "y", everywhere=True).text, "if a: y\nelse: y\n")
    assert same_program(replace("if a: x; x\n", "x", "y\nz", everywhere=True).text, "if a: y; z; y; z\n")
    assert same_program(replace("x = 1\nx = 1\nx = 1\n", "x = 1\nx = 1", "y", everywhere=True).text, "y\nx = 1\n")


def test_the_line_that_is_named_goes_before_the_indent() -> None:
    source = "if a:\n    x\nif b:\n        x\n"
    assert replace(source, "    x", "    y", near=4).text == "if a:\n    x\nif b:\n        y\n"


def test_what_a_quotation_lacks_does_not_choose() -> None:
    """A view leaves out comments and parentheses, so a piece without them may stand where they are."""
    source = "def a():\n    y = 1  # c\n    return y\ndef f():\n    y = 1\n    return y\n"
    with pytest.raises(PlaceError) as caught:
        replace(source, "y = 1\nreturn y\n", "y = 2\nreturn y\n")
    assert len(caught.value.candidates) == 2
    quoted = replace(source, "y = 1  # c\nreturn y\n", "y = 2  # c\nreturn y\n")
    assert quoted.text == source.replace("y = 1  # c", "y = 2  # c")


def test_a_tuple_is_not_two_arguments() -> None:
    with pytest.raises(PlaceError):
        replace("f((a, b))\n", "f(a, b)", "f(c, d)")


def test_lines_of_a_docstring_are_found_as_they_stand() -> None:
    source = 'def f():\n    """One.\n\n    Don\'t do it.\n    Two.\n    """\n    return 1\n'
    found = replace(source, "    Don't do it.\n    Two.\n", "    Don't.\n    Three.\n")
    assert found.text == source.replace("Don't do it.", "Don't.").replace("Two", "Three")
    with pytest.raises(PlaceError):
        replace(source, "  Don't do  it.\n", "")
    with pytest.raises(EditError, match="would not be Python"):
        replace(source, "    Don't do it.\n", '    """ Don\'t\n')


def test_a_part_of_an_operand_is_refused() -> None:
    with pytest.raises(PlaceError, match="not an operand"):
        replace("x = a * b + c\n", "b + c", "d")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "x", "empty"),
        ("x = = 1", "x", "does not stand"),
        ("nothing_of_it", "x", "does not stand"),
        ("'open", "x", "not Python"),
        ("return -a", "return (", "would not be Python|not Python"),
        ("if (a + b) and c:", "", "would not be Python|block"),
    ],
)
def test_bad_edits_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        replace(SOURCE, old, new)


def test_a_piece_that_stands_only_inside_of_something_longer_is_explained() -> None:
    with pytest.raises(PlaceError, match="does not stand in the file: raise Error") as caught:
        replace("def f(a):\n    raise Error(a)\n\n\ndef g(a):\n    raise Error(-a)\n", "raise Error", "raise Fault")
    assert caught.value.hint == "it is only a part of something longer at line 2, line 6: quote a whole expression or whole statements"
    with pytest.raises(PlaceError) as caught:
        replace("x = 1\n", "y = 1", "z = 1")
    assert caught.value.hint == "quote it as the file has it; its layout does not matter"


def test_a_file_that_is_broken_elsewhere_can_be_edited() -> None:
    source = "def f(:\n    pass\n\n\ndef g(a):\n    return a\n"
    found = replace(source, "return a", "return -a")
    assert found.text == source.replace("return a", "return -a")
    assert found.proved == (6, 7)
    with pytest.raises(SimPyError):
        replace(source, "def f(:", "def f(a):")


BYTES = {
    "byte order mark": b"\xef\xbb\xbfx = 1\ny = 2\n",
    "carriage returns and line feeds": b"x = 1\r\ny = 2\r\n",
    "carriage returns": b"x = 1\ry = 2\r",
    "PEP 263": "# -*- coding: latin-1 -*-\nx = 1  # é\ny = 2\n".encode("latin-1"),
    "no newline at the end": b"x = 1\ny = 2",
    "newlines of two kinds": b"x = 1\r\ny = 2\nz = 3\r\n",
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_outside_stay(name: str) -> None:
    data = BYTES[name]
    found = replace(data, "y = 2", "y = 3")
    assert found.data == data.replace(b"y = 2", b"y = 3")
    (changed,) = found.ranges
    assert data[: changed.start] + changed.new.encode() + data[changed.end :] == found.data
    added = replace(data, "x = 1", "w = 4\nx = 1").data
    newline = b"\r\n" if b"\r\n" in data else b"\r" if b"\r" in data else b"\n"
    assert added == data.replace(b"x = 1", b"w = 4" + newline + b"x = 1")


def test_a_form_feed_stays() -> None:
    assert replace(b"z = 0\n\x0c\nx = 1\ny = 2\n", "y = 2", "y = 3").data == b"z = 0\n\x0c\nx = 1\ny = 3\n"


def test_a_character_that_the_file_cannot_hold() -> None:
    with pytest.raises(EditError, match="iso8859-1"):
        replace("# coding: latin-1\nx = 'a'\n".encode("latin-1"), "'a'", "'\N{SNOWMAN}'")


def test_the_diff_shows_the_edit() -> None:
    assert replace("x = 1\ny = 2\n", "y = 2", "y = 3").diff("a.py") == "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 2\n+y = 3\n"
    assert replace("x = 1\n", "x = 1", "x = 1").diff() == ""


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_are_the_trees_that_were_asked_for(seed: int) -> None:
    rng = random.Random(seed)
    names = ("transpiler/pep8.py", "simpy_cli/files.py", "tests/random_edits.py", "simpy_grammar/reader.py")
    source = (ROOT / names[seed]).read_text()
    done = refused = 0
    for wanted in random_edits(source, rng, 40):
        try:
            found = replace(source, wanted.old, wanted.new)
        except PlaceError as error:
            assert error.candidates or not wanted.unique, wanted
            refused += 1
            continue
        done += 1
        tree = parse_tree(found.text)
        assert tree is not None
        assert same_tree(tree, wanted.tree), wanted
    assert done > refused


def test_a_new_piece_may_go_back_by_several_levels() -> None:
    """The columns of the file say how many blocks end, not the number of lines that go back."""
    source = "class C:\n    def f(self):\n        if self:\n            return 1\n\n\nx = 1\n"
    new = "            return 1\n\n\nclass D:\n    pass\n"
    assert replace(source, "            return 1\n", new).text == source.replace("            return 1\n", new)
    deep = "            return 2\n\n    def g(self):\n        return 3\n"
    assert replace(source, "            return 1\n", deep).text == source.replace("            return 1\n", deep)
    with pytest.raises(EditError, match="which blocks end"):
        replace(source, "  return 1\n", "  return 1\ny = 2\n")


def test_a_piece_may_end_blocks_that_it_has_not_opened() -> None:
    source = "class C:\n    def f(self):\n        if self:\n            a()\n\n\ndef g():\n    b()\n"
    old, new = "            a()\n\n\ndef g():\n", "            a()\n\n\ndef h():\n"
    assert replace(source, old, new).text == source.replace("g()", "h()")
    assert replace(source, "            a()\n\n\ndef g():\n", "            c()\n\n    def h(self):\n        pass\n\n\ndef g():\n").text == (
        "class C:\n    def f(self):\n        if self:\n            c()\n\n    def h(self):\n        pass\n\n\ndef g():\n    b()\n"
    )


def test_a_with_whose_parentheses_hold_a_comment() -> None:
    source = "with (\n    a(b),\n    # why\n    c() as d,\n):\n    e()\n"
    assert replace(source, "c() as d", "c() as z").text == source.replace("as d", "as z")
    assert replace(source, "with a(b), c() as d:", "with a(b), c() as z:").text == "# why\nwith a(b), c() as z:\n    e()\n"


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\n"])
def test_a_piece_may_have_other_line_breaks_than_the_file(line_break: str) -> None:
    old, new = (f"if a:{line_break}    {call}{line_break}" for call in ("f()", "g()"))
    assert replace("if a:\n    f()\n", old, new).text == "if a:\n    g()\n"
    assert replace("if a:\r\n    f()\r\n", old, new).text == "if a:\r\n    g()\r\n"


def test_case_may_be_a_name() -> None:
    assert (
        replace("try:\n    pass\nexcept (y is (case)):\n    pass\n", "case", "d").text == "try:\n    pass\nexcept (y is (d)):\n    pass\n"
    )
    assert replace("match x:\n    case 1:\n        pass\n", "case 1:", "case 2:").text == "match x:\n    case 2:\n        pass\n"


def test_a_comma_at_the_end_of_a_comment_is_part_of_it() -> None:
    source = "def f():\n    a = 1\n    # one,\n    b = 2\n"
    old, new = "    a = 1\n    # one,\n", "    a = 2\n    # one,\n"
    assert replace(source, old, new).text == source.replace("a = 1", "a = 2")


@pytest.mark.parametrize("indent", ["    ", "        ", ""])
def test_comments_in_the_middle_of_others_stay_there(indent: str) -> None:
    source = f"def f():\n    x()\n{indent}# one\n{indent}# two\n{indent}# three\n{indent}# four\n    y()\n"
    old = f"{indent}# two\n{indent}# three\n{indent}# four\n"
    found = replace(source, old, old.replace("three", "3")).text
    assert [line.strip() for line in found.splitlines()[2:6]] == ["# one", "# two", "# 3", "# four"]
    assert found.count("\n") == source.count("\n")


def test_a_backslash_at_the_end_of_a_comment_joins_no_lines() -> None:
    source = "f(a)  # \\\n# b\nc\n"
    assert replace(source, "f(a)", "if d:\n    f(a)").text == "if d:\n    f(a)  # \\\n# b\nc\n"


@pytest.mark.parametrize(
    ("source", "old", "new", "expected"),
    [
        ("f(a, b,\n  -c)\n", "a,\n b,", "a, b2", "f(a, b2,\n  -c)\n"),
        ("x = {**a, **b, **c}\n", "**a,\n    **b,", "**a, **b2", "x = {**a, **b2, **c}\n"),
        ("f(a, b)\n", "a,\n  b,", "c", "f(c)\n"),
    ],
)
def test_the_comma_before_another_element_stays(source: str, old: str, new: str, expected: str) -> None:
    assert replace(source, old, new).text == expected


def test_a_line_that_a_backslash_joins_has_no_indent() -> None:
    source = "class A:\n\tcase -=\\\n  1\ntry: x\nfinally: y\n"
    assert same_program(
        replace(source, "case -=\\\n  1", "z = 8\ncase -=\\\n  1").text, "class A:\n\tz = 8\n\tcase -= 1\ntry: x\nfinally: y\n"
    )
