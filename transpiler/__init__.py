"""Python to SimPy and back, losing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simpy_grammar.dialect import Dialect
from transpiler.decoder import Decoder
from transpiler.encode import decode_text, encode

if TYPE_CHECKING:
    from pathlib import Path

    from transpiler.lexemes import Lexeme, convert, lexemes
    from transpiler.sourcemap import SourceMap, source_map

__all__ = ["Decoder", "Lexeme", "SourceMap", "convert", "decode", "encode", "lexemes", "source_map"]

# What encode and decode do without is imported when it is first asked for, so that the command starts fast.
_LATER = {"Lexeme": "lexemes", "convert": "lexemes", "lexemes": "lexemes", "SourceMap": "sourcemap", "source_map": "sourcemap"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"transpiler.{_LATER[name]}")
    # The function ``lexemes`` has the name of its module: it takes the place that the import gave to the module.
    globals().update({key: getattr(module, key) for key, home in _LATER.items() if home == _LATER[name]})
    return globals()[name]


def decode(simpy: str, *, dialect: str | Path | Dialect = "classic", path: str | None = None) -> str:
    """Decode a SimPy program to Python, laid out as PEP 8 says.

    Raises:
        SimPySyntaxError: the text is not SimPy of this dialect.
        DialectError: there is no such dialect.

    >>> decode("<def_stmt>f a b=1<block_start><return>a<l>b<block_end>")
    'def f(a, b=1):\\n    return a < b\\n'
    """
    return decode_text(simpy, Dialect.load(dialect), path)
