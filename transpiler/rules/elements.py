"""The elements of rows and brackets: what an element is so far, whether it can be a target, and where it ends.

An element grows from the left: ``a`` can be a target, ``a.b`` and ``a.b[c]`` can, ``a()`` cannot but ``a().b`` can, and
after ``a + b`` nothing makes it one. So where a target has to stand the operator is refused, and where ``=`` turns out to
follow, the ``=`` is.
"""

from __future__ import annotations

from typing import NoReturn

from simpy_grammar.terminals import ID, TERMINALS
from transpiler.rules.scopes import DEBUG, bind, forget
from transpiler.rules.state import (
    ASSIGNABLE,
    BRACKETED,
    DELETABLE,
    LOOSE,
    OPEN,
    OWES,
    SEALED,
    STARRED,
    TRAILED,
    YIELDS,
    Comprehension,
    Frame,
    State,
)
from transpiler.rules.table import refuse

STARS = "stars"
"""What a tuple or list with several starred elements is called, which is not a target."""
GENERATORS = ("(", "call")
"""The brackets in which a comprehension is a generator expression."""
_COMPARISONS = frozenset(ID[name] for name in "IN NOT_IN IS IS_NOT EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL".split())
_LOOSE = _COMPARISONS | frozenset(ID[name] for name in ("AND", "OR", "IF", "NOT", "LAMBDA"))
_WHAT = {ID["LAMBDA"]: "lambda", ID["IF"]: "conditional expression", ID["AWAIT"]: "await expression"} | dict.fromkeys(
    _COMPARISONS, "comparison"
)
_CALLS = ("call", "class call", "index")  # a star in them reaches over all operators
_CONTINUES = frozenset(
    terminal.id
    for terminal in TERMINALS
    if terminal.role in ("open", "constant", "binary", "unary", "space")
    or terminal.name.startswith(("FSTRING", "RAW_FSTRING", "FORMAT_TEXT", "FIELD_START", "FIELD_VERBATIM"))
    or terminal.name
    in ("NAME", "NUMBER", "STRING", "DOT", "NUMBER_DOT", "CONCAT", "IF", "ELSE", "LAMBDA", "AWAIT", "WALRUS", "INNER_COMMENT")
)
ENDS = tuple(terminal.id not in _CONTINUES for terminal in TERMINALS)
"""Terminal id -> whether it ends an expression that stands before it."""


def operand(state: State, form: int, what: str, names: tuple[str, ...] = ()) -> State:
    """An operand is complete, or what will be one has begun.

    Raises:
        RuleError: a rule about arguments.
    """
    frame = state.frame
    if not frame.form:
        if frame.part is not None:
            check_argument(frame)
        return state.framed(frame._replace(form=form, what=what, names=names))
    if frame.form == STARRED:
        return state.framed(frame._replace(form=STARRED | (form & ~DELETABLE), what=what, names=names))
    return state


def check_argument(frame: Frame) -> None:
    """Refuse an argument without a name after one with a name.

    Raises:
        RuleError: "positional after keyword", "positional after mapping".
    """
    stage = getattr(frame.part, "stage", 0)
    if stage:
        refuse("positional after keyword" if stage == 1 else "positional after mapping")


def seal(state: State, terminal: int) -> State:
    """An operator comes: the element can no longer be a target.

    Raises:
        RuleError: it has to be one; or a star cannot reach over the operator.
    """
    frame = state.frame
    form = frame.form
    what = _WHAT.get(terminal, "expression")
    if frame.demand:
        refuse_target(frame, what)
    if form & STARRED and terminal in _LOOSE and frame.kind not in _CALLS:
        if frame.what == "**" and not frame.size and (state.version is None or state.version >= (3, 15)):
            return state.framed(frame._replace(form=form | LOOSE))
        refuse("star operand")
    if not form and frame.part is not None:
        check_argument(frame)
    if frame.what == "**":
        return state
    return state.framed(frame._replace(form=(form & STARRED) | SEALED, what=what, names=()))


def refuse_target(frame: Frame, what: str) -> NoReturn:
    """Raise the error for what is not a target.

    Raises:
        RuleError: always.
    """
    if what == DEBUG:
        refuse("debug")
    if what == STARS:
        refuse("starred targets")
    refuse("deleted target" if frame.demand == DELETABLE else "assignment target", what)


def check_element(frame: Frame) -> None:
    """Refuse the end of an element that has to be a target and is not.

    Raises:
        RuleError: it is not a target; or it rebinds a name in a comprehension.
    """
    if frame.demand and frame.form:
        if not frame.form & frame.demand:
            refuse_target(frame, "starred" if frame.form & STARRED and frame.demand == DELETABLE else frame.what)
        if type(frame.part) is Comprehension:
            for name in frame.names:
                if name in frame.part.before:
                    refuse("walrus rebinds", name)
                if name in frame.walrus:
                    refuse("walrus rebound", name)


