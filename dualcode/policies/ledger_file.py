"""A ledger on disk: JSON lines that several processes append to, and an older file beside it. ``ledger`` says what stands in it."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dualcode.conversion.memory import MIB
from simpy_grammar.errors import SimPyError

OLDER = ".1"
_MODE = 0o600  # a ledger holds prompts
_THREADS = threading.Lock()


class LedgerFile:
    """Appends records to a file, and begins a new one where it is full.

    Args:
        path: the file; the one before it is ``path`` with ``.1``, which is replaced when this one is full.
        limit: bytes of one file at most.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = LedgerFile(os.path.join(folder, "requests.jsonl"))
    ...     file.append({"id": "a", "kept": None})
    ...     file.tell("a", True)
    ...     list(file.records())
    [{'id': 'a', 'kept': True}]
    """

    def __init__(self, path: str | Path, limit: int = 64 * MIB) -> None:
        self.path = os.fspath(path)
        self.limit = limit

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record, as a whole line or not at all.

        Raises:
            SimPyError: the record alone is larger than the limit.
            OSError: the file cannot be written.
        """
        line = json.dumps(record, default=_plain, separators=(",", ":")).encode("ascii") + b"\n"
        if len(line) > self.limit:
            raise SimPyError(f"a record of {len(line):,} bytes is larger than the ledger may be", path=self.path)
        with _THREADS:
            while not self._written(line):
                pass

    def tell(self, number: str, kept: bool) -> None:
        """Say whether the person kept an answer. It is a line of its own, so no line is ever changed.

        Args:
            number: the ``id`` of the answer.
            kept: whether it was kept.

        Raises:
            SimPyError: the ledger has no such answer.
            OSError: the ledger cannot be read or written.
        """
        if not any(record["id"] == number for record in self.records()):
            raise SimPyError(f"no answer with the id {number!r}", path=self.path)
        self.append({"id": number, "kept": kept, "time": time.time()})

    def records(self) -> Iterator[dict[str, Any]]:
        """The answers, the oldest first, each with the last that was told about it. Lines that are not records are left out.

        Raises:
            SimPyError: there is no such file.
            OSError: a file cannot be read.
        """
        if not os.path.exists(self.path):
            raise SimPyError("there is no such ledger", path=self.path, hint="the policy ledger:file=FILE writes one")
        told: dict[str, bool] = {}
        for record in self._lines():
            if _is_verdict(record):
                told[record["id"]] = record["kept"]
        for record in self._lines():
            if not _is_verdict(record):
                yield record | {"kept": told.get(record["id"], record.get("kept"))}

    def _lines(self) -> Iterator[dict[str, Any]]:
        for path in (self.path + OLDER, self.path):
            if not os.path.exists(path):
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    try:
                        record = json.loads(line)
                    except (ValueError, RecursionError):
                        continue
                    if isinstance(record, dict) and isinstance(record.get("id"), str):
                        yield record

    def _written(self, line: bytes) -> bool:
        """Write a line with one call; ``False`` if the file was full or replaced, and another is to be opened."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        file = os.open(self.path, flags, _MODE)
        try:
            _lock(file)
            found = os.fstat(file)
            if os.name != "nt" and stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) != _MODE:
                os.fchmod(file, _MODE)  # it was there before
            size = found.st_size
            if not self._is_current(file):
                return False
            if not size or size + len(line) <= self.limit:
                _write(file, line, size)
                return True
            if os.name != "nt":
                os.replace(self.path, self.path + OLDER)  # under the lock, so that one process does it
        finally:
            os.close(file)
        if os.name == "nt":  # no file that is open can be renamed there
            os.replace(self.path, self.path + OLDER)
        return False

    def _is_current(self, file: int) -> bool:
        """Whether the path still names this file: another process may have begun a new one meanwhile."""
        try:
            return os.path.samestat(os.fstat(file), os.stat(self.path))
        except FileNotFoundError:
            return False


def _plain(value: object) -> object:
    """What JSON has in place of a value that it does not know."""
    return dict(value) if isinstance(value, Mapping) else str(value)


def _is_verdict(record: Mapping[str, Any]) -> bool:
    """Whether a record only says what became of another."""
    return "task" not in record and isinstance(record.get("kept"), bool)


def _write(file: int, line: bytes, size: int) -> None:
    written = os.write(file, line)
    if written != len(line):  # the disk is full: half a line would spoil the next one
        os.ftruncate(file, size)
        raise OSError(28, f"{written} of {len(line)} bytes were written")


def _lock(file: int) -> None:
    """Keep other processes away until the file is closed, where the system and the file system have locks of this kind."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return
