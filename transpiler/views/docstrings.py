"""The view ``no-docstrings``, and the first line of a docstring for the view ``signatures``.

A docstring is what CPython takes for one: the first statement of a module, class or function, if it is nothing but a string.
"""

from __future__ import annotations

import ast
import warnings

from simpy_grammar.terminals import ID
from transpiler.views.blocks import Part, Piece, Statement, docstring, fill, walk

_STRING = ID["STRING"]


def drop_docstrings(body: list[Statement]) -> None:
    """Leave out the docstrings of a module and of all that it defines; an empty body gets a ``pass``."""
    for statement in [*walk(body)]:
        inner = statement.parts[-1].body
        if statement.defines is not None and inner is not None:
            _drop(inner)
            fill(inner, "PASS")
    _drop(body)


def _drop(body: list[Statement]) -> None:
    found = docstring(body)
    if found is not None:
        body[:] = [statement for statement in body if statement is not found]


def first_line(statement: Statement) -> Statement:
    """A docstring cut to its first line that is not blank; itself if it has one line or none.

    >>> from simpy_grammar.terminals import ID
    >>> first_line(Statement([Part([Piece(ID["STRING"], '"a\\\\n b"')])])).parts[0].pieces[0].text
    '\"\"\"a\"\"\"'
    """
    texts = [piece.text for piece in statement.parts[0].pieces if piece.terminal == _STRING]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what escapes it holds is not our business
        value = str(ast.literal_eval(" ".join(texts)))
    lines = [line for line in value.split("\n") if line.strip()]
    if not lines or (len(lines) == 1 and len(texts) == 1):
        return statement
    line = lines[0].strip()
    plain = line.isprintable() and not set(line) & {'"', "\\"}
    return Statement([Part([Piece(_STRING, f'"""{line}"""' if plain else repr(line), statement.start)])])
