"""Comprehensions, and the assignment expressions whose rules depend on them."""

from __future__ import annotations

from transpiler.rules.elements import GENERATORS, NO, OWED, awaits, check_element, check_scope, in_lambda, is_lone_star, row_names
from transpiler.rules.scopes import DEBUG, bind, forget
from transpiler.rules.state import ASSIGNABLE, DELETABLE, OWES, SEALED, YIELDS, Comprehension, Frame, State
from transpiler.rules.table import refuse

_COMPREHENSIONS = {"(": "generator expression", "call": "generator expression", "[": "list comprehension", "{": "set comprehension"}


def walrus(state: State) -> State:
    """An assignment expression.

    Raises:
        RuleError: a rule about them.
    """
    frame: Frame | None = state.frame
    assert frame is not None
    check_scope(state, frame, "named expression")
    name = frame.names[0] if frame.names else ""
    if name == DEBUG:
        refuse("debug")
    in_comprehension, in_function = False, state.scope.kind != "class"
    while frame is not None:
        if frame.kind == "lambda body":
            in_function = True
        elif type(frame.part) is Comprehension:
            if frame.part.clause in ("first", "iterable"):
                refuse("walrus in iterable")
            if not in_lambda_between(state.frame, frame):
                if frame.part.clause == "target" and not in_comprehension:
                    refuse("walrus in target", name)
                if name in frame.part.variables:
                    refuse("walrus rebinds", name)
                in_comprehension = True
        frame = frame.up
    if in_comprehension and not in_function:
        refuse("walrus in class")
    if not in_lambda(state.frame):
        state = bind(state, name)
    frame = state.frame
    return state.framed(frame._replace(form=SEALED, what="named expression", names=(), walrus=(*frame.walrus, name)))


def in_lambda_between(frame: Frame | None, outer: Frame) -> bool:
    """Whether the body of a lambda stands between two frames."""
    while frame is not None and frame is not outer:
        if frame.kind == "lambda body":
            return True
        frame = frame.up
    return False


def comprehension_async(state: State) -> State:
    """``async for`` in a comprehension."""
    frame = state.frame
    state = _begin(state)
    if frame.kind in GENERATORS:
        return state
    found = awaits(state, frame.up)
    if found == NO:
        refuse("async comprehension")
    return state.changed(flags=state.frame.flags | OWES) if found == OWED else state


def comprehension_for(state: State) -> State:
    """``for`` in a comprehension."""
    return _begin(state)


def _begin(state: State) -> State:
    """A comprehension begins, or another ``for`` of one."""
    frame = state.frame
    part = frame.part
    if type(part) is Comprehension:
        if part.clause == "target":
            return state  # after ``async``
        frame = _next_clause(state).frame
        return state.framed(
            frame._replace(
                part=part._replace(clause="target"),
                form=0,
                demand=ASSIGNABLE,
                names=(),
                bound=None,
                size=0,
                stars=0,
                row=ASSIGNABLE | DELETABLE,
            )
        )
    if frame.kind == "class call":
        refuse("generator base")
    what = "dict comprehension" if frame.kind == "{" and not frame.row else _COMPREHENSIONS[frame.kind]
    if frame.flags & YIELDS:
        refuse("yield in comprehension", what)
    before = frame.walrus + frame.deep
    in_function = state.scope.kind != "class" or in_lambda(frame)
    if before and not in_function:
        refuse("walrus in class")
    state = forget(state, frame.mark)
    flags = frame.flags & ~OWES if frame.kind in GENERATORS else frame.flags
    return state.framed(
        frame._replace(
            form=0,
            names=(),
            bound=None,
            size=0,
            stars=0,
            demand=ASSIGNABLE,
            flags=flags,
            walrus=(),
            deep=(),
            part=Comprehension("target", (), before, what=what),
            row=ASSIGNABLE | DELETABLE,
        )
    )


def _next_clause(state: State) -> State:
    """A clause of a comprehension is complete; after the first iterable its own scope begins."""
    frame = state.frame
    return state.changed(mark=state.seen) if frame.part.clause == "first" else state


def comprehension_in(state: State) -> State:
    """``in`` of a comprehension: its targets are complete."""
    frame = state.frame
    check_element(frame)
    if is_lone_star(frame):
        refuse("starred target")
    part: Comprehension = frame.part
    names = row_names(frame)
    for found in names:
        if found == DEBUG:
            refuse("debug")
    if not part.loops:
        state = forget(state, frame.mark)
    clause = "iterable" if part.loops else "first"
    part = part._replace(clause=clause, variables=(*part.variables, *names), loops=part.loops + 1)
    return state.framed(frame._replace(form=SEALED, names=(), bound=None, size=0, stars=0, demand=0, part=part))


def comprehension_if(state: State) -> State:
    """``if`` in a comprehension."""
    state = _next_clause(state)
    return state.changed(form=SEALED, part=state.frame.part._replace(clause="condition"))
