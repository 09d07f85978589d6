"""Files as they are on real machines: any encoding, links, no permission, full disks, other programs at work, and kills.

``HYPOTHESIS_PROFILE=deep`` kills 200 times instead of a few.
"""

from __future__ import annotations

import ast
import codecs
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from simpy_cli import conversion, files, paths
from simpy_cli.main import main

ROOT = Path(__file__).parent.parent
DEEP = settings().max_examples > 1000
DIALECTS = ("classic", "dense", "dense-newline", "compact")
PROGRAM = "def f(a, b=1):\n    return a < b  # é\n"
SIMPY = "<def_stmt>f a b=1<block_start><return>a<l>b# é\n<block_end>"


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree(folder: str = ".") -> dict[str, bytes]:
    """What a folder holds, by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def dump(source: bytes) -> str:
    """The syntax tree of a Python file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.dump(ast.parse(source))


def command(*words: str) -> list[str]:
    """The command as a process of its own."""
    return [sys.executable, "-m", "simpy_cli", *words]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

# ------------------------------------------------------------------------------------------------------------ encodings

ENCODED = {
    "utf-8": "x = 'é\u2028\x85'  # ж\n".encode(),
    "byte order mark": codecs.BOM_UTF8 + "x = 'é'\n".encode(),
    "byte order mark and declaration": codecs.BOM_UTF8 + "# coding: utf-8\nx = 'é'\n".encode(),
    "latin-1": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
    "latin-1 in the second line": "#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\nx = '€'\n".encode("iso-8859-15"),
    "cp1252": "# coding=cp1252\nx = '“€”'  # …\n".encode("cp1252"),
    "koi8-r": "# coding: koi8-r\nимя = 'имя'\n".encode("koi8-r"),
    "shift_jis": "# coding: shift_jis\nx = '表示'\n".encode("shift_jis"),
    "no encoding in the third line": "x = 1\n\n# coding: latin-1\ny = 'é'\n".encode(),
    "CRLF": b"if a:\r\n    x = '''1\r\n2'''\r\nelse:\r\n    y = 3 # c\r\n",
    "CR": b"if a:\r    x = '''1\r2'''\relse:\r    y = 3 # c\r",
    "mixed newlines": b"a = 1\r\nb = 2\rc = 3\nd = '''\r\n\r\n'''\n",
    "form feed": b"\x0cx = 1\n\x0c\ndef f():\n\x0c    return 2\x0c\n",
    "no newline at the end": b"x = 1",
    "nothing but a byte order mark": codecs.BOM_UTF8,
    "latin-1 and CRLF": "# coding: latin-1\r\nx = 'é'\r\n".encode("latin-1"),
}


@pytest.mark.parametrize("case", ENCODED)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_encoding_there_and_back(case: str, dialect: str) -> None:
    """Into the dialect, on into another, and back: the program of the first file, each step in a file."""
    other = DIALECTS[DIALECTS.index(dialect) - 1]
    Path("a.py").write_bytes(ENCODED[case])
    assert main(["encode", "--dialect", dialect, "a.py", "-o", "b.simpy", "-q"]) == 0
    assert main(["convert", "--from", dialect, "--to", other, "b.simpy", "-o", "c.simpy", "-q"]) == 0
    for name, written in (("b.simpy", dialect), ("c.simpy", other)):
        assert main(["decode", "--dialect", written, name, "-o", "d.py", "-q"]) == 0
        assert dump(Path("d.py").read_bytes()) == dump(ENCODED[case])


NOT_ENCODED = {
    "bad utf-8": (b"x = 1\ny = '\xff'\n", "a.py:2:6: error: byte 0xff is not utf-8"),
    "utf-8 cut short": (b"x = '\xe2\x82'\n", "a.py:1:6: error: byte 0xe2 is not utf-8"),
    "utf-16": ("x = 1\n".encode("utf-16"), "a.py:1:1: error: byte 0xff is not utf-8"),
    "byte order mark and latin-1": (codecs.BOM_UTF8 + b"# coding: latin-1\n", "a UTF-8 byte order mark in a file that declares latin-1"),
    "no text encoding": (b"# coding: rot13\nx = 1\n", " is not a text encoding"),
    "wide declaration": (b"# coding: utf-16\nx = 1\n", "is not utf-16"),
    "ascii that is none": (b"# coding: ascii\nx = '\xe9'\n", "a.py:2:6: error: byte 0xe9 is not ascii"),
}


