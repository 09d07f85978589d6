"""Where programs come from: one file for each kind of input. An input gives tables of rows in a fixed order.

Each table has the hidden columns of ``simpy_corpus.tables`` and the other columns of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean

USUAL_COLUMNS = ("content", "text", "code", "source", "program")
"""Where programs are looked for if no column is named: the first of these that is there."""


class Input(Protocol):
    """A part of a corpus."""

    def described(self) -> Any:
        """What it is, for the manifest: equal for equal rows, as far as that is cheap to see."""

    def tables(self) -> Iterator[Any]:
        """Its rows, in tables.

        Raises:
            SimPyError: it cannot be read, or has no such column.
            OSError: likewise.
        """


def text_column(names: Sequence[str], wanted: str | None, path: str) -> str:
    """The column that holds the programs.

    Raises:
        SimPyError: there is no such column.

    >>> text_column(["path", "text"], None, "a.jsonl")
    'text'
    """
    if wanted is not None and wanted in names:
        return wanted
    found = next((name for name in USUAL_COLUMNS if name in names), None)
    if wanted is None and found is not None:
        return found
    there = f"the columns are {', '.join(map(str, names))}"
    if wanted is None:
        raise SimPyError("no column is named, and none is called " + ", ".join(USUAL_COLUMNS), path=path, hint=f"name one; {there}")
    raise SimPyError(f"no column {wanted!r}", path=path, hint=did_you_mean(wanted, names, there))
