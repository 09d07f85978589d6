"""What may stand around Python in a text: a table of framings, each of which finds its own shape at some line.

What becomes of the code is decided by ``code``; the reply of a model, which is read line by line, by ``reply_stream``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from dualcode.conversion.fences import Fence, Prose, indent_lines
from dualcode.conversion.gutters import COLON, read_gutter
from dualcode.conversion.programs import FILE, evidence, has_statements, looks_like_python, may_be_python
from dualcode.conversion.reports import read_report
from dualcode.conversion.wrappers import Wrappers
from transpiler.source import split_lines


class CodeBlock(NamedTuple):
    """Some lines of a text that hold code.

    Attributes:
        lines: how many lines it is.
        before: what stands before the code, byte for byte.
        received: the code as received.
        after: what stands after the code.
        code: the code without what stands before each of its lines; ``None`` if it is not Python, and stays without a note.
        partial: the code may end inside a block.
        certain: the text says that it is Python, so it is worth a note if it cannot be converted.
        refused: why it cannot be converted, if that is known.
        write: puts what stands before each line back.
    """

    lines: int
    before: str
    received: str
    after: str
    code: str | None
    partial: bool = False
    certain: bool = True
    refused: str = ""
    write: Callable[[str], str] = str


class TextLines:
    """The lines of a text, and what the framings remember of those that were read.

    Args:
        lines: the lines.
        least: what code that nothing marks must show, of ``dualcode.conversion.programs``.
    """

    def __init__(self, lines: Sequence[str], least: int = FILE) -> None:
        self.lines = lines
        self.least = least
        self.prose = Prose()
        self.wrappers = Wrappers(lines)
        self.no_gutter = 0  # the line up to which no run of a gutter is worth another look


def _wrapped(text_lines: TextLines, at: int) -> CodeBlock | None:
    """A file in markup."""
    found = text_lines.wrappers.opens(at)
    if found is None or not found.code.strip() or _is_remarked(found.code):
        return None
    refused = "its characters are escaped" if found.escaped else ""
    return CodeBlock(found.lines, found.before, found.code, found.after, found.code, partial=True, refused=refused)


def _is_remarked(code: str) -> bool:
    """Whether a remark of the tool follows a file with a gutter. Then the lines with the gutter are found by themselves."""
    lines = split_lines(code)
    numbered = read_gutter(lines, 0) if lines else None
    return numbered is not None and bool("".join(lines[numbered.length :]).strip())


def _fenced(text_lines: TextLines, at: int) -> CodeBlock | None:
    """A fenced block."""
    lines = text_lines.lines
    fence = text_lines.prose.opens(lines[at])
    if fence is None:
        return None
    end = at + 1
    code: list[str] = []
    closed = False
    while end < len(lines):
        closed = fence.closes(lines[end])
        inner = None if closed else fence.strip(lines[end])
        if inner is None:
            break
        code.append(inner)
        end += 1
    text = "".join(code)
    after = lines[end] if closed else ""
    # What stands under the name of a file may also be what the file has printed.
    python = text if fence.is_python and text.strip() and (fence.info or evidence(text) or may_be_python(text)) else None
    refused = "" if closed else "the block does not end"
    return CodeBlock(end - at + closed, lines[at], "".join(lines[at + 1 : end]), after, python, refused=refused, write=_writer(fence))


def _writer(fence: Fence) -> Callable[[str], str]:
    return lambda text: indent_lines(text.replace("\r\n", "\n"), fence.indent, fence.eol)


def _numbered(text_lines: TextLines, at: int) -> CodeBlock | None:
    """Lines with a gutter of line numbers."""
    if at < text_lines.no_gutter or not text_lines.lines[at][:12].lstrip(" ")[:1].isdigit():
        return None
    found = read_gutter(text_lines.lines, at)
    if found is None:
        return None
    text_lines.no_gutter = at + found.length
    # Searches print lines of any language behind a number and a colon.
    if not may_be_python(found.code) or (found.gutter == COLON and not has_statements(found.code)):
        return None
    received = "".join(text_lines.lines[at : at + found.length])
    return CodeBlock(found.length, "", received, "", received, partial=True, certain=looks_like_python(found.code))


def _printed(text_lines: TextLines, at: int) -> CodeBlock | None:
    """A program that a command has printed, in the report of the tool that ran it."""
    report = None if at else read_report(text_lines.lines)
    if report is None or evidence(report.printed) < text_lines.least:
        return None
    return CodeBlock(len(text_lines.lines), report.before, report.printed, report.after, report.printed)


FRAMINGS: tuple[Callable[[TextLines, int], CodeBlock | None], ...] = (_printed, _wrapped, _numbered, _fenced)
"""Each finds the block that begins at some line; the first that finds one counts. Fences come last, since they read every line of prose."""


def read_blocks(text: str, least: int = FILE) -> Iterator[str | CodeBlock]:
    """A text in order: its blocks of code, and each line that is in none.

    >>> [piece if isinstance(piece, str) else piece.code for piece in read_blocks("Why?\\n```py\\nx = 1\\n```\\n")]
    ['Why?\\n', 'x = 1\\n']
    """
    lines = split_lines(text)
    text_lines = TextLines(lines, least)
    at = 0
    while at < len(lines):
        block = next((block for framing in FRAMINGS if (block := framing(text_lines, at)) is not None), None)
        yield lines[at] if block is None else block
        at += 1 if block is None else block.lines
