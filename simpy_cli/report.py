"""What a person reads on standard error: errors, notes, the progress bar and the closing summary; and how results go to
standard output. The subcommands decide which results there are."""

from __future__ import annotations

import os
import sys
import time

from simpy_grammar.errors import SimPyError, visible

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_RED, _CYAN, _BOLD, _GREEN = "31;1", "36", "1", "32"


def paint(text: str, code: str, stream: TextIO) -> str:
    """``text`` in a colour where ``stream`` is a terminal and nobody asked for none.

    >>> import io
    >>> paint("x", "31", io.StringIO())
    'x'
    """
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty()
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def paint_error(text: str, stream: TextIO) -> str:
    """An error message with its first words and its hint in colour."""
    head, found, rest = text.partition(" error: ")
    if not found:
        return text
    body, hinted, hint = rest.partition("\nhint: ")
    text = f"{paint(head, _BOLD, stream)} {paint('error:', _RED, stream)} {body}"
    return f"{text}\n{paint('hint:', _CYAN, stream)} {hint}" if hinted else text


def paint_diff(text: str, stream: TextIO) -> str:
    """A unified diff with its lines in the usual colours."""
    codes = {"+++": _BOLD, "---": _BOLD, "@@ ": _CYAN}

    def line_code(line: str) -> str | None:
        return codes.get(line[:3]) or {"+": _GREEN, "-": "31"}.get(line[:1])

    lines = ((line, line_code(line)) for line in text.splitlines(keepends=True))
    return "".join(paint(line.rstrip("\n"), code, stream) + "\n" if code else line for line, code in lines)


def print_error(error: SimPyError) -> None:
    """Print one error."""
    print(paint_error(str(error), sys.stderr), file=sys.stderr)


def print_data(data: bytes, text: str) -> None:
    """Write a product to standard output: the bytes that a file would hold, or, on a terminal, text that ends its line and shows
    what would act on the terminal."""
    stdout = sys.stdout
    buffer = getattr(stdout, "buffer", None)
    if stdout.isatty() or buffer is None:
        text = visible(text, in_line=False) if stdout.isatty() else text
        stdout.write(text if text.endswith("\n") or buffer is None else text + "\n")
        return
    stdout.flush()
    buffer.write(data)
    buffer.flush()


def print_diff(text: str) -> None:
    """Write a unified diff to standard output, on a terminal in the usual colours and with what would act on it shown."""
    stdout = sys.stdout
    if stdout.isatty():
        stdout.write(paint_diff(visible(text, in_line=False), stdout))
    else:
        print_data(text.encode("utf-8", "surrogateescape"), text)


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "file"), count(1204, "file")
    ('1 file', '1,204 files')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the columns aligned.

    >>> print(columns([("dialect", "tokens"), ("dense", "12")]))
    dialect  tokens
    dense    12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


class Report:
    """The messages of one run.

    Args:
        quiet: print errors only.
        verbose: print a line for each file.
        total: how many files the progress bar counts to; 0 for no bar. There is none outside a terminal.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, total: int = 0) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.errors = 0
        self._total = 0 if quiet or verbose or not sys.stderr.isatty() else total
        self._done = 0
        self._drawn = 0.0  # when the bar was last drawn; 0 if none stands on the screen

    def error(self, error: SimPyError) -> None:
        """Print an error, and count it."""
        self.errors += 1
        self._clear()
        print_error(error)

    def note(self, text: str) -> None:
        """Print a line unless the run is quiet."""
        if not self.quiet:
            self._clear()
            print(visible(text), file=sys.stderr)

    def detail(self, text: str) -> None:
        """Print a line if the run is verbose."""
        if self.verbose:
            self.note(text)

    def step(self) -> None:
        """Count one file as done."""
        self._done += 1
        now = time.monotonic()
        if self._total and (self._done == self._total or now - self._drawn > 0.1):
            width = 30
            filled = width * self._done // self._total
            line = f"[{'#' * filled}{'.' * (width - filled)}] {self._done:,}/{self._total:,}"
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
            self._drawn = now

    def finish(self, summary: str) -> None:
        """Take the bar away and print the closing line."""
        self.note(summary)

    def before_output(self) -> None:
        """Take the bar away before standard output prints over it."""
        self._clear()

    def _clear(self) -> None:
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = 0.0
