"""What a client knows of a file after its own edit, and what it is told about the edit."""

from __future__ import annotations

from simpy_grammar.errors import PlaceError, SimPyError
from simpy_mcp.merging import edited, replaced, sent_program
from simpy_mcp.places import carried
from simpy_mcp.requests import Request
from simpy_mcp.seen import Seen
from transpiler.edits import Edit
from transpiler.source import read_source


def with_own_edit(seen: Seen, request: Request, way: str, data: bytes, edit: Edit, ours: Edit | None) -> Seen | None:
    """What a client knows that has seen something and then has edited; ``None`` if that is not certain.

    Args:
        seen: what it has seen; the file at that time goes along with it, and without what others have changed.
        request, way: what it has asked for.
        data: the file before its edit.
        edit: its edit of the file.
        ours: its edit of the file as it saw it, if it started from this reading.
    """
    try:
        if ours is not None:
            program = sent_program((request.text if way == "text" else request.new) or "", seen.dialect)
            source = ours.data
        elif way == "place":
            program = _with_place(seen, request)
            source = edit.data if seen.source == data else replaced(seen.source, request, seen.dialect, None).data
        elif way == "symbol" and seen.is_whole and seen.source == data:
            program = edited(seen.program.encode("utf-8", "surrogatepass"), request._replace(seen=None), way, None, seen.dialect, "")[
                0
            ].text
            source = edit.data
        else:
            return None
    except SimPyError:
        return None
    lines = seen.lines
    if lines is not None:
        lines = carried(lines, read_source(seen.source), read_source(source))
        if lines is None:
            return None
    return seen._replace(program=program, source=source, lines=lines) if program.strip() else None


def _with_place(seen: Seen, request: Request) -> str:
    """What was shown, after an edit at a place, which it may not have held.

    Raises:
        SimPyError: that is not certain.
    """
    try:
        return replaced(seen.program, request._replace(near=None), seen.dialect, None).text
    except PlaceError as error:
        if error.candidates or error.line is not None:
            raise
        return seen.program


def changed_lines(edit: Edit) -> str:
    """The new lines of an edit.

    >>> from transpiler.edits import replace
    >>> changed_lines(replace("a = 1\\nb = 2\\n", "b = 2", "b = 3\\nc = 4"))
    'changed lines 2-3'
    """
    places = [(part.line, max(part.end_line - 1, part.line)) for part in edit.ranges]
    merged: list[tuple[int, int]] = []
    for first, last in places:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in merged)
    return f"changed line{'s' if ',' in shown or '-' in shown else ''} {shown}"
