"""Patches applied to files: each form gives the new program, and what does not change keeps every byte; what cannot be told is refused."""

from __future__ import annotations

import ast

import pytest

from simpy_grammar.candidates import Candidate
from simpy_grammar.errors import ConflictError, EditError, PlaceError, PythonSyntaxError, RoundTripError, SimPyError
from tests.patch_writers import WRITERS, hunks_of, patches
from transpiler.edits import Edit
from transpiler.patches import Change, FileEdit, Patch, apply_patch, apply_piece, python_text, read_patch
from transpiler.views import view

SHOP = '''# License
"""Doc."""
import os
import re

X = 1


class Shop:
    """Sells."""

    a = 1

    def total(self):
        x = 1
        y = 2  # two
        if x:
            y = 3
        return y

    def clear(self):
        return 1


def total(a):
    b = a
    return b


print(total(1))
'''
PAIRS = {
    "several places": (
        SHOP,
        SHOP.replace("import re\n", "import re\nimport sys\n").replace("y = 2  #", "y = 22  #").replace("b = a\n", "b = a + 1\n"),
    ),
    "a method and a header": (
        SHOP,
        SHOP.replace("def total(a):", "def total(a, c):").replace(
            "        return 1\n", "        return 1\n\n    def h(self, a):\n        return a\n"
        ),
    ),
    "a deletion": (SHOP, SHOP.replace("        if x:\n            y = 3\n", "").replace("X = 1\n", "")),
    "inside brackets": (
        "f(\n    a,  # one\n    b,\n)\nxs = [1,\n      2,\n      3]\n",
        "f(\n    a,  # one\n    c,\n)\nxs = [1,\n      2,\n      30]\n",
    ),
    "tabs": ("if a:\n\tb = 1\n\tc  =  2\nelse:\n\td\n", "if a:\n\tb = 1\n\tc  =  3\nelse:\n\td\n"),
}


def code_lines(data: bytes) -> list[bytes]:
    """The lines of a file but for blank ones: how many of those stand around a new statement, the file decides."""
    return [line for line in data.splitlines(keepends=True) if line.strip()]


def applied(text: str, files: dict[str, bytes], **options: str) -> FileEdit:
    (edit,) = apply_patch(read_patch(text), files, **options)  # type: ignore[arg-type]
    return edit


@pytest.mark.parametrize("style", ["plain", "crlf", "bom"])
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("back", [False, True])
def test_every_form_gives_the_new_program(pair: str, back: bool, style: str) -> None:
    old, new = PAIRS[pair][::-1] if back else PAIRS[pair]

    def styled(text: str) -> bytes:
        return {"plain": text, "crlf": text.replace("\n", "\r\n"), "bom": f"\ufeff{text}"}[style].encode()

    names = set()
    for name, text in (*patches("src/a.py", old, new), ("whole", f"src/a.py\n```python\n{new}```\n")):
        edit = applied(text, {"src/a.py": styled(old)})
        assert edit.error is None, (name, str(edit.error))
        assert edit.new is not None
        assert ast.dump(ast.parse(edit.new)) == ast.dump(ast.parse(styled(new))), name
        assert code_lines(edit.new) == code_lines(styled(new)), name
        names.add(name)
    assert names == {*WRITERS, "whole"}


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_change_does_not_name_keeps_its_bytes(name: str) -> None:
    """The file is laid out by hand; the patch quotes it as a formatter would have it."""
    source = "x   =   {'a':1,'b' : 2}\n\n\n\ndef f( a,b ):   # why\n    return   a+b ;\ny  =  3 ;  z=4\n"
    shown = 'x = {"a": 1, "b": 2}\n\n\ndef f(a, b):  # why\n    return a + b\n\n\ny = 3\nz = 4\n'
    hunks = hunks_of("def f(a, b):  # why\n    return a + b\n", "def f(a, b):  # why\n    return a - b\n")
    assert "def f(a, b):" in shown
    edit = applied(WRITERS[name]("a.py", hunks), {"a.py": source.encode()})
    assert edit.error is None, str(edit.error)
    assert edit.new == source.replace("a+b", "a-b").encode()


