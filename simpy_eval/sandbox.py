"""Runs programs and their tests, each in a limited process of its own, and says what became of them.

``sandbox_child`` is what that process runs, and holds itself. ``docs/evaluation.md`` says what this protects from, and what it does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from simpy_grammar.errors import SimPyError, visible

_CHILD = Path(__file__).with_name("sandbox_child.py")
_REPLY = 65_536  # bytes of a reply that are read: as much as a pipe holds
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")  # an address in memory, which differs each time
_SPARE = 1.0  # seconds of processor time beyond the limit, so that the limit of time comes first

PASSED, FAILED, ERROR, SYNTAX, EXITED, MEMORY, TIMEOUT, KILLED = REASONS = (
    *("passed", "failed", "error", "syntax", "exited", "memory", "timeout", "killed"),
)
"""What becomes of a program: its tests pass; an ``assert`` fails; another exception is raised; it cannot be compiled; it ends before its
tests do; it asks for more memory than it may have; it takes longer than it may; the system ends it."""


@dataclass(frozen=True)
class RunLimits:
    """What a program may use.

    Attributes:
        seconds: seconds of time, and of processor time.
        memory: address space, in bytes.
        file_size: the largest file that it may write, in bytes.
        processes: how many processes and threads the user may have; the kernel does not limit those of root.
        kernel: whether the kernel is asked to hold network and files, as far as it can.
    """

    seconds: float = 10.0
    memory: int = 1 << 30
    file_size: int = 1 << 20
    processes: int = 32
    kernel: bool = True


class Outcome(NamedTuple):
    """What became of a program.

    Attributes:
        reason: one of ``REASONS``.
        message: what went wrong, in one line; empty if nothing did.
    """

    reason: str
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether the tests have passed."""
        return self.reason == PASSED


class Held(NamedTuple):
    """What the kernel holds. Where it does not, a hook in the interpreter refuses the same, which is weaker.

    Attributes:
        network: the process has a namespace of its own, without any network.
        files: it changes nothing outside of its folder, reads only this, Python and some of the system, and starts no program (Landlock).
        processes: the number of its processes is limited.
    """

    network: bool
    files: bool
    processes: bool

    def described(self) -> dict[str, str]:
        """Who holds what, in words: ``kernel`` or ``interpreter``."""
        return {name: "kernel" if held else "interpreter" for name, held in self._asdict().items()}


def run_tests(program: str, tests: str, *, limits: RunLimits = RunLimits()) -> Outcome:  # noqa: B008  # it cannot be changed
    """Run a program, then its tests, in a process of their own.

    They pass only if the tests have run to their end: the process must give back a token that it gets after them.

    Raises:
        SimPyError: this system cannot limit processes.

    >>> run_tests("def add(a, b):\\n    return a + b", "assert add(1, 2) == 3")
    Outcome(reason='passed', message='')
    >>> run_tests("import sys\\nsys.exit(0)", "assert False")
    Outcome(reason='exited', message='SystemExit: 0')
    """
    return _run(program, tests, limits)[0]


def what_is_held() -> Held:
    """What the kernel of this machine holds of a program that ``run_tests`` runs.

    Raises:
        SimPyError: this system cannot limit processes.
    """
    outcome, held = _run("", "", RunLimits())
    if held is None:
        raise SimPyError(f"no program can be run here: {outcome.reason} {outcome.message}".rstrip())
    return held


def run_all(programs: Iterable[tuple[str, str]], *, limits: RunLimits, jobs: int) -> list[Outcome]:
    """``run_tests`` for pairs of a program and its tests, ``jobs`` of them at once; the outcomes are in the order of the pairs.

    Raises:
        SimPyError: this system cannot limit processes.
    """
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        return list(pool.map(lambda pair: run_tests(*pair, limits=limits), programs))


def _run(program: str, tests: str, limits: RunLimits) -> tuple[Outcome, Held | None]:
    if not hasattr(os, "killpg"):
        raise SimPyError("this system cannot limit processes, so no generated code is run", hint="use Linux or macOS")
    token = secrets.token_hex(16)
    texts = [text.encode("utf-8", "surrogatepass") for text in (program, tests)]
    settings = {**asdict(limits), "seconds": max(1, round(limits.seconds + _SPARE))}
    with tempfile.TemporaryDirectory(prefix="simpy-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-s", "-B", str(_CHILD), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  # they are pipes
        with process, process.stdout as reply:
            with contextlib.suppress(BrokenPipeError), process.stdin as given:
                given.write(json.dumps([len(text) for text in texts]).encode() + b"\n" + b"".join(texts) + token.encode())
            try:
                in_time = _wait(process, limits.seconds)
            finally:  # also where the caller was interrupted
                _kill(process.pid)
            os.set_blocking(reply.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                return _outcome(os.read(reply.fileno(), _REPLY), process.wait(), token, in_time)
            return _outcome(b"", process.wait(), token, in_time)


def _environment(folder: str) -> dict[str, str]:
    """A fixed environment, in which hashes, and so outcomes, are the same each time."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", **one}


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a process has ended, and say whether it did in time. Its status is not read yet, so that its id is not used again."""
    end, pause = time.monotonic() + seconds, 0.002
    while not _ended(process):
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return True


def _ended(process: subprocess.Popen[bytes]) -> bool:
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill(pid: int) -> None:
    """End a process with all processes of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _outcome(reply: bytes, status: int, token: str, in_time: bool) -> tuple[Outcome, Held | None]:
    first, _, rest = reply.partition(b"\n")
    try:
        held = Held(**json.loads(first))
    except (ValueError, TypeError):
        held = None
    if not in_time:
        return Outcome(TIMEOUT), held
    if held is not None and status == 0 and secrets.compare_digest(rest, token.encode()):
        return Outcome(PASSED), held
    kind, _, message = rest.decode("utf-8", "replace").partition("\n")
    if status == 1 and kind in (FAILED, ERROR, SYNTAX, EXITED, MEMORY):
        return Outcome(kind, visible(_ADDRESS.sub("0x...", message[:400])).removesuffix(": ")), held
    if status < 0:
        return Outcome(KILLED, f"signal {-status}"), held
    return Outcome(EXITED, f"status {status}"), held
