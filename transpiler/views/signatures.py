"""The views ``signatures`` and ``outline``: what a module defines, without what it does."""

from __future__ import annotations

from simpy_grammar.terminals import ID
from transpiler.views.annotations import is_declaration
from transpiler.views.blocks import Part, Piece, Statement, docstring, fill, filler
from transpiler.views.comments import drop_comments
from transpiler.views.docstrings import first_line

_ASYNC, _CASE, _CLASS, _EMPTY = ID["ASYNC"], ID["CASE"], ID["CLASS"], ID["EMPTY_PARAMETERS"]


def keep_signatures(body: list[Statement]) -> None:
    """Keep the headers of classes and functions, the first lines of docstrings, and what a class declares.

    What a function does becomes ``...``. Compound statements stay where they define something, with ``...`` for the blocks
    that do not. Of other statements the annotated ones of a class stay, since they are its fields.
    """
    drop_comments(body)
    _keep(body, in_class=False)


def _keep(body: list[Statement], *, in_class: bool) -> None:
    found = docstring(body)
    kept = [first_line(found)] if found is not None else []
    for statement in body:
        if statement.defines is not None:
            inner = statement.parts[-1].body
            if inner is not None and statement.is_class:
                _keep(inner, in_class=True)
                fill(inner, "ELLIPSIS")
            elif inner is not None:
                _cut(inner)
            kept.append(statement)
        elif _defines(statement) or statement.header.pieces[0].terminal == _CASE:  # the cases of a match stay together
            for block in statement.blocks():
                _keep_or_fill(block, in_class=in_class)
            kept.append(statement)
        elif in_class and (is_declaration(statement) or ID["ANNOTATION"] in {piece.terminal for piece in statement.parts[0].pieces}):
            kept.append(statement)
    body[:] = kept


def _keep_or_fill(block: list[Statement], *, in_class: bool) -> None:
    """What is kept of a block that is not that of a definition: a string at its start is not a docstring."""
    block[:] = [statement for statement in block if statement is not docstring(block)]
    _keep(block, in_class=in_class)
    fill(block, "ELLIPSIS")


def _cut(body: list[Statement]) -> None:
    """The first line of a function's docstring, and ``...`` for the rest."""
    found = docstring(body)
    rest = any(statement is not found for statement in body)
    body[:] = [*([first_line(found)] if found is not None else []), *([filler("ELLIPSIS")] if rest else [])]


def _defines(statement: Statement) -> bool:
    """Whether a class or a function is defined in the blocks of a statement that is not a definition itself."""
    todo = [*statement.blocks()]
    while todo:
        for inner in todo.pop():
            if inner.defines is not None:
                return True
            todo += inner.blocks()
    return False


def keep_outline(body: list[Statement]) -> None:
    """Keep the names of classes, of their methods and of functions, and nothing else.

    What is defined in other statements, such as ``if``, moves to where they stand.
    """
    body[:] = _names(body)


def _names(body: list[Statement]) -> list[Statement]:
    found: list[Statement] = []
    for statement in body:
        name = statement.defines
        if name is None:
            for block in statement.blocks():
                found += _names(block)
            continue
        header = statement.header
        at = header.pieces.index(name) + 1
        pieces = header.pieces[:at] if statement.is_class else [*header.pieces[:at], Piece(_EMPTY, "()")]
        inner = _names(header.body or []) if statement.is_class else []
        fill(inner, "ELLIPSIS")
        found.append(Statement([Part(pieces, None, inner)]))
    return found