def next_element(state: State) -> State:
    """A separator comes after an element.

    Raises:
        RuleError: the element cannot end here.
    """
    frame = state.frame
    check_element(frame)
    if frame.flags & OWES and frame.kind in GENERATORS and awaits(state, frame.up) == NO:
        refuse_await(state)
    return state.framed(
        frame._replace(
            form=0,
            what="",
            names=(),
            size=frame.size + 1,
            row=frame.row & frame.form,
            bound=(frame.names, frame.bound) if frame.names else frame.bound,
            stars=frame.stars + (1 if frame.form & STARRED else 0),
        )
    )


def row_form(frame: Frame) -> int:
    """What all the elements of a row or bracket are, the current one among them."""
    form = frame.row & frame.form if frame.form else frame.row
    stars = frame.stars + (1 if frame.form & STARRED else 0)
    if stars > 1:
        form &= ~ASSIGNABLE
    return form & ~DELETABLE if stars else form


def row_names(frame: Frame) -> tuple[str, ...]:
    """The names that the elements of a row or bracket would bind."""
    rows, bound = [frame.names], frame.bound
    while bound is not None:
        names, bound = bound
        rows.append(names)
    return tuple(name for names in reversed(rows) for name in names)


def is_lone_star(frame: Frame) -> bool:
    """Whether a row is one element with a star and no comma."""
    return not frame.size and bool(frame.form & STARRED)


def end_lambdas(state: State) -> State:
    """The bodies of lambdas end before what cannot go on an expression."""
    while state.frame.kind == "lambda body":
        frame = state.frame
        assert frame.up is not None
        state = forget(state, frame.mark).framed(frame.up)
    return state


def leave_frame(state: State, form: int, what: str, names: tuple[str, ...] = ()) -> State:
    """A bracket closes and is an operand of the frame around it, or a trailer of its operand.

    Args:
        state: the state in the bracket.
        form: what the operand is then; 0 leaves the element around it as it was.
        what: what CPython calls it.
        names: the names that it would bind.

    Raises:
        RuleError: "await outside", where no generator expression can make it valid any more.
    """
    frame, outer = state.frame, state.frame.up
    assert outer is not None
    flags, walrus, deep = outer.flags | (frame.flags & YIELDS), outer.walrus, outer.deep
    if frame.flags & OWES:
        if awaits(state, outer) == NO:
            refuse_await(state)
        flags |= OWES
    if type(frame.part) is Comprehension:
        if frame.part.clause != "first":
            state = forget(state, frame.mark)
        inner = (*frame.part.before, *frame.walrus)
        deep = (*deep, *inner, *frame.deep)
        if inner and not in_lambda(outer):
            state = bind(state, *inner)
    else:
        walrus, deep = walrus + frame.walrus, deep + frame.deep
    outer = outer._replace(flags=flags, walrus=walrus, deep=deep)
    return operand(state.framed(outer), form, what, names) if form else state.framed(outer)


def in_lambda(frame: Frame | None) -> bool:
    """Whether a frame is in the body of a lambda."""
    while frame is not None:
        if frame.kind == "lambda body":
            return True
        frame = frame.up
    return False


NO, OWED, YES = range(3)


def check_scope(state: State, frame: Frame | None, what: str) -> None:
    """Refuse what binds or suspends in a scope that cannot: a type variable, a type alias, a generic, an annotation.

    Args:
        state: the state.
        frame: the innermost frame to look at.
        what: what is used there, in the words of CPython.

    Raises:
        RuleError: "in type scope".
    """
    where = ""
    while frame is not None and frame.kind != "lambda body":
        is_annotation = frame.kind == "annotation" or (frame.kind == "parameters" and frame.part.is_annotation)
        if frame.kind == "type parameters":
            where = "a TypeVar bound"
        elif frame.kind == "type value":
            where = "a type alias"
        elif state.header.is_generic and (is_annotation or frame.kind == "class call"):
            where = "the definition of a generic"
        elif is_annotation and (state.is_for((3, 14)) or (state.has_lazy_annotations and state.is_for((3, 10)))):
            where = "an annotation"
        if where:
            refuse("in type scope", what, where)
        frame = frame.up


def refuse_await(state: State) -> NoReturn:
    """Raise the error for an ``await`` that no asynchronous function holds.

    Raises:
        RuleError: always.
    """
    refuse("await outside", "async function" if state.scope.kind == "function" or in_lambda(state.frame) else "function")


def awaits(state: State, frame: Frame | None) -> int:
    """Whether ``await`` may stand in a frame: NO, YES, or OWED if only a generator expression around it makes it valid."""
    owed = False
    while frame is not None:
        if frame.kind == "lambda body":
            return OWED if owed else NO
        if type(frame.part) is Comprehension:
            if frame.part.clause != "first" and frame.kind in GENERATORS:
                return YES
        elif frame.kind in GENERATORS and not frame.size and not getattr(frame.part, "stage", 0) and frame.part != "yield":
            owed = True
        frame = frame.up
    if state.scope.is_async:
        return YES
    return OWED if owed else NO


def trailer(state: State, form: int, what: str) -> State:
    """An attribute, a subscript or a call follows an operand."""
    frame = state.frame
    if not frame.form & OPEN:
        return state
    kept = frame.form & (STARRED | BRACKETED | TRAILED)
    if kept & BRACKETED:
        kept |= TRAILED
    return state.framed(frame._replace(form=kept | form, what=what, names=()))
