"""What the tools do: read, edit, check and count Python files of some folders. Knows no protocol.

Every method returns what is answered, or raises a ``SimPyError``, whose text is the answer then. What was read is remembered
for each session, so that a text that was written from it can be merged with what others have changed meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PlaceError, SimPyError
from simpy_mcp.files import Files
from simpy_mcp.merging import as_python, edited, replaced
from simpy_mcp.places import carried, line_in, with_excerpt
from simpy_mcp.requests import Request
from simpy_mcp.roots import Found, Roots
from simpy_mcp.seen import Memory, Seen
from transpiler.conversion import convert
from transpiler.edits import Edit
from transpiler.source import read_source
from transpiler.views import View, strip_numbers, view

NONE = "none"


class Settings(NamedTuple):
    """How a server reads and counts.

    Attributes:
        dialect: what ``read`` writes unless another one is asked for.
        views: the views that it takes unless others are asked for.
        count: how many tokens a text of a dialect has, for ``prune=N``.
        count_all: the tokens of a program in each dialect.
        counts: what these counts are: the name of a tokenizer, or an estimate.
    """

    dialect: Dialect
    views: tuple[str, ...]
    count: Callable[[str, Dialect], int]
    count_all: Callable[[str | bytes, str], dict[str, int]]
    counts: str


class Answer(NamedTuple):
    """What a tool answers.

    Attributes:
        text: what was asked for.
        note: what there is to say about it; may be empty.
    """

    text: str
    note: str = ""


class Workspace:
    """The folders that are served, and what was seen of them.

    Args:
        folders: their paths.
        files: reads and writes files.
        settings: how files are read and counted.

    Raises:
        SimPyError: one of them is not a folder.
    """

    def __init__(self, folders: Sequence[str], files: Files, settings: Settings) -> None:
        self.roots = Roots(folders)
        self.settings = settings
        self._files = files
        self._memory = Memory()
        self._lock = threading.Lock()  # sessions share the files and the memory

    # ------------------------------------------------------------------------------------------------------ reading

    def read(
        self,
        session: str | None,
        path: str,
        *,
        views: Sequence[str] | None = None,
        symbol: str | None = None,
        lines: str | None = None,
        dialect: str | None = None,
        numbers: str = "definitions",
    ) -> Answer:
        """Show a file, or list the Python files of a folder.

        Raises:
            SimPyError: the path is refused, the file is not Python, or the view finds nothing in it.
        """
        found = self.roots.find(path)
        if found.is_folder:
            names, more = self.roots.list(found)
            return Answer("\n".join(names), f"{len(names) + more} Python files" + (f", {more} of them not shown" if more else ""))
        chosen = self.settings.dialect if dialect is None else Dialect.load(dialect)
        asked = tuple(self.settings.views if views is None else views)
        asked += ((f"symbol={symbol}",) if symbol else ()) + ((f"lines={lines}",) if lines else ())
        data, _ = self._load(found)
        shown = self._show(data, asked, chosen, None if numbers == NONE else numbers, found.shown)
        program = shown.program if chosen.is_python else as_python(shown.program, chosen)
        some = shown.lines if any(name.startswith("lines=") for name in asked) else None
        with self._lock:
            handle = self._memory.remember(session, Seen(found.real, tuple(sorted(asked)), chosen, program, data, some))
        notes = [f"seen={handle}"]
        notes += [f"left out: {shown.summary}"] if shown.summary else []
        notes += [] if shown.fits else ["above the budget: there is no smaller view"]
        return Answer(shown.text, "; ".join(notes))

    def _show(self, data: bytes, views: Sequence[str], dialect: Dialect, numbers: str | None, path: str) -> View:
        def count(text: str) -> int:
            return self.settings.count(text, dialect)

        shown = view(data, views, dialect=dialect, numbers=numbers, count=count, path=path)
        if numbers is not None and strip_numbers(shown.text, numbers=numbers, dialect=dialect) != shown.program:
            # A string has a line that looks numbered: without numbers, none can be taken away from it by mistake.
            shown = view(data, views, dialect=dialect, numbers=None, count=count, path=path)
        return shown

    def _load(self, found: Found) -> tuple[bytes, Any]:
        if found.is_folder:
            raise SimPyError("a folder, not a file", path=found.shown)
        try:
            return self._files.read(found.real)
        except OSError as error:
            raise self._failed(error, found) from None

    def _failed(self, error: OSError, found: Found) -> SimPyError:
        failed = self._files.os_error(error, found.shown)
        failed.path = found.shown
        return failed

    # ----------------------------------------------------------------------------------------- checking and counting

    def check(self, path: str | None, text: str | None, dialect: str | None = None) -> Answer:
        """Whether a file, or a text of a dialect, is a program; if not, the answer says where it stops being one.

        Raises:
            SimPyError: the path is refused, or both or neither were given.
        """
        name, source = self._source(path, text)
        chosen = Dialect.load(PYTHON) if text is None else self.settings.dialect if dialect is None else Dialect.load(dialect)
        try:
            python = source if chosen.is_python else as_python(str(source), chosen)
            view(python, dialect=PYTHON, numbers=None, path=name)
        except SimPyError as error:
            error.path = name
            return Answer(str(error))
        return Answer(f"{name}: parses")

    def count(self, path: str | None, text: str | None) -> Answer:
        """The tokens of a file, or of a Python text, in each dialect.

        Raises:
            SimPyError: the path is refused, both or neither were given, or it is not Python.
        """
        name, source = self._source(path, text)
        counts = self.settings.count_all(source, name)
        return Answer(", ".join(f"{dialect} {count:,}" for dialect, count in counts.items()), self.settings.counts)

    def _source(self, path: str | None, text: str | None) -> tuple[str, str | bytes]:
        if (path is None) == (text is None):
            raise SimPyError("give either path or text", path="<text>")
        if path is None:
            return "<text>", text or ""
        found = self.roots.find(path)
        return found.shown, self._load(found)[0]

    # ------------------------------------------------------------------------------------------------------ editing

    def edit(self, session: str | None, path: str, request: Request) -> Answer:
        """Change a file, and say which of its lines are new. If anything is wrong, nothing is written.

        Raises:
            SimPyError: the path or the edit is refused.
        """
        found = self.roots.find(path)
        way = request.way(found.shown)
        with self._lock:
            readings = self._memory.of(session, found.real)
            if way == "text" and not found.exists and not readings and request.seen is None:
                return self._make(session, found, request.text or "")
            data, stamp = self._load(found)
            seen = self._base(request, way, readings, found)
            try:
                edit = edited(data, request, way, seen, self.settings.dialect, found.shown)
            except ConflictError as error:
                raise with_excerpt(error, data, *self._place(error, data, seen)) from None
            except PlaceError as error:
                raise self._since(error, data, request, seen or (readings[-1] if readings else None)) from None
            if edit.data == data:
                return Answer(f"{found.shown}: nothing changes")
            try:
                self._files.replace(found.real, stamp, found.real, edit.data)
            except OSError as error:
                raise self._failed(error, found) from None
            handle = self._learn(session, request, way, seen, readings, data, edit)
        return Answer(f"{found.shown}: {_changed(edit)}", f"seen={handle}" if handle else "")

    def _make(self, session: str | None, found: Found, text: str) -> Answer:
        dialect = self.settings.dialect
        program = as_python(text, dialect)  # says what is wrong
        # What was not written for people is laid out for them: SimPy, and compact code, which is indented by tabs.
        written_for_people = dialect.is_python and not ("\n\t" in text and dialect.layout == COMPACT)
        python = text if written_for_people else convert(program, source=PYTHON, target=PYTHON, path=found.shown)
        python += "" if python.endswith("\n") else "\n"

        def check() -> None:
            if os.path.lexists(found.real):
                raise SimPyError("somebody else has made this file meanwhile", path=found.shown, hint="read it first")

        try:
            self._files.write(found.real, python.encode("utf-8"), check=check)
        except OSError as error:
            raise self._failed(error, found) from None
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

    def _place(self, error: ConflictError, data: bytes, seen: Seen | None) -> tuple[int, int]:
        if error.line is not None or seen is None or seen.lines is None:
            return error.line or 1, error.line or 1
        return seen.lines

    def _since(self, error: PlaceError, data: bytes, request: Request, seen: Seen | None) -> SimPyError:
        """The error of a piece that is not found: a conflict, if it was there when the client read the file."""
        if error.candidates or error.line is not None or request.old is None or seen is None or seen.source == data:
            return error
        try:
            then = replaced(seen.source, request, seen.dialect, None)
        except SimPyError:
            return error
        old, new = read_source(seen.source), read_source(data)
        first = line_in(old, request.old) or then.ranges[0].line
        lines = carried((first, first), old, new) or (first, first)
        conflict = ConflictError("the file has changed since it was read, and the piece is gone", path=error.path)
        return with_excerpt(conflict, data, *lines)

    def _learn(
        self, session: str | None, request: Request, way: str, base: Seen | None, readings: Sequence[Seen], data: bytes, edit: Edit
    ) -> str | None:
        """Bring what the session has seen up to its own edit; return the new handle of what the edit started from."""
        path = (base or readings[-1]).path if base or readings else ""
        self._memory.forget(session, path)
        handle = None
        for seen in dict.fromkeys([*readings, *([base] if base else [])]):
            known = _with_own_edit(seen, base, way, request, data, edit)
            if known is not None:
                new = self._memory.remember(session, known)
                handle = new if seen == base else handle
        return handle


def _with_own_edit(seen: Seen, base: Seen | None, way: str, request: Request, data: bytes, edit: Edit) -> Seen | None:
    """What a client knows that has seen something and then has edited; ``None`` if that is not certain."""
    lines = seen.lines
    for old, new in ((seen.source, data), (data, edit.data)):
        lines = carried(lines, read_source(old), read_source(new)) if lines is not None else None
    if seen.lines is not None and lines is None:
        return None
    try:
        if seen == base and way in ("text", "symbol"):
            sent = (request.text if way == "text" else request.new) or ""
            program = as_python(sent, seen.dialect)
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


def _changed(edit: Edit) -> str:
    """The new lines of an edit.

    >>> from transpiler.edits import replace
    >>> _changed(replace("a = 1\\nb = 2\\n", "b = 2", "b = 3\\nc = 4"))
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
