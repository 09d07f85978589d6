"""Fill-in-the-middle: both sides of a gap in Python as the model sees them, and what it fills in as Python that joins both.

The two sides are read as one program, so a suffix need not be a program: it may begin in the middle of a line or a block, and break
off anywhere. How the answer goes on from the prefix is decided by ``completion``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dualcode.conversion.beginnings import PLACEHOLDER, lacks, spell_beginning
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.joining import says_the_same_program
from dualcode.conversion.outcomes import Note
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.user_layout import REDUNDANT, Join, indent_of, indent_unit, laid_out, user_decoder
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from transpiler import completion, encode
from transpiler.proof import parse_tree, same_tree
from transpiler.source import read_source

_BODY = completion("if a")  # what a header lacks


class Gap:
    """A prefix and a suffix.

    Attributes:
        prompt: the prefix.
        suffix: the text after the gap, as the person wrote it.
        sent: the same as the model sees it: what follows in the dialect, or the Python itself where that cannot be converted.
        converted: whether the suffix was converted.
        notes: what was not converted, and why.

    >>> gap = Gap("def f(a):\\n    if a:\\n        b()\\n", "    return a\\n", "classic")
    >>> gap.prompt.sent, gap.sent
    ('<def_stmt>f a<block_start><if_stmt>a<block_start>b()', '<block_end><return>a<block_end>')
    """

    def __init__(self, prefix: str, suffix: str, dialect: str | Path | Dialect) -> None:
        self.prompt = Prompt(prefix, dialect)
        self.suffix = self.sent = suffix
        self.converted = False
        self.notes = self.prompt.notes
        if not self.prompt.converted or not suffix:
            return
        sent = self._convert()
        if sent is None and suffix.strip():
            self.notes += (Note(1, "the suffix does not go on with the prefix"),)
        elif sent is not None:
            self.sent, self.converted = sent, True

    def _convert(self) -> str | None:
        prompt = self.prompt
        for filler in self._fillers():
            whole = _whole(prompt.python + filler + self.suffix, prompt.dialect)
            if whole is None or not whole.startswith(prompt.sent):
                continue
            rest = whole[len(prompt.sent) :]
            if not filler:
                return rest
            if PLACEHOLDER in filler:
                if rest.count(PLACEHOLDER) == 1:
                    return rest.partition(PLACEHOLDER)[2]
                continue
            begun = Prompt(prompt.python + filler, prompt.dialect)
            if begun.converted and whole.startswith(begun.sent):
                return whole[len(begun.sent) :]
        return None

    def _fillers(self) -> Iterator[str]:
        """What may stand in the gap while both sides are read: nothing, an operand, a statement, or what the prefix lacks."""
        python, at_break = self.prompt.python, self.suffix.startswith("\n")
        if PLACEHOLDER in python + self.suffix:
            return
        # Which brackets an open dialect leaves out depends on whether an operand stands before them, and mostly one will.
        closes = self.prompt.dialect.is_open and self.suffix.lstrip()[:1] in tuple(")]}")
        yield from (PLACEHOLDER, "") if closes else ("", PLACEHOLDER)
        if python.endswith("\n"):
            indent = indent_of(python.rstrip().rpartition("\n")[2])
            for deeper in (indent, indent + indent_unit(python)):
                yield deeper + PLACEHOLDER + ("" if at_break else "\n")
        if at_break:
            lacking = lacks(python)
            if lacking.endswith(_BODY):
                yield lacking.removesuffix(_BODY) + ":"  # the suffix is the body
            if lacking:
                yield lacking

    def filled(self, answer: str) -> str | None:
        """What the model's answer fills into the Python; ``None`` where the three parts are not the beginning of a program.

        >>> Gap("x = [1,", " 3]\\n", "classic").filled(" 2")
        ' 2,'
        """
        prompt = self.prompt
        python = _decoded(prompt, prompt.sent + answer + self.sent)
        if python is None:
            return None
        body = Join(prompt.python).take(python)
        end = _start_of(self.suffix, body)
        if end is None:
            return None
        text = body[:end].rstrip()
        space = body[len(text) : end]
        lead = self.suffix[: len(self.suffix) - len(self.suffix.lstrip())]
        joints = [_joint(space, lead, self.suffix), space.removesuffix(lead)]
        return text + next((joint for joint in joints if _same(prompt.python + text + joint + self.suffix, python)), joints[0])

    def fits(self, answer: str) -> bool:
        """Whether the model's answer fills the gap: prefix, answer and suffix are the same program in Python and in the dialect.

        >>> gap = Gap("x = f(a, ", " c)\\n", "classic")
        >>> gap.fits(" b"), gap.fits(""), gap.fits("b"), gap.fits(" b)")
        (True, True, False, False)
        """
        prompt = self.prompt
        filled = self.filled(answer)
        simpy = prompt.sent + answer + self.sent
        return filled is not None and says_the_same_program(prompt.python + filled + self.suffix, simpy, prompt.dialect)


class InfillStream:
    """Converts what a model fills into a gap to what it fills into the Python.

    Attributes:
        ended: empty, since an answer is wanted to its end.

    >>> filling = InfillStream(Gap("x = f(a,", " c)\\n", "classic"))
    >>> filling.feed(" b"), filling.close()
    ('', ' b,')
    """

    ended = ""

    def __init__(self, gap: Gap) -> None:
        self._gap = gap
        self._inner = CompletionStream(gap.prompt)
        self._raw: list[str] = []
        self._given = ""
        self._held = ""  # blanks that may stand before the suffix already

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be converted."""
        return self._inner.notes

    @notes.setter
    def notes(self, notes: tuple[Note, ...]) -> None:
        self._inner.notes = notes

    def feed(self, text: str) -> str:
        """Read more of the model's text; return the Python that it settles."""
        self._raw.append(text)
        python = self._inner.feed(text)
        if not self._gap.prompt.converted or self.notes:
            held, self._held = self._held, ""
            return held + python
        python = self._held + python
        given = python.rstrip()
        self._held = python[len(given) :]
        self._given += given
        return given

    def close(self) -> str:
        """Read the end of the model's text; return the rest of the Python."""
        failed = bool(self.notes)
        filled = self._gap.filled("".join(self._raw)) if self._gap.converted and not failed else None
        rest = self._held + self._inner.close()
        if filled is not None and filled.startswith(self._given):
            self._inner.notes = ()  # an answer that is unfinished without the suffix is not a fault
            return filled[len(self._given) :]
        if self._gap.prompt.converted and not failed and self._gap.prompt.python.rpartition("\n")[2].strip():
            rest = rest.rstrip("\n")  # the suffix goes on with the line
        return rest


