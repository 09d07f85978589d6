"""What a statement is worth to a model, for the view ``prune=N``: two published tables and how they are put together.

* The weights of categories of statements are those of DietCode (Zhang, Zhang, Shen and Gu, *Diet Code Is Healthy: Simplifying
  Programs for Pre-trained Models of Code*, ESEC/FSE 2022): the mean attention of CodeBERT, as the README of the authors'
  repository ``zhangzwwww/DietCode`` lists it for Python, rounded to five digits. What that table does not list, imports and
  ``raise`` among it, has the weight that their program gives to the rest.
* The categories of tokens are those of SlimCode (Wang et al., *Natural Is The Best: Model-Agnostic Code Simplification for
  Pre-trained Large Language Models*, FSE 2024). Their order is that in which the authors' program ``gksajy/slimcode`` removes
  tokens: symbols first, signatures last.

The value of a statement is its weight, times the mean rank of its tokens, and it is spent per character, as in a knapsack.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy_grammar.terminals import CLAUSE, COMMENT, CONSTANT, DATA, DEFINITION, HEADER, ID, IMPORT, KEYWORD, STATEMENT, ids
from transpiler.views.blocks import Part, Piece, Statement

REST = 0.0001
"""DietCode's weight of what is in no category."""
STATEMENT_WEIGHTS: dict[str, float] = {
    "method": 0.00685,
    "return": 0.00356,
    "if": 0.00243,
    "function": 0.00179,  # a call
    "expression": 0.00161,
    "for": 0.00156,
    "annotation": 0.00152,  # a decorator
    "variable": 0.00144,
    "finally": 0.00142,
    "while": 0.00118,
    "try": 0.00113,
    "break": 0.00059,
    "continue": 0.00053,
}
"""DietCode's categories of statements of Python, and their weights."""
_CATEGORIES = {
    "method": "DEF CLASS",
    "return": "RETURN",
    "if": "IF_STMT ELIF MATCH CASE",
    "for": "FOR_STMT",
    "finally": "FINALLY",
    "while": "WHILE",
    "try": "TRY EXCEPT EXCEPT_GROUP",
    "break": "BREAK",
    "continue": "CONTINUE",
}
_BY_FIRST = {ID[name]: category for category, names in _CATEGORIES.items() for name in names.split()}

SIGNATURE, STRUCTURE_NAME, CALL_NAME, OTHER_NAME, CALL, STRUCTURE, OTHER, SYMBOL = range(1, 9)
"""SlimCode's categories of tokens, from what is removed last to what is removed first."""

_ASYNC, _NAME, _STRING = ID["ASYNC"], ID["NAME"], ID["STRING"]
_OPENS, _CLOSES = frozenset(ID[sign] for sign in "([{"), frozenset(ID[sign] for sign in ")]}")
_WORDS = ids(DATA, CONSTANT, KEYWORD, STATEMENT, IMPORT, HEADER, CLAUSE, DEFINITION, COMMENT)
_STRUCTURES = ids(HEADER, CLAUSE)
_DEFINITIONS = ids(DEFINITION)
_LISTED_NOT = ids(STATEMENT, IMPORT, HEADER, CLAUSE) - set(_BY_FIRST)
_ASSIGNS = frozenset(ID[name] for name in ID if name.endswith("ASSIGN") and name != "KEYWORD_ASSIGN") | {ID["ANNOTATION"]}
_LINE_BREAK = 8  # characters that a line costs beside its own


def category(part: Part) -> str:
    """DietCode's category of a line; empty if it has none.

    >>> category(Part([Piece(ID["RETURN"], "return"), Piece(ID["NAME"], "x")]))
    'return'
    """
    first = part.pieces[1 if part.first == _ASYNC else 0].terminal
    if first in _BY_FIRST:
        return _BY_FIRST[first]
    if part.is_comment or first in _LISTED_NOT:
        return ""
    terminals = {piece.terminal for piece in part.pieces}
    if terminals & _ASSIGNS:
        return "variable"
    return "function" if part.pieces[-1].terminal == ID[")"] and first == _NAME else "expression"


def token_categories(pieces: Sequence[Piece]) -> list[int]:
    """SlimCode's category of each lexeme of a line.

    >>> token_categories([Piece(ID["NAME"], "f"), Piece(ID["("], "("), Piece(ID["NUMBER"], "1"), Piece(ID[")"], ")")])
    [3, 8, 5, 8]
    """
    first = pieces[1 if pieces[0].terminal == _ASYNC and len(pieces) > 1 else 0].terminal
    signature, structure = first in _DEFINITIONS, first in _STRUCTURES
    brackets: list[bool] = []  # for each open bracket, whether it is that of a call
    found = []
    for at, (terminal, _, _) in enumerate(pieces):
        calls = any(brackets)
        if terminal in _OPENS:
            before = pieces[at - 1].terminal if at else terminal
            brackets.append(terminal == ID["("] and (before == _NAME or before in _CLOSES))
        elif terminal in _CLOSES and brackets:
            brackets.pop()
        if terminal not in _WORDS:
            found.append(SYMBOL)
        elif signature:
            found.append(SIGNATURE)
        elif terminal == _NAME:
            called = calls or (at + 1 < len(pieces) and pieces[at + 1].terminal == ID["("])
            found.append(STRUCTURE_NAME if structure else CALL_NAME if called else OTHER_NAME)
        else:
            found.append(CALL if calls else STRUCTURE if structure else OTHER)
    return found


def value(statement: Statement, *, is_docstring: bool = False) -> float:
    """What the first line of a statement is worth for each character that it costs; docstrings have no category of their own.

    >>> one, other = (Statement([Part([Piece(ID[name], "")])]) for name in ("RETURN", "BREAK"))
    >>> value(one) > value(other)
    True
    """
    part = statement.header
    weight = REST if is_docstring else STATEMENT_WEIGHTS.get(category(part), REST)
    ranks = token_categories(part.pieces)
    mean = sum(1 + SYMBOL - rank for rank in ranks) / (SYMBOL * len(ranks))
    return weight * mean / (_LINE_BREAK + sum(len(piece.text) for piece in part.pieces))
