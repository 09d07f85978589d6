"""``simpy run``: the program sees what Python would show it, and its tracebacks point into the SimPy text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import transpiler
from simpy_cli.main import main
from simpy_cli.options import DIALECTS

ROOT = Path(__file__).parent.parent
columns = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 keeps no columns in its code")


def run(*words: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "simpy_cli", "run", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, cwd=cwd, timeout=120, **options)  # type: ignore[call-overload,no-any-return]  # one dict of several types


def program(folder: Path, python: str, dialect: str = "classic") -> str:
    """Write a program as SimPy; return its name."""
    path = folder / "prog.simpy"
    path.write_text(transpiler.encode(python, dialect=dialect), encoding="utf-8")
    return path.name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_program_sees_what_python_shows(dialect: str, tmp_path: Path) -> None:
    source = "import sys, helper\nprint(sys.argv, sys.path[0], __name__, __file__, __doc__, sys.modules['__main__'].helper is helper)\n"
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "prog.py").write_text(source)
    python = subprocess.run([sys.executable, "prog.py", "-x", "--", "y"], capture_output=True, text=True, cwd=tmp_path, check=True)
    done = run("--dialect", dialect, program(tmp_path, source, dialect), "-x", "--", "y", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == python.stdout.replace("prog.py", "prog.simpy")


def test_classes_dataclasses_and_pickles_find_their_module(tmp_path: Path) -> None:
    source = "import pickle\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(pickle.loads(pickle.dumps(P(1))))\n"
    assert run(program(tmp_path, source), cwd=tmp_path).stdout == "P(x=1)\n"


@pytest.mark.parametrize(("code", "expected", "err"), [("3", 3, ""), ("", 0, ""), ("'why'", 1, "why\n"), ("None", 0, "")])
def test_exit_code_is_the_programs(code: str, expected: int, err: str, tmp_path: Path) -> None:
    done = run(program(tmp_path, f"import sys\nprint('out')\nsys.exit({code})\n"), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (expected, "out\n", err)


def test_program_from_standard_input(tmp_path: Path) -> None:
    done = run("-", "a", cwd=tmp_path, input="<import_stmt>sys<line_sep>print(sys.argv sys.path[0]<eq>'')<line_sep>1/0")
    assert done.stdout == "['-', 'a'] True\n"
    assert done.returncode == 1
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "<stdin>", line 1, column ')


@columns
def test_traceback_points_into_the_simpy(tmp_path: Path) -> None:
    name = program(tmp_path, "def f(table, key):\n    return table[key] + 1\n\n\nprint(f({'é': 1}, 'x'))\n")
    done = run(name, cwd=tmp_path)
    assert done.returncode == 1
    line = "<def_stmt>f table key<block_start><return>table[key]+1<block_end>print(f({'é':1} 'x'))"
    call, item = "f({'é':1} 'x')", "table[key]"
    assert done.stderr == (
        "Traceback (most recent call last):\n"
        f'  File "{tmp_path / name}", line 1, column {line.index(call) + 1}, in <module>\n'
        f"    {line}\n    {' ' * line.index(call)}{'^' * len(call)}\n"
        f'  File "{tmp_path / name}", line 1, column {line.index(item) + 1}, in f\n'
        f"    {line}\n    {' ' * line.index(item)}{'^' * len(item)}\n"
        "KeyError: 'x'\n"
    )


@columns
def test_traceback_shows_the_part_of_a_long_line_that_matters(tmp_path: Path) -> None:
    before = "".join(f"value_{i} = {i}\n" for i in range(500))
    text = run(program(tmp_path, before + "value_3 / value_0\n" + before), cwd=tmp_path).stderr
    _, where, line, caret, error = text.splitlines()
    assert where.endswith(", in <module>")
    assert len(line) <= 104
    assert line[caret.index("^") : caret.rindex("^") + 1] == "value_3/value_0"
    assert error == "ZeroDivisionError: division by zero"


def test_traceback_with_causes_and_contexts(tmp_path: Path) -> None:
    source = (
        "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n        raise ValueError('no') from error\n"
        "try:\n    f()\nexcept ValueError:\n    [][1]\n"
    )
    text = run(program(tmp_path, source), cwd=tmp_path).stderr
    order = [
        "ZeroDivisionError: division by zero",
        "The above exception was the direct cause of the following exception:",
        "ValueError: no",
        "During handling of the above exception, another exception occurred:",
        "IndexError: list index out of range",
    ]
    assert [line for line in text.splitlines() if line in order] == order
    assert "simpy_cli" not in text


def test_traceback_through_the_library_and_a_deep_recursion(tmp_path: Path) -> None:
    text = run(program(tmp_path, "import json\njson.loads('{')\n"), cwd=tmp_path).stderr
    assert "decoder.py" in text
    assert text.splitlines()[-1].startswith("json.decoder.JSONDecodeError: ")
    text = run(program(tmp_path, "def f(n):\n    return f(n + 1)\nf(0)\n"), cwd=tmp_path).stderr
    assert "[Previous line repeated " in text
    assert len(text.splitlines()) < 30


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_traceback_of_a_group(tmp_path: Path) -> None:
    text = run(program(tmp_path, "raise ExceptionGroup('both', [ValueError(1), KeyError('k')])\n"), cwd=tmp_path).stderr
    assert text.endswith(
        "ExceptionGroup: both (2 sub-exceptions)\n"
        "  +---------------- 1 ----------------\n  | ValueError: 1\n"
        "  +---------------- 2 ----------------\n  | KeyError: 'k'\n"
    )


@columns
def test_positions_are_in_the_code_for_everybody(tmp_path: Path) -> None:
    source = "text = '''a\nb'''\nimport warnings\nwarnings.simplefilter('always')\nwarnings.warn('careful')\n"
    done = run(program(tmp_path, source), cwd=tmp_path)
    assert done.stderr.startswith(f"{tmp_path / 'prog.simpy'}:2: UserWarning: careful\n")


def test_own_excepthook_is_called(tmp_path: Path) -> None:
    source = "import sys\nsys.excepthook = lambda kind, error, tb: print('hook', error)\nraise ValueError('x')\n"
    done = run(program(tmp_path, source), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "hook x\n", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x=1<return>x", "'return' outside function"),
        ("f(a=1 b)", "positional argument follows keyword argument"),
        ("<def_stmt>f", ""),
    ],
)
def test_what_is_no_program(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "prog.simpy").write_text(text)
    done = run("prog.simpy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("prog.simpy:1:")
    assert f": error: {message}" in done.stderr
    assert "Traceback" not in done.stderr


def test_program_that_is_not_there(tmp_path: Path) -> None:
    done = run("missing.simpy", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "missing.simpy: error: no such file or directory\n")


def test_in_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv[:])
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    assert main(["run", program(tmp_path, "print('in', __name__)\n")]) == 0
    assert capsys.readouterr().out == "in __main__\n"


def test_inventory_example(tmp_path: Path) -> None:
    source = (ROOT / "examples" / "inventory.py").read_text(encoding="utf-8")
    (tmp_path / "m.csv").write_text("day,article,amount,note\n2024-01-02,nails,40,\n2024-01-03,nails,-38,sold\n2024-01-03,glue,x,\n")
    done = run(program(tmp_path, source), "m.csv", "--below", "5", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "nails                    2\n")
    assert done.stderr.startswith("m.csv:4: bad row ")
