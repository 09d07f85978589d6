"""Files in markup, as tools put them into prompts: ``<file path="app.py">``, ``<document>`` with its ``<source>``, and the like."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from dualcode.conversion.fences import Prose
from dualcode.conversion.labels import is_python_path

PATH_NAMES = frozenset(("path", "name", "file", "filename", "file_name", "file_path", "filepath", "source", "src", "uri", "url", "title"))
"""Attributes and elements that hold the path of a file."""
CONTENT_TAGS = frozenset(
    ("content", "contents", "document_content", "document_contents", "file_content", "file_contents", "code", "text", "body")
)
"""Elements that hold a file whose path stands before them: in an element of its own, or as an attribute of what they stand in."""
_TAG = r"[A-Za-z_][\w.:-]*"
_OPENING = re.compile(rf"<(?P<tag>{_TAG})(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*>")
_CLOSING = re.compile(rf"</{_TAG}>")
_ATTRIBUTE = re.compile(r"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ELEMENT = re.compile(rf"<({_TAG})>([^<>\n]*)</\1>")
_BLANKS = re.compile(r"[ \t]*")
_RANGE = re.compile(r"(?::\d+(?:-\d+)?|#L\d+(?:-L?\d+)?)$")
_ESCAPED = re.compile(r"&(?:lt|gt|amp|quot|apos|#\d+);")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_NEAR = 4  # how many lines may stand between the path of a file and its content
_LONGEST = 2000  # a line with a tag, in characters
_MOST_CLOSED = 8  # elements that end at the end of one line


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

    >>> Wrappers(['<file lines="1-2" path="app.py">\\n', "x = 1\\n", "</file>\\n"]).opens(0)
    Wrapped(before='<file lines="1-2" path="app.py">\\n', code='x = 1\\n', after='</file>\\n', lines=3, escaped=False)
    >>> Wrappers(["<file><path>app.py</path><content>\\n", "x = 1\\n", "</content></file>\\n"]).opens(0)
    Wrapped(before='<file><path>app.py</path><content>\\n', code='x = 1\\n', after='</content></file>\\n', lines=3, escaped=False)
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._path = ""
        self._path_at = -_NEAR - 1
        self._closings: dict[str, list[int]] | None = None  # for each closing tag, the lines that end with it and others

    def opens(self, at: int) -> Wrapped | None:
        """Look at one line; return the element if it opens one and the text closes it."""
        line = self._lines[at]
        if "<" not in line[:_LONGEST] or len(line) > _LONGEST:
            return None
        opened = self._opened(line, at)
        for element in _ELEMENT.finditer(line):
            self._names(element[1], element[2], at)
        if opened is None:
            return None
        tag, start = opened
        closing = f"</{tag}>"
        if line.startswith(_CDATA, start):
            start, closing = start + len(_CDATA), _CDATA_END + closing
        end = self._closing_line(at, closing)
        if end is None or not self._may_be_code(at, start, end):
            return None
        return _content(self._lines, at, end, start, closing)

    def _opened(self, line: str, at: int) -> tuple[str, int] | None:
        """The innermost element at the start of a line that may hold a Python file: its tag, and the offset of its content."""
        found: tuple[str, int] | None = None
        place = _BLANKS.match(line, 0).end()  # type: ignore[union-attr]  # it matches everywhere
        while True:
            element = _ELEMENT.match(line, place)
            if element is not None and (element[1].lower() in PATH_NAMES or found is None):
                if element[1].lower() in CONTENT_TAGS and self._is_python(at):
                    return element[1], element.start() + len(element[1]) + 2
                self._names(element[1], element[2], at)
                place = _BLANKS.match(line, element.end()).end()  # type: ignore[union-attr]  # as above
                continue
            opening = _OPENING.match(line, place)
            if opening is None:
                return found
            tag = opening["tag"].lower()
            paths = [(name, one or other) for name, one, other in _ATTRIBUTE.findall(opening["attributes"]) if name.lower() in PATH_NAMES]
            for name, path in paths:
                self._names(name, path, at)
            python = any(is_python_path(_RANGE.sub("", path)) for _, path in paths)
            found = (opening["tag"], opening.end()) if python or (not paths and tag in CONTENT_TAGS and self._is_python(at)) else None
            place = _BLANKS.match(line, opening.end()).end()  # type: ignore[union-attr]  # as above

    def _names(self, name: str, path: str, at: int) -> None:
        """Take note of an attribute or an element that may hold the path of a file."""
        if name.lower() in PATH_NAMES:
            self._path, self._path_at = path.strip(), at

    def _is_python(self, at: int) -> bool:
        """Whether the path of a Python file stands near."""
        return at - self._path_at <= _NEAR and is_python_path(_RANGE.sub("", self._path))

    def _closing_line(self, at: int, closing: str) -> int | None:
        """The first line from some line on that ends with a tag, or with it and others that close elements; ``None`` if none does."""
        if self._closings is None:
            self._closings = {}
            for number, line in enumerate(self._lines):
                for tag in _closed_by(line) if "</" in line else ():
                    self._closings.setdefault(tag, []).append(number)
        found = self._closings.get(closing, [])
        place = bisect_left(found, at)
        return found[place] if place < len(found) else None

    def _may_be_code(self, at: int, start: int, end: int) -> bool:
        """Whether the first line that is not blank may be one of Python: other markup, or a fence in it, says more."""
        for number in range(at, end + 1):
            first = self._lines[number][start if number == at else 0 :]
            if first.strip():
                return first.lstrip()[:1] != "<" and Prose().opens(first) is None
        return False


def _closed_by(line: str) -> list[str]:
    """The closing tags at the end of a line, the end of a CDATA section with its tag.

    >>> _closed_by("x = 1]]></content></file>\\n")
    ['</file>', '</content>', ']]></content>']
    """
    found: list[str] = []
    end = len(line.rstrip())
    while len(found) < _MOST_CLOSED:
        start = line.rfind("</", max(end - _LONGEST, 0), end)
        if start < 0 or not _CLOSING.fullmatch(line, start, end):
            break
        found.append(line[start:end])
        if line.endswith(_CDATA_END, 0, start):
            return [*found, _CDATA_END + line[start:end]]
        while start and line[start - 1] in " \t":
            start -= 1
        end = start
    return found


def _content(lines: Sequence[str], at: int, end: int, start: int, closing: str) -> Wrapped:
    """The element whose content begins at an offset of one line, and that another line, or the same, closes."""
    rest = lines[at][start:]
    on_own_line = not rest.strip()
    before = lines[at] if on_own_line else lines[at][:start]
    last = rest if end == at else lines[end]
    found = lines[at + 1 : end] if on_own_line or end == at else (rest, *lines[at + 1 : end])
    cut = last.rindex(closing)
    if not last[:cut].strip():
        cut = 0
    code = "".join((*found, last[:cut]))
    return Wrapped(before, code, last[cut:], end - at + 1, not closing.startswith(_CDATA_END) and _ESCAPED.search(code) is not None)
