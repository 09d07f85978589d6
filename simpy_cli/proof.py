"""Showing that two Python texts are the same program: syntax trees, comments, and the spelling of literals.

This is the command's own proof and shares no code with the converter, so that a bug there cannot hide here.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from typing import Any

# The parts of f-strings have types since Python 3.12, those of t-strings since 3.14.
_PARTS = [f"{kind}STRING_{part}" for kind in "FT" for part in ("START", "MIDDLE", "END")]
_LITERALS = {tokenize.NUMBER, tokenize.STRING, *(getattr(tokenize, name) for name in _PARTS if hasattr(tokenize, name))}


class Reading:
    """A Python text as this interpreter reads it.

    Attributes:
        tree: its syntax tree.
        comments: its comments in order.
        literals: its numbers and strings in order, as they are spelled; of f- and t-strings the parts outside the fields,
            where this Python tells them apart.

    Raises:
        SyntaxError: the text is not Python for this interpreter.

    >>> Reading("x = 0xFF  # mask").comments
    ['# mask']
    >>> Reading("x = 0xFF, b'a'").literals
    ['0xFF', "b'a'"]
    """

    def __init__(self, text: str) -> None:
        self.tree = parse(text)
        self.comments: list[str] = []
        self.literals: list[str] = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    self.comments.append(token.string.rstrip())
                elif token.type in _LITERALS and not _is_whole_fstring(token):
                    self.literals.append(token.string)
        except (tokenize.TokenError, SyntaxError, RecursionError) as error:
            raise SyntaxError(f"the tokenize module cannot read it: {error.args[0] if error.args else error}") from None


def _is_whole_fstring(token: tokenize.TokenInfo) -> bool:
    """Whether a token is an f-string with its fields, as Python 3.11 tells them."""
    return token.type == tokenize.STRING and "f" in token.string[:2].lower()


def parse(text: str) -> ast.Module:
    """The syntax tree of a Python text.

    Raises:
        SyntaxError: this interpreter cannot read it, whatever the reason.

    >>> parse("x = 1").body[0].lineno
    1
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the program may have an invalid escape
        try:
            return ast.parse(text, "")  # no file has this name; one that had would be opened on a syntax error
        except SyntaxError:
            raise
        except (RecursionError, MemoryError):
            raise SyntaxError("too deeply nested for this interpreter") from None
        except ValueError as error:
            raise SyntaxError(str(error)) from None


def difference(before: Reading, after: Reading) -> str | None:
    """What two readings do not agree on, or ``None``.

    >>> difference(Reading("x = 1  # a"), Reading("x = 1"))
    'comments differ: 1 before, 0 after'
    >>> difference(Reading("x = 0x1"), Reading("x = 1"))
    "a literal differs: '0x1' became '1'"
    """
    found = tree_difference(before.tree, after.tree)
    if found is not None:
        return found
    for what, old, new in (("comment", before.comments, after.comments), ("literal", before.literals, after.literals)):
        if len(old) != len(new):
            return f"{what}s differ: {len(old)} before, {len(new)} after"
        for a, b in zip(old, new, strict=True):
            if a != b:
                return f"a {what} differs: {_short(a)} became {_short(b)}"
    return None


def tree_difference(before: ast.AST, after: ast.AST) -> str | None:
    """The first place where two syntax trees differ, as ``ast.dump`` would show it, or ``None``.

    Without recursion, so that deep programs can be compared too.

    >>> tree_difference(ast.parse("x = 1"), ast.parse("x = True"))
    'the syntax tree differs in line 1: 1 became True'
    """
    todo: list[tuple[Any, Any, int]] = [(before, after, 1)]
    while todo:
        a, b, line = todo.pop()
        if isinstance(a, ast.AST) and type(a) is type(b):
            line = getattr(a, "lineno", line)
            todo += [(getattr(a, name, None), getattr(b, name, None), line) for name in reversed(a._fields)]
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            todo += [(x, y, line) for x, y in zip(reversed(a), reversed(b), strict=True)]
        # repr tells 1 from True, 0.0 from -0.0 and a str from bytes, and finds nan equal to nan.
        elif isinstance(a, (ast.AST, list)) or isinstance(b, (ast.AST, list)) or repr(a) != repr(b):
            return f"the syntax tree differs in line {line}: {_short(a)} became {_short(b)}"
    return None


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = type(value).__name__ if isinstance(value, ast.AST) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
