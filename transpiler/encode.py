"""``encode``: Python to SimPy, with its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, UnsupportedSyntaxError, locate
from simpy_grammar.parser import StuckError
from transpiler.decoder import Decoder
from transpiler.encoder import Encoder, encode_tree
from transpiler.long_runs import Hidden
from transpiler.repair import first_error, repair
from transpiler.rows import parse
from transpiler.source import read_source
from transpiler.trees import parse_tree, same_tree

if TYPE_CHECKING:
    from pathlib import Path


def encode(
    source: str | bytes,
    *,
    dialect: str | Path | Dialect = "classic",
    partial: bool = False,
    verify: bool = True,
    path: str | None = None,
) -> str:
    """Encode a Python program.

    Args:
        source: the program; bytes are decoded as PEP 263 says.
        dialect: a name, a dialect file or a ``Dialect``.
        partial: the text may be unfinished; what is finished decodes to itself.
        verify: prove before returning that the result decodes to the same program.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python.
        UnsupportedSyntaxError: it is Python that the grammar has no rule for.
        RoundTripError: the proof failed, which is a bug here and not in the source.
        DialectError: there is no such dialect.

    >>> encode("def f(a, b=1):\\n    return a < b")
    '<def_stmt>f a b=1<block_start><return>a<l>b<block_end>'
    """
    chosen = Dialect.load(dialect)
    text = read_source(source, path=path)
    if partial:
        from transpiler.partial import encode_partial

        return encode_partial(text, chosen)
    simpy = encode_text(text, chosen, path)
    if verify:
        prove(text, simpy, chosen, path)
    return simpy


def encode_text(text: str, dialect: Dialect, path: str | None = None, encoder: type[Encoder] = Encoder) -> str:
    """Encode a text that ``read_source`` has read, without proof."""
    if dialect.is_python:
        from transpiler.compact import compact  # only for that dialect
        from transpiler.parentheses import BareEncoder

        try:
            return compact(encode_text(text, Dialect.load("classic"), path, BareEncoder))
        except StuckError:  # the tree was no program, as in a block without statements
            raise syntax_error(text, path) from None
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        line, column, source_line = locate(text, error.start)
        raise PythonSyntaxError("a lone surrogate is no character", path=path, line=line, column=column, source_line=source_line) from None
    hidden: Hidden = {}
    tree = parse(data, hidden)
    data, disguised, replaced = repair(data, tree)
    if disguised is not data:
        tree = parse(disguised, hidden)
        if tree.root_node.has_error:
            raise syntax_error(text, path)
    ascii_only = len(data) == len(text)
    seen = text if ascii_only else data.decode("latin-1")
    try:
        simpy = encode_tree(seen, dialect, replaced, disguised, tree, hidden, encoder=encoder)
        if hidden:  # what looked like a row of comments is text of a string
            simpy = encode_tree(seen, dialect, replaced, disguised, parse(disguised, quiet=False), {}, encoder=encoder)
    except PythonSyntaxError:
        raise syntax_error(text, path) from None  # CPython says it best
    except RecursionError:  # fields in the formats of fields
        raise UnsupportedSyntaxError("too deep nesting", path=path, line=1, source_line=locate(text, 0)[2]) from None
    except SimPyError as error:
        error.path = path
        raise
    return simpy if ascii_only else simpy.encode("latin-1").decode("utf-8")


def decode_text(simpy: str, dialect: Dialect, path: str | None = None) -> str:
    """Decode a text of any dialect."""
    return Decoder(dialect=dialect, path=path).decode(simpy)


def prove(text: str, simpy: str, dialect: Dialect, path: str | None) -> None:
    """Show that ``simpy`` decodes to the program that ``text`` is.

    By comparing syntax trees where this interpreter can read the source, by encoding again where it cannot.
    """
    refused: SyntaxError | None = None
    expected = None
    try:
        expected = parse_tree(text)
    except SyntaxError as error:
        from transpiler.versions import newer_syntax  # only where this interpreter cannot read the source

        refused = error
        if newer_syntax(text) is None:
            raise python_error(text, error, path) from None
    try:
        python = decode_text(simpy, dialect, path)
        same = expected is not None or encode_text(python, dialect) == simpy
    except SimPyError as error:
        if refused is not None:  # what looked like syntax of a newer Python is none
            raise python_error(text, refused, path) from None
        raise RoundTripError(f"the encoded program does not decode: {error.message}", path=path, hint=_REPORT) from error
    if not same and refused is not None:  # no Python, or a bug here: only a Python that reads the syntax can tell which
        raise python_error(text, refused, path, _NEWER)
    if not same:
        raise RoundTripError("the decoded program does not encode to the same text", path=path, hint=_REPORT)
    if expected is None:
        return
    try:
        found = parse_tree(python)
    except SyntaxError as error:
        raise RoundTripError(f"the decoded program is no Python: {error}", path=path, hint=_REPORT) from error
    if found is None or not same_tree(expected, found):
        raise RoundTripError("the decoded program has another syntax tree", path=path, hint=_REPORT)


_REPORT = "this is a bug of the converter: please report it with the file"
_NEWER = "if a newer Python reads it, convert it with that one"


def python_error(text: str, error: SyntaxError, path: str | None, hint: str = "") -> PythonSyntaxError:
    """CPython's syntax error in our form."""
    line = error.lineno or 1
    lines = text.split("\n")
    source_line = lines[min(line, len(lines)) - 1]
    # CPython counts the columns of some errors from the start of a string of several lines, and so beyond the line.
    column = min(max(error.offset or 1, 1), len(source_line) + 1)
    return PythonSyntaxError(error.msg or "invalid syntax", path=path, line=line, column=column, source_line=source_line, hint=hint)


def syntax_error(text: str, path: str | None) -> SimPyError:
    """The error for a text that tree-sitter cannot read: CPython's words, or that the fault is not the text's."""
    data = text.encode("utf-8")
    offset = len(data[: first_error(parse(data))].decode("utf-8", "replace"))
    line, column, source_line = locate(text, offset)
    try:
        tree = parse_tree(text)
    except SyntaxError as error:
        if error.lineno:
            return python_error(text, error, path)
        return PythonSyntaxError("invalid syntax", path=path, line=line, column=column, source_line=source_line)
    what = "too deep nesting" if tree is None else "valid Python that tree-sitter-python cannot read"
    return UnsupportedSyntaxError(what, path=path, line=line, column=column, source_line=source_line)
