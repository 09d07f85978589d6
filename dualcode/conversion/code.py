"""Code that is known to be Python, as the model sees it: whole programs, fragments, cells with lines of IPython, lines with a gutter.

Where code stands in a text is decided by ``framings``.
"""

from __future__ import annotations

from typing import NamedTuple

from dualcode.conversion.gutters import number_definitions, read_gutter
from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.recovery import is_other_python, spells_breaks
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from transpiler import encode
from transpiler.fragments import convert_fragment, is_indented
from transpiler.magics import Marks, Side, is_kept, read_cell
from transpiler.proof import parse_tree
from transpiler.source import read_source, split_lines


class ConvertedCode(NamedTuple):
    """Code as the model sees it.

    Attributes:
        text: all of it, with the numbers that replace a gutter.
        shortened: what of it was converted.
    """

    text: str
    shortened: tuple[Shortened, ...]


class CodeConverter:
    """Converts code for the models of one dialect.

    Args:
        dialect: what the model reads.
        verify: prove each conversion.
        numbers: where a gutter of line numbers is taken away, number the definitions.

    >>> converter = CodeConverter(Dialect.load("compact"))
    >>> converter.convert("     7\\tdef f(a):\\n     8\\t    return [a, 1]\\n").text
    '7:def f(a):return [a,1]\\n'
    """

    def __init__(self, dialect: Dialect, *, verify: bool = True, numbers: bool = True) -> None:
        self.dialect = dialect
        self._verify = verify
        self._keeps_last = spells_breaks(dialect)  # the last line break is a token
        self._numbers = numbers

    def convert_whole(self, code: str) -> ConvertedCode:
        """Convert a text that is a program, or a fragment of one, without a gutter or lines of IPython.

        Raises:
            PythonSyntaxError: it is not Python.
            SimPyError: it cannot be converted.
        """
        sent = self._code(code, False)
        return ConvertedCode(sent, (Shortened(code, sent),))

    def convert(self, code: str, *, partial: bool = False) -> ConvertedCode:
        """Convert code.

        Args:
            code: some lines.
            partial: they may end inside a block or a bracket; lines with a gutter may always.

        Raises:
            PythonSyntaxError: it is not Python.
            SimPyError: it cannot be converted.
        """
        lines = split_lines(code)
        numbered = read_gutter(lines, shortest=1) if lines else None
        if numbered is not None and not "".join(lines[numbered.length :]).strip():
            sent = self._code(numbered.code, partial=True)
            shown = number_definitions(numbered.code, sent, numbered.first) if self._numbers and self.dialect.is_python else sent
            return ConvertedCode(self._ended(shown, code), (Shortened(numbered.code, sent),))
        if is_kept(code):
            return ConvertedCode(code, ())
        python = Dialect.load(PYTHON)
        marks = Marks(code, python, self.dialect)
        marked, sent = read_cell(code, Side(python, lambda text: self._code(text, partial)), marks)
        if marked == code:
            return ConvertedCode(self._ended(sent, code), (Shortened(code, sent),))
        runs = zip(marks.between(marked), marks.between(sent), strict=True)
        shortened = (Shortened(one, other) for one, other in runs if one.strip())
        return ConvertedCode(self._ended(marks.restore(sent), code), tuple(shortened))

    def _program(self, code: str) -> str:
        try:
            text = read_source(code)
            if not self._verify and parse_tree(text) is None:
                raise PythonSyntaxError("nests too deep to be checked")
            return encode(text, dialect=self.dialect, verify=self._verify)
        except SyntaxError as error:
            raise PythonSyntaxError(error.msg or "invalid syntax", line=error.lineno, column=error.offset or 1) from None
        except RecursionError:
            raise PythonSyntaxError("nests too deep") from None

    def _code(self, code: str, partial: bool) -> str:
        try:
            sent = self._program(code)
        except SimPyError:
            if not (partial or is_indented(code)):
                raise
            sent = convert_fragment(code, target=self.dialect, verify=self._verify)
        if is_other_python(code, sent, self.dialect):
            raise PythonSyntaxError("its spelling in this dialect is Python too, and another program", line=1)
        return sent

    def _ended(self, sent: str, code: str) -> str:
        """Code that ends with a line break where the original does, and that has its line breaks."""
        body = sent if self._keeps_last else sent.removesuffix("\n")
        text = body + "\n" if code.endswith("\n") else body
        return text.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in code else text
