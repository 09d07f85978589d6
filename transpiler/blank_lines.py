"""How many blank lines stand between two rows of a module, as PEP 8 has it.

That depends on what stands before a row (a *place*) and on what the row is to it (a *role*). Both are found in tables by
the first kind of a row, so that asking costs next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from transpiler import lexeme_kinds as kind_of

# Places: the start of the text; after comments at its top; the start of a block, perhaps after comments; after a decorator; after
# a statement or the block of one; after an import of the module; after its docstring; after a definition. No blank lines
# follow the first four, so that comments there need not wait for what they stand above.
START, TOP, FRESH, DECORATOR, STATEMENT, IMPORT, DOCSTRING, DEFINITION = range(8)

# Roles: anything; a clause; a definition; an import of the module; a prefix, before one thing or another.
ANYTHING, CLAUSE, DEFINED, IMPORTED, PREFIXED = range(5)

_COUNTS = (  # by place, then by role
    *[(0, 0, 0, 0)] * 4,
    (0, 0, 2, 0),
    (1, 0, 2, 0),
    (1, 0, 2, 1),
    (2, 0, 2, 2),
)


def _by_lead(other: int, **of_lead: int) -> bytes:
    """A table over the first kind of a row."""
    table = bytearray([other] * 256)
    for lead, value in of_lead.items():
        table[getattr(kind_of, lead)] = value
    return bytes(table)


_ROLES = {"DEFINES": DEFINED, "DECORATES": DEFINED, "CLAUSES": CLAUSE, "PREFIXES": PREFIXED}
_IN_BLOCKS = (_by_lead(ANYTHING, **_ROLES), _by_lead(STATEMENT, DECORATES=DECORATOR))
_IN_MODULE = (
    _by_lead(ANYTHING, **_ROLES, IMPORTS=IMPORTED, FUTURE=IMPORTED),
    _by_lead(STATEMENT, DECORATES=DECORATOR, IMPORTS=IMPORT, FUTURE=IMPORT),
)


class Level:
    """What all rows of one depth have in common.

    Attributes:
        line: the line break before a row, without blank lines.
        breaks: place -> role -> that line break with blank lines.
        indented: how many columns the indent has.
        roles: first kind of a row -> its role.
        places: first kind of a row -> the place after it.

    >>> module = Level(0, "\\n")
    >>> row = b"Dxx"  # def f()
    >>> module.breaks[STATEMENT][module.roles[row[0]]]
    '\\n\\n\\n'
    """

    __slots__ = ("breaks", "indented", "line", "places", "roles")

    def __init__(self, depth: int, line: str) -> None:
        most = 1 if depth else 2
        self.line = line
        self.breaks = [["\n" * min(count, most) + line for count in (*counts, counts[ANYTHING])] for counts in _COUNTS]
        self.breaks[START] = [""] * 5
        self.indented = len(line) - 1
        self.roles, self.places = _IN_BLOCKS if depth else _IN_MODULE


def import_group(row: bytes, texts: Sequence[str]) -> int:
    """Which of PEP 8's groups an import is in: that of the future, the standard library, other packages, this package.

    >>> import_group(b"Ix", ["import ", "sys"]), import_group(b"Ixnx", ["from ", ".", " import ", "a"])
    (1, 3)
    """
    at = 2 if row[0] == kind_of.PREFIXES else 1
    if at >= len(row) or row[at - 1] == kind_of.FUTURE:
        return 0
    name = texts[at]
    return 3 if name.startswith(".") else 1 if name in sys.stdlib_module_names else 2
