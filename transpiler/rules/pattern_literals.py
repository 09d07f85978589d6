"""Literals in patterns, and the keys of mapping patterns."""

from __future__ import annotations

import ast

from simpy_grammar.terminals import ID
from transpiler.rules import literals
from transpiler.rules.patterns import IMAGINARY, NOTHING, NUMBER, STRING, Pattern, literal
from transpiler.rules.state import State
from transpiler.rules.strings import joined
from transpiler.rules.table import refuse

_PLUS, _MINUS, _CONCAT = ID["PLUS"], ID["MINUS"], ID["CONCAT"]


def number(state: State, text: str | None) -> State:
    """A number in a pattern."""
    if text is not None:
        literals.check_number(text)
    imaginary = text is not None and text[-1] in "jJ"
    if state.last in (_PLUS, _MINUS):
        if text is not None and not imaginary:
            refuse("pattern imaginary")
        return state.changed(form=IMAGINARY, part=state.frame.part._replace(key=state.frame.part.key + (text or "")))
    return literal(state, IMAGINARY if imaginary else NUMBER, text or "")


def sign(state: State, text: str) -> State:
    """The sign of a number."""
    return literal(state, NOTHING, text)


def operator(state: State, text: str) -> State:
    """The operator of a complex number."""
    if state.frame.form == IMAGINARY:
        refuse("pattern real")
    return state.changed(part=state.frame.part._replace(key=state.frame.part.key + text))


def constant(state: State, text: str) -> State:
    """A constant in a pattern."""
    return literal(state, NUMBER, text)


def string(state: State, text: str | None) -> State:
    """A string in a pattern."""
    if text is not None:
        literals.check_string(text)
        state = joined(state, literals.string_kind(text))
    if state.last == _CONCAT:
        return state.changed(part=state.frame.part._replace(key=f"{state.frame.part.key} {text or ''}"))
    return literal(state, STRING, text or "")


def pair_colon(state: State) -> State:
    """After a key of a mapping pattern."""
    frame = state.frame
    part: Pattern = frame.part
    keys = part.keys
    if frame.form in (NUMBER, IMAGINARY, STRING) and part.key:
        try:
            value = ast.literal_eval(part.key)
        except (ValueError, SyntaxError):
            value = object()
        if any(value == key for key in keys):
            refuse("pattern key repeated", repr(value))
        keys = (*keys, value)
    return state.framed(frame._replace(form=NOTHING, names=(), part=part._replace(keys=keys, is_key=False, key="")))
