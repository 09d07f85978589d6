"""Parts of programs, such as an indented method or a range of lines: converted in their indentation.

A fragment is cut into runs: statements at one indentation, with what is deeper. Each run is a program in a block, is read and
proved as one, and keeps its indentation. What is not a statement on its own (``else:`` without its ``if``, a header whose
block is cut off, a bracket that stays open) stays as it is.
"""

from __future__ import annotations

import _ast
import re
from math import gcd
from pathlib import Path

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from simpy_grammar.python_tokens import LexError
from simpy_grammar.stream import Stream
from transpiler.conversion import WIDTH, explained, read_stream, write_stream
from transpiler.logical_lines import LogicalLine, logical_lines
from transpiler.nesting import TooDeepError
from transpiler.proof import parse_tree, prove
from transpiler.source import read_source

_CLAUSE = re.compile(r"(?:elif|else|except|finally)\b|case\b.*:")
_OPEN_END = re.compile(r"@|[^#].*:[ \t]*(?:#.*)?$", re.DOTALL)  # a decorator, or a header whose block is not there
_IN_STRING = re.compile(r"\"\"\"|'''")
_WRAPPER = "if 1:\n"
_WRAPPED = 3  # lexemes of it: if, 1, the start of the block


def convert_fragment(
    text: str, *, source: str | Path | Dialect = PYTHON, target: str | Path | Dialect, verify: bool = True, width: int | None = WIDTH
) -> str:
    """Convert a part of a program in a layout of Python; a whole program is one too.

    Args:
        text: some lines.
        source: the dialect that they are written in, a layout of Python.
        target: the dialect to write them in. In SimPy, which has no lines, a fragment must be one run of statements.
        verify: prove that each run is the same program before returning.
        width: for Python, columns after which a line is broken inside brackets; ``None`` for none.

    Raises:
        PythonSyntaxError: it is not a part of a Python program, or it holds no whole statement.
        RoundTripError: the proof failed, which is a bug here and not in the source.

    >>> convert_fragment("        b = [a, 1]\\n    else:\\n        return a\\n    return (b)\\n", target="compact")
    '        b=[a,1]\\n    else:\\n        return a\\n    return b\\n'
    >>> convert_fragment("    if a:\\n        b = 1\\n", target="classic")
    '    <if_stmt>a<block_start>b=1<block_end>'
    """
    old, new = Dialect.load(source), Dialect.load(target)
    code = read_source(text)
    fragment = _Fragment(code, old, new, verify, width)
    fragment.convert()
    if not fragment.converted:
        raise PythonSyntaxError("it holds no whole statement", line=1)
    if not new.is_python and (fragment.converted > 1 or fragment.kept):
        raise PythonSyntaxError("it begins or ends inside a block", line=1)
    if len(fragment.columns) > 1 and gcd(*fragment.columns) == 1:
        raise PythonSyntaxError("unindent does not match any outer indentation level", line=1)
    if not new.is_python:
        return fragment.out[0]  # where a line break may be a token
    written = "\n".join(part.removesuffix("\n") for part in fragment.out)
    return written + "\n" if code.endswith("\n") else written


def is_indented(text: str) -> bool:
    """Whether the first line that is not blank is indented.

    >>> is_indented("\\n  x = 1\\n"), is_indented("x = 1\\n")
    (True, False)
    """
    return next((line for line in text.split("\n") if line.strip()), "")[:1] in (" ", "\t")


def fragment_tree(text: str) -> _ast.AST | None:
    """The tree of a program that may be indented as a whole, which then stands in a block; ``None`` if it nests too deep.

    Raises:
        SyntaxError: it is not Python.

    >>> type(fragment_tree("    x = 1\\n").body[0]).__name__
    'If'
    """
    return parse_tree(_WRAPPER + text if is_indented(text) else text)


def fragment_statements(text: str) -> list[_ast.stmt]:
    """The statements of a program that may be indented as a whole; none if it nests too deep.

    The lines of one that is indented count from 2.

    Raises:
        SyntaxError: it is not Python.

    >>> [statement.lineno for statement in fragment_statements("    x = 1\\n    return x\\n")]
    [2, 3]
    """
    body: list[_ast.stmt] = getattr(fragment_tree(text), "body", [])
    if body and is_indented(text) and isinstance(body[0], _ast.If):
        return [*body[0].body, *body[1:]]
    return body


