"""The process that runs a program and its tests, held by the limits that it gives itself before. ``sandbox`` starts it and judges.

It is run as a script, and imports the standard library alone. It reads the program, the tests and, when the tests have passed, a token from
standard input, and gives the token back. Until then no variable, argument or file holds the token, so leaving early is not passing.
"""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # flags of unshare(2)
_NO_NEW_PRIVILEGES = 38  # of prctl(2)
# landlock(7). The system calls have these numbers on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE = 1 << 0, 1 << 1
_WRITES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))  # remove and make files and folders of each kind
_SINCE = {2: 1 << 13, 3: 1 << 14}  # version -> moving between folders, truncating
_NO_TCP, _NO_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11, 0b11  # from versions 4 and 6 on
# Events of ``sys.addaudithook`` that are refused: other processes, the network, calls of C.
_REFUSED = (
    *("os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("pty.spawn", "signal.pthread_kill", "subprocess.Popen", "_winapi.CreateProcess"),
    *("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.cdata", "resource.prlimit", "resource.setrlimit"),
)
_SOCKETS, _NEW_SOCKET = "socket.", "socket.__new__"  # the latter goes nowhere in a namespace without a network, and asyncio needs it
# Events of changed files, and which of their arguments are paths.
_CHANGES = {
    **dict.fromkeys(("os.chmod", "os.chown", "os.mkdir", "os.remove", "os.rmdir", "os.setxattr", "os.truncate", "os.utime"), (0,)),
    **dict.fromkeys(("os.link", "os.rename"), (0, 1)),
    "os.symlink": (1,),
}


def main() -> None:
    """Run what standard input holds: the lengths of program and tests in a line of JSON, the two, and the token."""
    settings = json.loads(sys.argv[1])
    channel, answer = os.dup(0), os.dup(1)
    lengths = json.loads(_line(channel))
    program, tests = (_exactly(channel, length).decode("utf-8", "surrogatepass") for length in lengths)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    folder = os.path.realpath(os.curdir)
    sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != os.path.dirname(os.path.realpath(__file__))]
    kernel = settings["kernel"]
    held = {"processes": os.geteuid() != 0, "network": kernel and _leave_network(), "files": kernel and _hold_files(folder)}
    _limit(settings)
    os.write(answer, json.dumps(held).encode() + b"\n")
    # What the program replaces from here on is not used: each of these is looked up now.
    read, write, leave = os.read, os.write, os._exit
    sys.addaudithook(_guard(folder, files=not held["files"], sockets=not held["network"]))
    _no_forks()
    fault = _fault(program, tests)
    if fault is None:
        write(answer, read(channel, 64))
        leave(0)
    write(answer, fault)
    leave(1)


def _line(channel: int) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        found += _exactly(channel, 1)
    return found


def _exactly(channel: int, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = os.read(channel, length - len(found))
        if not piece:
            raise EOFError("standard input ends too early")
        found += piece
    return found


def _fault(program: str, tests: str) -> bytes | None:
    """What went wrong, as a kind and a message; ``None`` if the tests have passed.

    Both are compiled apart, so that the end of a program cannot swallow its tests.
    """
    execute, every, module = exec, BaseException, types.ModuleType("candidate")
    kinds = ((AssertionError, "failed"), (MemoryError, "memory"), (SystemExit, "exited"), (every, "error"))
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        codes = [compile(text, name, "exec", dont_inherit=True) for text, name in ((program, "<program>"), (tests, "<tests>"))]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _described("syntax", error)
    try:
        for code in codes:
            execute(code, module.__dict__)
    except every as error:
        return _described(next(kind for one, kind in kinds if isinstance(error, one)), error)
    return None


def _described(kind: str, error: BaseException) -> bytes:
    try:
        message = str(error)[:300]
    except BaseException:  # its __str__ is the program's
        message = ""
    return f"{kind}\n{type(error).__name__}: {message}".encode("utf-8", "backslashreplace")


def _limit(settings: dict[str, int]) -> None:
    """Take away what cannot be had again: processor time, memory, sizes of files, processes, open files."""
    import resource

    seconds = settings["seconds"]
    for name, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, settings["memory"]),
        (resource.RLIMIT_FSIZE, settings["file_size"]),
        (resource.RLIMIT_NPROC, settings["processes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(name)[1]
        limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(name, (limit, limit))


def _leave_network() -> bool:
    """Go to a namespace without any network; whether the kernel allows it."""
    import ctypes

    uid, gid = os.getuid(), os.getgid()
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK):
            return False
    except (AttributeError, OSError):  # not Linux
        return False
    for name, text in (("uid_map", f"{uid} {uid} 1"), ("setgroups", "deny"), ("gid_map", f"{gid} {gid} 1")):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError:  # then the process is nobody
            break
    return True


def _hold_files(folder: str) -> bool:
    """Let the kernel refuse each change outside of a folder, and each start of a program; whether it can (Landlock)."""
    import ctypes

    class Attributes(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scoped")]

    class Beneath(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]

    try:
        library = ctypes.CDLL(None, use_errno=True)
        call = library.syscall
        version = call(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
        if version < 1:
            return False
        writes = _WRITES | sum(right for since, right in _SINCE.items() if version >= since)
        attributes = Attributes(writes | _EXECUTE, _NO_TCP if version >= 4 else 0, _NO_ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0)
        size = 24 if version >= 6 else 16 if version >= 4 else 8
        rules = call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
        if rules < 0:
            return False
        for path, allowed in ((folder, writes), (os.devnull, _WRITE_FILE)):
            opened = os.open(path, os.O_RDONLY)
            beneath = Beneath(allowed, opened)
            failed = call(_ADD_RULE, rules, 1, ctypes.byref(beneath), 0)
            os.close(opened)
            if failed:
                return False
        return not (library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or call(_RESTRICT_SELF, rules, 0))
    except (AttributeError, OSError):  # not Linux
        return False


def _guard(folder: str, *, files: bool, sockets: bool) -> Callable[[str, tuple[Any, ...]], None]:
    """A hook that refuses processes and connections; with ``files``, changes outside of a folder; with ``sockets``, all sockets."""
    inside, real, join = folder + os.sep, os.path.realpath, os.path.join
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    refused, changes, prefix, allowed = frozenset(_REFUSED), dict(_CHANGES), _SOCKETS, "" if sockets else _NEW_SOCKET

    def changed(event: str, arguments: tuple[Any, ...]) -> list[Any]:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & changing:
            return [arguments[0]]
        return [arguments[place] for place in changes.get(event, ())]

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in refused or event.startswith(prefix) and event != allowed:
            raise PermissionError(f"{event} is not allowed here")
        for path in changed(event, arguments) if files else ():
            if isinstance(path, int) or path is None:
                continue
            name = os.fsdecode(path)
            if name != os.devnull and not real(join(folder, name)).startswith(inside):
                raise PermissionError(f"{event} is not allowed outside of the folder")

    return guard


def _no_forks() -> None:
    """Replace what starts processes without an event."""
    import _posixsubprocess

    def refuse(*arguments: object) -> int:
        raise PermissionError("another process is not allowed here")

    _posixsubprocess.fork_exec = refuse


if __name__ == "__main__":
    main()
