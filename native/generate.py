"""Writes ``terminals.h``: the terminal table and the kinds of lexemes as constants of C. The build of the extension runs it.

    python native/generate.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
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
    from transpiler.pep8 import _SPELLED, DEEPEST

    names = [SIGNS.get(terminal.name, terminal.name) for terminal in TERMINALS]
    roles = sorted({terminal.role for terminal in TERMINALS})
    index = {terminal.name: terminal.id for terminal in TERMINALS}
    blanks = {name: value for name, value in vars(blank_lines).items() if name.isupper() and isinstance(value, int)}
    places = {name: value for name, value in blanks.items() if name in PLACES}
    depths = (blank_lines._IN_MODULE, blank_lines._IN_BLOCKS)
    rows = [
        "/* Made by native/generate.py. */",
        "#ifndef SIMPY_TERMINALS_H",
        "#define SIMPY_TERMINALS_H",
        f"enum {{ {', '.join(f'T_{name} = {i}' for i, name in enumerate(names))}, TERMINALS = {len(names)} }};",
        f"enum {{ {', '.join(f'ROLE_{role.upper()} = {i}' for i, role in enumerate(roles))} }};",
        f"enum {{ {', '.join(f'K_{name} = {value}' for name, value in sorted(vars(lexeme_kinds).items()) if name.isupper() and isinstance(value, int))} }};",
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


def check() -> str:
    """What the extension was built for: another table of terminals makes it unusable."""
    from simpy_grammar.native import table_check

    return table_check()


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?")
    return f'"{escaped}"'


def _array(kind: str, name: str, values: list[object]) -> str:
    return f"{kind} {name}[TERMINALS] = {{{', '.join(map(str, values))}}};"


def _nested(declared: str, rows: list[Iterable[int]]) -> str:
    return f"const unsigned char {declared} = {{{', '.join('{' + ', '.join(map(str, row)) + '}' for row in rows)}}};"


def write(folder: Path) -> None:
    """Write ``terminals.h`` into a folder, unless the same one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / "terminals.h", header()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    write(Path(sys.argv[1]))
