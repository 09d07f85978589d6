"""Parameters of functions and lambdas, and type parameters."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import ID
from transpiler.rules.elements import seal
from transpiler.rules.literals import normalized
from transpiler.rules.names import Names, contains
from transpiler.rules.scopes import DEBUG, counts_annotations, forget
from transpiler.rules.state import SEALED, Frame, State
from transpiler.rules.table import refuse

_SPLAT, _DOUBLE_SPLAT = ID["SPLAT"], ID["DOUBLE_SPLAT"]


class Parameters(NamedTuple):
    """Parameters, up to the current one.

    Attributes:
        names: their names.
        has_default: whether one before a star has a default.
        is_due: whether the current one must get a default.
        has_slash: whether a slash has come.
        has_star: whether a star has come.
        is_bare: whether a parameter must follow the star.
        is_over: whether two stars have come.
        is_annotation: whether an annotation is being read.
    """

    names: Names | None = None
    has_default: bool = False
    is_due: bool = False
    has_slash: bool = False
    has_star: bool = False
    is_bare: bool = False
    is_over: bool = False
    is_annotation: bool = False


def start(state: State) -> State:
    """The parameters of a function begin."""
    return state.framed(Frame("parameters", state.frame, mark=state.seen, part=Parameters()))


def start_lambda(state: State, terminal: int) -> State:
    """A lambda begins, with its parameters."""
    if state.frame.kind == "field":
        refuse("field lambda")
    state = seal(state, terminal)
    return state.framed(Frame("lambda", state.frame, mark=state.seen, part=Parameters()))


def name(state: State, text: str | None) -> State:
    """The name of a parameter, or an operand in a default or an annotation: then this is not called."""
    part: Parameters = state.frame.part
    if state.last == _DOUBLE_SPLAT:
        part = part._replace(is_over=True)
    elif state.last != _SPLAT:
        if part.has_star:
            part = part._replace(is_bare=False)
        elif part.has_default:
            part = part._replace(is_due=True)
    if text is not None:
        text = normalized(text)
        if text == DEBUG:
            refuse("debug")
        if contains(part.names, text):
            refuse("parameter duplicate", text)
        part = part._replace(names=Names(text, part.names))
    return state.changed(part=part, form=1)


def star(state: State, terminal: int) -> State:
    """A star, alone or before a name, or two before one."""
    part: Parameters = state.frame.part
    if terminal == _DOUBLE_SPLAT:
        if part.is_bare:
            refuse("bare star")
        return state
    if part.has_star:
        refuse("second star")
    return state.changed(part=part._replace(has_star=True, is_bare=terminal != _SPLAT))


def slash(state: State) -> State:
    """The slash after positional parameters."""
    part: Parameters = state.frame.part
    if part.has_star:
        refuse("slash after star")
    if part.has_slash:
        refuse("second slash")
    if not part.names:
        refuse("slash first")
    return state.changed(part=part._replace(has_slash=True))


def default(state: State) -> State:
    """The sign before a default."""
    state = _end_annotation(state)
    part: Parameters = state.frame.part
    return state.changed(part=part._replace(is_due=False, has_default=part.has_default or not part.has_star), form=SEALED)


def annotation(state: State) -> State:
    """The colon before an annotation."""
    return state.changed(part=state.frame.part._replace(is_annotation=True), mark=state.seen, form=SEALED)


def _end_annotation(state: State) -> State:
    """An annotation has a scope of its own in some versions, so its names do not count."""
    part: Parameters = state.frame.part
    if not part.is_annotation:
        return state
    if not counts_annotations(state):
        state = forget(state, state.frame.mark)
    return state.changed(part=part._replace(is_annotation=False))


def separator(state: State) -> State:
    """The comma after a parameter."""
    state = end_parameter(state)
    if state.frame.part.is_over:
        refuse("after mapping parameter")
    return state.changed(form=0)


def end_parameter(state: State) -> State:
    """A parameter is complete.

    Raises:
        RuleError: "parameter default".
    """
    state = _end_annotation(state)
    if state.frame.part.is_due:
        refuse("parameter default")
    return state


def check_comment(state: State) -> None:
    """Refuse a comment after which no default can come."""
    if state.frame.part.is_due and state.frame.form == 1:
        refuse("parameter default")


def end(state: State) -> State:
    """The parameters of a function are complete."""
    state = end_parameter(state)
    part: Parameters = state.frame.part
    if part.is_bare:
        refuse("bare star")
    up = state.frame.up
    assert up is not None
    return state.framed(up).headed(state.header._replace(parameters=part.names))


def end_lambda(state: State) -> State:
    """The parameters of a lambda are complete, and its body begins."""
    state = end_parameter(state)
    if state.frame.part.is_bare:
        refuse("bare star")
    frame, up = state.frame, state.frame.up
    assert up is not None
    up = up._replace(flags=up.flags | frame.flags, walrus=up.walrus + frame.walrus, deep=up.deep + frame.deep)
    return state.framed(Frame("lambda body", up, mark=state.seen))
