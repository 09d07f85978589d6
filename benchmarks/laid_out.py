"""Programs laid out anew: by formatters, by CPython, by our own layouts, and with blanks at random."""

from __future__ import annotations

import ast
import importlib
import io
import random
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path

from simpy_grammar.errors import SimPyError
from transpiler import decode, encode


def layouts(drawn: random.Random) -> dict[str, tuple[Callable[[str], str | None], bool]]:
    """Ways to lay out a program, by name, each with whether it keeps comments; ``None`` where it cannot."""
    return {
        "black": (lambda text: _blackened(text, 88), True),
        "black, 40 columns": (lambda text: _blackened(text, 40), True),
        "ruff format": (lambda text: _formatted(["ruff", "format", "--config", "format.quote-style='single'", "-"], text), True),
        "ast.unparse (comments=no)": (lambda text: ast.unparse(ast.parse(text)) + "\n", False),
        "decode(encode())": (lambda text: _ours(text, "python"), True),
        "compact": (lambda text: _ours(text, "compact"), True),
        "blanks at random": (lambda text: _random(text, drawn), True),
    }


def _blackened(text: str, width: int) -> str | None:
    black = importlib.import_module("black")
    try:
        return str(black.format_str(text, mode=black.Mode(line_length=width)))
    except ValueError:
        return None


def _formatted(command: list[str], text: str) -> str | None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]], input=text, capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


def _ours(text: str, target: str) -> str | None:
    try:
        return encode(text, dialect="compact") if target == "compact" else decode(encode(text))
    except SimPyError:
        return None


def _random(text: str, drawn: random.Random) -> str | None:
    """The tokens of a program with other blanks between them, another indentation, and breaks inside brackets."""
    unit, out, depth, brackets, start = drawn.choice((" ", "  ", "   ", "\t", "      ")), [], 0, 0, True
    previous = ""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    for token in tokens:
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            depth += 1 if token.type == tokenize.INDENT else -1
        elif token.type in (tokenize.NL, tokenize.NEWLINE):
            out.append("\n" * drawn.choice((1, 1, 1, 2)) if not brackets else "\n")
            start, previous = not brackets, "\n"
        elif token.type != tokenize.ENDMARKER:
            if token.type == tokenize.COMMENT and start:
                out.append(" " * token.start[1] if not brackets else "")
                if not brackets:
                    return None  # which block a comment is in
            elif start:
                out.append(unit * depth)
            elif previous != "\n":
                tight = previous in (*"([{,;", ")", "]", "}") or token.string in (*")]},:",)
                blank = drawn.choice(("", " ", "  ")) if tight else " "
                if previous in (")", "]", "}") and token.string[:1].isalpha():
                    blank = " "
                if brackets and drawn.random() < 0.1 and token.type != tokenize.COMMENT:
                    blank = "\n" + " " * drawn.randrange(9)
                elif not brackets and drawn.random() < 0.02 and token.type != tokenize.COMMENT:
                    blank = " \\\n "
                out.append(blank)
            out.append(token.string)
            brackets += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
            start, previous = False, token.string
    return "".join(out)
