"""Completions: a prompt of unfinished Python as the model sees it, and what the model adds as Python that joins on to the prompt.

The answer continues the prompt in the middle of a line or block, in the person's own indentation. Asking the model is the
business of ``dualcode.wrapper``.
"""

from __future__ import annotations

import re
from pathlib import Path

from dualcode.notes import Note
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from simpy_grammar.parser import Parser
from simpy_grammar.tables import load_tables
from transpiler import Decoder
from transpiler.layout import ACTIONS, INDENT, Layout
from transpiler.partial import partial_parts
from transpiler.source import read_source
from transpiler.trees import parse_tree

BLOCK = "block"
_REDUNDANT = frozenset(",;\\()")  # what Python text may hold more often than the laid out program
_INDENTED = re.compile(r":[ \t]*(?:#[^\n]*)?\n(?:[ \t]*\n)*([ \t]*)\S")


class Prompt:
    """A completion prompt.

    Attributes:
        python: as the person wrote it.
        sent: as the model sees it: the dialect's, or the Python itself where that cannot be converted.
        converted: whether it was.
        notes: why not.

    >>> Prompt("def f(a):\\n    return a +", "classic").sent
    '<def_stmt>f a<block_start><return>a+'
    """

    def __init__(self, python: str, dialect: str | Path | Dialect) -> None:
        self.python = python
        self.dialect = Dialect.load(dialect)
        self.sent = python
        self.converted = False
        self.notes: tuple[Note, ...] = ()
        if self.dialect.is_python or not python.strip():
            self.converted = not self.dialect.is_python
            self.sent = python if self.dialect.is_python else ""
            return
        try:
            text = read_source(python)
            simpy, rest = partial_parts(text, self.dialect)
        except (SimPyError, RecursionError) as error:
            self._refuse(getattr(error, "line", None) or 1, getattr(error, "message", "nests too deep"))
            return
        if rest.strip():
            self._refuse(text[: len(text) - len(rest)].count("\n") + 1, "this is no beginning of a Python program")
        elif not survives(python, simpy, self.dialect):
            self._refuse(1, "the beginning of the program does not survive the way to SimPy and back")
        else:
            self.sent, self.converted = simpy, True

    def _refuse(self, line: int, reason: str) -> None:
        self.notes = (Note(line, reason),)


