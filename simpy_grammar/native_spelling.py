"""A dialect as the speller of the native core takes it: as plain data, once for each dialect."""

from __future__ import annotations

from functools import lru_cache

from simpy_grammar.dialect import Dialect
from simpy_grammar.native import core
from simpy_grammar.spelling_table import table_of
from simpy_grammar.terminals import COMMENT, DATA, ID, TERMINALS

_DECIDED = frozenset(ID[name] for name in ("BLOCK_START", "BLOCK_END", "PASS", "CASE"))


@lru_cache(maxsize=64)
def native_spelling(dialect: Dialect) -> object | None:
    """What the functions of the core take for a dialect of SimPy; ``None`` if the core cannot spell it.

    >>> native_spelling(Dialect.load("python")) is None
    True
    """
    if core is None or dialect.is_python:
        return None
    table = table_of(dialect.without_aliases())
    spell = table.spell
    if not _DECIDED.isdisjoint(table.apart) or not {"BLOCK_START", "BLOCK_END"} <= spell.keys():
        return None
    # A terminal that decides nothing where a dialect does not spell it has no text, as data has none.
    texts = tuple(
        None if terminal.role in (DATA, COMMENT) or (terminal.name != terminal.general and terminal.name not in spell) else text
        for terminal, text in zip(TERMINALS, table.texts, strict=True)
    )
    apart = tuple(table.apart[i][1] if i in table.apart else None for i in range(len(TERMINALS)))
    blanks = tuple((terminal, narrow, wide) for terminal, pairs in table.spaced.items() for narrow, wide in pairs.items())
    found: object | None = core.spelling(texts, apart, bytes(table.asked), blanks, tuple(sorted(table.implying)), dialect.aliases)
    return found
