"""The lexer of each dialect."""

from __future__ import annotations

from functools import lru_cache

from simpy_grammar.dialect import Dialect
from tokenizer_ext.constrain.lexer import Lexer
from tokenizer_ext.constrain.python_symbols import PythonLexer
from tokenizer_ext.constrain.simpy_symbols import SimPyLexer


@lru_cache(maxsize=8)
def lexer_of(dialect: Dialect) -> Lexer:
    """The lexer of a dialect, made once; all layouts of Python have the same.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    return _python() if dialect.is_python else SimPyLexer(dialect)


@lru_cache(maxsize=1)
def _python() -> PythonLexer:
    return PythonLexer()
