"""Reading and writing single files: text from bytes and back, and replacing a file only if it is the one that was read.

Which files there are, and where results go, is decided in ``simpy_cli.paths``; ``simpy_grammar.whole_files`` writes.
"""

from __future__ import annotations

import codecs
import os
import stat
import sys

from simpy_grammar.errors import SimPyError, SimPySyntaxError, os_reason
from simpy_grammar.whole_files import write as write  # all that others do with files, they ask of this module

STDIN = "-"
_NULLS = "a SimPy file is text; is this one compiled or compressed?"


class Stamp:
    """What tells whether a file is still the one that was read.

    Attributes:
        mode: its permission bits.
        seen: those, and whatever else changes with the file.
    """

    __slots__ = ("mode", "seen")

    def __init__(self, status: os.stat_result) -> None:
        self.mode = stat.S_IMODE(status.st_mode)
        self.seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, self.mode)


def shown(path: str) -> str:
    """How a path is called in messages.

    >>> shown("-"), shown("a.py")
    ('<stdin>', 'a.py')
    """
    return "<stdin>" if path == STDIN else path


def read(path: str) -> tuple[bytes, Stamp | None]:
    """The content of a file, or of standard input for ``-``, and its stamp.

    Raises:
        OSError: it cannot be read.
    """
    if path == STDIN:
        buffer = getattr(sys.stdin, "buffer", None)
        return (buffer.read() if buffer is not None else sys.stdin.read().encode("utf-8")), None
    with open(path, "rb") as file:
        stamp = Stamp(os.fstat(file.fileno()))  # before reading, so that what is written meanwhile makes the stamp differ
        return file.read(), stamp


def os_error(error: OSError, path: str) -> SimPyError:
    """An error of the operating system in our form.

    >>> print(os_error(FileNotFoundError(2, "No such file or directory"), "a.py"))
    a.py: error: no such file or directory
    """
    return SimPyError(os_reason(error), path=os.fspath(error.filename) if isinstance(error.filename, str) else path)


def simpy_text(data: bytes, path: str) -> str:
    """The text of a SimPy file: UTF-8, with or without a byte order mark, in any newline style.

    Raises:
        SimPySyntaxError: it is not UTF-8, or holds a NUL.

    >>> simpy_text(b"a=1\\r\\n", "a.simpy")
    'a=1\\n'
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message, hint = f"byte 0x{data[error.start]:02x} is not utf-8", "SimPy files are UTF-8"
        raise SimPySyntaxError.at(data.decode("latin-1"), error.start, message, path=path, hint=hint) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise SimPySyntaxError.at(text, text.index("\0"), "text holds a NUL character", path=path, hint=_NULLS)
    return text


def python_bytes(text: str, path: str) -> bytes:
    """Python text in the encoding that it declares (PEP 263).

    Raises:
        SimPyError: it declares an encoding that cannot hold it.

    >>> python_bytes("# coding: latin-1\\nx = '\\u00e9'", "a.py")[-2:]
    b"\\xe9'"
    """
    data = text.encode("utf-8", "surrogatepass")
    if "coding" not in text[:2048]:
        return data
    from transpiler.source import detect_encoding, read_source

    encoding = detect_encoding(data, path=path)
    if encoding == "utf-8":
        return data
    try:
        encoded = text.encode(encoding)
        if read_source(encoded, path=path) == text:
            return encoded
    except UnicodeEncodeError as error:
        message = f"the program declares {encoding}, which has no {text[error.start]!r}"
        raise SimPyError.at(text, error.start, message, path=path) from None
    except (SimPyError, UnicodeError, LookupError):
        pass  # the codec does not encode text, or it hides the declaration itself
    raise SimPyError(f"the program declares {encoding}, in which Python source cannot be written", path=path)


def replace(source: str, stamp: Stamp, target: str, data: bytes) -> None:
    """Write ``data`` to ``target`` and then remove ``source``, unless they are the same file.

    Raises:
        SimPyError: ``target`` is another file's place, or ``source`` has changed since it was read; nothing is written.
        OSError: the file system refused; ``source`` is still there.
    """

    def check() -> None:
        check_same(source, stamp)

    if os.path.abspath(source) == os.path.abspath(target):
        write(target, data, check=check)
        return
    # After a crash between the two steps both files are there, and the target is already right.
    if not (os.path.lexists(target) and _holds(target, data)):
        if os.path.lexists(target):
            raise SimPyError(
                f"{target} is there already and is not this program", path=source, hint="remove it, or write elsewhere with -o"
            )
        write(target, data, mode=stamp.mode, check=check)
    check()
    os.unlink(source)


def check_same(path: str, stamp: Stamp) -> None:
    """See that a file is still the one that was read.

    Raises:
        SimPyError: it has changed since.
        OSError: it is gone.
    """
    if Stamp(os.stat(path)).seen != stamp.seen:
        raise SimPyError("the file changed while it was being converted", path=path, hint="run the command again")


def _holds(path: str, data: bytes) -> bool:
    try:
        return os.path.isfile(path) and read(path)[0] == data
    except OSError:
        return False
