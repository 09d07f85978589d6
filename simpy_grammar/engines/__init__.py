"""The grammar of a dialect for engines: programs that hold a model to a grammar, such as llguidance and llama.cpp.

``rules`` takes the rules apart for readers that are not LALR(1), ``lexemes`` says what the terminals match, and each format has a
file. What an engine does with a grammar, and what it cannot do, is in docs/engines.md.
"""

from __future__ import annotations

import importlib

from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import DialectError

FORMATS: dict[str, str] = {
    "llguidance": "simpy_grammar.engines.llguidance:llguidance_grammar",
    "gbnf": "simpy_grammar.engines.gbnf:gbnf_grammar",
    "lark": "simpy_grammar.compile:lark_grammar",
}
"""Format -> the function that writes a dialect in it."""


def engine_grammar(dialect: Dialect, to: str) -> str:
    """The grammar of a dialect in one of ``FORMATS``.

    Raises:
        DialectError: the dialect is Python or ambiguous, or there is no such format.

    >>> engine_grammar(Dialect.load("dense"), "gbnf").startswith("root ::= ")
    True
    >>> engine_grammar(Dialect.load("compact"), "gbnf")
    Traceback (most recent call last):
        ...
    simpy_grammar.errors.DialectError: error: compact is Python, which has no context-free grammar: an engine cannot count indents
    hint: use classic, dense, dense-newline or a dialect file
    """
    if to not in FORMATS:
        raise DialectError(f"no format {to!r}", hint=f"there are: {', '.join(FORMATS)}")
    if dialect.is_python:
        fault = f"{dialect.name} is Python, which has no context-free grammar: an engine cannot count indents"
        raise DialectError(fault, hint=f"use {', '.join(BUILT_IN)} or a dialect file")
    module, _, function = FORMATS[to].partition(":")
    text: str = getattr(importlib.import_module(module), function)(dialect)
    return text
