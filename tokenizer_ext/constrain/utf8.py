"""Characters that are spread over tokens: which bytes may complete them. Only well-formed UTF-8 can be completed."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from tokenizer_ext.constrain.patterns import OTHER


class Rest(NamedTuple):
    """What a character still needs: how many bytes, and the first and the last value that the next one may have."""

    left: int
    low: int = 0x80
    high: int = 0xBF


WHOLE = Rest(0)
# First byte of a character -> what follows it, where that is not any continuation bytes (no overlong forms, no surrogates).
_NARROW = {0xE0: Rest(2, 0xA0, 0xBF), 0xED: Rest(2, 0x80, 0x9F), 0xF0: Rest(3, 0x90, 0xBF), 0xF4: Rest(3, 0x80, 0x8F)}


def _begun(byte: int) -> Rest | None:
    if byte in _NARROW:
        return _NARROW[byte]
    if 0xC2 <= byte <= 0xDF:
        return Rest(1)
    if 0xE1 <= byte <= 0xEF:
        return Rest(2)
    return Rest(3) if 0xF1 <= byte <= 0xF3 else None


def read(data: bytes, rest: Rest = WHOLE) -> tuple[str, Rest] | None:
    """The symbols of some bytes that follow a begun character, and what the last character still needs; ``None`` if they are not UTF-8.

    A character beyond ASCII is a symbol as soon as it begins.

    >>> read("aé".encode()) == ("a" + OTHER, WHOLE), read(b"\\xc3") == (OTHER, Rest(1)), read(b"\\xa9", Rest(1)) == ("", WHOLE)
    (True, True, True)
    >>> read(b"\\xa9")
    """
    if data.isascii() and not rest.left:
        return data.decode(), WHOLE
    symbols: list[str] = []
    for byte in data:
        if rest.left:
            if not rest.low <= byte <= rest.high:
                return None
            rest = Rest(rest.left - 1) if rest.left > 1 else WHOLE
        elif byte < 0x80:
            symbols.append(chr(byte))
        else:
            begun = _begun(byte)
            if begun is None:
                return None
            rest = begun
            symbols.append(OTHER)
    return "".join(symbols), rest


def characters(data: bytes) -> list[bytes]:
    """The end of a character that has begun before, and each character.

    >>> characters(b"\\xa9a\\xc3")
    [b'\\xa9', b'a', b'\\xc3']
    """
    starts = [0, *(at for at, byte in enumerate(data) if not 0x80 <= byte <= 0xBF), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(starts)]
