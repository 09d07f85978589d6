"""The cache of results: what has not changed is not done again, and nothing else is left undone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import transpiler
from simpy_cli import conversion, result_cache
from simpy_cli.main import main
from simpy_cli.result_cache import ResultCache

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "_FOLDER", str(tmp_path / "cache"))
    (tmp_path / "work" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    for name in "abc":
        Path(f"src/{name}.py").write_text(f"{name} = f(1, 2)\n")


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are converted, in order."""
    seen: list[str] = []
    convert = conversion.convert
    monkeypatch.setattr(conversion, "convert", lambda data, task, path: (seen.append(path), convert(data, task, path))[1])
    return seen


def files_of_cache() -> list[Path]:
    return sorted(Path(result_cache._FOLDER).iterdir())


def test_only_what_changed_is_encoded(converted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["encode", "src", "-o", "out"]
    assert main(words) == 0 and len(converted) == 3
    first = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    converted.clear()
    capsys.readouterr()
    assert main(words) == 0 and converted == []
    assert capsys.readouterr().err == "3 files encoded, 3 of them unchanged since an earlier run\n"
    status = os.stat("src/b.py")
    Path("src/b.py").write_text("b = f(1, 3)\n")  # as long as before
    os.utime("src/b.py", ns=(status.st_atime_ns, status.st_mtime_ns))  # and as old
    assert main(words) == 0 and converted == ["src/b.py"]
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == {**first, "b.simpy": b"b=f(1 3)"}


@pytest.mark.parametrize("harm", ["missing", "changed", "truncated"])
def test_a_result_that_is_not_there_is_written_again(harm: str, converted: list[str]) -> None:
    words = ["encode", "src", "-o", "out", "-q"]
    assert main(words) == 0
    converted.clear()
    path = Path("out/a.simpy")
    path.unlink() if harm == "missing" else path.write_text("a=f(1 9)" if harm == "changed" else "a=")
    assert main([*words, "--check"]) == 1
    assert main(words) == 0 and set(converted) == {"src/a.py"}
    assert path.read_text() == "a=f(1 2)"
    assert main([*words, "--check"]) == 0


def test_other_options_are_other_results(converted: list[str]) -> None:
    for options in ([], ["--dialect", "dense"], ["--fast"], ["--dialect", "compact"], ["--no-cache"]):
        converted.clear()
        assert main(["encode", "src", "-o", "out", "-q", *options]) == 0
        assert len(converted) == 3, options
    Path("mine.lark").write_text('%extends classic\nDEF: "<fn>"\n')
    assert main(["encode", "src", "-o", "fitted", "-q", "--dialect", "mine.lark"]) == 0
    Path("mine.lark").write_text('%extends classic\nARGUMENT_SEP: ","\n')
    assert main(["encode", "src", "-o", "fitted", "-q", "--dialect", "mine.lark"]) == 0
    assert Path("fitted/a.simpy").read_text() == "a=f(1,2)"


def test_in_place_layout(converted: list[str]) -> None:
    words = ["encode", "src", "--in-place", "--dialect", "python", "-q"]
    Path("src/a.py").write_text("a = f( 1,2 )\n")
    assert main(words) == 0 and Path("src/a.py").read_text() == "a = f(1, 2)\n"
    assert main(words) == 0
    converted.clear()
    assert main(words) == 0 and converted == []
    assert main(["encode", "src", "--in-place", "-q"]) == 0
    assert sorted(path.name for path in Path("src").iterdir()) == ["a.simpy", "b.simpy", "c.simpy"]


def test_errors_are_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src/b.py").write_text("b = = 1\n")
    for _ in range(2):
        assert main(["encode", "src", "-o", "out", "-q"]) == 2
        assert capsys.readouterr().err.startswith("src/b.py:1:5: error: invalid syntax\n")


def test_check_remembers_what_came_back_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("src/d.py").write_text("d = = 1\n")
    assert main(["check", "src", "--json"]) == 0
    first = capsys.readouterr()
    encode, seen = transpiler.encode, []
    monkeypatch.setattr(transpiler, "encode", lambda text, **options: (seen.append(text), encode(text, **options))[1])
    assert main(["check", "src", "--json"]) == 0
    second = capsys.readouterr()
    assert seen == [] and second.out == first.out
    assert second.err.endswith("3 files checked in 7 dialects: 3 the same (3 unchanged since an earlier run), 1 skipped\n")
    Path("src/a.py").write_text("a = 0x1\n")
    assert main(["check", "src"]) == 0 and set(seen) == {"a = 0x1\n"}
    seen.clear()
    assert main(["check", "src", "--no-cache"]) == 0 and len(set(seen)) == 3


def test_a_failure_is_never_remembered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    decode = transpiler.decode
    with monkeypatch.context() as patched:
        patched.setattr(transpiler, "decode", lambda text, **options: decode(text.replace("1", "7"), **options))
        for _ in range(2):
            assert main(["check", "src", "-q"]) == 1
    assert main(["check", "src"]) == 0
    assert "unchanged" not in capsys.readouterr().err


@pytest.mark.parametrize("harm", [b"", b"nonsense", b"\xff\n{}", b"0" * 32 + b"\n{}", "truncated", "edited"])
def test_a_damaged_cache_is_not_read(harm: bytes | str, converted: list[str]) -> None:
    assert main(["encode", "src", "-o", "out", "-q"]) == 0
    (path,) = files_of_cache()
    data = path.read_bytes()
    path.write_bytes(harm if isinstance(harm, bytes) else data[:-9] if harm == "truncated" else data.replace(b",12,", b",13,"))
    converted.clear()
    result_cache._loaded.clear()
    assert main(["encode", "src", "-o", "out", "-q"]) == 0 and len(converted) == 3
    result_cache._loaded.clear()
    assert main(["encode", "src", "-o", "out", "-q"]) == 0 and len(converted) == 3


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the place of the folder")
    for _ in range(2):
        assert main(["encode", "src", "-o", "out", "-q"]) == 0


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "_MOST_ENTRIES", 10)
    monkeypatch.setattr(result_cache, "_MOST_FILES", 3)
    for number in range(5):
        cache = ResultCache("convert", str(number))
        for part in range(4):
            cache.keep((f"{part}-{i}", ("digest", i, i)) for i in range(6))
        assert cache.find("3-5") == ("digest", 5, 5) and cache.find("0-0") is None
        assert len(json.loads(Path(cache.path).read_bytes().split(b"\n", 1)[1])) == 10
    assert len(files_of_cache()) == 3 and Path(cache.path) in files_of_cache()


def test_the_key_names_code_python_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {ResultCache(what, options).path for what in ("convert", "check") for options in ("1", "2")}
    monkeypatch.setattr(sys, "version", "another")
    paths.add(ResultCache("check", "1").path)
    monkeypatch.setattr(result_cache, "code_digest", lambda packages: "another")
    paths.add(ResultCache("check", "1").path)
    assert len(paths) == 6


def test_runs_at_once(tmp_path: Path) -> None:
    """Two runs over different files share a cache, and both results are right."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for i in range(8):
        Path(f"src/m{i}.py").write_text(f"x = f({i}, {i})\n")
    command = [sys.executable, "-m", "simpy_cli", "encode", "src", "-q", "-j", "2", "-o"]
    runs = [subprocess.Popen([*command, out], env=environment) for out in ("one", "two")]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    for out in ("one", "two"):
        assert {path.name for path in Path(out).iterdir()} == {f"{path.stem}.simpy" for path in Path("src").iterdir()}
        assert Path(out, "m7.simpy").read_text() == "x=f(7 7)"
