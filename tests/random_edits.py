"""Random edits of a Python file: a piece of it as a model may quote it, a changed piece, and the tree that is asked for.

The tree comes from applying the change to the tree of the file, never from a text. Kinds of pieces: a statement, a run of
statements, a header, a clause, a decorator, an expression, a run of arguments, of elements of a list, or of items of a
dictionary.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from simpy_grammar.errors import SimPyError
from tests.quoting import LAYOUTS, indented, quoted
from tests.source_spans import LAYOUT_TOKENS, NodePath, SourceSpans, node_at

KINDS = ("statement", "run", "header", "clause", "decorator", "expression", "argument", "element", "item")
_LONGEST = 60  # lines of a piece
_HEADED = (ast.If, ast.For, ast.While, ast.With, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
_BARE = (ast.Starred, ast.Slice, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Tuple)  # may need what stands around them

Apply = Callable[[ast.AST], None]
"""Changes a tree."""


class RandomEdit(NamedTuple):
    """An edit.

    Attributes:
        kind: one of ``KINDS``.
        layout: one of `tests.quoting.LAYOUTS`: that of ``old`` and ``new``.
        change: what is done, such as ``rename``.
        old: the piece as quoted.
        new: the changed piece, in the same layout.
        tree: the tree of the whole file that is asked for.
        start, end: where the piece stands in the file, in characters, without the blanks before it.
        replacement: the changed piece in the layout of the file: ``source[:start] + replacement + source[end:]`` has the tree.
        unique: whether the tokens of the piece, without commas and parentheses, occur once in the file.
    """

    kind: str
    layout: str
    change: str
    old: str
    new: str
    tree: ast.Module
    start: int
    end: int
    replacement: str
    unique: bool


class _Piece(NamedTuple):
    """What is quoted. ``nodes`` are its statements or items, and ``owner`` is the node that holds them."""

    kind: str
    start: int
    end: int
    nodes: tuple[ast.AST, ...]
    owner: ast.AST
    field: str = ""


class _Change(NamedTuple):
    """A change of the text from ``start`` to ``end``, and of the tree."""

    name: str
    start: int
    end: int
    text: str
    apply: Apply


def random_edits(source: str, rng: random.Random, count: int) -> Iterator[RandomEdit]:
    """Up to ``count`` edits of a program, each of the program as given.

    >>> edit = next(random_edits("x = f(1)\\n", random.Random(3), 1))
    >>> ast.dump(ast.parse("x = f(1)\\n"[: edit.start] + edit.replacement + "x = f(1)\\n"[edit.end :])) == ast.dump(edit.tree)
    True
    """
    spans = SourceSpans(source)
    pieces = {kind: found for kind in KINDS if (found := list(_pieces(spans, kind)))}
    done = tries = 0
    while pieces and done < count and tries < 20 * count:
        tries += 1
        piece = rng.choice(pieces[rng.choice(list(pieces))])
        changes = list(_changes(spans, piece, rng))
        if not changes:
            continue
        by_name = {change.name: [one for one in changes if one.name == change.name] for change in changes}
        change = rng.choice(by_name[rng.choice(sorted(by_name))])
        edit = _edit(spans, piece, change, rng)
        if edit is not None:
            done += 1
            yield edit


def _edit(spans: SourceSpans, piece: _Piece, change: _Change, rng: random.Random) -> RandomEdit | None:
    text = spans.text[piece.start : piece.end]
    replacement = spans.text[piece.start : change.start] + change.text + spans.text[change.end : piece.end]
    layout, seed = rng.choice(LAYOUTS), rng.randrange(1 << 30)
    indent = spans.indent(piece.start) or ""
    try:
        old, new = (quoted(one, piece.kind, layout, indent, seed) for one in (text, replacement))
    except (SimPyError, SyntaxError):  # a program that is too deep for a dialect, or a change after which it is not one
        return None
    if old is None or new is None or not old.strip():
        return None
    tree = ast.parse(spans.text)
    change.apply(tree)
    unique = spans.is_unique(piece.start, piece.end)
    return RandomEdit(piece.kind, layout, change.name, old, new, tree, piece.start, piece.end, replacement, unique)


# ------------------------------------------------------------------------------------------------------------- the pieces


def _pieces(spans: SourceSpans, kind: str) -> Iterator[_Piece]:
    finders = {"statement": _runs, "run": _runs, "header": _headers, "clause": _clauses, "decorator": _decorators}
    find = finders.get(kind, _expressions if kind == "expression" else _items)
    for piece in find(spans):
        if piece.kind == kind and piece.start < piece.end and spans.text.count("\n", piece.start, piece.end) < _LONGEST:
            yield piece


def _runs(spans: SourceSpans) -> Iterator[_Piece]:
    """Statements, and runs of two and three of them that begin and end lines of their own."""
    for node in spans.nodes:
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if not isinstance(body, list) or _is_elif(spans, node, field):
                continue
            for at, first in enumerate(body):
                for size in range(1, min(4, len(body) - at + 1)):
                    last = body[at + size - 1]
                    start, end = spans.span(first)[0], spans.span(last)[1]
                    if spans.indent(start) is not None and spans.ends_line(end):
                        yield _Piece("statement" if size == 1 else "run", start, end, tuple(body[at : at + size]), node, field)


def _is_elif(spans: SourceSpans, node: ast.AST, field: str) -> bool:
    orelse = getattr(node, "orelse", None)
    if field != "orelse" or not isinstance(node, ast.If) or not orelse or not isinstance(orelse[0], ast.If):
        return False
    return spans.text.startswith("elif", spans.span(orelse[0])[0])


def _headers(spans: SourceSpans) -> Iterator[_Piece]:
    for node in spans.nodes:
        if isinstance(node, _HEADED):
            start = spans.offset(node.lineno, node.col_offset)
            colon = _colon(spans, node, start)
            if colon >= 0 and spans.indent(start) is not None and not spans.text.startswith("elif", start):
                yield _Piece("header", start, colon + 1, (), node)


def _colon(spans: SourceSpans, node: ast.stmt, start: int) -> int:
    """Offset of the colon that ends a header."""
    body = spans.span(node.body[0])[0]  # type: ignore[attr-defined]  # every node with a header has a body
    tokens = [token for token in spans.between(start, body) if token.type not in LAYOUT_TOKENS]
    return tokens[-1].start if tokens and tokens[-1].text == ":" else -1


def _clauses(spans: SourceSpans) -> Iterator[_Piece]:
    for node in spans.nodes:
        for body, field in ((getattr(node, "orelse", None), "orelse"), (getattr(node, "finalbody", None), "finalbody")):
            if not isinstance(body, list) or not body or not isinstance(node, ast.stmt):
                continue
            if _is_elif(spans, node, field):
                start, end = spans.span(body[0])[0], spans.span(body[0].body[-1])[1]
                owned = tuple(body[0].body)
            else:
                word = "else" if field == "orelse" else "finally"
                before = [token for token in spans.between(spans.span(node)[0], spans.span(body[0])[0]) if token.text == word]
                start, end = (before[-1].start if before else -1), spans.span(body[-1])[1]
                owned = tuple(body)
            if start >= 0 and spans.indent(start) is not None and spans.ends_line(end):
                yield _Piece("clause", start, end, owned, node)
        if isinstance(node, ast.ExceptHandler):
            start, end = spans.span(node)
            if spans.indent(start) is not None and spans.ends_line(end):
                yield _Piece("clause", start, end, tuple(node.body), node)


def _decorators(spans: SourceSpans) -> Iterator[_Piece]:
    for node in spans.nodes:
        for decorator in getattr(node, "decorator_list", ()):
            start, end = spans.span(decorator)
            at = spans.text.rindex("@", 0, start)
            if spans.indent(at) is not None and spans.ends_line(end) and not spans.text[at + 1 : start].strip():
                yield _Piece("decorator", at, end, (), node)


def _expressions(spans: SourceSpans) -> Iterator[_Piece]:
    for node in spans.nodes:
        is_value = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if isinstance(node, ast.expr) and is_value and not isinstance(node, _BARE) and node not in spans.opaque:
            yield _Piece("expression", *spans.span(node), (), node)


def _items(spans: SourceSpans) -> Iterator[_Piece]:
    """Runs of one to three arguments, elements or items."""
    for node in spans.nodes:
        listed = _listed(spans, node)
        if listed is None:
            continue
        kind, found = listed
        for at in range(len(found)):
            for size in range(1, min(4, len(found) - at + 1)):
                yield _Piece(kind, found[at][0], found[at + size - 1][1], (), node)


def _listed(spans: SourceSpans, node: ast.AST) -> tuple[str, list[tuple[int, int]]] | None:
    """What a node lists between brackets: the kind, and the spans in order."""
    if not isinstance(node, (ast.Call, ast.List, ast.Dict)) or node in spans.opaque:
        return None
    start, end = spans.span(node)
    opening = spans.brackets.get(end - 1)
    if opening is None or (not isinstance(node, ast.Call) and opening != start):
        return None
    found = spans.items(opening, end)
    if isinstance(node, ast.Call):
        kind, length = "argument", len(node.args) + len(node.keywords)
    else:
        kind, length = ("item", len(node.keys)) if isinstance(node, ast.Dict) else ("element", len(node.elts))
    return (kind, found) if len(found) == length else None  # a comma of `lambda a, b: c` separates nothing here


# ------------------------------------------------------------------------------------------------------------ the changes


def _changes(spans: SourceSpans, piece: _Piece, rng: random.Random) -> Iterator[_Change]:
    """All changes that a piece can have."""
    number = rng.randrange(100, 1000)
    for node in spans.beginning_between(piece.start, piece.end):
        start, end = spans.span(node)
        if end <= piece.end:
            yield from _small_changes(spans, node, start, end, number)
            yield from _listed_changes(spans, node, end, number)
        if isinstance(node, (ast.If, ast.While)):
            yield from _negated(spans, piece, node)
    if piece.kind in ("statement", "run"):
        yield from _statement_changes(spans, piece, number)


def _small_changes(spans: SourceSpans, node: ast.AST, start: int, end: int, number: int) -> Iterator[_Change]:
    at = spans.path(node)
    text = spans.text[start:end]
    if isinstance(node, ast.Name) and text == node.id:
        yield _Change("rename", start, end, f"renamed_{number}", _set(at, "id", f"renamed_{number}"))
    elif isinstance(node, ast.Constant) and type(node.value) is int and text.isdecimal():
        yield _Change("literal", start, end, str(number), _set(at, "value", number))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.kind is None and len(spans.between(start, end)) == 1:
        yield _Change("literal", start, end, f'"changed {number}"', _set(at, "value", f"changed {number}"))


def _negated(spans: SourceSpans, piece: _Piece, node: ast.If | ast.While) -> Iterator[_Change]:
    start, end = spans.span(node.test)
    if piece.start <= start and end <= piece.end and piece.kind in ("statement", "run", "header", "clause"):
        at = spans.path(node)

        def apply(tree: ast.AST) -> None:
            owner = node_at(tree, at)
            assert isinstance(owner, (ast.If, ast.While))
            owner.test = ast.UnaryOp(ast.Not(), owner.test)

        blank = " " if spans.text[start - 1].isalpha() else ""
        yield _Change("negate", start, end, f"{blank}not ({spans.text[start:end]})", apply)


def _listed_changes(spans: SourceSpans, node: ast.AST, end: int, number: int) -> Iterator[_Change]:
    listed = _listed(spans, node)
    if listed is None:
        return
    kind, found = listed
    at = spans.path(node)
    last_tokens = [token for token in spans.between(spans.brackets[end - 1], end - 1) if token.type not in LAYOUT_TOKENS]
    comma = "" if not found else " " if last_tokens[-1].text == "," else ", "
    lone = isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp)
    if not lone:
        text = {"argument": f"extra_{number}={number}", "element": str(number), "item": f'"key {number}": {number}'}[kind]
        yield _Change(f"add {kind}", end - 1, end - 1, comma + text, _append(at, number))
    for index, (first, last) in enumerate(found):
        later = index + 1 < len(found)
        start, stop = (first, found[index + 1][0]) if later else (found[index - 1][1] if index else first, last)
        yield _Change(f"drop {kind}", start, stop, "", _drop_item(at, index))


def _statement_changes(spans: SourceSpans, piece: _Piece, number: int) -> Iterator[_Change]:
    """Changes of whole statements: one added or dropped, all of them wrapped."""
    indent = spans.indent(piece.start) or ""
    unit = "\t" if "\t" in indent else "    "
    text = spans.text[piece.start : piece.end]
    owner, field, body = spans.path(piece.owner), piece.field, getattr(piece.owner, piece.field)
    first, size = body.index(piece.nodes[0]), len(piece.nodes)
    added = f"added_{number} = {number}"

    def change_body(change: Callable[[list[ast.stmt]], list[ast.stmt]]) -> Apply:
        def apply(tree: ast.AST) -> None:
            statements: list[ast.stmt] = getattr(node_at(tree, owner), field)
            statements[first : first + size] = change(statements[first : first + size])

        return apply

    new = ast.parse(added).body
    yield _Change("add before", piece.start, piece.start, f"{added}\n{indent}", change_body(lambda old: new + old))
    yield _Change("add after", piece.end, piece.end, f"\n{indent}{added}", change_body(lambda old: old + new))
    moved = indented(text, indent, unit).removeprefix(unit)
    flag = ast.parse(f"if flag_{number}:\n    pass").body[0]
    guard = ast.parse("try:\n    pass\nexcept ValueError:\n    pass").body[0]
    assert isinstance(flag, ast.If)
    assert isinstance(guard, ast.Try)
    yield _Change(
        "wrap in if", piece.start, piece.end, f"if flag_{number}:\n{indent}{unit}{moved}", change_body(lambda old: [_with_body(flag, old)])
    )
    guarded = f"try:\n{indent}{unit}{moved}\n{indent}except ValueError:\n{indent}{unit}pass"
    yield _Change("wrap in try", piece.start, piece.end, guarded, change_body(lambda old: [_with_body(guard, old)]))
    places = [spans.span(node) for node in piece.nodes if isinstance(node, ast.stmt)]
    for index in range(size if size > 1 else 0):
        later = index + 1 < size
        start, end = (places[index][0], places[index + 1][0]) if later else (places[index - 1][1], places[index][1])
        yield _Change("drop statement", start, end, "", change_body(lambda old, index=index: old[:index] + old[index + 1 :]))  # type: ignore[misc]  # a default binds the loop's value


def _with_body(node: ast.If | ast.Try, body: list[ast.stmt]) -> ast.stmt:
    node.body = body
    return node


def _set(at: NodePath, field: str, value: object) -> Apply:
    return lambda tree: setattr(node_at(tree, at), field, value)


def _append(at: NodePath, number: int) -> Apply:
    def apply(tree: ast.AST) -> None:
        node = node_at(tree, at)
        if isinstance(node, ast.Call):
            node.keywords.append(ast.keyword(f"extra_{number}", ast.Constant(number)))
        elif isinstance(node, ast.List):
            node.elts.append(ast.Constant(number))
        elif isinstance(node, ast.Dict):
            node.keys.append(ast.Constant(f"key {number}"))
            node.values.append(ast.Constant(number))

    return apply


def _drop_item(at: NodePath, index: int) -> Apply:
    def apply(tree: ast.AST) -> None:
        node = node_at(tree, at)
        if isinstance(node, ast.Call):
            listed: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=_place)
            (node.args if listed[index] in node.args else node.keywords).remove(listed[index])  # type: ignore[arg-type]  # it is in one of them
        elif isinstance(node, ast.List):
            del node.elts[index]
        elif isinstance(node, ast.Dict):
            del node.keys[index], node.values[index]

    return apply


def _place(node: ast.expr | ast.keyword) -> tuple[int, int]:
    return node.lineno, node.col_offset
