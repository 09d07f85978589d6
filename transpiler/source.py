"""Python source as CPython reads it: encodings (PEP 263), byte order marks, and every newline style."""

from __future__ import annotations

import codecs
import re

from simpy_grammar.errors import PythonSyntaxError

_COOKIE = rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)"
_SURROGATE = "[\ud800-\udfff]"
_BLANK = rb"^[ \t\f]*(?:#.*)?$"
PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")
"""What the name of a Python file ends in."""


def detect_encoding(source: bytes, *, path: str | None = None) -> str:
    """The encoding that a file declares, by its byte order mark or in its first two lines; UTF-8 otherwise.

    Raises:
        PythonSyntaxError: the declared encoding is unknown, or contradicts a byte order mark.

    >>> detect_encoding(b"# -*- coding: latin-1 -*-\\n")
    'iso8859-1'
    """
    marked = source.startswith(codecs.BOM_UTF8)
    head = source[3:] if marked else source
    if b"coding" not in head[:2048]:
        return "utf-8"
    for number, line in enumerate(re.split(rb"\r\n|\r|\n", head[:2048], maxsplit=2)[:2], 1):
        match = re.match(_COOKIE, line)
        if match:
            name = match[1].decode("ascii", "replace")
            text = line.decode("latin-1")
            try:
                encoding = codecs.lookup(name).name
            except LookupError:
                raise PythonSyntaxError(f"unknown encoding {name!r}", path=path, line=number, source_line=text) from None
            if marked and encoding != "utf-8":
                raise PythonSyntaxError(f"a UTF-8 byte order mark in a file that declares {name}", path=path, line=number, source_line=text)
            return encoding
        if not re.match(_BLANK, line):
            break
    return "utf-8"


def split_lines(text: str) -> list[str]:
    """The lines of a text with their line breaks. Only a line feed ends a line, unlike in ``str.splitlines``.

    >>> split_lines("a\\r\\n\\fb\\n\\nc")
    ['a\\r\\n', '\\x0cb\\n', '\\n', 'c']
    """
    *whole, last = text.split("\n")
    lines = [f"{line}\n" for line in whole]
    return [*lines, last] if last else lines


def _line_feeds(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def read_source(source: str | bytes, *, path: str | None = None) -> str:
    """The text of a program: decoded, without a byte order mark, with ``\\n`` line ends.

    Raises:
        PythonSyntaxError: the bytes are not text in the declared encoding, or hold a NUL.

    >>> read_source(b"\\xef\\xbb\\xbfx = 1\\r\\n")
    'x = 1\\n'
    """
    if isinstance(source, bytes):
        encoding = detect_encoding(source, path=path)
        data = source.removeprefix(codecs.BOM_UTF8)
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            before = _line_feeds(data[: error.start])
            line = before.count(b"\n") + 1
            shown = (before + _line_feeds(data[error.start :]))[before.rfind(b"\n") + 1 :].split(b"\n", 1)[0].decode("latin-1")
            raise PythonSyntaxError(
                f"byte 0x{data[error.start]:02x} is not {encoding}",
                path=path,
                line=line,
                column=len(before) - before.rfind(b"\n"),
                source_line=shown,
                hint="declare the encoding in the first line, e.g. # -*- coding: latin-1 -*-",
            ) from None
        except (LookupError, UnicodeError) as error:
            shown = data.split(b"\n", 1)[0].decode("latin-1")
            raise PythonSyntaxError(f"{encoding} is not a text encoding: {error}", path=path, line=1, source_line=shown) from None
    else:
        text = source.removeprefix("\ufeff")
    if not text.isascii() and (surrogate := re.search(_SURROGATE, text)) is not None:
        raise PythonSyntaxError.at(text, surrogate.start(), "a lone surrogate is not a character", path=path)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise PythonSyntaxError.at(text, text.index("\0"), "source holds a NUL character", path=path)
    return text
