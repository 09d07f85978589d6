"""Converting notebooks: each code cell by the converter of files. ``simpy_cli.notebooks`` reads and writes the file."""

from __future__ import annotations

from functools import partial

import transpiler
from simpy_cli.notebooks import Cell, Notebook
from simpy_cli.proof import Reading, difference
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from transpiler.magics import Marks, Side, convert_cell, is_kept, read_cell

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Converter(Protocol):
        """Converts the text of a program; ``where`` is its path, for messages."""

        def __call__(self, text: str, where: str) -> str:
            """The converted text."""
            ...


def open_notebook(data: bytes, path: str) -> Notebook:
    """A notebook whose cells are Python, or SimPy.

    Raises:
        SimPyError: it is not a notebook, or its language is not Python.
    """
    notebook = Notebook(data, path)
    if notebook.language not in ("", "python", "ipython"):
        raise SimPyError(f"a notebook of {notebook.language}, not of Python", path=path)
    return notebook


def convert_notebook(
    data: bytes,
    path: str,
    dialects: tuple[Dialect, Dialect],
    forth: Converter,
    *,
    proof: bool,
) -> tuple[bytes, list[tuple[str, str]]]:
    """The file that a notebook becomes, and each code cell before and after.

    Args:
        data: the file.
        path: its path, for messages.
        dialects: the dialect of the cells, and the one that they become.
        forth: converts the text of a program.
        proof: whether to prove that the lines of IPython survive; ``forth`` proves the rest.

    Raises:
        SimPyError: it is not a notebook of Python, or a cell cannot be converted.
    """
    notebook = open_notebook(data, path)
    source, target = dialects
    python = Dialect.load(PYTHON)
    # In ``compact`` the lines of IPython keep their places in blocks, which only another layout of Python tells.
    ways = [(source, python), (python, target)] if target.layout == COMPACT and not source.is_python else [dialects]
    results = []
    for cell in notebook.cells:
        where = _where(path, cell)
        text = cell.source
        try:
            for way in ways:
                text = _converted(text, way, partial(forth, where=where) if way == dialects else None, proof=proof)
        except SimPyError as error:
            error.path = where
            raise
        results.append(text)
    return notebook.replace(results), [(cell.source, result) for cell, result in zip(notebook.cells, results, strict=True)]


def _converted(cell: str, way: tuple[Dialect, Dialect], forth: Callable[[str], str] | None, *, proof: bool) -> str:
    """A cell in the other dialect."""
    source, target = way
    here = Side(source, forth or (lambda text: _other(text, source, target)))
    there = Side(target, lambda text: _other(text, target, source))
    return convert_cell(cell, here, there, (lambda a, b: _differ(source, a, b)) if proof else None)


def python_cells(data: bytes, path: str) -> list[tuple[str, str]]:
    """The code cells of a notebook that are Python: what each is called in messages, and its text, with a name in the place of
    each line of IPython.

    Raises:
        SimPyError: it is not a notebook of Python, or a cell is not Python.
    """
    found = []
    python, classic = Dialect.load(PYTHON), Dialect.load("classic")
    for cell in open_notebook(data, path).cells:
        if not is_kept(cell.source):
            where = _where(path, cell)
            encode = Side(python, partial(transpiler.encode, dialect=classic, verify=False, path=where))
            found.append((f"cell {cell.number}", read_cell(cell.source, encode, Marks(cell.source, python, classic))[0]))
    return found


def _where(path: str, cell: Cell) -> str:
    """How a cell is called in messages."""
    return f"{path}:cell {cell.number}"


def _other(text: str, source: Dialect, target: Dialect) -> str:
    if target.layout == PYTHON and source.layout != PYTHON:
        return transpiler.decode(text, dialect=source)
    return transpiler.convert(text, source=source, target=target)


def _differ(dialect: Dialect, before: str, after: str) -> str | None:
    """How two programs of a dialect differ."""
    if before == after:
        return None
    if dialect.layout != PYTHON:
        before, after = (transpiler.decode(text, dialect=dialect, verify=False) for text in (before, after))
    try:
        return difference(Reading(before), Reading(after))
    except SyntaxError:  # this interpreter is too old for the program; that both read alike is known
        return None
