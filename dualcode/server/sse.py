"""Server-sent events out of bytes that arrive in any pieces, each with its bytes as received. ``answers`` reads the data."""

from __future__ import annotations

import re
from typing import NamedTuple

# A lone \r at the end of a piece may be half of \r\n; the other half then starts the next event as an empty line, which means nothing.
_EOL = rb"(?:\r\n|\n|\r(?!\n))"
_END = re.compile(_EOL + _EOL)
_LINE = re.compile(_EOL)
_LONGEST_END = 4
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event.

    Attributes:
        raw: its bytes, with the empty line that ends it, if it has arrived.

    >>> Event(b": hello\\nid: 7\\ndata: {}\\n\\n").data
    b'{}'
    >>> Event(b": only a comment\\n\\n").data is None
    True
    """

    raw: bytes

    @property
    def data(self) -> bytes | None:
        """The values of its data lines, or ``None`` if it has none."""
        if self._is_plain():
            return self.raw[6:-2]
        values = [value for name, value in map(_field, self._lines()) if name == b"data"]
        return b"\n".join(values) if values else None

    def with_data(self, data: bytes) -> bytes:
        """Its bytes with other data (of one line); all other lines stay.

        >>> Event(b"id: 7\\ndata: {}\\n\\n").with_data(b"[]")
        b'id: 7\\ndata: []\\n\\n'
        """
        if self._is_plain():
            return event(data)
        others = [line for line in self._lines() if line and _field(line)[0] != b"data"]
        return b"".join(line + b"\n" for line in others) + b"data: " + data + b"\n\n"

    def _is_plain(self) -> bool:
        """One data line and nothing else, as nearly all events are."""
        raw = self.raw
        return raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 2 and b"\r" not in raw

    def _lines(self) -> list[bytes]:
        return _LINE.split(self.raw.removeprefix(_BOM))


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


def event(data: bytes, name: str = "") -> bytes:
    """An event of one data line, with its name if it has one.

    >>> event(b"[DONE]"), event(b"{}", "ping")
    (b'data: [DONE]\\n\\n', b'event: ping\\ndata: {}\\n\\n')
    """
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + data + b"\n\n"


class EventReader:
    """Cuts bytes into events; the bytes of the events and the rest join to what was fed.

    >>> reader = EventReader()
    >>> [event.raw for piece in (b"data: 1\\r", b"\\n\\r\\nda", b"ta: 2\\n") for event in reader.feed(piece)], reader.rest
    ([b'data: 1\\r\\n\\r\\n'], b'data: 2\\n')
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        """The bytes received since the last event ended."""
        return bytes(self._buffer)

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        buffer = self._buffer
        seen = len(buffer)
        buffer += piece
        found, start = [], 0
        end = _END.search(buffer, max(0, seen - _LONGEST_END + 1))
        while end:
            found.append(Event(bytes(buffer[start : end.end()])))
            start = end.end()
            end = _END.search(buffer, start)
        del buffer[:start]
        return found

    def take(self) -> bytes:
        """Return the bytes received since the last event ended, and forget them."""
        rest = self.rest
        self._buffer.clear()
        return rest
