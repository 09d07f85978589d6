"""Whether a text without a mark is Python and meant as such: words, JSON and YAML may parse as Python too."""

from __future__ import annotations

import _ast
import re

from transpiler.proof import parse_tree

NO_PROGRAM, SNIPPET, FILE = range(3)
"""How much a text shows: nothing; that it assigns, calls or tests something; that it defines something or has a docstring."""

_CALL = re.compile(r"[\w.]+\(")
# What a line of a program begins with, where the program shows that it is one.
_SHOWS = re.compile(
    r"^[ \t]*(?:(?:async|class|def|for|if|match|try|while|with)\b|[\w.]+\(|[\w.\[\](){}'\", :*]+(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=)",
    re.MULTILINE,
)
_DEFINES = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*[(\[]|class[ \t]+\w+[^\n{]*:[ \t\r]*$)", re.MULTILINE)
_NOT_PYTHON = re.compile(r"\s*(?:```|\{\s*(?:\"|\})|\[\s*[\[{\"]|<)")  # fences, JSON, markup


def evidence(text: str) -> int:
    """How much a text shows that it is Python as a whole, which may be indented as a whole.

    >>> evidence("def f():\\n    pass\\n"), evidence("    x = 1\\n"), evidence("hello"), evidence('{"a": 1}')
    (2, 1, 0, 0)
    """
    if not text.strip() or _NOT_PYTHON.match(text) or _SHOWS.search(text) is None:
        return NO_PROGRAM
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = text.split("\n")
    indented = next(line for line in lines if line.strip())[0] in " \t"
    try:
        tree = parse_tree(f"if 1:\n{text}" if indented else text)
    except SyntaxError:
        return NO_PROGRAM
    if not isinstance(tree, _ast.Module):
        return NO_PROGRAM
    body = tree.body
    if indented:
        if len(body) != 1 or not isinstance(body[0], _ast.If):
            return NO_PROGRAM
        body, lines = body[0].body, ["", *lines]
    if not any(_is_evidence(node, lines) for node in body):
        return NO_PROGRAM
    return FILE if any(_defines(node) for node in body) or _is_docstring(body[0], lines) else SNIPPET


def may_be_python(code: str) -> bool:
    """Whether lines look like a part of a program, which need not begin or end with a whole statement."""
    return _SHOWS.search(code) is not None and _NOT_PYTHON.match(code) is None


def looks_like_python(code: str) -> bool:
    """Whether lines define something as only Python does, so that it is worth a note if they are not converted."""
    return _DEFINES.search(code) is not None


def _is_evidence(node: _ast.stmt, lines: list[str]) -> bool:
    if isinstance(node, _ast.Expr):
        return isinstance(node.value, _ast.Call) and _CALL.match(lines[node.lineno - 1].lstrip()) is not None
    if isinstance(node, _ast.AnnAssign):
        return node.value is not None
    return isinstance(node, _ast.Assign | _ast.AugAssign) or hasattr(node, "body")


def _defines(node: _ast.stmt) -> bool:
    return isinstance(node, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef)


def _is_docstring(node: _ast.stmt, lines: list[str]) -> bool:
    return (
        isinstance(node, _ast.Expr)
        and isinstance(node.value, _ast.Constant)
        and lines[node.lineno - 1].lstrip("rRuU").startswith(('"""', "'''"))
    )
