"""A file as it is, and an edit of it: the new text and bytes, and what changes."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Sequence
from typing import NamedTuple

from simpy_grammar.errors import EditError
from transpiler.edits.merging import Splice
from transpiler.edits.printer import Style
from transpiler.source import detect_encoding, read_source


class ChangedRange(NamedTuple):
    """A range of a file that an edit changes.

    Attributes:
        start, end: the range of bytes in the old file (of characters, if the source is a ``str``).
        new: what stands there in the new one.
        line, end_line: the lines of that in the new text, from 1; the last one is not among them.
    """

    start: int
    end: int
    new: str
    line: int
    end_line: int


class Edit(NamedTuple):
    """A proved edit of one file.

    Attributes:
        text: the new text, with the newlines of the old one.
        data: the new file, byte for byte.
        ranges: the parts that change, in order.
        old: the old text.
        removed_comments: the comments that the new text does not have any more.
        proved: the first line of the old text that the proof has read, and the line after the last one. Outside of them no byte
            is different.

    >>> from transpiler import merge
    >>> edit = merge("x = 1  # one\\ny = 2\\n", "x = 3\\ny = 2\\n", seen="x = 1\\ny = 2\\n")
    >>> edit.text
    'x = 3  # one\\ny = 2\\n'
    >>> [part.new for part in edit.ranges]
    ['3']
    """

    text: str
    data: bytes
    ranges: tuple[ChangedRange, ...]
    old: str
    removed_comments: tuple[str, ...]
    proved: tuple[int, int]

    def diff(self, path: str = "file") -> str:
        """The edit as a unified diff; empty if nothing changes."""
        old, new = self.old.splitlines(keepends=True), self.text.splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, path, path)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


class SourceFile:
    """A file as it is: its bytes, its text, and the text that is read, with every newline a line feed.

    Raises:
        PythonSyntaxError: it cannot be decoded.
    """

    def __init__(self, source: str | bytes, path: str | None = None) -> None:
        self.read = read_source(source, path=path)
        self.path = path
        self.is_text = isinstance(source, str)
        self.encoding = "utf-8"
        self.mark = b""
        if isinstance(source, bytes):
            self.encoding = detect_encoding(source, path=path)
            self.mark = codecs.BOM_UTF8 if source.startswith(codecs.BOM_UTF8) else b""
            self.data = source
            self.text = source[len(self.mark) :].decode(self.encoding)
        else:
            self.text = source
            self.data = source.encode("utf-8", "surrogatepass")
        self.style: Style | None = None  # the habits of the file, if they are not those of its own text
        self.newline = "\r\n" if "\r\n" in self.text else "\r" if "\r" in self.text and "\n" not in self.text else "\n"

    def edit(self, changes: Sequence[Splice], proved: tuple[int, int], removed_comments: tuple[str, ...] = ()) -> Edit:
        """The edit that changes some ranges of the text that was read.

        Raises:
            EditError: the encoding of the file has no such characters.
        """
        raw = self._offsets()
        text, read = self.text, self.read
        skipped = 1 if self.is_text and text.startswith("\ufeff") else 0
        out: list[str] = []
        data: list[bytes] = [self.mark]
        found: list[ChangedRange] = []
        at = at_byte = 0
        position, line = len(self.mark), 1
        for change in _trimmed(read, changes):
            start, end = (raw[change.start], raw[change.end]) if raw else (change.start + skipped, change.end + skipped)
            kept = text[at:start]
            new = change.text.replace("\n", self.newline) if self.newline != "\n" else change.text
            position += len(self._encoded(kept))
            length = len(self._encoded(text[start:end]))
            line += read.count("\n", at_byte, change.start)
            at_byte = change.end
            where = (start, end) if self.is_text else (position, position + length)
            ends = line + change.text.count("\n") + (not change.text.endswith("\n") and bool(change.text))
            found.append(ChangedRange(*where, new, line, max(ends, line)))
            out += (kept, new)
            data += (self._encoded(kept), self._encoded(new))
            position += length
            line += change.text.count("\n")
            at = end
        out.append(text[at:])
        data.append(self._encoded(text[at:]))
        return Edit("".join(out), b"".join(data), tuple(found), text, removed_comments, proved)

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding, "surrogatepass" if self.encoding == "utf-8" else "strict")
        except UnicodeEncodeError as error:
            char = text[error.start]
            raise EditError(f"{self.encoding}, the encoding of the file, has no character {char!r}", path=self.path) from None

    def _offsets(self) -> list[int]:
        """For each offset into the text that is read, the one into the text; empty if they are the same but for a mark."""
        if "\r" not in self.text:
            return []
        found = []
        at = 1 if self.text.startswith("\ufeff") else 0
        text = self.text
        while at < len(text):
            found.append(at)
            at += 2 if text[at] == "\r" and text[at + 1 : at + 2] == "\n" else 1
        return [*found, len(text)]


def _trimmed(text: str, changes: Sequence[Splice]) -> list[Splice]:
    """Changes without what is the same at their ends, and without those that change nothing."""
    found: list[Splice] = []
    for start, end, new in changes:
        first = 0
        while first < min(end - start, len(new)) and text[start + first] == new[first]:
            first += 1
        last = 0
        while last < min(end - start, len(new)) - first and text[end - 1 - last] == new[-1 - last]:
            last += 1
        if first < len(new) - last or first < end - start - last:
            found.append(Splice(start + first, end - last, new[first : len(new) - last]))
    return found
