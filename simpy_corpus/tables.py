"""Arrow tables: how rows travel, and how columns of different types become one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

TEXT, SORT = "_text", "_sort"
"""The two hidden columns of an input: the program as bytes, and what they are."""
AS_TEXT, AS_BYTES, NOT_A_ROW = 0, 1, 2
"""Sorts: a text in UTF-8; bytes in the encoding that they declare; a line that is not a row."""


def column(values: Sequence[Any]) -> Any:
    """An array of some values of Python; values that have no type in common become JSON.

    >>> column([1, "a", None]).to_pylist()
    ['1', '"a"', None]
    """
    try:
        found = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _as_json(values)
    return _as_json(values) if "struct<>" in str(found.type) else found  # an object without fields, which Parquet cannot hold


def _as_json(values: Iterable[Any]) -> Any:
    return pa.array([None if value is None else json.dumps(value, ensure_ascii=True, default=str) for value in values], pa.string())


def hidden_columns(texts: Sequence[Any], *, sorts: Sequence[int] | None = None) -> dict[str, Any]:
    """The hidden columns of rows whose programs are texts, bytes, or nothing."""
    data = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text if isinstance(text, bytes) else None for text in texts]
    found = sorts if sorts is not None else [AS_BYTES if isinstance(text, bytes) else AS_TEXT for text in texts]
    return {TEXT: pa.array(data, pa.large_binary()), SORT: pa.array(found, pa.int8())}


def programs(table: Any) -> list[str | bytes | None]:
    """The programs of a table with hidden columns."""
    rows = zip(table[TEXT].to_pylist(), table[SORT].to_pylist(), strict=True)
    return [data.decode("utf-8", "surrogatepass") if data is not None and sort == AS_TEXT else data for data, sort in rows]


def one_schema(schemas: Sequence[Any]) -> Any:
    """A schema that holds the columns of all; one whose types have nothing in common is text, and its values JSON.

    >>> one_schema([pa.schema([("a", pa.int64())]), pa.schema([("a", pa.float64()), ("b", pa.null())])]).names
    ['a', 'b']
    """
    fields: dict[str, Any] = {}
    for schema in schemas:
        for found in schema:
            known = fields.setdefault(found.name, found.type)
            if known != found.type:
                fields[found.name] = _one_type(known, found.type)
    return pa.schema([(name, pa.string() if pa.types.is_null(kind) else kind) for name, kind in fields.items()])


def _one_type(one: Any, other: Any) -> Any:
    try:
        both = [pa.schema([("x", one)]), pa.schema([("x", other)])]
        return pa.unify_schemas(both, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()


def fit(table: Any, schema: Any) -> Any:
    """A table with the columns of a schema of ``one_schema``; missing ones are null."""
    return pa.table([_fit_column(table, found) for found in schema], schema=schema)


def _fit_column(table: Any, field: Any) -> Any:
    if field.name not in table.column_names:
        return pa.nulls(len(table), field.type)
    values = table[field.name]
    if values.type == field.type:
        return values
    if pa.types.is_string(field.type) and not pa.types.is_null(values.type) and not pa.types.is_large_string(values.type):
        return _as_json(values.to_pylist())
    try:
        return values.cast(field.type)
    except pa.ArrowException:  # such as structs whose fields differ
        return pa.array(values.to_pylist(), field.type)


def join(tables: Sequence[Any]) -> Any:
    """One table of several, with the columns of all."""
    if len(tables) == 1:
        return tables[0].combine_chunks()
    schema = one_schema([table.schema for table in tables])
    return pa.concat_tables([fit(table, schema) for table in tables]).combine_chunks()


def to_bytes(table: Any, metadata: Mapping[str, str] | None = None) -> bytes:
    """A table as an Arrow file."""
    if metadata is not None:
        table = table.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_bytes(data: bytes) -> Any:
    """The table of an Arrow file."""
    return pa.ipc.open_file(pa.BufferReader(data)).read_all()


def open_file(path: str) -> Any:
    """The table of an Arrow file on disk, which is read as far as it is used.

    Raises:
        pa.ArrowException, OSError: it is not one.
    """
    return pa.ipc.open_file(pa.memory_map(path)).read_all()
