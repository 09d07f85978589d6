"""IPython's lines in a cell: they are found where a statement begins, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.programs import plain_programs
from transpiler.magics import CellPart, split_magics

# cell, which of its parts are Python
CELLS: dict[str, tuple[list[str], list[bool]]] = {
    "line magic": (["%matplotlib inline\n", "x = 1\n"], [False, True]),
    "shell": (["import os\n", "!pip install a\n", "x = 1"], [True, False, True]),
    "shell over two lines": (["!pip \\\n  install a\n", "x = 1\n"], [False, True]),
    "question before": (["?print\n"], [False]),
    "question after": (["x = 1\n", "x??"], [True, False]),
    "assigned": (["files = !ls\n", "t = %timeit -o f()\n"], [False, False]),
    "a magic of the cell": (["%%bash\nls\nx = 1\n"], [False]),
    "a magic of the cell that runs Python": (["%%time\n", "x = 1\n"], [False, True]),
    "in a string": (["x = '''\n%d\n!a\n'''\n"], [True]),
    "in a bracket": (["x = (7\n% 2)\n"], [True]),
    "after a backslash": (["x = 7 \\\n% 2\n"], [True]),
    "in an f-string": (["x = f'''\n%d {a}\n!a\n'''\n", "!ls\n"], [True, False]),
    "after a comment": (["# why\n", "!ls\n"], [True, False]),
    "after a block": (["if a:\n    b\n", "!ls\n"], [True, False]),
    "after a string of several lines": (["'''\n%a\n'''\n", "%b\n"], [True, False]),
    "in a block": (["if a:\n    !ls\n"], [True]),
    "after what is not Python": (["x = 'a\n%b\n"], [True]),
    "after strings in a row": (["x = 'a' 'b'\n", "!ls\n", "y = b'c'\n", "!ls\n"], [True, False, True, False]),
    "Windows": (["x = 1\r\n", "!ls\r\n", "print?\r\n"], [True, False, False]),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_cut_at_magics(name: str) -> None:
    texts, python = CELLS[name]
    assert split_magics("".join(texts)) == [CellPart(text, is_python) for text, is_python in zip(texts, python, strict=True)]


@given(plain_programs())
def test_a_program_is_one_part(program: str) -> None:
    assert split_magics(program) == [CellPart(program, True)]


LINES = st.sampled_from(["%a", "!b", "c?", "d = 1", "'''", "(", ")", "if e:", "    f", "# g", "\\", "", "%%h", "i = !j"])


@given(st.lists(LINES, max_size=8))
def test_the_parts_join_to_the_cell(lines: list[str]) -> None:
    cell = "\n".join(lines)
    assert "".join(part.text for part in split_magics(cell)) == cell
