"""The code cells of notebooks: Python in which some lines are IPython's, such as ``%matplotlib inline`` and ``!ls``. Those lines stay
as they are, wherever they stand; what is between them is converted as one program.

For the converter a name stands in the place of each such line. In SimPy, where statements are not lines, the line stands between
two line breaks of its own:

    if in_colab:                  <if_stmt>in_colab<block_start>
        !pip install simpy        !pip install simpy
    run()                         <block_end>run()

Only reading a cell shows which of its lines are IPython's, since ``%d`` may stand in a string. So a cell is read as it is. If that
fails, a line that looks like IPython's is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError
from transpiler.magics import is_magic, split_magics

_NAME = "_ipython_"
_REPORT = "this is a bug of the converter: please report it with the notebook"


class Side(NamedTuple):
    """One side of a conversion of cells.

    Attributes:
        convert: converts a program from this side to the other one.
        is_lines: statements are lines here, as in Python that people read.
    """

    convert: Callable[[str], str]
    is_lines: bool


def is_kept(cell: str) -> bool:
    """Whether a cell as a whole stays as it is: it is empty, or of another language, as ``%%bash`` says.

    >>> is_kept("%%bash\\nls"), is_kept("%%time\\nf()"), is_kept("\\n")
    (True, False, True)
    """
    return not cell.strip() or (cell.lstrip().startswith("%%") and not any(part.is_python for part in split_magics(cell)))


def convert_cell(cell: str, here: Side, there: Side, differ: Callable[[str, str], str | None] | None) -> str:
    """What a cell becomes.

    Args:
        cell: its text.
        here: the side that it is of.
        there: the side that it goes to.
        differ: says how two programs of this side differ, to prove that IPython's lines survive; ``None`` for no proof.

    Raises:
        SimPyError: the cell cannot be read, or the proof failed.

    >>> import transpiler
    >>> convert_cell("if a:\\n    !ls", Side(transpiler.encode, True), Side(transpiler.decode, False), None)
    '<if_stmt>a<block_start>\\n!ls\\n<block_end>'
    """
    if is_kept(cell):
        return cell
    base = _NAME
    while base in cell:
        base += "_"
    marked, result = read(cell, here, base)
    written = write(result, base, is_lines=there.is_lines)
    if marked != cell and differ is not None:
        try:
            again, back = read(written, there, base)
        except SimPyError as error:
            raise RoundTripError(f"IPython's lines do not survive: {error.message}", hint=_REPORT) from None
        expected = result.removesuffix("\n") if there.is_lines else result
        found = "the result reads otherwise" if again != expected else differ(marked, back)
        if found is not None:
            raise RoundTripError(f"IPython's lines do not survive: {found}", hint=_REPORT)
    return written


def read(cell: str, side: Side, base: str = _NAME) -> tuple[str, str]:
    """A cell with a name in the place of each line of IPython, and what the converter makes of that.

    The name says what the line is. A cell that is Python as it is has no such line.

    >>> import transpiler
    >>> marked, _ = read("x = '%d'\\n%time f(x)", Side(transpiler.encode, True))
    >>> marked
    "x = '%d'\\n_ipython_2574696d652066287829_"

    Raises:
        SimPyError: it cannot be read, whichever of its lines are IPython's.
    """
    marked = cell
    first: SimPyError | None = None
    while True:
        try:
            return marked, side.convert(marked)
        except (PythonSyntaxError, SimPySyntaxError) as error:
            found = _find_line(marked, error.line, side.is_lines)
            if found is None:  # the first error says more, unless it was of a line that is marked by now
                raise error if first is None or marked != cell else first from None
            first = first or error
        marked = _mark(marked, *found, base, side.is_lines)


def write(text: str, base: str = _NAME, *, is_lines: bool) -> str:
    """A converted cell with IPython's lines in the place of their names.

    >>> write("<if_stmt>a<block_start>_ipython_216c73_<block_end>", is_lines=False)
    '<if_stmt>a<block_start>\\n!ls\\n<block_end>'
    """

    def line(match: re.Match[str]) -> str:
        shown = bytes.fromhex(match[1]).decode("utf-8")
        if is_lines:
            return shown
        return "\n" * (match.start() > 0) + shown + "\n" * (match.end() < len(text))

    if is_lines:
        text = text.removesuffix("\n")
    return re.sub(re.escape(base) + "([0-9a-f]+)_", line, text)


def _mark(text: str, start: int, end: int, base: str, is_lines: bool) -> str:
    """The text with a name in the place of a line."""
    line = text[start:end].lstrip()
    before, after = text[: end - len(line)] if is_lines else text[:start].removesuffix("\n"), text[end:]
    name = f"{base}{line.encode('utf-8').hex()}_"
    return before + name + (after if is_lines else after.removeprefix("\n"))


def _find_line(text: str, failed: int | None, is_lines: bool) -> tuple[int, int] | None:
    """Where the line at which reading failed begins and ends, with its continuations; if it is not IPython's, the nearest line that is."""
    rows = text.split("\n")
    at = (failed or 1) - 1
    below = [row for row in range(at, len(rows)) if rows[row].strip()]
    # Reading SimPy stops at the line or at one of the breaks in front of it.
    near = (at,) if is_lines else below[:2]
    row = next((row for row in (*near, *range(at - 1, -1, -1), *below) if is_magic(rows[row].strip())), None)
    if row is None:
        return None
    last = row
    while rows[last].endswith("\\") and last + 1 < len(rows):
        last += 1
    start = sum(len(other) + 1 for other in rows[:row])
    return start, start + len("\n".join(rows[row : last + 1]))
