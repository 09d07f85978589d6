"""IPython's lines in cells: they survive every conversion where they stand, in notebooks, in messages and in answers."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from dualcode import MixedText
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from tests.helpers import ALL, CONVERTED, pieces_of
from tests.programs import plain_programs
from transpiler.magics import Marks, Side, convert_cell, is_kept

# cell, which of its lines are IPython's
CELLS: dict[str, tuple[str, list[str]]] = {
    "line magic": ("%matplotlib inline\nx = 1\n", ["%matplotlib inline"]),
    "shell": ("import os\n!pip install a\nx = 1", ["!pip install a"]),
    "shell over two lines": ("!pip \\\n  install a\nx = 1\n", ["!pip \\\n  install a"]),
    "question before": ("?print\n", ["?print"]),
    "question after": ("x = 1\nx??", ["x??"]),
    "question after a key": ("d['a'].b?\n", ["d['a'].b?"]),
    "assigned": ("files = !ls\nt = %timeit -o f()\n", ["files = !ls", "t = %timeit -o f()"]),
    "a magic of the cell that runs Python": ("%%time\nx = 1\n", ["%%time"]),
    "beside a string": ("x = '''\n%d\n!a\n'''\n!b\n", ["!b"]),
    "beside strings that look like lines of IPython": ("'a = !b'\n'''c?\n'''\n!b\n", ["!b"]),
    "beside a bracket": ("x = (7\n% 2)\n%b\n", ["%b"]),
    "beside a backslash": ("x = 7 \\\n% 2\n%b\n", ["%b"]),
    "beside an f-string": ("x = f'''\n%d {a}\n!a\n'''\n!ls\n", ["!ls"]),
    "after a comment": ("# why\n!ls\n", ["!ls"]),
    "after a block": ("if a:\n    b\n!ls\n", ["!ls"]),
    "in a block": ("if a:\n    !ls\nb\n", ["    !ls"]),
    "in blocks": (
        "for a in b:\n    if a:\n        !ls {a}\n        c\n    print?\nelse:\n    %d\n",
        ["        !ls {a}", "    print?", "    %d"],
    ),
    "in an indented fragment": ("    x = [1, 2]\n    !ls\n    return x\n", ["    !ls"]),
    "Windows": ("x = 1\r\nif x:\r\n    !ls\r\nprint?\r\n", ["    !ls", "print?"]),
}
KEPT = ("%%bash\nls\nx = 1\n", "x = 'a\n%b\n", "x = '%d' % (\n!ls\n")


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("name", CELLS)
def test_lines_of_ipython_stay_in_a_chat(name: str, dialect: str) -> None:
    cell, lines = CELLS[name]
    mixed = MixedText(dialect)
    eol = "\r\n" if "\r" in cell else "\n"
    text = f"Run{eol}```python{eol}{cell}" + eol * (cell[-1] != "\n") + f"```{eol}"
    sent = mixed.to_model(text)
    assert sent.notes == () and sent.text.startswith(f"Run{eol}```python{eol}")
    for line in lines:
        compact = line if name == "in an indented fragment" else line.replace("    ", " ")
        assert f"\n{compact if dialect == COMPACT else line.lstrip()}{eol}" in sent.text
    assert all(piece.python in text and not set(lines) & set(piece.python.split("\n")) for piece in sent.shortened)
    back = mixed.to_person(sent.text)
    assert back.notes == () and all(back.text.count(f"\n{line}{eol}") == 1 for line in lines)
    assert mixed.to_model(back.text).text == sent.text
    for length in (1, 3):
        stream = mixed.reply_stream()
        assert "".join([*map(stream.feed, pieces_of(sent.text, length)), stream.close()]) == back.text


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("cell", KEPT)
def test_cells_that_are_not_python_stay(cell: str, dialect: str) -> None:
    text = f"```python\n{cell}```\n"
    assert MixedText(dialect).to_model(text).text == MixedText(dialect).to_person(text).text == text
    assert not is_kept(cell) or convert_cell(cell, side(dialect, encodes=True), side(dialect, encodes=False)) == cell


@pytest.mark.parametrize("answer", ["<if_stmt>a<block_start>b<block_end>\n!ls\nc(1)\n", "%time f\n(1)<if_stmt>\n", "<return>a\n%d\n"])
def test_a_line_of_ipython_never_joins_a_statement(answer: str) -> None:
    """Where a model forgets a separator, the line stays a line."""
    back = MixedText("classic").to_person(f"```py\n{answer}```\n").text.split("\n")
    assert next(line for line in answer.split("\n") if line[:1] in "!%") in back


@pytest.mark.parametrize("cell", ["_ipython_ = 1\n!ls\n", "_ipython____ = __ipython__\n_ipython_21_\n!ls\n"])
def test_names_that_look_like_marks_stay(cell: str) -> None:
    simpy = convert_cell(cell, side("classic", encodes=True), side("classic", encodes=False), differ)
    assert convert_cell(simpy, side("classic", encodes=False), side("classic", encodes=True)) == cell.removesuffix("\n")


def test_many_lines_of_ipython_are_read_twice_only() -> None:
    read: list[str] = []

    def convert(text: str) -> str:
        read.append(text)
        return transpiler.encode(text)

    cell = "".join(f"!ls {number}\nx = {number}\n" for number in range(50))
    convert_cell(cell, Side(Dialect.load(PYTHON), convert), side("classic", encodes=False))
    assert len(read) == 2


# ------------------------------------------------------------------------------------------------------- both ways

MAGICS = ("%time f(x)", "!ls -l {x}", "files = !ls", "f?", "?f", "f.g??", "%load_ext a", '!echo "it\'s"', "x = %who_ls", "!a \\\n   b c")
STATEMENTS = (
    "x = 1",
    "f(a, b)",
    "s = '''\n%d\n!ls\n'''",
    "y = x % 2",
    "# %time",
    "while x:\n    f()",
    "z = not x",
    "(a\n % b)",
    "z = f'{x!r}'",
)


@st.composite
def cells(draw: st.DrawFn) -> str:
    """Statements and lines of IPython, in blocks and outside."""
    pieces = []
    for _ in range(draw(st.integers(1, 6))):
        piece = draw(st.sampled_from((*MAGICS, *STATEMENTS)))
        if draw(st.booleans()) and "\n" not in piece and not piece.startswith("#"):
            header = draw(st.sampled_from(("if a:", "for i in x:", "def f(a, b):", "try:")))
            piece = f"{header}\n    {piece}" + ("\nfinally:\n    pass" if header == "try:" else "")
        pieces.append(piece)
    return "\n".join(pieces)


def side(dialect: str, *, encodes: bool) -> Side:
    """One side of a conversion between Python and a dialect."""
    if encodes:
        return Side(Dialect.load(PYTHON), lambda text: transpiler.encode(text, dialect=dialect))
    return Side(Dialect.load(dialect), lambda text: transpiler.decode(text, dialect=dialect))


def differ(before: str, after: str) -> str | None:
    return None if ast.dump(ast.parse(before)) == ast.dump(ast.parse(after)) else "another tree"


@given(cells(), st.sampled_from((*BUILT_IN, COMPACT)))
def test_lines_of_ipython_survive(cell: str, dialect: str) -> None:
    there, back = side(dialect, encodes=True), side(dialect, encodes=False)
    simpy = convert_cell(cell, there, back, differ)
    python = convert_cell(simpy, back, there)
    assert [python.count(line) for line in MAGICS] == [cell.count(line) for line in MAGICS]
    assert convert_cell(python, there, back, differ) == simpy


@given(plain_programs(), st.sampled_from((*BUILT_IN, COMPACT)))
def test_a_program_is_not_marked(program: str, dialect: str) -> None:
    python = Dialect.load(PYTHON)
    assert Marks(program, python, Dialect.load(dialect)).mark(program, python) == program
    assert convert_cell(program, side(dialect, encodes=True), side(dialect, encodes=False)) == transpiler.encode(program, dialect=dialect)


LINES = st.sampled_from(
    ["%a", "!b", "c?", "d = 1", "'''", "(", ")", "if e:", "    f", "# g", "\\", "", "%%h", "i = !j", "    !k", "<block_end>"]
)


@given(st.lists(LINES, max_size=8), st.sampled_from((PYTHON, *CONVERTED)), st.sampled_from((PYTHON, *CONVERTED)))
def test_marks_give_the_lines_back(lines: list[str], source: str, target: str) -> None:
    cell = "\n".join(lines)
    one, other = Dialect.load(source), Dialect.load(target)
    marks = Marks(cell, one, other)
    marked = marks.mark(cell, one)
    assert (marked == cell) or "_ipython_" in marked
    if one.is_python and other.layout == COMPACT:
        assert marks.restore(marked + "\n") == cell


def test_a_lost_line_is_an_error() -> None:
    """The proof notices a converter that leaves out a statement."""
    there = side("classic", encodes=True)
    lossy = Side(Dialect.load("classic"), lambda text: "\n".join(transpiler.decode(text).split("\n")[1:]))
    with pytest.raises(SimPyError, match="IPython's lines do not survive"):
        convert_cell("x = 1\n%time f()\n", there, lossy, differ)