def test_line_numbers_choose_among_several_places() -> None:
    source = "def f():\n    x = 1\n    return x\n\n\ndef g():\n    x = 1\n    return x\n"
    diff = "--- a.py\n+++ a.py\n@@ -{},2 +{},3 @@\n     x = 1\n+    y = 2\n     return x\n"
    edit = applied(diff.format(7, 7), {"a.py": source.encode()})
    assert edit.new == b"def f():\n    x = 1\n    return x\n\n\ndef g():\n    x = 1\n    y = 2\n    return x\n"
    both = diff.format(2, 2) + diff.format(7, 7).split("\n", 2)[2]
    edit = applied(both, {"a.py": source.encode()})
    assert edit.new == source.replace("    return", "    y = 2\n    return").encode()  # the first change moved the second
    edit = applied(diff.format(99, 99), {"a.py": source.encode()})
    assert isinstance(edit.error, PlaceError)
    assert edit.error.candidates == (Candidate.at(2, "f"), Candidate.at(7, "g"))
    assert edit.new == source.encode()


@pytest.mark.parametrize(
    ("hint", "line"),
    [
        ("class C:", None),
        ("class A:", 3),
        ("class A:\n@@     def f(self):", 3),
        ("def f(self):", None),
        ("class B:", 6),
        ("def h():", None),
    ],
)
def test_the_line_beside_a_hunk_is_a_second_try(hint: str, line: int | None) -> None:
    lines = ["class A:", "    def f(self):", "        x", "class B:", "    def f(self):", "        x", ""]
    source = "\n".join(lines).encode()
    edit = applied(f"*** Begin Patch\n*** Update File: a.py\n@@ {hint}\n-        x\n+        y\n*** End Patch\n", {"a.py": source})
    if line is None:
        assert isinstance(edit.error, PlaceError)
        assert edit.error.candidates == (Candidate.at(3, "A.f"), Candidate.at(6, "B.f"))
        assert edit.new == source
    else:
        lines[line - 1] = "        y"
        assert edit.new == "\n".join(lines).encode()


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_everywhere(line_break: str) -> None:
    source = "a = f(1)\nb = g(f(1)) + f(1)\n# f(1)\nc = 'f(1)'\nd = f(\n    1)\n".replace("\n", line_break)
    both = Patch((Change("a.py", "update", "f(1)", "h(1)", everywhere=True), Change("a.py", "update", "d = h(1)", "d = 3", line=5)))
    (edit,) = apply_patch(both, {"a.py": source.encode()})
    assert edit.error is None, str(edit.error)
    assert edit.new == "a = h(1)\nb = g(h(1)) + h(1)\n# f(1)\nc = 'f(1)'\nd = 3\n".replace("\n", line_break).encode()
    edit = applied('{"path": "a.py", "old_string": "x", "new_string": "(x, x)", "replace_all": true}', {"a.py": b"x = x + 1\ny = xx\n"})
    assert edit.new == b"(x, x) = (x, x) + 1\ny = xx\n"


def test_comments_that_go_are_named() -> None:
    (edit,) = apply_patch(Patch((Change("a.py", "update", "g(x, y)", "h()"),)), {"a.py": b"g(x,  # one\n  y)\n"})
    assert edit.error is None, str(edit.error)
    assert (edit.new, edit.removed_comments) == (b"h()\n", ("# one",))


