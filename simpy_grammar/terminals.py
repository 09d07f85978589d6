"""The terminal table: every terminal of the grammar, its Python spelling, its role, and what it is a special case of.

This is the one place where Python's spelling of a terminal is written down; how SimPy spells it is in ``grammars/``.
A terminal is a token *in its context*. Some contexts matter only to how a dialect spells a token (the block end before
an ``else``); such a terminal names the general one it stands for, and a stream holds only general ones.
"""

from __future__ import annotations

from collections.abc import Iterable

Version = tuple[int, int]

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import TypeVar

    Value = TypeVar("Value")

# Roles. A role says what lexers and writers have to know of a terminal; what it means in the grammar is in grammars/simpy.lark.
DEFINITION = "definition"  # starts a definition
DECORATION = "decoration"  # starts a line above a definition
PREFIX = "prefix"  # a word before the one that starts a statement
HEADER = "header"  # starts a compound statement
CLAUSE = "clause"  # starts a clause of a compound statement
STATEMENT = "statement"  # starts a simple statement
IMPORT = "import"  # starts an import
SEPARATOR = "separator"  # a comma of Python
KEYWORD = "keyword"  # a word inside a statement
OPEN = "open"  # opens a bracket
CLOSE = "close"  # closes one
CONSTANT = "constant"  # an operand with one spelling
SIGN = "sign"  # other punctuation
UNARY = "unary"  # stands before an operand
ASSIGNMENT = "assignment"  # assigns
BINARY = "binary"  # stands between two operands
DATA = "data"  # its text is the program's own
COMMENT = "comment"  # a comment; its text is data, too
LAYOUT = "layout"  # lines and blocks
DROPPED = "dropped"  # Python's spelling only: read, and not in the stream
SPACE = "space"  # no token: marks where Python has a blank that depends on what follows
SIMPLE, COMPOUND = (STATEMENT, IMPORT), (DEFINITION, HEADER, CLAUSE)  # start a simple statement; one with a block
STARTS = (PREFIX, DECORATION, *SIMPLE, *COMPOUND)


class Terminal:
    """One terminal.

    Attributes:
        name: in the grammar.
        id: its index in ``TERMINALS``; streams hold ids.
        python: the text that Python has for it, with the blanks around it; empty where a layout decides.
        role: one of the roles above.
        general: the name of the terminal that stands for it in streams; its own name if that is itself.
        since: the first Python that reads it; ``None`` if all of Python 3 do.
        is_soft: whether its word is a name elsewhere.
    """

    __slots__ = ("general", "id", "is_soft", "name", "python", "role", "since")

    def __init__(self, name: str, number: int, python: str, role: str, since: Version | None, is_soft: bool) -> None:
        self.name = name
        self.id = number
        self.python = python
        self.role = role
        self.general = _GENERAL.get(name, name)
        self.since = since
        self.is_soft: bool = is_soft


