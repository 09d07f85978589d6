"""What each terminal does: one table, and the few terminals whose meaning depends on the innermost frame."""

from __future__ import annotations

from collections.abc import Callable

from simpy_grammar.terminals import BINARY, CONSTANT, ID, TERMINALS, general, named
from transpiler.rules import (
    brackets,
    compound,
    comprehensions,
    imports,
    literals,
    operands,
    parameters,
    pattern_literals,
    patterns,
    statements,
    strings,
    suspensions,
    type_parameters,
)
from transpiler.rules.elements import end_lambdas, seal
from transpiler.rules.state import STARRED, Arguments, Frame, State
from transpiler.rules.table import refuse

Handler = Callable[[State, int, str | None], State]
_DOT, _NUMBER_DOT, _AS, _CONCAT = ID["DOT"], ID["NUMBER_DOT"], ID["AS"], ID["CONCAT"]


def _name(state: State, terminal: int, text: str | None) -> State:
    if text is not None and not text.isascii():
        literals.check_name(text)
    kind = state.frame.kind
    handler = _NAMES.get(kind)
    if handler is not None:
        return handler(state, text)
    if state.last == _DOT or state.last == _NUMBER_DOT:
        return operands.attribute(state, text)
    if kind in _PARAMETER_KINDS and not state.frame.form:
        return _PARAMETER_KINDS[kind](state, text)
    if kind == "except" and state.last == _AS:
        return compound.handler_name(state, text)
    return operands.name(state, text)


_NAMES: dict[str, Callable[[State, str | None], State]] = {
    **dict.fromkeys(("global", "nonlocal"), statements.declared),
    **dict.fromkeys(("import", "from", "module", "future"), imports.imported),
    **dict.fromkeys(("def", "class", "type"), compound.defined),
    **dict.fromkeys(patterns.KINDS, patterns.name),
}
_PARAMETER_KINDS: dict[str, Callable[[State, str | None], State]] = {
    "parameters": parameters.name,
    "lambda": parameters.name,
    "type parameters": type_parameters.type_name,
}
_IMPORTS = ("import", "from", "module", "future")


def _number(state: State, terminal: int, text: str | None) -> State:
    return pattern_literals.number(state, text) if state.frame.kind in patterns.KINDS else operands.number(state, text)


def _string(state: State, terminal: int, text: str | None) -> State:
    return pattern_literals.string(state, text) if state.frame.kind in patterns.KINDS else strings.string(state, text)