def test_all_or_nothing_for_each_file() -> None:
    patch = Patch(
        (
            Change("a.py", "update", "x = 1", "x = 2"),
            Change("b.py", "update", "x = 1", "x = 2"),
            Change("a.py", "update", "nothing", "y"),
        )
    )
    first, second = apply_patch(patch, {"a.py": b"x = 1\n", "b.py": b"x = 1\n"})
    assert (first.new, first.changes) == (b"x = 1\n", False)
    assert str(first.error).startswith("a.py: error: change 2 of 2: the piece does not stand in the file: nothing")
    assert (second.new, second.error) == (b"x = 2\n", None)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (Change("a.py", "update", "x", "y = ("), EditError, ""),
        (Change("a.py", "update", "x = 1", "return 1 +"), EditError, ""),
        (Change("a.py", "update", "x = = 1", "y"), EditError, ""),
        (Change("b.py", "update", "x", "y"), EditError, "there is no such file"),
        (Change(None, "update", "x", "y"), EditError, "the patch does not say which file it changes"),
        (Change("a.py", "create", new="y = 1\n"), EditError, "the file is there already"),
        (Change("b.py", "create", new="y = = 1\n"), PythonSyntaxError, "invalid syntax"),
        (
            Change("b.py", "create", new="# coding: latin-1\nx = '\u20ac'\n"),
            EditError,
            "the file declares iso8859-1, which has no '\u20ac'",
        ),
        (Change("a.py", "delete", old="y = 1\n"), ConflictError, "the file is not the one that the patch deletes"),
        (Change("a.py", "move", moved_to="c.py"), EditError, "c.py is there already"),
        (Change("bad.py", "update", "x = =", "y ="), SimPyError, ""),
    ],
)
def test_what_is_refused(change: Change, error: type[Exception], message: str) -> None:
    files = {"a.py": b"x = 1\n", "c.py": b"", "bad.py": b"x = = 1\n"}
    (edit,) = apply_patch(Patch((change,)), files)
    assert isinstance(edit.error, error), edit.error
    assert message in edit.error.message
    assert edit.new == edit.old == files.get(change.path or "")
    assert not edit.changes and edit.diff() == ""


def test_a_wrong_edit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object, **options: object) -> Edit:
        raise RoundTripError("the edit cannot be proved")

    monkeypatch.setattr(python_text, "replace", wrong)
    (edit,) = apply_patch(Patch((Change("a.py", "update", "x = 1", "x = 2"),)), {"a.py": b"x = 1\n"})
    assert isinstance(edit.error, RoundTripError) and edit.new == b"x = 1\n"


def test_files_come_go_and_move() -> None:
    patch = Patch(
        (
            Change("new.py", "create", new="# coding: latin-1\nx = '\u00e9'\n"),
            Change("new.txt", "create", new="x = = 1\n"),
            Change("old.py", "delete", old="x = 1\n"),
            Change("a.py", "update", "x = 1", "x = 2"),
            Change("a.py", "move", moved_to="sub/a.py"),
            Change("whole.py", "update", new="x = 1\n", rewritten=True),
        )
    )
    edits = apply_patch(patch, {"old.py": b"x = 1\r\n", "a.py": b"x = 1\n"})
    assert [edit.error for edit in edits] == [None] * 5
    assert [edit.new for edit in edits] == [
        "# coding: latin-1\nx = '\u00e9'\n".encode("latin-1"),
        b"x = = 1\n",
        None,
        b"x = 2\n",
        b"x = 1\n",
    ]
    assert edits[3].moved_to == "sub/a.py"
    assert edits[2].diff() == "--- old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = 1\r\n"
    assert edits[3].diff() == "--- a.py\n+++ sub/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


@pytest.mark.parametrize(
    ("data", "old", "new", "result"),
    [
        (b"a b\nc\n", "a b\n", "a  b\n", b"a  b\nc\n"),
        (b"a\r\nb\r\n", "b\n", "c\nd\n", b"a\r\nc\r\nd\r\n"),
        (b"a\nb", "b\n", "c\n", b"a\nc"),
        (b"\xef\xbb\xbfa\n\xff\n", "a\n", "b\n", b"\xef\xbb\xbfb\n\xff\n"),
        (b"a b\n", "a  b\n", "c\n", None),
        (b"a\na\n", "a\n", "b\n", None),
    ],
)
def test_a_file_that_is_not_python(data: bytes, old: str, new: str, result: bytes | None) -> None:
    edit = apply_piece("a.txt", data, old, new)
    assert edit.new == (data if result is None else result)
    assert (edit.error is None) == (result is not None)


