"""``simpy check`` and the proof behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import transpiler
from simpy_cli import files
from simpy_cli.main import main
from simpy_cli.options import FOR_MODELS
from simpy_cli.proof import Reading, difference

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_examples_come_back_in_every_dialect(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "examples")]) == 0
    found = capsys.readouterr()
    assert found.out == ""
    assert " checked in 7 dialects: " in found.err
    assert "failed" not in found.err


def test_one_dialect_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["check", "--dialect", "dense", "-v", "a.py"]) == 0
    assert tuple(capsys.readouterr()) == ("", "a.py: same\n1 file checked in 1 dialect: 1 the same\n")


def test_what_is_not_python_is_skipped_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    Path("src/broken.py").write_text("x = = 1\n")
    Path("src/good.py").write_text("x = 1\n")
    Path("src/latin.py").write_bytes(b"x = '\xe9'\n")
    Path("src/nul.py").write_bytes(b"x = 1\0\n")
    assert main(["check", "src"]) == 0
    assert tuple(capsys.readouterr()) == (
        "",
        "src/broken.py: skipped: invalid syntax (line 1)\n"
        "src/latin.py: skipped: byte 0xe9 is not utf-8 (line 1)\n"
        "src/nul.py: skipped: source holds a NUL character (line 1)\n"
        "1 file checked in 7 dialects: 1 the same, 3 skipped\n",
    )


def test_nothing_to_check_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.py").write_text("x = = 1\n")
    assert main(["check", "broken.py"]) == 2
    assert capsys.readouterr().err == (
        "broken.py: skipped: invalid syntax (line 1)\n"
        "simpy check: error: nothing was checked: no file is Python for this interpreter\n"
        "0 files checked in 7 dialects: 0 the same, 1 skipped, 1 error\n"
    )


def test_failure_is_reported_with_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\ny = 2\n")
    Path("b.py").write_text("z = 3\n")
    real = transpiler.decode

    def wrong(simpy: str, *, dialect: object, **rest: object) -> str:
        python = real(simpy, dialect=dialect, **rest)  # type: ignore[arg-type]  # passed on
        return python.replace("2", "3") if getattr(dialect, "name", "") == "dense" else python

    monkeypatch.setattr(transpiler, "decode", wrong)
    assert main(["check", "a.py", "b.py"]) == 1
    assert tuple(capsys.readouterr()) == (
        "a.py: dense: the syntax tree differs in line 2: 2 became 3\n",
        "2 files checked in 7 dialects: 1 the same, 1 failed\n",
    )


@pytest.mark.parametrize("call", ["encode", "decode"])
def test_crash_of_the_converter_is_a_failure(call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def crash(*args: object, **rest: object) -> str:
        raise KeyError("oops")

    Path("a.py").write_text("x = 1\n")
    monkeypatch.setattr(transpiler, call, crash)
    assert main(["check", "--dialect", "classic", "a.py", "-q"]) == 1
    assert capsys.readouterr().out == f"a.py: classic: does not {call}: KeyError: 'oops'\n"


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("bad.py").write_text("x = = 1\n")
    assert main(["check", "--json", "a.py", "bad.py", "missing.py", "-q"]) == 2
    found = capsys.readouterr()
    assert json.loads(found.out) == {
        "dialects": list(FOR_MODELS),
        "summary": {"same": 1, "failed": 0, "skipped": 1, "error": 1},
        "files": [
            {"path": "missing.py", "status": "error", "reason": "no such file or directory", "dialects": {}},
            {
                "path": "a.py",
                "status": "same",
                "characters": 6,
                "dialects": {
                    name: {"status": "same", "characters": len(transpiler.encode("x = 1\n", dialect=name))} for name in FOR_MODELS
                },
            },
            {"path": "bad.py", "status": "skipped", "reason": "invalid syntax (line 1)", "dialects": {}},
        ],
    }
    assert found.err == "missing.py: error: no such file or directory\n"


def test_unreadable_file_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    Path("a.py").write_text("x = 1\n")
    monkeypatch.setattr(files, "read", refuse)
    assert main(["check", "a.py", "-q"]) == 2
    assert capsys.readouterr().err == "a.py: error: permission denied\n"


def test_processes_report_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    for i in range(10):
        Path(f"src/m{i}.py").write_text("x = 1\n" if i % 2 else "x = = 1\n")
    seen = []
    for jobs in ("1", "2"):
        assert main(["check", "src", "-v", "-j", jobs, "--no-cache"]) == 0
        seen.append(tuple(capsys.readouterr()))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("x = 1", "x  =  1", None),
        ("x = 1", "x = True", "the syntax tree differs in line 1: 1 became True"),
        ("x = 1", "x = 1.0", "the syntax tree differs in line 1: 1 became 1.0"),
        ("x = 0.0", "x = -0.0", "the syntax tree differs in line 1: Constant became UnaryOp"),
        ("x = 'a'", "x = u'a'", "the syntax tree differs in line 1: None became 'u'"),
        ("x = 1e999", "x = 1e999", None),
        ("a\nb", "a", "the syntax tree differs in line 1: a list of 2 became a list of 1"),
        ("x = 1 # a\n# b", "x = 1\n# a\n# b", None),
        ("x = 1 # a\n# b", "# b\nx = 1 # a", "a comment differs: '# a' became '# b'"),
        ("x = 0x10", "x = 16", "a literal differs: '0x10' became '16'"),
        ("x = 'a'", 'x = "a"', "a literal differs: \"'a'\" became '\"a\"'"),
        ("x = " + "-" * 600 + "1", "x = " + "-" * 601 + "1", "the syntax tree differs in line 1: Constant became UnaryOp"),
    ],
)
def test_difference(before: str, after: str, found: str | None) -> None:
    assert difference(Reading(before), Reading(after)) == found