def _constant(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return pattern_literals.constant(state, TERMINALS[terminal].python)
    return operands.constant(state, terminal)


def _string_start(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        refuse("pattern literal")
    return strings.string_start(state, text, TERMINALS[terminal].name.startswith("RAW"))


def _open_round(state: State, terminal: int, text: str | None) -> State:
    kind = state.frame.kind
    if kind in patterns.KINDS:
        return patterns.opened(state, "case (")
    if kind in _IMPORTS:
        return state.framed(Frame(kind, state.frame, part=state.frame.part))
    if kind == "with" and state.last == ID["WITH_PARENTHESES"]:
        return state.framed(Frame("with", state.frame, mark=state.seen))
    if kind == "class":
        return state.framed(Frame("class call", state.frame, mark=state.seen, part=Arguments()))
    return brackets.open_round(state)


def _open_square(state: State, terminal: int, text: str | None) -> State:
    kind = state.frame.kind
    if kind in patterns.KINDS:
        return patterns.opened(state, "case [")
    if kind in ("def", "class", "type"):
        return type_parameters.start_types(state)
    return brackets.open_square(state)


def _open_curly(state: State, terminal: int, text: str | None) -> State:
    return patterns.opened(state, "case {") if state.frame.kind in patterns.KINDS else brackets.open_curly(state)


def _close_round(state: State, terminal: int, text: str | None) -> State:
    frame = state.frame
    if frame.kind in patterns.KINDS:
        return patterns.closed(state)
    if frame.kind in _IMPORTS or frame.kind == "with":
        state = statements.end_statement(state)
        assert frame.up is not None
        return state.framed(frame.up)
    return brackets.close_round(state)


def _close_square(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.closed(state)
    return type_parameters.end_types(state) if state.frame.kind == "type parameters" else brackets.close_square(state)


def _close_curly(state: State, terminal: int, text: str | None) -> State:
    return patterns.closed(state) if state.frame.kind in patterns.KINDS else brackets.close_curly(state)


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
    return operands.star(state, terminal)


def _comma(state: State, terminal: int, text: str | None) -> State:
    """The comma after a single element, and those that end nothing but an element."""
    return patterns.separator(state) if state.frame.kind in patterns.KINDS else brackets.separator(state)


def _pair_colon(state: State, terminal: int, text: str | None) -> State:
    return pattern_literals.pair_colon(state) if state.frame.kind in patterns.KINDS else brackets.pair_colon(state)


def _keyword_assign(state: State, terminal: int, text: str | None) -> State:
    return patterns.keyword(state) if state.frame.kind in patterns.KINDS else brackets.keyword_assign(state)


def _binary(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return patterns.union(state) if terminal == ID["BIT_OR"] else pattern_literals.operator(state, TERMINALS[terminal].python)
    return seal(state, terminal)


def _unary(state: State, terminal: int, text: str | None) -> State:
    if state.frame.kind in patterns.KINDS:
        return pattern_literals.sign(state, TERMINALS[terminal].python)
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
        type_parameters.check_type_comment(state)
    return state


def _header_comment(state: State, terminal: int, text: str | None) -> State:
    statements.end_statement(end_lambdas(state.copy()))  # only the block follows, so the header has to be complete
    return state


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
HANDLERS: dict[str, Handler] = {
    # definitions and headers
    "DEF": _with(compound.define, "function"),
    "CLASS": _with(compound.define, "class"),
    "DECORATOR": _with(statements.begin, "value"),
    "ASYNC": _plain(statements.fresh),
    "LAZY": _plain(imports.lazy),
    **dict.fromkeys(("IF_STMT", "ELIF"), _with(compound.head, "if")),
    "WHILE": _with(compound.head, "loop"),
    "FOR_STMT": _plain(compound.for_),
    "FOR_IN": _plain(compound.for_in),
    "WITH": _plain(compound.with_),
    "MATCH": _with(compound.head, "match"),
    "CASE": _plain(compound.case),
    "GUARD": _plain(compound.guard),
    "TRY": _plain(compound.try_),
    "EXCEPT": _with(compound.except_, False),
    "EXCEPT_GROUP": _with(compound.except_, True),
    "ELSE_STMT": _with(compound.head, "else"),
    "FINALLY": _with(compound.head, "finally"),
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
    "IMPORT": _with(imports.import_, "import"),
    "FROM_IMPORT": _with(imports.import_, "module"),
    "FUTURE_IMPORT": _plain(imports.future_import),
    "IMPORT_NAMES": lambda state, terminal, text: state.changed(kind="from", names=()),
    "IMPORT_SEP": _plain(statements.import_ends),
    "*": _plain(imports.import_star),
    "AS": _plain(compound.as_),
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
    "RETURN_ARROW": _plain(compound.return_arrow),
    "LAMBDA": _terminaled(parameters.start_lambda),
    "LAMBDA_COLON": _plain(parameters.end_lambda),
    "TYPE_PARAMETER_SEP": _plain(type_parameters.type_separator),
    "TYPE_BOUND": _plain(type_parameters.type_bound),
    "TYPE_DEFAULT": _plain(type_parameters.type_default),
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
    "WALRUS": _plain(comprehensions.walrus),
    "PAIR_COLON": _pair_colon,
    "SLICE_COLON": _plain(brackets.slice_colon),
    "KEYWORD_ASSIGN": _keyword_assign,
    "AWAIT": _terminaled(suspensions.await_),
    "YIELD": _plain(suspensions.yield_),
    "YIELD_FROM": _plain(suspensions.yield_from),
    "COMPREHENSION_FOR": _plain(comprehensions.comprehension_for),
    "COMPREHENSION_ASYNC": _plain(comprehensions.comprehension_async),
    "COMPREHENSION_IN": _plain(comprehensions.comprehension_in),
    "COMPREHENSION_IF": _plain(comprehensions.comprehension_if),
    # strings with fields
    **dict.fromkeys((f"{raw}FSTRING_START_{quote}" for raw in ("", "RAW_") for quote in "1236"), _string_start),
    **dict.fromkeys((f"{raw}FSTRING_TEXT_{quote}" for raw in ("", "RAW_") for quote in "1236"), _texted(strings.string_text)),
    **dict.fromkeys((f"FSTRING_END_{quote}" for quote in "1236"), _plain(strings.string_end)),
    "FIELD_START": _plain(strings.field_start),
    "FIELD_CONVERSION": _texted(strings.field_conversion),
    "FORMAT_COLON": _plain(strings.format_colon),
    "FORMAT_TEXT": _texted(strings.string_text),
    # lines and blocks
    **dict.fromkeys(("LINE_SEP", "COMMENT", "TRAILING_COMMENT"), _plain(statements.fresh)),
    "BLOCK_START": _plain(compound.block_start),
    "BLOCK_END": _plain(compound.block_end),
    "HEADER_COMMENT": _header_comment,
    "INNER_COMMENT": _inner_comment,
}
BY_ID = [HANDLERS.get(general(terminal.name), _nothing) for terminal in TERMINALS]
