"""Rows from files: each is a program, and its path stands beside it. Which files are read is decided elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import pyarrow as pa

from simpy_corpus.tables import hidden_columns

_FILES = 200  # of a table


class PythonFiles:
    """Files of programs.

    Args:
        files: for each, where it is and how it is called in the column ``path``.
    """

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        self.files = files

    def described(self) -> Any:
        """How many there are, and a digest of their names and sizes."""
        whole = sha256()
        for path, name in self.files:
            whole.update(f"{name}\0{os.path.getsize(path)}\0".encode("utf-8", "surrogateescape"))
        return [len(self.files), whole.hexdigest()[:32]]

    def tables(self) -> Iterator[Any]:
        """A row for each file."""
        for at in range(0, len(self.files), _FILES):
            texts, names = [], []
            for path, name in self.files[at : at + _FILES]:
                with open(path, "rb") as file:
                    texts.append(file.read())
                names.append(name.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
            yield pa.table({**hidden_columns(texts), "path": pa.array(names, pa.string())}, metadata={"text": "source"})
