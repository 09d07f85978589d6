"""Operands of expressions: names, attributes, numbers, constants, and elements with a star."""

from __future__ import annotations

from simpy_grammar.terminals import ID
from transpiler.rules import literals
from transpiler.rules.brackets import check_keyword
from transpiler.rules.elements import operand, trailer
from transpiler.rules.scopes import DEBUG, see
from transpiler.rules.state import ASSIGNABLE, DELETABLE, OPEN, PLACE, SEALED, STARRED, Arguments, Comprehension, Frame, State
from transpiler.rules.table import refuse

_DOUBLE_SPLAT = ID["DOUBLE_SPLAT"]
_KEYWORD_ASSIGN = ID["KEYWORD_ASSIGN"]
_NOUNS = {"TRUE": "True", "FALSE": "False", "NONE": "None", "ELLIPSIS": "ellipsis"}


def name(state: State, text: str | None) -> State:
    """A name as an operand."""
    frame = state.frame
    if type(frame.part) is Arguments and not frame.form and frame.part.stage:
        rule = "positional after keyword" if frame.part.stage == 1 else "positional after mapping"
        if text is not None:
            text = literals.normalized(text)
            check_keyword(frame.part, text)
        state = state.framed(frame._replace(form=SEALED, names=(text or "",)))
        return state.limited((_KEYWORD_ONLY, rule, ()))
    if text is None:
        return operand(state, PLACE, "name", ("",))
    text = literals.normalized(text)
    if text == DEBUG:
        return operand(state, OPEN if state.is_for((3, 10)) else OPEN | DELETABLE, DEBUG, (text,))
    if state.version is not None and state.version < (3, 12):
        _check_in_target(state.frame, text)
    return see(operand(state, PLACE, "name", (text,)), text)


def _check_in_target(frame: Frame | None, name: str) -> None:
    """Before 3.12, a name that is only used in the target of a comprehension counts as one of its variables."""
    while frame is not None and frame.kind != "lambda body":
        if type(frame.part) is Comprehension:
            if frame.part.clause == "target" and (name in frame.part.before or name in frame.walrus):
                refuse("walrus rebinds", name)
            if frame.part.clause != "first":
                return
        elif frame.kind in ("(", "[", "{", "call") and not frame.size:
            return  # it may become a comprehension, with a scope of its own
        frame = frame.up


def attribute(state: State, text: str | None) -> State:
    """A name after a dot."""
    if text == DEBUG:
        return trailer(state, PLACE & ~ASSIGNABLE, DEBUG)
    return trailer(state, PLACE, "attribute")


def number(state: State, text: str | None) -> State:
    """A number as an operand."""
    if text is not None:
        literals.check_number(text)
    return operand(state, OPEN, "literal")


def constant(state: State, terminal: int) -> State:
    """A constant as an operand."""
    return operand(state, OPEN, _CONSTANT_NOUNS[terminal])


_KEYWORD_ONLY = frozenset((_KEYWORD_ASSIGN,))
_CONSTANT_NOUNS = {ID[key]: noun for key, noun in _NOUNS.items()}


def star(state: State, terminal: int) -> State:
    """A star before an element."""
    frame = state.frame
    if frame.form:
        return state  # the star of a row after ``**`` and the like cannot occur; parameters have their own
    if frame.demand == DELETABLE:
        refuse("deleted target", "starred")
    if frame.demand and frame.stars:
        refuse("starred targets")
    if frame.kind == "with":
        refuse("starred target")
    form, what = (STARRED | SEALED, "**") if terminal == _DOUBLE_SPLAT else (STARRED, "")
    if type(frame.part) is Arguments:
        if terminal == _DOUBLE_SPLAT:
            frame = frame._replace(part=frame.part._replace(stage=2))
        elif frame.part.stage == 2:
            refuse("iterable after mapping")
    return state.framed(frame._replace(form=form, what=what))
