"""Notebooks: their code cells are replaced, and every other byte of the file stays. ``simpy_cli.cells`` decides what a cell becomes."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from simpy_grammar.errors import SimPyError
from transpiler.source import split_lines

_BLANK = re.compile(r"[ \t\r\n]*")
_ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}")
_DECODER = json.JSONDecoder()


class Cell(NamedTuple):
    """A code cell of a notebook.

    Attributes:
        number: its number in the notebook, from 1; cells of text count too.
        source: its text.
        start: where the JSON value of its text begins in the file, in characters.
        end: where that ends.
    """

    number: int
    source: str
    start: int
    end: int


class Notebook:
    """A notebook that was read.

    Args:
        data: the file.
        path: its path, for messages.

    Attributes:
        cells: its code cells.

    Raises:
        SimPyError: it is not a notebook.

    >>> notebook = Notebook(b'{"cells": [{"cell_type": "code", "source": ["x = 1\\\\n", "y"]}]}', "a.ipynb")
    >>> notebook.cells[0].source
    'x = 1\\ny'
    >>> notebook.replace(["x=1\\ny"]).decode()
    '{"cells": [{"cell_type": "code", "source": ["x=1\\\\n", "y"]}]}'
    """

    def __init__(self, data: bytes, path: str) -> None:
        self.path = path
        self._mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            self._text = data.removeprefix(self._mark).decode("utf-8")
            json.loads(self._text)
            self.cells = tuple(self._find_cells())
        except (ValueError, RecursionError, _NotANotebookError) as error:
            reason = f": {error}" if str(error) else ""
            raise SimPyError(f"not a notebook{reason}", path=path, hint="a notebook is JSON with a list of cells") from None
        self._ascii = self._text.isascii() and _ESCAPED.search(self._text) is not None

    def _find_cells(self) -> Iterator[Cell]:
        found = {key: (value, start) for key, value, start, _ in _members(self._text, _blank(self._text, 0))}
        cells, at = found.get("cells", (None, 0))
        if not isinstance(cells, list):
            raise _NotANotebookError("it has no list of cells, as notebooks before version 4" if "worksheets" in found else "")
        for number, (cell, start) in enumerate(_items(self._text, at), 1):
            if not isinstance(cell, dict):
                raise _NotANotebookError(f"cell {number} is not an object")
            if cell.get("cell_type") == "code":
                spans = {key: (value, low, high) for key, value, low, high in _members(self._text, start)}
                source, low, high = spans.get("source", (None, 0, 0))
                lines = source if isinstance(source, list) else [source]
                if not all(isinstance(line, str) for line in lines):
                    raise _NotANotebookError(f"cell {number} has no source")
                yield Cell(number, "".join(lines), low, high)

    @property
    def language(self) -> str:
        """The language of its kernel, in lower case; empty if it does not say."""
        metadata = json.loads(self._text).get("metadata")
        for name in ("language_info", "kernelspec"):
            about = metadata.get(name) if isinstance(metadata, dict) else None
            said = about.get("name" if name == "language_info" else "language") if isinstance(about, dict) else None
            if isinstance(said, str):
                return said.lower()
        return ""

    def replace(self, sources: list[str]) -> bytes:
        """The file with other texts in its code cells, in their order. What does not change keeps its bytes."""
        pieces, at = [], 0
        for cell, source in zip(self.cells, sources, strict=True):
            if source != cell.source:
                pieces += [self._text[at : cell.start], self._value(self._text[cell.start : cell.end], source)]
                at = cell.end
        return self._mark + "".join([*pieces, self._text[at:]]).encode("utf-8", "surrogatepass")

    def _value(self, old: str, source: str) -> str:
        """The JSON of a text, laid out as the one that it replaces."""
        if not old.startswith("["):
            return json.dumps(source, ensure_ascii=self._ascii)
        lines = [json.dumps(line, ensure_ascii=self._ascii) for line in split_lines(source)]
        starts = [start for _, start in _items(old, 0)]
        if not starts or not lines:
            return f"[{', '.join(lines)}]"
        first, last = starts[0], _after(old, starts[-1])
        between = old[_after(old, first) : starts[1]] if len(starts) > 1 else f",{old[1:first] or ' '}"
        return old[:first] + between.join(lines) + old[last:]


class _NotANotebookError(Exception):
    """The file is JSON, and not a notebook."""


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _after(text: str, at: int) -> int:
    """Where the JSON value ends that begins at an offset."""
    return int(_DECODER.raw_decode(text, at)[1])


def _members(text: str, at: int) -> Iterator[tuple[str, Any, int, int]]:
    """The members of the JSON object at an offset: key, value, and where the value begins and ends. The JSON is known to be sound."""
    if text[at : at + 1] != "{":
        raise _NotANotebookError
    at = _blank(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _blank(text, _blank(text, at) + 1)
        value, end = _DECODER.raw_decode(text, start)
        yield key, value, start, end
        at = _blank(text, end)
        if text[at] == ",":
            at = _blank(text, at + 1)


def _items(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """The items of the JSON array at an offset, and where they begin. The JSON is known to be sound."""
    at = _blank(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield value, at
        at = _blank(text, end)
        if text[at] == ",":
            at = _blank(text, at + 1)
