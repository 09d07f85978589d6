"""Programs that a model has written, merged into a file that holds more than it has seen."""

from __future__ import annotations

import pytest

from simpy_grammar.errors import ConflictError, PythonSyntaxError
from tests.edited_source import SOURCE, same_program
from transpiler import encode, merge, view
from transpiler.edits import three_way


@pytest.mark.parametrize("dialect", ["python", "classic", "dense", "compact"])
def test_a_rewritten_program_is_merged_line_by_line(dialect: str) -> None:
    new = SOURCE.replace("return -a", "return +a").replace("'one'", "'two'").replace("import os ", "import os, sys ")
    rewritten = new if dialect == "python" else encode(new, dialect=dialect)
    assert merge(SOURCE, rewritten, dialect=dialect).text == new
    assert merge(SOURCE, SOURCE if dialect == "python" else encode(SOURCE, dialect=dialect), dialect=dialect).ranges == ()


def test_what_was_not_seen_stays() -> None:
    seen = view(SOURCE, ["no-comments", "no-docstrings"], dialect="compact").program
    rewritten = seen.replace("return -a", "return +a").replace("def n(self)", "def n(self,k)")
    assert rewritten != seen
    assert merge(SOURCE, rewritten, seen=seen, dialect="compact").text == SOURCE.replace("-a", "+a").replace("n(self)", "n(self, k)")


def test_bodies_that_were_not_seen_stay() -> None:
    seen = view(SOURCE, ["signatures"], dialect="python").program
    rewritten = seen.replace("def n(self)", "def n(self, k)")
    assert merge(SOURCE, rewritten, seen=seen).text == SOURCE.replace("n(self)", "n(self, k)")
    body = seen.replace("def n(self): ...", "def n(self): return 1")
    assert body != seen
    with pytest.raises(ConflictError):
        merge(SOURCE, body, seen=seen)


def test_a_function_that_is_only_a_docstring_may_be_filled_or_deleted() -> None:
    source = 'def f():\n    """Doc."""\n\n\nx = 1\n'
    seen = view(source, ["no-docstrings"], dialect="python").program
    filled = merge(source, "def f():\n    return 1\n\n\nx = 1\n", seen=seen).text
    assert filled == 'def f():\n    """Doc."""\n    return 1\n\n\nx = 1\n'
    assert merge(source, "x = 1\n", seen=seen).text == "x = 1\n"
    with pytest.raises(ConflictError, match="docstring"):
        merge(source, "def f():\n    'new'\n    return 1\n\n\nx = 1\n", seen=seen)


def test_a_comment_goes_with_the_statement_below_it() -> None:
    source = "# about a\na = 1\n# about b\nb = 2\n# about c\nc = 3\n"
    found = merge(source, "a = 1\nc = 4\n", seen="a = 1\nb = 2\nc = 3\n")
    assert found.text == "# about a\na = 1\n# about c\nc = 4\n"
    assert found.removed_comments == ("# about b",)


def test_a_source_that_has_changed_since_is_merged_or_a_conflict() -> None:
    seen = "a = 1\nb = 2\nc = 3\n"
    assert merge("a = 1\nb = 2\nc = 30\n", "a = 10\nb = 2\nc = 3\n", seen=seen).text == "a = 10\nb = 2\nc = 30\n"
    with pytest.raises(ConflictError) as caught:
        merge("a = 5\nb = 2\nc = 3\n", "a = 10\nb = 2\nc = 3\n", seen=seen)
    assert caught.value.line == 1


ADDED = {
    "between two": ("a\n# new\nnew\nb\n", "a\nb\n", "a\nother\nb\n", 3),
    "at the end": ("a\nb\nnew\n", "a\nb\n", "a\nb\nother\n", 3),
    "at the start": ("new\na\n", "a\n", "other\na\n", 1),
    "to nothing": ("new\n", "", "other\n", 1),
    "in a function": ("def f():\n    a\n    new\n    b\n", "def f():\n    a\n    b\n", "def f():\n    a\n    other\n    b\n", 3),
    "beside one that is gone": ("a\nnew\nb\n", "a\nb\n", "a\nother(1)\n", 2),
    "beside one that is changed": ("a = 1\nnew\nb\n", "a = 1\nb\n", "a = 2\nother\nb\n", 2),
    "definitions": ("def f(): a\ndef new(): a\n", "def f(): a\n", "def f(): a\ndef other(): b\n", 2),
}


