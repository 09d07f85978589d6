"""Gutters of line numbers, as tools print them before each line: removed, and the numbers put back at definitions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from simpy_grammar.python_tokens import LexError
from transpiler.logical_lines import logical_lines
from transpiler.views import strip_numbers

COLON = "colon"
GUTTERS: dict[str, re.Pattern[str]] = {
    "cat -n": re.compile(r"[ ]*(\d+)(?:\t|(?=\r?\n|$))"),  #      1<tab>x = 1
    "arrow": re.compile(r"[ ]*(\d+)→"),  #      1→x = 1
    "bar": re.compile(r"[ ]*(\d+)[ ]?\|(?:[ ]|(?=\r?\n|$))"),  # 12 | x = 1
    COLON: re.compile(r"[ ]*(\d+):"),  # 12: x = 1, 12:x = 1
}
"""What stands before the text of a line; the group is its number. A blank after a colon may be part of it or of the line."""
SHORTEST = 3
"""How many lines a gutter must have, unless it is all of a block that is marked as Python."""
_DIGITS = 9  # of a line number, at most
_DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+def|def|class)\b")


class Numbered(NamedTuple):
    """Lines that had a gutter.

    Attributes:
        code: the lines without it, byte for byte.
        first: the number of the first one.
        length: how many lines they are.
        gutter: the name of its form.
    """

    code: str
    first: int
    length: int
    gutter: str


def read_gutter(lines: Sequence[str], at: int = 0, shortest: int = SHORTEST) -> Numbered | None:
    """The longest run of lines with a gutter from some line on; ``None`` if there is no such run.

    Args:
        lines: with their line breaks.
        at: index of the first line of the run.
        shortest: how many lines the run must have.

    >>> read_gutter(["     9\\tif a:\\n", "    10\\t    b\\n", "end\\n"], shortest=2)
    Numbered(code='if a:\\n    b\\n', first=9, length=2, gutter='cat -n')
    >>> read_gutter(["1: a\\n", "3: b\\n"])
    """
    for name, pattern in GUTTERS.items():
        match = pattern.match(lines[at])
        if match is None or len(match[1]) > _DIGITS:
            continue
        first = number = int(match[1])
        found = [lines[at][match.end() :]]
        for index in range(at + 1, len(lines)):
            line = lines[index]
            match = pattern.match(line)
            if match is None or len(match[1]) > _DIGITS or int(match[1]) != number + 1:
                break
            number += 1
            found.append(line[match.end() :])
        if len(found) >= shortest:
            return Numbered("".join(_without_blank(found) if name == COLON else found), first, len(found), name)
    return None


def _without_blank(lines: list[str]) -> list[str]:
    """Lines without the blank after a colon, if the gutter has one: then each line begins with it, and none is indented evenly.

    >>> _without_blank([" if a:\\n", "     b\\n"]), _without_blank(["    if a:\\n", "        b\\n"])
    (['if a:\\n', '    b\\n'], ['    if a:\\n', '        b\\n'])
    """
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    if not indents or min(indents) % 2 == 0:
        return lines
    return [line.removeprefix(" ") for line in lines]


def number_definitions(code: str, sent: str, first: int) -> str:
    """Code as the model sees it, with the number of the original line before each definition, as in ``transpiler.views``.

    Args:
        code: the original lines.
        sent: the same code in another layout of Python.
        first: the number of the first original line.

    >>> number_definitions("x = 1\\ndef f():\\n    return 1\\n", "x=1\\ndef f():return 1", 9)
    'x=1\\n10:def f():return 1'
    """
    numbers, number = [], first
    try:
        original = logical_lines(code.removeprefix("\ufeff").replace("\r\n", "\n"))
    except LexError:  # such as a line that ends with a carriage return
        return sent
    for line in original:
        if _DEFINITION.match(line.text):
            numbers.append(number)
        number += line.text.count("\n")
    lines = [line.text for line in logical_lines(sent)]
    places = [at for at, line in enumerate(lines) if _DEFINITION.match(line)]
    if len(places) != len(numbers):
        return sent
    for at, number in zip(places, numbers, strict=True):
        lines[at] = f"{number}:{lines[at]}"
    numbered = "".join(lines)
    return numbered if strip_numbers(numbered) == sent else sent
