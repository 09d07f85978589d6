"""Fenced blocks of Markdown, line by line: where one opens, where it ends, how deep it is indented.

What stands in a block is left to ``markdown`` and ``reply_stream``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LIST = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_OPEN = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(?P<fence>`{3,}(?=[^`\n]*$)|~{3,}(?!~))"
    r"[ \t]*(?P<info>(?:[^ \t\r\n][^\r\n]*)?)\r?$"
)
_MAYBE_OPEN = re.compile(r"[ \t]*(?:[-*+]|\d{0,9}[.)]?)?[ \t]*(?:`{0,2}|~{0,2}|`{3,}[^`\n]*|~{3,}[^\n]*)")
LONGEST_FENCE = 4096
"""The longest line that opens or ends a block, in characters. Longer lines are judged by a beginning of this length, so that the time
of a stream that never breaks its line stays linear."""
_PYTHON = re.compile(r"(?:python|py)(?=$|[\s,{])", re.IGNORECASE)
_SIMPY = re.compile(r"simpy(?=$|[\s,{])", re.IGNORECASE)


@dataclass(frozen=True)
class Fence:
    """The opening line of a fenced block.

    Attributes:
        indent: what stands before the fence, a list marker replaced by blanks.
        char: the character of the fence.
        length: length of the fence, in characters.
        info: the words after it.
        line: the whole line, with its line break.
    """

    indent: str
    char: str
    length: int
    info: str
    line: str

    @property
    def is_python(self) -> bool:
        """Whether the block is marked as Python."""
        return _PYTHON.match(self.info) is not None

    @property
    def is_simpy(self) -> bool:
        """Whether the block is marked as SimPy."""
        return _SIMPY.match(self.info) is not None

    @property
    def eol(self) -> str:
        """The line break of the text."""
        return "\r\n" if self.line.endswith("\r\n") else "\n"

    def marked_python(self) -> str:
        """The opening line, marked ``python`` instead of ``simpy``."""
        at = self.line.rindex(self.info) if self.info else len(self.line)
        return self.line[:at] + _SIMPY.sub("python", self.line[at:], count=1)

    def closes(self, line: str) -> bool:
        """Whether a line ends the block."""
        body = line.strip()
        if len(line) > LONGEST_FENCE or len(body) < self.length or body.strip(self.char):
            return False
        return len(line) - len(line.lstrip(" \t")) < len(self.indent) + 4

    def may_close(self, line: str) -> bool:
        """Whether the beginning of a line may still grow into one that ends the block."""
        return len(line) <= LONGEST_FENCE and not line.strip().strip(self.char) and "\n" not in line


class Prose:
    """The lines outside of fenced blocks, in order: says which of them open one."""

    def __init__(self) -> None:
        self._content = 0  # column where the content of the list item begins
        self._blank = False

    def opens(self, line: str) -> Fence | None:
        """Read one whole line; return the fence if it is one.

        >>> Prose().opens("  ~~~ py\\n")
        Fence(indent='  ', char='~', length=3, info='py', line='  ~~~ py\\n')
        """
        match = _OPEN.match(line.rstrip("\n")) if len(line) <= LONGEST_FENCE else None
        head = line[:LONGEST_FENCE]
        indent = len(head) - len(head.lstrip(" \t"))
        if match is not None and (indent < self._content + 4 or "\t" in line[:indent]):
            blank = re.sub(r"[^ \t]", " ", match["indent"])
            return Fence(blank, match["fence"][0], len(match["fence"]), match["info"].rstrip(), line)
        item = _LIST.match(head)
        if item is not None:
            self._content = item.end()
        elif head.strip() and self._blank and indent < min(self._content, 2):
            self._content = 0
        self._blank = not head.strip()
        return None


def may_open(line: str) -> bool:
    """Whether the beginning of a line may become a fence.

    >>> may_open("  ``"), may_open("` x")
    (True, False)
    """
    return len(line) <= LONGEST_FENCE and _MAYBE_OPEN.fullmatch(line) is not None


def dedent(line: str, indent: str) -> str:
    """A line without the indent of its fence, or without as much of it as the line has."""
    if line.startswith(indent):
        return line[len(indent) :]
    head = line[: len(indent)]
    return head.lstrip(" \t") + line[len(indent) :]


def indent_lines(text: str, indent: str, eol: str, at_start: bool = True) -> str:
    """Indent each line that is not empty."""
    if not indent and eol == "\n":
        return text
    lines = text.split("\n")
    return eol.join((indent if line and (i or at_start) else "") + line for i, line in enumerate(lines))
