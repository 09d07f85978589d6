"""The view ``no-annotations``: no annotations of parameters, results and variables.

``x: int = 1`` becomes ``x = 1``. ``x: int``, which is nothing but an annotation, is left out as a whole. Bounds and
defaults of type parameters are part of the program and stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy_grammar.terminals import ID
from transpiler.views.blocks import Part, Piece, Statement, fill, walk

_ANNOTATION, _ASSIGN, _PARAMETER, _ARROW = (ID[name] for name in ("ANNOTATION", "ASSIGN", "PARAMETER_ANNOTATION", "RETURN_ARROW"))
_DEFAULT, _ANNOTATED_DEFAULT, _INNER, _SEP = (ID[name] for name in ("DEFAULT", "ANNOTATED_DEFAULT", "INNER_COMMENT", "PARAMETER_SEP"))
_PARAMETER_ENDS = frozenset((_SEP, ID["PARAMETERS_END"]))
ANNOTATIONS = frozenset((_ANNOTATION, _PARAMETER, _ARROW))
"""Ids of the terminals that an annotation begins with."""


def drop_annotations(body: list[Statement]) -> None:
    """Leave out the annotations below a body; a block of nothing else gets a ``pass``."""
    for statement in [*walk(body)]:
        header = statement.header
        if statement.defines is not None:
            header.pieces = _without(header.pieces)
        for block in statement.blocks():
            if _drop(block):
                fill(block, "PASS")
    _drop(body)


def is_declaration(statement: Statement) -> bool:
    """Whether a statement is an annotation without a value."""
    terminals = {piece.terminal for piece in statement.parts[0].pieces}
    return _ANNOTATION in terminals and _ASSIGN not in terminals


def _drop(body: list[Statement]) -> bool:
    """Leave out the annotations of the statements of one body; whether statements went with them."""
    kept = [statement for statement in body if not is_declaration(statement)]
    for statement in kept:
        _unannotate(statement.parts[0])
    dropped = len(kept) < len(body)
    body[:] = kept
    return dropped


def _unannotate(part: Part) -> None:
    """``x: int = 1`` to ``x = 1``."""
    terminals = [piece.terminal for piece in part.pieces]
    if _ANNOTATION in terminals:
        part.pieces = part.pieces[: terminals.index(_ANNOTATION)] + part.pieces[terminals.index(_ASSIGN) :]


def _without(pieces: Sequence[Piece]) -> list[Piece]:
    """The header of a function without annotations; comments behind a parameter stay where they may."""
    out: list[Piece] = []
    comments: list[Piece] = []
    inside = False  # an annotation
    for piece in pieces:
        if piece.terminal in (_PARAMETER, _ARROW):
            inside, comments = True, []
        elif inside and piece.terminal == _ANNOTATED_DEFAULT:
            inside = False
            out.append(Piece(_DEFAULT, "=", piece.start))
        elif inside and piece.terminal in _PARAMETER_ENDS:
            inside = False
            out += [*comments, piece]
        elif not inside:
            out.append(piece)
        elif piece.terminal == _INNER:
            comments.append(piece)
    return out