# Each group has a role and says how Python writes its terminals: their own text takes the place of "{}". Of each terminal
# it has the name, its own text, the Python that brought it, and whether it is a soft keyword.
_GROUPS = (
    (DEFINITION, "{} ", "DEF def; CLASS class"),
    (DECORATION, "@", "DECORATOR"),
    (PREFIX, "{} ", "ASYNC async; LAZY lazy 3.15 soft"),
    (HEADER, "{} ", "IF_STMT if; WHILE while; FOR_STMT for; WITH with; MATCH match 3.10 soft"),
    (HEADER, "{}", "TRY try"),
    (CLAUSE, "{} ", "ELIF elif; EXCEPT_GROUP except* 3.11; CASE case 3.10 soft"),
    (CLAUSE, "{}", "ELSE_STMT else; EXCEPT except; FINALLY finally"),
    (STATEMENT, "{}", "PASS pass; BREAK break; CONTINUE continue; RETURN return; RAISE raise"),
    (STATEMENT, "{} ", "DEL del; ASSERT assert; GLOBAL global; NONLOCAL nonlocal; TYPE_ALIAS type 3.12 soft"),
    (IMPORT, "{} ", "IMPORT import; FROM_IMPORT from; FUTURE_IMPORT from __future__ import"),
    (KEYWORD, " {} ", "IMPORT_NAMES import; FOR_IN in; GUARD if; AS as; FROM from; YIELD_FROM from; IF if; ELSE else"),
    (KEYWORD, " {} ", "COMPREHENSION_FOR for; COMPREHENSION_IN in; COMPREHENSION_IF if"),
    (KEYWORD, " {}", "COMPREHENSION_ASYNC async"),
    (KEYWORD, "{}", "YIELD yield; LAMBDA lambda"),
    (KEYWORD, "{} ", "AWAIT await"),
    (SEPARATOR, ", ", "IMPORT_SEP; NAME_SEP; ASSERT_SEP; WITH_SEP; EXCEPT_SEP; EXPRESSION_SEP; TARGET_SEP; ELEMENT_SEP; PAIR_SEP"),
    (SEPARATOR, ", ", "ARGUMENT_SEP; INDEX_SEP; PATTERN_SEP; PARAMETER_SEP; LAMBDA_SEP; TYPE_PARAMETER_SEP 3.12"),
    (SEPARATOR, ",", "COMMA"),
    (OPEN, "{}", "PARAMETERS_START (; ( (; [ [; { {"),
    (CLOSE, "{}", "PARAMETERS_END ); ) ); ] ]; } }"),
    (CONSTANT, "{}", "EMPTY_PARAMETERS (); TRUE True; FALSE False; NONE None; ELLIPSIS ..."),
    (SIGN, " {} ", "RETURN_ARROW ->; ANNOTATED_DEFAULT =; TYPE_DEFAULT = 3.13; WALRUS := 3.8"),
    (SIGN, ": ", "PARAMETER_ANNOTATION; TYPE_BOUND 3.12; ANNOTATION; LAMBDA_COLON; PAIR_COLON"),
    (SIGN, "{}", "DEFAULT =; WITH_PARENTHESES; DOT .; KEYWORD_ASSIGN =; SLICE_COLON :; FORMAT_COLON :; * *; / /"),
    (SIGN, " {}", "NUMBER_DOT .; CONCAT"),
    (UNARY, "{}", "PARAMETER_STAR *; NEGATE -; POSITIVE +; INVERT ~; SPLAT *; DOUBLE_SPLAT **"),
    (UNARY, "{} ", "NOT not"),
    (ASSIGNMENT, " {}= ", "ASSIGN; PLUS_ASSIGN +; MINUS_ASSIGN -; TIMES_ASSIGN *; DIVIDE_ASSIGN /; FLOOR_DIVIDE_ASSIGN //"),
    (ASSIGNMENT, " {}= ", "MODULO_ASSIGN %; MATMUL_ASSIGN @; POWER_ASSIGN **; LEFT_SHIFT_ASSIGN <<; RIGHT_SHIFT_ASSIGN >>"),
    (ASSIGNMENT, " {}= ", "AND_ASSIGN &; OR_ASSIGN |; XOR_ASSIGN ^"),
    (BINARY, " {} ", "AND and; OR or; PLUS +; MINUS -; TIMES *; DIVIDE /; FLOOR_DIVIDE //; MODULO %; MATMUL @; POWER **"),
    (BINARY, " {} ", "LEFT_SHIFT <<; RIGHT_SHIFT >>; BIT_AND &; BIT_OR |; BIT_XOR ^; EQUAL ==; NOT_EQUAL !="),
    (BINARY, " {} ", "LESS <; LESS_EQUAL <=; GREATER >; GREATER_EQUAL >=; IN in; NOT_IN not in; IS is; IS_NOT is not"),
    # Python writes data as it stands, and a layout decides on comments, lines and blocks.
    (DATA, "", "NAME; NUMBER; STRING; IMPORT_PREFIX; FIELD_START; FIELD_VERBATIM; FIELD_CONVERSION; FORMAT_TEXT"),
    (DATA, "", "; ".join(f"{raw}FSTRING_{part}_{quote}" for raw in ("", "RAW_") for part in ("START", "TEXT") for quote in "1236")),
    (DATA, "", "; ".join(f"FSTRING_END_{quote}" for quote in "1236")),
    (COMMENT, "", "COMMENT; TRAILING_COMMENT; HEADER_COMMENT; INNER_COMMENT"),
    (LAYOUT, "", "LINE_SEP; BLOCK_START; BLOCK_END"),
    (DROPPED, "", "REDUNDANT_COMMA; IMPORT_OPEN; IMPORT_CLOSE; WITH_OPEN; WITH_CLOSE; TARGETS"),
    (SPACE, " ", "space"),
)

