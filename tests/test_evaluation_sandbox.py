"""Generated code in a process of its own: what passes, and programs that attack the limits, the machine and their own tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simpy_eval import sandbox
from simpy_eval.sandbox import ERROR, EXITED, FAILED, MEMORY, PASSED, SYNTAX, TIMEOUT, RunLimits, run_all, run_tests, what_is_held
from simpy_grammar.errors import SimPyError

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system cannot limit processes")

TESTS = "assert f() == 1\n"
RIGHT = "def f(): return 1\n"
WRONG = "def f(): return 2\n"
SMALL = RunLimits(seconds=60, memory=256 << 20)
SHORT = RunLimits(seconds=1)
# With the limits of the kernel, and with the hook of the interpreter alone.
HELD = {"kernel": True, "interpreter": False}

# Name -> a program, and what becomes of it.
PROGRAMS = {
    "right": (RIGHT, PASSED),
    "wrong": (WRONG, FAILED),
    "raises": ("def f(): return 1 // 0", ERROR),
    "not Python": ("def f(: return 1", SYNTAX),
    "too deep": ("def f(): return f()", ERROR),
    "prints much": (RIGHT + "print('x' * 10_000_000)", PASSED),
    "writes in its folder": (RIGHT + "open('a', 'w').write('x')\nopen('a').read()", PASSED),
    "is not the main module": (RIGHT + "if __name__ == '__main__': 1 // 0", PASSED),
    "has dataclasses": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass A:\n    x: int = 1\ndef f(): return A().x",
        PASSED,
    ),
    "leaves a thread": (RIGHT + "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()", PASSED),
}
# Programs that must not pass, each by another trick.
CHEATS = {
    "exits with 0": ("import sys\nsys.exit(0)", EXITED),
    "exits while tested": ("import sys\ndef f(): sys.exit(0)", EXITED),
    "ends the process": ("import os\nos._exit(0)", EXITED),
    "ends the process while tested": ("import os\ndef f(): os._exit(0)", EXITED),
    "another AssertionError": (WRONG + "import builtins\nbuiltins.AssertionError = type('E', (Exception,), {})", FAILED),
    "assertions that exit": (WRONG + "import builtins, os\nbuiltins.AssertionError = lambda *a: os._exit(0)", FAILED),
    "no exec": (WRONG + "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None", FAILED),
    "another BaseException": (WRONG + "import builtins\nbuiltins.BaseException = int", FAILED),
    "another os._exit": (WRONG + "import os\nos._exit = os.write = lambda *a: None", FAILED),
    "a test of its own": (WRONG + "def check(f): pass", FAILED),
    "swallows its tests": (WRONG + "'''", SYNTAX),
    "goes on into its tests": (WRONG + "if 0:\\\n", SYNTAX),
    "says that it has passed": (
        WRONG + "import os\nfor i in range(1, 20):\n  try: os.write(i, b'passed\\n')\n  except OSError: pass",
        EXITED,
    ),
    "closes all files": (WRONG + "import os\nos.closerange(0, 100)", EXITED),
    "reads its input": ("x = input()\n" + WRONG, ERROR),
    "looks for the token": (
        WRONG + "import sys, os\nassert not sys.stdin.read()\nassert len(sys.argv[1]) < 200 and not os.listdir()",
        FAILED,
    ),
}
# Programs that want what they may not have.
ATTACKS = {
    "fork bomb": "import os\nwhile True: os.fork()",
    "a bomb of programs": "import subprocess, sys\nwhile True: subprocess.Popen([sys.executable, '-c', 'input()'])",
    "a bomb without events": "import subprocess, sys, _posixsubprocess\nwhile True: subprocess.Popen([sys.executable], close_fds=False)",
    "processes by multiprocessing": "import multiprocessing\nmultiprocessing.get_context('spawn').Process(target=print).start()",
    "a shell": "import os\nif os.system('true') is not None: raise OSError",
    "another program in its place": "import os\nos.execv('/bin/true', ['true'])",
    "kills its parent": "import os\nos.kill(os.getppid(), 9)",
    "kills all": "import os\nos.killpg(os.getpgid(os.getppid()), 9)",
    "forks in C": "import ctypes\nctypes.CDLL(None).fork()",
    "a connection": "import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=5)",
    "a name": "import socket\nsocket.gethostbyname('localhost')",
    "the system's sockets": "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/any.sock')",
    "more limits": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (10 ** 6, 10 ** 6))",
    "a large file": "with open('a', 'wb') as file:\n    while True: file.write(b'x' * 1_000_000)",
    "many open files": "files = []\nwhile True: files.append(open('a', 'w'))",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_becomes_of_a_program(name: str) -> None:
    program, reason = PROGRAMS[name]
    assert run_tests(program, TESTS, limits=SMALL).reason == reason


@pytest.mark.parametrize("name", CHEATS)
def test_leaving_early_or_tricks_do_not_pass(name: str) -> None:
    program, reason = CHEATS[name]
    assert run_tests(program, TESTS, limits=SMALL).reason == reason


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name: str, held: str) -> None:
    limits = RunLimits(seconds=60, kernel=HELD[held])
    assert run_tests(ATTACKS[name] + "\n" + RIGHT, TESTS, limits=limits).reason == ERROR


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize(
    "change", ["open({}, 'w')", "os.remove({})", "os.rename({}, 'b')", "os.symlink('/', {} + '2')", "os.truncate({}, 0)"]
)
def test_nothing_outside_of_the_folder_is_changed(change: str, held: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    program = f"import os\n{change.format(repr(str(path)))}\n{RIGHT}"
    assert run_tests(program, TESTS, limits=RunLimits(seconds=60, kernel=HELD[held])).reason == ERROR
    assert [one.name for one in tmp_path.iterdir()] == ["file"] and path.read_text() == "precious"


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize(
    "read", ["open({}).read()", "os.listdir(os.path.dirname({}))", "os.open({}, os.O_RDONLY)", "open('/etc/passwd').read()"]
)
def test_what_is_not_of_python_or_the_system_is_not_read(read: str, held: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("sesame")
    program = f"import os\n{read.format(repr(str(path)))}\n{RIGHT}"
    outcome = run_tests(program, TESTS, limits=RunLimits(seconds=60, kernel=HELD[held]))
    assert outcome.reason == ERROR and outcome.message.startswith("PermissionError")


@pytest.mark.parametrize("held", HELD)
def test_what_programs_use_can_be_imported(held: str) -> None:
    names = "asyncio, collections, ctypes, datetime, decimal, email, hashlib, json, math, random, re, ssl, subprocess, tempfile, zoneinfo"
    uses = "os.listdir()\nos.listdir('.')\ntempfile.TemporaryFile().write(b'')\nhashlib.sha256(b'')"
    program = f"import {names}, os\n{uses}\n{RIGHT}"
    assert run_tests(program, TESTS, limits=RunLimits(seconds=60, kernel=HELD[held])).passed


@pytest.mark.parametrize("program", ["x = bytearray(1 << 40)", "x = []\nwhile True: x.append(bytearray(1 << 20))"])
def test_memory_is_limited(program: str) -> None:
    assert run_tests(f"{program}\n{RIGHT}", TESTS, limits=SMALL).reason == MEMORY


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import time\ntime.sleep(600)",
        "while True: print('x' * 100_000)",
        "import signal\nfor i in range(1, 32):\n  try: signal.signal(i, signal.SIG_IGN)\n  except OSError: pass\nwhile True: pass",
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
    ],
)
def test_time_is_limited(program: str) -> None:
    assert run_tests(f"{program}\n{RIGHT}", TESTS, limits=SHORT).reason == TIMEOUT


def test_the_whole_group_of_processes_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child may not start, if it could: a process that outlives it, in its group."""
    child = tmp_path / "child.py"
    child.write_text(
        f"import subprocess, sys\nmore = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(more.pid))\n"
    )
    monkeypatch.setattr(sandbox, "_CHILD", child)
    assert run_tests(RIGHT, TESTS, limits=RunLimits(seconds=60)).reason == EXITED
    pid = int((tmp_path / "pid").read_text())
    for _ in range(500):
        if not _runs(pid):
            return
        time.sleep(0.02)
    pytest.fail("it still runs")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").is_dir()


