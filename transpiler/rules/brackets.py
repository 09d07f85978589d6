"""Brackets: calls, subscripts, and displays, which are targets if all that is in them is."""

from __future__ import annotations

from simpy_grammar.terminals import CONSTANT, ID, named
from transpiler.rules.elements import (
    STARS,
    check_argument,
    check_element,
    is_lone_star,
    leave_frame,
    next_element,
    row_form,
    row_names,
    trailer,
)
from transpiler.rules.names import Names, contains
from transpiler.rules.scopes import DEBUG, USE, forget
from transpiler.rules.state import (
    ASSIGNABLE,
    BRACKETED,
    DELETABLE,
    LOOSE,
    OPEN,
    PLACE,
    SEALED,
    SINGLE,
    STARRED,
    Arguments,
    Comprehension,
    Frame,
    State,
)
from transpiler.rules.table import refuse

OPERAND_ENDS = frozenset(
    ID[name] for name in ("NAME", "NUMBER", "STRING", ")", "]", "}", *named(CONSTANT), *(f"FSTRING_END_{quote}" for quote in "1236"))
)


def open_round(state: State) -> State:
    """A call or a parenthesis opens."""
    if state.last in OPERAND_ENDS and state.frame.form:
        return state.framed(Frame("call", state.frame, mark=state.seen, part=Arguments()))
    operand_begins(state.frame)
    return state.framed(Frame("(", state.frame, mark=state.seen))


def open_square(state: State) -> State:
    """A subscript or a list opens."""
    if state.last in OPERAND_ENDS and state.frame.form:
        return state.framed(Frame("index", state.frame, mark=state.seen))
    operand_begins(state.frame)
    return state.framed(Frame("[", state.frame, mark=state.seen))


def open_curly(state: State) -> State:
    """A set or a dictionary opens."""
    operand_begins(state.frame)
    return state.framed(Frame("{", state.frame, mark=state.seen))


def operand_begins(frame: Frame) -> None:
    """Refuse a bracket where no operand may begin.

    Raises:
        RuleError: a rule about arguments.
    """
    if not frame.form:
        check_argument(frame)


def close_round(state: State) -> State:
    """A call or a parenthesis closes: of one element without a comma it is that element."""
    frame = state.frame
    check_element(frame)
    if frame.kind != "(":  # a call
        outer = leave_frame(state, 0, "")
        if frame.kind == "class call":  # of a generic class, its bases have a scope of their own
            return forget(outer, frame.mark) if state.header.is_generic else outer
        return trailer(outer, OPEN, "function call")
    if frame.part == "yield":
        if is_lone_star(frame):
            refuse("star")
        return leave_frame(state, OPEN, "yield expression")
    if type(frame.part) is Comprehension:
        return leave_frame(state, OPEN, frame.part.what)
    if not frame.size and frame.form:
        form = (frame.form & (PLACE & ~OPEN)) | OPEN
        if form & SINGLE:
            form |= BRACKETED
        return leave_frame(state, form, frame.what, frame.names)
    return _display(state, "tuple")


def close_square(state: State) -> State:
    """A subscript or a list closes."""
    frame = state.frame
    check_element(frame)
    if frame.kind == "index":
        return trailer(leave_frame(state, 0, ""), PLACE, "subscript")
    if type(frame.part) is Comprehension:
        return leave_frame(state, OPEN, frame.part.what)
    return _display(state, "list")


def _display(state: State, what: str) -> State:
    """A tuple or list closes: it is a target if all that is in it is."""
    frame = state.frame
    form = row_form(frame) & (ASSIGNABLE | DELETABLE)
    names = row_names(frame)
    if not form & ASSIGNABLE:
        many = frame.stars + bool(frame.form & STARRED) > 1 and frame.row & ASSIGNABLE and frame.form & ASSIGNABLE
        what = STARS if many else frame.what if frame.form and not frame.form & ASSIGNABLE else "expression"
    return leave_frame(state, form | OPEN, what, names if form & ASSIGNABLE else ())


def close_curly(state: State) -> State:
    """A set, a dictionary or a field closes."""
    frame = state.frame
    if frame.kind in ("field", "format"):
        if frame.kind == "field" and is_lone_star(frame):
            refuse("star")
        return leave_frame(state, 0, "")
    if type(frame.part) is Comprehension:
        return leave_frame(state, OPEN, frame.part.what)
    _check_pair(frame)
    return leave_frame(state, OPEN, "dict literal" if frame.row == 0 or not (frame.form or frame.size) else "set display")


def _check_pair(frame: Frame) -> None:
    if frame.form & LOOSE:
        refuse("star operand")


def separator(state: State) -> State:
    """A comma between elements, or one that ends the only one."""
    _check_pair(state.frame)
    return next_element(state)


def pair_colon(state: State) -> State:
    """After a key: neither key nor value is a target."""
    return state.changed(form=SEALED, row=0, names=())


def slice_colon(state: State) -> State:
    """After a bound of a slice."""
    return state.changed(form=SEALED, names=())


def check_keyword(arguments: Arguments, name: str) -> None:
    """Refuse the name of a keyword argument.

    Raises:
        RuleError: "keyword repeated", "debug".
    """
    if name == DEBUG:
        refuse("debug")
    if contains(arguments.keywords, name):
        refuse("keyword repeated", name)


def keyword_assign(state: State) -> State:
    """After the name of a keyword argument.

    Raises:
        RuleError: "keyword repeated", "debug".
    """
    frame = state.frame
    name = frame.names[0] if frame.names else ""
    arguments: Arguments = frame.part
    check_keyword(arguments, name)
    arguments = arguments._replace(stage=max(arguments.stage, 1), keywords=Names(name, arguments.keywords))
    seen = state.seen
    if seen is not None and seen.name == USE + name:
        state = forget(state, seen.before)  # it is the name of an argument and was taken for one of the scope
    return state.framed(frame._replace(form=SEALED, names=(), part=arguments))
