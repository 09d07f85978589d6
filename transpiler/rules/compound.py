"""Compound statements: their headers, clauses and blocks, and the scopes that blocks open."""

from __future__ import annotations

from simpy_grammar.terminals import ID
from transpiler.rules import literals, patterns, scopes
from transpiler.rules.elements import check_element, is_lone_star, row_names
from transpiler.rules.scopes import bind
from transpiler.rules.state import ASSIGNABLE, Block, Frame, Header, State
from transpiler.rules.statements import end_statement, fresh
from transpiler.rules.table import refuse

_ASYNC = ID["ASYNC"]
_ANY, _GROUP, _BARE = 1, 2, 4  # what handlers a try statement has


def head(state: State, kind: str, frame: str = "value") -> State:
    """The header of a compound statement begins."""
    state = end_statement(state)
    return state.framed(Frame(frame, mark=state.seen)).headed(Header(kind))


def for_(state: State) -> State:
    """``for``: targets follow."""
    if state.last == _ASYNC and not state.scope.is_async:
        refuse("async for outside")
    state = end_statement(state)
    return state.framed(Frame("for", demand=ASSIGNABLE, mark=state.seen)).headed(Header("loop"))


def for_in(state: State) -> State:
    """``in`` of a loop: its targets are complete."""
    frame = state.frame
    check_element(frame)
    if is_lone_star(frame):
        refuse("starred target")
    return bind(state, *row_names(frame)).framed(Frame("value", mark=state.seen))


def with_(state: State) -> State:
    """``with``: items follow."""
    if state.last == _ASYNC and not state.scope.is_async:
        refuse("async with outside")
    return head(state, "with", "with")


def as_(state: State) -> State:
    """``as``, in an import, an item, a handler or a pattern."""
    frame = state.frame
    if frame.kind == "with":
        return state.changed(form=0, names=(), demand=ASSIGNABLE)
    if frame.kind in patterns.KINDS:
        return patterns.as_(state)
    return state.changed(names=())


def handler_name(state: State, text: str | None) -> State:
    """The name after ``as`` in a handler."""
    return state if text is None else bind(state, literals.normalized(text))


def define(state: State, kind: str) -> State:
    """``def`` or ``class``."""
    is_async = state.last == _ASYNC
    state = state if is_async else fresh(state)
    return state.framed(Frame("def" if kind == "function" else "class")).headed(Header(kind, is_async))


def defined(state: State, text: str | None) -> State:
    """The name of a definition."""
    return state if text is None else bind(state, literals.normalized(text))


def return_arrow(state: State) -> State:
    """The arrow before the annotation of what a function returns."""
    return state.framed(Frame("annotation", mark=state.seen))


def try_(state: State) -> State:
    """``try``: no handlers yet."""
    state = head(state, "try")
    state.block = state.block._replace(handlers=0)
    return state


def except_(state: State, group: bool) -> State:
    """``except`` or ``except*``."""
    handlers = state.block.handlers
    if handlers & _BARE:
        refuse("except last")
    if handlers & (_ANY if group else _GROUP):
        refuse("except mixed")
    state = head(state, "except*" if group else "except", "except")
    state.block = state.block._replace(handlers=handlers | (_GROUP if group else _ANY))
    return state


def case(state: State) -> State:
    """``case``: patterns follow."""
    if state.block.exhausted:
        refuse("unreachable case", state.block.exhausted)
    return patterns.case(fresh(state)).headed(Header("case"))


def guard(state: State) -> State:
    """``if`` after the patterns of a case."""
    state, _ = patterns.finished(state)
    return state.framed(Frame("value", mark=state.seen)).headed(Header("case"))


def block_start(state: State) -> State:
    """A block begins, and the scope of a definition with it."""
    frame = state.frame
    state = end_statement(state)
    header, block = state.header, state.block
    kind = header.kind
    if kind == "except" and frame.kind == "except" and not frame.form and not frame.size:
        block = block._replace(handlers=block.handlers | _BARE)
    elif header.irrefutable:
        block = block._replace(exhausted=header.irrefutable)
    if kind in ("function", "class"):
        state = scopes.enter(state, kind, header.is_async, header.parameters)
    state.block = Block(kind, block, is_empty=True)
    return state.framed(Frame("row", mark=state.seen)).headed(Header("none"))


def block_end(state: State) -> State:
    """A block ends, and the scope of a definition with it."""
    state = fresh(state)
    block = state.block
    if block.is_empty:
        refuse("empty block")
    if block.kind in ("function", "class"):
        state = scopes.leave(state)
    state.block = block.up or block
    return state.framed(Frame("row", mark=state.seen))
