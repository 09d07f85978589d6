"""``simpy view``: what goes to standard output, what is said about it, and how it fails."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from simpy_cli.main import main

SOURCE = "# a\n\n\nclass A:\n    '''One.'''\n\n    def f(self, x: int):  # b\n        return x\n"


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(SOURCE)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "# a\n4:class A:\n '''One.'''\n7: def f(self,x:int):# b\n  return x"),
        (["--numbers", "none", "--view", "signatures"], "class A:\n '''One.'''\n def f(self,x:int):..."),
        (["--view", "outline"], "4:class A:\n7: def f():..."),
        (["--view", "symbol=A.f", "--dialect", "python", "--numbers", "all"], "7:def f(self, x: int):  # b\n8:    return x\n"),
        (["--view", "no-comments", "--view", "prune=9"], "4:class A:..."),
        (["--view", "lines=8", "--dialect", "classic"], "<return>x"),
    ],
)
def test_what_is_printed(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "a.py", *words]) == 0
    assert capsys.readouterr().out == text


def test_what_was_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "a.py", "--view", "no-comments"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "a.py: left out: 2 comments"
    assert said[1].startswith("1 file shown, about ") and " tokens (estimated for cl100k_base, within " in said[1]
    assert main(["view", "a.py", "-q", "--view", "no-comments"]) == 0
    assert capsys.readouterr().err == ""


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x = 1  # \xc3\xa9\n"), encoding="utf-8"))
    assert main(["view", "-", "-q"]) == 0
    assert capsys.readouterr().out == "x=1# é"


def test_several_files_have_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.py").write_text("x = 1\n")
    Path("c.py").write_text("x = = 1\n")
    assert main(["view", "b.py", "c.py", "b.py", "a.py", "--view", "outline"]) == 2
    found = capsys.readouterr()
    assert found.out == "==> b.py <==\n\n==> a.py <==\n4:class A:\n7: def f():...\n"
    assert "c.py:1:5: error: invalid syntax\n  x = = 1\n      ^\n" in found.err
    assert found.err.splitlines()[-1].endswith("; 1 error")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.py", "--view", "nothing"], "simpy view: error: no view 'nothing'\nhint: use symbol=NAME"),
        (["a.py", "--view", "prune"], "simpy view: error: 'prune' is not a view\nhint: use prune=N"),
        (["a.py", "--view", "symbol=f"], "a.py: error: nothing is called 'f' here\nhint: did you mean A.f?"),
        (["a.py", "--view", "lines=90"], "a.py: error: there is no statement in lines 90-90\nhint: the text has 8 lines"),
        (["none.py"], "none.py: error: no such file or directory"),
        (["-", "a.py"], "simpy view: error: - (standard input) stands alone"),
        (["a.py", "--numbers", "all", "--dialect", "dense"], "a.py: error: dense has no lines to number"),
        (["a.py", "--tokenizer", "none.json"], "none.json: error: no such file"),
    ],
)
def test_errors(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", *words]) == 2
    assert message in capsys.readouterr().err
