"""The edit of one file that a request asks for, from what the client saw. Reads and writes no file, and remembers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PlaceError, SimPyError
from simpy_mcp.places import line_at, overlap, with_excerpt
from simpy_mcp.requests import Request
from simpy_mcp.seen import Seen
from transpiler.conversion import convert
from transpiler.edits import Edit, merge, replace
from transpiler.edits.seen_pieces import dedented
from transpiler.source import read_source
from transpiler.views import NUMBERS, View, strip_numbers, view

_A = TypeVar("_A")
_B = TypeVar("_B")
_SENT = "<sent>"  # the path of errors whose position is in what the client has sent


def edited(data: bytes, request: Request, way: str, seen: Seen | None, dialect: Dialect, path: str) -> tuple[Edit, Edit | None]:
    """The edit of a file, and the same edit of the file as the client saw it, if it starts from that.

    Args:
        data: the file.
        request: what is asked for.
        way: how: ``place``, ``symbol`` or ``text``.
        seen: what the client saw, which a whole text needs.
        dialect: what the client writes if nothing was seen.
        path: the file, for messages.

    Raises:
        ConflictError: others have changed since what the edit changes.
        SimPyError: as ``merge`` and ``replace`` do.
    """
    if way == "place":
        return replaced(data, request, dialect if seen is None else seen.dialect, path), None
    if seen is None:
        return _new_symbol(data, request, dialect, path), None
    ours = _of_seen(request, way, seen, path)
    if seen.source == data:
        return ours, ours
    old, new = read_source(seen.source), read_source(data)
    touched = overlap([(line_at(seen.source, r.start), line_at(seen.source, r.end)) for r in ours.ranges], old, new)
    if touched is not None:
        error = ConflictError("this place was changed on both sides", path=path)
        raise with_excerpt(error, data, *touched)
    return merge(data, ours.text, seen=old, dialect=PYTHON, path=path), ours


def _new_symbol(data: bytes, request: Request, dialect: Dialect, path: str) -> Edit:
    """The edit that replaces a definition that was not read; comments above it go only if new ones are given."""
    shown = _shown(data, f"symbol={request.symbol}", path)
    old, line = shown.program, shown.lines[0]
    if not (request.new or "").lstrip().startswith("#"):
        old, line = _without_comments_above(old, line)
    return _first_that_works(_pieces(request.new or "", dialect), lambda new: _replaced_piece(data, old, line, new, path))


def _of_seen(request: Request, way: str, seen: Seen, path: str) -> Edit:
    """The edit of a file as the client saw it."""
    sent = (request.new if way == "symbol" else request.text) or ""
    lines = seen.lines if seen.symbol is None else _shown(seen.source, f"symbol={seen.symbol}", path).lines
    return merge(seen.source, sent_program(sent, seen.dialect), seen=seen.program, lines=lines, dialect=PYTHON, path=path)


def replaced(source: str | bytes, request: Request, dialect: Dialect, path: str | None) -> Edit:
    """The edit that puts ``new`` in the place of ``old``, each with the line numbers of a view or without.

    Raises:
        SimPyError: as ``replace`` does.
    """
    view_of = COMPACT if dialect.layout == COMPACT else None  # a piece in any other dialect is Python by now

    def attempt(pair: tuple[str, str]) -> Edit:
        try:
            return replace(source, *pair, near=request.near, within=request.within, view=view_of, path=path)
        except PlaceError as error:
            if error.line is not None:
                error.path = _SENT
            raise

    pairs = [(old, new) for old in _pieces(request.old or "", dialect) for new in _pieces(request.new or "", dialect)]
    return _first_that_works(pairs, attempt)


def as_python(text: str, dialect: Dialect) -> str:
    """A program as Python in the canonical layout.

    Raises:
        SimPyError: it is not a program of the dialect.
    """
    text = dedented(text) if dialect.is_python else text
    return convert(text, source=dialect, target=PYTHON, width=None, verify=False, path=_SENT)


def sent_program(text: str, dialect: Dialect) -> str:
    """A program that a client has sent, with the line numbers of a view or without, as Python.

    Raises:
        SimPyError: it is not a program of the dialect.
    """
    return _first_that_works(_variants(text, dialect), lambda text: as_python(text, dialect))


def _pieces(text: str, dialect: Dialect) -> list[str]:
    """What a client may mean by a piece of a program, as Python."""
    if dialect.is_python or not text.strip():
        return _variants(text, dialect)
    return [sent_program(text, dialect)]


def _variants(text: str, dialect: Dialect) -> list[str]:
    """A text as it is, then without what looks like the line numbers of a view.

    A line that begins with one is not Python, unless it is inside of a string; then the text as it is will do.
    """
    ways = NUMBERS if dialect.is_python else NUMBERS[:1]
    return list(dict.fromkeys([text, *(strip_numbers(text, numbers=numbers, dialect=dialect) for numbers in ways)]))


def _first_that_works(candidates: Iterable[_A], work: Callable[[_A], _B]) -> _B:
    """The first result that is not an error; the error of the last candidate if all are. Several places are an answer."""
    failed: SimPyError | None = None
    for candidate in candidates:
        try:
            return work(candidate)
        except ConflictError:
            raise
        except PlaceError as error:
            if error.candidates:
                raise
            failed = error
        except SimPyError as error:
            failed = error
    assert failed is not None  # noqa: S101  # there is a candidate
    raise failed


def _shown(data: bytes, name: str, path: str) -> View:
    """A piece of a file by the name of its view.

    Raises:
        SimPyError: there is no such piece.
    """
    return view(data, [name], dialect=PYTHON, numbers=None, width=None, path=path)


def _without_comments_above(piece: str, line: int) -> tuple[str, int]:
    """A definition without the comments directly above it."""
    lines = piece.split("\n")
    first = next((at for at, text in enumerate(lines) if not text.startswith("#")), 0)
    return "\n".join(lines[first:]), line + first


def _replaced_piece(data: bytes, old: str, line: int, new: str, path: str) -> Edit:
    """The edit that puts something in the place of a piece that was taken from the file."""
    try:
        return replace(data, old, new, near=line, path=path)
    except PlaceError as error:
        if error.line is not None:
            error.path = _SENT
            raise
        raise EditError("what is to be rewritten is not one piece of the file", path=path, hint="use old and new") from error
