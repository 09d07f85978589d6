"""Tokens written as Python again, with no care for its looks: the canonical layout comes afterwards."""

from __future__ import annotations

from typing import NamedTuple

from transpiler.edits.tokens import CLOSING, COMMENT, DEDENT, INDENT, INNER_COMMENT, LAYOUT, NEWLINE, OPENING, Tokens


class Rows(NamedTuple):
    """Tokens without their new lines; instead, each says whether it begins a row.

    Attributes:
        keys, texts: the tokens.
        begins: whether each begins a row.
        at: their indices among all tokens ...
        place: ... and the other way round.
    """

    keys: list[str]
    texts: list[str]
    begins: list[bool]
    at: list[int]
    place: dict[int, int]


def rows_of(tokens: Tokens) -> Rows:
    """The tokens of a text without its new lines."""
    rows = Rows([], [], [], [], {})
    for i, key in enumerate(tokens.keys):
        if key != NEWLINE:
            rows.keys.append(key)
            rows.texts.append(tokens.text[tokens.starts[i] : tokens.ends[i]])
            rows.begins.append(tokens.begins[i])
            rows.place[i] = len(rows.at)
            rows.at.append(i)
    return rows


def written(tokens: Tokens, start: int, end: int) -> str:
    """Some tokens as Python, with no care for their looks."""
    rows, writer = rows_of(tokens), Writer()
    for i, at in enumerate(rows.at):
        if start <= at < end:
            writer.write(rows, i)
    return writer.text().rstrip("\n")


class Writer:
    """Writes tokens as Python, with no care for its looks."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._depth = 0
        self._brackets = 0
        self._row = 0  # where the current row begins

    def write(self, rows: Rows, i: int, *, begins: bool | None = None) -> None:
        """Add a token. It begins a row if it did so where it comes from, or if ``begins`` says so."""
        key, text = rows.keys[i], rows.texts[i]
        out = self._out
        if key in LAYOUT:
            self.layout(key)
            return
        if key == INNER_COMMENT and not self._brackets:
            out.insert(self._row, f"\n{' ' * self._depth}{text}")  # its bracket is gone: it goes above the row
            self._row += 1
            return
        if rows.begins[i] if begins is None else begins:
            self._brackets, self._row = 0, len(out)
            out.append(f"\n{' ' * self._depth}")
        elif out:
            out.append("  " if key == COMMENT else " ")
        out.append(text)
        self._brackets += (key in OPENING) - (key in CLOSING)
        if key == INNER_COMMENT:
            out.append(f"\n{' ' * self._depth}")

    def add(self, text: str) -> None:
        """Add a sign."""
        self._out.append(f" {text}")
        self._brackets += (text in OPENING) - (text in CLOSING)

    def layout(self, key: str) -> None:
        """Begin or end a block."""
        out = self._out
        if key == INDENT:
            self._depth += 1
            comment = out.pop() if out and out[-1].startswith("#") else ""  # at the end of the header
            out.append(f": {comment}" if comment else ":")
        elif key == DEDENT:
            self._depth -= 1

    def text(self) -> str:
        """The program."""
        return "".join(self._out).lstrip("\n") + "\n"
