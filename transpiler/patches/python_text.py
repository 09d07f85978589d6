"""Changes of a file of Python: pieces replaced, and code given anew merged. Each is an edit that is proved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import EditError, PlaceError, SimPyError
from transpiler.conversion import convert
from transpiler.edits import Edit, merge, replace
from transpiler.patches.change import Change
from transpiler.patches.elided_items import may_be_a_part
from transpiler.patches.exact_text import line_at
from transpiler.patches.filling import filled
from transpiler.patches.hints import hinted_line
from transpiler.patches.rewritten import cut_at_elisions
from transpiler.source import detect_encoding, read_source
from transpiler.views import strip_numbers

PIECE = "<piece>"
"""What stands for a piece in the place of a file name."""
_LEFT_OUT = re.compile(r"[ \t]*#+[ \t]*(?:\.{3}|…)")


class PythonText:
    """A file of Python that is changed, change by change.

    Args:
        data: the file.
        dialect: what the model read and wrote.
        path: the file, for messages.
        seen: the view that the model saw, if it did not see the file itself.

    Attributes:
        data: the file after the changes so far.
        removed_comments: the comments that they have removed.
    """

    def __init__(self, data: bytes, dialect: Dialect, path: str, seen: str | None) -> None:
        self.data = data
        self.removed_comments: tuple[str, ...] = ()
        self._dialect = dialect
        self._path = path
        self._moves: list[list[tuple[int, int]]] = []  # for each edit: lines of the text before it, and how far what follows has moved
        self._seen = seen
        if seen is not None:
            if dialect.is_python or dialect.layout == COMPACT:
                seen = strip_numbers(seen, dialect=dialect)
            self._seen = seen if dialect.is_python else convert(seen, source=dialect, target=PYTHON, verify=False, width=None, path=path)

    def change(self, change: Change) -> bytes:
        """Make a change, and return the file.

        Raises:
            EditError: it cannot be made.
            SimPyError: the file, or what the patch gives, is not a program.
        """
        if change.rewritten:
            self._rewrite(change)
        else:
            self._replace(change)
        return self.data

    def _rewrite(self, change: Change) -> None:
        dialect, new, elided = self._dialect, change.new, change.elided
        source = read_source(self.data, path=self._path) if self._seen is None else self._seen
        if self._seen is not None or dialect.layout != PYTHON:
            new = strip_numbers(new, dialect=dialect)
            elided = cut_at_elisions(new) if elided is not None else None
        self._check_dots(source, elided.pieces if elided is not None else (new,))
        if elided is None:
            if dialect.is_python and may_be_a_part(source, new):
                hint = "a line `# ... existing code ...` says that the rest stays"
                raise EditError("it cannot be told whether the code is the whole file or a part of it", hint=hint)
            self._merge(new, dialect)
            return
        if self._seen is None and dialect.layout == COMPACT:
            source = convert(source, source=PYTHON, target=dialect, verify=False, path=self._path)
        elif not dialect.is_python:
            raise EditError(f"code with parts left out is read in Python only, and this is {dialect.name}")
        new = filled(source, elided, path=self._path)
        try:
            self._merge(new, dialect)
        except EditError:
            raise
        except SimPyError as error:
            raise EditError(f"the file would not be Python any more: {error.message}", path=self._path) from None

    def _check_dots(self, source: str, pieces: Sequence[str]) -> None:
        """Refuse a comment that begins with dots, unless the file has it: it may stand for code."""
        known = {line.strip() for line in source.split("\n")}
        for line in (line for piece in pieces for line in piece.split("\n")):
            if _LEFT_OUT.match(line) and line.strip() not in known:
                raise EditError(f"it cannot be told whether `{line.strip()}` stands for code", hint="write `# ... existing code ...`")

    def _merge(self, new: str, dialect: Dialect) -> None:
        if self._seen is not None and not dialect.is_python:
            new, dialect = convert(new, source=dialect, target=PYTHON, verify=False, width=None, path=self._path), Dialect.load(PYTHON)
        self._take(merge(self.data, new, seen=self._seen, dialect=dialect if self._seen is None else PYTHON, path=self._path))
        if self._seen is not None:
            self._seen = new

    def _replace(self, change: Change) -> None:
        if self._seen is not None:
            edit = self._replaced(self._seen, change, None)
            self._merge(edit.text, Dialect.load(PYTHON))
            return
        near = change.line
        if near is not None:
            near += len(change.old) - len(change.old.lstrip("\n")) if change.old.strip() else 0
            for moves in self._moves:
                near += sum(by for line, by in moves if line < near)
        self._take(self._replaced(self.data, change, near))

    def _replaced(self, text: str | bytes, change: Change, near: int | None) -> Edit:
        """The edit that a change asks for. Its hints choose among several places only.

        Raises:
            PlaceError: the piece stands nowhere, or at several places.
        """
        old, new = change.old, change.new
        if change.everywhere:
            return replace_piece(text, old, new, everywhere=True, dialect=self._dialect, path=self._path)
        try:
            return replace_piece(text, old, new, near=near, dialect=self._dialect, path=self._path)
        except PlaceError as error:
            line = (
                hinted_line(read_source(text), change.within, [place.line for place in error.candidates if place.line])
                if change.within
                else None
            )
            if line is None:
                raise
            return replace_piece(text, old, new, near=line, dialect=self._dialect, path=self._path)

    def _take(self, edit: Edit) -> None:
        data = self.data
        self._moves.append([(line_at(data, r.start), r.new.count("\n") - data.count(b"\n", r.start, r.end)) for r in edit.ranges])
        self.data = edit.data
        self.removed_comments += edit.removed_comments


def replace_piece(
    text: str | bytes,
    old: str,
    new: str,
    *,
    near: int | None = None,
    within: str | None = None,
    everywhere: bool = False,
    dialect: Dialect,
    path: str,
) -> Edit:
    """Replace a piece of a program, which may have the line numbers of a view.

    Args:
        text: the program.
        old: the piece.
        new: what comes in its place.
        near: the line on which the piece begins, where it stands at several places.
        within: the definition in which it stands, such as ``C.f``.
        everywhere: replace it at each place where it stands.
        dialect: that of the view that the piece was quoted from.
        path: the file, for messages.

    Raises:
        PlaceError: the piece stands nowhere, or at several places; or it is not Python. A line and column are those of the piece.
        SimPyError: the file, or what the edit would make of it, is not a program.

    >>> replace_piece("def f(): pass", "1:def f():", "1:def g():", dialect=Dialect.load("python"), path="a.py").text
    'def g(): pass'
    """

    def replaced(old: str, new: str) -> Edit:
        return replace(text, old, new, near=near, within=within, everywhere=everywhere, view=dialect, path=path)

    try:
        return replaced(old, new)
    except PlaceError as error:
        if error.line is not None:
            error.path = PIECE
        bare = strip_numbers(old), strip_numbers(new)
        if error.candidates or bare == (old, new):
            raise
        return replaced(*bare)


def new_python(text: str, path: str) -> bytes:
    """A new file of Python, shown to be a program, in the encoding that it declares.

    Raises:
        SimPyError: it is not a program, or its encoding lacks a character.

    >>> new_python("x = 1\\n", "a.py")
    b'x = 1\\n'
    """
    data = text.encode("utf-8", "surrogatepass")
    encoding = detect_encoding(data, path=path)
    if encoding != "utf-8":
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError as error:
            raise EditError(f"the file declares {encoding}, which has no {text[error.start]!r}", path=path) from None
    convert(read_source(data, path=path), source=PYTHON, target=PYTHON, path=path)  # says what is wrong, and where
    return data
