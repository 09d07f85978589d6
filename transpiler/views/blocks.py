"""A program as statements in blocks, made from its stream of lexemes and turned back into one.

Views work on this: they leave out statements, or lexemes of one, and never look at text. Which lexeme separates two
statements depends on both of them, so separators are left out when a stream is read and put in when one is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import CLAUSE, DEFINITION, HEADER, ID, IMPORT, STATEMENT, TERMINALS, ids

_BLOCK_START, _BLOCK_END, _LINE_SEP = (ID[name] for name in ("BLOCK_START", "BLOCK_END", "LINE_SEP"))
_COMMENT, _TRAILING, _HEADER_COMMENT, _INNER = (ID[f"{kind}COMMENT"] for kind in ("", "TRAILING_", "HEADER_", "INNER_"))
_ASYNC, _LAZY, _DECORATOR, _STRING, _CONCAT = (ID[name] for name in ("ASYNC", "LAZY", "DECORATOR", "STRING", "CONCAT"))
_DEFINITIONS = ids(DEFINITION)
_CLAUSES = ids(CLAUSE) - {ID["CASE"]}  # a case is a statement of the block of its match
_KEYWORDS = ids(DEFINITION, HEADER, CLAUSE, STATEMENT, IMPORT) | {_ASYNC}
_ENDS = frozenset((_LINE_SEP, _BLOCK_START, _BLOCK_END, _COMMENT, _TRAILING, _HEADER_COMMENT)) | _KEYWORDS | {_DECORATOR}
_IN_STRINGS = frozenset((_STRING, _CONCAT, _INNER, ID["("], ID[")"]))

NOWHERE = -1
"""The offset of a lexeme that a view has put in."""


class Piece(NamedTuple):
    """A lexeme of a program.

    Attributes:
        terminal: id of its terminal, in its general form.
        text: its text, as in a stream.
        start: offset of its first character in the source; ``NOWHERE`` if a view has put it in.
    """

    terminal: int
    text: str
    start: int = NOWHERE


@dataclass(slots=True)
class Part:
    """One logical line of a statement, and the block below it.

    Attributes:
        pieces: the lexemes of the line, without the comment at its end.
        comment: the comment at the end of the line.
        body: the statements of its block; ``None`` if the line is not a header.
    """

    pieces: list[Piece]
    comment: Piece | None = None
    body: list[Statement] | None = None

    @property
    def first(self) -> int:
        """Id of its first terminal."""
        return self.pieces[0].terminal

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment on a line of its own."""
        return self.first == _COMMENT

    @property
    def is_clause(self) -> bool:
        """Whether it is a clause of a compound statement, other than a case."""
        return self.first in _CLAUSES

    def comments(self) -> int:
        """How many comments stand in the line."""
        return self.is_comment + (self.comment is not None) + sum(piece.terminal == _INNER for piece in self.pieces)


