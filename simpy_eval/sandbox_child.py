"""The process that runs a program and its tests, after it has limited itself. ``sandbox`` starts it and judges the outcome.

It is run as a script, and imports the standard library alone. It reads the program, the tests and, when the tests have passed, a token from
standard input, and gives the token back. Until then no variable, argument or file holds the token, so leaving early is not passing.
"""

from __future__ import annotations

import contextlib
import ctypes  # here, because its import loads a library, which the hook refuses later
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
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = (1 << bit for bit in range(4))
_OF_FILES = _WRITE_FILE | _READ_FILE | 1 << 14  # the rights that a rule about a single file may give
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
# What Python reads of the system; besides, its own folders.
_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types"),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/proc/meminfo"),
)
_READS = ("open", "os.listdir", "os.scandir")  # events of files and folders that are read; the first argument is the path
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
    kernel = settings["kernel"] and sys.platform == "linux"
    readable = _readable(folder)
    held = {"processes": os.geteuid() != 0, "network": kernel and _leave_network(), "files": kernel and _hold_files(folder, readable)}
    _limit(settings)
    os.write(answer, json.dumps(held).encode() + b"\n")
    # What the program replaces from here on is not used: each of these is looked up now.
    read, write, leave = os.read, os.write, os._exit
    sys.addaudithook(_guard(folder, [] if held["files"] else readable, sockets=not held["network"]))
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

    The two are compiled separately, so that the end of a program cannot swallow its tests.
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
    """Limit processor time, memory, sizes of files, processes and open files, so that the program cannot raise the limits again."""
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
        with contextlib.suppress(ValueError, OSError):  # macOS knows some of them by name only
            resource.setrlimit(name, (limit, limit))


def _leave_network() -> bool:
    """Move to a namespace without any network, and say whether the kernel allows it."""
    uid, gid = os.getuid(), os.getgid()
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK):
            return False
    except (AttributeError, OSError):  # a C library without it
        return False
    for name, text in (("uid_map", f"{uid} {uid} 1"), ("setgroups", "deny"), ("gid_map", f"{gid} {gid} 1")):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError:  # then the process is nobody
            break
    return True


def _readable(folder: str) -> list[str]:
    """The files and folders that a program may read: its own, Python's, and some of the system."""
    own = (folder, sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, *sys.path)
    return list(dict.fromkeys(os.path.realpath(path) for path in (*own, *_SYSTEM) if os.path.exists(path)))


def _hold_files(folder: str, readable: list[str]) -> bool:
    """Let the kernel refuse each change outside of a folder, reading what is not readable, and starting programs (Landlock).

    Returns:
        Whether it can.
    """

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
        reads = _READ_FILE | _READ_FOLDER
        scoped = _NO_ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
        attributes = Attributes(writes | reads | _EXECUTE, _NO_TCP if version >= 4 else 0, scoped)
        size = 24 if version >= 6 else 16 if version >= 4 else 8
        rules = call(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
        if rules < 0:
            return False
        for path, allowed in (*((path, reads) for path in readable), (folder, writes), (os.devnull, _WRITE_FILE)):
            opened = os.open(path, os.O_PATH)
            beneath = Beneath(allowed if os.path.isdir(path) else allowed & _OF_FILES, opened)
            failed = call(_ADD_RULE, rules, 1, ctypes.byref(beneath), 0)
            os.close(opened)
            if failed:
                return False
        return not (library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or call(_RESTRICT_SELF, rules, 0))
    except (AttributeError, OSError):  # a C library without it
        return False


def _guard(folder: str, readable: list[str], *, sockets: bool) -> Callable[[str, tuple[Any, ...]], None]:
    """A hook that refuses processes and connections.

    If ``readable`` is not empty, it also refuses to read anything else and to change anything outside the folder. With ``sockets``, it
    refuses all sockets.
    """
    inside, real, join = folder + os.sep, os.path.realpath, os.path.join
    roots, exact = tuple(path + os.sep for path in readable), frozenset(readable)
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    refused, changing_events, reads, prefix = frozenset(_REFUSED), dict(_CHANGES), frozenset(_READS), _SOCKETS
    allowed, nothing, decode = "" if sockets else _NEW_SOCKET, frozenset((os.devnull, folder)), os.fsdecode

    def changed(event: str, arguments: tuple[Any, ...]) -> list[Any]:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & changing:
            return [arguments[0]]
        return [arguments[place] for place in changing_events.get(event, ())]

    def read(event: str, arguments: tuple[Any, ...]) -> list[Any]:
        return [arguments[0]] if event in reads and arguments[0] is not None else []

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in refused or event.startswith(prefix) and event != allowed:
            raise PermissionError(f"{event} is not allowed here")
        if not roots:
            return
        changes = changed(event, arguments)
        for path in changes or read(event, arguments):
            if isinstance(path, int) or path is None:
                continue
            name = real(join(folder, decode(path)))
            if not name.startswith(inside if changes else roots) and name not in (nothing if changes else exact):
                raise PermissionError(f"{event} is not allowed outside of the folder")

    return guard


def _no_forks() -> None:
    """Replace the function that starts processes without an event."""
    import _posixsubprocess

    def refuse(*arguments: object) -> int:
        raise PermissionError("another process is not allowed here")

    _posixsubprocess.fork_exec = refuse


if __name__ == "__main__":
    main()
