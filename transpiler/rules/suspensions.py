"""``await`` and ``yield``: where they may stand."""

from __future__ import annotations

from transpiler.rules.elements import NO, OWED, YES, awaits, check_scope, in_lambda, refuse_await, seal
from transpiler.rules.state import OWES, RETURNS, YIELDS, Comprehension, Frame, State
from transpiler.rules.table import refuse


def await_(state: State, terminal: int) -> State:
    """``await``: in an asynchronous function, or in what can still become a generator expression."""
    found = awaits(state, state.frame)
    if found == NO:
        refuse_await(state)
    if found == YES:
        check_scope(state, state.frame, "await expression")
    state = seal(state, terminal)
    return state.changed(flags=state.frame.flags | OWES) if found == OWED else state


def yield_(state: State) -> State:
    """``yield``: in a function and not in the scope of a comprehension."""
    frame: Frame | None = state.frame
    while frame is not None and frame.kind != "lambda body":
        if type(frame.part) is Comprehension and frame.part.clause != "first":
            refuse("yield in comprehension", frame.part.what)
        frame = frame.up
    check_scope(state, state.frame, "yield expression")
    if frame is None:
        if state.scope.kind != "function":
            refuse("yield outside")
        if state.scope.is_async and state.scope.flags & RETURNS:
            refuse("return value")
        state = state.scoped(state.scope._replace(flags=state.scope.flags | YIELDS))
    frame = state.frame
    part = "yield" if frame.kind == "(" else frame.part
    kind = "value" if frame.kind in ("row", "right") else frame.kind
    return state.framed(frame._replace(kind=kind, part=part, form=0, size=0, flags=frame.flags | YIELDS))


def yield_from(state: State) -> State:
    """``from`` after ``yield``."""
    if state.scope.is_async and not in_lambda(state.frame):
        refuse("yield from")
    return state
