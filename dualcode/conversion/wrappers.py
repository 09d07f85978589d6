"""Files in markup, as tools put them into prompts: ``<file path="app.py">``, ``<document>`` with its ``<source>``, and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dualcode.conversion.labels import is_python_path

_OPENING = re.compile(r"(?P<before>[ \t]*<(?P<tag>[A-Za-z_][\w.:-]*)(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*>)")
_ATTRIBUTE = re.compile(r"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RANGE = re.compile(r"(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)$")
PATH_NAMES = frozenset(("path", "name", "file", "filename", "file_name", "file_path", "filepath", "source", "src", "uri", "url", "title"))
"""Attributes and elements that hold the path of a file."""
CONTENT_TAGS = frozenset(
    ("content", "contents", "document_content", "document_contents", "file_content", "file_contents", "code", "text", "body")
)
"""Elements that hold a file whose path stands in an element before them."""
_PATH_ELEMENT = re.compile(rf"<({'|'.join(sorted(PATH_NAMES))})>\s*([^<>\n]*?)\s*</\1>")
_ESCAPED = re.compile(r"&(?:lt|gt|amp|quot|apos|#\d+);")
_NEAR = 4  # how many lines may stand between the path of a file and its content
_LONGEST = 2000  # a line with a tag, in characters


class Wrapped(NamedTuple):
    """The content of an element.

    Attributes:
        before: from the start of the line to the content.
        code: the content.
        after: from there to the end of the line.
        lines: how many lines all of it is.
        escaped: the content has references to characters, so that it is not Python as it stands.
    """

    before: str
    code: str
    after: str
    lines: int
    escaped: bool


class Wrappers:
    """Reads the lines of a text in order, and finds those that open an element that holds a Python file.

    >>> Wrappers().opens(['<file lines="1-2" path="app.py">\\n', "x = 1\\n", "</file>\\n"], 0)
    Wrapped(before='<file lines="1-2" path="app.py">\\n', code='x = 1\\n', after='</file>\\n', lines=3, escaped=False)
    """

    def __init__(self) -> None:
        self._path = ""
        self._path_at = -_NEAR - 1
        self._closed: dict[str, int] = {}  # for each closing tag, the first line that ends with it from the line of the last look on

    def opens(self, lines: Sequence[str], at: int) -> Wrapped | None:
        """Look at one line; return the element if it opens one and the text closes it."""
        line = lines[at]
        if "<" not in line[:_LONGEST] or len(line) > _LONGEST:
            return None
        for element in _PATH_ELEMENT.finditer(line):
            self._path, self._path_at = element[2], at
        match = _OPENING.match(line)
        if match is None:
            return None
        paths = [one or other for name, one, other in _ATTRIBUTE.findall(match["attributes"]) if name.lower() in PATH_NAMES]
        if not paths and match["tag"].lower() in CONTENT_TAGS and at - self._path_at <= _NEAR:
            paths = [self._path]
        if not any(is_python_path(_RANGE.sub("", path)) for path in paths):
            return None
        closing = f"</{match['tag']}>"
        end = self._closing_line(lines, at, closing)
        return None if end == len(lines) else _content(lines, at, end, match, closing)

    def _closing_line(self, lines: Sequence[str], at: int, closing: str) -> int:
        """The first line from some line on that ends with a tag; the number of lines if none does."""
        end = self._closed.get(closing, -1)
        if end < at:
            end = next((i for i in range(at, len(lines)) if lines[i].rstrip().endswith(closing)), len(lines))
            self._closed[closing] = end
        return end


def _content(lines: Sequence[str], at: int, end: int, opening: re.Match[str], closing: str) -> Wrapped:
    """The element that one line opens and another one, or the same, closes."""
    rest = lines[at][opening.end() :]
    on_own_line = not rest.strip()
    before = lines[at] if on_own_line else opening["before"]
    last = rest if end == at else lines[end]
    found = lines[at + 1 : end] if on_own_line or end == at else (rest, *lines[at + 1 : end])
    cut = last.rindex(closing)
    if not last[:cut].strip():
        cut = 0
    code = "".join((*found, last[:cut]))
    return Wrapped(before, code, last[cut:], end - at + 1, _ESCAPED.search(code) is not None)