def test_exact_text_at_a_line_and_everywhere() -> None:
    assert apply_piece("a.txt", b"a\nb\na\n", "a", "c", near=3).new == b"a\nb\nc\n"
    edit = apply_piece("a.txt", b"a\nb\na\n", "a", "c", near=2)
    assert str(edit.error) == "a.txt: error: the text stands at 2 places: line 1, line 3\nhint: quote more of what stands around it"
    (all_of_them,) = apply_patch(Patch((Change("a.txt", "update", "a", "aa", everywhere=True),)), {"a.txt": b"a\nb\na\n"})
    assert all_of_them.new == b"aa\nb\naa\n"


# ---------------------------------------------------------------------------------------------- code with parts left out

ELISIONS = {
    "a class, a method, an end": (
        "class Shop:\n    # ... existing code ...\n    def total(self):\n        x = 10\n        # ... existing code ...\n"
        "        return y + 1\n    # ... rest of the class\n",
        [("x = 1\n        y", "x = 10\n        y"), ("return y\n", "return y + 1\n")],
    ),
    "a new import and a new header": (
        "import os\nimport sys\n# ... existing code ...\ndef total(a, c):\n    # ... existing code ...\n"
        "    return b + 1\n# ... rest of file\n",
        [("import os\n", "import os\nimport sys\n"), ("def total(a)", "def total(a, c)"), ("return b\n", "return b + 1\n")],
    ),
    "a method alone": (
        "    def clear(self):\n        print(1)\n        # ... existing code ...\n",
        [("        return 1\n", "        print(1)\n        return 1\n")],
    ),
    "a method in the file's depth": (
        "    def total(self):\n        # ... existing code ...\n        if x:\n            y = 4\n        return y\n",
        [("y = 3", "y = 4")],
    ),
    "a function at the end": (
        "# ... existing code ...\nprint(total(1))\n\n\ndef h():\n    return 2\n",
        [("print(total(1))\n", "print(total(1))\n\n\ndef h():\n    return 2\n")],
    ),
    "lines of a body": (
        "        x = 1\n        # ... existing code ...\n        z = 5\n        return y\n",
        [("        return y\n", "        z = 5\n        return y\n")],
    ),
    "nothing changed": ("def total(a):\n    # ... existing code ...\n    return b\n", []),
    "dots for code": ("def total(a):\n    c = 0\n    ...\n    return b\n", [("    b = a\n", "    c = 0\n    b = a\n")]),
}


@pytest.mark.parametrize("name", ELISIONS)
def test_what_is_left_out_is_put_back(name: str) -> None:
    code, changes = ELISIONS[name]
    wanted = SHOP
    for old, new in changes:
        assert old in wanted
        wanted = wanted.replace(old, new, 1)
    edit = applied(f"shop.py\n```python\n{code}```\n", {"shop.py": SHOP.encode()})
    assert edit.error is None, str(edit.error)
    assert edit.new == wanted.encode()


