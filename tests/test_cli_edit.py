"""``simpy edit``: what is written, what is printed, what is refused, and that nothing else is touched."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from simpy_cli import edited_files
from simpy_cli.main import main
from tests.patch_writers import WRITERS, hunks_of

SOURCE = """\
def f(x,  y):  # why
    return g(x,
             y)


class C:
    def f(self):
        return 1

    def g(self):
        return 1
"""
PATCH = """*** Begin Patch
*** Update File: a.py
@@ class C:
     def g(self):
-        return 1
+        return 3
*** Update File: notes.md
@@
-two
+2
*** Add File: sub/new.py
+x = 1
*** End Patch
"""


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("a.py").write_text(SOURCE)
    Path("notes.md").write_text("one\ntwo\n")


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_a_piece_is_replaced_and_the_rest_is_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    os.chmod("a.py", 0o750)
    assert main(["edit", "a.py", "--old", "g(x, y)", "--new", "g(x, z)"]) == 0
    assert Path("a.py").read_text() == SOURCE.replace("             y)", "             z)")
    assert Path("a.py").stat().st_mode & 0o777 == 0o750
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "1 file edited\n")
    assert sorted(os.listdir()) == ["a.py", "notes.md"]


@pytest.mark.parametrize(("option", "line"), [(["--near", "11"], 11), (["--within", "C.f"], 8), (["--within", "g"], 11)])
def test_one_of_several_places(option: list[str], line: int) -> None:
    assert main(["edit", "a.py", "--old", "return 1", "--new", "return 2", *option]) == 0
    assert [number for number, text in enumerate(Path("a.py").read_text().split("\n"), 1) if text == "        return 2"] == [line]


def test_several_places_are_listed_as_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "a.py", "--old", "return 1", "--new", "return 2"]) == 2
    assert Path("a.py").read_text() == SOURCE
    assert capsys.readouterr().err == (
        "a.py: error: the piece stands at 2 places: line 8 in C.f, line 11 in C.g\n"
        "hint: add --near 8 (C.f) or --near 11 (C.g), or quote more of what stands around it\n0 files edited, 1 error\n"
    )


def test_check_and_diff_write_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["edit", "a.py", "--old", "def g(self):", "--new", "def g(self, a):"]
    assert main([*words, "--check"]) == 1
    assert capsys.readouterr().err == "would write a.py\n1 file would be edited\n"
    assert main([*words, "--diff", "-q"]) == 0
    assert capsys.readouterr().out == (
        "--- a.py\n+++ a.py\n@@ -7,5 +7,5 @@\n     def f(self):\n         return 1\n \n-    def g(self):\n+    def g(self, a):\n"
        "         return 1\n"
    )
    assert Path("a.py").read_text() == SOURCE
    assert main(["edit", "a.py", "--old", "x,y", "--new", "x, y", "--within", "f", "--check", "--near", "2"]) == 0
    assert capsys.readouterr().err == "0 files would be edited, 1 unchanged\n"


def test_standard_input(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"\xef\xbb\xbfx  =  1\r\ny\r\n")
    assert main(["edit", "-", "--old", "x=1", "--new", "x=2", "-q"]) == 0
    assert capsysbinary.readouterr().out == b"\xef\xbb\xbfx  =  2\r\ny\r\n"


def test_texts_from_files_and_with_an_at_sign() -> None:
    Path("old").write_text("return g(x, y)\n")
    Path("new").write_text("return g(y)\n")
    assert main(["edit", "a.py", "--old", "@old", "--new", "@new", "-q"]) == 0
    assert "return g(y)\n" in Path("a.py").read_text()
    Path("b.py").write_text("@cache\ndef f(): pass\n")
    assert main(["edit", "b.py", "--old", "@@cache", "--new", "@@wraps(f)", "-q"]) == 0
    assert Path("b.py").read_text() == "@wraps(f)\ndef f(): pass\n"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("how", ["option", "argument", "input"])
def test_a_patch_in_every_form(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    new = SOURCE.replace("def f(self)", "def f(self, a)").replace("y)\n\n", "z)\n\n")
    text = WRITERS[name]("work/a.py" if how == "argument" else "a.py", hunks_of(SOURCE, new))
    Path("p").write_text(text)
    stdin(monkeypatch, text.encode())
    assert main({"option": ["edit", "--patch", "p"], "argument": ["edit", "a.py", "p"], "input": ["edit", "a.py", "-"]}[how]) == 0
    assert Path("a.py").read_text() == new


def test_a_patch_of_several_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p").write_text(PATCH)
    assert main(["edit", "--patch", "p", "-v"]) == 0
    assert Path("a.py").read_text() == SOURCE[::-1].replace("1 nruter", "3 nruter", 1)[::-1]
    assert Path("notes.md").read_text() == "one\n2\n"
    assert Path("sub/new.py").read_text() == "x = 1\n"
    assert capsys.readouterr().err == "a.py: edited\nnotes.md: edited\nsub/new.py: created\n3 files edited\n"
    assert main(["edit", "--patch", "p"]) == 2  # and nothing is done twice
    assert Path("notes.md").read_text() == "one\n2\n"
    text = "*** Begin Patch\n*** Delete File: notes.md\n*** Move File: a.py -> sub/b.py\n*** End Patch\n"
    Path("p").write_text(text)
    assert main(["edit", "--patch", "p"]) == 0
    assert sorted(str(path) for path in Path().rglob("*.*")) == ["sub/b.py", "sub/new.py"]


def test_one_bad_file_does_not_cost_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p").write_text(PATCH.replace("-two", "-three"))
    assert main(["edit", "--patch", "p"]) == 2
    assert "return 3" in Path("a.py").read_text()
    assert Path("notes.md").read_text() == "one\ntwo\n"
    assert "notes.md: error: the text does not stand in the file\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../b.py", "sub/../../b.py", "linked.py", "linked/b.py", "{tmp}/b.py", "linked/new.py", "..", "."])
def test_nothing_outside_of_the_folder_is_read_or_written(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "b.py"
    outside.write_text("x = 1\n")
    Path("linked.py").symlink_to(outside)
    Path("linked").symlink_to(tmp_path)
    name = name.format(tmp=tmp_path)
    for text in (
        f"*** Begin Patch\n*** Update File: {name}\n@@\n-x = 1\n+x = 2\n*** End Patch\n",
        f"*** Begin Patch\n*** Add File: {name}\n+x = 2\n*** End Patch\n",
        f"*** Begin Patch\n*** Delete File: {name}\n*** End Patch\n",
        f"*** Begin Patch\n*** Move File: a.py -> {name}\n*** End Patch\n",
    ):
        Path("p").write_text(text)
        assert main(["edit", "--patch", "p"]) == 2
        assert "the file is outside of the current folder" in capsys.readouterr().err
    assert outside.read_text() == "x = 1\n"
    assert sorted(os.listdir(tmp_path)) == ["b.py", "work"]
    assert Path("a.py").read_text() == SOURCE


def test_a_link_inside_stays_a_link_and_one_file_has_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("l.py").symlink_to("a.py")
    pair = '{{"path": "{}", "old_str": "g(x, y)", "new_str": "g(x)"}}'
    Path("p").write_text(pair.format("l.py"))
    assert main(["edit", "--patch", "p"]) == 0
    assert Path("l.py").is_symlink() and "y)" not in Path("a.py").read_text().split("\n", 1)[1]
    Path("p").write_text(f"[{pair.format('a.py')}, {pair.format('l.py')}]")
    assert main(["edit", "--patch", "p"]) == 2
    assert "l.py: error: this is a.py by another name" in capsys.readouterr().err


def test_a_file_that_changes_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    read = edited_files.files.read

    def read_and_change(path: str) -> object:
        found = read(path)
        if path.endswith(".py"):
            Path("a.py").write_text("theirs = 1\n")
        return found

    monkeypatch.setattr(edited_files.files, "read", read_and_change)
    Path("p").write_text(PATCH)
    for words in (["a.py", "--old", "g(x, y)", "--new", "g(x)"], ["--patch", "p"]):
        Path("a.py").write_text(SOURCE)
        assert main(["edit", *words]) == 2
        assert "the file changed" in capsys.readouterr().err
        assert Path("a.py").read_text() == "theirs = 1\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "simpy edit: error: nothing is named: a file, or a patch\nhint: see `simpy edit --help`"),
        (["a.py"], "simpy edit: error: nothing says what to change"),
        (["a.py", "--old", "x"], "simpy edit: error: --old and --new belong together"),
        (["a.py", "p", "--old", "x", "--new", "y"], "simpy edit: error: --old and --new stand in the place of a patch"),
        (["a.py", "p", "--patch", "q"], "simpy edit: error: two patches are named"),
        (["a.py", "p", "--near", "3"], "simpy edit: error: --near and --within are for --old"),
        (["-", "-"], "simpy edit: error: standard input cannot be both the file and the patch"),
        (["a.py", "--old", "x", "--new", "y", "--form", "rewritten"], "simpy edit: error: --form is for a patch"),
        (["none.py", "--old", "x", "--new", "y"], "none.py: error: no such file or directory"),
        (["sub", "--old", "x", "--new", "y"], "sub: error: is a directory"),
        (["a.py", "none"], "none: error: no such file or directory"),
        (["a.py", "--old", "@none", "--new", "y"], "none: error: no such file or directory\nhint: write @@none for the text @none"),
        (["a.py", "--old", "no such", "--new", "y"], "a.py: error: the piece does not stand in the file: no such"),
        (["a.py", "--old", "", "--new", "y"], "a.py: error: the piece to look for is empty"),
        (["a.py", "--old", "return 1", "--new", "return (", "--near", "8"], "error:"),
        (["a.py", "notes.md"], "notes.md:1:1: error: not a patch in a known form"),
        (["a.py", "p"], "notes.md: error: only a.py was to be edited"),
        (["notes.md", "--old", "x", "--new", "y", "--within", "f"], "notes.md: error: the file is not Python, so it has no definitions"),
        (["a.py", "--old", "x", "--new", "y", "--near", "0"], "'0' is not a line number"),
        (["bytes", "--old", "@bytes", "--new", "y"], "bytes: error: byte 0xff is not utf-8"),
    ],
)
def test_errors(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub").mkdir()
    Path("p").write_text(PATCH)
    Path("bytes").write_bytes(b"\xff")
    assert main(["edit", *words]) == 2
    assert message in capsys.readouterr().err
    assert Path("a.py").read_text() in (SOURCE, SOURCE[::-1].replace("1 nruter", "3 nruter", 1)[::-1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class C:", ""),
        ("g(x, y)", "= 3"),
        ("return g(x, y)", "return (g(x, y)"),
        ("def f(x, y):", "if f(x, y):\n    pass\n  pass"),
    ],
)
def test_an_edit_that_would_break_the_file(old: str, new: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "a.py", "--old", old, "--new", new]) == 2
    assert "error: " in capsys.readouterr().err
    assert Path("a.py").read_text() == SOURCE
