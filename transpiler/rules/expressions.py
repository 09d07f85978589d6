"""Expressions: operands and operators, brackets, calls, comprehensions, strings with fields, lambdas, ``await`` and ``yield``."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import CONSTANT, ID, named
from transpiler.rules import literals
from transpiler.rules.elements import (
    STARS,
    GENERATORS,
    NO,
    OWED,
    YES,
    awaits,
    check_element,
    check_scope,
    in_lambda,
    is_lone_star,
    leave_frame,
    next_element,
    operand,
    refuse_await,
    row_form,
    row_names,
    seal,
    trailer,
)
from transpiler.rules.scopes import DEBUG, USE, bind, forget, see
from transpiler.rules.state import (
    ASSIGNABLE,
    BRACKETED,
    DELETABLE,
    LOOSE,
    OPEN,
    OWES,
    PLACE,
    RETURNS,
    SEALED,
    SINGLE,
    STARRED,
    YIELDS,
    Comprehension,
    Frame,
    State,
)
from transpiler.rules.table import refuse

OPERAND_ENDS = frozenset(ID[name] for name in ("NAME", "NUMBER", "STRING", ")", "]", "}", *named(CONSTANT), *(f"FSTRING_END_{quote}" for quote in "1236")))
_NOUNS = {"TRUE": "True", "FALSE": "False", "NONE": "None", "ELLIPSIS": "ellipsis"}
_COMPREHENSIONS = {"(": "generator expression", "call": "generator expression", "[": "list comprehension", "{": "set comprehension"}
_SPLAT, _DOUBLE_SPLAT, _CONCAT, _KEYWORD_ASSIGN = ID["SPLAT"], ID["DOUBLE_SPLAT"], ID["CONCAT"], ID["KEYWORD_ASSIGN"]
_PAIR_COLON, _FORMAT_COLON, _RETURN, _LAMBDA = ID["PAIR_COLON"], ID["FORMAT_COLON"], ID["RETURN"], ID["LAMBDA"]


class Arguments(NamedTuple):
    """Arguments of a call.

    Attributes:
        stage: 0, 1 after a keyword argument, 2 after a mapping.
        keywords: the names of the keyword arguments.
    """

    stage: int = 0
    keywords: tuple[str, ...] = ()


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


# ------------------------------------------------------------------------------------------------------------- operands


def name(state: State, text: str | None) -> State:
    """A name as an operand."""
    frame = state.frame
    if type(frame.part) is Arguments and not frame.form and frame.part.stage:
        rule = "positional after keyword" if frame.part.stage == 1 else "positional after mapping"
        if text is not None:
            text = literals.normalized(text)
            _check_keyword(frame.part, text)
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
            return
        frame = frame.up


def attribute(state: State, text: str | None) -> State:
    """A name after a dot."""
    if text == DEBUG:
        return trailer(state, PLACE & ~ASSIGNABLE, DEBUG)
    return trailer(state, PLACE, "attribute")


def number(state: State, text: str | None) -> State:
    if text is not None:
        literals.check_number(text)
    return operand(state, OPEN, "literal")


def constant(state: State, terminal: int) -> State:
    return operand(state, OPEN, _CONSTANT_NOUNS[terminal])


_KEYWORD_ONLY = frozenset((_KEYWORD_ASSIGN,))
_CONSTANT_NOUNS = {ID[key]: noun for key, noun in _NOUNS.items()}


def string(state: State, text: str | None) -> State:
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


# ------------------------------------------------------------------------------------------------------------- brackets


def open_round(state: State) -> State:
    if state.last in OPERAND_ENDS and state.frame.form:
        return state.framed(Frame("call", state.frame, mark=state.seen, part=Arguments()))
    state = operand_begins(state)
    return state.framed(Frame("(", state.frame, mark=state.seen))


def open_square(state: State) -> State:
    if state.last in OPERAND_ENDS and state.frame.form:
        return state.framed(Frame("index", state.frame, mark=state.seen))
    state = operand_begins(state)
    return state.framed(Frame("[", state.frame, mark=state.seen))


def open_curly(state: State) -> State:
    state = operand_begins(state)
    return state.framed(Frame("{", state.frame, mark=state.seen))


def operand_begins(state: State) -> State:
    """Refuse a bracket where no operand may begin."""
    if not state.frame.form and type(state.frame.part) is Arguments and state.frame.part.stage:
        refuse("positional after keyword" if state.frame.part.stage == 1 else "positional after mapping")
    return state


def close_round(state: State) -> State:
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
    if not frame.count and frame.form:
        form = (frame.form & (PLACE & ~OPEN)) | OPEN
        if form & SINGLE:
            form |= BRACKETED
        return leave_frame(state, form, frame.what, frame.names)
    return _display(state, "tuple")


def close_square(state: State) -> State:
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
    frame = state.frame
    if frame.kind in ("field", "format"):
        if frame.kind == "field" and is_lone_star(frame):
            refuse("star")
        return leave_frame(state, 0, "")
    if type(frame.part) is Comprehension:
        return leave_frame(state, OPEN, frame.part.what)
    _check_pair(frame)
    return leave_frame(state, OPEN, "dict literal" if frame.row == 0 or not (frame.form or frame.count) else "set display")


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
    return state.changed(form=SEALED, names=())


def _check_keyword(arguments: Arguments, name: str) -> None:
    if name == DEBUG:
        refuse("debug")
    if name in arguments.keywords:
        refuse("keyword repeated", name)


def keyword_assign(state: State) -> State:
    """After the name of a keyword argument.

    Raises:
        RuleError: "keyword repeated", "debug".
    """
    frame = state.frame
    name = frame.names[0] if frame.names else ""
    arguments: Arguments = frame.part
    _check_keyword(arguments, name)
    arguments = arguments._replace(stage=max(arguments.stage, 1), keywords=(*arguments.keywords, name))
    seen = state.seen
    if seen is not None and seen[0] == USE + name:
        state = forget(state, seen[1])  # it is the name of an argument and was taken for one of the scope
    return state.framed(frame._replace(form=SEALED, names=(), part=arguments))


# ------------------------------------------------------------------------------------------------------- comprehensions


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
        return state.framed(frame._replace(part=part._replace(clause="target"), form=0, demand=ASSIGNABLE, names=(), bound=(), count=0, stars=0, row=ASSIGNABLE | DELETABLE))
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
            bound=(),
            count=0,
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
    return state.framed(frame._replace(form=SEALED, names=(), bound=(), count=0, stars=0, demand=0, part=part))


def comprehension_if(state: State) -> State:
    state = _next_clause(state)
    return state.changed(form=SEALED, part=state.frame.part._replace(clause="condition"))


# ---------------------------------------------------------------------------------------------- lambdas, await and yield


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
    return state.framed(frame._replace(kind=kind, part=part, form=0, count=0, flags=frame.flags | YIELDS))


def yield_from(state: State) -> State:
    if state.scope.is_async and not in_lambda(state.frame):
        refuse("yield from")
    return state


# ------------------------------------------------------------------------------------------------- strings with fields


def string_start(state: State, text: str | None, is_raw: bool) -> State:
    kind = state.literal if text is None else "template" if "t" in text.lower() else "text"
    if text is not None or state.literal == "bytes":
        state = joined(state, kind if text is not None else "text")
    state = operand(state, OPEN, "t-string expression" if kind == "template" else "f-string expression")
    return state.framed(Frame("string", state.frame, mark=state.seen, part=Text(is_raw, kind, "" if text is None else text.lstrip("rRfFtT"))))


def string_text(state: State, text: str | None) -> State:
    frame: Frame | None = state.frame
    while frame is not None and frame.kind != "string":
        frame = frame.up
    if text is not None and frame is not None and not frame.part.is_raw:
        literals.check_escapes(text)
    return state


def string_end(state: State) -> State:
    kind = state.frame.part.kind
    state.literal = kind
    return leave_frame(state, 0, "")


def field_start(state: State) -> State:
    return state.framed(Frame("field", state.frame, mark=state.seen))


def field_conversion(state: State, text: str | None) -> State:
    if text is not None and text not in literals.CONVERSIONS:
        refuse("conversion", text[1:])
    return _field_ends(state)


def format_colon(state: State) -> State:
    return _field_ends(state).changed(kind="format")


def _field_ends(state: State) -> State:
    if is_lone_star(state.frame):
        refuse("star")
    return state