def test_dots_that_the_file_has_stay() -> None:
    source = b"class P:\n    def f(self): ...\n    def g(self):\n        a\n        ...\n"
    code = "a.py\n```python\nclass P:\n{}    # ... existing code ...\n{}```\n"
    edit = applied(code.format("", "    def g(self):\n        b()\n        ...\n"), {"a.py": source})
    assert isinstance(edit.error, EditError)  # whether `a` stays
    edit = applied(code.format("    def f(self): ...\n", "    x = 1\n"), {"a.py": source})
    assert edit.new is not None and edit.new.startswith(source) and edit.new.endswith(b"    x = 1\n")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("# ... existing code ...\n\ndef h():\n    pass\n# ... existing code ...\n", "it cannot be told where `def h()` goes"),
        ("# ... existing code ...\nprint(total(2))\n", "it cannot be told whether `print(total(2))` replaces `print(total(1))`"),
        ("X = [\n    1,\n    # ... existing code ...\n    2,\n]\n", "a part of a statement was left out"),
        ("import os\ndef total(a):\n    # ... existing code ...\n    return b + 1\n", "it cannot be told whether"),
        ("def nothing():\n    # ... existing code ...\n    return b\n", "nothing is called nothing in the file"),
        ("def total(a):\n    # ... and so on\n    return b\n", "it cannot be told whether `# ... and so on` stands for code"),
        ("q = 1\n# ... existing code ...\nr = 2\n", "it cannot be told"),
        ("# ... existing code ...\n", "the code holds no statement that tells where it belongs"),
        ("def total(a):\n    # ... existing code ...\n    return (\n", "the code is not Python"),
        ("def total(a):\n    # ... existing code ...\n    return b +\n", "the file would not be Python any more"),
    ],
)
def test_what_cannot_be_told_is_refused(code: str, message: str) -> None:
    edit = applied(f"shop.py\n```python\n{code}```\n", {"shop.py": SHOP.encode()})
    assert isinstance(edit.error, EditError), edit.error
    assert message in edit.error.message
    assert edit.new == SHOP.encode()


def test_definitions_alone_may_be_the_whole_file_or_a_part() -> None:
    answer = "a.py\n```python\ndef f():\n    return 2\n```\n"
    edit = applied(answer, {"a.py": b"import os\n\n\ndef f():\n    return 1\n"})
    assert isinstance(edit.error, EditError) and "whether the code is the whole file" in edit.error.message
    assert applied(answer, {"a.py": b"# one\ndef f():\n    return 1\n"}).new == b"def f():\n    return 2\n"
    edit = applied(answer, {"a.py": b"import os\n\n\ndef g():\n    return 1\n"})
    assert code_lines(edit.new or b"") == [b"def f():\n", b"    return 2\n"]


def test_a_name_that_is_defined_twice_is_a_list_of_candidates() -> None:
    source = b"class A:\n    def f(self):\n        a\nclass B:\n    def f(self):\n        a\n"
    edit = applied("a.py\n```python\ndef f(self):\n    # ... existing code ...\n    return b\n```\n", {"a.py": source})
    assert isinstance(edit.error, PlaceError)
    assert edit.error.candidates == (Candidate.at(2, "A"), Candidate.at(5, "B"))


# ------------------------------------------------------------------------------------------------------------------ views


@pytest.mark.parametrize("dialect", ["compact", "python"])
def test_a_piece_of_a_view_with_its_line_numbers(dialect: str) -> None:
    shown = view(SHOP, [], dialect=dialect).text
    old = shown[shown.index("25:def total") :].partition(":")[0] + ":def total(a):"
    assert old in shown
    edit = apply_piece("shop.py", SHOP.encode(), old, old.replace("(a)", "(a, c)"), dialect=dialect)
    assert edit.error is None, str(edit.error)
    assert edit.new == SHOP.replace("def total(a):", "def total(a, c):").encode()


def test_through_a_view_what_was_not_seen_stays() -> None:
    shown = view(SHOP, ["no-comments", "no-docstrings"], dialect="python")
    patch = Patch(
        (
            Change("shop.py", "update", "        y = 2\n        if x:", "        y = 20\n        if x:"),
            Change("shop.py", "update", "b = a", "b = -a"),
        )
    )
    (edit,) = apply_patch(patch, {"shop.py": SHOP.encode()}, seen={"shop.py": shown.text})
    assert edit.error is None, str(edit.error)
    assert edit.new == SHOP.replace("y = 2 ", "y = 20 ").replace("b = a", "b = -a").encode()
