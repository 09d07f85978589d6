"""Python to SimPy and back, losing nothing."""

from __future__ import annotations

from pathlib import Path

from simpy_grammar.dialect import Dialect
from transpiler.decoder import Decoder
from transpiler.encode import decode_text, encode
from transpiler.lexemes import Lexeme, convert, lexemes
from transpiler.sourcemap import SourceMap, source_map

__all__ = ["Decoder", "Lexeme", "SourceMap", "convert", "decode", "encode", "lexemes", "source_map"]


def decode(simpy: str, *, dialect: str | Path | Dialect = "classic", path: str | None = None) -> str:
    """Decode a SimPy program to Python, laid out as PEP 8 says.

    Raises:
        SimPySyntaxError: the text is not SimPy of this dialect.
        DialectError: there is no such dialect.

    >>> decode("<def_stmt>f a b=1<block_start><return>a<l>b<block_end>")
    'def f(a, b=1):\\n    return a < b\\n'
    """
    return decode_text(simpy, Dialect.load(dialect), path)