# A terminal that a neighbour decides -> the terminal that stands for it in streams.
_GENERAL = {
    special: general
    for general, specials in (
        ("BLOCK_START", "KEYWORD_BLOCK_START BARE_BLOCK_START EXPLICIT_BLOCK_START MATCH_BLOCK_START"),
        ("BLOCK_END", "CLAUSE_BLOCK_END MATCH_BLOCK_END FINAL_BLOCK_END"),
        ("PASS", "ONLY_PASS"),
        ("COMMA", "TARGET_COMMA"),
        ("TARGET_SEP", "FOR_TARGET_SEP"),
    )
    for special in specials.split()
}
SPACE_RULE = "space"  # the rule of the grammar that stands for SPACE


def _table() -> tuple[Terminal, ...]:
    rows = [(role, python, row) for role, python, group in (*_GROUPS, (LAYOUT, "", "; ".join(_GENERAL))) for row in group.split("; ")]
    table: list[Terminal] = []
    for role, python, row in rows:
        text, _, minor = row.removesuffix(" soft").partition(" 3.")
        name, _, text = text.partition(" ")
        since = (3, int(minor)) if minor else None
        table.append(Terminal(name, len(table), python.format(text), role, since, row.endswith(" soft")))
    return tuple(table)


TERMINALS = _table()
ID: dict[str, int] = {terminal.name: terminal.id for terminal in TERMINALS}

SOFT_KEYWORDS = frozenset(terminal.python.strip() for terminal in TERMINALS if terminal.is_soft)
KEYWORDS = frozenset(word for terminal in TERMINALS for word in terminal.python.split() if word.isalpha()) - SOFT_KEYWORDS
"""Words of Python that are never names."""


def general(name: str) -> str:
    """The terminal that stands for a terminal in streams.

    >>> general("CLAUSE_BLOCK_END"), general("DEF")
    ('BLOCK_END', 'DEF')
    """
    return _GENERAL.get(name, name)


def named(*roles: str) -> tuple[str, ...]:
    """The names of the terminals with one of some roles, in the order of the table.

    >>> named(DEFINITION)
    ('DEF', 'CLASS')
    """
    return tuple(terminal.name for terminal in TERMINALS if terminal.role in roles)


def ids(*roles: str) -> frozenset[int]:
    """The ids of the terminals with one of some roles."""
    return frozenset(terminal.id for terminal in TERMINALS if terminal.role in roles)


def table(default: Value, *entries: tuple[Value, Iterable[str]]) -> list[Value]:
    """Terminal id -> the value of the last entry that names the terminal. It is long enough for ``bytes.translate``.

    >>> table(0, (1, ["NAME", "NUMBER"]), (2, ["NUMBER"]))[ID["NUMBER"]]
    2
    """
    values = [default] * 256
    for value, names in entries:
        for name in names:
            values[ID[name]] = value
    return values


# Terminals that only the token after them tells apart. Where a dialect spells two of them alike, each is reported when that
# token has been seen.
SETTLED_BY_NEXT = frozenset((*named(SEPARATOR), "REDUNDANT_COMMA", "TARGET_COMMA", "FOR_TARGET_SEP", "PARAMETER_STAR", "SPLAT"))
