"""Reading and writing the files that clients have named, with errors that name them as clients do."""

from __future__ import annotations

import os
from typing import Any

from simpy_grammar.errors import SimPyError
from simpy_mcp.files import Files
from simpy_mcp.roots import Found


class Disk:
    """The files of a workspace.

    Args:
        files: reads and writes single files.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def load(self, found: Found) -> tuple[bytes, Any]:
        """The content of a file and its stamp.

        Raises:
            SimPyError: it is a folder, has vanished, or cannot be read.
        """
        if found.is_folder:
            raise SimPyError("a folder, not a file", path=found.shown)
        try:
            return self._files.read(found.real)
        except OSError as error:
            raise self._failed(error, found) from None

    def replace(self, found: Found, stamp: Any, data: bytes) -> None:
        """Write a file whole, if it is still the one of the stamp.

        Raises:
            SimPyError: it is not, or cannot be written.
        """
        try:
            self._files.replace(found.real, stamp, found.real, data)
        except OSError as error:
            raise self._failed(error, found) from None
        except SimPyError as error:
            error.path = found.shown
            raise

    def make(self, found: Found, data: bytes) -> None:
        """Write a new file.

        Raises:
            SimPyError: it exists by now, or cannot be written.
        """

        def check() -> None:
            if os.path.lexists(found.real):
                raise SimPyError("somebody else has made this file meanwhile", path=found.shown, hint="read it first")

        try:
            self._files.write(found.real, data, check=check)
        except OSError as error:
            raise self._failed(error, found) from None

    def _failed(self, error: OSError, found: Found) -> SimPyError:
        failed = self._files.os_error(error, found.shown)
        failed.path = found.shown
        return failed
