"""Syntax trees of CPython: parsing and comparing them, at any depth and without the cost of importing ``ast``."""

from __future__ import annotations

import _ast
import warnings


def parse_tree(text: str) -> _ast.AST | None:
    """The syntax tree of a program, or ``None`` if it nests too deep for this interpreter.

    Raises:
        SyntaxError: this interpreter does not read the text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # On a syntax error CPython looks for the line in the file of this name: no file has the empty one.
            return compile(text, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
        except (RecursionError, MemoryError):
            return None
        except SyntaxError as error:
            if "too many nested parentheses" in str(error) or "too many levels of indentation" in str(error):
                return None
            raise
        except ValueError as error:  # a literal with too many digits, a NUL character
            raise SyntaxError(str(error)) from None


def same_tree(one: _ast.AST, other: _ast.AST) -> bool:
    """Whether two trees are the same in every node, field and constant, positions aside: what equal ``ast.dump`` says.

    >>> same_tree(parse_tree("f( x )"), parse_tree("f(x)")), same_tree(parse_tree("1.0"), parse_tree("1"))
    (True, False)
    """
    todo: list[tuple[object, object]] = [(one, other)]
    while todo:
        a, b = todo.pop()
        if a.__class__ is not b.__class__:
            return False
        if isinstance(a, _ast.AST):
            # A field that is missing, such as an absent optional child, is the same as None.
            todo += ((getattr(a, name, None), getattr(b, name, None)) for name in a._fields)
        elif isinstance(a, list):
            if len(a) != len(b):  # type: ignore[arg-type]  # the classes are the same
                return False
            todo += zip(a, b, strict=True)  # type: ignore[call-overload]  # as above
        elif isinstance(a, (float, complex)):
            if repr(a) != repr(b):  # tells 0.0 from -0.0
                return False
        elif a != b:
            return False
    return True
