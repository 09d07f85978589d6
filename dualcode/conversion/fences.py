"""Fenced blocks of Markdown, line by line: where one opens, where it ends, what stands before each of its lines.

The rules are CommonMark's, in quotes and lists too, with one exception: a line that is indented too little does not end a block
in a list item. What stands in a block is left to ``markdown`` and ``reply_stream``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dualcode.conversion import labels

_FENCE = re.compile(r"(?P<fence>`{3,}(?=[^`\n]*$)|~{3,}(?!~))[ \t]*(?P<info>(?:[^ \t\r\n][^\r\n]*)?)\r?$")
_QUOTE = re.compile(r"[ ]{0,3}>[ ]?")
_ITEM = re.compile(r"(?P<marker>[-*+]|(?P<number>\d{1,9})[.)])(?P<gap>[ ]+|(?=\r?$)|(?=\t))")
_BREAK = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\r?$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\r?$")
_HEADING = re.compile(r"#{1,6}(?:[ \t\r]|$)")
_MAYBE_OPEN = re.compile(r"(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)]))*[ \t]*(?:\d{0,9}[.)]?|`{0,2}|~{0,2}|`{3,}[^`\n]*|~{3,}[^\n]*)[ \t\r]*")
LONGEST_FENCE = 4096
"""The longest line that opens or ends a block, in characters. Of longer lines only a beginning of this length is looked at, so that the
time of a stream that never breaks its line stays linear."""
_CODE = 4  # columns by which indented code is indented
QUOTE = ">"


@dataclass(frozen=True)
class Fence:
    """The opening line of a fenced block.

    Attributes:
        margin: the quotes and lists that it stands in: the mark of a quote, or the blanks that the content of an item is indented by.
        blank: its indentation inside of them.
        char: the character of the fence.
        length: length of the fence, in characters.
        info: the words after it.
        line: the whole line, with its line break.
        under_path: the line above it is nothing but the name of a Python file.
    """

    margin: tuple[str, ...]
    blank: str
    char: str
    length: int
    info: str
    line: str
    under_path: bool = False

    @property
    def is_python(self) -> bool:
        """Whether the block is marked as Python."""
        return labels.is_python(self.info) or (self.under_path and not self.info)

    @property
    def is_simpy(self) -> bool:
        """Whether the block is marked as SimPy."""
        return labels.is_simpy(self.info)

    @property
    def eol(self) -> str:
        """The line break of the text."""
        return "\r\n" if self.line.endswith("\r\n") else "\n"

    @property
    def indent(self) -> str:
        """What stands before each line of the block."""
        return "".join(f"{part} " if part == QUOTE else part for part in self.margin) + self.blank

    def marked_python(self) -> str:
        """The opening line, marked ``python`` instead of ``simpy``."""
        at = self.line.rindex(self.info) if self.info else len(self.line)
        return self.line[:at] + labels.marked_python(self.line[at:])

    def strip(self, line: str) -> str | None:
        """A line of the block without its margin; ``None`` if the line is outside of the quote, so that the block has ended."""
        if not (self.margin or self.blank):
            return line
        inner = self._enter(line)
        return None if inner is None else dedent(inner, self.blank)

    def closes(self, line: str) -> bool:
        """Whether a line ends the block."""
        if self.char * self.length not in line or len(line) > LONGEST_FENCE:
            return False
        inner = self._enter(line)
        body = "" if inner is None else inner.strip()
        if inner is None or len(body) < self.length or body.strip(self.char):
            return False
        if "\t" in self.blank:  # CommonMark has no rule for tabs here: the fence may be as deep as the block
            inner = dedent(inner, self.blank)
        return len(inner) - len(inner.lstrip(" \t")) < _CODE

    def may_close(self, line: str) -> bool:
        """Whether the beginning of a line may still grow into one that ends the block, or one whose margin is not whole yet."""
        if len(line) > LONGEST_FENCE or "\n" in line:
            return False
        if QUOTE in self.margin and not line.strip(" >"):
            return True
        inner = self.strip(line)
        return inner is not None and not inner.strip().strip(self.char)

    def _enter(self, line: str) -> str | None:
        """A line without the marks of the quotes and lists that the block stands in."""
        for part in self.margin:
            if part == QUOTE:
                match = _QUOTE.match(line)
                if match is None:
                    return None
                line = line[match.end() :]
            else:
                line = dedent(line, part)
        return line


@dataclass(frozen=True)
class _Container:
    """A quote, or the item of a list whose content begins after some columns."""

    columns: int = 0

    @property
    def margin(self) -> str:
        """What stands for it before a line."""
        return " " * self.columns or QUOTE

    def enter(self, line: str) -> str | None:
        """The rest of a line that continues it; ``None`` if the line does not."""
        if not self.columns:
            match = _QUOTE.match(line)
            return None if match is None else line[match.end() :]
        blanks = len(line) - len(line.lstrip(" "))
        if blanks >= self.columns or "\t" in line[: blanks + 1]:
            return dedent(line, " " * self.columns)
        return "" if not line.strip() else None


class Prose:
    """The lines outside of fenced blocks, in order: says which of them open one."""

    def __init__(self) -> None:
        self._containers: list[_Container] = []
        self._paragraph = False  # the line before may go on
        self._empty_item = False  # the line before begins an item and says nothing in it
        self._names_file = False  # the line before is the name of a Python file

    def opens(self, line: str) -> Fence | None:
        """Read one whole line; return the fence if it is one.

        >>> Prose().opens("  ~~~ py\\n")
        Fence(margin=(), blank='  ', char='~', length=3, info='py', line='  ~~~ py\\n', under_path=False)
        >>> Prose().opens("> - ```py\\n").margin
        ('>', '  ')
        """
        under_path, self._names_file = self._names_file, labels.names_python_file(line)
        if len(line) > LONGEST_FENCE:
            self._paragraph = True
            return None
        rest, margin = self._enter(line.removesuffix("\n"))
        entered = len(margin)
        lazy = entered < len(self._containers) and self._paragraph
        rest, opened = self._open(rest, entered)
        margin += [one.margin for one in opened]
        blank = rest[: len(rest) - len(rest.lstrip(" \t"))]
        match = _FENCE.match(rest, len(blank))
        if match is not None and len(blank) >= _CODE and "\t" not in blank:
            match = None  # indented code, or the paragraph goes on
        if match is not None or opened or not rest.strip() or not lazy or _is_heading(rest, False):
            self._containers = [*self._containers[:entered], *opened]
            goes_on = self._paragraph and not opened
            ends = match is not None or not rest.strip() or _is_heading(rest, goes_on and not lazy) or (len(blank) >= _CODE and not goes_on)
            self._paragraph = not ends
            self._empty_item = bool(opened) and bool(opened[-1].columns) and not rest.strip()
        if match is None:
            return None
        return Fence(tuple(margin), blank, match["fence"][0], len(match["fence"]), match["info"].rstrip(), line, under_path)

    def _enter(self, line: str) -> tuple[str, list[str]]:
        """A line without the marks of the quotes and lists that it continues, and these marks."""
        margin: list[str] = []
        for container in self._containers:
            inner = container.enter(line)
            if inner is None:
                return line, margin
            margin.append(container.margin)
            line = inner
        if self._empty_item and not line.strip() and margin:
            margin.pop()  # an item may begin with one blank line only
        return line, margin

    def _open(self, line: str, entered: int) -> tuple[str, list[_Container]]:
        """A line without the marks of the quotes and lists that it begins, and these."""
        opened: list[_Container] = []
        while (indent := len(line) - len(line.lstrip(" "))) < _CODE:
            body = line[indent:]
            quote = _QUOTE.match(line)
            item = None if _BREAK.match(body) else _ITEM.match(body)
            if quote is not None:
                opened.append(_Container())
                line = line[quote.end() :]
            elif item is not None and not (self._paragraph and not opened and not self._may_interrupt(item, body, entered)):
                gap = len(item["gap"])
                opened.append(_Container(indent + len(item["marker"]) + (gap if 1 <= gap <= _CODE and body[item.end() :].strip() else 1)))
                line = line[opened[-1].columns :]
            else:
                break
        return line, opened

    def _may_interrupt(self, item: re.Match[str], body: str, entered: int) -> bool:
        """Whether an item of a list may begin in the middle of a paragraph."""
        if entered < len(self._containers):
            return True  # the paragraph is in a quote or an item that the line is not in
        return bool(body[item.end() :].strip()) and (item["number"] is None or int(item["number"]) == 1)


def _is_heading(line: str, in_paragraph: bool) -> bool:
    """Whether a line is a heading, underlines the paragraph before it as one, or is a thematic break."""
    body = line.lstrip(" ")
    if len(line) - len(body) >= _CODE:
        return False
    return any(pattern.match(body) for pattern in ((_HEADING, _BREAK, _UNDERLINE) if in_paragraph else (_HEADING, _BREAK)))


def may_open(line: str) -> bool:
    """Whether the beginning of a line may become a fence.

    >>> may_open("  ``"), may_open("> `"), may_open("` x")
    (True, True, False)
    """
    return len(line) <= LONGEST_FENCE and _MAYBE_OPEN.fullmatch(line) is not None


def dedent(line: str, indent: str) -> str:
    """A line without the indent of its fence, or without as much of it as the line has.

    >>> dedent("    x", "  "), dedent(" x", "  ")
    ('  x', 'x')
    """
    if line.startswith(indent):
        return line[len(indent) :]
    head = line[: len(indent)]
    return head.lstrip(" \t") + line[len(indent) :]


def indent_lines(text: str, indent: str, eol: str, at_start: bool = True) -> str:
    """Indent each line that is not empty; empty ones keep the marks of quotes.

    >>> indent_lines("a\\n\\nb", "> ", "\\n")
    '> a\\n>\\n> b'
    """
    if not indent and eol == "\n":
        return text
    lines = text.split("\n")
    last = len(lines) - 1
    bare = indent.rstrip() if QUOTE in indent else ""
    return eol.join(
        (("" if not i and not at_start else indent if line else bare if i < last else "") + line) for i, line in enumerate(lines)
    )
