"""Requests out of one's own code, for who has no ledger yet: a statement is cut off at some lexeme, and the model is asked to end it.

The answer counts as kept where the statement has the same syntax tree as the one that the person wrote: layout and comments do not matter.
Which statements are taken, and where they are cut, depends on the text of the file alone.
"""

from __future__ import annotations

import ast
import hashlib
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dualcode.policies.ledger import record
from dualcode.policies.protocol import Answer, Question
from dualcode.policies.refuse_features import lexeme_ends

if TYPE_CHECKING:
    from dualcode.wrapper import DualCode

UNTIL = "statement"
_CONTEXT = 4_000  # characters before the statement, if top-level statements can be left out for it
_LONGEST = 16_000
_COMPOUND = frozenset("FunctionDef AsyncFunctionDef ClassDef If For AsyncFor While With AsyncWith Try TryStar Match".split())


class Cut(NamedTuple):
    """A place at which a program is cut off.

    Attributes:
        prefix: what stands before it, from the beginning of a top-level statement on.
        statement: the whole statement in which it stands.
        begun: what of the statement stands in the prefix.
    """

    prefix: str
    statement: str
    begun: str


def cuts(source: str, most: int) -> list[Cut]:
    """Places in a program, in statements that hold no others; none in text that is not a program.

    Args:
        source: the program.
        most: how many at most, chosen by the text.

    >>> [cut] = cuts("total = 0\\nfor x in y:\\n    total += x\\n", 1)
    >>> cut.prefix.endswith(cut.begun), cut.statement.startswith(cut.begun)
    (True, True)
    """
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    place_of = _places(source)
    tops = [place_of(top.lineno, 0) for top in tree.body]
    found: list[tuple[str, Cut]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or type(node).__name__ in _COMPOUND or _is_text(node):
            continue
        start, end = place_of(node.lineno, node.col_offset), place_of(node.end_lineno or 0, node.end_col_offset or 0)
        statement = source[start:end]
        digest = hashlib.sha256(f"{start} {statement}".encode("utf-8", "replace")).digest()
        ends = [0, *lexeme_ends(statement)[:-1]]
        at = ends[int.from_bytes(digest[:4], "big") % len(ends)]
        begin = _begin(tops, start)
        if start - begin <= _LONGEST:
            found.append((digest.hex(), Cut(source[begin : start + at], statement, statement[:at])))
    return [cut for _, cut in sorted(found)[:most]]


def is_same(cut: Cut, answer: str) -> bool:
    """Whether an answer ends the statement as it was written, by its syntax tree.

    >>> cut = Cut("x = ", "x = f(1)", "x = ")
    >>> is_same(cut, "f( 1 )  # one\\n"), is_same(cut, "f(2)"), is_same(cut, "f(1")
    (True, False, False)
    """
    wanted = _first(cut.statement)
    text = cut.begun + answer
    return wanted is not None and wanted in (_first(text), _first(text[: text.find("\n", len(cut.begun)) + 1]))


def requests(model: DualCode, files: Iterable[tuple[str, str]], total: int, *, each: int = 8, **options: Any) -> Iterator[dict[str, Any]]:
    """Ask a model for the rest of statements; gives records as a ledger has them, with the field ``group`` for the file.

    Args:
        model: the model.
        files: name and text of each program.
        total: how many requests at most.
        each: how many of one file at most.
        options: for the model, such as ``max_tokens``.

    Raises:
        BackendError: the model failed.
    """
    number = 0
    for name, source in files:
        for cut in cuts(source, each):
            if number == total:
                return
            start = time.perf_counter()
            found = model.complete(cut.prefix, until=UNTIL, **options)
            question = Question("complete", cut.prefix, until=UNTIL, options=options, dialect=model.dialect.name)
            usage = found.usage
            answer = Answer(found.raw_text, found.text, usage.stopped, usage.generated, seconds=time.perf_counter() - start)
            yield record(str(number), question, answer) | {"kept": is_same(cut, found.text), "group": name}
            number += 1


def _places(source: str) -> Callable[[int, int], int]:
    """A function that turns lines and columns of ``ast``, which counts bytes, into offsets."""
    lines = source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def place(line: int, column: int) -> int:
        text = lines[line - 1]
        return starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode("utf-8", "ignore")))

    return place


def _begin(tops: list[int], start: int) -> int:
    """Where the prefix begins: as many top-level statements before the statement as there is room for."""
    before = [top for top in tops if top <= start]
    for top in before:
        if start - top <= _CONTEXT:
            return top
    return before[-1]


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or another text that does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _first(text: str) -> str | None:
    """The syntax tree of the first statement; ``None`` if the text is not a program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return ast.dump(body[0]) if body else None
