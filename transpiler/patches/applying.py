"""A patch applied to the person's files: each change by an edit that is proved, and each file as a whole or not at all."""

from __future__ import annotations

import codecs
import difflib
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, SimPyError, visible
from transpiler.patches.change import Change, Patch
from transpiler.patches.exact_text import changed_text
from transpiler.patches.python_text import PythonText, new_python, replace_piece
from transpiler.source import PYTHON_SUFFIXES, detect_encoding, split_lines

Files = Callable[[str], "bytes | None"] | Mapping[str, bytes]
_PYTHON_SCRIPT = re.compile(rb"#![^\n]*python")


class FileEdit(NamedTuple):
    """What a patch makes of one file.

    Attributes:
        path: the file, as the patch names it.
        old: its bytes, or ``None`` if there was no such file.
        new: its bytes after the patch, or ``None`` if it goes. The same as ``old`` where there is an error.
        moved_to: its new name, if it moves.
        error: why nothing of the patch is applied to this file.
        removed_comments: comments that go because what they stand in goes.
    """

    path: str
    old: bytes | None
    new: bytes | None
    moved_to: str | None = None
    error: SimPyError | None = None
    removed_comments: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the file is not as before."""
        return self.old != self.new or self.moved_to is not None

    def diff(self) -> str:
        """The change as a unified diff; empty if there is none."""
        names = self.path if self.old is not None else "/dev/null", (self.moved_to or self.path) if self.new is not None else "/dev/null"
        old, new = (split_lines(_text(data or b"")) for data in (self.old, self.new))
        lines = difflib.unified_diff(old, new, visible(names[0]), visible(names[1]))
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def apply_patch(
    patch: Patch,
    files: Files,
    *,
    path: str | None = None,
    dialect: str | Path | Dialect = PYTHON,
    seen: Mapping[str, str] | None = None,
) -> tuple[FileEdit, ...]:
    """Apply a patch to the person's files.

    Changes of one file are made one after the other. If one of them cannot be made, the file stays as it is, and the other
    files are done. Nothing is written.

    Args:
        patch: the changes.
        files: the bytes of each file, by the name that the patch has for it; ``None``, or no such key, if there is none. A
            function may raise a ``SimPyError`` to refuse a file.
        path: the file of changes that name none.
        dialect: what the model read and wrote: Python, or the dialect of a view.
        seen: file -> the view of it that the model saw, where it did not see the file itself.

    Returns:
        What becomes of each file, in the order of the patch.

    Raises:
        DialectError: there is no such dialect.

    >>> from transpiler.patches import read_patch
    >>> patch = read_patch('{"path": "a.py", "old_str": "f(x,y)", "new_str": "f(x)"}')
    >>> [edit.new for edit in apply_patch(patch, {"a.py": b"f(x,\\n  y)  # two\\n"})]
    [b'f(x)  # two\\n']
    """
    run = _Run(files, Dialect.load(dialect), {_normal(name): text for name, text in (seen or {}).items()})
    totals: dict[str, int] = {}
    for change in patch.changes:
        name = change.path or path or ""
        totals[name] = totals.get(name, 0) + 1
    for change in patch.changes:
        name = change.path or path or ""
        run.add(name, change, totals[name])
    return tuple(state.edit() for state in run.states)


def apply_piece(
    path: str,
    data: bytes,
    old: str,
    new: str,
    *,
    near: int | None = None,
    within: str | None = None,
    dialect: str | Path | Dialect = PYTHON,
) -> FileEdit:
    """Replace a piece of a file, as ``replace`` does; a file that is not Python is changed by its exact text.

    Args:
        path: the file.
        data: its bytes.
        old: the piece.
        new: what comes in its place; empty to delete it.
        near: the line on which the piece begins, where it stands at several places.
        within: the definition in which it stands, such as ``C.f``.
        dialect: that of the view that the piece was quoted from.

    >>> apply_piece("a.py", b"x  =  1\\n", "x=1", "x=2").new
    b'x  =  2\\n'
    """
    view = Dialect.load(dialect)
    try:
        if is_python(path, data):
            edit = replace_piece(data, old, new, near=near, within=within, dialect=view, path=path)
            return FileEdit(path, data, edit.data, removed_comments=edit.removed_comments)
        if within is not None:
            raise EditError("the file is not Python, so it has no definitions")
        return FileEdit(path, data, changed_text(data, Change(path, "update", old, new), near))
    except SimPyError as error:
        error.path = error.path or path
        return FileEdit(path, data, data, error=error)


class _State:
    """A file that is being changed."""

    def __init__(self, path: str, data: bytes | None) -> None:
        self.path = path
        self.old = self.data = data
        self.moved_to: str | None = None
        self.error: SimPyError | None = None
        self.python: PythonText | None = None
        self.removed_comments: tuple[str, ...] = ()
        self.done = 0

    def edit(self) -> FileEdit:
        """What becomes of it."""
        if self.error is not None:
            return FileEdit(self.path, self.old, self.old, error=self.error)
        return FileEdit(self.path, self.old, self.data, self.moved_to, removed_comments=self.removed_comments)


class _Run:
    def __init__(self, files: Files, dialect: Dialect, seen: Mapping[str, str]) -> None:
        self._read = files if callable(files) else files.get
        self._dialect = dialect
        self._seen = seen
        self.states: list[_State] = []
        self._by_name: dict[str, _State] = {}

    def add(self, name: str, change: Change, total: int) -> None:
        """Make one change; what goes wrong is kept with its file."""
        state = self._state(name)
        state.done += 1
        if state.error is not None:
            return
        try:
            self._change(state, change)
        except SimPyError as error:
            error.path = error.path or state.path
            if total > 1:
                error.message = f"change {state.done} of {total}: {error.message}"
            state.error = error

    def _state(self, name: str) -> _State:
        key = _normal(name)
        state = self._by_name.get(key)
        if state is None:
            state = self._by_name[key] = _State(name, None)
            self.states.append(state)
            try:
                if not name:
                    raise EditError("the patch does not say which file it changes", path="<patch>", hint="name the file")
                state.old = state.data = self._read(name)
            except SimPyError as error:
                error.path = error.path or name
                state.error = error
        return state

    def _change(self, state: _State, change: Change) -> None:
        data = state.data
        if change.kind == "create" or (change.rewritten and change.elided is None and data is None and state.old is None):
            if data:
                raise EditError("the file is there already", hint="quote what is to be replaced in it")
            new = change.new.encode("utf-8", "surrogatepass")
            state.data = new_python(change.new, state.path) if is_python(state.path, new) else new
            state.python = None
        elif data is None:
            raise EditError("there is no such file")
        elif change.kind == "delete":
            if change.old and _lines(data) != _lines(change.old.encode("utf-8", "surrogatepass")):
                raise ConflictError("the file is not the one that the patch deletes")
            state.data = None
        elif change.kind == "move":
            self._move(state, change.moved_to or "")
        elif is_python(state.path, data):
            if state.python is None:
                state.python = PythonText(data, self._dialect, state.path, self._seen.get(_normal(state.path)))
            state.data = state.python.change(change)
            state.removed_comments = state.python.removed_comments
        else:
            state.data = changed_text(data, change, change.line)

    def _move(self, state: _State, target: str) -> None:
        key = _normal(target)
        if key in self._by_name or self._read(target) is not None:
            raise EditError(f"{target} is there already", hint="move it elsewhere")
        if is_python(target, b"") and not is_python(state.path, state.data or b""):
            new_python((state.data or b"").decode("utf-8", "replace"), target)
        state.moved_to = target
        self._by_name[key] = state


def is_python(path: str, data: bytes) -> bool:
    """Whether a file is Python, by its name, or by its first line if the name says nothing. ``<stdin>`` and the like are.

    >>> is_python("a.pyi", b""), is_python("run", b"#!/usr/bin/env python3\\n"), is_python("a.txt", b"x = 1\\n")
    (True, True, False)
    """
    name = posixpath.basename(path.replace("\\", "/"))
    return name.endswith(PYTHON_SUFFIXES) or path.startswith("<") or ("." not in name.strip(".") and _PYTHON_SCRIPT.match(data) is not None)


def _normal(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/")) if path else ""


def _lines(data: bytes) -> list[bytes]:
    return data.removeprefix(codecs.BOM_UTF8).splitlines()


def _text(data: bytes) -> str:
    try:
        return data.decode(detect_encoding(data))
    except (SimPyError, UnicodeError, LookupError):
        return data.decode("utf-8", "surrogateescape")
