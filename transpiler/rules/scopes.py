"""Names in scopes: what is seen and bound, and the statements ``global`` and ``nonlocal``."""

from __future__ import annotations

from transpiler.rules.names import Names, contains
from transpiler.rules.state import Scope, State
from transpiler.rules.table import refuse

DEBUG = "__debug__"
# What a name was seen as; what an import binds was not seen, to ``global``.
USE, ASSIGNED, ANNOTATED, PARAMETER, IMPORTED = " ", "=", ":", "(", ""


def see(state: State, name: str) -> State:
    """A name is used."""
    state.seen = Names(USE + name, state.seen)
    return state


def bind(state: State, *names: str, how: str = ASSIGNED) -> State:
    """Names are bound.

    Raises:
        RuleError: "debug".
    """
    if not names:
        return state
    scope = state.scope
    seen, bound = state.seen, scope.bound
    for name in names:
        if name == DEBUG:
            refuse("debug")
        if how:
            seen = Names(how + name, seen)
        if not contains(scope.outer, f"global {name}"):
            bound = Names(name, bound)
    state.seen = seen
    return state.scoped(scope._replace(bound=bound))


def forget(state: State, mark: Names | None) -> State:
    """What was seen after a mark belongs to a scope that has ended."""
    state.seen = mark
    return state


def counts_annotations(state: State) -> bool:
    """Whether names in annotations are names of the scope around them, as they were before 3.14."""
    return state.version is not None and state.version < (3, 14) and not state.has_lazy_annotations


def enter(state: State, kind: str, is_async: bool, parameters: Names | None) -> State:
    """The body of a class or function begins."""
    seen: Names | None = None
    for name in parameters or ():
        seen = Names(PARAMETER + name, seen)
    state.scope = Scope(kind, state.scope._replace(seen=state.seen), is_async, bound=parameters)
    state.seen = seen
    return state


def leave(state: State) -> State:
    """The body of a class or function ends.

    Raises:
        RuleError: "nonlocal unbound".
    """
    scope = state.scope
    outer = scope.up
    if outer is None:
        return state
    names = owed(scope)
    for name in names:
        if not _functions_with(outer, name):
            refuse("nonlocal unbound", name)
    if names:
        outer = outer._replace(owed=(*outer.owed, *(name for name in names if name not in outer.owed)))
    state.seen = outer.seen
    return state.scoped(outer)


def owed(scope: Scope) -> tuple[str, ...]:
    """The names that functions in a scope declare nonlocal and that it does not bind."""
    if scope.kind != "function":
        return scope.owed
    return tuple(name for name in scope.owed if not contains(scope.bound, name) or contains(scope.outer, f"nonlocal {name}"))


def has_around(scope: Scope, kind: str) -> bool:
    """Whether a scope of a kind is around a scope."""
    outer = scope.up
    while outer is not None:
        if outer.kind == kind:
            return True
        outer = outer.up
    return False


def _functions_with(scope: Scope | None, name: str) -> bool:
    """Whether a name may be bound in a function from a scope outwards."""
    while scope is not None:
        if scope.kind == "function" and not contains(scope.outer, f"global {name}"):
            return True
        scope = scope.up
    return False


def declare(state: State, word: str, name: str) -> State:
    """A name is declared global or nonlocal.

    Raises:
        RuleError: "global after use", "nonlocal and global" or "nonlocal unbound".
    """
    scope = state.scope
    if contains(state.seen, PARAMETER + name):
        refuse("global parameter", name, word)
    if contains(state.seen, ANNOTATED + name):
        refuse("global annotated", name, word)
    for how, words in ((ASSIGNED, "assigned to before"), (USE, "used prior to")):
        if contains(state.seen, how + name):
            refuse("global after use", name, words, word)
    other = "nonlocal" if word == "global" else "global"
    if contains(scope.outer, f"{other} {name}"):
        refuse("nonlocal and global", name)
    scope = scope._replace(outer=Names(f"{word} {name}", scope.outer))
    if word == "nonlocal":
        assert scope.up is not None
        if name != "__class__" or not has_around(scope, "class"):
            if not _functions_with(scope.up, name):
                refuse("nonlocal unbound", name)
            up = scope.up if name in scope.up.owed else scope.up._replace(owed=(*scope.up.owed, name))
            scope = scope._replace(up=up)
    return state.scoped(scope)
