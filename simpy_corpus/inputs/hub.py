"""Rows from Hugging Face ``datasets``: a data set that was saved to disk, or one of a hub, which is streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import datasets
import pyarrow as pa

from simpy_corpus.inputs import text_column
from simpy_corpus.inputs.parquet import hide_text
from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean

_ROWS = 1_000  # of a table


class SavedDataset:
    """A data set that ``save_to_disk`` has written.

    Args:
        path: its folder.
        text: the column of the programs; ``None`` for the usual names.
        split: which of its splits is read, if it has several.
    """

    def __init__(self, path: str, text: str | None = None, split: str | None = None) -> None:
        self.path = path
        self.text = text
        self.split = split

    def described(self) -> Any:
        """Its path, the split, and its fingerprint."""
        found = self._load()
        return [self.path, self.split, found._fingerprint, len(found)]

    def tables(self) -> Iterator[Any]:
        """Its rows."""
        found = self._load()
        text = text_column(found.column_names, self.text, self.path)
        for table in found.with_format("arrow").iter(_ROWS):
            yield hide_text(table, text, self.path)

    def _load(self) -> Any:
        try:
            found = datasets.load_from_disk(self.path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SimPyError(f"not a data set: {_line(error)}", path=self.path) from None
        if not isinstance(found, datasets.DatasetDict):
            return found
        split = self.split or "train"
        if split not in found:
            raise SimPyError(f"no split {split!r}", path=self.path, hint=did_you_mean(split, found, f"it has {', '.join(found)}"))
        return found[split]


class HubDataset:
    """A data set of a hub.

    Args:
        name: its id, such as ``bigcode/the-stack-smol``.
        text: the column of the programs; ``None`` for the usual names.
        split: which of its splits is read.
        config: which of its configurations.
    """

    def __init__(self, name: str, text: str | None = None, split: str | None = None, config: str | None = None) -> None:
        self.name = name
        self.text = text
        self.split = split or "train"
        self.config = config

    def described(self) -> Any:
        """Its id, configuration and split; a hub may serve another version tomorrow, which the rows will show."""
        return [self.name, self.config, self.split]

    def tables(self) -> Iterator[Any]:
        """Its rows, as they arrive."""
        try:
            found = datasets.load_dataset(self.name, self.config, split=self.split, streaming=True)
            text: str | None = None
            for rows in found.with_format("arrow").iter(_ROWS):
                text = text or text_column(rows.column_names, self.text, self.name)
                yield hide_text(rows, text, self.name)
        except (OSError, ValueError, pa.ArrowException) as error:  # what the hub cannot give is a kind of one of these
            raise SimPyError(f"no such file or folder, and no data set that the hub gives: {_line(error)}", path=self.name) from None


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
