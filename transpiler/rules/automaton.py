"""The automaton of the rules: lexemes in, a state that refuses what no valid Python program has there.

It stands beside a reader, and never in the place of one: it takes for granted that the grammar takes the lexemes. So it works
for every dialect, and for Python.
"""

from __future__ import annotations

from collections.abc import Hashable

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import ASSIGNMENT, BINARY, CONSTANT, ID, SEPARATOR, TERMINALS, Version, general, named
from transpiler.rules import fields, literals, patterns, scopes, statements
from transpiler.rules.elements import ENDS, end_lambdas
from transpiler.rules.handlers import BY_ID
from transpiler.rules.state import LOOSE, OWES, SINGLE, STARRED, Arguments, State
from transpiler.rules.syntax import check_version, refuses_between
from transpiler.rules.table import RuleError, refuse

END = -1
"""Stands for the end of the text where a terminal is asked for."""
_SKIPPED = frozenset(ID[name] for name in ("INNER_COMMENT", "space", "HEADER_COMMENT"))
_DOCSTRING = frozenset(ID[name] for name in ("STRING", "CONCAT", "(", ")", "LINE_SEP", "COMMENT", "TRAILING_COMMENT"))
_GENERAL_IDS = [ID[general(terminal.name)] for terminal in TERMINALS]
_DATA = frozenset(terminal.id for terminal in TERMINALS if terminal.role == "data")


class Rules:
    """What may follow, by the rules, after the beginning of a program. It is a value: ``push`` returns another one.

    >>> from simpy_grammar.terminals import ID
    >>> rules = Rules().push(ID["NAME"], "f").push(ID["("], "(").push(ID["NAME"], "a").push(ID["KEYWORD_ASSIGN"], "=")
    >>> rules = rules.push(ID["NUMBER"], "1").push(ID["ARGUMENT_SEP"], ",")
    >>> rules.refuses(ID["NUMBER"]), rules.refuses(ID["NAME"]), rules.push(ID["NAME"], "b").refuses(ID[")"])
    (True, False, True)
    >>> rules.push(ID["NUMBER"], "2")
    Traceback (most recent call last):
    transpiler.rules.table.RuleError: positional argument follows keyword argument
    """

    __slots__ = ("_state",)

    def __init__(self, *, version: Version | None = None) -> None:
        """The rules at the beginning of a program.

        Args:
            version: the Python that has to read it, such as ``(3, 11)``; its syntax must be no newer. ``None`` for any Python.
        """
        self._state = State(version)

    def push(self, terminal: int, text: str = "") -> Rules:
        """The rules after one more lexeme.

        Args:
            terminal: its id, as in ``Stream.terminals``.
            text: its text; only that of data is looked at.

        Raises:
            RuleError: no valid program goes on with this lexeme.
        """
        after = Rules.__new__(Rules)
        after._state = _step(self._state.copy(), terminal, text)
        return after

    def refuses(self, terminal: int) -> bool:
        """Whether no valid program goes on with a terminal, whatever its text."""
        state = self._state
        if terminal in (_UNCONDITIONAL if state.version is None else _UNVERSIONED) and _is_plain(state):
            return False
        if terminal in _AUGMENTED and _is_plain(state):
            return not state.frame.form & SINGLE
        if terminal in _UNLESS_JOINED and state.last != _CONCAT and _is_plain(state):
            return False
        try:
            if terminal == END:
                self.end()
            else:
                _step(self._state.copy(), terminal, None if terminal in _DATA else "")
        except RuleError:
            return True
        return False

    def refuses_between(self, char: str) -> bool:
        r"""Whether a line break, a backslash or the ``#`` of a comment must not stand between two lexemes here.

        No lexeme says what stands between; in Python before 3.12 a field of a string cannot hold all of it.

        >>> from simpy_grammar.terminals import ID
        >>> rules = Rules(version=(3, 11)).push(ID["FSTRING_START_1"], "f'").push(ID["FIELD_START"], "{")
        >>> rules.refuses_between("\n"), rules.refuses_between("#"), Rules(version=(3, 11)).refuses_between("\n")
        (True, True, False)
        """
        return refuses_between(self._state, char)

    @property
    def outlook(self) -> Hashable:
        """What the innermost frame allows: where it is equal, mostly the same may follow."""
        frame = self._state.frame
        return frame.kind, frame.form, frame.flags, frame.demand, self._state.only

    @property
    def owed(self) -> tuple[str, ...]:
        """Names that have to be bound before something can end: for functions in the scope, and by an alternative of a pattern."""
        state = self._state
        part = state.frame.part
        return (*scopes.owed(state.scope), *(patterns.owed(part) if type(part) is patterns.Pattern else ()))

    def end(self) -> None:
        """Read the end of the text.

        Raises:
            RuleError: no valid program ends here.
        """
        state = self._state.copy()
        if state.only is not None:
            refuse(state.only[1], *state.only[2])
        statements.may_end(end_lambdas(state))

    def may_end(self) -> bool:
        """Whether a valid program may end here."""
        return not self.refuses(END)