@dataclass(slots=True)
class Statement:
    """A statement, or a comment on a line of its own.

    Attributes:
        parts: its decorators and the comments between them, then its line or header, then its clauses.
        filler: a view has put it in where a block was left empty.
    """

    parts: list[Part] = field(default_factory=list)
    filler: bool = False

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment."""
        return len(self.parts) == 1 and self.parts[0].is_comment

    @property
    def header(self) -> Part:
        """Its first line that is neither a decorator nor a comment above a definition."""
        return next((part for part in self.parts if part.first not in (_COMMENT, _DECORATOR)), self.parts[0])

    @property
    def defines(self) -> Piece | None:
        """The lexeme of the name that a definition gives; ``None`` if the statement is not a definition."""
        pieces = self.header.pieces
        at = 1 if pieces[0].terminal == _ASYNC else 0
        return pieces[at + 1] if pieces[at].terminal in _DEFINITIONS else None

    @property
    def is_class(self) -> bool:
        """Whether it defines a class."""
        return self.header.first == ID["CLASS"]

    @property
    def start(self) -> int:
        """Offset of its first character in the source."""
        return self.parts[0].pieces[0].start

    @property
    def is_string(self) -> bool:
        """Whether it is nothing but a string of characters, as a docstring is."""
        if len(self.parts) != 1 or self.parts[0].body is not None or any(p.terminal not in _IN_STRINGS for p in self.parts[0].pieces):
            return False
        strings = [piece.text for piece in self.parts[0].pieces if piece.terminal == _STRING]
        return bool(strings) and not any("b" in text[: min(text.find(q) for q in "'\"" if q in text)].lower() for text in strings)

    def blocks(self) -> Iterator[list[Statement]]:
        """The blocks below its lines."""
        return (part.body for part in self.parts if part.body is not None)


def docstring(body: Sequence[Statement]) -> Statement | None:
    """The docstring of a module, class or function with this body."""
    first = next((statement for statement in body if not statement.is_comment), None)
    return first if first is not None and first.is_string and not first.filler else None


def filler(name: str) -> Statement:
    """The statement ``pass`` or ``...`` (``PASS``, ``ELLIPSIS``), put in by a view."""
    return Statement([Part([Piece(ID[name], TERMINALS[ID[name]].python)])], filler=True)


def fill(body: list[Statement], name: str) -> None:
    """Put ``pass`` or ``...`` into a body that holds no statement."""
    if all(statement.is_comment for statement in body):
        body.append(filler(name))


def walk(body: Iterable[Statement]) -> Iterator[Statement]:
    """Every statement of a body and of the blocks in it, in the order of the text."""
    todo = list(body)[::-1]
    while todo:
        statement = todo.pop()
        yield statement
        for block in [*statement.blocks()][::-1]:
            todo += block[::-1]


def read_blocks(stream: Stream) -> list[Statement]:
    """The statements of a program, from a stream with offsets.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import located_stream
    >>> [statement] = read_blocks(located_stream("if a:\\n    b\\n    # c\\nelse: d\\n", Dialect.load("python")))
    >>> [len(block) for block in statement.blocks()]
    [2, 1]
    """
    pieces = list(map(Piece, stream.terminals, stream.texts, stream.starts))
    module: list[Statement] = []
    body, around = module, list[list[Statement]]()
    above: list[Part] = []  # decorators, and comments below them, that wait for their definition
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.terminal == _BLOCK_END:
            body = around.pop()
            at += 1
        elif piece.terminal == _LINE_SEP:
            at += 1
        elif piece.terminal == _TRAILING:
            (above or body[-1].parts)[-1].comment = piece
            at += 1
        else:
            end = _end_of_line(pieces, at)
            part = Part(pieces[at:end])
            at = end
            if at < len(pieces) and pieces[at].terminal == _HEADER_COMMENT:
                part.comment = pieces[at]
                at += 1
            if part.first == _DECORATOR or (above and part.is_comment):
                above.append(part)
            elif part.is_clause:
                body[-1].parts.append(part)
            else:
                body.append(Statement([*above, part]))
                above = []
            if at < len(pieces) and pieces[at].terminal == _BLOCK_START:
                part.body = []
                around.append(body)
                body = part.body
                at += 1
    return module


def _end_of_line(pieces: Sequence[Piece], at: int) -> int:
    """Where the logical line ends that begins here."""
    if pieces[at].terminal == _COMMENT:
        return at + 1
    at += 2 if pieces[at].terminal in (_ASYNC, _LAZY) else 1
    while at < len(pieces) and pieces[at].terminal not in _ENDS:
        at += 1
    return at


def write_blocks(body: Iterable[Statement]) -> list[Piece]:
    """The lexemes of statements, with the separators and block ends that belong between them.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import located_stream
    >>> stream = located_stream("@a # b\\n# c\\ndef f(): x; y\\nz\\n", Dialect.load("python"))
    >>> [piece.terminal for piece in write_blocks(read_blocks(stream))] == stream.terminals
    True
    """
    out: list[Piece] = []
    _write(body, out)
    return out


def _write(body: Iterable[Statement], out: list[Piece]) -> None:
    is_open = False  # a simple statement or a decorator came last
    for statement in body:
        for part in statement.parts:
            if is_open and part.first not in _KEYWORDS:
                out.append(Piece(_LINE_SEP, ""))
            out += part.pieces
            if part.comment is not None:
                out.append(part.comment)
            is_open = part.body is None and part.comment is None and not part.is_comment
            if part.body is not None:
                out.append(Piece(_BLOCK_START, ""))
                _write(part.body, out)
                out.append(Piece(_BLOCK_END, ""))


def to_stream(pieces: Iterable[Piece]) -> Stream:
    """A stream of lexemes.

    >>> to_stream([Piece(ID["PASS"], "pass")]).texts
    ['pass']
    """
    stream = Stream()
    for piece in pieces:
        stream.terminals.append(piece.terminal)
        stream.texts.append(piece.text)
    return stream
