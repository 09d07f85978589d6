"""Which files a client may name: Python files below the folders that are served, and nothing else on the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simpy_grammar.errors import SimPyError, os_reason
from transpiler.ignored import Ignored
from transpiler.source import PYTHON_SUFFIXES

_MOST_LISTED = 500  # files of a folder


class Found(NamedTuple):
    """A path that may be read.

    Attributes:
        real: where it is, with every link resolved.
        shown: how it is called in answers.
        is_folder: whether it is a folder.
        exists: whether there is something.
    """

    real: str
    shown: str
    is_folder: bool
    exists: bool


class Roots:
    """The folders that are served.

    Args:
        folders: their paths.

    Raises:
        SimPyError: one of them is not a folder.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = tuple(dict.fromkeys(os.path.realpath(folder) for folder in folders))
        for folder in folders:
            if not os.path.isdir(folder):
                raise SimPyError("not a folder", path=folder, hint="name the folders whose Python files may be read and edited")

    def find(self, path: str) -> Found:
        """What a client means by a path: absolute, or relative to one of the folders.

        Links and ``..`` are resolved first; what is outside then is refused whether it exists or not. A path that does not
        exist is found if it may be made.

        Raises:
            SimPyError: it is outside of the folders, left out, not a Python file, not spelled as on the disk, or in several folders.
        """
        if not path or "\0" in path:
            raise SimPyError("not a path", path=path.replace("\0", "\\0"), hint="name a file relative to the folder that is served")
        inside = []
        for folder in self.folders:
            real = os.path.realpath(os.path.join(folder, path))
            root = next((root for root in self.folders if _holds(root, real)), None)
            if root is not None and (root, real) not in inside:
                inside.append((root, real))
        if not inside:
            raise SimPyError("outside of the folders that are served", path=path, hint=f"they are {', '.join(self.folders)}")
        there = [(root, real) for root, real in inside if os.path.lexists(real)]
        if len(there) > 1:
            raise SimPyError(f"in several folders: {', '.join(real for _, real in there)}", path=path, hint="give the whole path")
        return self._checked(*(there or inside)[0], path)

    def _checked(self, root: str, real: str, path: str) -> Found:
        try:
            mode = os.stat(real).st_mode
        except FileNotFoundError:
            mode = None
        except OSError as error:  # a loop of links, a name that is too long, a file in the place of a folder
            raise SimPyError(os_reason(error), path=path) from None
        is_folder = mode is not None and stat.S_ISDIR(mode)
        if mode is not None and not is_folder and not stat.S_ISREG(mode):
            raise SimPyError("not a regular file", path=path)
        if not is_folder and not real.endswith(PYTHON_SUFFIXES):
            served = ", ".join(PYTHON_SUFFIXES)
            raise SimPyError("not a Python file", path=path, hint=f"only {served} are served; use another tool for this one")
        reason = Ignored(root).why(real, is_folder=is_folder) if real != root else ""
        if reason:
            raise SimPyError(f"{reason}, so it is not served", path=path)
        if mode is not None:
            _check_spelling(root, real, path)
        return Found(real, self.shown(root, real), is_folder, mode is not None)

    def shown(self, root: str, real: str) -> str:
        """How a path is called in answers: relative to the folder if only one is served."""
        return os.path.relpath(real, root).replace(os.sep, "/") if len(self.folders) == 1 else real

    def list(self, folder: Found) -> tuple[list[str], int]:
        """The Python files below a folder in order, without what git ignores, hidden folders and links; and how many more there are."""
        root = next(root for root in self.folders if _holds(root, folder.real))
        names = [self.shown(root, real) for real in _walk(folder.real, Ignored(root))]
        return names[:_MOST_LISTED], max(len(names) - _MOST_LISTED, 0)


def _holds(root: str, real: str) -> bool:
    return real == root or real.startswith(root if root.endswith(os.sep) else root + os.sep)


def _check_spelling(root: str, real: str, path: str) -> None:
    """Refuse another spelling of a name on a disk that does not tell case apart: patterns of git would not match it."""
    folder = root
    for name in os.path.relpath(real, root).split(os.sep) if real != root else ():
        try:
            names = os.listdir(folder)
        except OSError:  # one may go through a folder that one may not list
            return
        if name not in names:
            raise SimPyError("not the name on the disk", path=path, hint="spell upper and lower case as the folder lists it")
        folder = os.path.join(folder, name)


def _walk(folder: str, ignored: Ignored) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink() or ignored.why(entry.path, is_folder=entry.is_dir()):
            continue
        if entry.is_dir():
            if not entry.name.startswith("."):
                yield from _walk(entry.path, ignored)
        elif entry.name.endswith(PYTHON_SUFFIXES) and entry.is_file():
            yield entry.path
