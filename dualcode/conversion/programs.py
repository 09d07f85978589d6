"""Whether an unmarked text is Python and meant as such: words, JSON and YAML may parse as Python too."""

from __future__ import annotations

import _ast
import re

from transpiler.fragments import fragment_statements, is_indented

NO_PROGRAM, ASSIGNMENTS, SNIPPET, FILE = range(4)
"""How much a text shows: nothing; that it assigns values, as TOML and settings of a shell do; that it also calls, tests or repeats
something; that it defines something or begins with a docstring."""

_CALL = re.compile(r"[\w.]+\(")
# What a line of a program begins with, where the program shows that it is one.
_SHOWS = re.compile(
    r"^[ \t]*(?:(?:async|class|def|for|if|match|try|while|with)\b|[\w.]+\(|[\w.\[\](){}'\", :*]+(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=)",
    re.MULTILINE,
)
_DEFINES = re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*[(\[]|class[ \t]+\w+[^\n{]*:[ \t\r]*$)", re.MULTILINE)
_STATEMENTS = re.compile(
    r"^[ \t]*(?:(?:async|class|def|elif|else|except|finally|for|if|try|while|with)\b[^\n{]*:[ \t]*(?:#.*)?\r?$"
    r"|(?:return|raise|yield)\b[^;{}\n]*$|from[ ]\S+[ ]import[ ]|def[ ]\w+\(|self\.\w)",
    re.MULTILINE,
)  # lines that hardly occur outside of Python
_CALLS = re.compile(r"\w\(")
_NOT_PYTHON = re.compile(r"\s*(?:```|\{\s*(?:\"|\})|\[\s*[\[{\"]|<)")  # fences, JSON, markup


def evidence(text: str) -> int:
    """How much a text shows that it is Python as a whole, which may be indented as a whole.

    >>> evidence("def f():\\n    pass\\n"), evidence("    x = 1\\n"), evidence("hello"), evidence('{"a": 1}')
    (3, 1, 0, 0)
    """
    if not text.strip() or _NOT_PYTHON.match(text) or _SHOWS.search(text) is None:
        return NO_PROGRAM
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        body = fragment_statements(text)
    except SyntaxError:
        return NO_PROGRAM
    lines = text.split("\n")
    if is_indented(text):
        lines = ["", *lines]
        if any(not node.col_offset for node in body):
            return NO_PROGRAM
    if not any(_is_evidence(node, lines) for node in body):
        return NO_PROGRAM
    if any(_defines(node) for node in body) or _is_docstring(body[0], lines):
        return FILE
    if any(_says_nothing(node) for node in body):
        return NO_PROGRAM
    return SNIPPET if _CALLS.search(text) or any(hasattr(node, "body") for node in body) else ASSIGNMENTS


def may_be_python(code: str) -> bool:
    """Whether lines are meant as a part of a program, which need not begin or end with a whole statement.

    >>> may_be_python("        return a\\n    def g(self):\\n"), may_be_python("a = 1\\nb = 2\\n"), may_be_python("f(a)\\n")
    (True, False, True)
    """
    return _NOT_PYTHON.match(code) is None and (has_statements(code) or evidence(code) >= SNIPPET)


def has_statements(code: str) -> bool:
    """Whether a line is a statement that hardly occurs outside of Python.

    >>> has_statements("f(a)\\nif a:\\n    b\\n"), has_statements("f(a)\\n")
    (True, False)
    """
    return _STATEMENTS.search(code) is not None


def looks_like_python(code: str) -> bool:
    """Whether lines define something as only Python does, so that it is worth a note if they are not converted.

    >>> looks_like_python("async def f(a,\\n"), looks_like_python("class A {\\n"), looks_like_python("f(a)\\n")
    (True, False, False)
    """
    return _DEFINES.search(code) is not None


def _is_evidence(node: _ast.stmt, lines: list[str]) -> bool:
    if isinstance(node, _ast.Expr):
        return isinstance(node.value, _ast.Call) and _CALL.match(lines[node.lineno - 1].lstrip()) is not None
    if isinstance(node, _ast.AnnAssign):
        return node.value is not None
    return isinstance(node, _ast.Assign | _ast.AugAssign) or hasattr(node, "body")


def _says_nothing(node: _ast.stmt) -> bool:
    """Whether a statement is a mere value, such as the head of a section in TOML."""
    return isinstance(node, _ast.Expr) and isinstance(
        node.value, _ast.List | _ast.Tuple | _ast.Name | _ast.BinOp | _ast.Compare | _ast.UnaryOp
    )


def _defines(node: _ast.stmt) -> bool:
    return isinstance(node, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef)


def _is_docstring(node: _ast.stmt, lines: list[str]) -> bool:
    return (
        isinstance(node, _ast.Expr)
        and isinstance(node.value, _ast.Constant)
        and lines[node.lineno - 1].lstrip("rRuU").startswith(('"""', "'''"))
    )
