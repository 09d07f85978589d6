"""The patterns of ``match``: what a name in them means, what alternatives bind, and what cannot be reached.

A name is a capture unless a dot, a bracket or ``=`` follows. Where no capture may stand, those are all that may come next.
The alternatives of ``[a, b] | (b, a)`` must bind the same names, so once the first is complete the others are held to its names:

    [a, b] | (b        ``]`` would be refused: a is missing
    [a, b] | 1         refused: a number binds nothing
"""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import ID
from transpiler.rules import literals
from transpiler.rules.names import Names, contains
from transpiler.rules.scopes import DEBUG, bind, see
from transpiler.rules.state import Frame, Only, State
from transpiler.rules.table import refuse

_DOT, _CALL, _KEYWORD, _SPLAT, _DOUBLE_SPLAT, _AS = (ID[name] for name in ("DOT", "(", "KEYWORD_ASSIGN", "SPLAT", "DOUBLE_SPLAT", "AS"))
_KEY = frozenset((_DOT,))
_ARGUMENT_STARTS = frozenset((_CALL, ID["PATTERN_SEP"]))
_VALUE = frozenset((_DOT, _CALL))
KINDS = ("case", "case (", "case [", "case {", "class pattern")
# The form of an element of a pattern: nothing; a name that may be a capture; a dotted name; a number; an imaginary one; a string;
# what is complete; a sub-pattern with a star; the name of a keyword pattern and its ``=``.
NOTHING, CAPTURE, DOTTED, NUMBER, IMAGINARY, STRING, COMPLETE, STAR, VALUE = range(9)


class Pattern(NamedTuple):
    """What a frame of patterns has bound.

    Attributes:
        base: names that were bound before the frame.
        total: names that its complete elements bind.
        current: names that the current alternative binds.
        required: names that it must bind, or ``None`` if it is the first.
        allowed: names that an alternative around the frame leaves to it, or ``None`` for any.
        irrefutable: what in the current alternative matches everything, or an empty string.
        keywords: attributes of keyword patterns.
        keys: the values of literal keys.
        key: the text of the current key.
        is_key: whether a key comes.
        is_closed: whether nothing may follow.
    """

    base: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    required: tuple[str, ...] | None = None
    allowed: tuple[str, ...] | None = None
    irrefutable: str = ""
    keywords: Names | None = None
    keys: tuple[object, ...] = ()
    key: str = ""
    is_key: bool = False
    is_closed: bool = False


def case(state: State) -> State:
    """The patterns of a case begin."""
    return state.framed(Frame("case", None, mark=state.seen, part=Pattern()))


def _may_bind(part: Pattern, name: str) -> bool:
    if name == "_":
        return True
    if name == DEBUG or name in part.base or name in part.total or name in part.current:
        return False
    allowed = _allowed(part)
    return allowed is None or name in allowed


def _may_bind_any(part: Pattern) -> bool:
    """Whether some name may still be captured."""
    allowed = _allowed(part)
    return allowed is None or any(_may_bind(part, name) for name in allowed)


def _is_argument(state: State) -> bool:
    """Whether an argument of a class pattern begins."""
    return state.frame.kind == "class pattern" and state.last in _ARGUMENT_STARTS


def _allowed(part: Pattern) -> tuple[str, ...] | None:
    """The names that may still be bound here, or ``None`` for any."""
    if part.required is not None:
        return tuple(name for name in part.required if name not in part.current)
    return part.allowed


def owed(part: Pattern) -> tuple[str, ...]:
    """The names that the current alternative, or one around it, has to bind."""
    return tuple(name for name in _allowed(part) or () if _may_bind(part, name))


def _missing(part: Pattern) -> bool:
    """Whether the current alternative lacks names."""
    return part.required is not None and len(part.current) < len(part.required)


def _why(part: Pattern, name: str) -> tuple[str, tuple[str, ...]]:
    """The rule that a capture of a name breaks, and its words."""
    if name == DEBUG:
        return "debug", ()
    if name in (*part.base, *part.total, *part.current):
        return "capture repeated", (name,)
    return "alternative names", ()


