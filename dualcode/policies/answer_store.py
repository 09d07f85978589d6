"""Answers in one SQLite file, which threads and processes share. What it holds and when, the ``cache`` decides.

The file is bounded: what was not used for longest goes first. Whatever is wrong with the file is said once, and nothing is kept then.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import NamedTuple

_LOG = logging.getLogger("simpy.cache")
_VERSION = 1
_WAIT_MS = 1000
_ROW = 300  # bytes that a row takes besides its texts
_AT_ONCE = 16  # how many answers are dropped at once
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE answers (
    key TEXT PRIMARY KEY, exact TEXT NOT NULL, proof TEXT NOT NULL, text TEXT NOT NULL, layout TEXT NOT NULL, stopped TEXT NOT NULL,
    tokens INTEGER, until TEXT, body BLOB NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX by_use ON answers (used);
CREATE TABLE total (size INTEGER NOT NULL);
INSERT INTO total VALUES (0);
CREATE TRIGGER added AFTER INSERT ON answers BEGIN UPDATE total SET size = size + new.size; END;
CREATE TRIGGER gone AFTER DELETE ON answers BEGIN UPDATE total SET size = size - old.size; END;
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class Stored(NamedTuple):
    """An answer that is kept.

    Attributes:
        exact: a digest of the question as it was written.
        proof: a digest of the canonical program that question and answer make; empty if they make none.
        text: the answer in the model's words.
        layout: the Python of the answer without its indentation, as JSON; empty if there is none.
        stopped: why it ended.
        tokens: how many tokens it has.
        until: the unit at whose end it is to be cut, if any.
        body: in a proxy, the bytes of the upstream.
        media_type: of the body.
    """

    exact: str
    proof: str
    text: str
    layout: str
    stopped: str
    tokens: int | None
    until: str | None
    body: bytes
    media_type: str

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        texts = (self.exact, self.proof, self.text, self.layout, self.media_type)
        return _ROW + len(self.body) + sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


class AnswerStore:
    """Keeps answers in a file.

    Args:
        file: it is made if it is not there, readable by its owner only.
        size: how many bytes all answers may take.
        largest: how many bytes one answer may take.

    >>> store = AnswerStore(":memory:")
    >>> store.put("a", Stored("e", "p", "text", "", "end", 1, None, b"", ""))
    True
    >>> store.get("a").text, store.get("b")
    ('text', None)
    """

    def __init__(self, file: str | Path, size: int = 256 << 20, largest: int = 1 << 20) -> None:
        self.file = str(file)
        self.size = size
        self.largest = min(largest, size)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._broken = False

    def get(self, key: str) -> Stored | None:
        """The answer with this key, if there is one."""
        with self._lock:
            try:
                connection = self._open()
                if connection is None:
                    return None
                row = connection.execute(
                    "SELECT exact, proof, text, layout, stopped, tokens, until, body, media_type FROM answers WHERE key = ?", (key,)
                ).fetchone()
                return None if row is None else Stored(*row)
            except (sqlite3.Error, OSError, ValueError, TypeError) as error:
                self._fail(error)
                return None

    def touch(self, key: str) -> None:
        """Note that an answer was used."""
        with self._lock:
            try:
                connection = self._open()
                if connection is not None:
                    connection.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time_ns(), key))
            except (sqlite3.Error, OSError) as error:
                self._fail(error)

    def put(self, key: str, answer: Stored) -> bool:
        """Keep an answer in place of the one with the same key; whether it is kept."""
        if answer.size > self.largest:
            return False
        with self._lock:
            try:
                connection = self._open()
                if connection is None:
                    return False
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.execute("DELETE FROM answers WHERE key = ?", (key,))
                    connection.execute(
                        "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (key, *answer, answer.size, time.time_ns())
                    )
                    while connection.execute("SELECT size FROM total").fetchone()[0] > self.size:
                        connection.execute(
                            "DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE key != ? ORDER BY used LIMIT ?)",
                            (key, _AT_ONCE),
                        )
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return True
            except (sqlite3.Error, OSError, UnicodeError) as error:
                self._fail(error)
                return False

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection | None:
        """The connection of this process; ``None`` where the file cannot be used."""
        if self._broken:
            return None
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        if self.file != ":memory:":
            handle = os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600)
            if hasattr(os, "fchmod"):  # not on Windows
                os.fchmod(handle, 0o600)
            os.close(handle)
        connection = sqlite3.connect(self.file, timeout=_WAIT_MS / 1000, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise ValueError(f"a newer version made it ({version})")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if not version:
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._process = connection, os.getpid()
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        """Make the tables, unless another process has made them meanwhile."""
        try:
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                raise

    def _fail(self, error: Exception) -> None:
        """Say what is wrong; go on without the file, unless others only kept it busy."""
        busy = isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))
        self._broken = self._broken or not busy
        _LOG.warning("the cache %s is not used%s: %s", self.file, " this time" if busy else "", error)