@pytest.mark.parametrize("name", ADDED)
def test_statements_that_both_sides_add_at_one_place_are_a_conflict(name: str) -> None:
    source, seen, rewritten, line = ADDED[name]
    with pytest.raises(ConflictError, match="both sides have added") as caught:
        merge(source, rewritten, seen=seen)
    assert caught.value.line == line
    assert merge(source, seen, seen=seen).ranges == ()
    assert same_program(merge(seen, rewritten, seen=seen).text, rewritten)


def test_statements_that_are_added_at_two_places_are_both_there() -> None:
    assert merge("a\nnew\nb\nc\n", "a\nb\nother\nc\n", seen="a\nb\nc\n").text == "a\nnew\nb\nother\nc\n"
    assert merge("a = 1\nnew\nb\n", "a = 2\nb\n", seen="a = 1\nb\n").text == "a = 2\nnew\nb\n"


def test_definitions_may_be_added_beside_what_a_view_of_signatures_leaves_out() -> None:
    source = "import os\n\nA = 1\n\n\ndef f():\n    a\n\n\nB = 2\n\n\nclass C:\n    x: int\n    y = 1\n\n    def g(self):\n        b\n"
    seen = view(source, ["signatures"], dialect="python").program
    assert "B" not in seen
    rewritten = seen.replace("class C:", "def new(): ...\n\n\nclass C:").replace("    def g", "    def h(self): ...\n\n    def g")
    found = merge(source, rewritten, seen=seen).text
    assert view(found, ["signatures"], dialect="python").program == view(rewritten, ["signatures"], dialect="python").program
    assert "    y = 1\n" in found
    assert merge("import os\n", "def f(): ...\n", seen="").text == "import os\n\n\ndef f(): ...\n"
    seen = view(source, ["no-annotations"], dialect="python").program  # a field without a value was not seen
    assert "    x: int\n" in merge(source, seen.replace("    y = 1", "    z = 0\n    y = 1"), seen=seen).text
    dataclass = "class C:\n    x = 1\n    y = 2\n"
    with pytest.raises(ConflictError, match="both sides have added"):
        merge(dataclass.replace("    y", "    new = 3\n    y"), dataclass.replace("    y", "    other = 3\n    y"), seen=dataclass)


def test_what_others_have_changed_is_not_deleted() -> None:
    seen = "def f():\n    return 1\n\n\nx = 1\n"
    with pytest.raises(ConflictError):
        merge(seen.replace("return 1", "return 2"), "x = 1\n", seen=seen)
    with pytest.raises(ConflictError):
        merge(seen.replace("return 1", "go()\n    return 1"), "x = 1\n", seen=seen)
    assert merge(seen.replace("return 1", '"""Doc."""\n    return 1'), "x = 1\n", seen=seen).text == "x = 1\n"


