"""The automaton of the rules: lexemes in, a state that refuses what no valid Python program has there.

It stands beside a reader, and never in the place of one: it takes for granted that the grammar takes the lexemes. So it works
for every dialect, and for Python.
"""

from __future__ import annotations

from collections.abc import Callable

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import BINARY, CONSTANT, ID, SEPARATOR, TERMINALS, Version, general, named
from transpiler.rules import expressions, fields, literals, parameters, patterns, statements
from transpiler.rules.elements import ENDS, end_lambdas, seal
from transpiler.rules.state import LOOSE, OWES, STARRED, Frame, State
from transpiler.rules.syntax import check_version
from transpiler.rules.table import RULES, RuleError, refuse

Handler = Callable[[State, int, str | None], State]
END = -1
"""Stands for the end of the text where a terminal is asked for."""

_DOT, _NUMBER_DOT, _AS, _CONCAT = ID["DOT"], ID["NUMBER_DOT"], ID["AS"], ID["CONCAT"]
_SKIPPED = frozenset(ID[name] for name in ("INNER_COMMENT", "space", "HEADER_COMMENT"))
_DOCSTRING = frozenset(ID[name] for name in ("STRING", "CONCAT", "(", ")", "LINE_SEP", "COMMENT", "TRAILING_COMMENT"))


# ------------------------------------------------------------------------------------- terminals that depend on the frame


def _name(state: State, terminal: int, text: str | None) -> State:
    if text is not None and not text.isascii():
        literals.check_name(text)
    kind = state.frame.kind
    handler = _NAMES.get(kind)
    if handler is not None:
        return handler(state, text)
    if state.last == _DOT or state.last == _NUMBER_DOT:
        return expressions.attribute(state, text)
    if kind in _PARAMETER_KINDS and not state.frame.form:
        return _PARAMETER_KINDS[kind](state, text)
    if kind == "except" and state.last == _AS:
        return statements.handler_name(state, text)
    return expressions.name(state, text)


_NAMES: dict[str, Callable[[State, str | None], State]] = {
    **dict.fromkeys(("global", "nonlocal"), statements.declared),
    **dict.fromkeys(("import", "from", "module", "future"), statements.imported),
    **dict.fromkeys(("def", "class", "type"), statements.defined),
    **dict.fromkeys(patterns.KINDS, patterns.name),
}
_PARAMETER_KINDS: dict[str, Callable[[State, str | None], State]] = {
    "parameters": parameters.name,
    "lambda": parameters.name,
    "type parameters": parameters.type_name,
}
_IMPORTS = ("import", "from", "module", "future")


def _number(state: State, terminal: int, text: str | None) -> State:
    return patterns.number(state, text) if state.frame.kind in patterns.KINDS else expressions.number(state, text)


def _string(state: State, terminal: int, text: str | None) -> State:
    return patterns.string(state, text) if state.frame.kind in patterns.KINDS else expressions.string(state, text)


