"""Cutting an input into units: runs of rows, each of which becomes a shard. Where one ends depends on the rows only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import pyarrow.compute as pc

from simpy_corpus.inputs import Input
from simpy_corpus.tables import TEXT, join, to_bytes


class Unit(NamedTuple):
    """Some rows of the input.

    Attributes:
        number: of the unit, from 0.
        rows: a table, as an Arrow file.
        text: how the input calls the column of the programs.
    """

    number: int
    rows: bytes
    text: str

    @property
    def digest(self) -> str:
        """A digest of the rows."""
        return sha256(self.text.encode() + b"\0" + self.rows).hexdigest()


def cut(inputs: Iterable[Input], *, most_bytes: int, most_rows: int) -> Iterator[Unit]:
    """The units of some inputs: each ends with the row that reaches ``most_bytes`` of text or ``most_rows``, or with its input."""
    number = 0
    for source in inputs:
        waiting: list[Any] = []
        size = rows = 0
        text = "text"
        for table in source.tables():
            text = (table.schema.metadata or {}).get(b"text", text.encode()).decode()
            table = table.replace_schema_metadata(None)
            at = 0
            for i, length in enumerate(pc.fill_null(pc.binary_length(table[TEXT]), 0).to_pylist()):
                size += length
                rows += 1
                if size >= most_bytes or rows >= most_rows:
                    waiting.append(table.slice(at, i + 1 - at))
                    yield Unit(number, to_bytes(join(waiting)), text)
                    number, at, size, rows, waiting = number + 1, i + 1, 0, 0, []
            if at < len(table):
                waiting.append(table.slice(at))
        if waiting:
            yield Unit(number, to_bytes(join(waiting)), text)
            number += 1
