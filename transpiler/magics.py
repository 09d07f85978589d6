"""Lines of IPython in code: magics, shell commands, help (``print?``). They stay as they are, wherever they stand: in the cells of
notebooks and in what people paste into a chat. What is between them is converted as one program.

For the converter a statement stands in the place of each such line. In layouts of Python the line keeps its indentation. In SimPy,
where statements are not lines, it stands between two line breaks of its own:

    if in_colab:                  <if_stmt>in_colab<block_start>
        !pip install simpy        !pip install simpy
    run()                         <block_end>run()

Only reading a cell shows which of its lines are IPython's, since ``%d`` may stand in a string. So a cell is read as it is. If that
fails, the lines that begin a statement and look like IPython's are taken for such lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from transpiler.logical_lines import LineReader
from transpiler.source import split_lines

_STRINGS = r"'[^'\\\n]*'|\"[^\"\\\n]*\""
_MAGIC = re.compile(
    r"[%!?]"  # %matplotlib inline, !ls, ?print
    rf"|(?:[\w.*\[\]%]|{_STRINGS})+\?\??[ \t\r]*$"  # print?, print??
    rf"|(?:[\w.,*\[\] \t]|{_STRINGS})+=[ \t]*(?:!|%(?=[A-Za-z]))"  # files = !ls
)
_CELL_MAGIC = re.compile(r"%%(\w+)")
_PYTHON_BODY = frozenset(("capture", "prun", "time", "timeit"))
"""Magics of whole cells that run the cell as Python; all others may give it another meaning."""
_MAY_ADJOIN = re.compile(r"[^\w\"')\].(\[]|$")
"""What may stand beside a statement in SimPy, where a separator or the edge of a block has to be."""
_NAME = "_ipython_"
_LIKE_NAME = re.compile(f"{_NAME}_*")
_REPORT = "this is a bug of the converter: please report it with the code"


class Side(NamedTuple):
    """One side of a conversion of cells.

    Attributes:
        dialect: what programs are written in on this side.
        convert: converts a program from this side to the other one.
    """

    dialect: Dialect
    convert: Callable[[str], str]


def is_magic(line: str) -> bool:
    """Whether a line without its indent looks like IPython's. It need not be: in a string, ``%d`` begins a line of Python.

    >>> is_magic("%time f()"), is_magic("files = !ls"), is_magic("print?"), is_magic("x = 1 % 2")
    (True, True, True, False)
    """
    return _MAGIC.match(line) is not None


def is_kept(cell: str) -> bool:
    """Whether a cell as a whole stays as it is: it is empty, or of another language, as ``%%bash`` says.

    >>> is_kept("%%bash\\nls"), is_kept("%%time\\nf()"), is_kept("\\n")
    (True, False, True)
    """
    whole = _CELL_MAGIC.match(cell.lstrip())
    return not cell.strip() or (whole is not None and whole[1] not in _PYTHON_BODY)


def convert_cell(cell: str, here: Side, there: Side, differ: Callable[[str, str], str | None] | None = None) -> str:
    """What a cell becomes.

    Args:
        cell: its text, with line feeds.
        here: the side that it comes from.
        there: the side that it goes to. Where one of the two is ``compact``, both are layouts of Python, or the cell is of ``compact``.
        differ: says how two programs of this side differ, to prove that IPython's lines survive; ``None`` for no proof.

    Raises:
        SimPyError: the cell cannot be read, or the proof failed.

    >>> import transpiler
    >>> python, classic = Dialect.load("python"), Dialect.load("classic")
    >>> convert_cell("if a:\\n    !ls", Side(python, transpiler.encode), Side(classic, transpiler.decode))
    '<if_stmt>a<block_start>\\n!ls\\n<block_end>'
    """
    if is_kept(cell):
        return cell
    marks = Marks(cell, here.dialect, there.dialect)
    marked, result = read_cell(cell, here, marks)
    written = marks.restore(result)
    if marked != cell and differ is not None:
        try:
            again, back = read_cell(written, there, marks)
        except SimPyError as error:
            raise RoundTripError(f"IPython's lines do not survive: {error.message}", hint=_REPORT) from None
        expected = result.removesuffix("\n") if there.dialect.is_python else result
        found = differ(marked, back) if again == expected else "the result reads otherwise"
        if found is not None:
            raise RoundTripError(f"IPython's lines do not survive: {found}", hint=_REPORT)
    return written


def read_cell(cell: str, side: Side, marks: Marks) -> tuple[str, str]:
    """A cell with a statement in the place of each line of IPython, and what the converter makes of that.

    The statement says what the line is. A cell that is a program as it is has no such line.

    Raises:
        SimPyError: it cannot be read, whichever of its lines are IPython's.

    >>> import transpiler
    >>> side, cell = Side(Dialect.load("python"), transpiler.encode), "x = '%d'\\n%time f(x)"
    >>> read_cell(cell, side, Marks(cell, side.dialect, Dialect.load("classic")))[0]
    "x = '%d'\\n_ipython_2574696d652066287829_"
    """
    try:
        return cell, side.convert(cell)
    except (PythonSyntaxError, SimPySyntaxError):
        marked = marks.mark(cell, side.dialect)
        if marked == cell:
            raise
    return marked, side.convert(marked)


class Marks:
    """The statements that stand in the place of lines of IPython, on both sides of a conversion.

    A simple statement is a name. Since ``compact`` puts simple statements on one line, between two layouts of Python it is
    ``with NAME: pass``.

    Args:
        cell: the text; none of its words begins like one of the names.
        source: the dialect that it is written in.
        target: the dialect that it goes to.
    """

    def __init__(self, cell: str, source: Dialect, target: Dialect) -> None:
        base = self._base = _NAME + "_" * max((len(run) - len(_NAME) + 1 for run in _LIKE_NAME.findall(cell)), default=0)
        self._target = target
        self._is_compound = source.is_python and target.is_python
        name = re.escape(base) + "([0-9a-f]+)_"
        self._mark = re.compile(rf"with {name}:\s*pass\b" if self._is_compound else name)
        self._line = re.compile(rf"[ \t]*(?:{self._mark.pattern})[ \t\r]*\n?")

    def mark(self, cell: str, dialect: Dialect) -> str:
        """A cell of one of the dialects with a statement in the place of each line of IPython."""
        return self._in_python(cell, dialect) if dialect.is_python else self._in_simpy(cell, dialect)

    def restore(self, text: str) -> str:
        """A converted cell with IPython's lines in the place of their statements.

        >>> Marks("", Dialect.load("python"), Dialect.load("classic")).restore("<if_stmt>a<block_start>_ipython_216c73_<block_end>")
        '<if_stmt>a<block_start>\\n!ls\\n<block_end>'
        """

        def line(match: re.Match[str]) -> str:
            start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
            if self._target.layout == PYTHON and not self._line.fullmatch(text, start, end if end >= 0 else len(text)):
                raise SimPySyntaxError("a line of IPython inside of a statement")
            shown = bytes.fromhex(match[1]).decode("utf-8", "surrogatepass")
            if self._target.is_python:
                return shown
            return "\n" * (match.start() > 0) + shown + "\n" * (match.end() < len(text))

        return self._mark.sub(line, text.removesuffix("\n") if self._target.is_python else text)

    def between(self, text: str) -> list[str]:
        """What stands between the statements in a marked or a converted cell."""
        edges = [0, *(edge for match in self._line.finditer(text) for edge in match.span()), len(text)]
        return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]

    def _statement(self, line: str, indent: str, dialect: Dialect) -> str:
        name = f"{self._base}{line.encode('utf-8', 'surrogatepass').hex()}_"
        if not self._is_compound:
            return name
        return f"with {name}:pass" if dialect.layout == COMPACT else f"with {name}:\n{indent}    pass"

    def _in_python(self, cell: str, dialect: Dialect) -> str:
        out: list[str] = []
        reader = LineReader()
        begins = True  # the next line begins a statement: it is in no string and no bracket
        lines = split_lines(cell)
        at = 0
        while at < len(lines):
            line = lines[at].rstrip("\r\n")
            end = at + 1
            if begins and is_magic(line.lstrip(" \t")):
                end = _continued(lines, at)
                text = "".join(lines[at:end])
                body = text.rstrip("\r\n").lstrip(" \t")
                indent = line[: len(line) - len(line.lstrip(" \t"))]
                out.append(indent + self._statement(body, indent, dialect) + text[len(text.rstrip("\r\n")) :])
            else:
                out.append(lines[at])
                try:
                    begins = reader.feed(f"{line}\n")
                except LexError:
                    return "".join((*out, *lines[end:]))
                if begins:
                    reader = LineReader()
            at = end
        return "".join(out)

    def _in_simpy(self, cell: str, dialect: Dialect) -> str:
        out: list[str] = []
        reader = SimPyReader(dialect)
        lines = cell.split("\n")
        at = 0
        after_mark = False
        try:
            while at < len(lines):
                end, text = at + 1, lines[at]
                is_mark = is_magic(text.strip()) and not reader.in_string
                if is_mark:
                    end = _continued(lines, at)
                    text = self._statement("\n".join(lines[at:end]).strip(), "", dialect)
                    breaks = bool(out) and not _MAY_ADJOIN.match(out[-1][-1:])
                else:
                    breaks = at > 0 and not (after_mark and _MAY_ADJOIN.match(text))
                out.append("\n" * breaks + text)  # a line of IPython has line breaks for itself
                after_mark = is_mark
                reader.feed(out[-1])
                at = end
        except StuckError:
            at = end
        return "".join(out) + "".join(f"\n{line}" for line in lines[at:])


def _continued(lines: list[str], at: int) -> int:
    """The index after the last line that goes on with a line of IPython."""
    end = at + 1
    while end < len(lines) and lines[end - 1].rstrip("\r\n").endswith("\\"):
        end += 1
    return end
