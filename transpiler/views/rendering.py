"""A view of a program: its statements without what some views leave out, in any dialect, and what that was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import RoundTripError, SimPyError
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.terminals import ID
from transpiler.conversion import WIDTH, explained, located_stream, read_stream, write_stream
from transpiler.nesting import TooDeepError
from transpiler.proof import parse_tree, prove, python_error
from transpiler.source import read_source
from transpiler.views.annotations import ANNOTATIONS
from transpiler.views.blocks import Statement, docstring, read_blocks, to_stream, walk, write_blocks
from transpiler.views.numbers import ALL, DEFINITIONS, check_numbers, marked, number_all, number_definitions
from transpiler.views.registry import Asked, Context, parse_views
from transpiler.views.selection import Lines

if TYPE_CHECKING:
    from pathlib import Path

    from simpy_grammar.stream import Stream

Count = Callable[[str], int]
"""How many tokens a text has."""

_REPORT = "this is a bug of the view: please report it with the file"
_BLOCK_START, _BLOCK_END, _DECORATOR, _ELLIPSIS = (ID[name] for name in ("BLOCK_START", "BLOCK_END", "DECORATOR", "ELLIPSIS"))
_DEEPEST = 100  # blocks in blocks: as many as CPython reads
PARTS = ("comments", "docstrings", "docstring lines", "annotations", "decorators", "definitions", "statements", "bodies")
"""What a view may leave out. Bodies are those of which ``...`` is left; definitions are statements too. A docstring has one line
that is counted with it, and further ones."""


class View(NamedTuple):
    """What a view shows.

    Attributes:
        text: the program with its line numbers: what a model is given.
        program: the program without them.
        left_out: what was left out, of ``PARTS``, and how many; parts of which nothing was left out are missing.
        fits: whether the text is within the budget of ``prune=N``; true if there is none.
        tokens: of the text, if a counter was given.
        lines: first and last line of the source that the view shows something of; ``(0, 0)`` if it shows nothing.
    """

    text: str
    program: str
    left_out: dict[str, int]
    fits: bool
    tokens: int | None
    lines: tuple[int, int]

    @property
    def summary(self) -> str:
        """What was left out, in one line; empty if nothing was.

        >>> view("x = 1  # one\\n", ["no-comments"]).summary
        '1 comment'
        """
        return ", ".join(f"{count:,} {_singular(part) if count == 1 else part}" for part, count in self.left_out.items())


def _singular(part: str) -> str:
    return "body" if part == "bodies" else part[:-1]


def view(
    source: str | bytes,
    views: Sequence[str] = (),
    *,
    dialect: str | Path | Dialect = COMPACT,
    numbers: str | None = DEFINITIONS,
    count: Count | None = None,
    path: str | None = None,
    width: int | None = WIDTH,
    verify: bool = True,
) -> View:
    """A program as some views show it.

    Args:
        source: a Python program; bytes are decoded as PEP 263 says.
        views: names from ``transpiler.views.KINDS``; their order does not matter.
        dialect: the dialect to write: a name, a dialect file or a ``Dialect``.
        numbers: where line numbers of the source stand: at ``"definitions"``, before ``"all"`` lines, or nowhere.
        count: the number of tokens of a text, for ``prune=N``; without it, N is in characters.
        path: the file, for messages.
        width: for Python, columns after which a line is broken inside brackets; ``None`` for none.
        verify: prove before returning that the program of the view is valid, and is the source where nothing but comments
            is left out.

    Raises:
        PythonSyntaxError: the source is not Python.
        SimPyError: there is no such view, or it finds nothing in this program.
        RoundTripError: the proof failed, which is a bug here and not in the source.
        DialectError: there is no such dialect, or it is ambiguous.

    >>> shown = view("# 1\\ndef f(a: int):\\n    return a\\n", ["no-annotations"], dialect="python")
    >>> shown.text, shown.left_out
    ('# 1\\n2:def f(a):\\n    return a\\n', {'annotations': 1})
    """
    chosen = Dialect.load(dialect)
    try:
        check_numbers(numbers, chosen)
        asked = parse_views(views)
        return _view(source, asked, _Writer(chosen, numbers, width), count, path, verify)
    except TooDeepError as error:
        text = read_source(source, path=path)
        raise explained(text, error, Dialect.load(PYTHON), path) from None
    except SimPyError as error:
        error.path = error.path or path
        raise


class _Writer(NamedTuple):
    """How statements become text: the dialect, where its numbers stand, and the width of Python."""

    dialect: Dialect
    numbers: str | None
    width: int | None

    def write(self, body: Sequence[Statement], lines: Lines) -> tuple[str, str]:
        """The text with its numbers, and the program without."""
        pieces = write_blocks(body)
        if self.numbers != DEFINITIONS:
            program = write_stream(to_stream(pieces), self.dialect, self.width)
            return (number_all(program, pieces, lines, self.dialect) if self.numbers == ALL else program), program
        with_marks, names = marked(pieces, self.dialect)
        starts = [statement.header.pieces[0] for statement in walk(body) if statement.defines is not None]
        return number_definitions(write_stream(to_stream(with_marks), self.dialect, self.width), names, starts, lines, self.dialect)


def _view(source: str | bytes, asked: Sequence[Asked], writer: _Writer, count: Count | None, path: str | None, verify: bool) -> View:
    text = read_source(source, path=path)
    stream = _read(text, path)
    lines = Lines(text)
    body = read_blocks(stream)
    before = _tally(body)
    measure = count or len
    context = Context(lines, lambda tried: measure(writer.write(tried, lines)[0]))
    fits = True
    for one in asked:
        fits = one.kind.apply(body, one.value, context) and fits
    shown, program = writer.write(body, lines)
    if verify:
        if all(one.kind.keeps_tree for one in asked):
            prove(text, lambda: stream, lambda: _python(program, writer.dialect), path)
        else:
            _check(text, stream, program, writer.dialect, path)
    left_out = before
    left_out.subtract(_tally(body))
    places = [piece.start for piece in write_blocks(body) if piece.start >= 0]
    span = (lines.of(min(places)), max(lines.span(statement)[1] for statement in body if statement.start >= 0)) if places else (0, 0)
    return View(
        shown,
        program,
        {part: left_out[part] for part in PARTS if left_out[part]},
        fits,
        None if count is None else count(shown),
        span,
    )


def _tally(body: list[Statement]) -> Counter[str]:
    """How much of each of ``PARTS`` there is; bodies of which ``...`` is left count as less."""
    found: Counter[str] = Counter()
    docstrings = {id(docstring(inner)) for inner in [body, *(one.parts[-1].body or [] for one in walk(body) if one.defines is not None)]}
    for statement in walk(body):
        parts = statement.parts
        found["comments"] += sum(part.comments() for part in parts)
        found["annotations"] += sum(piece.terminal in ANNOTATIONS for part in parts for piece in part.pieces)
        found["decorators"] += sum(part.first == _DECORATOR for part in parts)
        found["definitions"] += statement.defines is not None
        if id(statement) in docstrings:
            found["docstrings"] += 1
            found["docstring lines"] += sum(piece.text.count("\n") for piece in parts[0].pieces)
        elif statement.filler:
            found["bodies"] -= parts[0].pieces[0].terminal == _ELLIPSIS
        else:
            found["statements"] += not statement.is_comment
    return found


def _read(text: str, path: str | None) -> Stream:
    python = Dialect.load(PYTHON)
    try:
        stream = located_stream(text, python)
    except (StuckError, LexError) as error:
        raise explained(text, error, python, path) from None
    depth = 0
    for at, terminal in enumerate(stream.terminals):
        depth += (terminal == _BLOCK_START) - (terminal == _BLOCK_END)
        if depth > _DEEPEST:
            raise TooDeepError(at)
    return stream


def _python(program: str, dialect: Dialect) -> str:
    return program if dialect.is_python else write_stream(read_stream(program, dialect), Dialect.load(PYTHON))


def _check(text: str, stream: Stream, program: str, dialect: Dialect, path: str | None) -> None:
    """Show that what a view has left is a program; where only a newer Python can tell, that our reader reads it."""
    from transpiler.versions import RUNNING, needed_version

    try:
        python = _python(program, dialect)
    except SimPyError as error:
        raise RoundTripError(f"the view does not read as a program: {error.message}", path=path, hint=_REPORT) from error
    try:
        parse_tree(text)
    except SyntaxError as error:
        if needed_version(stream) <= RUNNING:
            raise python_error(text, error, path) from None
        read_stream(python, Dialect.load(PYTHON))
        return
    try:
        parse_tree(python)
    except SyntaxError as error:
        raise RoundTripError(f"the view is not a program: {error}", path=path, hint=_REPORT) from error