def _step(state: State, terminal: int, text: str | None) -> State:
    """Change a state to that after a lexeme; its text is ``None`` for any."""
    if state.only is not None:
        if terminal not in state.only[0]:
            refuse(state.only[1], *state.only[2])
        state.only = None
    if terminal in _SKIPPED:
        if state.version is not None:
            check_version(state, terminal, text)
        return BY_ID[terminal](state, terminal, text)
    if state.beginning:
        state.beginning = _beginning(state, terminal, text)
    if state.block.is_empty and terminal not in _NO_STATEMENT:
        state.block = state.block._replace(is_empty=False)
    if ENDS[terminal]:
        state = end_lambdas(state)
    if state.version is not None:
        check_version(state, terminal, text)
    if terminal == _VERBATIM and text is not None:
        state = fields.verbatim(state, text, _step)
    state = BY_ID[terminal](state, terminal, text)
    state.last = _GENERAL_IDS[terminal]
    return state


def _beginning(state: State, terminal: int, text: str | None) -> int:
    """Whether an import from ``__future__`` may come in the statement after this lexeme; see ``State.beginning``."""
    if terminal == _FUTURE:
        return 2
    if terminal in _FUTURE_PARTS and state.frame.kind == "future":
        return 2
    if terminal not in _DOCSTRING or (terminal == _STRING_ID and text is not None and literals.string_kind(text) != "text"):
        return 0
    if (terminal == _OPEN and state.last in (_STRING_ID, _CLOSE)) or (terminal == _CLOSE and state.last not in (_STRING_ID, _CLOSE)):
        return 0
    if terminal in (_STRING_ID, _OPEN) and state.frame.up is None and not state.frame.form:
        return 2 if state.beginning == 1 else 0
    return state.beginning


_VERBATIM = ID["FIELD_VERBATIM"]
_FUTURE_PARTS = frozenset(ID[name] for name in ("NAME", "AS", "IMPORT_SEP", "(", ")", "*"))
_NO_STATEMENT = frozenset(ID[name] for name in ("COMMENT", "TRAILING_COMMENT", "LINE_SEP", "BLOCK_END"))
_FUTURE, _STRING_ID, _OPEN, _CLOSE = (ID[name] for name in ("FUTURE_IMPORT", "STRING", "(", ")"))
# Terminals that no rule refuses in a plain frame.
_UNCONDITIONAL = frozenset(
    ID[name]
    for name in (
        *("NAME", "NUMBER", "DOT", "NUMBER_DOT", "(", "[", "{", ")", "]", "}", "SPLAT", "DOUBLE_SPLAT", "NEGATE", "POSITIVE", "INVERT"),
        *("NOT", "IF", "ELSE", *named(BINARY), *named(CONSTANT), *named(SEPARATOR)),
        *("PAIR_COLON", "SLICE_COLON", "LINE_SEP", "COMMENT", "TRAILING_COMMENT", "FORMAT_COLON", "AS", "FROM", "FOR_IN"),
        *("DEF", "CLASS", "DECORATOR", "ASYNC", "IF_STMT", "WHILE", "MATCH", "TRY", "PASS", "RAISE", "ASSERT", "DEL", "GLOBAL", "IMPORT"),
        *("FROM_IMPORT", "TYPE_ALIAS", "ELIF", "ELSE_STMT", "FINALLY", "LAMBDA", "LAMBDA_COLON", "BLOCK_START"),
    )
) - {ID["TARGET_SEP"]}
_UNVERSIONED = frozenset(terminal for terminal in _UNCONDITIONAL if TERMINALS[terminal].since is None) - {ID["SPLAT"]}
_AUGMENTED = frozenset(ID[name] for name in named(ASSIGNMENT)) - {ID["ASSIGN"]}
_UNLESS_JOINED = frozenset((ID["STRING"], *(terminal.id for terminal in TERMINALS if "FSTRING_START" in terminal.name)))
_CONCAT = ID["CONCAT"]
_PLAIN_KINDS = frozenset(("row", "right", "value", "(", "[", "{", "call", "index"))


def _is_plain(state: State) -> bool:
    """Whether nothing in the innermost frame makes a rule about an element or the next lexeme apply."""
    frame = state.frame
    if state.only is not None or frame.kind not in _PLAIN_KINDS:
        return False
    if frame.demand or frame.flags & OWES or frame.form & (STARRED | LOOSE):
        return False
    return frame.part is None or (type(frame.part) is Arguments and not frame.part.stage)


def refused(stream: Stream, *, version: Version | None = None) -> RuleError | None:
    """The first lexeme of a whole program that breaks a rule, or ``None``.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import read_stream
    >>> error = refused(read_stream("def f(a=1, b): pass", Dialect.load("python")))
    >>> error.message, error.index
    ('parameter without a default follows parameter with a default', 8)
    """
    state = Rules(version=version)._state
    index = 0
    try:
        for terminal, text in zip(stream.terminals, stream.texts, strict=True):
            state = _step(state, terminal, text)
            index += 1
        after = Rules()
        after._state = state
        after.end()
    except RuleError as error:
        error.index = index
        error.offset = stream.starts[index] if index < len(stream.starts) else -1
        return error
    return None


__all__ = ["END", "RuleError", "Rules", "refused"]