def _constant(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.constant(state, TERMINALS[terminal].python)
    return expressions.constant(state, terminal)


def _string_start(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        refuse("pattern literal")
    return expressions.string_start(state, text, TERMINALS[terminal].name.startswith("RAW"))


def _open_round(state: State, terminal: int, text: str | None) -> State:
    kind = state.frame.kind
    if kind in patterns.KINDS:
        return patterns.opened(state, "case (")
    if kind in _IMPORTS:
        return state.framed(Frame(kind, state.frame, part=state.frame.part))
    if kind == "with" and state.last == ID["WITH_PARENTHESES"]:
        return state.framed(Frame("with", state.frame, mark=state.seen))
    if kind == "class":
        return state.framed(Frame("class call", state.frame, mark=state.seen, part=expressions.Arguments()))
    return expressions.open_round(state)


def _open_square(state: State, terminal: int, text: str | None) -> State:
    kind = state.frame.kind
    if kind in patterns.KINDS:
        return patterns.opened(state, "case [")
    if kind in ("def", "class", "type"):
        return parameters.start_types(state)
    return expressions.open_square(state)


def _open_curly(state: State, terminal: int, text: str | None) -> State:
    return patterns.opened(state, "case {") if state.frame.kind in patterns.KINDS else expressions.open_curly(state)


def _close_round(state: State, terminal: int, text: str | None) -> State:
    frame = state.frame
    if frame.kind in patterns.KINDS:
        return patterns.closed(state)
    if frame.kind in _IMPORTS or frame.kind == "with":
        state = statements.end_statement(state)
        assert frame.up is not None
        return state.framed(frame.up)
    return expressions.close_round(state)


def _close_square(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.closed(state)
    return parameters.end_types(state) if state.frame.kind == "type parameters" else expressions.close_square(state)


def _close_curly(state: State, terminal: int, text: str | None) -> State:
    return patterns.closed(state) if state.frame.kind in patterns.KINDS else expressions.close_curly(state)


def _splat(state: State, terminal: int, text: str | None) -> State:
    frame = state.frame
    if frame.kind in patterns.KINDS:
        return patterns.star(state, terminal)
    if frame.kind in ("parameters", "lambda") and not frame.form:
        return parameters.star(state, terminal)
    if frame.kind == "type parameters" and not frame.form:
        return state
    if frame.kind in ("parameters", "type parameters"):
        return state.changed(form=STARRED)
    return expressions.star(state, terminal)


def _comma(state: State, terminal: int, text: str | None) -> State:
    """The comma after a single element, and those that end nothing but an element."""
    return patterns.separator(state) if state.frame.kind in patterns.KINDS else expressions.separator(state)


def _pair_colon(state: State, terminal: int, text: str | None) -> State:
    return patterns.pair_colon(state) if state.frame.kind in patterns.KINDS else expressions.pair_colon(state)


def _keyword_assign(state: State, terminal: int, text: str | None) -> State:
    return patterns.keyword(state) if state.frame.kind in patterns.KINDS else expressions.keyword_assign(state)


def _binary(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.union(state) if terminal == ID["BIT_OR"] else patterns.operator(state, TERMINALS[terminal].python)
    return seal(state, terminal)


def _unary(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.sign(state, TERMINALS[terminal].python)
    return seal(state, terminal)


def _dot(state: State, terminal: int, text: str | None) -> State:
    return patterns.dot(state) if state.frame.kind in patterns.KINDS else state


def _inner_comment(state: State, terminal: int, text: str | None) -> State:
    kind = state.frame.kind
    frame = state.frame
    while frame.kind in ("lambda", "lambda body") and frame.up is not None:
        frame = frame.up
    if frame.up is None:
        refuse("comment")
    if kind in ("parameters", "lambda"):
        parameters.check_comment(state)
    elif kind == "type parameters":
        parameters.check_type_comment(state)
    return state


def _verbatim(state: State, terminal: int, text: str | None) -> State:
    return state if text is None else fields.verbatim(state, text, _step)


def _header_comment(state: State, terminal: int, text: str | None) -> State:
    statements.end_statement(end_lambdas(state.copy()))  # only the block follows, so the header has to be complete
    return state


def _line(state: State, terminal: int, text: str | None) -> State:
    return statements.fresh(state)


def _nothing(state: State, terminal: int, text: str | None) -> State:
    return state


def _plain(function: Callable[[State], State]) -> Handler:
    return lambda state, terminal, text: function(state)


def _with(function: Callable[..., State], *arguments: object) -> Handler:
    return lambda state, terminal, text: function(state, *arguments)


def _texted(function: Callable[[State, str | None], State]) -> Handler:
    return lambda state, terminal, text: function(state, text)


def _terminaled(function: Callable[[State, int], State]) -> Handler:
    return lambda state, terminal, text: function(state, terminal)


# What a terminal does, in the order of the table of terminals.
_HANDLERS: dict[str, Handler] = {
    # definitions and headers
    "DEF": _with(statements.define, "function"),
    "CLASS": _with(statements.define, "class"),
    "DECORATOR": _with(statements.begin, "value"),
    "ASYNC": _plain(statements.async_),
    "LAZY": _plain(statements.lazy),
    **dict.fromkeys(("IF_STMT", "ELIF"), _with(statements.head, "if")),
    "WHILE": _with(statements.head, "loop"),
    "FOR_STMT": _plain(statements.for_),
    "FOR_IN": _plain(statements.for_in),
    "WITH": _plain(statements.with_),
    "MATCH": _with(statements.head, "match"),
    "CASE": _plain(statements.case),
    "GUARD": _plain(statements.guard),
    "TRY": _plain(statements.try_),
    "EXCEPT": _with(statements.except_, False),
    "EXCEPT_GROUP": _with(statements.except_, True),
    "ELSE_STMT": _with(statements.head, "else"),
    "FINALLY": _with(statements.head, "finally"),
    # simple statements
    "PASS": _with(statements.begin, "row"),
    "BREAK": _with(statements.leave_loop, "break"),
    "CONTINUE": _with(statements.leave_loop, "continue"),
    "RETURN": _plain(statements.return_),
    **dict.fromkeys(("RAISE", "ASSERT"), _with(statements.begin, "value")),
    "DEL": _plain(statements.delete),
    "GLOBAL": _with(statements.begin, "global"),
    "NONLOCAL": _plain(statements.nonlocal_),
    "TYPE_ALIAS": _plain(statements.type_alias),
    "IMPORT": _with(statements.import_, "import"),
    "FROM_IMPORT": _with(statements.import_, "module"),
    "FUTURE_IMPORT": _plain(statements.future_import),
    "IMPORT_NAMES": lambda state, terminal, text: state.changed(kind="from", names=()),
    "IMPORT_SEP": _plain(statements.import_ends),
    "*": _plain(statements.import_star),
    "AS": _plain(statements.as_),
    "space": _plain(statements.return_value),
    # rows and assignments
    **dict.fromkeys(("EXPRESSION_SEP", "ELEMENT_SEP", "ARGUMENT_SEP", "INDEX_SEP", "PAIR_SEP", "COMMA", "PATTERN_SEP"), _comma),
    **dict.fromkeys(("EXCEPT_SEP", "ASSERT_SEP", "FROM"), _comma),
    **dict.fromkeys(("WITH_SEP", "WITH_CLOSE"), _plain(statements.with_item_ends)),
    "TARGET_SEP": _plain(statements.target_separator),
    "ASSIGN": _plain(statements.assign),
    "ANNOTATION": _plain(statements.annotate),
    **dict.fromkeys((name for name in named("assignment") if name != "ASSIGN"), _plain(statements.augment)),
    # parameters
    "PARAMETERS_START": _plain(parameters.start),
    "PARAMETERS_END": _plain(parameters.end),
    **dict.fromkeys(("PARAMETER_SEP", "LAMBDA_SEP"), _plain(parameters.separator)),
    "PARAMETER_STAR": _terminaled(parameters.star),
    "/": _plain(parameters.slash),
    **dict.fromkeys(("DEFAULT", "ANNOTATED_DEFAULT"), _plain(parameters.default)),
    "PARAMETER_ANNOTATION": _plain(parameters.annotation),
    "RETURN_ARROW": _plain(statements.return_arrow),
    "LAMBDA": _terminaled(parameters.start_lambda),
    "LAMBDA_COLON": _plain(parameters.end_lambda),
    "TYPE_PARAMETER_SEP": _plain(parameters.type_separator),
    "TYPE_BOUND": _plain(parameters.type_bound),
    "TYPE_DEFAULT": _plain(parameters.type_default),
    # expressions
    "NAME": _name,
    "NUMBER": _number,
    "STRING": _string,
    **dict.fromkeys(named(CONSTANT), _constant),
    "EMPTY_PARAMETERS": _nothing,
    **dict.fromkeys(named(BINARY), _binary),
    **dict.fromkeys(("NEGATE", "POSITIVE", "INVERT", "NOT"), _unary),
    "IF": _binary,
    "SPLAT": _splat,
    "DOUBLE_SPLAT": _splat,
    "(": _open_round,
    "[": _open_square,
    "{": _open_curly,
    ")": _close_round,
    "]": _close_square,
    "}": _close_curly,
    "DOT": _dot,
    "WALRUS": _plain(expressions.walrus),
    "PAIR_COLON": _pair_colon,
    "SLICE_COLON": _plain(expressions.slice_colon),
    "KEYWORD_ASSIGN": _keyword_assign,
    "AWAIT": _terminaled(expressions.await_),
    "YIELD": _plain(expressions.yield_),
    "YIELD_FROM": _plain(expressions.yield_from),
    "COMPREHENSION_FOR": _plain(expressions.comprehension_for),
    "COMPREHENSION_ASYNC": _plain(expressions.comprehension_async),
    "COMPREHENSION_IN": _plain(expressions.comprehension_in),
    "COMPREHENSION_IF": _plain(expressions.comprehension_if),
    # strings with fields
    **dict.fromkeys((f"{raw}FSTRING_START_{quote}" for raw in ("", "RAW_") for quote in "1236"), _string_start),
    **dict.fromkeys((f"{raw}FSTRING_TEXT_{quote}" for raw in ("", "RAW_") for quote in "1236"), _texted(expressions.string_text)),
    **dict.fromkeys((f"FSTRING_END_{quote}" for quote in "1236"), _plain(expressions.string_end)),
    "FIELD_START": _plain(expressions.field_start),
    "FIELD_VERBATIM": _verbatim,
    "FIELD_CONVERSION": _texted(expressions.field_conversion),
    "FORMAT_COLON": _plain(expressions.format_colon),
    "FORMAT_TEXT": _texted(expressions.string_text),
    # lines and blocks
    **dict.fromkeys(("LINE_SEP", "COMMENT", "TRAILING_COMMENT"), _line),
    "BLOCK_START": _plain(statements.block_start),
    "BLOCK_END": _plain(statements.block_end),
    "HEADER_COMMENT": _header_comment,
    "INNER_COMMENT": _inner_comment,
}
_GENERAL_IDS = [ID[general(terminal.name)] for terminal in TERMINALS]
_BY_ID = [_HANDLERS.get(general(terminal.name), _nothing) for terminal in TERMINALS]
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
        if terminal in (_UNCONDITIONAL if self._state.version is None else _UNVERSIONED) and _is_plain(self._state):
            return False
        try:
            if terminal == END:
                self.end()
            else:
                _step(self._state.copy(), terminal, None if terminal in _DATA else "")
        except RuleError:
            return True
        return False

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
    if state.version is not None:
        check_version(state, terminal, text)
    if terminal in _SKIPPED:
        return _BY_ID[terminal](state, terminal, text)
    if state.beginning:
        state.beginning = _beginning(state, terminal, text)
    if state.block.is_empty and terminal not in _NO_STATEMENT:
        state.block = state.block._replace(is_empty=False)
    if ENDS[terminal]:
        state = end_lambdas(state)
    state = _BY_ID[terminal](state, terminal, text)
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
        *("FROM_IMPORT", "TYPE_ALIAS", "ELIF", "ELSE_STMT", "FINALLY"),
    )
) - {ID["TARGET_SEP"]}
_UNVERSIONED = frozenset(terminal for terminal in _UNCONDITIONAL if TERMINALS[terminal].since is None) - {ID["SPLAT"]}
_PLAIN_KINDS = frozenset(("row", "right", "value", "(", "[", "{", "call", "index"))


def _is_plain(state: State) -> bool:
    """Whether nothing in the innermost frame makes a rule about an element or the next lexeme apply."""
    frame = state.frame
    if state.only is not None or frame.kind not in _PLAIN_KINDS:
        return False
    if frame.demand or frame.flags & OWES or frame.form & (STARRED | LOOSE):
        return False
    return frame.part is None or (type(frame.part) is expressions.Arguments and not frame.part.stage)


def refused(stream: Stream, *, version: Version | None = None) -> RuleError | None:
    """The first lexeme of a whole program that breaks a rule, or ``None``.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import read_stream
    >>> error = refused(read_stream("def f(a=1, b): pass", Dialect.load("python")))
    >>> error.message, error.index
    ('parameter without a default follows parameter with a default', 7)
    """
    state = Rules(version=version)._state
    index = 0
    try:
        for index, (terminal, text) in enumerate(zip(stream.terminals, stream.texts, strict=True)):
            state = _step(state, terminal, text)
        index = len(stream)
        after = Rules()
        after._state = state
        after.end()
    except RuleError as error:
        error.index = index
        error.offset = stream.starts[index] if index < len(stream.starts) else -1
        return error
    return None


__all__ = ["END", "RULES", "RuleError", "Rules", "refused"]
