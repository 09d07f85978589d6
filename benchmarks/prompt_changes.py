"""Changes of a prompt in one place, and the words at whose ends a prompt may be cut."""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Callable
from typing import NamedTuple

_SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING)
_ATOMS = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING)


class Word(NamedTuple):
    """A name, number or string of a program, or the end of a line: where one may stop.

    Attributes:
        start, end: its offsets.
        before: what must be the same before it: the last token, the open brackets and before which words they stand, the number of
            open blocks.
    """

    start: int
    end: int
    before: tuple[str, tuple[tuple[str, int], ...], int]
    kind: int
    after: int  # offset of the end of the token before it
    open: int  # how many blocks are open after the line before it


def words_of(text: str) -> list[Word]:
    """Where a program may be cut."""
    offsets = [0]
    for row in io.StringIO(text):
        offsets.append(offsets[-1] + len(row))
    found: list[Word] = []
    brackets: tuple[tuple[str, int], ...] = ()
    depth, last, after, opened = 0, "\n", 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            start, end = offsets[token.start[0] - 1] + token.start[1], offsets[min(token.end[0], len(offsets)) - 1] + token.end[1]
            if token.type == tokenize.INDENT:
                depth += 1
            elif token.type == tokenize.DEDENT:
                depth -= 1
            elif token.type == tokenize.NEWLINE:
                last, opened = "\n", depth
            if token.type in _SKIPPED:
                continue
            if token.type in _ATOMS and not (token.type == tokenize.STRING and found and found[-1].kind == tokenize.STRING and last == '"'):
                found.append(Word(start, end, (last, brackets, depth), token.type, after, max(opened, depth)))
            if token.string in ("(", "[", "{"):
                brackets += ((token.string, len(found)),)
            elif token.string in (")", "]", "}"):
                brackets = brackets[:-1]
            last, after = '"' if token.type == tokenize.STRING else token.string, end
    except (tokenize.TokenError, SyntaxError, IndexError):
        return []
    return found


def _swap_token(kinds: tuple[int, ...], change: Callable[[str, random.Random], str]) -> Callable[[str, random.Random], str | None]:
    """Changes one token of these kinds."""

    def changed(text: str, drawn: random.Random) -> str | None:
        offsets = [0]
        for row in io.StringIO(text):
            offsets.append(offsets[-1] + len(row))
        found = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type in kinds and token.string:
                    found.append((offsets[token.start[0] - 1] + token.start[1], token.string))
        except (tokenize.TokenError, SyntaxError, IndexError):
            pass
        if not found:
            return None
        start, string = drawn.choice(found)
        return text[:start] + change(string, drawn) + text[start + len(string) :]

    return changed


def _in_string(text: str, drawn: random.Random) -> str:
    at = max(text.find("'"), text.find('"')) + 1
    at = drawn.randrange(at, len(text)) if at < len(text) else at
    return text[:at] + drawn.choice((" ", "x", "\\n", "#")) + text[at:]


def _other_indent(text: str, drawn: random.Random) -> str | None:
    rows = text.split("\n")
    at = [i for i, row in enumerate(rows) if row[:1] == " " and row.strip()]
    if not at:
        return None
    row = drawn.choice(at)
    body = rows[row].lstrip(" ")
    rows[row] = " " * max(0, len(rows[row]) - len(body) + drawn.choice((-8, -4, 4))) + body
    return "\n".join(rows)


def _moved_indent(text: str, drawn: random.Random) -> str | None:
    """The last line dedented."""
    head, _, last = text.rpartition("\n")
    return f"{head}\n{last[4:]}" if last[:4] == "    " else None


def _without_line(text: str, drawn: random.Random) -> str | None:
    rows = text.split("\n")
    if len(rows) < 2:
        return None
    at = drawn.randrange(len(rows) - 1)
    return "\n".join(rows[:at] + rows[at + 1 :])


def _swapped_lines(text: str, drawn: random.Random) -> str | None:
    rows = text.split("\n")
    if len(rows) < 3:
        return None
    at = drawn.randrange(len(rows) - 2)
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    return "\n".join(rows)


def _bracketed(text: str, drawn: random.Random) -> str | None:
    """A word in parentheses, or a pair of them gone."""
    words = [word for word in words_of(text) if word.kind != tokenize.STRING] if drawn.random() < 0.6 else []
    if words:
        word = drawn.choice(words)
        return f"{text[: word.start]}({text[word.start : word.end]}){text[word.end :]}"
    at = [i for i, char in enumerate(text) if char in "()[]{},;:"]
    if not at:
        return None
    place = drawn.choice(at)
    return text[:place] + text[place + 1 :]


def _joined_line(text: str, drawn: random.Random) -> str | None:
    """A line break made a semicolon, a blank or nothing."""
    at = [i for i, char in enumerate(text) if char == "\n"]
    if not at:
        return None
    place = drawn.choice(at)
    return text[:place] + drawn.choice(("; ", " ", "")) + text[place + 1 :].lstrip(" ")


def _random_character(text: str, drawn: random.Random) -> str | None:
    if not text:
        return None
    at = drawn.randrange(len(text))
    return text[:at] + drawn.choice(("", drawn.choice("\n \t#'\"\\,;:()[]=ax1.-"))) + text[at + drawn.choice((0, 1)) :]


MUTATIONS: dict[str, Callable[[str, random.Random], str | None]] = {
    "name": _swap_token(
        (tokenize.NAME,),
        lambda text, drawn: text + drawn.choice("_x1") if drawn.random() < 0.5 else drawn.choice(("if", "x", text[1:] or "y")),
    ),
    "number": _swap_token(
        (tokenize.NUMBER,), lambda text, drawn: drawn.choice((text + "0", "1" + text, text + ".0", text + "j", "-" + text))
    ),
    "operator": _swap_token((tokenize.OP,), lambda text, drawn: drawn.choice(("+", "-", "**", "=", "==", ",", ".", ":", "and ", ";", "("))),
    "string": _swap_token((tokenize.STRING,), _in_string),
    "prefix": _swap_token((tokenize.STRING,), lambda text, drawn: drawn.choice(("b", "f", "r", "u")) + text),
    "comment": _swap_token((tokenize.COMMENT,), lambda text, drawn: text + drawn.choice(("x", " x", "")) if drawn.random() < 0.7 else ""),
    "indentation": _other_indent,
    "dedent": _moved_indent,
    "cut earlier": lambda text, drawn: text[: -drawn.choice((1, 1, 1, 2, 3, 5))],
    "cut later": lambda text, drawn: text + drawn.choice((" ", "\n", "    ", "x", "=", "(", "'", "#", "\n    ", ".", ",", ":")),
    "line gone": _without_line,
    "lines swapped": _swapped_lines,
    "bracket": _bracketed,
    "lines joined": _joined_line,
    "character": _random_character,
}
"""Changes by name; ``None`` where there is nothing to change."""
