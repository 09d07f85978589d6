"""Held-out functions: a model writes the body, and the function must then have the same syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from simpy_eval.programs import Program
from transpiler.proof import parse_tree

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class HeldOut(NamedTuple):
    """A function, alone and without its indentation.

    Attributes:
        name: the name of its program, and its own.
        prompt: its decorators, header and docstring.
        body: the rest.
    """

    name: str
    prompt: str
    body: str

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, the same for equal functions."""
        return sha256((self.prompt + "\0" + self.body).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def matches(self, answer: str) -> bool:
        """Whether an answer makes the same function.

        >>> function = HeldOut("f", "def f(a):\\n", "    return (a + 1)\\n")
        >>> function.matches("    return a+1  # more\\n"), function.matches("    return 1+a\\n"), function.matches("    return (")
        (True, False, False)
        """
        try:
            wanted, found = parse_tree(self.prompt + self.body), parse_tree(self.prompt + answer)
        except SyntaxError:
            return False
        if not (isinstance(wanted, ast.Module) and isinstance(found, ast.Module)):  # too deep for this interpreter
            return False
        return ast.dump(wanted.body[0]) == ast.dump(found.body[0])


def functions_of(program: Program) -> Iterator[HeldOut]:
    """The functions and methods of a program, except those inside other functions.

    A function is left out if its body is only a docstring, if the body stands on the line of the header, or if the function is not the same
    without its indentation.

    >>> source = 'class C:\\n    def f(self):\\n        "Doc."\\n        # one\\n        return 1\\n'
    >>> [tuple(function) for function in functions_of(Program("a.py", source, ""))]
    [('a.py: C.f', 'def f(self):\\n    "Doc."\\n    # one\\n', '    return 1\\n')]
    """
    tree = parse_tree(program.python)
    lines = [f"{line}\n" for line in program.python.split("\n")]  # as CPython counts them
    for name, node in _functions(tree, "") if isinstance(tree, ast.Module) else ():
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        if not body:
            continue
        first, begin = _first_line(node), _first_line(body[0])
        if begin <= (node.body[0].end_lineno or 0 if body is not node.body else node.lineno):
            continue  # on the line of the header
        alone = [line[min(node.col_offset, len(line) - len(line.lstrip())) :] for line in lines[first - 1 : node.end_lineno]]
        text = "".join(alone)
        try:
            found = parse_tree(text)
        except SyntaxError:
            continue
        if isinstance(found, ast.Module) and ast.dump(found.body[0]) == ast.dump(node):
            yield HeldOut(f"{program.name}: {name}", "".join(alone[: begin - first]), "".join(alone[begin - first :]))


def _functions(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, _Function]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, _Function):
            yield prefix + child.name, child


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(int(one.lineno) for one in decorators)])
