"""What lexemes are to a layout: one byte for each, so that a whole stream can be searched by regular expressions over bytes.

A kind says what starts or ends a row, where a line may break, and nothing else. What layouts make of that is in
``transpiler.pep8`` and ``transpiler.line_breaks``.

>>> from simpy_grammar.terminals import ID
>>> bytes(ID[name] for name in ("DEF", "NAME", "(", "NAME", ")", "BLOCK_START")).translate(KINDS)
b'Dx(x):'
"""

from __future__ import annotations

from simpy_grammar.terminals import CLAUSE, CLOSE, DATA, DECORATION, DEFINITION, HEADER, IMPORT, OPEN, PREFIX, STATEMENT, named, table

# What starts a row.
PREFIXES, DEFINES, DECORATES, HEADS, CLAUSES, STATES, IMPORTS, FUTURE = b"PD@HCSIF"
# What ends one: a separator, a block start, block ends, a comment on its own line, at the end of a statement, of a header.
SEPARATOR, BLOCK_START, BLOCK_END, COMMENT, TRAILING_COMMENT, HEADER_COMMENT = b";:E#th"
# What stands in one: anything; "..."; text that may span lines; the ends of an f-string; " import "; " -> "; a comment.
TEXT, ELLIPSIS, LITERAL, QUOTES, UNQUOTES, NAMES, ARROW, INNER_COMMENT = b"xesqQn>i"
# Brackets; what separates their elements; what begins an expression inside an element.
OPENS, CLOSES, SEPARATES, BEGINS = b"(),="

# Operators that a line may break before, from the loosest. Their kind is their rank.
_RANKS = (
    "COMPREHENSION_FOR COMPREHENSION_ASYNC COMPREHENSION_IF",
    "IF ELSE",
    "AND OR",
    "CONCAT",
    "EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL IN NOT_IN IS IS_NOT",
    "BIT_OR",
    "BIT_XOR",
    "BIT_AND",
    "LEFT_SHIFT RIGHT_SHIFT",
    "PLUS MINUS",
    "TIMES DIVIDE FLOOR_DIVIDE MODULO MATMUL",
)
LOOSEST, TIGHTEST = 1, len(_RANKS)
CONCATENATES = 4

_ROLES = {
    **{PREFIXES: PREFIX, DEFINES: DEFINITION, DECORATES: DECORATION, HEADS: HEADER, CLAUSES: CLAUSE, STATES: STATEMENT},
    **{IMPORTS: IMPORT, OPENS: OPEN, CLOSES: CLOSE},
}
_FSTRINGS = {LITERAL: "_TEXT", QUOTES: "FSTRING_START", UNQUOTES: "FSTRING_END"}
_WORDS = {
    **dict(enumerate(_RANKS, LOOSEST)),
    FUTURE: "FUTURE_IMPORT",
    SEPARATOR: "LINE_SEP",
    BLOCK_START: "BLOCK_START",
    BLOCK_END: "BLOCK_END",
    COMMENT: "COMMENT",
    TRAILING_COMMENT: "TRAILING_COMMENT",
    HEADER_COMMENT: "HEADER_COMMENT",
    INNER_COMMENT: "INNER_COMMENT",
    ELLIPSIS: "ELLIPSIS",
    NAMES: "IMPORT_NAMES",
    ARROW: "RETURN_ARROW",
    LITERAL: "STRING FIELD_VERBATIM",
    SEPARATES: ("ELEMENT_SEP PAIR_SEP ARGUMENT_SEP INDEX_SEP PATTERN_SEP PARAMETER_SEP TYPE_PARAMETER_SEP IMPORT_SEP WITH_SEP"),
    BEGINS: "PAIR_COLON KEYWORD_ASSIGN DEFAULT ANNOTATED_DEFAULT PARAMETER_ANNOTATION WALRUS",
}


KINDS = bytes(
    table(
        TEXT,
        *((kind, named(role)) for kind, role in _ROLES.items()),
        *((kind, [name for name in named(DATA) if part in name]) for kind, part in _FSTRINGS.items()),
        *((kind, words.split()) for kind, words in _WORDS.items()),
    )
)
"""Id of a terminal -> its kind, for ``bytes.translate``."""
