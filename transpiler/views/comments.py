"""The view ``no-comments``: the same program without a comment. Its syntax tree is that of the source."""

from __future__ import annotations

from simpy_grammar.terminals import COMMENT, ID, ids
from transpiler.views.blocks import Piece, Statement, walk

_COMMENTS = ids(COMMENT)
_PARAMETERS_START, _PARAMETERS_END = ID["PARAMETERS_START"], ID["PARAMETERS_END"]
_WITH_PARENTHESES, _OPEN = ID["WITH_PARENTHESES"], ID["("]
_EMPTY = Piece(ID["EMPTY_PARAMETERS"], "()")
_BEFORE_NAMES = frozenset((ID["IMPORT_NAMES"], ID["FUTURE_IMPORT"]))


def drop_comments(body: list[Statement]) -> None:
    """Leave out every comment below a body."""
    for statement in [*walk(body)]:
        strip(statement)
        for block in statement.blocks():
            block[:] = [inner for inner in block if not inner.is_comment]
    body[:] = [statement for statement in body if not statement.is_comment]


def strip(statement: Statement) -> None:
    """Leave out the comments in the lines of a statement."""
    if statement.is_comment:
        return
    statement.parts = [part for part in statement.parts if not part.is_comment]
    for part in statement.parts:
        part.comment = None
        if any(piece.terminal in _COMMENTS for piece in part.pieces):
            part.pieces = _canonical([piece for piece in part.pieces if piece.terminal not in _COMMENTS])


def _canonical(pieces: list[Piece]) -> list[Piece]:
    """A line without the brackets that only its comments needed."""
    for at in range(len(pieces) - 1):
        terminal, follows = pieces[at].terminal, pieces[at + 1].terminal
        if terminal == _PARAMETERS_START and follows == _PARAMETERS_END:
            return [*pieces[:at], _EMPTY._replace(start=pieces[at].start), *pieces[at + 2 :]]
        if terminal == _WITH_PARENTHESES:
            return [*pieces[:at], *pieces[at + 2 : -1]]
        if terminal in _BEFORE_NAMES and follows == _OPEN:
            return [*pieces[: at + 1], *pieces[at + 2 : -1]]
    return pieces
