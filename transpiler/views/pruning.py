"""The view ``prune=N``: as many statements as fit into a budget of tokens, the most valuable first.

A statement is kept only with all that it stands in, so what is left is a program: a header is worth as much as the best of
what stands below it. A block of which nothing is kept holds ``...``. How valuable a statement is, says
``transpiler.views.weights``.
"""

from __future__ import annotations

from collections.abc import Callable

from simpy_grammar.terminals import ID
from transpiler.views.blocks import Part, Statement, docstring, fill, filler
from transpiler.views.comments import strip
from transpiler.views.weights import REST, value

Measure = Callable[[list[Statement]], int]
"""How many tokens the text of a program has."""

_EXCEPTS = frozenset((ID["EXCEPT"], ID["EXCEPT_GROUP"]))
_NONLOCAL, _CASE, _TRY, _MATCH, _FINALLY = (ID[name] for name in ("NONLOCAL", "CASE", "TRY", "MATCH", "FINALLY"))
_FIRST_TO_GO = -1.0


class _Unit:
    """What is kept or dropped as one: a statement, a clause, or the comments in the lines of a statement.

    Attributes:
        key: its value, and at least that of the best unit that needs it.
        above: the unit that it needs.
    """

    __slots__ = ("above", "key", "kept")

    def __init__(self, key: float, above: _Unit | None) -> None:
        self.key = key
        self.above = above
        self.kept = True


class _Units:
    """The units of a program, in the order of its text, and the unit of each of its statements and clauses."""

    def __init__(self, body: list[Statement]) -> None:
        self.all: list[_Unit] = []
        self.of: dict[int, _Unit] = {}  # id of a statement or of a clause -> its unit
        self.comments_of: dict[int, _Unit] = {}  # id of a statement -> the unit of the comments in its lines
        self._add(body, None, is_body=True)
        for unit in reversed(self.all):
            if unit.above is not None:
                unit.above.key = max(unit.above.key, unit.key)

    def _new(self, key: float, above: _Unit | None) -> _Unit:
        unit = _Unit(key, above)
        self.all.append(unit)
        return unit

    def _add(self, body: list[Statement], above: _Unit | None, *, is_body: bool) -> None:
        found = docstring(body) if is_body else None
        case_seen = False
        for statement in body:
            first = statement.header.first
            if first == _CASE and not case_seen and above is not None:
                case_seen, unit = True, above  # a match has a case
            else:
                key = _FIRST_TO_GO if first == _NONLOCAL else value(statement, is_docstring=statement is found)
                unit = self._new(key, above)
            self.of[id(statement)] = unit
            if not statement.is_comment and any(part.comments() for part in statement.parts):
                length = sum(len(part.comment.text) if part.comment else 0 for part in statement.parts)
                self.comments_of[id(statement)] = self._new(REST / (8 + length), unit)
            for part in statement.parts:
                inside = unit if part is statement.header or _is_needed(part, statement) else self._new(_FIRST_TO_GO, unit)
                self.of[id(part)] = inside
                if part.body is not None:
                    self._add(part.body, inside, is_body=statement.defines is not None)


def _is_needed(part: Part, statement: Statement) -> bool:
    """Whether a statement is none without this clause: ``try`` needs an ``except`` or a ``finally``."""
    if statement.header.first != _TRY or not part.is_clause:
        return not part.is_clause
    clauses = [other for other in statement.parts if other.first in _EXCEPTS] or statement.parts[-1:]
    return part is clauses[0]


def prune(body: list[Statement], budget: int, measure: Measure) -> bool:
    """Drop statements until the text of a program has at most ``budget`` tokens; return whether that was possible.

    Where no statement fits, ``...`` is left, and nothing where not even that does. So only a counter for which an empty text
    has tokens makes it impossible.
    """
    if measure(body) <= budget:
        return True
    units = _Units(body)
    ranked = sorted(units.all, key=lambda unit: -unit.key)  # stable: of equal ones the first is kept longest
    low, high = 0, len(ranked)  # so many fit, if any; so many do not
    best = _kept(body, units, ranked, 0)
    while high - low > 1:
        middle = (low + high) // 2
        tried = _kept(body, units, ranked, middle)
        if measure(tried) <= budget:
            low, best = middle, tried
        else:
            high = middle
    body[:] = best if measure(best) <= budget else []
    return bool(body) or measure(body) <= budget


def _kept(body: list[Statement], units: _Units, ranked: list[_Unit], count: int) -> list[Statement]:
    """A copy of a program with the first units of a ranking."""
    for at, unit in enumerate(ranked):
        unit.kept = at < count
    kept = _copy(body, units)
    if body:
        fill(kept, "ELLIPSIS")
    return kept


def _copy(body: list[Statement], units: _Units) -> list[Statement]:
    copies = []
    for statement in body:
        if not units.of[id(statement)].kept:
            continue
        copy = Statement([], statement.filler)
        for part in statement.parts:
            if units.of[id(part)].kept:
                inner = None if part.body is None else _copy(part.body, units)
                if inner is not None and all(one.is_comment for one in inner):
                    inner.append(filler("ELLIPSIS"))
                copy.parts.append(Part(part.pieces, part.comment, inner))
        comments = units.comments_of.get(id(statement))
        if comments is not None and not comments.kept:
            strip(copy)
        copies.append(copy)
    return copies
