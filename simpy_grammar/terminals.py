"""The terminal table: every terminal of the grammar, its Python spelling, its role, and what it is a special case of.

This is the one place where Python's spelling of a terminal is written down; how SimPy spells it is in ``grammars/``.
A terminal is a token *in its context*. Some contexts matter only to how a dialect spells a token (the block end before
an ``else``); such a terminal names the general one it stands for, and a stream holds only general ones.
"""

from __future__ import annotations

Version = tuple[int, int]

# Roles. A role says what a writer has to know of a terminal; what it means in the grammar is in grammars/simpy.lark.
DEFINITION = "definition"  # starts a definition
PREFIX = "prefix"  # stands before a definition or another header
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


class Terminal:
    """One terminal.

    Attributes:
        name: in the grammar.
        id: its index in ``TERMINALS``; streams hold ids.
        python: the text that Python has for it, with the blanks around it; empty where a layout decides.
        role: one of the roles above.
        general: the name of the terminal that stands for it in streams; its own name if that is itself.
        since: the first Python that reads it; ``None`` if all of Python 3 do.
    """

    __slots__ = ("general", "id", "name", "python", "role", "since")

    def __init__(self, name: str, number: int, python: str, role: str) -> None:
        self.name = name
        self.id = number
        self.python = python
        self.role = role
        self.general = _GENERAL.get(name, name)
        self.since: Version | None = _SINCE.get(name)


_ROWS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        DEFINITION,
        {
            "DEF": "def ",
            "CLASS": "class ",
        },
    ),
    (
        PREFIX,
        {
            "ASYNC": "async ",
            "DECORATOR": "@",
        },
    ),
    (
        HEADER,
        {
            "IF_STMT": "if ",
            "WHILE": "while ",
            "FOR_STMT": "for ",
            "WITH": "with ",
            "TRY": "try",
            "MATCH": "match ",
        },
    ),
    (
        CLAUSE,
        {
            "ELIF": "elif ",
            "ELSE_STMT": "else",
            "EXCEPT": "except",
            "EXCEPT_GROUP": "except* ",
            "FINALLY": "finally",
            "CASE": "case ",
        },
    ),
    (
        STATEMENT,
        {
            "PASS": "pass",
            "BREAK": "break",
            "CONTINUE": "continue",
            "RETURN": "return",
            "RAISE": "raise",
            "DEL": "del ",
            "ASSERT": "assert ",
            "GLOBAL": "global ",
            "NONLOCAL": "nonlocal ",
            "TYPE_ALIAS": "type ",
        },
    ),
    (
        IMPORT,
        {
            "IMPORT": "import ",
            "FROM_IMPORT": "from ",
            "FUTURE_IMPORT": "from __future__ import ",
            "LAZY": "lazy ",
        },
    ),
    (
        KEYWORD,
        {
            "IMPORT_NAMES": " import ",
            "FOR_IN": " in ",
            "GUARD": " if ",
            "AS": " as ",
            "FROM": " from ",
            "YIELD": "yield",
            "YIELD_FROM": " from ",
            "AWAIT": "await ",
            "LAMBDA": "lambda",
            "IF": " if ",
            "ELSE": " else ",
            "COMPREHENSION_FOR": " for ",
            "COMPREHENSION_ASYNC": " async",
            "COMPREHENSION_IN": " in ",
            "COMPREHENSION_IF": " if ",
        },
    ),
    (
        SEPARATOR,
        {
            "IMPORT_SEP": ", ",
            "NAME_SEP": ", ",
            "ASSERT_SEP": ", ",
            "WITH_SEP": ", ",
            "EXCEPT_SEP": ", ",
            "EXPRESSION_SEP": ", ",
            "COMMA": ",",
            "TARGET_SEP": ", ",
            "ELEMENT_SEP": ", ",
            "PAIR_SEP": ", ",
            "ARGUMENT_SEP": ", ",
            "INDEX_SEP": ", ",
            "PATTERN_SEP": ", ",
            "PARAMETER_SEP": ", ",
            "LAMBDA_SEP": ", ",
            "TYPE_PARAMETER_SEP": ", ",
        },
    ),
    (
        OPEN,
        {
            "PARAMETERS_START": "(",
            "(": "(",
            "[": "[",
            "{": "{",
        },
    ),
    (
        CLOSE,
        {
            "PARAMETERS_END": ")",
            ")": ")",
            "]": "]",
            "}": "}",
        },
    ),
    (
        CONSTANT,
        {
            "EMPTY_PARAMETERS": "()",
            "TRUE": "True",
            "FALSE": "False",
            "NONE": "None",
            "ELLIPSIS": "...",
        },
    ),
    (
        SIGN,
        {
            "RETURN_ARROW": " -> ",
            "PARAMETER_ANNOTATION": ": ",
            "DEFAULT": "=",
            "ANNOTATED_DEFAULT": " = ",
            "TYPE_BOUND": ": ",
            "TYPE_DEFAULT": " = ",
            "WITH_PARENTHESES": "",
            "ANNOTATION": ": ",
            "WALRUS": " := ",
            "LAMBDA_COLON": ": ",
            "DOT": ".",
            "NUMBER_DOT": " .",
            "CONCAT": " ",
            "KEYWORD_ASSIGN": "=",
            "PAIR_COLON": ": ",
            "SLICE_COLON": ":",
            "FORMAT_COLON": ":",
            "*": "*",
            "/": "/",
        },
    ),
    (
        UNARY,
        {
            "PARAMETER_STAR": "*",
            "NOT": "not ",
            "NEGATE": "-",
            "POSITIVE": "+",
            "INVERT": "~",
            "SPLAT": "*",
            "DOUBLE_SPLAT": "**",
        },
    ),
    (
        ASSIGNMENT,
        {
            "ASSIGN": " = ",
            "PLUS_ASSIGN": " += ",
            "MINUS_ASSIGN": " -= ",
            "TIMES_ASSIGN": " *= ",
            "DIVIDE_ASSIGN": " /= ",
            "FLOOR_DIVIDE_ASSIGN": " //= ",
            "MODULO_ASSIGN": " %= ",
            "MATMUL_ASSIGN": " @= ",
            "POWER_ASSIGN": " **= ",
            "LEFT_SHIFT_ASSIGN": " <<= ",
            "RIGHT_SHIFT_ASSIGN": " >>= ",
            "AND_ASSIGN": " &= ",
            "OR_ASSIGN": " |= ",
            "XOR_ASSIGN": " ^= ",
        },
    ),
    (
        BINARY,
        {
            "AND": " and ",
            "OR": " or ",
            "PLUS": " + ",
            "MINUS": " - ",
            "TIMES": " * ",
            "DIVIDE": " / ",
            "FLOOR_DIVIDE": " // ",
            "MODULO": " % ",
            "MATMUL": " @ ",
            "POWER": " ** ",
            "LEFT_SHIFT": " << ",
            "RIGHT_SHIFT": " >> ",
            "BIT_AND": " & ",
            "BIT_OR": " | ",
            "BIT_XOR": " ^ ",
            "EQUAL": " == ",
            "NOT_EQUAL": " != ",
            "LESS": " < ",
            "LESS_EQUAL": " <= ",
            "GREATER": " > ",
            "GREATER_EQUAL": " >= ",
            "IN": " in ",
            "NOT_IN": " not in ",
            "IS": " is ",
            "IS_NOT": " is not ",
        },
    ),
)

