"""Converting notebooks: each code cell by the converter of files. ``simpy_cli.notebooks`` reads and writes the file."""

from __future__ import annotations

import transpiler
from simpy_cli.cells import Side, convert_cell, read
from simpy_cli.notebooks import Cell, Notebook
from simpy_cli.proof import Reading, difference
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable


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
    forth: Callable[[str, str], str],
    *,
    proof: bool,
) -> tuple[bytes, list[tuple[str, str]]]:
    """The file that a notebook becomes, and each code cell before and after.

    Args:
        data: the file.
        path: its path, for messages.
        dialects: the dialect of the cells, and the one that they become.
        forth: converts the text of a program; it gets the path for messages too.
        proof: whether to prove that the lines of IPython survive; ``forth`` proves the rest.

    Raises:
        SimPyError: it is not a notebook of Python, or a cell cannot be converted.
    """
    notebook = open_notebook(data, path)
    source, target = dialects
    results = []
    for cell in notebook.cells:
        where = _where(path, cell)
        here = Side(lambda text, where=where: forth(text, where), source.layout == PYTHON)  # type: ignore[misc]  # mypy sees no default here
        there = Side(lambda text: _back(text, target, source), target.layout == PYTHON)
        try:
            results.append(convert_cell(cell.source, here, there, (lambda a, b: _differ(source, a, b)) if proof else None))
        except SimPyError as error:
            error.path = where
            raise
    return notebook.replace(results), [(cell.source, result) for cell, result in zip(notebook.cells, results, strict=True)]


def python_cells(data: bytes, path: str) -> list[tuple[str, str]]:
    """The code cells of a notebook that are Python: what each is called in messages, and its text, with a name in the place of
    each line of IPython.

    Raises:
        SimPyError: it is not a notebook of Python, or a cell is not Python.
    """
    from simpy_cli.cells import is_kept

    found = []
    for cell in open_notebook(data, path).cells:
        if not is_kept(cell.source):
            where = _where(path, cell)
            encode = Side(lambda text, where=where: transpiler.encode(text, verify=False, path=where), True)  # type: ignore[misc]  # as above
            found.append((f"cell {cell.number}", read(cell.source, encode)[0]))
    return found


def _where(path: str, cell: Cell) -> str:
    """How a cell is called in messages."""
    return f"{path}:cell {cell.number}"


def _back(text: str, target: Dialect, source: Dialect) -> str:
    if source.is_python and target.layout != PYTHON:
        return transpiler.decode(text, dialect=target)
    return transpiler.convert(text, source=target, target=source)


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
