"""An answer in Python without the indentation of the prompt that it was given to, and laid out anew for another prompt.

Only blanks at the beginnings of lines change, outside of strings. Whether the result is right is proved by ``cache``.
"""

from __future__ import annotations

from bisect import bisect_right

from dualcode.conversion.user_layout import indent_unit
from dualcode.policies.canonical_forms import read_lines
from dualcode.policies.python_lines import Line, NotPythonError, PythonLines

_INDENT = "\0"
"""Stands for the indentation of the line, where a statement goes on in another one."""
BLANK = -1

Layout = list[list[object]]
"""The lines of an answer, the first one from where the prompt ends: in how many blocks each is (``BLANK`` for none), and its text."""


def without_indents(prefix: str, answer: str) -> Layout | None:
    """An answer without its indentation; ``None`` if it cannot be told.

    >>> without_indents("if a:\\n  b(", "c,\\n    d)\\n  e\\n")
    [[-1, 'c,\\n\\x00  d)'], [1, 'e'], [-1, '']]
    """
    if "\r" in prefix + answer:
        return None
    try:
        read, _ = read_lines(prefix)
        lines = PythonLines(read.text + answer)
    except NotPythonError:
        return None
    cut = len(read.text)
    text, starts = lines.text, {line.start: line for line in lines.lines}
    bounds = [cut, *(at + 1 for at in lines.breaks if at >= cut), len(text) + 1]
    comments = {bounds[bisect_right(bounds, comment.start) - 1]: comment for comment in lines.comments if comment.start >= cut}
    found: Layout = []
    for begin, end in zip(bounds, bounds[1:], strict=False):
        body = text[begin : end - 1]
        if begin == cut and not _begins_line(read):
            line = starts.get(text.rfind("\n", 0, begin) + 1) or _around(lines, begin)
            found.append([BLANK, _folded(body, line, begin)])
        elif begin in starts:
            first = starts[begin].tokens[0].start
            found.append([starts[begin].depth, _folded(text[first : end - 1], starts[begin], first)])
        elif begin in comments:
            found.append([comments[begin].depth, text[comments[begin].start : end - 1]])
        elif body.strip() or (body and end > len(text)):
            return None  # the answer stops inside an indentation
        else:
            found.append([BLANK, ""])
    return found


def with_indents(layout: Layout, prefix: str) -> str | None:
    """The answer in the indentation of a prompt; ``None`` if the prompt is not read.

    >>> with_indents([[-1, 'c,\\n\\x00  d)'], [1, 'e'], [2, 'f'], [-1, '']], "while a:\\n\\tb( ")
    'c,\\n\\t  d)\\n\\te\\n\\t\\tf\\n'
    """
    try:
        read, _ = read_lines(prefix)
    except NotPythonError:
        return None
    if "\r" in prefix:
        return None
    indents, unit, begun = list(read.blocks.indents), indent_unit(prefix), read.begun_indent
    if begun is not None:  # the prompt ends inside an indentation
        indents[read.blocks.level(begun) :] = [begun]
    out = []
    for index, (depth, body) in enumerate(layout):
        assert isinstance(depth, int) and isinstance(body, str)  # noqa: S101  # see Layout
        if depth == BLANK:
            if not index and read.text[-1:] in (" ", "\t", "\n"):
                body = body.lstrip(" \t") if not body.startswith("\n") and not _in_text(read) else body
            out.append(body.replace(_INDENT, indents[-1]))
            continue
        while len(indents) <= depth:
            indents.append(indents[-1] + unit)
        if not body.startswith("#"):
            del indents[depth + 1 :]
        given = "" if not index and not _begins_line(read) else indents[depth]
        out.append(given + body.replace(_INDENT, indents[depth]))
    return "\n".join(out)


def _begins_line(read: PythonLines) -> bool:
    """Whether the prompt ends where a line begins."""
    return not read.is_open and not read.rest


def _in_text(read: PythonLines) -> bool:
    """Whether the prompt ends inside a string or a comment, whose blanks are its own."""
    return read.is_comment or (read.is_open and read.lines[-1].tokens[-1].kind in ("open", "comment"))


def _around(lines: PythonLines, offset: int) -> Line | None:
    """The line with code that an offset stands in."""
    return next((line for line in reversed(lines.lines) if line.start <= offset), None)


def _folded(body: str, line: Line | None, begin: int) -> str:
    """The text of a line in which the indentation stands as a sign wherever the statement goes on in another line."""
    if line is None:
        return body
    out, at = [], begin
    for token in line.tokens:
        if token.kind not in ("break", "joint") or not begin <= token.start < begin + len(body):
            continue
        after = token.start + len(token.text)
        out += [body[at - begin : after - begin]]
        at = after
        if body.startswith(line.indent, at - begin):
            out.append(_INDENT)
            at += len(line.indent)
    return "".join(out) + body[at - begin :]
