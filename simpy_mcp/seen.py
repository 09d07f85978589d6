"""What clients have seen of files: for each session what it read last, and every reading by its handle for a while.

Since a session may have no identity (the protocol of 2026-07-28 has none over HTTP), every reading has a handle, a hash of
what was shown. A client that gives it back says exactly what it saw; in a session it need not, where only one thing is meant.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import NamedTuple

from simpy_grammar.dialect import Dialect

_MOST_CHARACTERS = 1 << 26  # of all that is remembered
_MOST_SESSIONS = 1000


class Seen(NamedTuple):
    """Something that was shown of a file.

    Attributes:
        path: the file, with every link resolved.
        views: the names of the views, in order.
        dialect: what it was written in.
        program: what was shown, as Python without line numbers; with the client's own edits since.
        source: the file at that time.
        lines: the lines of ``source`` that were shown, if only some were asked for.
    """

    path: str
    views: tuple[str, ...]
    dialect: Dialect
    program: str
    source: bytes
    lines: tuple[int, int] | None

    @property
    def handle(self) -> str:
        """The name of this reading, the same for the same text of the same file."""
        parts = (self.path, *self.views, self.dialect.digest, self.program, hashlib.sha256(self.source).hexdigest())
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]

    @property
    def symbol(self) -> str | None:
        """The definition that was asked for."""
        return next((view.removeprefix("symbol=") for view in self.views if view.startswith("symbol=")), None)

    @property
    def is_piece(self) -> bool:
        """Whether only a piece of the file was asked for, which then stands for itself."""
        return self.lines is not None or self.symbol is not None

    @property
    def is_whole(self) -> bool:
        """Whether the whole program was shown, with or without its comments."""
        return all(view == "no-comments" for view in self.views)

    def __str__(self) -> str:
        return f"seen={self.handle} ({' '.join(self.views) or 'all'}, {self.dialect.name})"


class Memory:
    """What sessions have seen. What was used longest ago is forgotten first.

    >>> memory, seen = Memory(), Seen("/a.py", (), Dialect.load("compact"), "x=1", b"x = 1", None)
    >>> memory.remember("one", seen) == seen.handle
    True
    >>> memory.of("one", "/a.py") == [seen], memory.of("two", "/a.py"), memory.get(seen.handle) == seen
    (True, [], True)
    """

    def __init__(self, most_characters: int = _MOST_CHARACTERS) -> None:
        self._most = most_characters
        self._size = 0
        self._by_handle: OrderedDict[str, Seen] = OrderedDict()
        self._sessions: OrderedDict[str, dict[tuple[str, tuple[str, ...], str], str]] = OrderedDict()

    def remember(self, session: str | None, seen: Seen) -> str:
        """Remember a reading, in the place of an older one of the same view in the session; return its handle."""
        handle = seen.handle
        if handle not in self._by_handle:
            self._by_handle[handle] = seen
            self._size += _size(seen)
        self._by_handle.move_to_end(handle)
        while self._size > self._most and len(self._by_handle) > 1:
            self._size -= _size(self._by_handle.popitem(last=False)[1])
        if session is not None:
            readings = self._sessions.setdefault(session, {})
            self._sessions.move_to_end(session)
            key = (seen.path, seen.views, seen.dialect.digest)
            readings.pop(key, None)
            readings[key] = handle
            while len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return handle

    def get(self, handle: str) -> Seen | None:
        """The reading of a handle, if it is still remembered."""
        return self._by_handle.get(handle)

    def of(self, session: str | None, path: str) -> list[Seen]:
        """What a session has seen of a file, the last reading last."""
        readings = self._sessions.get(session, {}) if session is not None else {}
        handles = [handle for key, handle in readings.items() if key[0] == path]
        return [self._by_handle[handle] for handle in handles if handle in self._by_handle]

    def forget(self, session: str | None, path: str) -> None:
        """Forget what a session has seen of a file."""
        if session is not None and session in self._sessions:
            readings = self._sessions[session]
            for key in [key for key in readings if key[0] == path]:
                del readings[key]


def _size(seen: Seen) -> int:
    return len(seen.program) + len(seen.source)
