"""Simple statements: where they begin and end, assignments, and what may stand where."""

from __future__ import annotations

from simpy_grammar.terminals import ID
from transpiler.rules import literals, patterns, scopes
from transpiler.rules.elements import check_element, is_lone_star, next_element, refuse_target, row_form, row_names
from transpiler.rules.names import contains
from transpiler.rules.scopes import DEBUG, bind, counts_annotations, forget
from transpiler.rules.state import ASSIGNABLE, DELETABLE, RETURNS, SINGLE, STARRED, TRAILED, YIELDS, Block, Frame, Header, State
from transpiler.rules.table import refuse

_RETURN, _NAME = ID["RETURN"], ID["NAME"]
ROWS = ("row", "right", "value")


def end_statement(state: State) -> State:
    """A statement or a header is complete.

    Raises:
        RuleError: it cannot end here.
    """
    frame = state.frame
    if frame.kind in ROWS:
        if is_lone_star(frame):
            refuse("star")
    elif frame.kind == "delete":
        check_element(frame)
        if DEBUG in row_names(frame):
            return state
        return bind(state, *row_names(frame))
    elif frame.kind == "with":
        return with_item_ends(state)
    elif frame.kind in ("import", "from", "future"):
        return import_ends(state)
    elif frame.kind in ("annotation", "type value"):
        return state if frame.kind == "annotation" and counts_annotations(state) else forget(state, frame.mark)
    elif frame.kind == "case":
        state, irrefutable = patterns.finished(state)
        return state.headed(Header("case", irrefutable=irrefutable))
    return state


def fresh(state: State) -> State:
    """A statement begins that may be a row of expressions."""
    state = end_statement(state)
    return state.framed(Frame("row", mark=state.seen))


def begin(state: State, kind: str) -> State:
    """A statement begins with a keyword."""
    state = end_statement(state)
    return state.framed(Frame(kind, mark=state.seen))


def may_end(state: State) -> None:
    """Refuse the end of the text where it cannot end.

    Raises:
        RuleError: the last statement cannot end here, or a nonlocal name is bound nowhere.
    """
    state = end_statement(state)
    while state.scope.up is not None:
        state = scopes.leave(state)


def assign(state: State) -> State:
    """``=``: what stands before it is assigned to."""
    frame = state.frame
    if frame.kind == "type":
        return state.framed(Frame("type value", mark=state.seen))
    if frame.kind == "annotation":
        return end_statement(state).framed(Frame("value"))
    check_element(frame)
    if is_lone_star(frame):
        refuse("starred target")
    if not row_form(frame) & ASSIGNABLE:
        if frame.stars + bool(frame.form & STARRED) > 1:
            refuse("starred targets")
        refuse_target(frame, frame.what if not frame.size else "expression")
    return bind(state, *row_names(frame)).framed(Frame("right", mark=state.seen))


def target_separator(state: State) -> State:
    """A comma between targets: what stands before it is one, and so is what follows."""
    frame = state.frame
    if not frame.demand:
        frame = frame._replace(demand=ASSIGNABLE)
    state = next_element(state.framed(frame))
    if not state.frame.row & ASSIGNABLE:
        refuse("assignment target", "expression")
    return state


def annotate(state: State) -> State:
    """The colon before the annotation of a variable."""
    frame = state.frame
    if frame.what == DEBUG:
        refuse("debug")
    if not frame.form & SINGLE or frame.form & STARRED or (frame.form & TRAILED and state.is_for((3, 9))):
        refuse("annotated targets", frame.what) if frame.what in ("list", "tuple") else refuse("annotated target")
    if state.last == _NAME and frame.names and state.scope.kind != "module":
        for word in ("global", "nonlocal"):
            if contains(state.scope.outer, f"{word} {frame.names[0]}"):
                refuse("global annotated", frame.names[0], word)
    state = bind(state, *frame.names, how=scopes.ANNOTATED if state.last == _NAME else scopes.ASSIGNED)
    return state.framed(Frame("annotation", mark=state.seen))


def augment(state: State) -> State:
    """``+=`` and the like."""
    frame = state.frame
    if not frame.form & SINGLE or frame.form & STARRED:
        if frame.what == DEBUG:
            refuse("debug")
        refuse("augmented target", "starred" if frame.form & STARRED else frame.what)
    return bind(state, *frame.names).framed(Frame("value"))


def delete(state: State) -> State:
    """``del``: targets follow."""
    state = end_statement(state)
    return state.framed(Frame("delete", demand=DELETABLE, mark=state.seen))


def return_(state: State) -> State:
    """``return``: in a function, and in no handler of ``except*``."""
    block: Block | None = state.block
    while block is not None and block.kind not in ("function", "class"):
        if block.kind == "except*":
            refuse("leave except*")
        block = block.up
    if block is None or block.kind != "function":
        refuse("return outside")
    return begin(state, "value")


def return_value(state: State) -> State:
    """The blank after ``return``: a value follows."""
    scope = state.scope
    if state.last != _RETURN or not scope.is_async:
        return state
    if scope.flags & YIELDS:
        refuse("return value")
    return state.scoped(scope._replace(flags=scope.flags | RETURNS))


def leave_loop(state: State, word: str) -> State:
    """``break`` or ``continue``."""
    block: Block | None = state.block
    while block is not None and block.kind != "loop":
        if block.kind == "except*":
            refuse("leave except*" if _in_loop(block.up) else f"{word} outside")
        if block.kind in ("function", "class"):
            block = None
            break
        block = block.up
    if block is None:
        refuse(f"{word} outside")
    return begin(state, "row")


def _in_loop(block: Block | None) -> bool:
    while block is not None and block.kind not in ("function", "class"):
        if block.kind == "loop":
            return True
        block = block.up
    return False


def nonlocal_(state: State) -> State:
    """``nonlocal``: a function has to be around the scope."""
    scope = state.scope
    if scope.kind == "module":
        refuse("nonlocal at module level")
    if not scopes.has_around(scope, "function") and not scopes.has_around(scope, "class"):
        refuse("nonlocal outside")
    return begin(state, "nonlocal")


def declared(state: State, text: str | None) -> State:
    """A name after ``global`` or ``nonlocal``."""
    return state if text is None else scopes.declare(state, state.frame.kind, literals.normalized(text))


def type_alias(state: State) -> State:
    """``type``: an alias follows."""
    return begin(state, "type")


def import_ends(state: State) -> State:
    """An imported name is complete, and bound."""
    names = state.frame.names
    return bind(state, *names, how=scopes.IMPORTED).changed(names=()) if names else state


def with_item_ends(state: State) -> State:
    """An item of a ``with`` statement is complete."""
    frame = state.frame
    if frame.demand:
        check_element(frame)
        state = bind(state, *frame.names)
    return state.changed(form=0, names=(), demand=0)