class _Fragment:
    """A fragment on its way.

    Attributes:
        out: what has been written: runs and lines that stay, in order.
        converted: how many runs are among it.
        kept: how many of the lines.
        columns: how far the runs are indented. Steps of one blank are hardly ever code, but often text that was cut badly.
    """

    def __init__(self, text: str, source: Dialect, target: Dialect, verify: bool, width: int | None) -> None:
        self.out: list[str] = []
        self.converted = self.kept = 0
        self.columns: set[int] = set()
        self._text = text
        self._source = source
        self._target = target
        self._verify = verify
        self._width = width

    def convert(self) -> None:
        """Convert run by run."""
        try:
            lines = logical_lines(self._text)
        except LexError as error:
            raise PythonSyntaxError.at(self._text, min(error.offset, len(self._text)), str(error)) from None
        if lines and not lines[-1].whole and _IN_STRING.search(lines[-1].text):
            raise PythonSyntaxError("it ends, or begins, inside a string", line=1)
        at, number = 0, 1  # the line of the text that it begins on
        while at < len(lines):
            line, end = lines[at], at + 1
            if line.text.strip() and _stands_alone(lines, at):
                self._keep(lines[at:end])
            elif line.text.strip():
                while end < len(lines) and (not lines[end].text.strip() or lines[end].indent.startswith(line.indent)):
                    end += 1
                self._run(lines[at:end], number, last=end == len(lines))
            number += sum(one.text.count("\n") for one in lines[at:end])
            at = end

    def _keep(self, lines: list[LogicalLine]) -> None:
        self.out += [line.text for line in lines if line.text.strip()]
        self.kept += 1

    def _run(self, lines: list[LogicalLine], number: int, last: bool) -> None:
        """Convert a run; of the last one, what is cut off at its end stays."""
        end = len(lines)
        while True:
            try:
                self.out.append(self._written("".join(line.text for line in lines[:end]), lines[0].indent))
                break
            except SimPyError as error:
                if not last or not _is_open(lines[end - 1]):
                    error.line = (error.line or 1) + number - 1
                    raise
                while end and _is_open(lines[end - 1]):
                    end -= 1
                if not any(_is_statement(line) for line in lines[:end]):
                    self._keep(lines)
                    return
        self.converted += 1
        self.columns.add(len(lines[0].indent.expandtabs()))
        if any(line.text.strip() for line in lines[end:]):
            self._keep(lines[end:])

    def _written(self, text: str, indent: str) -> str:
        """One run in the target dialect."""
        python = Dialect.load(PYTHON)
        wrapper = _WRAPPER if indent else ""
        program = wrapper + text
        try:
            stream = _without_wrapper(read_stream(program, self._source)) if indent else read_stream(program, self._source)
            written = write_stream(stream, self._target, self._width, indent)

            def decoded() -> str:
                if self._target.is_python:
                    return wrapper + written
                return wrapper + write_stream(read_stream(written[len(indent) :], self._target), python, self._width, indent)

            if self._verify:
                prove(program, lambda: stream, decoded, None)
        except TooDeepError as error:
            raise explained(program, error, python, None) from None
        except SimPyError as error:
            if error.line is not None:
                error.line = max(error.line - bool(indent), 1)
            raise
        return written


def _stands_alone(lines: list[LogicalLine], at: int) -> bool:
    """Whether a line is not part of a run: a clause without its statement, a comment that is indented unlike what follows."""
    body = lines[at].text.strip()
    if body.startswith("#"):
        after = next((line for line in lines[at:] if _is_statement(line)), None)
        return after is None or after.indent != lines[at].indent or _CLAUSE.match(after.text.strip()) is not None
    return lines[at].whole and _CLAUSE.match(body) is not None


def _is_statement(line: LogicalLine) -> bool:
    body = line.text.strip()
    return bool(body) and not body.startswith("#")


def _is_open(line: LogicalLine) -> bool:
    """Whether a line at the end of a fragment cannot end a run: it is cut off, or what it begins is."""
    body = line.text.strip()
    return not body or not line.whole or _OPEN_END.match(body) is not None


def _without_wrapper(stream: Stream) -> Stream:
    """The statements of the block that is the whole program."""
    found = Stream()
    found.terminals = stream.terminals[_WRAPPED:-1]
    found.texts = stream.texts[_WRAPPED:-1]
    return found
