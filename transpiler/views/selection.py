"""The views ``symbol=NAME`` and ``lines=A-B``: a piece of a program, by what it defines or by where it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from simpy_grammar.errors import SimPyError
from simpy_grammar.terminals import ID
from transpiler.views.blocks import Statement, write_blocks

_NAME, _TYPE_ALIAS, _MATCH = ID["NAME"], ID["TYPE_ALIAS"], ID["MATCH"]
_AFTER_TARGET = frozenset((ID["ASSIGN"], ID["ANNOTATION"]))


class Lines:
    """Which line an offset of a text is in.

    >>> Lines("a\\nb").of(2)
    2
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)
        self.count = len(self._starts) - (self._starts[-1] == len(text))

    def of(self, offset: int) -> int:
        """The number of the line of an offset, from 1."""
        return bisect_right(self._starts, offset)

    def are_blank(self, first: int, last: int) -> bool:
        """Whether nothing but white space stands in some lines."""
        return not "".join(self._text.split("\n")[first - 1 : last]).strip()

    def span(self, statement: Statement) -> tuple[int, int]:
        """The first and the last line of a statement."""
        last = max((piece for piece in write_blocks([statement]) if piece.text), key=lambda piece: piece.start)
        text = last.text.rstrip("\n")
        return self.of(statement.start), self.of(last.start) + text.removeprefix("<comment>\n").count("\n")


def keep_symbol(body: list[Statement], name: str, lines: Lines) -> None:
    """Keep what defines a name, with its decorators and the comments directly above it.

    Args:
        body: the module.
        name: dotted from the module down, such as ``Class.method``: a class, a function, or a variable that is assigned.
        lines: of the source.

    Raises:
        SimPyError: nothing has this name. Where several statements define it, all are kept.
    """
    found = [statements for path, statements in _symbols(body, "") if path == name]
    if not found:
        known = sorted({path for path, _ in _symbols(body, "")})
        last = name.rpartition(".")[2]
        near = [path for path in known if path.rpartition(".")[2] == last] or get_close_matches(name, known, 5, 0.5)
        raise SimPyError(f"nothing is called {name!r} here", hint=f"did you mean {', '.join(near[:5])}?" if near else "")
    body[:] = [statement for statements in found for statement in _adjoining(statements, lines)]


def _symbols(body: Sequence[Statement], prefix: str, *, local: bool = False) -> Iterator[tuple[str, Sequence[Statement]]]:
    """The names that a body defines, dotted, and what defines each: the comments above it and the statement, last.

    The variables of a function are not among them (``local``).
    """
    for at, statement in enumerate(body):
        names = _names_of(statement)
        first = at
        while first and body[first - 1].is_comment:
            first -= 1
        for name in names if statement.defines is not None or not local else ():
            yield prefix + name, body[first : at + 1]
        inner = f"{prefix}{names[0]}." if statement.defines is not None else prefix
        for block in statement.blocks():
            yield from _symbols(block, inner, local=local if statement.defines is None else not statement.is_class)


def _names_of(statement: Statement) -> list[str]:
    name = statement.defines
    if name is not None:
        return [name.text]
    pieces = statement.parts[0].pieces
    if statement.is_comment or len(pieces) < 2:
        return []
    if pieces[0].terminal == _TYPE_ALIAS:
        return [pieces[1].text]
    names = []
    for target, sign in zip(pieces[::2], pieces[1::2], strict=False):
        if target.terminal != _NAME or sign.terminal not in _AFTER_TARGET:
            break
        names.append(target.text)
    return names


def _adjoining(statements: Sequence[Statement], lines: Lines) -> list[Statement]:
    """A definition, and those of the comments above it that no blank line parts from it."""
    kept = [statements[-1]]
    for comment in reversed(statements[:-1]):
        if lines.of(comment.start) + 1 != lines.of(kept[0].start):
            break
        kept.insert(0, comment)
    return kept


def keep_lines(body: list[Statement], first: int, last: int, lines: Lines) -> None:
    """Keep the smallest run of whole statements in one block that holds some lines.

    Raises:
        SimPyError: there is nothing in these lines.
    """
    block: list[Statement] = body
    while True:
        spans = [lines.span(statement) for statement in block]
        inside = [i for i, (start, end) in enumerate(spans) if start <= last and end >= first]
        if not inside and not lines.are_blank(first, last):  # such as the last bracket of an import, which is not a lexeme
            inside = [i for i, (start, _) in enumerate(spans) if start < first][-1:]
        if not inside:
            break
        kept = block[inside[0] : inside[-1] + 1]
        deeper = _block_of(kept[0], first, last, lines) if len(kept) == 1 else None
        if deeper is None:
            body[:] = kept
            return
        block = deeper
    raise SimPyError(
        f"there is no statement in lines {first}-{last}", hint=f"the text has {lines.count} lines" if first > lines.count else ""
    )


def _block_of(statement: Statement, first: int, last: int, lines: Lines) -> list[Statement] | None:
    """The block of a statement that holds all of some lines. The cases of a match are not a block that can stand alone."""
    parts = statement.parts
    if statement.header.first == _MATCH:
        parts = [part for case in statement.header.body or [] for part in case.parts]
    for part in parts:
        if part.body and lines.of(part.pieces[-1].start) < first:
            spans = [lines.span(inner) for inner in part.body]
            if spans[0][0] <= first and last <= spans[-1][1]:
                return part.body
    return None