# Terminals whose text is data: Python writes it as it stands.
_DATA = (
    "NAME",
    "NUMBER",
    "STRING",
    "IMPORT_PREFIX",
    *(f"{raw}FSTRING_{part}_{quote}" for raw in ("", "RAW_") for part in ("START", "TEXT") for quote in "1236"),
    *(f"FSTRING_END_{quote}" for quote in "1236"),
    "FIELD_START",
    "FIELD_VERBATIM",
    "FIELD_CONVERSION",
    "FORMAT_TEXT",
)
_COMMENTS = ("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT")
_LAYOUT = ("LINE_SEP", "BLOCK_START", "BLOCK_END")

# A terminal that a neighbour decides -> the terminal that stands for it in a stream.
_GENERAL = {
    "KEYWORD_BLOCK_START": "BLOCK_START",
    "BARE_BLOCK_START": "BLOCK_START",
    "EXPLICIT_BLOCK_START": "BLOCK_START",
    "MATCH_BLOCK_START": "BLOCK_START",
    "CLAUSE_BLOCK_END": "BLOCK_END",
    "MATCH_BLOCK_END": "BLOCK_END",
    "FINAL_BLOCK_END": "BLOCK_END",
    "ONLY_PASS": "PASS",
    "TARGET_COMMA": "COMMA",
    "FOR_TARGET_SEP": "TARGET_SEP",
}

# What only Python writes and nothing says: a last comma that changes nothing, the parentheses of an import or a `with`, the
# mark that the row of expressions before it is a row of targets.
_DROPPED = ("REDUNDANT_COMMA", "IMPORT_OPEN", "IMPORT_CLOSE", "WITH_OPEN", "WITH_CLOSE", "TARGETS")

_SINCE = {
    "MATCH": (3, 10),
    "EXCEPT_GROUP": (3, 11),
    "TYPE_ALIAS": (3, 12),
    "LAZY": (3, 15),
    "TYPE_PARAMETER_SEP": (3, 12),
    "TYPE_BOUND": (3, 12),
    "TYPE_DEFAULT": (3, 13),
    "WALRUS": (3, 8),
}

# Terminals that only the token after them tells apart. Where a dialect spells two of them alike, each is reported when that
# token has been seen.
SETTLED_BY_NEXT = frozenset(
    (
        *(name for role, rows in _ROWS if role == SEPARATOR for name in rows),
        *("REDUNDANT_COMMA", "TARGET_COMMA", "FOR_TARGET_SEP", "PARAMETER_STAR", "SPLAT"),
    )
)

SPACE_RULE = "space"  # the rule of the grammar that stands for SPACE


def _table() -> tuple[Terminal, ...]:
    groups = [
        *_ROWS,
        (DATA, dict.fromkeys(_DATA, "")),
        (COMMENT, dict.fromkeys(_COMMENTS, "")),
        (LAYOUT, dict.fromkeys((*_LAYOUT, *_GENERAL), "")),  # a special case of PASS or a comma never reaches a writer
        (DROPPED, dict.fromkeys(_DROPPED, "")),
        (SPACE, {SPACE_RULE: " "}),
    ]
    rows = [(name, python, role) for role, names in groups for name, python in names.items()]
    return tuple(Terminal(name, i, python, role) for i, (name, python, role) in enumerate(rows))


TERMINALS = _table()
ID: dict[str, int] = {terminal.name: terminal.id for terminal in TERMINALS}


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
