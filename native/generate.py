"""Writes what the native core takes from Python modules as constants of C. The build of the extension runs it.

``terminals.h`` has the terminal table and the kinds of lexemes; ``spelling_tables.h`` and ``compact_tables.h`` what those writers ask.

    python native/generate.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

PLACES = ("START", "TOP", "FRESH", "DECORATOR", "STATEMENT", "IMPORT", "DOCSTRING", "DEFINITION")  # of transpiler.blank_lines
SIGNS = {
    "(": "OPEN_PARENTHESIS",
    ")": "CLOSE_PARENTHESIS",
    "[": "OPEN_BRACKET",
    "]": "CLOSE_BRACKET",
    "{": "OPEN_BRACE",
    "}": "CLOSE_BRACE",
    "*": "STAR",
    "/": "SLASH",
    "space": "SPACE",
}


def header() -> str:
    """The text of ``terminals.h``."""
    from simpy_grammar.terminals import TERMINALS, general
    from transpiler import blank_lines, lexeme_kinds
    from transpiler.nesting import DEEPEST
    from transpiler.pep8 import _SPELLED

    names = [SIGNS.get(terminal.name, terminal.name) for terminal in TERMINALS]
    kinds = sorted((name, value) for name, value in vars(lexeme_kinds).items() if name.isupper() and isinstance(value, int))
    roles = sorted({terminal.role for terminal in TERMINALS})
    index = {terminal.name: terminal.id for terminal in TERMINALS}
    blanks = {name: value for name, value in vars(blank_lines).items() if name.isupper() and isinstance(value, int)}
    places = {name: value for name, value in blanks.items() if name in PLACES}
    depths = (blank_lines._IN_MODULE, blank_lines._IN_BLOCKS)
    operators = [text for kind, text in zip(lexeme_kinds.KINDS, _SPELLED, strict=False) if kind <= lexeme_kinds.TIGHTEST]
    if not all(text.startswith(" ") for text in operators):
        raise ValueError("native/line_breaks.c breaks a line at the blank before an operator, which each has")
    rows = [
        "/* Made by native/generate.py. */",
        "#ifndef SIMPY_TERMINALS_H",
        "#define SIMPY_TERMINALS_H",
        f"enum {{ {', '.join(f'T_{name} = {i}' for i, name in enumerate(names))}, TERMINALS = {len(names)} }};",
        f"enum {{ {', '.join(f'ROLE_{role.upper()} = {i}' for i, role in enumerate(roles))} }};",
        f"enum {{ {', '.join(f'K_{name} = {value}' for name, value in kinds)} }};",
        f"enum {{ {', '.join(f'PLACE_{name} = {value}' for name, value in places.items())}, PLACES = {len(places)} }};",
        f"enum {{ {', '.join(f'ROW_{name} = {value}' for name, value in blanks.items() if name not in places)} }};",
        f"enum {{ DEEPEST_BLOCK = {DEEPEST} }};",
        "#ifdef TERMINAL_TABLES",
        _array("const char *const", "terminal_name", [_string(terminal.name) for terminal in TERMINALS]),
        _array("const char *const", "terminal_python", [_string(terminal.python) for terminal in TERMINALS]),
        _array("const char *const", "terminal_spelled", [_string(text) for text in _SPELLED]),
        _array("const unsigned char", "terminal_spelled_size", [len(text) for text in _SPELLED]),
        _array("const unsigned char", "terminal_role", [roles.index(terminal.role) for terminal in TERMINALS]),
        _array("const unsigned char", "terminal_general", [index[general(terminal.name)] for terminal in TERMINALS]),
        _array("const unsigned char", "terminal_kind", list(lexeme_kinds.KINDS[: len(names)])),
        _nested("row_role[2][256]", [roles for roles, _ in depths]),
        _nested("place_after[2][256]", [after for _, after in depths]),
        _nested("blank_lines[PLACES][5]", [(*counts, counts[blank_lines.ANYTHING]) for counts in blank_lines._COUNTS]),
        f"const char terminal_check[] = {_string(check())};",
        "#else",
        "extern const char *const terminal_name[TERMINALS];     /* in the grammar */",
        "extern const char *const terminal_python[TERMINALS];   /* the text that Python has for it, with the blanks around it */",
        "extern const char *const terminal_spelled[TERMINALS];  /* the same; empty if a lexeme has its own text */",
        "extern const unsigned char terminal_spelled_size[TERMINALS];",
        "extern const unsigned char terminal_role[TERMINALS];   /* ROLE_... */",
        "extern const unsigned char terminal_general[TERMINALS]; /* the terminal that stands for it in streams */",
        "extern const unsigned char terminal_kind[TERMINALS];   /* K_..., as transpiler.lexeme_kinds says */",
        "extern const unsigned char row_role[2][256];           /* in the module and in blocks: kind that a row begins with -> ROW_... */",
        "extern const unsigned char place_after[2][256];        /* the same -> PLACE_... after the row */",
        "extern const unsigned char blank_lines[PLACES][5];     /* place and row -> blank lines between them, as in a module */",
        "extern const char terminal_check[];                    /* what simpy_grammar.native compares */",
        "#endif",
        "#endif",
    ]
    return "\n".join(rows) + "\n"


def spelling_tables() -> str:
    """The text of ``spelling_tables.h``: what the speller asks of a terminal, one bit for each question."""
    from simpy_grammar import implied_closers, speller
    from simpy_grammar.terminals import TERMINALS

    asked: dict[str, Iterable[int]] = {
        "IS_KEYWORD": speller._KEYWORDS,
        "IS_CLAUSE": speller._CLAUSES,
        "IS_BARE_HEADER": speller._BARE_HEADERS,
        "IS_COMMENT": speller._COMMENTS,
        "IS_SEPARATED": [i for i, separated in enumerate(speller._SEPARATED) if separated],
        "IS_CLOSING": implied_closers._CLOSING,
        "ENDS_OPERAND": implied_closers._OPERAND_ENDS,
        "ENDS_STATEMENT": implied_closers._ENDS,
        "IS_OUTER_COMMENT": implied_closers._COMMENTS,
    }
    bits = {name: 1 << i for i, name in enumerate(asked)}
    values = [sum(bits[name] for name, chosen in asked.items() if terminal.id in chosen) for terminal in TERMINALS]
    return _header(
        "SPELLING",
        f"enum {{ {', '.join(f'{name} = {bit}' for name, bit in bits.items())} }};",
        _array("static const uint16_t", "terminal_questions", values),
    )


def compact_tables() -> str:
    """The text of ``compact_tables.h``: the one style of the dialect ``compact``, and how tightly terminals bind."""
    from simpy_grammar.terminals import PREFIX, TERMINALS
    from transpiler import compact, parentheses, precedence
    from transpiler.compact_style import STYLE

    if STYLE.after_colon != "" or not STYLE.semicolon:
        raise ValueError("native/compact.c writes simple statements behind the colon of their header, with no blank")
    places = compact._places(STYLE)
    named = {"AT_START": places.start, "AFTER_SIGN": places.after_sign, "AFTER_WORD": places.after_word, "AFTER_BLANK": places.after_blank}
    after = [next(name for name, place in named.items() if place is chosen) for chosen in places.after]
    handlers = [handler.__name__ for handler in compact._HANDLERS[: len(TERMINALS)]]
    levels = "NAMED EXPRESSION OPERAND TUPLE GENERATOR KEPT NEVER AS_BRACKET AS_OPERAND".split()
    kinds = "_GROUP _CALL _BASES _LIST _INDEX _BRACES _FIELD _OTHER _OPENS _CLOSES _COMMENTS".split()
    words = [f"{text.strip()} " if row.role == PREFIX else text for row, text in zip(TERMINALS, places.spelling, strict=True)]
    count = len(TERMINALS)
    return _header(
        "COMPACT",
        "typedef struct { const char *text; size_t size; } Constant;",
        f"enum {{ {', '.join(named)}, SIDES }};",
        f"enum {{ {', '.join(f'WRITE_{name.upper()}' for name in sorted(set(handlers)))} }};",
        f"enum {{ {', '.join(f'LEVEL_{name} = {getattr(precedence, name)}' for name in levels)} }};",
        f"enum {{ {', '.join(f'BRACKET{name} = {getattr(parentheses, name)}' for name in kinds)} }};",
        f"enum {{ LONGEST_WORD = {max(map(len, words))}, DEEPEST = {compact.DEEPEST}, NOT_WRITTEN = {compact._NOTHING} }};",
        *(
            f"static const Constant {name} = {_constant(text)};"
            for name, text in (("indent", STYLE.indent), ("semicolon", STYLE.semicolon), ("before_comment", STYLE.before_comment))
        ),
        "/* place -> what is written for a terminal; size 0 if it is the text of the lexeme, NULL if a handler writes it */",
        "static const Constant pieces[SIDES][TERMINALS] = {",
        *(f"    {{{', '.join(map(_constant, place))}}}," for place in named.values()),
        "};",
        _array("static const unsigned char", "side_after", after),
        _array("static const unsigned char", "handlers", [f"WRITE_{name.upper()}" for name in handlers]),
        _array("static const Constant", "words", [*map(_constant, words)]),
        _array("static const unsigned char", "shares_line", [int(i in compact._SHARING) for i in range(count)]),
        *(
            _array("static const signed char", name, [int(value) for value in values[:count]])
            for name, values in (
                ("level_of", precedence.LEVEL),
                ("demanded_after", precedence.DEMANDED_AFTER),
                ("demanded_before", precedence.DEMANDED_BEFORE),
                ("tuple_demanded_after", precedence.TUPLE_DEMANDED_AFTER),
                ("tuple_stands_before", precedence.TUPLE_STANDS_BEFORE),
                ("is_boundary", precedence.IS_BOUNDARY),
                ("is_operator", precedence.IS_OPERATOR),
                ("is_assignment", precedence.IS_ASSIGNMENT),
                ("round_after", parentheses._ROUND),
                ("square_after", parentheses._SQUARE),
                ("bracket_event", parentheses._EVENT),
                ("other_bracket", [parentheses._KIND.get(i, parentheses._OTHER) for i in range(count)]),
            )
        ),
        f"static const signed char demanded_in[] = {{{', '.join(map(str, parentheses._DEMANDED_IN))}}};",
        f"static const Constant soft_words[] = {{{', '.join(map(_constant, sorted(parentheses._SOFT)))}}};",
    )


def check() -> str:
    """What the extension was built for: another table of terminals makes it unusable."""
    from simpy_grammar.native import table_check

    return table_check()


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?")
    return f'"{escaped}"'


def _constant(text: str | None) -> str:
    return "{NULL, 0}" if text is None else f"{{{_string(text)}, {len(text)}}}"


def _header(name: str, *rows: str) -> str:
    guard = f"SIMPY_{name}_TABLES_H"
    return "\n".join(("/* Made by native/generate.py. */", f"#ifndef {guard}", f"#define {guard}", *rows, "#endif", ""))


def _array(kind: str, name: str, values: Sequence[object]) -> str:
    return f"{kind} {name}[TERMINALS] = {{{', '.join(map(str, values))}}};"


def _nested(declared: str, rows: list[Iterable[int]]) -> str:
    return f"const unsigned char {declared} = {{{', '.join('{' + ', '.join(map(str, row)) + '}' for row in rows)}}};"


def write(folder: Path) -> None:
    """Write the headers into a folder, but leave those that are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"terminals.h": header(), "spelling_tables.h": spelling_tables(), "compact_tables.h": compact_tables()}
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    write(Path(sys.argv[1]))
