"""Edits as a session asks for them: what it saw is looked up, the edit is made and written, and what it knows is kept up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PlaceError, SimPyError
from simpy_mcp.disk import Disk
from simpy_mcp.merging import edited, replaced, sent_program
from simpy_mcp.own_edits import changed_lines, with_own_edit
from simpy_mcp.places import line_in, nearest, with_excerpt
from simpy_mcp.requests import Request
from simpy_mcp.roots import Found, Roots
from simpy_mcp.seen import Memory, Seen
from simpy_mcp.settings import Answer
from transpiler.conversion import convert
from transpiler.edits import Edit
from transpiler.edits.printer import is_indented_as_compact
from transpiler.patches import read_patch
from transpiler.patches.applying import apply_patch
from transpiler.source import read_source


class Editor:
    """Edits files for sessions, one at a time.

    Args:
        roots: which files there are.
        disk: reads and writes them.
        memory: what sessions have seen.
        dialect: what clients write that have seen nothing.
    """

    def __init__(self, roots: Roots, disk: Disk, memory: Memory, dialect: Dialect) -> None:
        self._roots = roots
        self._disk = disk
        self._memory = memory
        self._dialect = dialect

    def edit(self, session: str | None, path: str | None, request: Request) -> Answer:
        """Change files, and say which of their lines are new.

        Raises:
            SimPyError: the path or the edit is refused; nothing is written.
        """
        way = request.way(path or "edit_code")
        if way == "patch":
            return self._patch(session, path, request.patch or "")
        if path is None:
            raise EditError("path is missing", path="edit_code")
        found = self._roots.find(path)
        readings = self._memory.of(session, found.real)
        if way == "text" and not found.exists and not readings and request.seen is None:
            return self._make(session, found, request.text or "")
        data, stamp = self._disk.load(found)
        seen = self._base(request, way, readings, found)
        try:
            edit, ours = edited(data, request, way, seen, self._dialect, found.shown)
        except ConflictError as error:
            raise error if error.line is None else with_excerpt(error, data, error.line) from None
        except PlaceError as error:
            raise _since(error, data, request, seen or (readings[-1] if readings else None)) from None
        if edit.data == data:
            return Answer(f"{found.shown}: nothing changes")
        self._disk.replace(found, stamp, edit.data)
        handle = self._learn(session, request, way, seen, readings, data, edit, ours)
        return Answer(f"{found.shown}: {changed_lines(edit)}", f"seen={handle}" if handle else "")

    def _patch(self, session: str | None, path: str | None, text: str) -> Answer:
        """Apply a patch: to all of its files, or to none if one of its changes cannot be made."""
        places: dict[str, tuple[Found, Any]] = {}

        def load(name: str) -> bytes | None:
            found = self._roots.find(name)
            if not found.exists:
                places[name] = found, None
                return None
            data, stamp = self._disk.load(found)
            places[name] = found, stamp
            return data

        edits = apply_patch(read_patch(text), load, path=path, dialect=self._dialect)
        for edit in edits:
            if edit.error is not None:
                raise edit.error
            if edit.new is None or edit.moved_to is not None:
                raise EditError("a patch may not delete or move files here", path=edit.path, hint="use another tool for that")
        said = []
        for edit in edits:
            if edit.new is None or edit.new == edit.old:
                continue
            found, stamp = places[edit.path]
            self._memory.forget(session, found.real)
            if stamp is None:
                self._disk.make(found, edit.new)
            else:
                self._disk.replace(found, stamp, edit.new)
            said.append(f"{found.shown}: {'changed' if stamp else 'new file'}")
        return Answer("\n".join(said) or "nothing changes")

    def _make(self, session: str | None, found: Found, text: str) -> Answer:
        dialect = self._dialect
        program = sent_program(text, dialect)  # says what is wrong
        # What was not written for people is laid out for them: SimPy, and compact code.
        written_for_people = dialect.is_python and not (dialect.layout == COMPACT and is_indented_as_compact(text))
        python = text if written_for_people else convert(program, source=PYTHON, target=PYTHON, path=found.shown)
        python += "" if python.endswith("\n") else "\n"
        self._disk.make(found, python.encode("utf-8"))
        seen = Seen(found.real, (), dialect, program, python.encode("utf-8"), None)
        return Answer(f"{found.shown}: new file", f"seen={self._memory.remember(session, seen)}")

    def _base(self, request: Request, way: str, readings: Sequence[Seen], found: Found) -> Seen | None:
        """What an edit starts from: the reading that is named, or the one of the session that must be meant.

        Raises:
            EditError: it cannot be known.
        """
        if request.seen is not None:
            seen = self._memory.get(request.seen)
            if seen is None or seen.path != found.real:
                raise EditError(f"no reading {request.seen!r} of this file is remembered", path=found.shown, hint="read it again")
            if way == "symbol" and seen.symbol != request.symbol:
                raise EditError(
                    f"{seen} is not a reading of {request.symbol!r}", path=found.shown, hint="leave `seen` out, or read the symbol"
                )
            return seen
        if way == "symbol":
            return next((seen for seen in reversed(readings) if seen.symbol == request.symbol), None)
        if way != "text":
            return None
        whole = [seen for seen in readings if not seen.is_piece]
        if len(whole) == 1:
            return whole[0]
        if not readings:
            hint = "read it first; without a session, give the `seen` that was answered"
            raise EditError("what was read of this file is not known, so it cannot be told what is new", path=found.shown, hint=hint)
        raise EditError(f"which reading was rewritten? {', '.join(map(str, whole or readings))}", path=found.shown, hint="give `seen`")

    def _learn(
        self,
        session: str | None,
        request: Request,
        way: str,
        base: Seen | None,
        readings: Sequence[Seen],
        data: bytes,
        edit: Edit,
        ours: Edit | None,
    ) -> str | None:
        """Bring what the session has seen up to its own edit; return the new handle of what the edit started from."""
        known = {seen: with_own_edit(seen, request, way, data, edit, ours if seen == base else None) for seen in readings}
        if base is not None and base not in known:
            known[base] = with_own_edit(base, request, way, data, edit, ours)
        for seen in known:
            self._memory.forget(session, seen.path)
        handles = {seen: self._memory.remember(session, new) for seen, new in known.items() if new is not None}
        return None if base is None else handles.get(base)


def _since(error: PlaceError, data: bytes, request: Request, seen: Seen | None) -> SimPyError:
    """The error of a piece that is not found: a conflict, if it was there when the client read the file."""
    if error.candidates or error.line is not None or request.old is None or seen is None or seen.source == data:
        return error
    try:
        then = replaced(seen.source, request, seen.dialect, None)
    except SimPyError:
        return error
    old, new = read_source(seen.source), read_source(data)
    first = line_in(old, request.old) or then.ranges[0].line
    lines = nearest(first, old, new)
    conflict = ConflictError("the file has changed since it was read, and the piece is gone", path=error.path)
    return with_excerpt(conflict, data, *lines)
