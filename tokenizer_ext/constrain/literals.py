"""Literals under way that no text completes: of numbers, names and escapes, what CPython refuses however they go on."""

from __future__ import annotations

import re
import sys
import unicodedata
from bisect import bisect_left
from functools import lru_cache

_NUMBER = re.compile(
    r" ?(?:[0-9.][0-9._]*__|0[xXoObB][0-9a-fA-F_]*__|[0-9][0-9_]*_[^0-9_]|0[0-9_]*[1-9][0-9_]*[^0-9_.eEjJ]|[0-9]+[eE][+-]?_)"
)
_NAME = re.compile(r" ?((?:[A-Za-z_]|[^\x00-\x7f])(?:[0-9A-Za-z_]|[^\x00-\x7f])*)")
_OPENING = re.compile(r"([A-Za-z]{0,2})(?:'|\")")
_ESCAPE = re.compile(r"\\(?:N(\{[^{}]*\}?)?|([xuU])([0-9a-fA-F]*)|[\s\S])")
_DIGITS = {"x": 2, "u": 4, "U": 8}


def is_doomed(mode: str, data: bytes) -> bool:
    r"""Whether nothing completes what has come since the last token in a mode of the lexer.

    >>> [is_doomed("", text.encode()) for text in ("1__", r"'\xg", r"'\N{DIG", "b'é", "a×")]
    [True, True, False, True, True]
    """
    if not data:
        return False
    text = data.decode(errors="ignore")
    if mode:
        return mode.startswith("FSTRING_TEXT") and _is_broken(text, is_bytes=False)
    opening = _OPENING.match(text)
    if opening is not None:
        prefix = opening[1].lower()
        if "b" in prefix and not data.isascii():
            return True
        return "r" not in prefix and _is_broken(text, is_bytes="b" in prefix)
    if text.startswith(("#", "<")):
        return False
    if data.isascii():
        return _NUMBER.match(text) is not None
    name = _NAME.match(text)
    if name is not None and not name[1].isidentifier():
        return True
    begun = data[len(text.encode()) :]
    return bool(begun) and begun not in _beginnings(name is not None)


def _is_broken(text: str, *, is_bytes: bool) -> bool:
    """Whether an escape sequence in a text that goes on cannot be completed."""
    for match in _ESCAPE.finditer(text) if "\\" in text else ():
        is_last = match.end() == len(text)
        kind, digits = match[2], match[3]
        if kind == "x" or (kind and not is_bytes):
            size = _DIGITS[kind]
            if len(digits) < size and not is_last:
                return True
            if kind == "U" and int(digits[:8].ljust(8, "0"), 16) > sys.maxunicode:
                return True
        elif match[0].startswith("\\N") and not is_bytes:
            name = match[1]
            if name is None:
                if not is_last:
                    return True
            elif not (_is_name(name[1:-1]) if name.endswith("}") else is_last and _begins_a_name(name[1:].upper())):
                return True
    return False


def _is_name(name: str) -> bool:
    try:
        return len(unicodedata.lookup(name)) == 1
    except KeyError:
        return False


@lru_cache(maxsize=2)
def _beginnings(is_inside: bool) -> frozenset[bytes]:
    """The beginnings of the characters beyond ASCII that names may hold, or begin with."""
    before = "a" * is_inside
    held = (chr(code).encode() for code in range(128, 0x110000) if (before + chr(code)).isidentifier())
    return frozenset(data[:end] for data in held for end in range(1, len(data)))


def _begins_a_name(start: str) -> bool:
    names = _names()
    at = bisect_left(names, start)
    return at < len(names) and names[at].startswith(start)


@lru_cache(maxsize=1)
def _names() -> list[str]:
    """The names of all characters that have one; aliases are not among them."""
    return sorted(filter(None, (unicodedata.name(chr(code), "") for code in range(sys.maxunicode + 1))))
