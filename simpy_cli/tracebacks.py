"""Printing an uncaught exception of a SimPy program: as Python does, with line, column and caret of the SimPy text.

A SimPy program may well be one line of many thousand characters, so of each line only the part round the caret is shown.
"""

from __future__ import annotations

import linecache
import re
import sys
import textwrap
import traceback
import types
from bisect import bisect_right
from collections.abc import Iterator

_INDENT = re.compile(r"\s*")
# A grammar token or a word of which the edge of the excerpt left only a part.
_CUT_START = re.compile(r"[a-z_]*>|\w*")
_CUT_END = re.compile(r"<[a-z_]*$")
_WIDTH = 100  # characters of a line that are shown
_AFTER = 60  # ... and how many of them may follow the start of the caret
# Python 3.10 keeps only the line of each instruction: there the line is the offset, and the column is found from it.
_COLUMNS = sys.version_info >= (3, 11)


class Text:
    """A SimPy program: the places in it, as code objects hold them and as people read them.

    Args:
        name: the file name in the code objects.
        text: the program.

    >>> text = Text("a.simpy", "x=1\\ny=2")
    >>> text.offset(2, 3), text.place(6)
    (6, (2, 3))
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.lines = text.split("\n")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def remember(self) -> None:
        """Let Python find the lines of a program that is in no file."""
        # Without a time of change linecache does not look for the file.
        linecache.cache[self.name] = (len(self.text), None, [f"{line}\n" for line in self.lines], self.name)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset."""
        line = min(bisect_right(self._starts, offset), len(self.lines))
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and a column, both from 1."""
        return self._starts[min(line, len(self.lines)) - 1] + column - 1

    def to_ast(self, offset: int) -> tuple[int, int]:
        """An offset as the syntax tree holds it: a line, and a column in UTF-8 bytes from 0."""
        if not _COLUMNS:
            return offset + 1, 0
        line, column = self.place(offset)
        source = self.lines[line - 1]
        return line, column - 1 if source.isascii() else len(source[: column - 1].encode("utf-8", "surrogatepass"))

    def from_ast(self, line: int, column: int) -> tuple[int, int]:
        """Line and column, both from 1, of what ``to_ast`` gave."""
        if not _COLUMNS:
            return self.place(line - 1)
        source = self.lines[min(line, len(self.lines)) - 1]
        if not source.isascii():
            column = len(source.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))
        return line, column + 1


def print_exception(error: BaseException, program: Text, *, hidden: types.CodeType) -> None:
    """Print an exception and what led to it on standard error. ``hidden`` is the code of our own that ran the program."""
    for line in _chain(error, program, hidden, set()):
        print(line, end="", file=sys.stderr)


def _chain(error: BaseException, program: Text, hidden: types.CodeType, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause, context = error.__cause__, error.__context__
    if cause is not None and id(cause) not in seen:
        yield from _chain(cause, program, hidden, seen)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    elif cause is None and context is not None and not error.__suppress_context__ and id(context) not in seen:
        yield from _chain(context, program, hidden, seen)
        yield "\nDuring handling of the above exception, another exception occurred:\n\n"
    frames = list(_frames(error.__traceback__, program, hidden))
    if frames:
        yield "Traceback (most recent call last):\n"
        yield from _folded(frames)
    members = getattr(error, "exceptions", None)
    only = traceback.TracebackException(type(error), error, None, compact=True) if members is None else None
    if only is not None:
        yield from only.format_exception_only()
        return
    yield from traceback.format_exception_only(type(error), error)
    for number, member in enumerate(members or (), 1):
        yield f"  +---------------- {number} ----------------\n"
        yield textwrap.indent("".join(_chain(member, program, hidden, seen)), "  | ")


def _folded(frames: list[str]) -> Iterator[str]:
    """The frames, with long runs of the same one told as a number."""
    previous, repeated = "", 0
    for frame in (*frames, ""):
        if frame == previous:
            repeated += 1
            if repeated < 3:
                yield frame
            continue
        if repeated > 2:
            more = repeated - 2
            yield f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n"
        previous, repeated = frame, 0
        yield frame


def _frames(tb: types.TracebackType | None, program: Text, hidden: types.CodeType) -> Iterator[str]:
    while tb is not None:
        code = tb.tb_frame.f_code
        if code.co_filename == program.name:
            yield _frame(tb, code, program)
        elif code is not hidden:
            yield from traceback.format_list(traceback.extract_tb(tb, limit=1))
        tb = tb.tb_next


def _frame(tb: types.TracebackType, code: types.CodeType, program: Text) -> str:
    line, column, length = _position(tb, code, program)
    source = program.lines[line - 1] if line <= len(program.lines) else ""
    first = max(0, min(column - 1 + _AFTER, len(source)) - _WIDTH)
    shown = source[first : first + _WIDTH]
    cut = _CUT_START.match(shown) if first else _INDENT.match(shown)
    if cut is not None and first + cut.end() < column:
        shown, first = shown[cut.end() :], first + cut.end()
    shown = _CUT_END.sub("", shown)
    shown = "".join(c if c.isprintable() else " " for c in shown)
    carets = "^" * max(1, min(length, len(shown) - (column - 1 - first)))
    return (
        f'  File "{program.name}", line {line}, column {column}, in {code.co_name}\n'
        f"    {shown.rstrip()}\n    {' ' * (column - 1 - first)}{carets}\n"
    )


def _position(tb: types.TracebackType, code: types.CodeType, program: Text) -> tuple[int, int, int]:
    """Line, column and length of what a frame was doing."""
    if not _COLUMNS:
        return (*program.place(max((tb.tb_lineno or 1) - 1, 0)), 1)
    from itertools import islice

    at = next(islice(code.co_positions(), tb.tb_lasti // 2, None), (None, None, None, None))  # type: ignore[attr-defined]  # 3.11
    line, end_line, start, end = at
    if line is None or start is None:
        return tb.tb_lineno or 1, 1, 1
    line, column = program.from_ast(line, start)
    if end_line != line or end is None:
        return line, column, len(program.lines[line - 1]) - column + 1
    return line, column, program.from_ast(line, end)[1] - column
