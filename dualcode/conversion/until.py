"""Answers that end where they hold one whole unit of a program. What a unit is, and where it ends, is decided by ``units``.

The field knows this as preventing excess tokens (CodeFast: Guo et al., "When to Stop? Towards Efficient Code Generation in LLMs with
Excess Token Prevention", ISSTA 2024), which trains a classifier to tell. Here the grammar tells, so nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable

from dualcode.conversion.fenced_code import FencedCode
from dualcode.conversion.fences import Fence
from dualcode.conversion.outcomes import Note
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.streams import TextStream
from dualcode.conversion.units import PROGRAM, Unit, UnitEnd
from simpy_grammar.dialect import PYTHON, Dialect

UNTIL = "until"


class CompletionEnd:
    """Finds where what a model adds to a prompt holds a unit.

    Args:
        unit: the unit.
        prompt: the prompt.

    Attributes:
        at: the offset of the end in the text; ``None`` as long as it is not known.
        safe: characters of the text that are wanted in any case.
        closing: what is to follow the text up to ``at``.
    """

    closing = ""

    def __init__(self, unit: Unit, prompt: Prompt) -> None:
        dialect = prompt.dialect if prompt.converted else Dialect.load(PYTHON)
        self._end = UnitEnd(unit, dialect, prompt.sent, opens_block=prompt.opens_block)

    @property
    def at(self) -> int | None:  # noqa: D102  # in the docstring of the class
        return self._end.at

    @property
    def safe(self) -> int:  # noqa: D102  # in the docstring of the class
        return self._end.safe

    def feed(self, text: str) -> None:
        """Read a piece of the text."""
        self._end.feed(text)


class ReplyEnd:
    """Finds where the reply of a chat holds a unit in one of its blocks of code, or with ``"program"`` where the first block ends.

    Args:
        unit: the unit.
        dialect: what the model writes in blocks of code.
        begun: a beginning of the reply that the request held.

    Attributes:
        at: the offset of the end in the reply; ``None`` as long as it is not known.
        safe: characters of the reply that are wanted in any case.
        closing: what is to follow the reply up to ``at``: the end of the fence.

    >>> end = ReplyEnd("function", Dialect.load("classic"))
    >>> end.feed("So:\\n```py\\n<def_stmt>f<block_start><pass><block_end>x=1\\n```\\nThat")
    >>> end.at, end.closing
    (51, '\\n```\\n')
    """

    def __init__(self, unit: Unit, dialect: Dialect, begun: str = "") -> None:
        self.at: int | None = None
        self.closing = ""
        self._unit = unit
        self._dialect = dialect
        self._code = FencedCode()
        self._end: UnitEnd | None = None  # of the block that is open
        self._starts: list[tuple[int, int]] = []  # offsets of its pieces in its code and in the reply
        self._size = 0  # of its code
        self._length = 0
        before = "".join(piece.text or "" for piece in self._code.feed(begun) if piece.fence is self._code.fence)
        self._skip = len(begun)
        if self._code.fence is not None and before:
            self._end = UnitEnd(unit, dialect, before)

    @property
    def safe(self) -> int:  # noqa: D102  # in the docstring of the class
        if self.at is not None:
            return self.at
        if self._end is None or self._code.fence is None or self._end.safe == self._size:
            return self._length
        return self._place(self._end.safe)

    def feed(self, text: str) -> None:
        """Read a piece of the reply."""
        for piece in self._code.feed(text) if self.at is None else ():
            if piece.text is None:
                self._end = None
                self._starts.clear()
                self._size = 0
                if self._unit == PROGRAM:
                    self.at = piece.start - self._skip
                    return
                continue
            if self._end is None:
                self._end = UnitEnd(self._unit, self._dialect)
            self._starts.append((self._size, piece.start - self._skip))
            self._size += len(piece.text)
            at = self._end.feed(piece.text)
            if at is not None:
                self.at, self.closing = self._place(at), closing_line(piece.fence)
                return
        self._length += len(text)

    def _place(self, offset: int) -> int:
        """An offset in the reply, for one in the code of the block that is open."""
        at = next((start for start in reversed(self._starts) if start[0] < offset), self._starts[0])
        return at[1] + offset - at[0]


def closing_line(fence: Fence) -> str:
    """What ends a block after its code."""
    return f"{fence.eol}{fence.indent}{fence.char * fence.length}{fence.eol}"


class IsWhole:
    """Whether the beginning of an answer holds a unit: a pure function, whose memory makes it fast for answers that grow.

    Args:
        begin: makes what finds the end in an answer.

    >>> whole = IsWhole(lambda: CompletionEnd("statement", Prompt("x = ", "classic")))
    >>> whole("1"), whole("1<line_sep>y"), whole("1+")
    (False, True, False)
    """

    def __init__(self, begin: Callable[[], CompletionEnd | ReplyEnd]) -> None:
        self._begin = begin
        self._end = begin()
        self._text = ""

    def __call__(self, text: str) -> bool:
        """Whether a text holds the unit."""
        return self.end(text) is not None

    def end(self, text: str) -> int | None:
        """The offset in a text where the unit ends; ``None`` if the text does not hold it."""
        if not text.startswith(self._text):
            self._end, self._text = self._begin(), ""
        self._end.feed(text[len(self._text) :])
        self._text = text
        return self._end.at


class Until:
    """An answer that ends where it holds a unit: what follows in the model's text is not read.

    Args:
        stream: what converts the answer.
        end: finds the end.
        ends_line: a text that was cut ends with a line break.

    Attributes:
        ended: ``"until"`` once the unit is whole, or why the answer has ended otherwise.

    >>> from dualcode.conversion.completion import CompletionStream
    >>> prompt = Prompt("def f(a):\\n  if a:\\n    return a +", "classic")
    >>> answer = Until(CompletionStream(prompt), CompletionEnd("function", prompt))
    >>> answer.feed("1<block_end><ret") + answer.feed("urn>0<block_end><def_stmt>g"), answer.ended
    (' 1\\n  return 0\\n', 'until')
    """

    def __init__(self, stream: TextStream, end: CompletionEnd | ReplyEnd, *, ends_line: bool = True) -> None:
        self._stream = stream
        self._end = end
        self._ends_line = ends_line
        self._held = ""
        self._read = 0  # characters that the stream has been given
        self._last = ""  # the last character that was given
        self._ended = ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be converted so far."""
        return self._stream.notes

    @property
    def ended(self) -> str:
        """Why the rest of the model's text is not wanted; empty if it is."""
        return self._ended or self._stream.ended

    def feed(self, text: str) -> str:
        """Read a piece; return what it settles."""
        if self.ended:
            return ""
        self._end.feed(text)
        self._held += text
        wanted, self._held = self._held[: self._end.safe - self._read], self._held[self._end.safe - self._read :]
        self._read += len(wanted)
        out = self._given(self._stream.feed(wanted)) if wanted else ""
        if self._end.at is None:
            return out
        self._held = ""
        self._ended = self._stream.ended or UNTIL
        if closing := self._end.closing:
            out += self._given(self._stream.feed(closing))
        out += self._given(self._stream.close())
        return out + ("\n" if self._ends_line and self._last not in ("", "\n") else "")

    def close(self) -> str:
        """Read the end; return the rest."""
        if self._ended:
            return ""
        held, self._held = self._held, ""
        return (self._stream.feed(held) if held else "") + self._stream.close()

    def _given(self, text: str) -> str:
        self._last = text[-1:] or self._last
        return text
