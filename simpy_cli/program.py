"""Running a SimPy program as ``__main__``, with the positions of the SimPy text in its code.

The decoded Python is compiled from its syntax tree, whose positions are first moved to the SimPy text. So tracebacks,
warnings and debuggers name lines and columns of the SimPy file. How an uncaught exception is printed is in
``simpy_cli.tracebacks``.
"""

from __future__ import annotations

import ast
import os
import sys
import types
from collections.abc import Callable
from typing import Any

import transpiler
from simpy_cli import files
from simpy_cli.conversion import decode
from simpy_cli.tracebacks import Text, print_exception
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from transpiler.proof import parse_tree
from transpiler.source import read_source

FAILED, INTERRUPTED = 1, 130


def run_program(path: str, arguments: list[str], dialect: Dialect) -> int:
    """Run a program; return 0, or 1 after a traceback.

    Raises:
        SimPyError: the program cannot be read, or is not a program.
        SystemExit: the program asked for it.
    """
    name = files.shown(path) if path == files.STDIN else os.path.abspath(path)
    try:
        data = files.read(path)[0]
    except OSError as error:
        raise files.os_error(error, path) from None
    code, text = compile_program(data, name, dialect, shown=files.shown(path))
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=name, __builtins__=__builtins__, __spec__=None, __loader__=None, __cached__=None)
    if path == files.STDIN:
        del module.__dict__["__file__"]
        text.remember()
    sys.modules["__main__"] = module
    sys.argv = [path, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0:1] = ["" if path == files.STDIN else os.path.dirname(os.path.realpath(path))]
    try:
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        if sys.excepthook is not sys.__excepthook__:  # the program prints its own
            sys.excepthook(type(error), error, error.__traceback__)
        else:
            sys.stdout.flush()
            print_exception(error, text, hidden=sys._getframe().f_code)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
    return 0


def compile_program(data: bytes, name: str, dialect: Dialect, *, shown: str) -> tuple[types.CodeType, Text]:
    """The code of a SimPy program, and the text that its positions belong to.

    Raises:
        SimPyError: it is not SimPy of this dialect, or not a program.
    """
    source = read_source(data, path=shown) if dialect.is_python else files.simpy_text(data, shown)
    simpy, python = decode(source, dialect, shown)
    text = Text(name, simpy)
    if dialect.is_python:
        to_simpy: Callable[[int], int] = int  # it is the Python
        python = simpy
    else:
        to_simpy = transpiler.source_map(python, simpy, dialect=dialect).to_simpy
    try:
        tree = parse_tree(python)  # without warnings: compiling warns again, with the right place
    except SyntaxError as error:
        raise _invalid(error, to_simpy(_offset(python, error)), simpy, shown) from None
    if not isinstance(tree, ast.Module):
        raise SimPyError("too deeply nested for this interpreter", path=shown)
    _move(tree, python, text, to_simpy)
    try:
        return compile(tree, name, "exec", dont_inherit=True), text
    except SyntaxError as error:  # such as a return outside a function
        line, column = text.from_ast(error.lineno or 1, max((error.offset or 1) - 1, 0))
        raise _invalid(error, text.offset(line, column), simpy, shown) from None
    except RecursionError:
        raise SimPyError("too deeply nested for this interpreter", path=shown) from None


def _offset(python: str, error: SyntaxError) -> int:
    lines = python.split("\n")[: max((error.lineno or 1) - 1, 0)]
    return sum(len(line) + 1 for line in lines) + max((error.offset or 1) - 1, 0)


def _invalid(error: SyntaxError, offset: int, simpy: str, shown: str) -> SimPySyntaxError:
    return SimPySyntaxError.at(simpy, offset, error.msg or "invalid syntax", path=shown)


def _move(tree: ast.AST, python: str, text: Text, to_simpy: Callable[[int], int]) -> None:
    """Give each node of a tree the place in the SimPy text that it comes from."""
    lines = python.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        source = lines[line - 1] if line <= len(lines) else ""
        if not source.isascii():  # ast counts columns in UTF-8 bytes
            column = len(source.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))
        return starts[min(line, len(lines)) - 1] + column

    def end_of(at: int) -> int:
        """The end of what ends at ``at``. The map has no anchors at closing brackets, but both texts have the same ones."""
        bare = at
        while python[bare - 1 : bare] in (")", "]", "}"):
            bare -= 1
        end = to_simpy(bare)
        while bare < at and text.text[end : end + 1] == python[bare]:
            bare, end = bare + 1, end + 1
        return end

    for node in ast.walk(tree):
        placed: Any = node
        if not hasattr(node, "lineno"):
            continue
        start = to_simpy(offset(placed.lineno, placed.col_offset))
        end = max(start, end_of(offset(placed.end_lineno or placed.lineno, placed.end_col_offset or 0)))
        placed.lineno, placed.col_offset = text.to_ast(start)
        placed.end_lineno, placed.end_col_offset = text.to_ast(end)
