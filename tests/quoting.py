"""A piece of a program in other layouts: as a model quotes what it has read. Each says the same as the piece."""

from __future__ import annotations

import ast
import random
import tokenize

import transpiler
from tests.source_spans import LAYOUT_TOKENS, Token, lines_in_strings, program_tokens, tokens_of

LAYOUTS = ("as_it_stands", "dedented", "indented_by_2", "unparsed", "reflowed", "compact", "without_comments", "broken_elsewhere")
_CLAUSES = {"elif": "if _:\n    pass\n", "else": "if _:\n    pass\n", "except": "try:\n    pass\n", "finally": "try:\n    pass\n"}
_BRACKETS = {"expression": ("_ = [", "]"), "argument": ("_(", ")"), "element": ("_ = [", "]"), "item": ("_ = {", "}")}
"""What makes a program of a piece that is less than a statement; an ``item`` is one of a dictionary."""


def quoted(piece: str, kind: str, layout: str, indent: str, seed: int) -> str | None:
    """A piece in a layout, or ``None`` if the layout would spell its literals in another way.

    Args:
        piece: the text from the first character of the piece to its last.
        kind: what it is a piece of: see `tests.random_edits`.
        layout: one of ``LAYOUTS``.
        indent: the blanks before it in its file.
        seed: what chance depends on, so that the old and the new text are treated alike.
    """
    if layout == "as_it_stands":
        return (indent if seed % 3 else "") + piece
    program = _wrapped(_dedented(piece, indent, kind), kind)
    tokens = tokens_of(program)
    if layout == "dedented":
        return _unwrapped(program, kind)
    if layout == "unparsed":
        program = ast.unparse(ast.parse(program)) + "\n"
    elif layout == "reflowed":
        program = transpiler.decode(transpiler.encode(program, verify=False))
    elif layout == "compact":
        program = transpiler.encode(program, dialect="compact", verify=False)
    elif layout == "indented_by_2":
        program = _indented(program, tokens)
    elif layout == "without_comments":
        program = _without_comments(program, tokens)
    else:
        program = _broken(program, tokens, random.Random(seed))
    return _unwrapped(program, kind) if program_tokens(tokens_of(program)) == program_tokens(tokens) else None


def indented(piece: str, indent: str, unit: str) -> str:
    """A piece of whole statements that stands after ``indent``, with a ``unit`` more before all lines that are not in strings."""
    inside = _lines_in_strings_of(piece, indent, "statement")
    return "\n".join(unit + line if line.strip() and at not in inside else line for at, line in enumerate(piece.split("\n")))


def _lines_in_strings_of(piece: str, indent: str, kind: str) -> set[int]:
    """Indexes of the lines of a piece that begin inside of a string."""
    before = "("
    if kind not in _BRACKETS:  # a program in which the piece stands as deep as in its file
        clause = _CLAUSES[piece[: _word_end(piece)]].replace("\n", "\n" + indent) if kind == "clause" else ""
        before = ("if _:\n" + indent if indent else "") + clause
    whole = before + piece + ("\n)" if kind in _BRACKETS else _tail(kind, indent))
    skipped = before.count("\n")
    return {at - skipped for at in lines_in_strings(whole, tokens_of(whole))}


def _dedented(piece: str, indent: str, kind: str) -> str:
    inside = _lines_in_strings_of(piece, indent, kind)
    lines = enumerate(piece.split("\n"))
    if kind in _BRACKETS:
        return "\n".join(line if at in inside or not at else line.lstrip(" \t") for at, line in lines)
    return "\n".join(line if at in inside or not at else line.removeprefix(indent) for at, line in lines)


def _word_end(piece: str) -> int:
    return next((at for at, char in enumerate(piece) if not char.isalpha()), len(piece))


def _tail(kind: str, indent: str) -> str:
    return {"header": f"\n{indent}    pass\n", "decorator": f"\n{indent}def _():\n{indent}    pass\n"}.get(kind, "\n")


def _wrapped(piece: str, kind: str) -> str:
    """A program that holds a piece."""
    if kind in _BRACKETS:
        before, after = _BRACKETS[kind]
        return f"{before}{piece}{after}\n" if not piece.rsplit("\n", 1)[-1].count("#") else f"{before}{piece}\n{after}\n"
    return (_CLAUSES[piece[: _word_end(piece)]] if kind == "clause" else "") + piece + _tail(kind, "")


def _unwrapped(program: str, kind: str) -> str:
    """The piece that a program holds."""
    text = program.strip("\n")
    if kind in _BRACKETS:
        before, after = _BRACKETS[kind]
        return text[text.index(before[-1]) + 1 : text.rindex(after)].strip(" \n")
    if kind == "header":
        return text[: text.rindex("pass")].rstrip()
    if kind == "decorator":
        return text[: text.rindex("\ndef _")].rstrip()
    if kind == "clause":
        lines = text.split("\n")
        first = next(at for at, line in enumerate(lines) if line.startswith(tuple(_CLAUSES)))
        return "\n".join(lines[first:])
    return text


def _indented(program: str, tokens: list[Token]) -> str:
    """Two blanks for each block; the lines of a statement after its first keep their distance to it."""
    depth, fresh, move = 0, True, 0
    moves: dict[int, int] = {}
    for token in tokens:
        depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        row = program.count("\n", 0, token.start)
        if token.type in LAYOUT_TOKENS and token.type != tokenize.NEWLINE:
            continue
        if fresh:
            move = 2 * depth - (token.start - program.rfind("\n", 0, token.start) - 1)
            fresh = False
        moves.setdefault(row, move)
        fresh = token.type == tokenize.NEWLINE
    inside = lines_in_strings(program, tokens)
    lines = program.split("\n")
    for at, line in enumerate(lines):
        if at in moves and at not in inside:
            blanks = len(line) - len(line.lstrip(" \t"))
            lines[at] = " " * max(0, blanks + moves[at]) + line[blanks:]
    return "\n".join(lines)


def _without_comments(program: str, tokens: list[Token]) -> str:
    for token in reversed(tokens):
        if token.type == tokenize.COMMENT:
            program = program[: token.start].rstrip(" \t") + program[token.end :]
    inside = lines_in_strings(program, tokens_of(program))
    return "\n".join(line for at, line in enumerate(program.split("\n")) if line.strip() or at in inside) + "\n"


def _broken(program: str, tokens: list[Token], chance: random.Random) -> str:
    """Line breaks inside of brackets at other places, and none where they were; comments there go."""
    written, depth, last = "", 0, 0
    for token in tokens:
        if token.type == tokenize.ENDMARKER:
            break
        gap = program[last : token.start]
        if depth and token.type in (tokenize.NL, tokenize.COMMENT):
            last = token.end
            continue
        if depth:
            gap = " " if "\n" in gap or (gap and gap != "\\\n") or (last and program[last - 1] == "\n") else gap
            gap = "\n" + " " * chance.randrange(9) if chance.random() < 0.2 else gap
        written += gap + token.text if token.type not in (tokenize.INDENT, tokenize.DEDENT) else gap
        last = token.end if token.type != tokenize.INDENT else token.start
        depth += (token.type == tokenize.OP) * ((token.text in "([{") - (token.text in ")]}"))
    return written