def survives(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether the beginning of a program says in SimPy what it says in Python.

    >>> survives("x = f(1, ", "x=f(1", Dialect.load("classic")), survives("x = f(1, ", "x=g(1", Dialect.load("classic"))
    (True, False)
    """
    try:
        if _Join(python).reads(_Reader(dialect, python).all(simpy)):
            return True
        if not python.rstrip().endswith(":"):
            return False
        # The end of a header may be settled by what follows only, where the dialect does not say that a block begins.
        join = _Join(python)
        return join.take(_Reader(dialect, python).all(simpy + dialect.spellings["RETURN"][0])).strip() == "return" and not join.strayed
    except SimPySyntaxError:
        return False


class Continuation:
    """What a model adds to a prompt, as what it adds to the Python.

    The parts that ``feed`` and ``close`` return join to the same text however the model's text is cut.

    Args:
        prompt: the prompt.
        until: ``"block"`` to end with the block in which the prompt ends, or nothing to go on as long as the model does.

    Attributes:
        ended: the code that was asked for is complete; the rest of the model's text is not wanted.
        notes: what could not be converted.

    >>> answer = Continuation(Prompt("def f(a):\\n  if a:\\n    return a +", "classic"))
    >>> answer.feed("1<block_end><ret") + answer.feed("urn>0<block_end>") + answer.close()
    ' 1\\n  return 0\\n'
    """

    def __init__(self, prompt: Prompt, *, until: str | None = None) -> None:
        if until not in (None, BLOCK):
            raise ValueError(f"until is {BLOCK!r} or None, not {until!r}")
        self.ended = False
        self.notes: tuple[Note, ...] = ()
        self._prompt = prompt
        self._until = until
        self._join = _Join(prompt.python)
        self._written = False
        self._python: list[str] = []  # the text of a model that writes Python
        self._held = ""  # the last line of it
        self._indent = self._join.last_indent or None if not prompt.python.endswith("\n") else None
        self._raw: list[str] = []
        self._failed = False
        self._blanks = ""  # at the end of what was settled: they wait, since a fault after them takes them away
        self._reader: _Reader | None = None
        if prompt.converted:
            self._reader = _Reader(prompt.dialect, prompt.python)
            self._give(self._reader.feed(prompt.sent))
            self._reader.layout.floor = self._reader.layout.depth if until else 0

    def feed(self, text: str) -> str:
        """Read more of the model's text; return the Python that it settles."""
        if self.ended:
            return ""
        if self._reader is None:
            return self._feed_python(text)
        if self._failed:
            return text
        self._raw.append(text)
        try:
            settled = self._blanks + self._give(self._reader.feed(text))
            given = settled.rstrip(" ")
            self._blanks = settled[len(given) :]
            return given
        except EndedError:
            return self._end()
        except SimPySyntaxError as error:
            return self._fail(error)

    def close(self) -> str:
        """Read the end of the model's text; return the rest of the Python."""
        if self.ended or self._failed:
            return ""
        if self._reader is None:
            held, self._held = self._held, ""
            return held
        try:
            return self._blanks + self._give(self._reader.close())
        except EndedError:
            return self._end()
        except SimPySyntaxError as error:
            return self._fail(error)

    def _give(self, python: str) -> str:
        strayed = self._join.strayed
        text = self._join.take(python)
        if self._join.strayed and not strayed:
            self.notes += (Note(1, "the answer does not go on with the last line of the prompt"),)
        self._written = self._written or bool(text)
        return text

    def _end(self) -> str:
        assert self._reader is not None  # noqa: S101  # only a reader ends
        self.ended = True
        text = self._give(self._reader.held())
        text = self._blanks + text if text else text
        return text if not self._written or text.endswith("\n") else text + "\n"

    def _fail(self, error: SimPySyntaxError) -> str:
        """Give what was understood and the rest as it came; a text that merely stops is no fault."""
        assert self._reader is not None  # noqa: S101  # only a reader fails
        self._failed = True
        raw = "".join(self._raw)
        at = max(self._reader.read - len(self._prompt.sent), 0)
        text = self._give(self._reader.layout.break_off().rstrip(" "))
        text = self._blanks + text if text else text
        if at < len(raw):
            self.notes += (Note(raw[:at].count("\n") + 1, error.message, at > 0),)
        return text + raw[at:]

    def _feed_python(self, text: str) -> str:
        """Pass Python on, line by line where its end is looked for."""
        if self._until is None:
            return text
        self._held += text
        out = ""
        while not self.ended and "\n" in self._held:
            line, _, rest = self._held.partition("\n")
            if self._leaves(line):
                break
            out += line + "\n"
            self._python.append(line + "\n")
            self._held = rest
        if self._leaves(self._held) and self._held.strip():
            self.ended = True
        return out

    def _leaves(self, line: str) -> bool:
        """Whether a line stands outside of the block in which the prompt ends."""
        if not self._python and not self._prompt.python.endswith("\n"):
            return False  # it continues the last line of the prompt
        body = line.lstrip(" \t")
        if self._indent is None:  # the first line of the answer says how deep the block is
            first = next((text for text in self._python if text.strip()), line)
            self._indent = first[: len(first) - len(first.lstrip(" \t"))] if first.strip() else None
        indent = self._indent or ""
        if not body or body.startswith("#") or len(line) - len(body) >= len(indent) or not indent:
            return False
        try:
            return parse_tree(self._prompt.python + "".join(self._python)) is not None
        except SyntaxError:
            return False


class EndedError(Exception):
    """The block in which the prompt ends has been closed."""


class _Break(str):
    """A line break with its indent, which strings of the program are not."""

    __slots__ = ()


class _Layout(Layout):
    """A layout in the indentation of some text."""

    def __init__(self, out: list[str], text: str) -> None:
        super().__init__(out)
        first = next((line for line in text.split("\n") if line.strip()), "")
        self.base = first[: len(first) - len(first.lstrip(" \t"))]
        self.unit = _unit(text)
        self.floor = 0  # the depth below which the text asked for has ended

    def _break(self, blank_lines: int = 0) -> None:
        super()._break(blank_lines)
        self.out[self.break_at] = _Break(self.out[self.break_at])

    def _start_definition(self) -> None:
        at = self.comments_at if self.comments_end == len(self.out) - 1 else -1
        super()._start_definition()
        if at >= 0:
            self.out[at] = _Break(self.out[at])

    def block_end(self, text: str) -> None:
        """A block closes, unless it is one that the text asked for began in."""
        if self.depth <= self.floor:
            raise EndedError
        super().block_end(text)

    def take(self) -> str:
        if self.base or self.unit != INDENT:
            for at, piece in enumerate(self.out):
                if isinstance(piece, _Break) and piece:
                    lines = piece.rstrip(" ")
                    self.out[at] = lines + self.base + self.unit * ((len(piece) - len(lines)) // len(INDENT))
        return super().take()


class _Reader(Decoder):
    """A decoder that lays out as some text does, and gives what it still held when it failed."""

    def __init__(self, dialect: Dialect, text: str) -> None:
        super().__init__(dialect=dialect)
        self._out = []
        self.layout = _Layout(self._out, text)
        self._layout = self.layout
        self._parser = Parser(load_tables(dialect), ACTIONS, self._out, self.layout)

    @property
    def read(self) -> int:
        """Offset of the first character that has not been understood."""
        return self._parser.position

    def held(self) -> str:
        """The Python that was understood and not yet settled."""
        text = self._layout.take() + "".join(self._out)
        self._out.clear()
        return text

    def all(self, simpy: str) -> str:
        """Everything that the beginning of a program tells, what is not settled too."""
        text = self.feed(simpy)
        return text + self.held() + self._parser.buffer


class _Join:
    """Finds where the text of a prompt ends in the laid out program, and joins what follows."""

    def __init__(self, prompt: str) -> None:
        self._tail = prompt[len(prompt.rstrip()) :]
        self._wanted = "".join(prompt.removeprefix("\ufeff").split())
        self._at = 0
        self._space: str | None = None  # what stands between prompt and answer, until the answer begins
        self._begun = False
        self.strayed = False  # the program goes on otherwise than the prompt
        self.last_indent = self._tail.rpartition("\n")[2] if "\n" in self._tail else _last_indent(prompt)

    def reads(self, python: str) -> bool:
        """Whether the prompt is what this program says."""
        rest = self._skip(python)
        # What opens a block may be left to the model, which says it with the first statement.
        return not self.strayed and not rest.strip() and not self._wanted[self._at :].removesuffix(":").strip("".join(_REDUNDANT))

    def take(self, python: str) -> str:
        """What of the program comes after the prompt."""
        if self._begun:
            return python
        if self._space is None:
            rest = self._skip(python)
            if self.strayed:
                self._begun = True
                return rest
            if self._at < len(self._wanted):
                return ""
            self._space, python = "", rest
        body = python.lstrip(" \n\t")
        self._space += python[: len(python) - len(body)]
        if not body:
            return ""
        self._begun = True
        return self._joint(self._space) + body

    def _skip(self, python: str) -> str:
        """Match the program with the prompt, blanks aside; return what is left of the program."""
        wanted, at = self._wanted, self._at
        for i, char in enumerate(python):
            if at == len(wanted):
                self._at = at
                return python[i:]
            if char.isspace():
                continue
            while at < len(wanted) and wanted[at] != char and wanted[at] in _REDUNDANT:
                at += 1
            if at == len(wanted):
                self._at = at
                return ("\n" if wanted[-1] == ";" else "") + python[i:]
            if wanted[at] != char:
                self._at, self.strayed = at, True
                return python[i:]
            at += 1
        self._at = at
        return ""

    def _joint(self, space: str) -> str:
        """The blanks between prompt and answer that the prompt does not end with already."""
        tail = self._tail
        if not self._wanted:
            return ""
        if "\n" not in space:
            return space.removeprefix(tail) if space.startswith(tail) else ""
        if "\n" not in tail:
            return space
        have, indent = tail.rpartition("\n")[2], space.rpartition("\n")[2]
        if not indent.startswith(have):
            return "\n" + indent
        missing = 0 if have else max(space.count("\n") - tail.count("\n"), 0)
        return "\n" * missing + indent[len(have) :]


def _unit(text: str) -> str:
    """How a text indents by one level."""
    for match in _INDENTED.finditer(text):
        header = text.rfind("\n", 0, match.start()) + 1
        outer = text[header : len(text) - len(text[header:].lstrip(" \t"))]
        if len(match[1]) > len(outer) and match[1].startswith(outer):
            return match[1][len(outer) :]
    return INDENT


def _last_indent(text: str) -> str:
    line = text.rpartition("\n")[2]
    return line[: len(line) - len(line.lstrip(" \t"))]
