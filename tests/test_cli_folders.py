"""Which files the command reads: what git ignores, what is left out by name or pattern, and what is not Python by its name."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simpy_cli.folders import Search, find
from simpy_cli.main import main
from simpy_grammar.errors import SimPyError
from transpiler.ignored import Ignored


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str, **texts: str) -> None:
    """Files that hold a program, and others with a text."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x = 1\n")
    for name, text in texts.items():
        Path(name).write_text(text)


def found(*paths: str, **options: object) -> list[str]:
    """The files that are read, with ``/``; nothing may go wrong."""
    errors: list[SimPyError] = []
    sources = find(paths or ["."], Search(**options), errors)  # type: ignore[arg-type]  # one dict of several types
    assert errors == []
    return [os.path.normpath(source.path).replace(os.sep, "/") for source in sources]


GITIGNORE = """# made by tools
/build/
*.gen.py
!kept.gen.py
**/cache/
doc/*.py
!doc/conf.py
sub/**/deep.py
spaced\\ name.py
\\#hash.py
"""
NAMES = (
    "a.py",
    "a.gen.py",
    "kept.gen.py",
    "build/b.py",
    "sub/build/b.py",
    "sub/cache/c.py",
    "sub/x/y/deep.py",
    "doc/d.py",
    "doc/conf.py",
    "spaced name.py",
    "#hash.py",
    "mine.py",
    "inner/local.py",
    "inner/other.py",
    "inner/a.gen.py",
    "inner/more/a.gen.py",
)


def repository(folder: str = ".") -> None:
    """A repository with patterns at three places."""
    top = Path(folder)
    for name in NAMES:
        make(str(top / name))
    (top / ".git" / "info").mkdir(parents=True)
    (top / ".git" / "info" / "exclude").write_text("mine.py\n")
    (top / ".gitignore").write_text(GITIGNORE)
    (top / "inner" / ".gitignore").write_text("local.py\n!a.gen.py\n")


READ = ["a.py", "doc/conf.py", "inner/a.gen.py", "inner/more/a.gen.py", "inner/other.py", "kept.gen.py", "sub/build/b.py"]


def test_what_git_ignores_is_left_out() -> None:
    repository()
    assert sorted(found()) == READ
    assert sorted(found(ignore=False)) == sorted(NAMES)


def test_git_says_the_same() -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed here")
    repository()
    shutil.rmtree(".git")
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".git/info/exclude").write_text("mine.py\n")
    listed = subprocess.run(
        ["git", "ls-files", "-oz", "--exclude-per-directory=.gitignore", "-X", ".git/info/exclude"], capture_output=True
    )
    names = listed.stdout.decode().split("\0")
    assert sorted(name for name in names if name.endswith(".py")) == READ == sorted(found())


def test_patterns_of_the_repository_hold_in_a_folder_of_it() -> None:
    repository()
    assert found("inner") == ["inner/a.gen.py", "inner/other.py", "inner/more/a.gen.py"]
    assert found("sub") == ["sub/build/b.py"]


@pytest.mark.parametrize("folder", ["build", ".venv", "whole/part"])
def test_an_ignored_folder_that_is_named_is_read(folder: str) -> None:
    make(f"{folder}/a.py", f"{folder}/a.gen.py")
    Path(".git").mkdir()
    Path(".gitignore").write_text("build/\n.venv/\nwhole/\n*.gen.py\n")
    assert found(folder) == [f"{folder}/a.py"]


def test_patterns_count_inside_of_a_repository_only() -> None:
    make("a.py", "b.py")
    Path(".gitignore").write_text("b.py\n")
    assert found() == ["a.py", "b.py"]
    Path(".git").write_text("gitdir: elsewhere\n")  # as in a worktree or a submodule
    assert found() == ["a.py"]


MADE = ("venv/a.py", "node_modules/p/a.py", "build/lib/a.py", "dist/a.py", "__pypackages__/a.py")


