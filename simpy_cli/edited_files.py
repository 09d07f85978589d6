"""Files that a command edits: which of those that a patch names may be touched, and writing what became of them."""

from __future__ import annotations

import os
from typing import NamedTuple

from simpy_cli import files
from simpy_cli.report import print_data
from simpy_grammar.errors import SimPyError
from transpiler.patches import FileEdit, Patch


class _Read(NamedTuple):
    """A file that was read, or seen not to be there.

    Attributes:
        real: its path, without links.
        stamp: what tells whether it is still the one that was read; ``None`` if it is not there.
    """

    real: str
    stamp: files.Stamp | None


class OneFile:
    """The one file that was named on the command line, or standard input, which goes to standard output.

    Args:
        path: the file, or ``-``.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = files.shown(path)
        self.data, self._stamp = files.read(path)

    def named(self, patch: Patch) -> Patch:
        """A patch in which the changes of this file name none: those whose name ends as this one does, or the other way round."""
        changes = patch.changes
        own: set[str | None] = {change.path for change in changes if change.path is not None and self._is_name(change.path)}
        if self.path == files.STDIN and len({change.path for change in changes}) == 1:
            own = {changes[0].path}
        return Patch(tuple(change._replace(path=None) if change.path in own else change for change in changes))

    def _is_name(self, name: str) -> bool:
        one, other = (os.path.normpath(path).split(os.sep) for path in (name, self.path))
        length = min(len(one), len(other))
        return one[-length:] == other[-length:]

    def read(self, name: str) -> bytes | None:
        """The bytes of the file.

        Raises:
            SimPyError: another one is meant.
        """
        if name != self.name:
            raise SimPyError(f"only {self.name} was to be edited", path=name, hint="leave FILE out to edit the files that a patch names")
        return self.data

    def write(self, edit: FileEdit) -> None:
        """Put what was made of the file in its place, or on standard output.

        Raises:
            SimPyError: it has changed since it was read; nothing is written.
            OSError: the file system refused; nothing is written.
        """
        if self._stamp is None:
            data = edit.new or b""
            print_data(data, data.decode("utf-8", "replace"))
        elif edit.new is None:
            files.check_same(self.path, self._stamp)
            os.unlink(self.path)
        elif edit.changes:
            files.replace(self.path, self._stamp, self.path, edit.new)


class Folder:
    """The files below a folder, by the names that a patch has for them. Nothing outside is read or written.

    Args:
        root: the folder.
    """

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._read: dict[str, _Read] = {}

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, or ``None`` if there is none.

        Raises:
            SimPyError: it is outside of the folder, not a regular file, another name of a file that the patch names too, or
                it cannot be read.
        """
        if "\0" in name:
            raise SimPyError("a file name cannot hold a NUL character", path=name)
        real = os.path.realpath(os.path.join(self._root, name))
        if os.path.commonpath([self._root, real]) != self._root or real == self._root:
            raise SimPyError("the file is outside of the current folder", path=name, hint="name the file on the command line")
        twin = next((other for other, read in self._read.items() if read.real == real and other != name), None)
        if twin is not None:
            raise SimPyError(f"this is {twin} by another name", path=name)
        try:
            if os.path.lexists(real) and not os.path.isfile(real):
                raise SimPyError("not a regular file", path=name)
            data, stamp = files.read(real)
        except FileNotFoundError:
            self._read[name] = _Read(real, None)
            return None
        except OSError as error:
            raise files.os_error(error, name) from None
        self._read[name] = _Read(real, stamp)
        return data

    def write(self, edit: FileEdit) -> None:
        """Do to a file what was made of it. At any moment there is the old file or the new one, whole.

        Raises:
            SimPyError: it has changed since it was read; nothing is written.
            OSError: the file system refused; nothing is written.
        """
        if not edit.changes:
            return
        real, stamp = self._read[edit.path]
        if edit.new is None:
            if stamp is not None:
                files.check_same(real, stamp)
                os.unlink(real)
        elif stamp is None:
            files.write(self._read[edit.moved_to].real if edit.moved_to else real, edit.new, check=lambda: _check_free(real))
        else:
            files.replace(real, stamp, self._read[edit.moved_to].real if edit.moved_to else real, edit.new)


def _check_free(path: str) -> None:
    if os.path.lexists(path):
        raise SimPyError("a file of this name appeared while the patch was applied", path=path, hint="run the command again")
