"""What the automaton of the rules remembers. Frames, scopes and blocks are immutable, so a copy of a state is a few references.

While ``def f(a):`` and ``x = [(y, z) for`` are read, the innermost first:

    frames   "[" with a comprehension  ->  "right" (the right side of ``x =``)
    scopes   function f, in which a and x have been seen  ->  module, in which f has been seen
    blocks   "function"  ->  None (the module)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from transpiler.rules.names import Names

Rows = tuple[tuple[str, ...], "Rows"] | None
"""The names of elements, those of the last one first."""
# What an element of a row or bracket is, so far. None of these: nothing of it has been read.
ASSIGNABLE, DELETABLE, SINGLE, OPEN, SEALED, STARRED, LOOSE, BRACKETED, TRAILED = 1, 2, 4, 8, 16, 32, 64, 128, 256
"""It can be assigned to, deleted, annotated; a trailer would make it a place; it never can be one; a star stands before it;
an operator that no star can reach over stands in it; a single target in parentheses begins it; something follows that."""
PLACE = ASSIGNABLE | DELETABLE | SINGLE | OPEN
YIELDS, OWES, RETURNS = 1, 2, 4
"""A ``yield`` stands in the frame or the scope; an ``await`` that is valid only in a generator expression around it stands in the
frame; a ``return`` with a value stands in the scope."""
Only = tuple[frozenset[int], str, tuple[str, ...]]
"""The ids of the terminals that alone may come next, the rule that all others break, and the words of its message."""


class Comprehension(NamedTuple):
    """A comprehension, from its first ``for`` on.

    Attributes:
        clause: "target", "first" (its first iterable, which the scope around it evaluates), "iterable" or "condition".
        variables: the iteration variables.
        before: names that assignment expressions in its element bind.
        loops: how many iterables have begun.
        what: what CPython calls it.
    """

    clause: str
    variables: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    loops: int = 0
    what: str = ""


class Frame(NamedTuple):
    """A statement, a bracket, or another part of a program that holds a row of elements.

    Attributes:
        kind: what it is.
        up: the frame around it.
        form: what the current element is so far.
        what: what CPython calls it in messages.
        names: the names that the current element would bind as a target.
        size: how many elements are complete.
        row: what all of them are.
        bound: the names that they would bind.
        stars: how many of them have a star.
        demand: what every element has to be: 0, ASSIGNABLE or DELETABLE.
        flags: YIELDS, OWES.
        walrus: names that assignment expressions in it bind.
        deep: names that assignment expressions in comprehensions in it bind.
        mark: the names that the scope had seen when the frame or its current clause began.
        part: what only frames of its kind have.
    """

    kind: str
    up: Frame | None = None
    form: int = 0
    what: str = ""
    names: tuple[str, ...] = ()
    size: int = 0
    row: int = ASSIGNABLE | DELETABLE
    bound: Rows = None
    stars: int = 0
    demand: int = 0
    flags: int = 0
    walrus: tuple[str, ...] = ()
    deep: tuple[str, ...] = ()
    mark: Names | None = None
    part: Any = None


class Scope(NamedTuple):
    """A module, a class or a function.

    Attributes:
        kind: "module", "class" or "function".
        up: the scope around it.
        is_async: whether it is an asynchronous function.
        seen: the names that it used or bound before the scope began that is open in it.
        bound: the names that it binds, so far.
        outer: the names that it declares global or nonlocal, as ``"global x"``.
        owed: the names that functions in it declare nonlocal.
        flags: YIELDS, RETURNS.
    """

    kind: str
    up: Scope | None = None
    is_async: bool = False
    seen: Names | None = None
    bound: Names | None = None
    outer: Names | None = None
    owed: tuple[str, ...] = ()
    flags: int = 0


class Block(NamedTuple):
    """A block of statements.

    Attributes:
        kind: the clause that it belongs to.
        up: the block around it.
        handlers: what the last ``try`` in it has: ANY ``except``, a GROUP ``except*``, a BARE ``except``.
        exhausted: in the block of a ``match``, what in a case has matched everything, or an empty string.
        is_empty: whether no statement has been read in it.
    """

    kind: str
    up: Block | None = None
    handlers: int = 0
    exhausted: str = ""
    is_empty: bool = False


class Header(NamedTuple):
    """What is known of the block that comes next.

    Attributes:
        kind: the clause that it belongs to.
        is_async: whether it is that of an asynchronous function.
        parameters: the names of the parameters of the function.
        is_generic: whether there are type parameters.
        irrefutable: what in the case matches everything, or an empty string.
    """

    kind: str = "module"
    is_async: bool = False
    parameters: Names | None = None
    is_generic: bool = False
    irrefutable: str = ""


class State:
    """All that the automaton remembers. A step copies it once, and what the step calls changes the copy.

    Attributes:
        frame: the innermost frame.
        scope: the innermost scope.
        seen: the names that it uses or binds, so far.
        block: the innermost block.
        header: what is known of the block that comes next.
        last: the id of the last terminal, comments and marks of blanks not counted.
        only: the ids of the terminals that may come next and the rule that the others break, or ``None``.
        beginning: whether an import from ``__future__`` may still come: 0, 1 after no statement, 2 after a string or such imports.
        has_lazy_annotations: whether ``from __future__ import annotations`` has been read.
        literal: the kind of the last string: "text", "bytes", "template", or nothing.
        version: the Python that has to read the program, or ``None`` for any.
    """

    __slots__ = ("beginning", "block", "frame", "has_lazy_annotations", "header", "last", "literal", "only", "scope", "seen", "version")

    def __init__(self, version: tuple[int, int] | None = None) -> None:
        self.frame = Frame("row")
        self.scope = Scope("module")
        self.seen: Names | None = None
        self.block = Block("module")
        self.header = Header()
        self.last = -1
        self.only: Only | None = None
        self.beginning = 1
        self.has_lazy_annotations = False
        self.literal = ""
        self.version = version

    def copy(self) -> State:
        """A state that can be changed on its own."""
        other = State.__new__(State)
        other.frame = self.frame
        other.scope = self.scope
        other.seen = self.seen
        other.block = self.block
        other.header = self.header
        other.last = self.last
        other.only = self.only
        other.beginning = self.beginning
        other.has_lazy_annotations = self.has_lazy_annotations
        other.literal = self.literal
        other.version = self.version
        return other

    def is_for(self, since: tuple[int, int]) -> bool:
        """Whether the program is for a Python that is at least this one."""
        return self.version is not None and self.version >= since

    def framed(self, frame: Frame) -> State:
        """Put another frame innermost."""
        self.frame = frame
        return self

    def changed(self, **changes: Any) -> State:
        """Change the innermost frame."""
        self.frame = self.frame._replace(**changes)
        return self

    def scoped(self, scope: Scope) -> State:
        """Change the scope."""
        self.scope = scope
        return self

    def headed(self, header: Header) -> State:
        """Say what is known of the block that comes next."""
        self.header = header
        return self

    def limited(self, only: Only | None) -> State:
        """Say what alone may come next."""
        self.only = only
        return self


class Arguments(NamedTuple):
    """Arguments of a call.

    Attributes:
        stage: 0, 1 after a keyword argument, 2 after a mapping.
        keywords: the names of the keyword arguments.
    """

    stage: int = 0
    keywords: Names | None = None