CONFLICTS = {
    "what was decorated": ("@d\ndef f(): a\n", "def f(): a\n", "class K:\n    def f(): b\n"),
    "a docstring": ("'''d'''\nimport a\n", "import a\n", "'''doc'''\nimport a\n"),
    "an operator": ("x = a + b\n", "x = a\n", "x = 2 * a\n"),
    "a sign": ("b = -2\n", "b = 2\n", "b = 2 ** 3\n"),
    "a condition": ("if a and b:\n    c\n", "if a:\n    c\n", "if not a:\n    c\n"),
    "a call": ("def f(g):\n    return abs(g)\n", "def f(g):\n    return g\n", "def f(g):\n    return 0\n"),
    "a clause": ("if a:\n    c\nelse:\n    d\n", "if a:\n    c\n", "if b:\n    if a:\n        c\n"),
    "a clause of another statement": ("if a:\n    c\nelse:\n    d\n", "if a:\n    c\n", "while a:\n    c\n"),
    "the same definition twice": ("def f():\n    a\n\ndef g():\n    c\n", "def g():\n    c\n", "def f():\n    b\n\ndef g():\n    c\n"),
    "a docstring that was not seen": (
        'def m(p):\n    """Doc."""\n    return p\n',
        "def m(p):\n    return p\n",
        "def m(p):\n    'New.'\n    return p\n",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_what_was_changed_on_both_sides_is_a_conflict(name: str) -> None:
    source, seen, rewritten = CONFLICTS[name]
    with pytest.raises(ConflictError):
        merge(source, rewritten, seen=seen)


def test_what_both_sides_have_written_alike_is_there_once() -> None:
    assert merge("a\nb\n", "a\nb\n", seen="a\n").text == "a\nb\n"


def test_the_first_lines_of_a_file_stay_there() -> None:
    head = "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n"
    assert merge(f"{head}import a\n", "import b\nimport a\n", seen="import a\n").text.startswith(f"{head}import b\n")


def test_a_decorator_of_others_stays_with_its_definition() -> None:
    found = merge("@d\ndef f(x): ...\n", "class Q:\n    pass\n\n\ndef f(x): ...\n", seen="def f(x): ...\n")
    assert found.text == "class Q:\n    pass\n\n\n@d\ndef f(x): ...\n"


def test_statements_keep_what_was_not_seen_of_them_where_they_go() -> None:
    source, seen = "# above\ng(x)  # g\nh(x)  # h\n", "g(x)\nh(x)\n"
    wrapped = "try:\n    g(x)\n    h(x)\nexcept E:\n    pass\n"
    commented = "try:\n    # above\n    g(x)  # g\n    h(x)  # h\nexcept E:\n    pass\n"
    assert merge(source, wrapped, seen=seen).text == commented
    assert merge(commented, seen, seen=wrapped).text == source
    later = "def f():\n    return x  # x\n", "def f():\n    if x:\n        return x\n    return None\n", "def f():\n    return x\n"
    assert merge(*later[:2], seen=later[2]).text == "def f():\n    if x:\n        return x  # x\n    return None\n"
    decorated = merge("@d\ndef f(): a\n", "class K:\n    def f(): a\n", seen="def f(): a\n").text
    assert decorated == "class K:\n    @d\n    def f():\n        a\n"


def test_a_comment_does_not_go_to_a_word_elsewhere() -> None:
    source = "def f():\n    pass  # not yet\n\n\ng()\n"
    found = merge(source, "class E(Exception):\n    pass\n\n\ng()\n", seen=source.replace("  # not yet", ""))
    assert found.text == "class E(Exception):\n    pass\n\n\ng()\n"
    assert found.removed_comments == ("# not yet",)


def test_arms_that_change_places_take_along_what_was_not_seen() -> None:
    source, seen = "if a:\n    x = 1  # one\n    n()\nelse:\n    x = 2\n", "if a:\n    x = 1\nelse:\n    x = 2\n"
    found = merge(source, "if not a:\n    x = 2\nelse:\n    x = 1\n", seen=seen)
    assert found.text == "if not a:\n    x = 2\nelse:\n    x = 1  # one\n    n()\n"


def test_unseen_imports_from_the_future_stay_the_first_statements() -> None:
    source = "# Licence\nfrom __future__ import annotations\nimport a\n"
    found = merge(source, "'''Doc.'''\nimport b\nimport a\n", seen="import a\n")
    assert found.text == "# Licence\n'''Doc.'''\n\nfrom __future__ import annotations\n\nimport b\nimport a\n"


def test_annotations_go_with_their_names() -> None:
    source, seen = "def a(x: int, y: str = 'q'): pass\n", "def a(x, y='q'): pass\n"
    assert "x: int" in merge(source, "def a(*, x, y='q'): pass\n", seen=seen).text
    assert "x: int" in merge(source, "def a(y='q', *, x): pass\n", seen=seen).text
    assert "z: int" in merge(source, "def a(z, y='q'): pass\n", seen=seen).text
    swapped = merge("def f(x: int, y: str): pass\n", "def f(y, x): pass\n", seen="def f(x, y): pass\n")
    assert swapped.text == "def f(y: str, x: int): pass\n"


def test_rewritten_text_that_is_not_a_program() -> None:
    with pytest.raises(PythonSyntaxError):
        merge(SOURCE, "def f(:\n")


def test_definitions_change_places() -> None:
    source = "def f():\n    # of f\n    return 1\n\n\ndef g():\n    # of g\n    return 2\n"
    found = merge(
        source, "def g():\n    return 2\n\n\ndef f():\n    return 1\n", seen="def f():\n    return 1\n\n\ndef g():\n    return 2\n"
    )
    assert found.text == "def g():\n    # of g\n    return 2\n\n\ndef f():\n    # of f\n    return 1\n"


def test_an_if_chain_may_get_a_new_beginning() -> None:
    source = "if a:\n    b()  # one\nelif c:\n    d()  # two\n"
    new = "if x:\n    y()\nelif a:\n    b()  # one\nelif c:\n    d()  # two\n"
    assert merge(source, new).text == new


def test_lines_that_grow_too_long_are_broken() -> None:
    source = "x = 1\nvalue = call(first_argument, second_argument, third_argument, fourth=4)\n"
    found = merge(source, source.replace("fourth=4", "fourth=4, fifth_argument_of_it=55555"))
    assert max(map(len, found.text.splitlines())) <= 88
    assert same_program(found.text, source.replace("fourth=4", "fourth=4, fifth_argument_of_it=55555"))


@pytest.mark.parametrize(
    ("source", "seen", "rewritten", "expected"),
    [
        ("x = -a  # one\nx = -a\n# two\nc = b\n", "x=-a\nx=-a\nc=b\n", "x=-zz\nx=-a\nc=b\n", "x = -zz  # one\nx = -a\n# two\nc = b\n"),
        ("x = (a)\nx = a\n", "x=a\nx=a\n", "x=b\nx=a\n", "x = b\nx = a\n"),
        (
            'def f():\n    """Do."""\n    x = -a  # one\n    x = -a\n',
            "def f():\n    x=-a\n    x=-a\n",
            "def f():\n    x=-zz\n    x=-a\n",
            'def f():\n    """Do."""\n    x = -zz  # one\n    x = -a\n',
        ),
    ],
)
def test_of_equal_statements_one_may_have_a_comment_that_was_not_seen(source: str, seen: str, rewritten: str, expected: str) -> None:
    assert merge(source, rewritten, seen=seen).text == expected


def test_what_was_taken_out_does_not_come_back_where_the_view_is_written_otherwise() -> None:
    source = "if b:\n    x = b\nelse:  # why\n    if a:\n        a = f()\n    else:\n        y = a\n"
    with pytest.raises(ConflictError):
        merge(source, "if b:\n    x = b\nelse:\n    y = a\n", seen="if b:\n    x = b\nelif a:\n    a = f()\nelse:\n    y = a\n")


def test_a_comment_that_a_view_has_moved_stays_where_the_file_has_it() -> None:
    source, seen = "x = (a +  # c\n     b)\n", "x = (a  # c\n     + b)\n"
    assert merge(source, seen.replace("b", "d"), seen=seen).text == source.replace("b", "d")
    with pytest.raises(ConflictError, match="a comment is gone"):
        merge(source, "x = (a\n     + d)\n", seen=seen)


LINES = ("", "pass", "x = (", '"""', "@d", "    y", "else:", "# c", "  # c", "x = 1 \\", "\\", "def g(): pass", ")", "\x0c")


@pytest.mark.parametrize("line", LINES)
def test_reading_only_the_lines_that_differ_gives_what_reading_all_gives(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def result(rewritten: str) -> tuple[object, ...]:
        try:
            return merge(source, rewritten)[:3]
        except PythonSyntaxError as error:
            return error.message, error.line

    source = f"{SOURCE}\n\nq = '''\ndef r(): pass\n'''\ns = 1\n"
    lines = source.split("\n")
    texts = ["\n".join([*lines[:at], line, *lines[at:]]) for at in range(0, len(lines), 7)]
    some = [result(text) for text in texts]
    monkeypatch.setattr(three_way, "with_other_text", lambda ours, wanted: None)
    assert some == [result(text) for text in texts]
