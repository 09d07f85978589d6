"""Coverage for a parser that runs on tables: its code is the same few lines whatever it reads, so pairs of terminals count too.

Each pair of neighbouring terminals calls one of many empty functions that atheris watches.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader

_PROBES = 2048


def pairs(simpy: str) -> set[str]:
    """The pairs of neighbouring terminals of a text of the dialect ``classic``, as far as it can be read.

    >>> sorted(pairs("a=1<pass>="))
    ['ASSIGN NUMBER', 'NAME ASSIGN', 'NUMBER PASS']
    """
    reader = SimPyReader(Dialect.load("classic"))
    with suppress(StuckError):
        reader.read_all(simpy)
    seen = [lexeme.terminal for lexeme in reader.stream.lexemes()]
    return {f"{one} {other}" for one, other in zip(seen, seen[1:], strict=False)}


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

    def __call__(self, simpy: str) -> None:
        """Report a text of the dialect ``classic``."""
        for pair in pairs(simpy):
            self._probes[zlib.crc32(pair.encode()) % _PROBES]()
