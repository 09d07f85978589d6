"""Where a replacement goes: to a place among the tokens of a file, into a field of a string, or to strings with other line starts."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from simpy_grammar.errors import PlaceError
from transpiler.edits.fields import find_in_fields, replaced_in_fields
from transpiler.edits.finding import Place, ambiguous, find, find_all
from transpiler.edits.string_lines import with_lines_of_file
from transpiler.edits.tokens import Tokens


class Target(NamedTuple):
    """One replacement.

    Attributes:
        place: what is replaced.
        old, new: what stands there, as quoted, and what comes in its place.
    """

    place: Place
    old: str
    new: str


def one_target(tokens: Tokens, old: str, new: str, *, near: int | None, within: str | None, compact: bool) -> Target:
    """The one place where a piece stands; the arguments are those of ``find``.

    Raises:
        PlaceError: it stands nowhere, or at several places.
        EditError: it stands in a field of a string, where the new piece cannot stand.

    >>> tokens = Tokens("x = a\\ny = f'{a + 1} a'\\n")
    >>> one_target(tokens, "a", "b", near=2, within=None, compact=False)[1:]
    ("f'{a + 1} a'", "f'{b + 1} a'")
    """
    fields = find_in_fields(tokens, old, within=within)
    in_fields = [field.where for field in fields]
    try:
        place = find(tokens, old, near=near, within=within, compact=compact)
    except PlaceError as error:
        if not fields:
            raise
        if error.candidates:
            raise ambiguous([*error.candidates, *in_fields]) from None
        place = None
    on_line = [field for field in fields if tokens.line(field.start) == near]
    if place is not None and (not fields or (not on_line and tokens.line(tokens.starts[place.start]) == near)):
        return Target(place, old, new)
    if len(on_line or fields) == 1 and (place is None or (on_line and tokens.line(tokens.starts[place.start]) != near)):
        return Target(*replaced_in_fields(tokens, on_line or fields, old, new))
    raise ambiguous(in_fields if place is None else [place.where, *in_fields])


def all_targets(tokens: Tokens, old: str, new: str, *, within: str | None) -> list[Target]:
    """Every place where a piece stands, in order.

    Raises:
        PlaceError: it stands nowhere.
        EditError: it stands in a field of a string, where the new piece cannot stand.

    >>> [target.place.where.text for target in all_targets(Tokens("x = a\\ny = f'{a + 1} a'\\n"), "a", "b", within=None)]
    ['line 1', 'line 2']
    """
    fields = find_in_fields(tokens, old, within=within)
    try:
        places = find_all(tokens, old, within=within)
    except PlaceError:
        if not fields:
            raise
        places = []
    found: list[Target] = []
    for place in places:
        if not found or place.start >= found[-1].place.end:
            found.append(Target(place, old, new))
    strings = [Target(*replaced_in_fields(tokens, list(group), old, new)) for _, group in groupby(fields, key=lambda field: field.token)]
    return sorted([*found, *strings], key=lambda target: target.place.start)


def loose_target(tokens: Tokens, old: str, new: str, *, near: int | None, within: str | None, compact: bool) -> Target | None:
    """The one place of a piece some of whose strings have other blanks at the starts of their lines; ``None`` if there is none.

    Raises:
        PlaceError: it stands at several places.
        EditError: it is not certain what the lines of a changed string are to begin with.
    """
    found: list[Target] = []
    for quoted, wanted in with_lines_of_file(tokens, old, new):
        try:
            found.append(Target(find(tokens, quoted, near=near, within=within, compact=compact), quoted, wanted))
        except PlaceError as error:
            if error.candidates:
                raise
    if len(found) > 1:
        raise ambiguous([target.place.where for target in found])
    return found[0] if found else None
