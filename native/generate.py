"""Writes ``terminals.h``: the terminal table and the kinds of lexemes as constants of C. The build of the extension runs it.

    python native/generate.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

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
    from transpiler import lexeme_kinds
    from transpiler.pep8 import _SPELLED

    names = [SIGNS.get(terminal.name, terminal.name) for terminal in TERMINALS]
    roles = sorted({terminal.role for terminal in TERMINALS})
    index = {terminal.name: terminal.id for terminal in TERMINALS}
    rows = [
        "/* Made by native/generate.py. */",
        "#ifndef SIMPY_TERMINALS_H",
        "#define SIMPY_TERMINALS_H",
        f"enum {{ {', '.join(f'T_{name} = {i}' for i, name in enumerate(names))}, TERMINALS = {len(names)} }};",
        f"enum {{ {', '.join(f'ROLE_{role.upper()} = {i}' for i, role in enumerate(roles))} }};",
        f"enum {{ {', '.join(f'K_{name} = {value}' for name, value in sorted(vars(lexeme_kinds).items()) if name.isupper() and isinstance(value, int))} }};",
        "#ifdef TERMINAL_TABLES",
        _array("const char *const", "terminal_name", [_string(terminal.name) for terminal in TERMINALS]),
        _array("const char *const", "terminal_python", [_string(terminal.python) for terminal in TERMINALS]),
        _array("const char *const", "terminal_spelled", [_string(text) for text in _SPELLED]),
        _array("const unsigned char", "terminal_role", [roles.index(terminal.role) for terminal in TERMINALS]),
        _array("const unsigned char", "terminal_general", [index[general(terminal.name)] for terminal in TERMINALS]),
        _array("const unsigned char", "terminal_kind", list(lexeme_kinds.KINDS[: len(names)])),
        f"const char terminal_check[] = {_string(check())};",
        "#else",
        "extern const char *const terminal_name[TERMINALS];     /* in the grammar */",
        "extern const char *const terminal_python[TERMINALS];   /* the text that Python has for it, with the blanks around it */",
        "extern const char *const terminal_spelled[TERMINALS];  /* the same; empty if a lexeme has its own text */",
        "extern const unsigned char terminal_role[TERMINALS];   /* ROLE_... */",
        "extern const unsigned char terminal_general[TERMINALS]; /* the terminal that stands for it in streams */",
        "extern const unsigned char terminal_kind[TERMINALS];   /* K_..., as transpiler.lexeme_kinds says */",
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


def write(folder: Path) -> None:
    """Write ``terminals.h`` into a folder, unless the same one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / "terminals.h", header()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    write(Path(sys.argv[1]))
