"""Rows from JSON lines, plain or compressed by gzip or Zstandard. A line that is not a JSON object is a row without a program."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from simpy_corpus.data_sets import open_lines
from simpy_corpus.inputs import text_column
from simpy_corpus.tables import AS_TEXT, NOT_A_ROW, column, hidden_columns
from simpy_grammar.errors import SimPyError

_LINES = 1_000  # of a table


class JsonLines:
    """A file of JSON lines.

    Args:
        path: the file.
        text: the column of the programs; ``None`` for the usual names.
    """

    def __init__(self, path: str, text: str | None = None) -> None:
        self.path = path
        self.text = text

    def described(self) -> Any:
        """Its path and size."""
        return [self.path, os.path.getsize(self.path)]

    def tables(self) -> Iterator[Any]:
        """Its rows."""
        text: str | None = None
        with open_lines(self.path) as file:
            try:
                while lines := list(islice(file, _LINES)):
                    rows = [_row(line) for line in lines if line.strip()]
                    if text is None:
                        first = next((row for row in rows if row is not None), None)
                        text = text_column(list(first), self.text, self.path) if first is not None else None
                    if rows:
                        yield _table(rows, text)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise SimPyError(f"cannot be read to its end: {error}", path=self.path) from None


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return row if isinstance(row, dict) else None


def _table(rows: list[dict[str, Any] | None], text: str | None) -> Any:
    names = list(dict.fromkeys(name for row in rows if row is not None for name in row if name != text))
    texts = [None if row is None or text is None else row.get(text) for row in rows]
    columns = hidden_columns(texts, sorts=[NOT_A_ROW if row is None else AS_TEXT for row in rows])
    for name in names:
        columns[name] = column([None if row is None else row.get(name) for row in rows])
    if text is not None and text not in columns:
        return pa.table(columns, metadata={"text": text})
    return pa.table(columns)
