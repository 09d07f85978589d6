"""Pieces that were quoted from SimPy: a file has one spelling in a dialect, so a piece is found in it as it stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from simpy_grammar.candidates import Candidate
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PlaceError
from transpiler.conversion import encode, lexemes
from transpiler.edits.finding import ambiguous, candidate_at, stands_in
from transpiler.edits.tokens import Tokens
from transpiler.source_maps import source_map


class _Spot(NamedTuple):
    """Where a piece stands in the SimPy text, and in the file."""

    offset: int
    token: int
    where: Candidate


def replaced_in_spelling(
    tokens: Tokens, dialect: Dialect, old: str, new: str, *, near: int | None, within: str | None, everywhere: bool
) -> tuple[str, str]:
    """A file in a dialect, and the same with a piece replaced.

    Args:
        tokens: the file.
        dialect: the dialect that the piece was quoted from.
        old, new: the piece, and what comes in its place.
        near: the line of the file on which the piece begins.
        within: the definition in which it stands.
        everywhere: replace it at each place where it stands.

    Raises:
        PlaceError: the piece stands nowhere or at several places.
        PythonSyntaxError: the file is not Python.

    >>> from simpy_grammar.dialect import Dialect
    >>> replaced_in_spelling(Tokens("return a, b"), Dialect.load("classic"), "a b", "c", near=None, within=None, everywhere=False)
    ('<return>a b', '<return>c')
    """
    if not old.strip():
        raise PlaceError("the piece to look for is empty")
    simpy = encode(tokens.text, dialect=dialect, verify=False)
    spots = list(_spots(tokens, simpy, dialect, old)) or list(_spots(tokens, simpy, dialect, old := old.strip()))
    if within is not None:
        spots = [spot for spot in spots if stands_in(tokens, spot.token, within)]
    if near is not None and len(spots) > 1:
        spots = [spot for spot in spots if tokens.line(tokens.starts[spot.token]) == near] or spots
    if not spots:
        raise PlaceError(f"the piece does not stand in the file as {dialect.name} spells it", hint="quote it as it was shown")
    if len(spots) > 1 and not everywhere:
        raise ambiguous([spot.where for spot in spots])
    changed = simpy
    for spot in reversed(spots):
        changed = changed[: spot.offset] + new + changed[spot.offset + len(old) :]
    return simpy, changed


def _spots(tokens: Tokens, simpy: str, dialect: Dialect, old: str) -> Iterator[_Spot]:
    """Where a piece stands as whole lexemes."""
    found = lexemes(simpy, dialect=dialect)
    starts, ends = {lexeme.start for lexeme in found}, {lexeme.end for lexeme in found}
    mapping = source_map(tokens.text, simpy, dialect=dialect)
    at = simpy.find(old)
    while at >= 0:
        end = at + len(old)
        if at in starts and end in ends:
            token = min(bisect_left(tokens.starts, mapping.to_python(at)), len(tokens) - 1)
            yield _Spot(at, token, candidate_at(tokens, token))
            at = simpy.find(old, end)
        else:
            at = simpy.find(old, at + 1)
