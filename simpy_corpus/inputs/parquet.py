"""Rows from a Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simpy_corpus.inputs import text_column
from simpy_corpus.tables import AS_BYTES, AS_TEXT, SORT, TEXT
from simpy_grammar.errors import SimPyError

_ROWS = 1_000  # of a table


class Parquet:
    """A Parquet file.

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
        try:
            with pq.ParquetFile(self.path) as file:
                text = text_column(file.schema_arrow.names, self.text, self.path)
                for batch in file.iter_batches(_ROWS):
                    yield hide_text(pa.Table.from_batches([batch]), text, self.path)
        except pa.ArrowException as error:
            raise SimPyError(f"cannot be read: {str(error).splitlines()[0]}", path=self.path) from None


def hide_text(table: Any, text: str, path: str) -> Any:
    """A table with its column of programs in the hidden columns.

    Raises:
        SimPyError: the column holds neither text nor bytes.
    """
    values = table[text]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if not (is_bytes or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise SimPyError(f"the column {text!r} holds neither text nor bytes, but {kind}", path=path, hint="name the column of the programs")
    data = values.cast(pa.large_binary())
    sorts = pa.array([AS_BYTES if is_bytes else AS_TEXT], pa.int8()).take(pa.array([0] * len(table)))
    rest = table.drop_columns([text])
    return pa.table([data, sorts, *rest.columns], names=[TEXT, SORT, *rest.column_names], metadata={"text": text})
