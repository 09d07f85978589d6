"""The JSON objects of requests and answers, read and written so that nothing else changes. ``apis`` says where their texts are."""

from __future__ import annotations

import json
import math
from typing import Any


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
        return parse_text(body.decode("utf-8"))
    except ValueError:
        return None


def parse_text(text: str) -> dict[str, Any] | None:
    """The JSON object in this text, or ``None``."""
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def dump(value: dict[str, Any]) -> bytes:
    """The bytes of a JSON object, in ASCII, so that a lone surrogate survives."""
    return ENCODER.encode(value).encode("ascii")
