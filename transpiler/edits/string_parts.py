"""The parts of a string with fields: its text, and the tokens of the code in it."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_lexer import PythonLexer
from simpy_grammar.table_cache import load_tables


class StringPart(NamedTuple):
    """A part of a string.

    Attributes:
        text: its characters.
        start, end: its offsets in the string.
        is_code: it stands in a field, and is not the text of a string.
    """

    text: str
    start: int
    end: int
    is_code: bool


def string_parts(string: str) -> list[StringPart]:
    """The parts of a string with fields.

    >>> [part.text for part in string_parts("f'{a} b'")]
    ["f'", '{', 'a', '}', ' b', "'"]
    """
    lexer = PythonLexer(load_tables(Dialect.load(PYTHON)))
    lexer.feed(f"{string}\n", final=True)
    parts: list[StringPart] = []
    for key, text, end in zip(lexer.keys, lexer.texts, lexer.ends, strict=True):
        if key == "()":
            opening = string.rindex("(", 0, end)  # blanks may stand inside
            parts += [StringPart("(", opening, opening + 1, True), StringPart(")", end - 1, end, True)]
        elif text:
            parts.append(StringPart(text, end - len(text), end, "_TEXT" not in key and "STRING_START" not in key))
    return parts


def with_parts_of(old: str, new: str) -> str:
    """A changed string with fields, in which the parts that both strings begin or end with are as the old one has them, blanks included.

    >>> with_parts_of("f'{a+1} {b}{ c }'", "f'{a + 1} {d}{c}'")
    "f'{a+1} {d}{ c }'"
    """
    ours, theirs = string_parts(old), string_parts(new)
    first = sum(1 for _ in takewhile(lambda pair: pair[0].text == pair[1].text, zip(ours, theirs, strict=False)))
    rest = zip(reversed(ours[first:]), reversed(theirs[first:]), strict=False)
    last = sum(1 for _ in takewhile(lambda pair: pair[0].text == pair[1].text, rest))
    if not first or not last or len(theirs) == first + last:
        return new
    return old[: ours[first - 1].end] + new[theirs[first - 1].end : theirs[-last].start] + old[ours[-last].start :]