def name(state: State, text: str | None) -> State:
    """A name in a pattern."""
    frame = state.frame
    part: Pattern = frame.part
    text = normalized(text)
    if state.last == _DOT:
        only: Only | None = (_VALUE, "alternative names", ()) if _missing(part) else None
        return state.changed(form=DOTTED, part=part._replace(key=f"{part.key}.{text}")).limited(only)
    if state.last in (_SPLAT, _DOUBLE_SPLAT, _AS):
        return _capture(state, text, state.last)
    keyed = (_KEYWORD,) if _is_argument(state) else ()
    if text == "_" and frame.size and not part.keywords:
        keyed = ()  # CPython takes it for a wildcard after patterns without a name
    if part.is_key:
        return state.changed(form=CAPTURE, names=(text,), part=part._replace(key=text)).limited((_KEY, "pattern key", ()))
    if part.keywords and keyed:
        _check_attribute(part, text)
        return state.changed(form=CAPTURE, names=(text,)).limited((frozenset(keyed), "pattern positional", ()))
    only = None
    if text == "_" and _missing(part):  # neither a dot nor a bracket follows a wildcard
        if not keyed:
            refuse("alternative names")
        only = (frozenset(keyed), "alternative names", ())
    elif text and not _may_bind(part, text):
        only = (_VALUE | frozenset(keyed), *_why(part, text))
    elif text and part.required is not None and {*part.current, text} - {"_"} != set(part.required):
        only = (_VALUE | frozenset(keyed), "alternative names", ())
    return state.changed(form=CAPTURE, names=(text,), part=part._replace(key=text)).limited(only)


def normalized(text: str | None) -> str:
    """A name as CPython compares it; empty for any."""
    return "" if text is None else literals.normalized(text)


def _capture(state: State, text: str, last: int) -> State:
    """A name that is captured whatever follows."""
    part: Pattern = state.frame.part
    if last != _SPLAT and text == "_":
        refuse("capture wildcard" if last == _AS else "rest wildcard")
    if text and not _may_bind(part, text):
        rule, words = _why(part, text)
        refuse(rule, *words)
    if text not in ("", "_"):
        part = part._replace(current=(*part.current, text))
    form = STAR if last == _SPLAT else COMPLETE
    if last == _DOUBLE_SPLAT:
        part = part._replace(is_closed=True)
        _check_outer(state.frame._replace(part=part), text)
    return state.changed(form=form, names=(), part=part)


def _check_outer(frame: Frame, text: str) -> None:
    """Refuse the name of a mapping's rest where the alternative around the mapping then lacks others."""
    outer = frame.up
    if text and outer is not None and outer.part.required is not None:
        bound = {*outer.part.current, *frame.part.total, *frame.part.current}
        if bound != set(outer.part.required):
            refuse("alternative names")


def _settled(state: State) -> State:
    """The current alternative ends: what it captures, if it is a name."""
    frame = state.frame
    part: Pattern = frame.part
    if frame.form == CAPTURE and frame.names:
        name = frame.names[0]
        if name not in ("", "_"):
            part = part._replace(current=(*part.current, name))
        part = part._replace(irrefutable="wildcard" if name == "_" else f"name capture '{name}'")
    return state.framed(frame._replace(part=part, form=COMPLETE if frame.form != STAR else STAR, names=()))


def literal(state: State, form: int, key: str = "") -> State:
    """A literal, or a bracket that opens."""
    frame = state.frame
    part: Pattern = frame.part
    if part.is_closed:
        refuse("pattern rest")
    if part.keywords and _is_argument(state):
        refuse("pattern positional")
    if form != COMPLETE and _missing(part):
        refuse("alternative names")
    return state.changed(form=form, part=part._replace(key=part.key + key))


def dot(state: State) -> State:
    """A dot after a name: what stands before it is used, not captured."""
    return _used(state).changed(form=DOTTED)


def _used(state: State) -> State:
    frame = state.frame
    if frame.form != CAPTURE:
        return state
    if frame.names[0] == "_" and not frame.part.is_key:
        refuse("wildcard")
    return see(state, frame.names[0])


