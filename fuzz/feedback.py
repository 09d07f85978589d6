"""Coverage for a parser that runs on tables: its code is the same few lines whatever it reads, so pairs of terminals count too.

Each pair of neighbouring terminals calls one of many empty functions that atheris watches.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

from simpy_grammar.dialect import Dialect
from simpy_grammar.parser import Action, Parser, StuckError
from simpy_grammar.tables import load_tables
from simpy_grammar.terminals import DATA, GENERAL, LAYOUT, PYTHON

_PROBES = 2048


class Terminals:
    """Reads SimPy of the dialect ``classic`` as far as it goes."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._actions: dict[str, Action] = {name: self._report(name) for name in (*PYTHON, *DATA, *LAYOUT, *GENERAL)}
        self._tables = load_tables(Dialect.load("classic"))

    def _report(self, terminal: str) -> Callable[[object, str], None]:
        return lambda _, text: self._seen.append(terminal)

    def pairs(self, simpy: str) -> set[str]:
        """The pairs of neighbouring terminals of a text.

        >>> sorted(Terminals().pairs("a=1<pass>="))
        ['ASSIGN NUMBER', 'NAME ASSIGN', 'NUMBER PASS']
        """
        self._seen.clear()
        with suppress(StuckError):
            Parser(self._tables, self._actions, []).read_all(simpy)
        return {f"{one} {other}" for one, other in zip(self._seen, self._seen[1:], strict=False)}


class Feedback:
    """Tells atheris which pairs of terminals a text has.

    Args:
        watch: makes a function one whose calls count as coverage.
    """

    def __init__(self, watch: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
        names = [f"probe_{number}" for number in range(_PROBES)]
        space: dict[str, Callable[[], None]] = {}
        exec("".join(f"def {name}(): pass\n" for name in names), space)  # noqa: S102  # a function each, with code of its own
        self._probes = [watch(space[name]) for name in names]
        self._terminals = Terminals()

    def __call__(self, simpy: str) -> None:
        """Report a text of the dialect ``classic``."""
        for pair in self._terminals.pairs(simpy):
            self._probes[zlib.crc32(pair.encode()) % _PROBES]()
