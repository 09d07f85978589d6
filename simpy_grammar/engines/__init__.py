"""The grammar of a dialect for engines: programs that hold a model to a grammar, such as llguidance and llama.cpp.

``rules`` takes the rules apart for readers that are not LALR(1), ``lexemes`` says what the terminals match, and each format has a
file. What an engine does with a grammar, and what it cannot do, is in docs/engines.md.
"""

from __future__ import annotations

import importlib
from functools import cache

from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.implied_closers import require_spelled

FORMATS: dict[str, str] = {
    "llguidance": "simpy_grammar.engines.llguidance:llguidance_grammar",
    "gbnf": "simpy_grammar.engines.gbnf:gbnf_grammar",
    "lark": "simpy_grammar.compile:lark_grammar",
}
"""Format -> the function that writes a dialect in it."""


def engine_grammar(dialect: Dialect, to: str, *, fenced: bool = False) -> str:
    """The grammar of a dialect in one of ``FORMATS``.

    Args:
        dialect: the dialect.
        to: the format.
        fenced: the grammar of an answer in Markdown, in which each block that begins with the line of three backticks and
            ``python`` is a program. Otherwise that of a program.

    Raises:
        DialectError: the dialect is Python or ambiguous, has aliases of names or implied closing brackets, there is no such format, or
            it cannot say this.

    >>> engine_grammar(Dialect.load("dense"), "gbnf").startswith("root ::= ")
    True
    >>> engine_grammar(Dialect.load("compact"), "gbnf")
    Traceback (most recent call last):
        ...
    simpy_grammar.errors.DialectError: compact: error: Python has no context-free grammar: an engine cannot count indents
    hint: use classic, dense, dense-newline, classic-spaced, dense-spaced or a dialect file
    """
    if to not in FORMATS:
        raise DialectError(f"no format {to!r}", hint=f"there are: {', '.join(FORMATS)}")
    if dialect.is_python:
        closed = [name for name in BUILT_IN if not Dialect.load(name).is_open]
        fault = "Python has no context-free grammar: an engine cannot count indents"
        raise DialectError(fault, path=dialect.name, hint=f"use {', '.join(closed)} or a dialect file")
    require_spelled(dialect)
    if dialect.aliases:
        fault = "a context-free grammar cannot say which aliases are bound"
        raise DialectError(fault, path=dialect.name, hint=f"use {dialect.without_aliases().name}")
    if fenced and to == "lark":
        raise DialectError("a grammar for Lark has no text around its programs", hint="use llguidance or gbnf")
    return _written(dialect, to, fenced)


@cache
def _written(dialect: Dialect, to: str, fenced: bool) -> str:
    module, _, function = FORMATS[to].partition(":")
    write = getattr(importlib.import_module(module), function)
    text: str = write(dialect, fenced=True) if fenced else write(dialect)
    return text
