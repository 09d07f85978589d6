"""How the command lays Python out: ``--width``, ``--format``, and the dialect ``python``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simpy_cli.main import main

LONG = "x=f(aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb)"
ON_ONE_LINE = "x = f(aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbb)\n"


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def formatter(name: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a formatter on PATH that is a Python program."""
    folder = Path("bin")
    folder.mkdir()
    (folder / name).write_text(f"#!{sys.executable}\nimport sys\n{program}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder.resolve()))


@pytest.mark.parametrize("words", [["decode"], ["convert", "--to", "python"]])
def test_width(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text(LONG)
    assert main([*words, "-q", "a.simpy"]) == 0
    assert capsys.readouterr().out == ON_ONE_LINE
    assert main([*words, "-q", "--width", "40", "a.simpy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
    Path("a.simpy").write_text("x=f(" + " ".join(["a"] * 99) + ")")
    assert main([*words, "-q", "--width", "none", "a.simpy"]) == 0
    assert capsys.readouterr().out == "x = f(" + ", ".join(["a"] * 99) + ")\n"


@pytest.mark.parametrize("width", ["0", "-1", "wide", ""])
def test_width_that_is_not_one(width: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text(LONG)
    assert main(["decode", f"--width={width}", "a.simpy"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.endswith(f"argument --width: {width!r} is neither a number of columns nor none\n")


def test_ruff_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    Path("pyproject.toml").write_text("[tool.ruff]\nline-length = 30\n[tool.ruff.format]\nquote-style = 'single'\n")
    Path("a.simpy").write_text(LONG.replace("f(", 'f("" '))
    assert main(["decode", "-q", "--format", "ruff", "a.simpy"]) == 0
    expected = "x = f(\n    '',\n    aaaaaaaaaaaaaaaaaaaa,\n    bbbbbbbbbbbbbbbbbbbb,\n)\n"
    assert capsys.readouterr().out == expected
    assert main(["convert", "-q", "--to", "python", "--format", "ruff", "a.simpy", "-o", "a.py"]) == 0
    assert Path("a.py").read_text() == expected
    assert main(["decode", "-q", "--format", "ruff", "--check", "a.simpy", "-o", "a.py"]) == 0


def test_formatter_on_the_path_sees_the_name_and_the_declared_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    formatter("black", "data = sys.stdin.buffer.read()\nsys.stdout.buffer.write(data + repr(sys.argv[1:]).encode())", monkeypatch)
    Path("a.simpy").write_text("# coding: latin-1\nx='é'", encoding="utf-8")
    assert main(["decode", "-q", "--format", "black", "a.simpy", "-o", "b.py"]) == 0
    arguments = ["--quiet", "--stdin-filename", str(Path("b.py").resolve()), "-"]
    assert Path("b.py").read_bytes() == f"# coding: latin-1\nx = 'é'\n{arguments!r}".encode("latin-1")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('first', file=sys.stderr); print('second', file=sys.stderr); sys.exit(3)", "first"),
        ("sys.exit(123)", "exit code 123"),
    ],
)
def test_formatter_that_fails(program: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    formatter("black", program, monkeypatch)
    Path("a.simpy").write_text("x=1")
    Path("a.py").write_text("old")
    assert main(["decode", "-q", "--format", "black", "a.simpy", "-o", "a.py"]) == 2
    assert tuple(capsys.readouterr()) == (
        "",
        f"a.simpy: error: black cannot format the decoded program: {said}\n"
        "hint: leave out --format for a layout that needs no other program\n",
    )
    assert Path("a.py").read_text() == "old"


def test_formatter_that_is_missing_is_reported_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("simpy_cli.formatters.find_spec", lambda name: None)
    Path("a.simpy").write_text("x=1")
    Path("b.simpy").write_text("x=1")
    assert main(["decode", "--format", "black", "a.simpy", "b.simpy", "-o", "out"]) == 2
    assert tuple(capsys.readouterr()) == (
        "",
        "--format black: error: black is not installed\n"
        "hint: pip install black, or leave out --format for a layout that needs no other program\n",
    )
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["decode", "--width", "9", "--format", "ruff"], "argument --format: not allowed with argument --width"),
        (["decode", "--format", "tidy"], "argument --format: invalid choice: 'tidy'"),
        (["convert", "--to", "dense", "--format", "ruff"], "simpy convert: error: --format is for Python\nhint: add --to python"),
    ],
)
def test_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text("x=1")
    assert main([*words, "a.simpy"]) == 2
    assert message in capsys.readouterr().err


def test_encode_to_python_lays_out_files_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    Path("src/a.py").write_text("x=[ 1,2 ]\n")
    Path("src/b.py").write_text("y = 1\n")
    command = ["encode", "--dialect", "python", "--in-place", "src"]
    assert main([*command, "--check"]) == 1
    assert "would write src/a.py" in capsys.readouterr().err
    assert main([*command, "-q"]) == 0
    assert sorted(path.name for path in Path("src").iterdir()) == ["a.py", "b.py"]
    assert (Path("src/a.py").read_text(), Path("src/b.py").read_text()) == ("x = [1, 2]\n", "y = 1\n")
    assert main([*command, "--check"]) == 0


def test_names_follow_the_dialects() -> None:
    Path("src").mkdir()
    Path("src/a.py").write_text("x = 1\n")
    assert main(["convert", "-q", "--from", "python", "--to", "dense", "src", "-o", "simpy"]) == 0
    assert main(["convert", "-q", "--from", "dense", "--to", "compact", "simpy", "-o", "compact"]) == 0
    assert main(["convert", "-q", "--from", "compact", "--to", "python", "compact", "-o", "python"]) == 0
    found = {folder: [path.name for path in Path(folder).iterdir()] for folder in ("simpy", "compact", "python")}
    assert found == {"simpy": ["a.simpy"], "compact": ["a.simpy"], "python": ["a.py"]}
    assert Path("python/a.py").read_text() == "x = 1\n"