@pytest.mark.parametrize("case", NOT_ENCODED)
def test_text_that_is_none_is_refused_and_kept(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, message = NOT_ENCODED[case]
    Path("a.py").write_bytes(data)
    assert main(["encode", "--in-place", "a.py", "-q"]) == 2
    assert message in capsys.readouterr().err
    assert tree() == {"a.py": data}


# ---------------------------------------------------------------------------------------------------------------- links


def test_links_to_files_and_folders_are_read_and_stay() -> None:
    Path("real").mkdir()
    Path("real/a.py").write_text(PROGRAM, encoding="utf-8")
    Path("src").mkdir()
    Path("src/folder").symlink_to("../real")
    Path("src/link.py").symlink_to("../real/a.py")
    assert main(["encode", "src", "-o", "out", "-q"]) == 0
    assert tree("out") == {"folder/a.simpy": SIMPY.encode(), "link.simpy": SIMPY.encode()}
    assert main(["encode", "--in-place", "src", "-q"]) == 2, "what links lead to is another's"
    assert Path("src/folder").is_symlink() and Path("src/link.py").is_symlink()
    assert tree("real") == {"a.py": PROGRAM.encode()}


def test_loops_of_links_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.py").symlink_to("two.py")
    Path("two.py").symlink_to("one.py")
    Path("d").mkdir()
    Path("d/up").symlink_to("../d")
    Path("d/a.py").write_text("x = 1\n")
    assert main(["encode", "one.py", "d", "-o", "out", "-q"]) == 2
    found = capsys.readouterr().err
    assert "one.py: error: too many levels of symbolic links" in found
    assert "d/up: error: a symbolic link back to a folder that holds it" in found
    assert tree("out") == {"a.simpy": b"x=1"}


def test_output_through_a_link_to_nothing_makes_its_target() -> None:
    Path("a.py").write_text("x = 1\n")
    Path("link.simpy").symlink_to("real.simpy")
    assert main(["encode", "a.py", "-o", "link.simpy", "-q"]) == 0
    assert Path("link.simpy").is_symlink() and Path("real.simpy").read_bytes() == b"x=1"


def test_output_through_a_loop_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("x = 1\n")
    Path("loop.simpy").symlink_to("loop.simpy")
    assert main(["encode", "a.py", "-o", "loop.simpy", "-q"]) == 2
    assert "error: " in capsys.readouterr().err
    assert Path("loop.simpy").is_symlink()


def test_a_name_as_long_as_the_file_system_allows() -> None:
    name = "名" * 80  # 240 bytes, and a temporary file beside it needs a name too
    Path(f"{name}.py").write_text("x = 1\n")
    assert main(["encode", "--in-place", f"{name}.py", "-q"]) == 0
    assert tree() == {f"{name}.simpy": b"x=1"}


# ---------------------------------------------------------------------------------------------------------- permissions


def as_nobody(work: Callable[[], int]) -> int:
    """The exit code of some work, done in a process that may not do everything."""
    child = os.fork()
    if not child:
        code = 99
        try:
            if os.geteuid() == 0:
                os.setegid(65534)
                os.seteuid(65534)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def reachable(tmp_path: Path) -> Iterator[None]:
    """Let another user into the folder of this test."""
    above = [folder for folder in tmp_path.parents if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001]
    modes = {folder: folder.stat().st_mode for folder in (tmp_path, *above)}
    for folder in modes:
        folder.chmod(0o755)
    yield
    for folder, mode in modes.items():
        folder.chmod(mode)


@pytest.mark.usefixtures("reachable")
def test_a_file_that_may_not_be_read(capfd: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir(mode=0o777)
    Path("out").chmod(0o777)
    for name, mode in (("a.py", 0o000), ("b.py", 0o644)):
        Path(name).write_text("x = 1\n")
        Path(name).chmod(mode)
    assert as_nobody(lambda: main(["encode", "a.py", "b.py", "-o", "out", "-q"])) == 2
    assert capfd.readouterr().err == "a.py: error: permission denied\n"
    assert tree("out") == {"b.simpy": b"x=1"}


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize(
    "words", [["encode", "src/a.py", "-o", "src/a.simpy"], ["encode", "--in-place", "src/a.py"], ["encode", "--in-place", "src"]]
)
def test_a_folder_that_may_not_be_written(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    Path("src/a.py").write_text("x = 1\n")
    Path("src").chmod(0o555)
    assert as_nobody(lambda: main([*words, "-q"])) == 2
    assert "error: permission denied\n" in capfd.readouterr().err
    Path("src").chmod(0o755)
    assert tree() == {"src/a.py": b"x = 1\n"}


@pytest.mark.usefixtures("reachable")
def test_a_folder_that_may_not_be_listed(capfd: pytest.CaptureFixture[str]) -> None:
    Path("src/deep").mkdir(parents=True)
    Path("src/deep").chmod(0o000)
    Path("src/a.py").write_text("x = 1\n")
    Path("out").mkdir()
    Path("out").chmod(0o777)
    assert as_nobody(lambda: main(["encode", "src", "-o", "out", "-q"])) == 2
    assert capfd.readouterr().err == "src/deep: error: permission denied\n"
    assert tree("out") == {"a.simpy": b"x=1"}


def test_permission_bits_go_along() -> None:
    Path("a.py").write_text("x = 1\n")
    Path("a.py").chmod(0o640)
    for words in (["encode", "--in-place", "a.py"], ["decode", "--in-place", "a.simpy"], ["encode", "a.py", "-o", "b.simpy"]):
        assert main([*words, "-q"]) == 0
    assert [path.stat().st_mode & 0o777 for path in (Path("a.py"), Path("b.simpy"))] == [0o640, 0o640]


# ------------------------------------------------------------------------------------------------------------ full disks


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_device() -> None:
    Path("a.py").write_text("x = 1\n")
    for words, output in ((["a.py"], "/dev/full"), (["a.py", "-o", "/dev/full"], os.devnull)):
        with open(output, "wb") as stdout:
            done = subprocess.run(
                command("encode", *words, "-q"), stdout=stdout, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, timeout=120
            )
        assert done.returncode == 2, done.stderr
        assert "error: no space left on device\n" in done.stderr
        assert "Traceback" not in done.stderr
    assert tree() == {"a.py": b"x = 1\n"}


@pytest.mark.parametrize("words", [["encode", "--in-place", "a.py"], ["encode", "a.py", "-o", "b.simpy"]])
def test_a_disk_that_fills_up_while_writing(words: list[str]) -> None:
    """A limit on the size of files fails in the middle of a write, as a disk that fills up does."""
    program = "".join(f"x{i} = {i}\n" for i in range(3000)).encode()
    Path("a.py").write_bytes(program)
    if "-o" in words:
        Path("b.simpy").write_text("old")
    before = tree()
    full = ["import resource, sys", "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))", "from simpy_cli.main import main"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*full, f"sys.exit(main({[*words, '-q']!r}))"])],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "error: file too large\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree() == before, "the old files are whole, and no piece is left behind"


# -------------------------------------------------------------------------------------------------- others at the same files


def test_a_file_that_vanishes_before_it_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.py", "b.py"):
        Path(name).write_text("x = 1\n")
    real = paths.plan

    def plan(*args: object) -> object:
        Path("a.py").unlink()
        return real(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr("simpy_cli.convert_all.plan", plan)
    assert main(["encode", "a.py", "b.py", "-o", "out", "-q"]) == 2
    assert capsys.readouterr().err == "a.py: error: no such file or directory\n"
    assert tree() == {"b.py": b"x = 1\n", "out/b.simpy": b"x=1"}


@pytest.mark.parametrize("words", [["encode", "a.py"], ["convert", "--to", "dense", "a.simpy"]])
def test_a_file_that_vanishes_while_it_is_converted(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(words[-1]).write_text("x=1")
    real = conversion.convert

    def slow(*args: object) -> object:
        Path(words[-1]).unlink()
        return real(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(conversion, "convert", slow)
    assert main([*words, "--in-place", "-q"]) == 2
    assert "error: no such file or directory\n" in capsys.readouterr().err
    assert tree() == {}


@pytest.mark.parametrize("when", ["while it is read", "while the result is written"])
@pytest.mark.parametrize("words", [["encode", "a.py"], ["convert", "--to", "dense", "a.simpy"]])
def test_what_another_program_writes_meanwhile_is_never_lost(words: list[str], when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = words[-1]
    Path(name).write_text("x=1\n" if name == "a.py" else "<del_stmt>x")
    step = "fstat" if when == "while it is read" else "fsync"
    real = getattr(os, step)
    changed: list[bool] = []

    def slow(handle: int) -> object:
        if not changed:
            changed.append(True)
            with open(name, "a") as file:
                file.write("y=2\n" if name == "a.py" else "<pass>")
        return real(handle)

    monkeypatch.setattr(files.os, step, slow)
    main([*words, "--in-place", "-q"])
    assert changed and any(b"y=2" in data or b"<pass>" in data for data in tree().values())


def test_two_runs_at_once() -> None:
    """Four commands on the same folder: every file is converted once, whole; who comes late says so."""
    Path("src").mkdir()
    expected = {}
    for i in range(25):
        Path(f"src/m{i}.py").write_text(f"x = {i}\n" * 50)
        expected[f"m{i}.simpy"] = "<line_sep>".join([f"x={i}"] * 50).encode()
    running = [
        subprocess.Popen(command("encode", "--in-place", "src", "-q"), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[1] for process in running]
    assert not [text for text in said if "Traceback" in text or "internal error" in text]
    assert {process.returncode for process in running} <= {0, 2}
    assert tree("src") == expected


def test_two_runs_to_one_output() -> None:
    """Two different results for one name: one of them stands there in the end, whole."""
    whole = set()
    for name in "ab":
        Path(f"{name}.py").write_text(f"{name} = 1\n" * 20000)
        whole.add("<line_sep>".join([f"{name}=1"] * 20000).encode())
    running = [subprocess.Popen(command("encode", "--fast", f"{name}.py", "-o", "out.simpy", "-q"), env=ENVIRONMENT) for name in "ab"]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert Path("out.simpy").read_bytes() in whole
    assert sorted(path.name for path in Path().iterdir()) == ["a.py", "b.py", "out.simpy"]


# ---------------------------------------------------------------------------------------------------------------- kills

_KILLS = 200 if DEEP else 12
_FILES = 60


def test_killed_at_any_moment_every_file_is_whole() -> None:
    """``simpy encode --in-place`` killed at random moments: each file is the old one or the new one, and a second run finishes."""
    old = {f"m{i}.py": f"x{i} = {i}\n".encode() * 400 for i in range(_FILES)}
    new = {f"m{i}.simpy": b"<line_sep>".join([f"x{i}={i}".encode()] * 400) for i in range(_FILES)}
    # A process that has started up waits for its files, so that every kill falls into the work and not into the start.
    code = "import sys\nfrom simpy_cli.main import main\nprint(flush=True)\nsys.stdin.readline()\nsys.exit(main(sys.argv[1:]))"
    random_moment = random.Random(5)
    longest, met = 0.0, set()
    for number in range(_KILLS + 1):
        shutil.rmtree("src", ignore_errors=True)
        Path("src").mkdir()
        for name, data in old.items():
            Path("src", name).write_bytes(data)
        with subprocess.Popen(
            [sys.executable, "-c", code, "encode", "--in-place", "--fast", "src", "-q"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
        ) as process:
            assert process.stdin and process.stdout
            process.stdout.readline()
            begun = time.perf_counter()
            process.stdin.write("\n")
            process.stdin.flush()
            if number:
                time.sleep(random_moment.uniform(0, longest))
                process.send_signal(signal.SIGKILL)
            assert process.wait(timeout=60) in (0, -signal.SIGKILL)
            longest = longest or time.perf_counter() - begun  # the first run is not killed
        here = tree("src")
        for before, after in zip(old, new, strict=True):
            assert before in here or after in here, f"{before} is gone"
            assert here.get(before, old[before]) == old[before], f"{before} is torn"
            assert here.get(after, new[after]) == new[after], f"{after} is torn"
        assert all(name in old or name in new or name.startswith(".simpy-") for name in here)
        met.add(sum(name in here for name in new))
    assert main(["encode", "--in-place", "src", "-q"]) in (0, 2)  # a folder whose files are all done has none to convert
    assert {name: data for name, data in tree("src").items() if not name.startswith(".")} == new
    assert len(met) > 2, f"the kills fell into no work: {met}"
