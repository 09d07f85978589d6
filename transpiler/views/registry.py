"""The views by name: one line each. A view is a function that changes the statements of a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean
from transpiler.views.annotations import drop_annotations
from transpiler.views.blocks import Statement
from transpiler.views.comments import drop_comments
from transpiler.views.docstrings import drop_docstrings
from transpiler.views.pruning import Measure, prune
from transpiler.views.selection import Lines, keep_lines, keep_symbol
from transpiler.views.signatures import keep_outline, keep_signatures


class Context(NamedTuple):
    """What a view may ask beside the statements.

    Attributes:
        lines: of the source.
        measure: how many tokens the text of a view with some statements has.
    """

    lines: Lines
    measure: Measure


Apply = Callable[[list[Statement], str, Context], bool]
"""Changes the statements of a module; takes the value after ``=``; returns whether what was asked for was possible."""


class Kind(NamedTuple):
    """A view that can be asked for.

    Attributes:
        help: what it shows, in a few words.
        apply: see ``Apply``.
        value: what stands after ``=``: how it is called, and its pattern; ``None`` if nothing does.
        keeps_tree: the syntax tree is that of the source.
    """

    help: str
    apply: Apply
    value: tuple[str, str] | None = None
    keeps_tree: bool = False


def _simple(change: Callable[[list[Statement]], None]) -> Apply:
    def apply(body: list[Statement], _: str, __: Context) -> bool:
        change(body)
        return True

    return apply


def _symbol(body: list[Statement], name: str, context: Context) -> bool:
    keep_symbol(body, name, context.lines)
    return True


def _lines(body: list[Statement], value: str, context: Context) -> bool:
    first, _, last = value.partition("-")
    if not 1 <= int(first) <= int(last or first):
        raise SimPyError(f"lines {value} are not a range", hint="count lines from 1, e.g. lines=10-20")
    keep_lines(body, int(first), int(last or first), context.lines)
    return True


def _prune(body: list[Statement], value: str, context: Context) -> bool:
    return prune(body, int(value), context.measure)


# In the order in which they are applied, whatever the order in which they are asked for.
KINDS: dict[str, Kind] = {
    "symbol": Kind("what defines NAME, such as Class.method", _symbol, ("NAME", r"\w+(?:\.\w+)*")),
    "lines": Kind("whole statements around lines A to B", _lines, ("A-B", r"[0-9]{1,9}(?:-[0-9]{1,9})?")),
    "signatures": Kind("headers, first lines of docstrings, ...", _simple(keep_signatures)),
    "outline": Kind("names of classes and functions", _simple(keep_outline)),
    "no-comments": Kind("no comments", _simple(drop_comments), keeps_tree=True),
    "no-docstrings": Kind("no docstrings", _simple(drop_docstrings)),
    "no-annotations": Kind("no annotations", _simple(drop_annotations)),
    "prune": Kind("the most valuable statements that fit into N tokens", _prune, ("N", r"[0-9]{1,9}")),
}


class Asked(NamedTuple):
    """A view that was asked for: its kind, and the value after ``=``."""

    kind: Kind
    value: str


def spelled(name: str) -> str:
    """How a view is asked for.

    >>> spelled("no-comments"), spelled("prune")
    ('no-comments', 'prune=N')
    """
    value = KINDS[name].value
    return name if value is None else f"{name}={value[0]}"


def parse_views(views: Iterable[str]) -> list[Asked]:
    """The views of some names, in the order in which they are applied.

    Raises:
        SimPyError: there is no such view, its value is missing or is not one, or two of them exclude each other.

    >>> [asked.value for asked in parse_views(["prune=100", "symbol=f"])]
    ['f', '100']
    """
    found: dict[str, Asked] = {}
    for view in views:
        name, equals, value = view.partition("=")
        kind = KINDS.get(name)
        if kind is None:
            raise SimPyError(f"no view {name!r}", hint=did_you_mean(name, KINDS, f"use {', '.join(map(spelled, KINDS))}"))
        if (kind.value is None) == bool(equals) or (kind.value is not None and not re.fullmatch(kind.value[1], value)):
            raise SimPyError(f"{view!r} is not a view", hint=f"use {spelled(name)}")
        if found.get(name, Asked(kind, value)) != Asked(kind, value):
            raise SimPyError(f"two views {name}", hint="ask for one of them")
        found[name] = Asked(kind, value)
    _check_exclusive(found)
    return [found[name] for name in KINDS if name in found]


def _check_exclusive(found: Sequence[str] | dict[str, Asked]) -> None:
    if "symbol" in found and "lines" in found:
        raise SimPyError("symbol= and lines= exclude each other", hint="ask for one of them")
