"""The edit of one file that a request asks for, from what the client saw. Reads and writes no file, and remembers nothing.

A piece that a client rewrites (a symbol, some lines) is put into the whole file twice, as it was shown and as it is now;
the difference of these two is merged into the file. So what a view of the piece left out stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PlaceError, PythonSyntaxError, RoundTripError, SimPyError
from simpy_mcp.places import carried
from simpy_mcp.requests import Request
from simpy_mcp.seen import Seen
from transpiler.conversion import convert
from transpiler.edits import Edit, merge, replace
from transpiler.source import read_source
from transpiler.views import NUMBERS, strip_numbers, view

_A = TypeVar("_A")
_B = TypeVar("_B")
_SENT = "<sent>"  # the path of errors whose position is in what the client has sent


def edited(data: str | bytes, request: Request, way: str, seen: Seen | None, dialect: Dialect, path: str) -> Edit:
    """The edit of a file.

    Args:
        data: the file.
        request: what is asked for.
        way: how: ``place``, ``symbol`` or ``text``.
        seen: what the client saw, which a whole text needs.
        dialect: what the client writes if nothing was seen.
        path: the file, for messages.

    Raises:
        SimPyError: as ``merge`` and ``replace`` do.
    """
    dialect = dialect if seen is None else seen.dialect
    if way == "place":
        return replaced(data, request, dialect, path)
    if way == "text" and seen is not None and not seen.is_piece:
        text = sent_program(request.text or "", dialect)
        return _merged(data, text, seen.program, path)
    symbol = request.symbol if way == "symbol" or seen is None else seen.symbol
    new = (request.new if way == "symbol" else request.text) or ""
    old, line = _piece_now(data, symbol, seen, path)
    if seen is None and not new.lstrip().startswith("#"):
        old, line = _without_comments_above(old, line)
    return _first_that_works(_pieces(new, dialect), lambda new: _rewritten(data, old, line, new, seen, path))


def replaced(source: str | bytes, request: Request, dialect: Dialect, path: str | None) -> Edit:
    """The edit that puts ``new`` in the place of ``old``, each with the line numbers of a view or without.

    Raises:
        SimPyError: as ``replace`` does.
    """
    # Compact code is indented by tabs; what is indented otherwise was not quoted from it, and is compared with the file.
    tabs = any(line.startswith("\t") for line in (request.old or "").split("\n"))
    view_of = COMPACT if tabs and dialect.layout == COMPACT else None

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


def _piece_now(data: str | bytes, symbol: str | None, seen: Seen | None, path: str) -> tuple[str, int]:
    """What a piece is in the file now, and its first line.

    Raises:
        ConflictError: the lines that were shown cannot be told from what has changed around them.
        SimPyError: nothing has this name.
    """
    if symbol is not None:
        shown = view(data, [f"symbol={symbol}"], dialect=PYTHON, numbers=None, width=None, path=path)
        return shown.program, shown.lines[0]
    assert seen is not None and seen.lines is not None  # noqa: S101  # it is a piece
    lines = carried(seen.lines, read_source(seen.source), read_source(data))
    if lines is not None:
        shown = view(data, [f"lines={lines[0]}-{lines[1]}"], dialect=PYTHON, numbers=None, width=None, path=path)
        if shown.lines == lines:
            return shown.program, lines[0]
    error = ConflictError("the lines that were shown have changed since they were read", path=path, hint="read them again")
    error.line = None
    raise error


def _without_comments_above(piece: str, line: int) -> tuple[str, int]:
    """A definition without the comments directly above it."""
    lines = piece.split("\n")
    first = next((at for at, text in enumerate(lines) if not text.startswith("#")), 0)
    return "\n".join(lines[first:]), line + first


def _rewritten(data: str | bytes, old: str, line: int, new: str, seen: Seen | None, path: str) -> Edit:
    """The edit that makes ``new`` of a piece, as seen from what was shown of it."""
    try:
        if seen is None:
            return replace(data, old, new, near=line, path=path)
        before = replace(data, old, seen.program, near=line, path=path).text
        after = replace(data, old, new, near=line, path=path).text
    except PlaceError as error:
        if error.line is not None:
            error.path = _SENT
            raise
        raise EditError("what is to be rewritten is not one piece of the file", path=path, hint="use old and new") from error
    return _merged(data, after, before, path)


def _merged(data: str | bytes, rewritten: str, seen: str, path: str) -> Edit:
    """The edit that merges what a client made of what it saw, both of which are programs.

    Raises:
        ConflictError: a place was changed on both sides, or what both have changed is not a program together.
        SimPyError: the file is not Python.
    """
    try:
        return merge(data, rewritten, seen=seen, dialect=PYTHON, path=path)
    except (PythonSyntaxError, RoundTripError) as error:
        view(data, dialect=PYTHON, numbers=None, path=path)  # raises if the file is what is wrong
        raise ConflictError(f"this does not go together with what the file says now: {error.message}", path=path) from error
