"""What the tools do: read, edit, check and count Python files of some folders. Knows no protocol.

Every method returns what is answered, or raises a ``SimPyError``, whose text is the answer then. What was read is remembered
for each session, so that a text that was written from it can be merged with what others have changed meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_mcp.disk import Disk
from simpy_mcp.editing import Editor
from simpy_mcp.files import Files
from simpy_mcp.merging import as_python
from simpy_mcp.requests import Request
from simpy_mcp.roots import Roots
from simpy_mcp.seen import Memory, Seen
from simpy_mcp.settings import Answer, Settings
from transpiler.views import View, strip_numbers, view

_NONE = "none"


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
        self._disk = Disk(files)
        self._memory = Memory()
        self._lock = threading.Lock()  # sessions share the files and the memory
        self._editor = Editor(self.roots, self._disk, self._memory, settings.dialect)

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
        data, _ = self._disk.load(found)
        shown = self._show(data, asked, chosen, None if numbers == _NONE else numbers, found.shown)
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
            return self.settings.count_text(text, dialect)

        shown = view(data, views, dialect=dialect, numbers=numbers, count=count, path=path)
        if numbers is not None and strip_numbers(shown.text, numbers=numbers, dialect=dialect) != shown.program:
            # A string has a line that looks numbered: without numbers, none can be taken away from it by mistake.
            shown = view(data, views, dialect=dialect, numbers=None, count=count, path=path)
        return shown

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
        text = ", ".join(f"{dialect} {count:,}" for dialect, count in counts.items())
        return Answer(text, self.settings.explain(max(counts.values())))

    def _source(self, path: str | None, text: str | None) -> tuple[str, str | bytes]:
        if (path is None) == (text is None):
            raise SimPyError("give either path or text", path="<text>")
        if path is None:
            return "<text>", text or ""
        found = self.roots.find(path)
        return found.shown, self._disk.load(found)[0]

    # ------------------------------------------------------------------------------------------------------ editing

    def edit(self, session: str | None, path: str | None, request: Request) -> Answer:
        """Change files, and say which of their lines are new. If anything is wrong, nothing is written.

        Raises:
            SimPyError: the path or the edit is refused.
        """
        with self._lock:
            return self._editor.edit(session, path, request)
