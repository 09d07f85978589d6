"""What the server needs of a file system: reading a file with its stamp, and replacing it whole.

The command line does this already (``simpy_cli.files``), and hands its module in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from simpy_grammar.errors import SimPyError


class Files(Protocol):
    """Reads and writes single files. A stamp tells whether a file is still the one that was read."""

    def read(self, path: str, /) -> tuple[bytes, Any]:
        """The content of a file and its stamp; raises ``OSError``."""

    def replace(self, source: str, stamp: Any, target: str, data: bytes) -> None:
        """Write a file whole; raises ``SimPyError`` if ``source`` is not the file of the stamp any more, or ``OSError``."""

    def write(self, target: str, data: bytes, *, mode: int | None = None, check: Callable[[], None] | None = None) -> None:
        """Write a file whole after a last check, which may raise; raises ``OSError``."""

    def os_error(self, error: OSError, path: str, /) -> SimPyError:
        """An error of the operating system in our form."""
