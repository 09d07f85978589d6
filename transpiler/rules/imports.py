"""Imports: what they bind, and those from ``__future__``."""

from __future__ import annotations
import __future__

from simpy_grammar.terminals import ID
from transpiler.rules import literals
from transpiler.rules.scopes import DEBUG
from transpiler.rules.state import Block, Frame, State
from transpiler.rules.statements import begin
from transpiler.rules.table import refuse

_AS, _DOT, _LAZY = ID["AS"], ID["DOT"], ID["LAZY"]
FEATURES = frozenset(__future__.all_feature_names)


def import_(state: State, kind: str) -> State:
    """``import`` or ``from``."""
    return begin(state, kind) if state.last != _LAZY else state.framed(Frame(kind, part="lazy", mark=state.seen))


def lazy(state: State) -> State:
    """``lazy`` before an import."""
    block: Block | None = state.block
    while block is not None:
        if block.kind in ("function", "class", "try", "except", "except*", "finally"):
            refuse("lazy import", f"in the block of a {block.kind}")
        block = block.up
    return begin(state, "row")


def future_import(state: State) -> State:
    """An import from ``__future__``."""
    if not state.beginning:
        refuse("future position")
    return begin(state, "future")


def import_star(state: State) -> State:
    """The star after ``import``."""
    if state.frame.kind == "future":
        refuse("future name", "*")
    if state.scope.kind != "module":
        refuse("import star")
    if state.frame.part == "lazy":
        refuse("lazy import", "with *")
    return state


def imported(state: State, text: str | None) -> State:
    """A name in an import; what it binds is known at its end."""
    if text is None:
        return state
    text = literals.normalized(text)
    frame = state.frame
    if frame.kind == "module" or state.last == _DOT and not frame.names:
        return state
    if frame.kind == "future" and state.last != _AS and text not in FEATURES:
        refuse("future name", text)
    if frame.kind == "future" and text == "annotations":
        state.has_lazy_annotations = True
    if text == DEBUG and (frame.kind != "import" or state.last == _AS):
        return _checked_debug(state)
    if state.last == _DOT:
        return state
    return state.changed(names=(text,))


def _checked_debug(state: State) -> State:
    """``__debug__`` is imported: another name must follow ``as``."""
    if state.last == _AS:
        refuse("debug")
    return state.limited((frozenset((_AS,)), "debug", ()))
