"""The lexer of each dialect."""

from __future__ import annotations

from functools import lru_cache

from simpy_grammar.dialect import Dialect
from simpy_grammar.spaced import is_spaced
from tokenizer_ext.constrain.lexer import Lexer
from tokenizer_ext.constrain.python_symbols import PythonLexer
from tokenizer_ext.constrain.simpy_symbols import SimPyLexer
from tokenizer_ext.errors import TokenizerError


@lru_cache(maxsize=8)
def lexer_of(dialect: Dialect) -> Lexer:
    """The lexer of a dialect, made once; all layouts of Python have the same.

    Raises:
        DialectError: the dialect is ambiguous.
        TokenizerError: its tokens have a second spelling with blanks, or its closing brackets are implied; there are no masks of
            such dialects yet.
    """
    if any(map(is_spaced, dialect.spellings.values())) and not dialect.is_python:
        raise TokenizerError(f"there are no masks for {dialect.name}, which has the blanks of Python", hint="use a dialect without %spaced")
    if dialect.is_open:
        raise TokenizerError(f"there are no masks for {dialect.name}, which leaves out brackets", hint="use a dialect without %open")
    return _python() if dialect.is_python else SimPyLexer(dialect)


@lru_cache(maxsize=1)
def _python() -> PythonLexer:
    return PythonLexer()
