"""What a client knows of a file after its own edit, and how the edit is told to it."""

from __future__ import annotations

from simpy_grammar.errors import PlaceError, SimPyError
from simpy_mcp.merging import edited, replaced, sent_program
from simpy_mcp.places import carried
from simpy_mcp.requests import Request
from simpy_mcp.seen import Seen
from transpiler.edits import Edit
from transpiler.source import read_source


def with_own_edit(seen: Seen, base: Seen | None, way: str, request: Request, data: bytes, edit: Edit) -> Seen | None:
    """What a client knows that has seen something and then has edited; ``None`` if that is not certain."""
    lines = seen.lines
    for old, new in ((seen.source, data), (data, edit.data)):
        lines = carried(lines, read_source(old), read_source(new)) if lines is not None else None
    if seen.lines is not None and lines is None:
        return None
    try:
        if seen == base and way in ("text", "symbol"):
            sent = (request.text if way == "text" else request.new) or ""
            program = sent_program(sent, seen.dialect)
        elif way == "place":
            program = replaced(seen.program, request, seen.dialect, None).text
        elif way == "symbol" and seen.is_whole:
            program = edited(seen.program, request._replace(seen=None), way, None, seen.dialect, "").text
        else:
            return None
    except PlaceError as error:
        if error.candidates or error.line is not None:
            return None
        program = seen.program  # the view did not show this place
    except SimPyError:
        return None
    return seen._replace(program=program, source=edit.data, lines=lines) if program.strip() else None


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
