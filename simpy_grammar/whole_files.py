"""Writing a file so that no crash leaves half of it. What is written, and what else happens to files, is decided elsewhere."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable


def write(target: str, data: bytes, *, mode: int | None = None, check: Callable[[], None] | None = None) -> None:
    """Write a file so that at any moment there is either the old one or the new one, whole.

    A file that exists keeps its permission bits; a new one gets ``mode``, or what the process's mask allows. ``check`` is
    called when all is ready, and may raise to leave things as they are.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    target = os.path.realpath(target)  # a link stays a link
    try:
        status = os.stat(target)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    else:
        if not stat.S_ISREG(status.st_mode):  # a device or a pipe, which must not be replaced by a file
            with open(target, "wb") as file:
                file.write(data)
            return
        mode = stat.S_IMODE(status.st_mode)
    folder = os.path.dirname(target)
    # Random, since processes of two containers may share both the folder and their number.
    temporary = os.path.join(folder, f".simpy-{os.getpid()}-{os.urandom(6).hex()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        if check is not None:
            check()
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Make a new name survive a power cut, where the platform can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse
        pass
    finally:
        os.close(handle)
