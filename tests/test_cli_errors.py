"""Bad input to the command: each a clear error, nothing written for that file, the others done, exit code 2, no traceback."""

from __future__ import annotations

import functools
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simpy_cli import conversion, files
from simpy_cli.main import main
from tests.helpers import estimated

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="symbolic links and pipes are POSIX here")


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: str) -> list[str]:
    """The files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


BAD_PYTHON = {
    "broken": (b"x = = 1\n", "bad.py:1:5: error: invalid syntax\n  x = = 1\n      ^\n"),
    "nul": (b"x = 1\0\n", "bad.py:1:6: error: source holds a NUL character\n  x = 1\N{REPLACEMENT CHARACTER}\n       ^\n"),
    "non-utf-8": (
        b"x = '\xe9'\n",
        "bad.py:1:6: error: byte 0xe9 is not utf-8\n  x = 'é'\n       ^\nhint: declare the encoding in the first line, "
        "e.g. # -*- coding: latin-1 -*-\n",
    ),
    "unknown encoding": (b"# coding: nonsense\n", "bad.py:1:1: error: unknown encoding 'nonsense'\n  # coding: nonsense\n  ^\n"),
}


@pytest.mark.parametrize("case", BAD_PYTHON)
def test_bad_python_beside_good(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, message = BAD_PYTHON[case]
    Path("bad.py").write_bytes(data)
    Path("good.py").write_text("x = 1\n")
    assert main(["encode", "bad.py", "good.py", "-o", "out"]) == 2
    assert tuple(capsys.readouterr()) == ("", message + f"1 file encoded, {estimated(5, 3)}, 1 error\n")
    assert names("out") == ["good.simpy"]
    assert main(["encode", "--in-place", "bad.py", "-q"]) == 2
    assert Path("bad.py").read_bytes() == data
    assert names(".") == ["bad.py", "good.py", "out/good.simpy"]


def test_python_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path("two.py").write_text("print 'x'\n")
    assert main(["encode", "two.py", "-q"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("two.py:1:1: error: Missing parentheses in call to 'print'")


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("classic", "<def_stmt>f a<block_start><return>a"),
        ("classic", "<def_stmt>f a<block_start><return>(a<block_end>"),
        ("classic", "f(a"),
        ("classic", "x=1<block_end>"),
        ("classic", "<block_end>"),
        ("classic", "<nonsense>x"),
        ("classic", "x='abc"),
        ("dense-newline", "f(a"),
        ("compact", "def f(a\n"),
    ],
)
def test_bad_simpy_beside_good(dialect: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.simpy").write_text(text)
    Path("good.simpy").write_text("x=1")
    assert main(["decode", "--dialect", dialect, "bad.simpy", "good.simpy", "-o", "out", "-q"]) == 2
    found = capsys.readouterr()
    assert found.err.startswith("bad.simpy:1:")
    assert ": error: " in found.err
    assert "Traceback" not in found.err
    assert names("out") == ["good.py"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x='\xe9'", "a.simpy:1:4: error: byte 0xe9 is not utf-8\n  x='é'\n     ^\nhint: SimPy files are UTF-8\n"),
        (
            b"x='\0'",
            "a.simpy:1:4: error: text holds a NUL character\n  x='\N{REPLACEMENT CHARACTER}'\n     ^\n"
            "hint: a SimPy file is text; is this one compiled or compressed?\n",
        ),
    ],
)
def test_simpy_that_is_no_text(data: bytes, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_bytes(data)
    assert main(["decode", "a.simpy", "-q"]) == 2
    assert tuple(capsys.readouterr()) == ("", message)


@pytest.mark.parametrize(
    ("written", "read", "hint"),
    [
        ("classic", "dense", "this is SimPy of the dialect classic"),
        ("dense", "classic", "this is SimPy of the dialect dense"),
        ("classic", "compact", "this is SimPy of the dialect classic"),
        ("compact", "classic", "this is Python already"),
    ],
)
def test_simpy_of_another_dialect(written: str, read: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("def f(a, b):\n    x = 1\n    if a:\n        return b\n    return x\n")
    assert main(["encode", "--dialect", written, "a.py", "-o", "a.simpy", "-q"]) == 0
    assert main(["decode", "--dialect", read, "a.simpy", "-q"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.endswith(f"\nhint: {hint}\n")


def test_a_text_that_breaks_off_is_not_taken_for_one_that_implies_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text("x=f(a")
    assert main(["decode", "--dialect", "dense", "a.simpy", "-q"]) == 2
    assert capsys.readouterr().err.endswith("error: the text ends inside brackets\n  x=f(a\n       ^\nhint: close them with )\n")


def test_simpy_of_invalid_python_points_into_the_simpy(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text("x=1<line_sep>f(a=1 b)")
    assert main(["decode", "a.simpy", "-o", "a.py", "-q"]) == 2
    found = capsys.readouterr().err
    assert found.startswith("a.simpy:1:")
    assert "error: the decoded program is not valid Python: positional argument follows keyword argument\n" in found
    assert found.endswith("hint: --fast decodes it anyway\n")
    assert not Path("a.py").exists()
    assert main(["decode", "--fast", "a.simpy", "-o", "a.py", "-q"]) == 0
    assert Path("a.py").read_text() == "x = 1\nf(a=1, b)\n"


def test_declared_encoding_that_cannot_hold_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("# coding: utf-8\nx = 'ж'\n", encoding="utf-8")
    assert main(["encode", "a.py", "-o", "a.simpy", "-q"]) == 0
    text = Path("a.simpy").read_text(encoding="utf-8").replace("utf-8", "latin-1")
    Path("a.simpy").write_text(text, encoding="utf-8")
    assert main(["decode", "a.simpy", "-o", "b.py", "-q"]) == 2
    assert capsys.readouterr().err == "a.simpy:2:6: error: the program declares iso8859-1, which has no 'ж'\n  x = 'ж'\n       ^\n"
    assert not Path("b.py").exists()


def test_missing_path_and_folder_without_python(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "missing.py", "empty", "a.py", "-o", "out"]) == 2
    assert capsys.readouterr().err == (
        "missing.py: error: no such file or directory\n"
        "empty: error: no Python files (*.py, *.pyi, *.pyw, *.ipynb) in this folder\n"
        f"1 file encoded, {estimated(5, 3)}, 2 errors\n"
    )
    assert main(["decode", "empty", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == "empty: error: no SimPy files (*.simpy, *.simpy.ipynb) in this folder\n"


def test_unreadable_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("b.py").write_text("x = 1\n")
    real = files.read

    def refuse(path: str) -> object:
        if path == "a.py":
            raise PermissionError(13, "Permission denied", path)  # root may read anything, so no mode makes this happen
        return real(path)

    monkeypatch.setattr(files, "read", refuse)
    assert main(["encode", "a.py", "b.py", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == "a.py: error: permission denied\n"
    assert names("out") == ["b.simpy"]


def test_output_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("file").write_text("")
    assert main(["encode", "a.py", "-o", "file/a.simpy", "-q"]) == 2
    assert "a directory" in capsys.readouterr().err or os.name != "posix"
    Path("out/a.simpy").mkdir(parents=True)
    assert main(["encode", "a.py", "-o", "out", "-q"]) == 2
    assert "error: " in capsys.readouterr().err
    assert names(".") == ["a.py", "file"]


def test_output_equal_to_input(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    for output in ("a.py", "./a.py", os.path.abspath("a.py")):
        assert main(["encode", "a.py", "-o", output, "-q"]) == 2
        assert capsys.readouterr().err == "a.py: error: the output is the input itself\nhint: use --in-place to replace a file\n"
    Path("d").mkdir()
    Path("d/a.simpy").write_text("x=1")
    assert main(["convert", "--to", "dense", "d", "-o", "d", "-q"]) == 2
    assert capsys.readouterr().err.startswith(f"{Path('d/a.simpy')}: error: the output is the input itself\n")
    assert Path("a.py").read_text() == "x = 1\n"


def test_outputs_that_collide(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("p", "q"):
        Path(folder).mkdir()
        Path(folder, "a.py").write_text(f"{folder} = 1\n")
    assert main(["encode", "p/a.py", "q/a.py", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == f"q/a.py: error: its result would overwrite that of p/a.py: both go to {Path('out/a.simpy')}\n"
    assert Path("out/a.simpy").read_text() == "p=1"


def test_output_that_is_another_input(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("a.simpy").write_text("y = 1\n")
    assert main(["encode", "--in-place", "a.py", "a.simpy", "-q"]) == 2
    assert capsys.readouterr().err == "a.py: error: its result would overwrite a.simpy, which is an input too\n"
    assert Path("a.py").exists()


@posix
def test_symbolic_link_loops(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src/deep").mkdir(parents=True)
    Path("src/a.py").write_text("x = 1\n")
    Path("src/deep/back").symlink_to("..")
    Path("src/self").symlink_to("self")
    Path("src/gone.py").symlink_to("nowhere.py")
    assert main(["encode", "src", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == (
        "src/gone.py: error: no such file or directory\n"
        "src/self: error: too many levels of symbolic links\n"
        "src/deep/back: error: a symbolic link back to a folder that holds it\n"
    )
    assert names("out") == ["a.simpy"]


@posix
def test_in_place_follows_no_links(capsys: pytest.CaptureFixture[str]) -> None:
    Path("real.py").write_text("x = 1\n")
    Path("link.py").symlink_to("real.py")
    assert main(["encode", "--in-place", "link.py", "-q"]) == 2
    assert capsys.readouterr().err == (
        "link.py: error: reached by a symbolic link, which --in-place does not follow\nhint: name the file that it points to\n"
    )
    assert Path("link.py").is_symlink()


@posix
def test_pipe_in_a_folder_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    os.mkfifo("src/p.py")
    assert main(["encode", "src", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == "src/p.py: error: not a regular file\n"


def test_file_that_changes_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    real = conversion.convert

    def slow(*args: object) -> object:
        Path("a.py").write_text("x = 1000\n")
        return real(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(conversion, "convert", slow)
    assert main(["encode", "--in-place", "a.py", "-q"]) == 2
    assert capsys.readouterr().err == "a.py: error: the file changed while it was being converted\nhint: run the command again\n"
    assert names(".") == ["a.py"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["encode", "a.py", "b.py"], "simpy encode: error: folders and several files need -o DIR or --in-place\n"),
        (["encode", "."], "simpy encode: error: folders and several files need -o DIR or --in-place\n"),
        (["encode", "-", "a.py", "-o", "out"], "simpy encode: error: - (standard input) stands alone\n"),
        (["decode", "-", "--in-place"], "simpy decode: error: standard input has no place: --in-place needs files\n"),
        (["encode", "a.py", "b.py", "-o", "-"], "simpy encode: error: only one file can go to standard output\n"),
        (["encode", "a.py", "b.py", "-o", "a.py"], "simpy encode: error: a.py is not a folder, and folders and several files need one\n"),
        (["encode", "--dialect", "nonsense", "a.py"], "nonsense"),
        (["run"], "simpy run: error: which program?\n"),
        (["check", "-", "a.py"], "simpy check: error: - (standard input) stands alone\n"),
        (["encode", "-j", "x", "a.py"], "simpy encode: error: argument -j/--jobs: 'x' is not a number of processes\n"),
        (["encode", "-o", "x", "--in-place", "a.py"], "simpy encode: error: argument --in-place: not allowed with argument -o/--output\n"),
        (["convert", "a.simpy"], "simpy convert: error: the following arguments are required: --to\n"),
        (["encode"], "simpy encode: error: the following arguments are required: PATH\n"),
        (["nonsense"], "simpy: error: "),
    ],
)
def test_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("b.py").write_text("x = 1\n")
    assert main(words) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert message in found.err
    assert names(".") == ["a.py", "b.py"]


def test_ambiguous_dialect_file_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    from simpy_grammar.dialect import Dialect

    Path("my.lark").write_text(
        Dialect.load("classic").with_spellings("my", {"DEF": ("<class_stmt>",), "CLASS": ("<class_stmt>",)}).format()
    )
    Path("a.py").write_text("x = 1\n")
    Path("b.py").write_text("x = 1\n")
    assert main(["encode", "--dialect", "my.lark", "a.py", "b.py", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err.count("error: ") == 1
    assert not Path("out").exists()


def test_bug_of_the_converter_costs_one_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("b.py").write_text("x = 2\n")
    real = conversion.convert

    def fail(data: bytes, *rest: object) -> object:
        if b"1" in data:
            raise KeyError("oops")
        return real(data, *rest)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(conversion, "convert", fail)
    assert main(["encode", "a.py", "b.py", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == (
        "a.py: error: internal error: KeyError: 'oops'\nhint: this is a bug of the converter: please report it with the file\n"
    )
    assert names("out") == ["b.simpy"]


def test_deep_nesting_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = " + "(" * 5000 + "1" + ")" * 5000 + "\n")
    assert main(["encode", "a.py", "-o", "a.simpy", "-q"]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(path: str) -> object:
        raise KeyboardInterrupt

    Path("a.py").write_text("x = 1\n")
    monkeypatch.setattr(files, "read", interrupt)
    assert main(["encode", "a.py"]) == 130
    assert tuple(capsys.readouterr()) == ("", "interrupted\n")


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt_of_a_process_is_quiet(jobs: str) -> None:
    Path("src").mkdir()
    program = "".join(f"def f{i}(a, b):\n    return a + b\n" for i in range(3000))
    for i in range(40):
        Path(f"src/m{i}.py").write_text(program)
    command = [sys.executable, "-m", "simpy_cli", "encode", "src", "-o", "out", "-j", jobs, "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # A shell that runs its tests in the background has SIGINT ignored, and so would this process.
    attend = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=attend) as process:
        while not Path("out").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")
    assert all(name.endswith(".simpy") and not name.startswith(".") for name in names("out"))


@posix
@pytest.mark.parametrize("words", [["encode", "a.py"], ["encode", "--diff", "a.py"], ["check", "--json", "a.py"], ["completion", "bash"]])
def test_closed_pipe_is_quiet(words: list[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "simpy_cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, timeout=120, check=False)
    os.close(writer)
    assert done.returncode == 141
    assert "error" not in done.stderr.lower()
    assert "traceback" not in done.stderr.lower()


def test_stdin_without_bytes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x = = 1"))
    assert main(["encode", "-", "-q"]) == 2
    assert capsys.readouterr().err == "<stdin>:1:5: error: invalid syntax\n  x = = 1\n      ^\n"


def test_encoding_simpy_by_mistake_has_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text("<def_stmt>f a<block_start><return>a<block_end>")
    assert main(["encode", "a.simpy", "-q"]) == 2
    assert capsys.readouterr().err.endswith("\nhint: the name ends in .simpy: to rewrite SimPy in another dialect use `simpy convert`\n")
