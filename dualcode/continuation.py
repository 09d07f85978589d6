"""Completions: a prompt of unfinished Python as the model sees it, and what the model adds as Python that joins on to the prompt.

The answer continues the prompt in the middle of a line or block, in the person's own indentation. Asking the model is the
business of ``dualcode.wrapper``.
"""

from __future__ import annotations

from pathlib import Path

from dualcode.notes import Note
from dualcode.own_layout import EndedError, Join, OwnLayout
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from transpiler.partial import partial_parts
from transpiler.source import read_source
from transpiler.trees import parse_tree

BLOCK = "block"


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
        if Join(python).reads(OwnLayout(dialect, python).all(simpy)):
            return True
        if not python.rstrip().endswith(":"):
            return False
        # The end of a header may be settled by what follows only, where the dialect does not say that a block begins.
        join = Join(python)
        return join.take(OwnLayout(dialect, python).all(simpy + dialect.spellings["RETURN"][0])).strip() == "return" and not join.strayed
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
        self._join = Join(prompt.python)
        self._written = False
        self._python: list[str] = []  # the text of a model that writes Python
        self._held = ""  # the last line of it
        self._indent = self._join.last_indent or None if not prompt.python.endswith("\n") else None
        self._raw: list[str] = []
        self._failed = False
        self._blanks = ""  # at the end of what was settled: they wait, since a fault after them takes them away
        self._reader: OwnLayout | None = None
        if prompt.converted:
            self._reader = OwnLayout(prompt.dialect, prompt.python)
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
