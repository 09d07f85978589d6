"""What views should leave of a program, worked out on its syntax tree by ``ast`` alone, for comparison with what they write."""

from __future__ import annotations

import ast

Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Function = (ast.FunctionDef, ast.AsyncFunctionDef)
Documented = (ast.Module, *Definition)


def _docstring(body: list[ast.stmt]) -> ast.Expr | None:
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first if is_text else None  # type: ignore[return-value]  # is_text says that it is one


class WithoutDocstrings(ast.NodeTransformer):
    """Takes the docstrings away; puts ``pass`` into what is empty then."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, Documented) and _docstring(node.body) is not None:
            node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node


class WithoutAnnotations(ast.NodeTransformer):
    """Takes the annotations away; puts ``pass`` into what is empty then."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:  # noqa: N802  # ast calls it so
        return None if node.value is None else ast.Assign([self.visit(node.target)], self.visit(node.value), None)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        blocks = [name for name in ("body", "orelse", "finalbody") if isinstance(getattr(node, name, None), list) and getattr(node, name)]
        super().generic_visit(node)
        if isinstance(node, Function):
            node.returns = None
        if not isinstance(node, ast.Module):
            for name in blocks:
                setattr(node, name, getattr(node, name) or [ast.Pass()])
        return node


def _ellipsis() -> ast.Expr:
    return ast.Expr(ast.Constant(...))


def _first_line(statement: ast.Expr) -> ast.Expr:
    assert isinstance(statement.value, ast.Constant)
    lines = [line for line in str(statement.value.value).split("\n") if line.strip()]
    return ast.Expr(ast.Constant(lines[0].strip())) if len(lines) > 1 else statement


def _defines(node: ast.AST) -> bool:
    """Whether something is defined below a statement, outside of expressions."""
    return any(isinstance(child, Definition) or _defines(child) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))


def signatures(body: list[ast.stmt], *, in_class: bool = False, documented: bool = True) -> list[ast.stmt]:
    """What ``signatures`` keeps of a body."""
    found = _docstring(body) if documented else None
    kept: list[ast.stmt] = [] if found is None else [_first_line(found)]
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            statement.body = signatures(statement.body, in_class=True) or [_ellipsis()]
        elif isinstance(statement, Function):
            inner = _docstring(statement.body)
            rest = statement.body[1:] if inner is not None else statement.body
            statement.body = [*([_first_line(inner)] if inner is not None else []), *([_ellipsis()] if rest else [])]
        elif _defines(statement):
            for holder in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                for name in ("body", "orelse", "finalbody"):
                    if block := getattr(holder, name, None):
                        setattr(holder, name, _nested(block, in_class))
        elif not (in_class and isinstance(statement, ast.AnnAssign)):
            continue
        kept.append(statement)
    return kept


def _nested(block: list[ast.stmt], in_class: bool) -> list[ast.stmt]:
    """What is kept of a block below a statement that is kept. An ``elif`` is the statement after its ``else``."""
    if len(block) == 1 and isinstance(block[0], ast.If) and not _defines(block[0]) and getattr(block[0], "is_elif", False):
        inner = block[0]
        inner.body = [_ellipsis()]
        inner.orelse = _nested(inner.orelse, in_class) if inner.orelse else []
        return [inner]
    return signatures(block, in_class=in_class, documented=False) or [_ellipsis()]


def marked(source: str) -> ast.Module:
    """The tree of a program in which each ``if`` knows whether it is an ``elif``."""
    tree = ast.parse(source)
    lines = source.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            here = lines[node.lineno - 1].encode()[node.col_offset :]
            node.is_elif = here.startswith(b"elif")  # type: ignore[attr-defined]
    return tree


def outline(body: list[ast.stmt]) -> list[tuple[str, list[object]]]:
    """The names that ``outline`` keeps, those of a class with what is in it."""
    found: list[tuple[str, list[object]]] = []
    for statement in body:
        if isinstance(statement, Definition):
            inner = outline(statement.body) if isinstance(statement, ast.ClassDef) else []
            found.append((statement.name, list(inner)))
        else:
            blocks = [
                child for child in ast.iter_child_nodes(statement) if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case))
            ]
            found += outline(list(blocks))  # type: ignore[misc]  # handlers and cases are read as statements are
    return found
