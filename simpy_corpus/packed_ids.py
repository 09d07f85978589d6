"""Packed token ids: one file of ids for each shard, with an index, read as memory maps. ``simpy_corpus.shards`` writes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from simpy_grammar.errors import SimPyError

DESCRIPTION = "ids.json"


class PackedIds(Sequence["np.ndarray[Any, Any]"]):
    """The programs of a corpus as token ids, in the order of the input. Nothing is read before it is used.

    Args:
        folder: the output of a run with the format ``ids``.

    Attributes:
        tokenizer: the name of the tokenizer.
        dialect: the dialect of the programs.
        separator: the id after each program; ``None`` if there is none.
        rows: for each program, its row in the input.
        columns: the names of the columns that the input has beside the programs.

    Raises:
        SimPyError: the folder holds no finished run of this format.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        path = os.path.join(folder, DESCRIPTION)
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError) as error:
            raise SimPyError(f"no packed ids: {error}", path=str(folder)) from None
        self.tokenizer: str = found["tokenizer"]
        self.dialect: str = found["dialect"]
        self.separator: int | None = found["separator"]
        dtype = np.dtype(found["dtype"])
        names = [os.path.join(folder, name) for name in found["shards"]]
        indexes = [np.load(f"{name}.index.npy", mmap_mode="r") for name in names]
        self._ids = [_mapped(f"{name}.bin", dtype) for name in names]
        self._ends = [index[:, 1] for index in indexes]
        self.rows = np.concatenate([index[:, 0] for index in indexes]) if indexes else np.zeros(0, np.int64)
        self._tables = [f"{name}.columns.arrow" for name in names]
        self.columns: tuple[str, ...] = _column_names(self._tables)
        self._starts = np.concatenate([[0], np.cumsum([len(ends) for ends in self._ends], dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, i: Any) -> Any:
        """The ids of a program."""
        number = range(len(self))[i]  # an index below zero counts from the end
        shard = int(np.searchsorted(self._starts, number, side="right")) - 1
        at = number - int(self._starts[shard])
        ends = self._ends[shard]
        return self._ids[shard][int(ends[at - 1]) if at else 0 : int(ends[at])]

    def column(self, name: str) -> list[Any]:
        """For each program, what stands beside it in a column, such as its path or its licence.

        Raises:
            KeyError: there is no such column.
        """
        from simpy_corpus.tables import open_file

        if name not in self.columns:
            raise KeyError(name)
        return [value for path in self._tables for value in open_file(path)[name].to_pylist()]

    def shards(self) -> Iterator[Any]:
        """All ids of each shard, for training on a stream without borders."""
        yield from self._ids


def _column_names(tables: Sequence[str]) -> tuple[str, ...]:
    """The columns, which are the same in every shard."""
    if not tables or not os.path.exists(tables[0]):
        return ()
    from simpy_corpus.tables import open_file

    return tuple(open_file(tables[0]).column_names)


def _mapped(path: str, dtype: Any) -> Any:
    return np.memmap(path, dtype=dtype, mode="r") if os.path.getsize(path) else np.zeros(0, dtype)
