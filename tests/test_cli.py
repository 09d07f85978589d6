"""``simpy encode``, ``decode`` and ``convert``: where results go, and what is said about it. Bad input is in ``test_cli_errors``."""

from __future__ import annotations

import ast
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simpy_cli import registry
from simpy_cli.main import build_parser, main
from simpy_cli.options import DIALECTS
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON
from tests.helpers import estimated

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "two_sum.py"
GOLDEN = (
    "<def_stmt>two_sum nums:list[int] target:int<arrow>list[int]<block_start>chk_map:dict[int int]={}<for_stmt>index,val enumerate(nums)"
    "<block_start>compl=target-val<if_stmt>compl<in>chk_map<block_start><return>[chk_map[compl] index]<block_end>chk_map[val]=index"
    "<block_end><return>[]<block_end>"
)


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simpy(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "simpy_cli", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=120, **options)  # type: ignore[call-overload,no-any-return]  # one dict of several types


def tree(folder: Path) -> dict[str, str]:
    """What a folder holds, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_golden_example_in_a_process() -> None:
    done = simpy("encode", str(EXAMPLE))
    assert (done.returncode, done.stdout) == (0, GOLDEN)
    assert done.stderr == f"1 file encoded, {estimated(73, 59)}\n"


def test_golden_example_and_back_through_pipes() -> None:
    encoded = simpy("encode", "-", "-q", input=EXAMPLE.read_text())
    decoded = simpy("decode", "-", "-q", input=encoded.stdout)
    assert (decoded.stdout, decoded.stderr) == (EXAMPLE.read_text(), "")


def test_encode_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "a.py"]) == 0
    assert tuple(capsys.readouterr()) == ("x=1", f"1 file encoded, {estimated(5, 3)}\n")


def test_encode_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "a.py", "-o", "deep/b.simpy"]) == 0
    assert Path("deep/b.simpy").read_text() == "x=1"
    assert capsys.readouterr().out == ""


def test_one_file_into_a_folder() -> None:
    Path("a.py").write_text("x = 1\n")
    Path("out").mkdir()
    assert main(["encode", "a.py", "-o", "out"]) == 0
    assert main(["encode", "a.py", "-o", "new/"]) == 0
    assert tree(Path("out")) == tree(Path("new")) == {"a.simpy": "x=1"}


def test_folder_is_mirrored(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("src/a.py", "src/p/b.py", "src/p/c.pyi", "src/.hidden/d.py", "src/__pycache__/e.py", "src/notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x = 1\n")
    assert main(["encode", "src", "-o", "out", "-v"]) == 0
    assert tree(Path("out")) == {"a.simpy": "x=1", "p/b.simpy": "x=1", "p/c.pyi.simpy": "x=1"}
    assert capsys.readouterr().err == (
        f"src/a.py -> {Path('out/a.simpy')}: 6 -> 3 characters\n"
        f"src/p/b.py -> {Path('out/p/b.simpy')}: 6 -> 3 characters\n"
        f"src/p/c.pyi -> {Path('out/p/c.pyi.simpy')}: 6 -> 3 characters\n"
        f"3 files encoded, {estimated(15, 9)}\n"
    )
    assert main(["decode", "out", "-o", "back", "-q"]) == 0
    assert tree(Path("back")) == {"a.py": "x = 1\n", "p/b.py": "x = 1\n", "p/c.pyi": "x = 1\n"}


def test_output_folder_inside_the_input_is_not_read_again() -> None:
    Path("src").mkdir()
    Path("src/a.simpy").write_text("x=1")
    for _ in range(2):
        assert main(["convert", "--to", "classic", "src", "-o", "src/out", "-q"]) == 0
    assert tree(Path("src")) == {"a.simpy": "x=1", "out/a.simpy": "x=1"}


def test_processes_give_the_same_in_the_same_order(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    for i in range(12):
        Path(f"src/m{i}.py").write_text(f"x = {i}\n" if i != 5 else "x = = 1\n")
    seen = []
    for jobs in ("1", "2"):
        assert main(["encode", "src", "-o", f"out{jobs}", "-v", "-j", jobs]) == 2
        seen.append(capsys.readouterr().err.replace(f"out{jobs}", "out"))
    assert seen[0] == seen[1]
    assert "11 files encoded" in seen[0]
    assert tree(Path("out1")) == tree(Path("out2"))


def test_in_place_and_back() -> None:
    Path("src").mkdir()
    Path("src/a.py").write_text("def f(a, b):\n    return a\n")
    Path("src/a.py").chmod(0o750)
    assert main(["encode", "--in-place", "src", "-q"]) == 0
    assert tree(Path("src")) == {"a.simpy": "<def_stmt>f a b<block_start><return>a<block_end>"}
    if os.name == "posix":
        assert stat.S_IMODE(Path("src/a.simpy").stat().st_mode) == 0o750
    assert main(["convert", "--to", "compact", "--in-place", "src", "-q"]) == 0
    assert ast.dump(ast.parse(Path("src/a.simpy").read_text())) == ast.dump(ast.parse("def f(a, b):\n    return a\n"))
    assert main(["decode", "--dialect", "compact", "--in-place", "src", "-q"]) == 0
    assert list(tree(Path("src"))) == ["a.py"]


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace", "unlink"])
def test_in_place_crash_leaves_a_whole_version(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.py").write_text("x = 1\n")
    real = getattr(os, step)

    def crash(*args: object) -> None:
        if step != "unlink" or args == ("a.py",):
            raise KeyboardInterrupt
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, step, crash)
        assert main(["encode", "--in-place", "a.py"]) == 130
    here = tree(Path())
    assert here == ({"a.py": "x = 1\n", "a.simpy": "x=1"} if step == "unlink" else {"a.py": "x = 1\n"})
    # and running it again finishes the work
    assert main(["encode", "--in-place", "a.py", "-q"]) == 0
    assert tree(Path()) == {"a.simpy": "x=1"}


def test_in_place_does_not_overwrite_another_program(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("a.simpy").write_text("y=2")
    assert main(["encode", "--in-place", "a.py", "-q"]) == 2
    assert (
        capsys.readouterr().err
        == "a.py: error: a.simpy is there already and is not this program\nhint: remove it, or write elsewhere with -o\n"
    )
    assert tree(Path()) == {"a.py": "x = 1\n", "a.simpy": "y=2"}


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need a privilege on Windows")
def test_output_through_a_link_keeps_the_link() -> None:
    Path("a.py").write_text("x = 1\n")
    Path("real.simpy").write_text("old")
    Path("link.simpy").symlink_to("real.simpy")
    assert main(["encode", "a.py", "-o", "link.simpy", "-q"]) == 0
    assert Path("link.simpy").is_symlink()
    assert Path("real.simpy").read_text() == "x=1"


@pytest.mark.skipif(os.name != "posix", reason="there is no /dev/null")
def test_output_to_a_device_leaves_the_device() -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "a.py", "-o", "/dev/null", "-q"]) == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_check_tells_by_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "--check", "a.py"]) == 0  # to standard output: no file would change
    assert tuple(capsys.readouterr()) == ("", f"1 file would be encoded, {estimated(5, 3)}\n")
    assert main(["encode", "--check", "a.py", "-o", "a.simpy"]) == 1
    assert tuple(capsys.readouterr()) == ("", f"would write a.simpy\n1 file would be encoded, {estimated(5, 3)}, 1 would change\n")
    assert not Path("a.simpy").exists()
    assert main(["encode", "a.py", "-o", "a.simpy", "-q"]) == 0
    assert main(["encode", "--check", "a.py", "-o", "a.simpy"]) == 0
    assert main(["encode", "--check", "--in-place", "a.py"]) == 1
    Path("a.py").write_text("x = 2\n")
    assert main(["encode", "--check", "a.py", "-o", "a.simpy"]) == 1
    assert tree(Path()) == {"a.py": "x = 2\n", "a.simpy": "x=1"}


def test_diff_of_input_and_result(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "--diff", "a.py", "-q"]) == 0
    assert capsys.readouterr().out == "--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x = 1\n+x=1\n\\ No newline at end of file\n"


def test_diff_against_the_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text("x=2<line_sep>y=1")
    Path("a.py").write_text("x = 1\ny = 1\n")
    assert main(["decode", "--diff", "--check", "a.simpy", "-o", "a.py", "-q"]) == 1
    assert capsys.readouterr().out == "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n y = 1\n"
    assert main(["decode", "--diff", "a.simpy", "-o", "new.py", "-q"]) == 0
    assert capsys.readouterr().out == "--- /dev/null\n+++ new.py\n@@ -0,0 +1,2 @@\n+x = 2\n+y = 1\n"
    assert not Path("new.py").exists()


@pytest.mark.parametrize("source", DIALECTS)
@pytest.mark.parametrize("target", DIALECTS)
def test_convert_between_all_dialects(source: str, target: str) -> None:
    program = (ROOT / "examples" / "inventory.py").read_text(encoding="utf-8")
    Path("a.py").write_text(program, encoding="utf-8")
    for words in (
        ["encode", "--dialect", source, "a.py", "-o", "a.simpy"],
        ["convert", "--from", source, "--to", target, "a.simpy", "-o", "b.simpy"],
        ["decode", "--dialect", target, "b.simpy", "-o", "b.py"],
        ["encode", "--dialect", target, "a.py", "-o", "c.simpy"],
    ):
        assert main([*words, "-q"]) == 0
    assert ast.dump(ast.parse(Path("b.py").read_text())) == ast.dump(ast.parse(program))
    assert Path("b.simpy").read_bytes() == Path("c.simpy").read_bytes()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_newline_that_an_editor_added_is_no_error(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_bytes(f"x=1<line_sep>y=2{ending}".encode())
    assert main(["decode", "a.simpy", "-q"]) == 0
    assert capsys.readouterr().out == "x = 1\ny = 2\n"


def test_decoded_file_is_in_the_encoding_that_it_declares() -> None:
    source = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    Path("a.py").write_bytes(source)
    assert main(["encode", "--in-place", "a.py", "-q"]) == 0
    assert "é" in Path("a.simpy").read_text(encoding="utf-8")
    assert main(["decode", "--in-place", "a.simpy", "-q"]) == 0
    assert Path("a.py").read_bytes() == source
    assert subprocess.run([sys.executable, "a.py"], check=False).returncode == 0


def test_compact_file_is_in_the_encoding_that_it_declares() -> None:
    Path("a.py").write_bytes("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"))
    assert main(["encode", "--dialect", "compact", "a.py", "-o", "b.simpy", "-q"]) == 0
    assert ast.parse(Path("b.simpy").read_bytes()).body[0].value.value == "é"  # type: ignore[attr-defined]  # an assignment
    assert main(["decode", "--dialect", "compact", "b.simpy", "-o", "c.py", "-q"]) == 0
    assert ast.parse(Path("c.py").read_bytes()).body[0].value.value == "é"  # type: ignore[attr-defined]  # as above


def test_dialect_file() -> None:
    from simpy_grammar.dialect import Dialect

    Path("my.lark").write_text(Dialect.load("classic").with_spellings("my", {"DEF": ("<fn>",)}).format())
    Path("a.py").write_text("def f(a, b):\n    return a\n")
    assert main(["encode", "--dialect", "my.lark", "a.py", "-o", "a.simpy", "-q"]) == 0
    assert Path("a.simpy").read_text() == "<fn>f a b<block_start><return>a<block_end>"


def test_fast_skips_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("proved")

    monkeypatch.setattr("transpiler.conversion.prove", refuse)
    Path("a.py").write_text("x = 1\n")
    assert main(["encode", "--fast", "a.py", "-q"]) == 0
    assert main(["encode", "a.py", "-q"]) == 2


def test_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"    {name}" in text for name in registry.COMMANDS)
    assert "exit codes:\n  0  done\n  1  a check found something" in text
    for name in registry.COMMANDS:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert "examples:\n  " in text
        assert "exit codes:" in text


def test_no_command_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: simpy")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("simpy ")


def test_dialects_of_the_help_are_those_that_exist() -> None:
    assert [*BUILT_IN, COMPACT, PYTHON] == list(DIALECTS)


def modules_after(*words: str) -> set[str]:
    """The names of all modules that a command has imported when it ends."""
    code = f"import sys; from simpy_cli.main import main; main({list(words)!r}); print(); print(sorted(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_help_imports_no_converter() -> None:
    assert not {"transpiler", "simpy_grammar", "tree_sitter", "lark", "asyncio", "multiprocessing"} & modules_after("--help")


def test_encode_imports_nothing_heavy() -> None:
    assert not {"lark", "asyncio", "multiprocessing", "concurrent.futures", "difflib"} & modules_after("encode", str(EXAMPLE), "-q")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_on_a_terminal_only(no_color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    assert main(["encode", "missing.py", "-q"]) == 2
    plain = "missing.py: error: no such file or directory\n"
    assert screen.getvalue() == (plain if no_color else "\x1b[1mmissing.py:\x1b[0m \x1b[31;1merror:\x1b[0m no such file or directory\n")


def test_progress_bar_on_a_terminal_and_for_folders_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")  # what is in tiktoken's cache would count the tokens
    Path("src").mkdir()
    Path("src/a.py").write_text("x = 1\n")
    shown = []
    for paths in (["src"], ["src/a.py", "src/a.py"]):
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        assert main(["encode", *paths, "-o", "out", "--no-cache"]) == 0
        shown.append(screen.getvalue())
    assert shown[0] == f"\r[{'#' * 30}] 1/1\r\x1b[K1 file encoded, {estimated(5, 3)}\n"
    assert shown[1] == f"1 file encoded, {estimated(5, 3)}\n"


def test_product_on_a_terminal_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.py").write_text("x = 1\n")

    class Screen(Terminal):
        buffer = io.BytesIO()

    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["encode", "a.py", "-q"]) == 0
    assert screen.getvalue() == "x=1\n"


def test_parser_of_one_command_knows_all_names() -> None:
    text = build_parser(["encode"]).format_help()
    assert all(summary in text for summary in registry.COMMANDS.values())
