"""The JSON that goes over the wire: read and written so that nothing changes unasked, and where it holds choices and texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("this number would be changed")
    return number


# What could not be written again as it was is not read: NaN, and numbers that are too large for a float.
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
    """The bytes of a JSON object, in ASCII, so that a lone surrogate stays what it was."""
    return ENCODER.encode(value).encode("ascii")


def choices(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices of an answer, or of an event of one."""
    found = answer.get("choices")
    return [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []


def index_of(choice: dict[str, Any]) -> int:
    """Which choice it is."""
    found = choice.get("index")
    return found if isinstance(found, int) and found >= 0 else 0


def texts(holder: object, key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the texts of a message are: its content, or the text parts of it."""
    if not isinstance(holder, dict):
        return
    content = holder.get(key)
    if isinstance(content, str):
        yield holder, key
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") in ("text", "input_text") and isinstance(part.get("text"), str):
                yield part, "text"
