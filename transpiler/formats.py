"""Formats that begin with ``=``, which tree-sitter-python reads as a walrus: ``f"{x:=+8}"``.

The parser is shown another sign in its place; the encoder takes the text of a format from the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FORMATTED = re.compile(rb"[fFtT][rR]?['\"]")
_SIGN = ord(">")  # a fill or an alignment as good as any
_CODE = re.compile(rb"#[^\n]*|(?:(?<!\w)(?P<prefix>[A-Za-z]{1,2}))?(?P<quote>'''|\"\"\"|'|\")|[\[({\])}:]")
# What is open -> what to look for there: in code as a whole, in brackets and fields, in formats, in strings by prefix and quotes.
_NEXT = {b"": _CODE, b"(": _CODE, b"{": _CODE, b":": re.compile(rb"[{}]")}
for _quote in (b"'", b'"', b"'''", b'"""'):
    _end = _quote + (b"|\n" if len(_quote) == 1 else b"")
    _NEXT[_quote] = re.compile(rb"\\[\s\S]|" + _end)
    _NEXT[b"f" + _quote] = re.compile(rb"\\N\{|\\[^{}]|\{\{|\{|" + _end)
    _NEXT[b"r" + _quote] = re.compile(rb"\\[^{}]|\{\{|\{|" + _end)


def disguised(data: bytes) -> bytes:
    """The source, with another sign for each ``=`` that begins a format.

    >>> disguised(b"f'{x:=+8}' + g(x:=1)")
    b"f'{x:>+8}' + g(x:=1)"
    """
    if b":=" not in data or not _FORMATTED.search(data):
        return data
    shown = bytearray(data)
    for at in _signs(data):
        shown[at] = _SIGN
    return bytes(shown)


def _signs(data: bytes) -> Iterator[int]:
    """Where formats begin with ``=``."""
    stack = [b""]  # what is open, by its key in the table
    match = _CODE.search(data)
    while match:
        top, token, at = stack[-1], match[0], match.end()
        if token == b"{":
            stack.append(b"(" if _NEXT[top] is _CODE else b"{")
        elif top == b":":
            stack.pop()
        elif _NEXT[top] is not _CODE:
            if token == b"\n" or top.endswith(token):
                stack.pop()
        elif match["quote"]:
            prefix = (match["prefix"] or b"").lower()
            stack.append((b"" if not set(prefix) & set(b"ft") else b"r" if b"r" in prefix else b"f") + match["quote"])
        elif token in b"([":
            stack.append(b"(")
        elif token in b")]}":
            if top:
                stack.pop()
        elif token == b":" and top == b"{":
            stack[-1] = b":"
            if data.startswith(b"=", at):
                yield at
        match = _NEXT[stack[-1]].search(data, at)