def test_the_environment_of_the_caller_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "sesame")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    program = (
        "import os, sys\ndef f(): return ('SECRET_KEY' not in os.environ) + any('nowhere' in p or 'simpy_eval' in p for p in sys.path)"
    )
    assert run_tests(program, TESTS, limits=SMALL).passed


def test_outcomes_do_not_depend_on_hashes_or_addresses() -> None:
    program = "def f(): raise ValueError(list({'a', 'b', 'c', 'd', 'e'}), object())"
    first, *others = run_all([(program, TESTS)] * 3, limits=SMALL, jobs=2)
    assert first.message.endswith(" object at 0x...>)") and others == [first, first]


def test_results_are_in_order() -> None:
    pairs = [(f"def f(): return {value}", TESTS) for value in (1, 2, 1, 3, 1)]
    assert [one.passed for one in run_all(pairs, limits=SMALL, jobs=3)] == [True, False, True, False, True]


def test_it_says_what_the_kernel_holds() -> None:
    held = what_is_held()
    assert set(held.described()) == {"network", "files", "processes"}
    assert set(held.described().values()) <= {"kernel", "interpreter"}
    assert held.processes == (os.geteuid() != 0)


def test_a_namespace_without_a_network_reaches_nobody() -> None:
    """The kernel alone, without the hook, which refuses connections first."""
    code = (
        "import socket, sys\n"
        "from simpy_eval import sandbox_child\n"
        "held = sandbox_child._leave_network() if sys.platform == 'linux' else False\n"
        "try: socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=60)\n"
        "except OSError: print(held, False)\n"
        "else: print(held, True)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [sys.executable, "-c", code, str(server.getsockname()[1])]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        found = subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout.split()
    assert found in (["True", "False"], ["False", "True"])
    assert what_is_held().network == (found[0] == "True")


def test_a_system_that_cannot_limit_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "killpg")
    with pytest.raises(SimPyError, match="cannot limit processes"):
        run_tests(RIGHT, TESTS)