def _whole(python: str, dialect: Dialect) -> str | None:
    """A program, or one that breaks off."""
    try:
        return encode(python, dialect=dialect, verify=False)
    except (SimPyError, RecursionError):
        pass
    try:
        simpy, rest, fault = spell_beginning(read_source(python), dialect)
    except (SimPyError, RecursionError):
        return None
    return None if rest or fault else simpy


def _decoded(prompt: Prompt, simpy: str) -> str | None:
    """The Python of a program, or of one that breaks off, laid out as the prompt is."""
    decoder = user_decoder(prompt.dialect, prompt.python)
    try:
        return decoder.feed(simpy) + decoder.close()
    except SimPySyntaxError:
        pass
    try:
        return laid_out(prompt.dialect, prompt.python, simpy)
    except SimPySyntaxError:
        return None


def _start_of(suffix: str, python: str) -> int | None:
    """Where a laid out program begins with what a suffix says, found from the end."""
    wanted = "".join(suffix.split())
    left, at = len(wanted), len(python)
    while left:
        while at and python[at - 1].isspace():
            at -= 1
        if at and python[at - 1] == wanted[left - 1]:
            at -= 1
        elif wanted[left - 1] not in REDUNDANT:
            return None
        left -= 1
    return at


def _joint(space: str, lead: str, suffix: str) -> str:
    """The blanks between an answer and the suffix that the suffix, which begins with ``lead``, lacks; both are code."""
    if "\n" not in space:
        return "" if lead else space
    if "\n" in lead or suffix.lstrip().startswith(";"):
        return ""
    breaks, indent = space[: space.rindex("\n") + 1], space[space.rindex("\n") + 1 :]
    return breaks + indent.removesuffix(lead)


def _same(one: str, other: str) -> bool:
    try:
        trees = parse_tree(one), parse_tree(other)
    except SyntaxError:
        return False
    return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])