def opened(state: State, kind: str) -> State:
    """A bracket opens: of a class pattern after a name, of a sub-pattern elsewhere."""
    frame = state.frame
    part: Pattern = frame.part
    if part.is_key:
        refuse("pattern key")
    if kind == "case (" and frame.form in (CAPTURE, DOTTED):
        kind = "class pattern"
        state = _used(state).changed(form=COMPLETE, names=())
    else:
        state = literal(state, COMPLETE)
    part = state.frame.part
    inner = Pattern(base=(*part.base, *part.total, *part.current), allowed=_allowed(part), is_key=kind == "case {")
    return state.framed(Frame(kind, state.frame, part=inner))


def closed(state: State) -> State:
    """A bracket of a pattern closes."""
    state = end_element(state)
    frame = state.frame
    part: Pattern = frame.part
    outer = frame.up
    assert outer is not None
    is_group = frame.kind == "case (" and not frame.size and frame.form != NOTHING
    if is_group and frame.form == STAR:
        refuse("pattern star")
    above: Pattern = outer.part
    above = above._replace(current=(*above.current, *part.total), irrefutable=part.irrefutable if is_group else "")
    if _missing(above):
        refuse("alternative names")
    return state.framed(outer._replace(part=above, form=COMPLETE))


def end_element(state: State) -> State:
    """An element of patterns is complete.

    Raises:
        RuleError: "alternative names".
    """
    state = _settled(state)
    frame = state.frame
    part: Pattern = frame.part
    if _missing(part):
        refuse("alternative names")
    if frame.kind == "class pattern" and frame.form == STAR:
        refuse("pattern star")
    return state.changed(part=part._replace(total=(*part.total, *part.current), current=(), required=None))


def separator(state: State) -> State:
    """The comma after a pattern."""
    state = end_element(state)
    frame = state.frame
    part: Pattern = frame.part
    if part.is_closed:
        refuse("pattern rest")
    part = part._replace(irrefutable="", key="", is_key=frame.kind == "case {")
    return state.framed(frame._replace(form=NOTHING, size=frame.size + 1, stars=frame.stars + (frame.form == STAR), part=part))


def star(state: State, terminal: int) -> State:
    """A star before a name in a sequence, or two in a mapping."""
    frame = state.frame
    if terminal == _DOUBLE_SPLAT:
        if not _may_bind_any(frame.part):
            refuse("alternative names")
        return state.changed(part=frame.part._replace(is_key=False))
    if frame.stars:
        refuse("pattern stars")
    if frame.kind in ("class pattern", "case {"):
        refuse("pattern star")
    return state


def union(state: State) -> State:
    """The bar between alternatives."""
    state = _settled(state)
    part: Pattern = state.frame.part
    if part.irrefutable:
        refuse("unreachable case", part.irrefutable)
    if _missing(part):
        refuse("alternative names")
    required = part.current if part.required is None else part.required
    return state.changed(form=NOTHING, part=part._replace(current=(), required=required, key=""))


def as_(state: State) -> State:
    """``as``: the alternatives are complete."""
    state = _settled(state)
    part: Pattern = state.frame.part
    if _missing(part):
        refuse("alternative names")
    part = part._replace(required=None)
    if not _may_bind_any(part):
        refuse("alternative names")
    return state.changed(part=part)


def _check_attribute(part: Pattern, name: str) -> None:
    if name == DEBUG:
        refuse("debug")
    if contains(part.keywords, name):
        refuse("pattern attribute", name)


def keyword(state: State) -> State:
    """The ``=`` of a keyword pattern."""
    frame = state.frame
    part: Pattern = frame.part
    attribute = frame.names[0] if frame.names else ""
    if attribute == "_" and frame.size and not part.keywords:
        refuse("wildcard")
    _check_attribute(part, attribute)
    return state.framed(frame._replace(form=VALUE, names=(), part=part._replace(keywords=Names(attribute, part.keywords))))


def finished(state: State) -> tuple[State, str]:
    """The patterns of a case are complete: their names are bound. Also what in them matches everything."""
    state = end_element(state)
    frame = state.frame
    if frame.kind == "case" and not frame.size and frame.form == STAR:
        refuse("pattern star")
    irrefutable = "" if frame.size else frame.part.irrefutable
    return bind(state, *frame.part.total), irrefutable
