"""Events of a stream that differ in their text only: read and written without parsing their JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dualcode.server.apis.protocol import Key
from dualcode.server.json_objects import DECODER, ENCODER

_COLON = re.compile(rb"\s*:\s*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Pattern:
    """What stands before and after the text in an event; most events of a stream have it in common.

    A JSON string between these bytes can only be that text.

    Attributes:
        key: the text that it is more of.
        start: the bytes up to the text.
        end: the bytes after it.

    >>> pattern = Pattern.of(b'data: {"i": 0, "text": "a"}\\n\\n', b'{"i": 0, "text": "a"}', (0,), "text")
    >>> pattern.text(b'data: {"i": 0, "text": "b"}\\n\\n'), pattern.text(b'data: {"i": 1, "text": "b"}\\n\\n')
    ('b', None)
    """

    key: Key
    start: bytes
    end: bytes

    @classmethod
    def of(cls, raw: bytes, data: bytes, key: Key, name: str) -> Pattern | None:
        """The pattern of an event whose text is in the field of this name; ``None`` if that is not certain."""
        field, begin = f'"{name}"'.encode(), raw.find(data)
        if begin < 0 or data.count(field) != 1:
            return None
        head = _COLON.match(data, data.index(field) + len(field))
        end = _STRING.match(data, head.end()) if head else None
        if head is None or end is None:
            return None
        return cls(key, raw[: begin + head.end()], raw[begin + end.end() :])

    def text(self, raw: bytes) -> str | None:
        """The text of an event of this pattern."""
        if not (raw.startswith(self.start) and raw.endswith(self.end) and len(raw) > len(self.start) + len(self.end)):
            return None
        try:
            text = DECODER.decode(raw[len(self.start) : -len(self.end)].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return text if isinstance(text, str) else None

    def event(self, text: str) -> bytes:
        """An event of this pattern."""
        return self.start + ENCODER.encode(text).encode("ascii") + self.end
