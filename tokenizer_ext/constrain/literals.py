"""Literals under way: what CPython refuses however it goes on, in numbers, names and escapes, and what completes the others."""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_NUMBER = re.compile(
    r" ?(?:[0-9.][0-9._]*__|0[xXoObB][0-9a-fA-F_]*__|[0-9][0-9_]*_[^0-9_]|0[0-9_]*[1-9][0-9_]*[^0-9_.eEjJ]|[0-9]+[eE][+-]?_)"
)
_NAME = re.compile(r" ?((?:[A-Za-z_]|[^\x00-\x7f])(?:[0-9A-Za-z_]|[^\x00-\x7f])*)")
_OPENING = re.compile(r"([A-Za-z]{0,2})(?:'|\")")
_ESCAPE = re.compile(r"\\(?:N(\{[^{}]*\}?)?|([xuU])([0-9a-fA-F]*)|[\s\S])")
_CODE = ("", "(", "{", "IMPORT_PREFIX")  # the modes in which names may stand
_DIGITS = {"x": 2, "u": 4, "U": 8}


def is_doomed(mode: str, data: bytes) -> bool:
    r"""Whether nothing completes what has come since the last token in a mode of the lexer.

    >>> [is_doomed("", text.encode()) for text in ("1__", r"'\xg", r"'\N{DIG", "b'é", "a×")]
    [True, True, False, True, True]
    """
    if not data:
        return False
    text = data.decode(errors="ignore")
    if mode not in _CODE:
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
    return bool(begun) and _character(begun, name is not None) is None


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


def completions(mode: str, data: bytes, rest: Rest = WHOLE, owed: Iterable[str] = ()) -> Iterator[bytes]:
    r"""Bytes that may be needed before what has come since the last token can be a whole lexeme, the likely ones first.

    Args:
        mode: the mode of the lexer.
        data: what has come.
        rest: what its last character still needs.
        owed: names that are asked for.

    >>> [next(completions("", text.encode())) for text in (r"'\x4", r"'\N{DIGIT ON", "'a")]
    [b'0', b'E}', b'']
    >>> next(completions("", b"\xc3", Rest(1))).hex(), [*completions("", b"ab", owed=["abc"])][0]
    ('80', b'c')
    """
    text = data.decode(errors="ignore")
    is_code = mode in _CODE and _OPENING.match(text) is None and not text.startswith(("#", "<"))
    if rest.left:
        begun = data[len(text.encode()) :]
        character = _character(begun, is_inside=_NAME.match(text) is not None) if is_code and begun else None
        yield bytes([rest.low]) + b"\x80" * (rest.left - 1) if character is None else character[len(begun) :]
        return
    if not is_code:
        opening = _OPENING.match(text) if mode in _CODE else None
        if not mode.startswith("RAW") and (opening is None or "r" not in opening[1].lower()):
            *_, last = (None, *_ESCAPE.finditer(text))
            if last is not None and last.end() == len(text):
                yield from _of_escape(last)
        yield b""
        return
    begun_name = _NAME.fullmatch(text)
    if begun_name is not None:
        yield from (name[len(begun_name[1]) :].encode() for name in owed if name != begun_name[1] and name.startswith(begun_name[1]))
    yield b""
    if begun_name is not None:
        yield from (b"a", b"b", b"z")
    elif text.lstrip(" ")[:1].isdigit() or text.lstrip(" ").startswith("."):
        yield from (b"0", b".", b"j", b"0j")


def _of_escape(match: re.Match[str]) -> Iterator[bytes]:
    """What completes an escape sequence."""
    if match[2]:
        yield b"0" * max(0, _DIGITS[match[2]] - len(match[3]))
    elif match[0].startswith("\\N") and not match[0].endswith("}"):
        begun = (match[1] or "{")[1:].upper()
        names = _names()
        rest = [name[len(begun) :] for name in names[bisect_left(names, begun) :][:1] if name.startswith(begun)]
        yield from (f"{'' if match[1] else '{'}{more}}}".encode() for more in rest)


@lru_cache(maxsize=2)
def _held(is_inside: bool) -> list[bytes]:
    """The characters beyond ASCII that names may hold, or begin with, in order."""
    before = "a" * is_inside
    codes = itertools.chain(range(128, 0x40000), range(0xE0000, 0xF0000))  # the planes with letters
    return sorted(chr(code).encode() for code in codes if (before + chr(code)).isidentifier())


def _character(begun: bytes, is_inside: bool) -> bytes | None:
    """The first character of names that begins with some bytes."""
    held = _held(is_inside)
    at = bisect_left(held, begun)
    return held[at] if at < len(held) and held[at].startswith(begun) else None


def _begins_a_name(start: str) -> bool:
    names = _names()
    at = bisect_left(names, start)
    return at < len(names) and names[at].startswith(start)


@lru_cache(maxsize=1)
def _names() -> list[str]:
    """The names of all characters that have one; aliases are not among them."""
    return sorted(filter(None, (unicodedata.name(chr(code), "") for code in range(sys.maxunicode + 1))))
