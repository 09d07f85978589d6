"""The context table: which terminal each child of a tree-sitter-python node is.

A *row* names the children of one kind of node that need saying; ``CHILDREN`` says what the others are. An entry is

* a terminal's name: the child is that terminal;
* ``TEXT``: the child is a leaf whose source text is data;
* ``DROP``: Python's spelling only, implied in the grammar;
* ``Row("name")``: the child is walked with the row of that name instead of the one of its own kind;
* ``Hook("name")``: a method of ``transpiler.encoder.Encoder`` looks at the child.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT = "text"
DROP = "drop"


class Row(NamedTuple):
    """Walk the child with a named row."""

    name: str


class Hook(NamedTuple):
    """Call a method of the encoder for the child."""

    name: str


Entry = str | Row | Hook

# What a child is wherever no row says otherwise. Kinds that are in neither table are walked with an empty row.
CHILDREN: dict[str, Entry] = {
    "identifier": TEXT,
    "integer": TEXT,
    "float": TEXT,
    "true": "TRUE",
    "false": "FALSE",
    "none": "NONE",
    "ellipsis": "ELLIPSIS",
    "...": "ELLIPSIS",
    "_": TEXT,
    "print": TEXT,
    "exec": TEXT,
    "import_prefix": Hook("import_prefix"),
    "type_conversion": TEXT,
    "string": Hook("string"),
    "comment": Hook("comment"),
    "line_continuation": DROP,
    "ERROR": Hook("error"),
    "(": "(",
    ")": ")",
    "[": "[",
    "]": "]",
    "{": "{",
    "}": "}",
    ".": "DOT",
    ":": DROP,
    "block": Hook("block"),
    "async": "ASYNC",
    "as": "AS",
    # nodes whose commas need looking at: a trailing one is redundant, or makes a tuple of one element
    **{
        kind: Hook("sequence")
        for kind in (
            "argument_list list set tuple dictionary subscript expression_list pattern_list tuple_pattern list_pattern lambda_parameters"
        ).split()
    },
    "attribute": Hook("attribute"),
    "parameters": Hook("parameters"),
    "concatenated_string": Hook("concatenated_string"),
}

_SIMPLE = (
    "pass_statement break_statement continue_statement return_statement raise_statement delete_statement assert_statement "
    "global_statement nonlocal_statement import_statement import_from_statement future_import_statement type_alias_statement"
)
_COMPOUND = "if_statement while_statement for_statement with_statement try_statement match_statement function_definition class_definition"

_STATEMENTS: dict[str, Entry] = {
    **{kind: Hook("simple_statement") for kind in _SIMPLE.split()},
    **{kind: Hook("compound_statement") for kind in _COMPOUND.split()},
    "expression_statement": Hook("expression_statement"),
    "print_statement": Hook("python2"),
    "exec_statement": Hook("python2"),
    "decorated_definition": Hook("decorated_definition"),
    "comment": Hook("line_comment"),
    ";": Hook("semicolon"),
}

_HEADER: dict[str, Entry] = {
    "comment": Hook("header_comment"),
    "elif_clause": Hook("clause"),
    "else_clause": Hook("clause"),
    "except_clause": Hook("except_clause"),
    "finally_clause": Hook("clause"),
}

_PATTERN: dict[str, Entry] = {
    "tuple_pattern": Hook("case_sequence"),
    "list_pattern": Hook("case_sequence"),
    "class_pattern": Hook("case_sequence"),
    "dict_pattern": Hook("case_sequence"),
    "complex_pattern": Hook("complex_pattern"),
    "-": "NEGATE",
}

# Kind of node -> child -> entry.
ROWS: dict[str, dict[str, Entry]] = {
    # statements
    "module": _STATEMENTS,
    "block": _STATEMENTS,
    "decorated_definition": {
        "decorator": Hook("decorator"),
        "comment": Hook("line_comment"),
        "function_definition": Row("function_definition"),
        "class_definition": Row("class_definition"),
    },
    "decorator": {"@": "DECORATOR"},
    "expression_statement": {",": "EXPRESSION_SEP"},
    "print_statement": {",": "EXPRESSION_SEP"},
    "chevron": {">>": "RIGHT_SHIFT"},
    "assignment": {"=": "ASSIGN", ":": "ANNOTATION"},
    "augmented_assignment": {
        "+=": "PLUS_ASSIGN",
        "-=": "MINUS_ASSIGN",
        "*=": "TIMES_ASSIGN",
        "/=": "DIVIDE_ASSIGN",
        "//=": "FLOOR_DIVIDE_ASSIGN",
        "%=": "MODULO_ASSIGN",
        "@=": "MATMUL_ASSIGN",
        "**=": "POWER_ASSIGN",
        "<<=": "LEFT_SHIFT_ASSIGN",
        ">>=": "RIGHT_SHIFT_ASSIGN",
        "&=": "AND_ASSIGN",
        "|=": "OR_ASSIGN",
        "^=": "XOR_ASSIGN",
    },
    "expression_list": {",": "EXPRESSION_SEP"},
    "pattern_list": {",": "COMMA"},
    "pass_statement": {"pass": "PASS"},
    "break_statement": {"break": "BREAK"},
    "continue_statement": {"continue": "CONTINUE"},
    "return_statement": {"return": "RETURN"},
    "raise_statement": {"raise": "RAISE", "from": "FROM"},
    "delete_statement": {"del": "DEL", "expression_list": Hook("delete_list")},
    "assert_statement": {"assert": "ASSERT", ",": "ASSERT_SEP"},
    "global_statement": {"global": "GLOBAL", ",": "NAME_SEP"},
    "nonlocal_statement": {"nonlocal": "NONLOCAL", ",": "NAME_SEP"},
    "import_statement": {"import": "IMPORT", ",": "IMPORT_SEP"},
    "import_from_statement": {
        "from": "FROM_IMPORT",
        "import": "IMPORT_NAMES",
        ",": "IMPORT_SEP",
        "wildcard_import": Row("wildcard_import"),
    },
    "future_import_statement": {"from": "FUTURE_IMPORT", "__future__": DROP, "import": DROP, ",": "IMPORT_SEP"},
    "wildcard_import": {"*": "*"},
    "type_alias_statement": {"type": Hook("type_alias_part"), "=": "ASSIGN"},
    # compound statements
    "if_statement": {**_HEADER, "if": "IF_STMT"},
    "elif_clause": {**_HEADER, "elif": "ELIF"},
    "else_clause": {**_HEADER, "else": "ELSE_STMT", "block": Hook("bare_block")},
    "while_statement": {**_HEADER, "while": "WHILE"},
    "for_statement": {**_HEADER, "for": "FOR_STMT", "in": "FOR_IN"},
    "try_statement": {**_HEADER, "try": "TRY", "block": Hook("bare_block")},
    "except_clause": {**_HEADER, "except": "EXCEPT", ",": "EXCEPT_SEP", "*": DROP},
    "bare_except_clause": {**_HEADER, "except": "EXCEPT", "block": Hook("except_block")},
    "except_group_clause": {**_HEADER, "except": "EXCEPT_GROUP", "*": DROP, ",": "EXCEPT_SEP"},
    "finally_clause": {**_HEADER, "finally": "FINALLY", "block": Hook("bare_block")},
    "with_statement": {**_HEADER, "with": "WITH", "with_clause": Hook("with_clause")},
    "with_clause": {",": "WITH_SEP", "(": DROP, ")": DROP},
    "commented_with_clause": {",": "WITH_SEP"},
    "match_statement": {**_HEADER, "match": "MATCH", ",": "EXPRESSION_SEP", "block": Hook("match_block")},
    "match_block": {"case_clause": Hook("case_clause"), "comment": Hook("case_comment")},
    "case_clause": {
        **_HEADER,
        "case": "CASE",
        ",": "PATTERN_SEP",
        "case_pattern": Row("case_pattern"),
        "if_clause": Row("guard"),
    },
    "guard": {"if": "GUARD"},
    "function_definition": {
        **_HEADER,
        "def": "DEF",
        "->": "RETURN_ARROW",
        "type_parameter": Hook("type_parameters"),
    },
    "class_definition": {**_HEADER, "class": "CLASS", "type_parameter": Hook("type_parameters")},
    # parameters
    "parameters": {"(": "PARAMETERS_START", ")": "PARAMETERS_END", ",": "PARAMETER_SEP"},
    "default_parameter": {"=": "DEFAULT"},
    "typed_parameter": {":": "PARAMETER_ANNOTATION"},
    "typed_default_parameter": {":": "PARAMETER_ANNOTATION", "=": "ANNOTATED_DEFAULT"},
    "keyword_separator": {"*": "PARAMETER_STAR"},
    "positional_separator": {"/": "/"},
    "lambda_parameters": {",": "LAMBDA_SEP"},
    "list_splat_pattern": {"*": "SPLAT"},
    "dictionary_splat_pattern": {"**": "DOUBLE_SPLAT"},
    "type_parameters": {",": "TYPE_PARAMETER_SEP", "type": Row("type_parameter_item")},
    "type_parameter_item": {"constrained_type": Row("bounded_type_parameter")},
    "bounded_type_parameter": {":": "TYPE_BOUND"},
    "type_alias_left": {"generic_type": Row("type_alias_generic")},
    "type_alias_generic": {"type_parameter": Hook("type_parameters")},
    # types
    "generic_type": {"type_parameter": Hook("type_index")},
    "type_index": {",": "INDEX_SEP"},
    "union_type": {"|": "BIT_OR"},
    "constrained_type": {":": "SLICE_COLON"},
    "splat_type": {"*": "SPLAT", "**": "DOUBLE_SPLAT"},
    # expressions
    "binary_operator": {
        "+": "PLUS",
        "-": "MINUS",
        "*": "TIMES",
        "/": "DIVIDE",
        "//": "FLOOR_DIVIDE",
        "%": "MODULO",
        "@": "MATMUL",
        "**": "POWER",
        "<<": "LEFT_SHIFT",
        ">>": "RIGHT_SHIFT",
        "&": "BIT_AND",
        "|": "BIT_OR",
        "^": "BIT_XOR",
    },
    "comparison_operator": {
        "==": "EQUAL",
        "!=": "NOT_EQUAL",
        "<": "LESS",
        "<=": "LESS_EQUAL",
        ">": "GREATER",
        ">=": "GREATER_EQUAL",
        "in": "IN",
        "not in": Hook("two_words"),
        "is": "IS",
        "is not": Hook("two_words"),
    },
    "boolean_operator": {"and": "AND", "or": "OR"},
    "not_operator": {"not": "NOT"},
    "unary_operator": {"-": "NEGATE", "+": "POSITIVE", "~": "INVERT"},
    "named_expression": {":=": "WALRUS"},
    "conditional_expression": {"if": "IF", "else": "ELSE"},
    "lambda": {"lambda": "LAMBDA", ":": "LAMBDA_COLON"},
    "await": {"await": "AWAIT"},
    "yield": {"yield": "YIELD", "from": "YIELD_FROM"},
    "list_splat": {"*": "SPLAT"},
    "dictionary_splat": {"**": "DOUBLE_SPLAT"},
    "parenthesized_list_splat": {},
    "keyword_argument": {"=": "KEYWORD_ASSIGN"},
    "integer_attribute": {".": "NUMBER_DOT"},
    "argument_list": {",": "ARGUMENT_SEP"},
    "subscript": {",": "INDEX_SEP"},
    "slice": {":": "SLICE_COLON"},
    "list": {",": "ELEMENT_SEP"},
    "set": {",": "ELEMENT_SEP"},
    "tuple": {",": "ELEMENT_SEP"},
    "tuple_pattern": {",": "ELEMENT_SEP"},
    "list_pattern": {",": "ELEMENT_SEP"},
    "dictionary": {",": "PAIR_SEP"},
    "pair": {":": "PAIR_COLON"},
    "for_in_clause": {"async": "COMPREHENSION_ASYNC", "for": "COMPREHENSION_FOR", "in": "COMPREHENSION_IN"},
    "if_clause": {"if": "COMPREHENSION_IF"},
    # patterns
    "case_pattern": _PATTERN,
    "union_pattern": {**_PATTERN, "|": "BIT_OR"},
    "keyword_pattern": {**_PATTERN, "=": "KEYWORD_ASSIGN"},
    "splat_pattern": {"*": "SPLAT", "**": "DOUBLE_SPLAT"},
    "case_sequence": {**_PATTERN, ",": "PATTERN_SEP", ":": "PAIR_COLON"},
    "signed_number": {"-": "NEGATE"},
    "sum_of_numbers": {"-": "MINUS", "+": "PLUS"},
    # strings
    "interpolation": {"format_specifier": Hook("format_specifier")},
    "format_expression": {"format_specifier": Hook("format_specifier")},
}
