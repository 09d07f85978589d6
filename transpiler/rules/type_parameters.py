"""Type parameters of functions, classes and aliases."""

from __future__ import annotations

from typing import NamedTuple

from transpiler.rules.literals import normalized
from transpiler.rules.names import Names, contains
from transpiler.rules.scopes import DEBUG, forget
from transpiler.rules.state import SEALED, Frame, State
from transpiler.rules.table import refuse


class TypeParameters(NamedTuple):
    """Type parameters: their names, and whether one has a default, and whether the current one must get one."""

    names: Names | None = None
    has_default: bool = False
    is_due: bool = False


def start_types(state: State) -> State:
    """Type parameters begin."""
    state = state.headed(state.header._replace(is_generic=True))
    return state.framed(Frame("type parameters", state.frame, mark=state.seen, part=TypeParameters()))


def type_name(state: State, text: str | None) -> State:
    """The name of a type parameter."""
    part: TypeParameters = state.frame.part
    part = part._replace(is_due=part.has_default)
    if text is not None:
        text = normalized(text)
        if text == DEBUG:
            refuse("debug")
        if contains(part.names, text):
            refuse("type parameter duplicate", text)
        part = part._replace(names=Names(text, part.names))
    return state.changed(part=part, form=1)


def type_bound(state: State) -> State:
    """The colon before a bound."""
    return state.changed(form=SEALED)


def type_default(state: State) -> State:
    """The sign before the default of a type parameter."""
    part: TypeParameters = state.frame.part
    return state.changed(part=part._replace(is_due=False, has_default=True), form=SEALED)


def type_separator(state: State) -> State:
    """The comma after a type parameter."""
    _check_type(state)
    return state.changed(form=0)


def _check_type(state: State) -> None:
    part: TypeParameters = state.frame.part
    if part.is_due:
        refuse("type parameter default", part.names.name if part.names else "")


def check_type_comment(state: State) -> None:
    """Refuse a comment after which no default can come."""
    if state.frame.part.is_due and state.frame.form == 1:
        _check_type(state)


def end_types(state: State) -> State:
    """Type parameters are complete."""
    _check_type(state)
    frame = state.frame
    assert frame.up is not None
    return forget(state, frame.mark).framed(frame.up)
