"""The texts of names, numbers and strings: what CPython refuses in them."""

from __future__ import annotations

import re
import unicodedata

from transpiler.rules.table import refuse

_DIGITS = r"[0-9](?:_?[0-9])*"
_EXPONENT = rf"[eE][+-]?{_DIGITS}"
_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"  # with a base
    r"|0(?:_?0)*|[1-9](?:_?[0-9])*"  # decimal
    rf"|(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS})(?:{_EXPONENT})?[jJ]?|{_DIGITS}{_EXPONENT}[jJ]?|{_DIGITS}[jJ]"
)
_ESCAPE = re.compile(r"\\(?:(N)(\{[^}]*\})?|(x)([0-9a-fA-F]{2})?|(u)([0-9a-fA-F]{4})?|(U)([0-9a-fA-F]{8})?|[\s\S])")
_BYTES_ESCAPE = re.compile(r"\\(?:(x)([0-9a-fA-F]{2})?|[\s\S])")
CONVERSIONS = ("!r", "!s", "!a")


def normalized(name: str) -> str:
    """A name as CPython compares it.

    >>> normalized("\\N{MATHEMATICAL BOLD SMALL A}")
    'a'
    """
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def check_name(text: str) -> None:
    """Refuse a text that is not an identifier.

    Raises:
        RuleError: "name".
    """
    if not text.isidentifier():
        refuse("name", text)


def check_number(text: str) -> None:
    """Refuse a number that CPython cannot read.

    Raises:
        RuleError: "number".

    >>> check_number("1_000.5e-3j")
    """
    if not _NUMBER.fullmatch(text):
        refuse("number", text)


def string_kind(text: str) -> str:
    """The kind of a string that begins with a text: "text", "bytes" or "template".

    >>> string_kind("Rb'x'")
    'bytes'
    """
    prefix = text[: min((at for at in (text.find("'"), text.find('"')) if at >= 0), default=0)].lower()
    return "bytes" if "b" in prefix else "template" if "t" in prefix else "text"


def check_string(text: str) -> None:
    """Refuse a string without fields that CPython cannot read.

    Raises:
        RuleError: "escape", "bytes escape" or "bytes ascii".
    """
    if string_kind(text) == "bytes" and not text.isascii():
        refuse("bytes ascii")
    if "\\" in text and "r" not in text[:2].lower():
        if string_kind(text) == "bytes":
            for match in _BYTES_ESCAPE.finditer(text):
                if match[1] and not match[2]:
                    refuse("bytes escape")
        else:
            check_escapes(text)


def check_escapes(text: str) -> None:
    """Refuse escape sequences of text that CPython cannot read.

    Raises:
        RuleError: "escape".
    """
    if "\\" not in text:
        return
    for match in _ESCAPE.finditer(text):
        if match[1]:
            if match[2] is None or not _is_character(match[2][1:-1]):
                refuse("escape", match[0])
        elif (
            (match[3] and not match[4])
            or (match[5] and not match[6])
            or (match[7] and not match[8])
            or match[8]
            and int(match[8], 16) > 0x10FFFF
        ):
            refuse("escape", match[0])


def _is_character(name: str) -> bool:
    try:
        return len(unicodedata.lookup(name)) == 1  # it also knows names of sequences, which literals do not take
    except KeyError:
        return False
