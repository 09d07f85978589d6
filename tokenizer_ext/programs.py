"""Programs as this package reads them: as a stream of lexemes, or as tokens of Python. No other file parses a program."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.stream import Stream
from transpiler.conversion import read_stream

COMMENTS = frozenset(("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT"))

# Sorts of Python tokens.
WORD, KEYWORD, OPERATOR, NUMBER, STRING, COMMENT = "word", "keyword", "operator", "number", "string", "comment"
_SORTS = {tokenize.OP: OPERATOR, tokenize.NUMBER: NUMBER, tokenize.COMMENT: COMMENT}


def program_stream(source: str, *, path: str | None = None) -> Stream:
    """The lexemes of a Python program, which a ``Speller`` spells in a dialect.

    Raises:
        PythonSyntaxError: the source is not Python.
        UnsupportedSyntaxError: the grammar has no rule for some of it.

    >>> [lexeme.text for lexeme in program_stream("return a").lexemes()]
    ['return', 'a']
    """
    return read_stream(source, Dialect.load(PYTHON), path)


class PythonToken(NamedTuple):
    """A token of a Python text.

    Attributes:
        sort: one of the constants of this module.
        start: offset of its first character.
        end: offset after its last character.
    """

    sort: str
    start: int
    end: int


def python_tokens(source: str) -> Iterator[PythonToken]:
    """The tokens of a Python text that are not white space.

    What this interpreter knows decides: before Python 3.12 an f-string is one string.

    Raises:
        SyntaxError: this interpreter cannot cut the text into tokens.
        tokenize.TokenError: likewise.

    >>> [(token.sort, "if a: # b"[token.start : token.end]) for token in python_tokens("if a: # b")]
    [('keyword', 'if'), ('word', 'a'), ('operator', ':'), ('comment', '# b')]
    """
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, end = (min(starts[min(line - 1, len(starts) - 1)] + column, len(source)) for line, column in (token.start, token.end))
        text = source[start:end]
        if text.strip():
            sort = (KEYWORD if keyword.iskeyword(text) else WORD) if token.type == tokenize.NAME else _SORTS.get(token.type, STRING)
            yield PythonToken(sort, start, end)