def test_folders_that_tools_make_are_left_out_where_there_is_no_gitignore() -> None:
    make("a.py", *MADE, "my-env/lib/a.py", "my-env/pyvenv.cfg", "src/venv/a.py", "src/build.py")
    assert found() == ["a.py", "src/build.py"]
    assert len(found(ignore=False)) == len(MADE) + 4
    Path(".git").mkdir()
    assert found() == ["a.py", "src/build.py"]
    Path(".gitignore").write_text("node_modules\nvenv\n")
    assert found() == ["a.py", "__pypackages__/a.py", "build/lib/a.py", "dist/a.py", "src/build.py"]


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        (["*_pb2.py"], ["src/a.py", "src/old/b.py"]),
        (["old"], ["src/a.py", "src/a_pb2.py"]),
        (["/old/"], ["src/a.py", "src/a_pb2.py"]),
        (["src/old"], ["src/a.py", "src/a_pb2.py"]),
        (["*.py"], []),
        (["old", "*_pb2.py"], ["src/a.py"]),
    ],
)
def test_exclude(exclude: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    make("src/a.py", "src/a_pb2.py", "src/old/b.py")
    options = [word for pattern in exclude for word in ("--exclude", pattern)]
    assert main(["encode", "src", "-o", "out", "-q", *options]) == (0 if expected else 2)
    written = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.simpy"))
    assert written == [name.removeprefix("src/").replace(".py", ".simpy") for name in expected]
    if not expected:
        assert "hint: 3 left out: the pattern *.py\n" in capsys.readouterr().err


def test_in_place_leaves_a_virtual_environment_alone(capsys: pytest.CaptureFixture[str]) -> None:
    make("a.py", "venv/lib/b.py", "node_modules/c.py")
    assert main(["encode", ".", "--in-place"]) == 0
    assert sorted(path.as_posix() for path in Path().rglob("*.*py")) == ["a.simpy", "node_modules/c.py", "venv/lib/b.py"]
    assert main(["encode", ".", "--in-place"]) == 2
    assert "hint: 2 left out: tools make folders of this kind (--no-ignore looks there too)\n" in capsys.readouterr().err


def test_named_files_are_always_taken() -> None:
    repository()
    assert found("a.gen.py", "build/b.py", exclude=["*"]) == ["a.gen.py", "build/b.py"]


@pytest.mark.parametrize("command", ["check", "tokens", "view"])
def test_other_commands_leave_out_the_same(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    make("a.py", "venv/b.py", "c.py")
    assert main([command, ".", "--exclude", "c.py"]) == 0
    assert "1 file " in capsys.readouterr().err
    assert main([command, ".", "--no-ignore"]) == 0
    assert "3 files " in capsys.readouterr().err


def test_folders_are_searched_without_patterns_where_pathspec_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make("src/a.py")
    monkeypatch.setitem(sys.modules, "pathspec", None)
    assert main(["encode", "src", "-o", "out", "-q"]) == 0
    assert main(["encode", "src", "-o", "out", "--exclude", "x"]) == 2
    assert 'src: error: searching folders by patterns needs pathspec\nhint: pip install "pathspec"' in capsys.readouterr().err


def test_why() -> None:
    repository()
    ignored = Ignored(".")
    assert ignored.why("build/b.py") == ignored.why("build", is_folder=True) == "git ignores it"
    assert ignored.why("a.py") == ignored.why("sub/build/b.py") == ""


# ------------------------------------------------------------------------------------------------------ suffixes

NOT_PYTHON = {"a.json": "{}", "a.txt": "x", "a.md": "x", "a.pyc": "x", "script": "x = 1\n", "shell": "#!/bin/sh\nx\n"}


@pytest.mark.parametrize("name", NOT_PYTHON)
@pytest.mark.parametrize(
    "command", [["encode"], ["encode", "--in-place"], ["check"], ["view"], ["tokens"], ["convert", "--from", "python", "--to", "dense"]]
)
def test_what_is_not_python_by_its_name(command: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text(NOT_PYTHON[name])
    assert main([*command, name]) == 2
    out, err = capsys.readouterr()
    assert out in ("", "\n") and f"{name}: error: not a Python file" in err and "\nhint: " in err and "--force" in err
    assert os.listdir() == [name] and Path(name).read_text() == NOT_PYTHON[name]


def test_forced_and_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("x = 1\n")
    assert main(["encode", "a.txt", "--force", "-q"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("x = 1\n"))
    assert main(["encode", "-", "-q"]) == 0
    assert capsys.readouterr().out == "x=1" * 2


@pytest.mark.parametrize("first", ["#!/usr/bin/env python3", "#!/usr/bin/python", "#! /opt/bin/pythonw3.11 -I"])
def test_scripts_by_their_first_line(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("script").write_text(f"{first}\nx = 1\n")
    assert main(["encode", "script", "-q"]) == 0
    assert capsys.readouterr().out.endswith("\nx=1")


def test_simpy_is_still_read_by_decode_whatever_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    Path("answer.txt").write_text("x=1")
    assert main(["decode", "answer.txt", "-q"]) == 0
    assert capsys.readouterr().out == "x = 1\n"
