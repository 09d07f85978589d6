"""How tightly Python's terminals bind, and what a terminal demands of an expression beside it.

A level says how tightly an expression binds: that of ``a + b`` is the one of its loosest terminal, ``PLUS``. Where an
expression may stand without parentheses is a comparison of levels: the terminals before and after it each demand one. The
tables here are indexed by terminal ids; ``transpiler.parentheses`` asks them.
"""

from __future__ import annotations

from simpy_grammar.terminals import ASSIGNMENT, BINARY, ID, STARTS, TERMINALS, named, table

_COMPARISONS = "EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL IN NOT_IN IS IS_NOT"

# The levels, loosest first, and their terminals. A terminal that is not here is a part of an operand.
_LEVELS = (
    ("kept", "YIELD"),
    ("named", "WALRUS"),
    ("starred", "SPLAT"),
    ("lambda", "LAMBDA"),
    ("conditional", "IF"),
    ("or", "OR"),
    ("and", "AND"),
    ("not", "NOT"),
    ("comparison", _COMPARISONS),
    ("|", "BIT_OR"),
    ("^", "BIT_XOR"),
    ("&", "BIT_AND"),
    ("shift", "LEFT_SHIFT RIGHT_SHIFT"),
    ("sum", "PLUS MINUS"),
    ("product", "TIMES DIVIDE FLOOR_DIVIDE MODULO MATMUL"),
    ("unary", "NEGATE POSITIVE INVERT"),
    ("power", "POWER"),
    ("await", "AWAIT"),
    ("number", "NUMBER ELLIPSIS"),  # it would take a dot after it for its own
    ("operand", ""),
    # Not operators: these make the whole another thing, whatever else stands in it.
    ("tuple", "ELEMENT_SEP COMMA"),
    ("generator", "COMPREHENSION_FOR"),
)
_LEVEL = {name: level for level, (name, _) in enumerate(_LEVELS)}
KEPT, NAMED, STARRED, EXPRESSION, OPERAND, TUPLE, GENERATOR = (
    _LEVEL[name] for name in "kept named starred lambda operand tuple generator".split()
)

# What is demanded besides a level.
NEVER = len(_LEVELS)  # parentheses: nothing binds so tightly
_ANYTHING = KEPT
AS_BRACKET = -1  # what the bracket demands, since the terminal is the bracket or a separator in it
AS_OPERAND = -2  # parentheses, unless an operator follows them: around the whole they may mean something else

_BOUNDARIES = "LINE_SEP BLOCK_START BLOCK_END COMMENT TRAILING_COMMENT HEADER_COMMENT".split()  # at the ends of statements and headers
_ASSIGNMENTS = named(ASSIGNMENT)
_OPERATORS = {name: level for level, (_, names) in enumerate(_LEVELS) for name in names.split() if TERMINALS[ID[name]].role == BINARY}
_CHAINED = ("OR", "AND", *_COMPARISONS.split())  # parentheses on either side of them make another tree

# What the terminal before an expression demands. Before one that is not here parentheses stay.
_AFTER = {
    "named": "IF_STMT ELIF WHILE",
    "lambda": (
        "RETURN YIELD YIELD_FROM RAISE FROM ASSERT ASSERT_SEP EXCEPT EXCEPT_GROUP EXCEPT_SEP EXPRESSION_SEP TARGET_SEP "
        "KEYWORD_ASSIGN DEFAULT ANNOTATED_DEFAULT PARAMETER_ANNOTATION RETURN_ARROW ANNOTATION TYPE_BOUND TYPE_DEFAULT "
        "FOR_STMT FOR_IN COMPREHENSION_FOR WALRUS LAMBDA_COLON ELSE GUARD PAIR_COLON SLICE_COLON"
    ),
    "or": "IF COMPREHENSION_IN COMPREHENSION_IF",
    "not": "NOT",
    "|": "SPLAT DOUBLE_SPLAT",
    "unary": "NEGATE POSITIVE INVERT POWER",
    "operand": "AWAIT",
}
_IN_BRACKETS = "( [ { ELEMENT_SEP ARGUMENT_SEP INDEX_SEP PAIR_SEP"
_WHOLE = "WITH WITH_SEP DECORATOR MATCH"

# What the terminal after it demands. One that is not here takes anything.
_BEFORE = {
    "lambda": "COMPREHENSION_FOR COMPREHENSION_ASYNC",  # of `:=`, Python before 3.9 reads only some there
    "or": "IF ELSE",
    "await": "POWER",
    "operand": "DOT ( [",
}

# Where a tuple may stand without parentheses. Python before 3.9 does not read `*a` in all these places.
_TUPLE_AFTER = {
    "starred": (*_BOUNDARIES, *"ASSIGN RETURN YIELD FOR_STMT COMPREHENSION_FOR".split()),
    "lambda": (*(name for name in _ASSIGNMENTS if name != "ASSIGN"), "FOR_IN"),
}
_TUPLE_BEFORE = (
    *_BOUNDARIES,
    *named(*STARTS),
    *"ASSIGN FOR_IN COMPREHENSION_IN ] )".split(),  # the bracket is that of a yield or of a subscript
)

LEVEL = bytes(table(OPERAND, *((level, names.split()) for level, (_, names) in enumerate(_LEVELS))))
DEMANDED_AFTER = table(
    NEVER,
    *((level + 1, (name,)) for name, level in _OPERATORS.items()),  # they group from the left
    *((_LEVEL[level], names.split()) for level, names in _AFTER.items()),
    (EXPRESSION, (*_BOUNDARIES, *_ASSIGNMENTS)),
    (AS_BRACKET, _IN_BRACKETS.split()),
    (AS_OPERAND, _WHOLE.split()),
)
DEMANDED_BEFORE = table(
    _ANYTHING,
    *((level + (name in _CHAINED), (name,)) for name, level in _OPERATORS.items()),
    *((_LEVEL[level], names.split()) for level, names in _BEFORE.items()),
    (NEVER, ("ANNOTATION",)),  # `(x): int` declares nothing
)
TUPLE_DEMANDED_AFTER = table(NEVER, *((_LEVEL[level], names) for level, names in _TUPLE_AFTER.items()))
TUPLE_STANDS_BEFORE = table(False, (True, _TUPLE_BEFORE))
IS_BOUNDARY = table(False, (True, _BOUNDARIES))
IS_OPERATOR = table(False, (True, (*_OPERATORS, "IF")))
IS_ASSIGNMENT = table(False, (True, _ASSIGNMENTS))
