"""The programs of an evaluation: read from files, folders and data sets, and written in the dialect of the model.

The Python of a program is as ``decode`` lays it out. Otherwise blank lines and line breaks that SimPy does not have would count against
Python.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from simpy_corpus.converting import Converted, Limits, convert_batch
from simpy_grammar.dialect import PYTHON, Dialect

if TYPE_CHECKING:
    from simpy_corpus.inputs import Input


class Program(NamedTuple):
    """A program.

    Attributes:
        name: its path or row; no two programs have the same.
        python: its Python.
        text: the same in the dialect of the model.
    """

    name: str
    python: str
    text: str

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, the same for programs with the same Python."""
        return sha256(self.python.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Refused(NamedTuple):
    """A program that was not evaluated.

    Attributes:
        name: its path or row.
        reason: one of ``simpy_corpus.reasons.REASONS``.
        message: what is wrong with it.
    """

    name: str
    reason: str
    message: str


def read_programs(
    inputs: Iterable[Input], dialect: Dialect, *, most: int | None = None, seed: int = 0
) -> tuple[list[Program], list[Refused]]:
    """The programs of some inputs, and those that are refused.

    Args:
        inputs: what ``simpy_corpus.inputs.finding.find_inputs`` has found.
        dialect: the dialect of the model.
        most: take a sample of so many, which depends on the seed alone and keeps their order; ``None`` for all.
        seed: the seed of the sample.

    Raises:
        SimPyError: an input cannot be read.
        OSError: likewise.
    """
    rows = list(_rows(inputs))
    if most is not None and most < len(rows):
        rows = [rows[i] for i in sorted(random.Random(seed).sample(range(len(rows)), most))]
    names = unique_names([name for name, _ in rows])
    return convert_programs([(name, source) for name, (_, source) in zip(names, rows, strict=True)], dialect)


def convert_programs(sources: Iterable[tuple[str, str | bytes | None]], dialect: Dialect) -> tuple[list[Program], list[Refused]]:
    """Programs by name, from their Python.

    >>> found, refused = convert_programs([("a.py", "x=(1)\\n\\n\\n\\ny = 2"), ("b.py", "x =")], Dialect.load("classic"))
    >>> found[0].python, found[0].text, refused[0].reason
    ('x = (1)\\ny = 2\\n', 'x=(1)<line_sep>y=2', 'syntax')
    """
    found, refused = [], []
    for name, source in sources:
        laid_out = _convert(source, Dialect.load(PYTHON))
        spelled = laid_out if laid_out.program is None or dialect.name == PYTHON else _convert(laid_out.program, dialect)
        if laid_out.program is not None and spelled.program is not None:
            found.append(Program(name, laid_out.program, spelled.program))
        else:
            refused.append(Refused(name, spelled.error or "", spelled.message or ""))
    return found, refused


def _convert(source: str | bytes | None, dialect: Dialect) -> Converted:
    return convert_batch([source], dialect=dialect, limits=Limits(seconds=0))[0]


def _rows(inputs: Iterable[Input]) -> Iterator[tuple[str, str | bytes | None]]:
    from simpy_corpus.tables import programs

    at = 0
    for one in inputs:
        for table in one.tables():
            texts = programs(table)
            names = table["path"].to_pylist() if "path" in table.column_names else [None] * len(texts)
            for name, text in zip(names, texts, strict=True):
                yield name if isinstance(name, str) else f"row {at}", text
                at += 1


def unique_names(names: Sequence[str]) -> list[str]:
    """Names that are all different.

    >>> unique_names(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
