"""The dialect ``compact``: Python with the fewest characters of layout, for models that know no new tokens.

It is a layout like ``transpiler.layout``, but one that sees a whole block before it decides how to write it, so it does
not stream. Reading it back is reading Python.
"""

from __future__ import annotations

from collections.abc import Callable

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPySyntaxError
from simpy_grammar.parser import Action, Parser
from simpy_grammar.tables import load_tables
from simpy_grammar.terminals import DATA, PYTHON
from transpiler.decoder import Decoder
from transpiler.layout import (
    CLAUSES,
    DEEPEST,
    DEFINITIONS,
    HEADERS,
    SIMPLE_KEYWORDS,
    TooDeepError,
    verbatim_text,
)


class _Statement:
    """A statement being written: its text, as nested lists, and whether others may stand on its line."""

    def __init__(self) -> None:
        self.parts: list[object] = []
        self.simple = True  # it may follow another on the same line, and be followed by one ...
        self.ends_line = False  # ... unless a comment ends its line


class _Block:
    """A block being read."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.statements: list[_Statement] = []

    def write(self, on_header_line: bool = False) -> list[object]:
        """The text of the block. Simple statements share a line, except in the module; so may they the line of the header."""
        line = "\n" + "\t" * self.depth
        joined = on_header_line and all(s.simple for s in self.statements) and not any(s.ends_line for s in self.statements[:-1])
        out: list[object] = [] if joined or not self.depth else [line]
        for before, statement in zip([None, *self.statements], self.statements, strict=False):
            if before is not None:
                share = self.depth and before.simple and statement.simple and not before.ends_line
                # Between these two lines tree-sitter sees no line break.
                share = share or (before.parts[-1:] == [","] and statement.parts[:1] == ["*"])
                out.append(";" if share else line)
            out.append(statement.parts)
        return out


class _Compact:
    def __init__(self) -> None:
        self.blocks = [_Block(0)]
        self.statement = _Statement()
        self.headers: list[list[object]] = []  # the statements whose blocks are open
        self.last = ""  # the last character written
        self.starting = True
        self.colon_written = False
        self.empty = False  # the last string is empty
        self.pending: list[str] = []  # async

    # ------------------------------------------------------------------------------------------------------ pieces

    def write(self, text: str) -> None:
        """Write a token, after a blank if it would run into the one before."""
        if self.starting:
            self._start()
        if _word(self.last) and _word(text[:1]):
            self.statement.parts.append(" ")
        self.statement.parts.append(text)
        self.last = text[-1:]

    def raw(self, text: str) -> None:
        """Write text that never runs into the one before."""
        if text:
            self.statement.parts.append(text)
            self.last = text[-1]

    def number(self, text: str) -> None:
        """Write a number: a letter must not follow its dot."""
        self.write(text)
        if self.last == ".":
            self.last = "0"

    def _string(self, text: str) -> None:
        self.write(text)
        self.empty = text[-2:] in ("''", '""') and text[-3:-2] not in ("'", '"')

    def _fstring_end(self, text: str) -> None:
        self.empty = str(self.statement.parts[-1]).endswith(text) and len(text) == 1 and str(self.statement.parts[-1])[0] in "fFtTrR"
        self.raw(text)

    def _concat(self, _: str) -> None:
        if self.empty:  # '' before 'x' would open a triple-quoted string
            self.raw(" ")

    def _start(self) -> None:
        self.starting = False
        self.statement = _Statement()
        self.last = ""
        self.blocks[-1].statements.append(self.statement)

    # --------------------------------------------------------------------------------------------------- terminals

    def actions(self) -> dict[str, Action]:
        """What to do with each terminal of the dialect ``classic``."""
        return {name: _without_owner(do) if callable(do) else do for name, do in self._table().items()}

    def _table(self) -> dict[str, str | Callable[[str], None]]:
        table: dict[str, str | Callable[[str], None]] = {name: self._fixed(text.strip() or text) for name, text in PYTHON.items()}
        table.update(dict.fromkeys(DATA, self.write))
        table["NUMBER"] = self.number
        table["NUMBER_DOT"] = self._fixed(" .")
        table["CONCAT"] = self._concat
        table["STRING"] = self._string
        for quote in "1236":
            table[f"FSTRING_END_{quote}"] = self._fstring_end
        for keyword in (*SIMPLE_KEYWORDS, "DECORATOR"):
            table[keyword] = self._keyword(PYTHON[keyword].strip())
        for keyword in (*HEADERS, *DEFINITIONS, *CLAUSES):
            table[keyword] = self._keyword(PYTHON[keyword].strip(), compound=True)
        table["ASYNC"] = lambda _: self.pending.append("async")
        table["LINE_SEP"] = self._line_sep
        table["BLOCK_START"] = self._block_start
        table["BLOCK_END"] = self._block_end
        table["COMMENT"] = self._comment
        table["TRAILING_COMMENT"] = self._trailing_comment
        table["HEADER_COMMENT"] = self._header_comment
        table["INNER_COMMENT"] = self._inner_comment
        table["FIELD_VERBATIM"] = lambda text: self.raw(verbatim_text(text))
        return table

    def _fixed(self, text: str) -> Callable[[str], None]:
        return lambda _: self.write(text)

    def _keyword(self, text: str, compound: bool = False) -> Callable[[str], None]:
        def write(_: str) -> None:
            self.starting = True
            for before in self.pending:
                self.write(before)
            self.pending.clear()
            self.write(text)
            self.statement.simple = not compound and text != "@"

        return write

    def _line_sep(self, _: str) -> None:
        self.starting = True

    def _block_start(self, _: str) -> None:
        if not self.colon_written:
            self.write(":")
        self.colon_written = False
        if len(self.blocks) > DEEPEST:
            raise TooDeepError(0, frozenset())
        self.headers.append(self.statement.parts)
        self.blocks.append(_Block(len(self.blocks)))
        self.starting = True

    def _block_end(self, _: str) -> None:
        block = self.blocks.pop()
        header = self.headers.pop()
        header.append(block.write(header[-1] == ":"))  # else a comment ends the line of the header
        self.starting = True

    def _comment(self, text: str) -> None:
        self.starting = True
        self.write(text.rstrip("\n"))
        self.statement.simple = False
        self.starting = True

    def _trailing_comment(self, text: str) -> None:
        self.raw(text.rstrip("\n"))
        self.statement.ends_line = True
        self.starting = True

    def _header_comment(self, text: str) -> None:
        self.write(":")
        self.raw(text.rstrip("\n"))
        self.colon_written = True

    def _inner_comment(self, text: str) -> None:
        body = text[len("<comment>") :].rstrip("\n")
        self.raw(
            ("\n" if body.startswith("\n") and not str(self.statement.parts[-1]).endswith("\t") else "")
            + body.lstrip("\n")
            + "\n"
            + "\t" * len(self.blocks)
        )

    def text(self) -> str:
        """The whole program."""
        out: list[str] = []
        todo: list[object] = [self.blocks[0].write()]
        while todo:
            part = todo.pop()
            if isinstance(part, list):
                todo.extend(reversed(part))
            else:
                out.append(str(part))
        return "".join(out)


def _without_owner(do: Callable[[str], None]) -> Callable[[object, str], None]:
    return lambda _, text: do(text)


def _word(char: str) -> bool:
    return char.isalnum() or char == "_" or char > "\x7f"


def compact(classic: str) -> str:
    """Write a program of the dialect ``classic`` as compact Python.

    >>> compact("<if_stmt>a<and>(b)<block_start>x=1<line_sep>y=-x<block_end>")
    'if a and(b):x=1;y=-x'
    """
    writer = _Compact()
    Parser(load_tables(Dialect.load("classic")), writer.actions(), []).read_all(classic)
    return writer.text()


def decode_compact(python: str, path: str | None) -> str:
    """Lay compact Python out as PEP 8 says."""
    from transpiler.encode import encode_text, syntax_error
    from transpiler.source import read_source

    text = read_source(python, path=path)
    try:
        return Decoder(path=path).decode(encode_text(text, Dialect.load("classic"), path))
    except SimPySyntaxError:  # what tree-sitter-python takes for a program is none: the position must be that of the Python
        raise syntax_error(text, path) from None
