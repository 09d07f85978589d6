"""The code in the fenced blocks of a reply, found while the reply arrives: what ``reply_stream`` converts, without a conversion."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

from dualcode.conversion.fences import Fence, Prose


class CodePiece(NamedTuple):
    """Something that happens in a block of Python or SimPy.

    Attributes:
        fence: the fence of the block.
        text: more of its code; ``None`` where the block ends.
        start: the offset of the text in the reply; of an end, that of what follows the closing line.
    """

    fence: Fence
    text: str | None
    start: int


class FencedCode:
    """Finds the code in a reply that arrives in pieces. Line breaks wait for what follows them: the last one is the fence's.

    Attributes:
        fence: the block of code that is open.
        line: the current line so far.
        length: characters of the reply so far.

    >>> code = FencedCode()
    >>> [(piece.text, piece.start) for piece in code.feed("So:\\n```py\\nx=1\\n``")]
    [('x=1', 10)]
    >>> [(piece.text, piece.start) for piece in code.feed("`\\nDone")], code.line
    ([(None, 18)], 'Done')
    """

    def __init__(self) -> None:
        self._prose = Prose()
        self._open: Fence | None = None
        self._breaks: list[tuple[str, int]] = []
        self._shown = 0  # characters of the line that have been given
        self.length = 0
        self.line = ""

    def copy(self) -> FencedCode:
        """Another one that goes on from here."""
        other = copy(self)
        other._prose, other._breaks = copy(self._prose), list(self._breaks)
        return other

    @property
    def breaks(self) -> str:
        """The line breaks that wait."""
        return "".join(text for text, _ in self._breaks)

    @property
    def fence(self) -> Fence | None:  # noqa: D102  # in the docstring of the class
        return self._open if self._open is not None and is_code(self._open) else None

    def feed(self, text: str) -> list[CodePiece]:
        """Read a piece of the reply; return what it says about code."""
        found: list[CodePiece] = []
        for part in _lines(text):
            self.line += part
            self.length += len(part)
            if self._open is None:
                if part.endswith("\n"):
                    self._open = self._prose.opens(self.line)
                    self._next_line()
            else:
                self._inside(self._open, found)
        return found

    def _next_line(self) -> None:
        self.line = ""
        self._shown = 0

    def _inside(self, fence: Fence, found: list[CodePiece]) -> None:
        line, start = self.line, self.length - len(self.line)
        ended = line.endswith("\n")
        if not self._shown:
            inner = fence.strip(line)
            if (inner is None and not fence.may_close(line)) or (ended and fence.closes(line)):
                outside = inner is None  # the quote has ended with the line before
                if is_code(fence):
                    found.append(CodePiece(fence, None, start if outside else self.length))
                self._breaks.clear()
                self._open = self._prose.opens(line) if outside and ended else None
                if ended:
                    self._next_line()
                return
            if not ended and fence.may_close(line):
                return
        if is_code(fence):
            self._give(fence, line, start, found)
        self._shown = len(line)
        if ended:
            self._next_line()

    def _give(self, fence: Fence, line: str, start: int, found: list[CodePiece]) -> None:
        body = line.rstrip("\r\n")
        content = body[self._shown :] if self._shown else fence.strip(body) or ""
        if content:
            found += (CodePiece(fence, text, at) for text, at in self._breaks)
            self._breaks.clear()
            found.append(CodePiece(fence, content, start + len(body) - len(content)))
        if line.endswith("\n"):
            self._breaks.append(("\n", start + len(line) - 1))


def is_code(fence: Fence) -> bool:
    """Whether a block is one of Python or SimPy."""
    return fence.is_python or fence.is_simpy


def _lines(text: str) -> list[str]:
    """The lines of a text, which only line feeds end."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])
