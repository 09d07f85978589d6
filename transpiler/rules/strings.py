"""Strings: which kinds may be joined, and the fields and formats in them."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import ID
from transpiler.rules import literals
from transpiler.rules.elements import is_lone_star, leave_frame, operand
from transpiler.rules.state import OPEN, Frame, State
from transpiler.rules.table import refuse

_CONCAT = ID["CONCAT"]


class Text(NamedTuple):
    """A string with fields.

    Attributes:
        is_raw: whether backslashes are themselves.
        kind: "text" or "template".
        quote: its quote.
    """

    is_raw: bool
    kind: str
    quote: str


def string(state: State, text: str | None) -> State:
    """A string without fields as an operand."""
    if text is None:
        if state.last == _CONCAT and state.literal == "template":
            refuse("template and text")
        return operand(state, OPEN, "literal")
    literals.check_string(text)
    return operand(joined(state, literals.string_kind(text)), OPEN, "literal")


def joined(state: State, kind: str) -> State:
    """A string of a kind follows what came before.

    Raises:
        RuleError: "bytes and text", "template and text".
    """
    if state.last == _CONCAT and state.literal != kind:
        refuse("template and text" if "template" in (state.literal, kind) else "bytes and text")
    state.literal = kind
    return state


def string_start(state: State, text: str | None, is_raw: bool) -> State:
    """A string with fields opens."""
    kind = state.literal if text is None else "template" if "t" in text.lower() else "text"
    if text is not None or state.literal == "bytes":
        state = joined(state, kind if text is not None else "text")
    state = operand(state, OPEN, "t-string expression" if kind == "template" else "f-string expression")
    return state.framed(
        Frame("string", state.frame, mark=state.seen, part=Text(is_raw, kind, "" if text is None else text.lstrip("rRfFtT")))
    )


def string_text(state: State, text: str | None) -> State:
    """Text between fields, or of a format."""
    frame: Frame | None = state.frame
    while frame is not None and frame.kind != "string":
        frame = frame.up
    if text is not None and frame is not None and not frame.part.is_raw:
        literals.check_escapes(text)
    return state


def string_end(state: State) -> State:
    """A string with fields closes."""
    kind = state.frame.part.kind
    state.literal = kind
    return leave_frame(state, 0, "")


def field_start(state: State) -> State:
    """A field opens."""
    return state.framed(Frame("field", state.frame, mark=state.seen))


def field_conversion(state: State, text: str | None) -> State:
    """The conversion of a field."""
    if text is not None and text not in literals.CONVERSIONS:
        refuse("conversion", text[1:])
    return _field_ends(state)


def format_colon(state: State) -> State:
    """The format of a field begins."""
    return _field_ends(state).changed(kind="format")


def _field_ends(state: State) -> State:
    if is_lone_star(state.frame):
        refuse("star")
    return state
