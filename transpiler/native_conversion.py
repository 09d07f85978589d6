"""Conversion by the native core: what it reads from and writes to, made once for each dialect.

Everything here is ``None`` where the core cannot do something. ``transpiler.conversion`` and ``transpiler.streams`` take the Python
path then, which also says what is wrong with a text.
"""

from __future__ import annotations

import sys
from functools import lru_cache

from simpy_grammar.aliases import Aliased
from simpy_grammar.dialect import COMPACT, Dialect
from simpy_grammar.implied_closers import implied_closers
from simpy_grammar.native import core, tables_in_core
from simpy_grammar.native_spelling import native_spelling
from simpy_grammar.stream import Stream
from simpy_grammar.table_cache import load_tables
from simpy_grammar.terminals import ID

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_grammar.native import Capsule

_NAME = ID["NAME"]


def converted(text: str, source: Dialect, target: Dialect, width: int | None) -> str | None:
    """A whole program in another dialect.

    Raises:
        DialectError: a dialect is ambiguous.

    >>> python, classic = Dialect.load("python"), Dialect.load("classic")
    >>> converted("return a", python, classic, 88) in ("<return>a", None), converted("return a b", python, classic, 88)
    (True, None)
    """
    if core is None:
        return None
    reading, writing = _source(source), _target(target, width, "    ", "")
    return None if reading is None or writing is None else core.convert(reading, text, writing)


def read(text: str, dialect: Dialect, *, located: bool = False) -> Stream | None:
    """The lexemes of a whole program; how aliases spell its names, they tell with ``located``.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    reading = None if core is None else _source(dialect)
    found = None if core is None or reading is None else core.read(reading, text, located)
    if found is None:
        return None
    stream = Stream()
    stream.terminals, stream.texts = list(found[0]), found[1]
    if located:
        stream.starts = found[2]
        if dialect.aliases:
            _tell_spellings(stream, text)
    return stream


def _tell_spellings(stream: Stream, text: str) -> None:
    """Say of each name that has an alias how a text spells it: up to where the next lexeme starts."""
    texts, starts = stream.texts, [*stream.starts, len(text)]
    for i, terminal in enumerate(stream.terminals):
        if terminal == _NAME:
            spelled = text[starts[i] : starts[i + 1]]
            if spelled != texts[i]:
                texts[i] = Aliased(texts[i], spelled)


def written(stream: Stream, dialect: Dialect, width: int | None, base: str) -> str | None:
    """The text of a whole program; in Python, ``base`` is what every line but the first begins with.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    writing = None if core is None else _target(dialect, width, "    ", base)
    return None if core is None or writing is None else core.write(writing, bytes(stream.terminals), stream.texts)


def same_stream(text: str, source: Dialect, other: str, target: Dialect) -> bool | None:
    """Whether two programs of two dialects are the same lexemes.

    Raises:
        DialectError: a dialect is ambiguous.
    """
    if core is None:
        return None
    one, two = _source(source), _source(target)
    return None if one is None or two is None else core.same_stream(one, text, two, other)


def converter(source: Dialect, target: Dialect, width: int | None, indent: str, base: str) -> Capsule | None:
    """A conversion of text that arrives in pieces, for ``core.feed``.

    Raises:
        DialectError: a dialect is ambiguous.
    """
    if core is None:
        return None
    reading, writing = _source(source), _target(target, width, indent, base)
    return None if reading is None or writing is None else core.converter(reading, writing)


def _source(dialect: Dialect) -> Capsule | None:
    """What the core reads a dialect with, kept with the tables of the dialect."""
    assert core is not None  # noqa: S101  # who calls has asked
    tables = load_tables(dialect)
    if dialect.aliases not in tables.sources:
        made = tables_in_core(tables)
        tables.sources[dialect.aliases] = (
            None if made is None else core.source(made, dialect.is_python, dialect.aliases, *_implied(dialect))
        )
    return tables.sources[dialect.aliases]


def _implied(dialect: Dialect) -> tuple[bytes, ...]:
    """The keys that imply closing brackets, and what closes parameters."""
    if not dialect.is_open:
        return ()
    implied = implied_closers(dialect)
    return b"".join(key.encode() + b"\0" for key in sorted(implied.ends)), implied.closers["PARAMETERS_START"].encode()


@lru_cache(maxsize=64)
def _target(dialect: Dialect, width: int | None, indent: str, base: str) -> Capsule | None:
    assert core is not None  # noqa: S101  # who calls has asked
    if not dialect.is_python:
        if not dialect.is_built_in:
            load_tables(dialect)  # it must be one that can be read
        spelling = native_spelling(dialect)
        return None if spelling is None else core.spelled(spelling)
    if dialect.layout == COMPACT:
        return core.compact(base)
    return core.layout(width, indent, base, _modules())


@lru_cache(maxsize=1)
def _modules() -> str:
    """The modules of the standard library, which have a group of imports of their own."""
    return "".join(f"{name}\n" for name in sorted(sys.stdlib_module_names))
