"""What evaluations hold, so that a corpus can be kept free of it: whole programs, functions and docstrings.

A file is one of programs, or one of rows as HumanEval (``prompt`` and ``canonical_solution``) and MBPP (``code``) have them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any

from simpy_corpus.canonical import Canonical, canonical, docstrings, functions
from simpy_corpus.converting import RefusedError
from simpy_corpus.data_sets import DATA_SETS, open_lines
from simpy_corpus.inputs import USUAL_COLUMNS
from simpy_corpus.inputs.finding import data_sets_in
from simpy_corpus.reasons import CONTAMINATED
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.stream import Stream
from transpiler.conversion import read_stream
from transpiler.source import PYTHON_SUFFIXES, read_source

_PAIRS = (("prompt", "canonical_solution"), ("prompt", "solution"), ("prompt", "completion"))
_ALONE = ("code", "canonical_solution", "solution", *USUAL_COLUMNS)
_SHORTEST_DOCSTRING = 60  # characters; shorter ones stand in many programs
_SIZE = 16


class Evaluations:
    """Digests of what evaluations hold.

    Args:
        digests: of programs, functions and docstrings.

    >>> found = Evaluations.of(["def add(a, b):\\n    return a + b\\n"])
    >>> found.why(canonical(read_stream("def add(a: int, b: int): return (a + b)  # sum", Dialect.load(PYTHON))))
    'it holds the function add of an evaluation'
    """

    def __init__(self, digests: Iterable[bytes]) -> None:
        self.digests = frozenset(digests)

    @classmethod
    def of(cls, programs: Iterable[str | bytes]) -> Evaluations:
        """The digests of some programs.

        Raises:
            SimPyError: one of them is not Python.
        """
        return cls(digest for program in programs for digest in _digests(_read(program)))

    @classmethod
    def read(cls, paths: Iterable[str]) -> Evaluations:
        """The digests of what some files and folders hold.

        Raises:
            SimPyError: a path holds no program that can be read.
            OSError: a path cannot be read.
        """
        digests: set[bytes] = set()
        for path in paths:
            found, wrong = 0, 0
            for program in _programs(path):
                try:
                    digests.update(_digests(_read(program)))
                    found += 1
                except SimPyError:
                    wrong += 1
            if not found:
                hint = "name files of Python, or JSON lines or Parquet with the columns of HumanEval or MBPP"
                raise SimPyError(f"no programs of an evaluation ({wrong:,} are not Python)", path=path, hint=hint)
        return cls(digests)

    def why(self, program: Canonical) -> str | None:
        """What of an evaluation a program holds, in words; ``None`` if nothing."""
        if program.digest in self.digests:
            return "it is a program of an evaluation"
        for function in functions(program):
            if function.digest in self.digests:
                return f"it holds the function {function.name} of an evaluation"
        for text in docstrings(program):
            if _docstring_digest(text) in self.digests:
                return "it holds a docstring of an evaluation"
        return None

    def to_bytes(self) -> bytes:
        """The digests as one, for a file."""
        return b"".join(sorted(self.digests))

    @classmethod
    def from_bytes(cls, data: bytes) -> Evaluations:
        """What ``to_bytes`` has written."""
        return cls(data[at : at + _SIZE] for at in range(0, len(data), _SIZE))


@lru_cache(maxsize=2)
def load_evaluations(path: str) -> Evaluations:
    """The digests of a file; read once by each process."""
    with open(path, "rb") as file:
        return Evaluations.from_bytes(file.read())


def refuse_contaminated(program: Canonical, evaluations: Evaluations) -> None:
    """Refuse a program that holds a part of an evaluation.

    Raises:
        RefusedError: it does.
    """
    why = evaluations.why(program)
    if why is not None:
        raise RefusedError(CONTAMINATED, why)


def files_digest(path: str) -> str:
    """A digest of a file, or of the files of a folder that evaluations are read from."""
    whole = sha256()
    for file in _files(path):
        with open(file, "rb") as opened:
            whole.update(sha256(opened.read()).digest())
    return whole.hexdigest()[:32]


def _read(program: str | bytes) -> Canonical:
    stream: Stream = read_stream(read_source(program), Dialect.load(PYTHON))
    return canonical(stream)


def _digests(program: Canonical) -> Iterator[bytes]:
    yield program.digest
    for function in functions(program):
        yield function.digest
    for text in docstrings(program):
        if len(text) >= _SHORTEST_DOCSTRING:
            yield _docstring_digest(text)


def _docstring_digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_SIZE, person=b"docstring").digest()


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    programs = [
        os.path.join(folder, name) for folder, _, names in sorted(os.walk(path)) for name in sorted(names) if name.endswith(PYTHON_SUFFIXES)
    ]
    return [*data_sets_in(path), *programs]


def _programs(path: str) -> Iterator[str | bytes]:
    for file in _files(path):
        if file.endswith(DATA_SETS):
            for row in _rows(file):
                yield from _of_row(row)
        else:
            with open(file, "rb") as opened:
                yield opened.read()


def _rows(path: str) -> Iterator[dict[str, Any]]:
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        yield from pq.read_table(path).to_pylist()
        return
    import json

    with open_lines(path) as lines:
        for line in lines:
            try:
                row = json.loads(line) if line.strip() else None
            except ValueError as error:
                raise SimPyError(f"a line is not JSON: {error}", path=path) from None
            if isinstance(row, dict):
                yield row


def _of_row(row: dict[str, Any]) -> Iterator[str]:
    """The program of a row.

    >>> list(_of_row({"prompt": "def f():\\n", "canonical_solution": "    return 1\\n"}))
    ['def f():\\n    return 1\\n']
    """
    for first, second in _PAIRS:
        if isinstance(row.get(first), str) and isinstance(row.get(second), str):
            yield row[first] + row[second]
            return
    for name in _ALONE:
        if isinstance(row.get(name), str):
            yield row[name]
            return
