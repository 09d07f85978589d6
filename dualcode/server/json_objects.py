"""The JSON objects of requests and answers: read and written so that nothing else changes, and where answers hold their texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from dualcode.conversion.messages import is_text_part


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("this number would be changed")
    return number


# What could not be written again unchanged is not read: NaN, and numbers that are too large for a float.
DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_number)
ENCODER = json.JSONEncoder(separators=(",", ":"))


def parse(body: bytes) -> dict[str, Any] | None:
    """The JSON object in these bytes, or ``None``.

    >>> parse(b'{"a": 1}'), parse(b"[]"), parse(b"{")
    ({'a': 1}, None, None)
    """
    try:
        value = DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def dump(value: dict[str, Any]) -> bytes:
    """The bytes of a JSON object, in ASCII, so that a lone surrogate survives."""
    return ENCODER.encode(value).encode("ascii")


def choices(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices of an answer, or of an event of one."""
    found = answer.get("choices")
    return [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []


def index_of(choice: dict[str, Any]) -> int:
    """The number of a choice."""
    found = choice.get("index")
    return found if isinstance(found, int) and found >= 0 else 0


def answer_texts(holder: object, key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the texts of an answer are: its content, or the text parts of its content.

    >>> [(place, key) for place, key in answer_texts({"content": [{"type": "text", "text": "a"}, {"type": "image"}]}, "content")]
    [({'type': 'text', 'text': 'a'}, 'text')]
    """
    if not isinstance(holder, dict):
        return
    content = holder.get(key)
    if isinstance(content, str):
        yield holder, key
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and is_text_part(part):
                yield part, "text"
