"""Events of a stream that differ in their text only: read and written without parsing their JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dualcode.server.apis.protocol import Key
from dualcode.server.json_objects import DECODER, ENCODER

_COLON = re.compile(rb"\s*:\s*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
# What differs from event to event beside the text: a number, and the characters that OpenAI pads events with. Inside a string of JSON
# the quotes would have backslashes, so this never matches in a text.
_NUMBER, _PADDING = b'"sequence_number"', b'"obfuscation"'
_VALUES = {_NUMBER: re.compile(rb":\s*(\d+)"), _PADDING: re.compile(rb':\s*"([^"\\]*)"')}


@dataclass(frozen=True)
class Pattern:
    """What stands before and after the text in an event; most events of a stream have it in common.

    A JSON string between these bytes can only be that text.

    Attributes:
        key: the text that it is more of.
        start: the bytes up to the text.
        end: the bytes after it.
        varies: whether events have a number or padding; in ``start`` and ``end`` these are 0 and empty.

    >>> pattern = Pattern.of(b'data: {"i": 0, "text": "a"}\\n\\n', b'{"i": 0, "text": "a"}', (0,), "text")
    >>> pattern.text(b'data: {"i": 0, "text": "b"}\\n\\n'), pattern.text(b'data: {"i": 1, "text": "b"}\\n\\n')
    ('b', None)
    >>> pattern = Pattern.of(b'data: {"sequence_number": 7, "text": "a"}\\n\\n', b'{"sequence_number": 7, "text": "a"}', (0,), "text")
    >>> pattern.text(b'data: {"sequence_number": 8, "text": "b"}\\n\\n'), pattern.event("c", 9)
    ('b', b'data: {"sequence_number": 9, "text": "c"}\\n\\n')
    """

    key: Key
    start: bytes
    end: bytes
    varies: bool

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
        start, rest = raw[: begin + head.end()], raw[begin + end.end() :]
        return cls(key, _settled(start), _settled(rest), any(_value(raw, name) for name in _VALUES))

    def text(self, raw: bytes) -> str | None:
        """The text of an event of this pattern."""
        if self.varies:
            raw = _settled(raw)
        if not (raw.startswith(self.start) and raw.endswith(self.end) and len(raw) > len(self.start) + len(self.end)):
            return None
        try:
            text = DECODER.decode(raw[len(self.start) : -len(self.end)].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return text if isinstance(text, str) else None

    def event(self, text: str, number: int | None = None) -> bytes:
        """An event of this pattern, with its number where events have one."""
        start, end = self.start, self.end
        if number is not None:
            start, end = (_with(part, _NUMBER, b"%d" % number) for part in (start, end))
        return start + ENCODER.encode(text).encode("ascii") + end


def number_of(raw: bytes) -> int | None:
    """The number of an event, where it has one."""
    found = _value(raw, _NUMBER)
    return int(found[1]) if found else None


def _value(raw: bytes, name: bytes) -> re.Match[bytes] | None:
    at = raw.find(name)
    return _VALUES[name].match(raw, at + len(name)) if at >= 0 else None


def _with(raw: bytes, name: bytes, value: bytes) -> bytes:
    found = _value(raw, name)
    return raw[: found.start(1)] + value + raw[found.end(1) :] if found else raw


def _settled(raw: bytes) -> bytes:
    """The bytes of an event without what differs from event to event."""
    return _with(_with(raw, _NUMBER, b"0"), _PADDING, b"")
