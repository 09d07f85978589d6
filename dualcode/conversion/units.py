"""Units of a program: where a text that a model adds to a program holds a whole statement, block, function, class or program.

The reader of the dialect decides, while the text arrives, so no string, comment or nested unit is taken for an end. What is done with the
end is left to ``until``.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

from simpy_grammar.dialect import Dialect
from simpy_grammar.python_reader import Located, PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.terminals import CLAUSE, COMMENT, DECORATION, ID, PREFIX, STARTS, ids
from transpiler.proof import parse_tree

Unit = Literal["statement", "block", "function", "class", "program"]
UNITS: tuple[Unit, ...] = get_args(Unit)
STATEMENT, BLOCK, FUNCTION, CLASS, PROGRAM = UNITS

_HEADERS = {FUNCTION: ID["DEF"], CLASS: ID["CLASS"]}
_BEGINS, _CLAUSES, _GOES_ON, _COMMENTS = ids(*STARTS), ids(CLAUSE), ids(PREFIX, DECORATION), ids(COMMENT)
_SEPARATOR, _BLOCK_START, _BLOCK_END = ID["LINE_SEP"], ID["BLOCK_START"], ID["BLOCK_END"]
_LAYOUT = frozenset((_SEPARATOR, _BLOCK_START, _BLOCK_END))
_OWN_LINE, _TRAILING = ID["COMMENT"], ID["TRAILING_COMMENT"]
_LAST_BLOCKS = frozenset(ID[name] for name in ("DEF", "CLASS", "WITH", "MATCH", "FINALLY"))  # no clause can follow their blocks
_BETWEEN = " \t\f\n;\\"  # what stands between two statements of Python, comments apart


def check_unit(unit: str | None) -> Unit | None:
    """A unit, or ``None``.

    Raises:
        ValueError: there is no such unit.

    >>> check_unit("block"), check_unit(None)
    ('block', None)
    """
    if unit is None:
        return None
    for known in UNITS:
        if unit == known:
            return known
    raise ValueError(f"until is one of {', '.join(UNITS)}, not {unit!r}")


class _Target(NamedTuple):
    """The unit that is waited for.

    Attributes:
        depth: how many blocks are open inside of it, or beside it if it is a statement; ``None`` where it has not begun.
    """

    depth: int | None


class UnitEnd:
    """Finds where a text that arrives in pieces holds one whole unit.

    A statement, function or class is the innermost one that the program before the text has begun, or else the first one of the text; a
    block is the one in which the program before the text ends. Where that is the program itself, and for a program, the end is where
    a new line of the text cannot go on with the program, such as the end of a fence.

    Args:
        unit: the unit.
        dialect: what the text is written in, and the program before it.
        before: the beginning of the program; empty for none.
        opens_block: ``before`` ends with the header of a block, and leaves to the text that the block begins.

    Attributes:
        at: the offset in the text where the unit ends; ``None`` as long as that is not known.

    >>> end = UnitEnd("statement", Dialect.load("classic"), "<def_stmt>f a<block_start><return>a+")
    >>> end.feed("1<line_"), end.safe, end.feed("sep>b"), end.safe
    (None, 1, 1, 1)
    """

    def __init__(self, unit: Unit, dialect: Dialect, before: str = "", *, opens_block: bool = False) -> None:
        self.at: int | None = None
        self._unit = unit
        self._dialect = dialect
        self._opens_block = opens_block
        python = dialect.is_python
        self._reader = PythonReader(dialect, located=True) if python else SimPyReader(dialect)
        before = before.removeprefix("\ufeff").replace("\r\n", "\n") if python else before
        self._skip = len(before)  # characters of the program before the text
        self._pieces = [before]
        self._length = 0  # of the text as received
        self._returns: list[int] = []  # of each carriage return, which Python's reader does not get: how many other characters come before
        self._blocks: list[int] = []  # what begins each open block: the terminal of its header
        self._lead: int | None = None  # what the current statement begins with
        self._end = 0  # where the last lexeme ends that is written
        self._taken = 0  # characters of SimPy in the lexemes so far
        self._target: _Target | None = None
        self._broken = False
        self._read(before)

    @property
    def safe(self) -> int:
        """Characters at the beginning of the text that the unit holds in any case; all of it where no end will be found."""
        if self.at is not None:
            return self.at
        return self._length if self._broken else self._received(max(0, self._end - self._skip))

    def feed(self, text: str) -> int | None:
        """Read a piece of the text; return ``at``."""
        self._length += len(text)
        if self.at is None and not self._broken:
            self._pieces.append(self._without_returns(text) if self._dialect.is_python else text)
            self._read(self._pieces[-1])
        return self.at

    def _read(self, text: str) -> None:
        reader = self._reader
        fault: int | None = None
        try:
            reader.feed(text)
        except (StuckError, LexError) as error:
            fault = error.offset
        settled = reader.settled()
        terminals, texts = reader.stream.terminals[:settled], reader.stream.texts[:settled]
        for terminal, one, start in zip(terminals, texts, self._starts(texts), strict=True):
            self._take(terminal, one, start)
            if self.at is not None:
                return
        reader.drop(settled)
        if fault is not None:
            self._broken = True
            self._end_program(fault)

    def _starts(self, texts: list[str]) -> list[int]:
        """Where lexemes start; implied ones where what follows them does."""
        if not self._dialect.is_python:  # their texts join to the text
            starts = list(accumulate(map(len, texts), initial=self._taken))
            self._taken = starts.pop()
            return starts
        start = self._reader.position
        return [start := one.start if isinstance(one, Located) else start for one in reversed(texts)][::-1]

    # -------------------------------------------------------------------------------------------------- lexemes

    def _take(self, terminal: int, text: str, start: int) -> None:
        """Read a lexeme that starts at an offset."""
        python = self._dialect.is_python
        end = start + len(_visible(terminal, text) if python else text)
        begins = self._target is None and bool(self._pieces[1:]) and self._begins_text(terminal, start, end)
        if begins:
            self._target = self._choose()
        if not (begins and self._unit == STATEMENT) and self._ends_before(terminal):
            self._finish(start)
            return
        closed = self._move(terminal)
        if text and not (python and terminal in _LAYOUT):
            self._end = max(self._end, end)
        if closed is not None and self._ends_after(closed):
            self._finish(start)

    def _begins_text(self, terminal: int, start: int, end: int) -> bool:
        """Whether a lexeme is the first of the text. Lines and indents of Python say where that is only with what follows."""
        if self._dialect.is_python or self._unit == STATEMENT:
            return terminal not in _LAYOUT and end > self._skip
        return end > self._skip or start >= self._skip

    def _choose(self) -> _Target:
        blocks = self._blocks
        header = _HEADERS.get(self._unit)
        if header is None:
            return _Target(len(blocks) + (self._opens_block and self._unit == BLOCK))
        if self._lead == header:
            return _Target(len(blocks) + 1)
        return _Target(len(blocks) - blocks[::-1].index(header) if header in blocks else None)

    def _move(self, terminal: int) -> int | None:
        """Go on to a lexeme; return what began the block that it closes, if it does."""
        if terminal == _BLOCK_START:
            assert self._lead is not None  # noqa: S101  # the grammar has no block without a header
            self._blocks.append(self._lead)
            self._lead = None
            if self._target is not None and self._target.depth is None and self._blocks[-1] == _HEADERS.get(self._unit):
                self._target = _Target(len(self._blocks))
        elif terminal == _BLOCK_END:
            self._lead = None
            return self._blocks.pop()
        elif terminal in (_SEPARATOR, _OWN_LINE, _TRAILING):
            self._lead = None
        elif terminal in _BEGINS or self._lead is None:
            self._lead = terminal
        return None

    def _ends_before(self, terminal: int) -> bool:
        """Whether the unit has ended, now that this lexeme follows."""
        depth = self._target.depth if self._target is not None else None
        if depth is None or depth != len(self._blocks):
            return False
        if self._unit == STATEMENT:
            if terminal in (_SEPARATOR, _BLOCK_END, _OWN_LINE):
                return True
            begins = terminal in _BEGINS - _CLAUSES or self._lead is None
            return begins and terminal not in (_BLOCK_START, _TRAILING, *_CLAUSES) and self._lead not in _GOES_ON
        if self._unit == PROGRAM or not depth:
            return False
        # The end of a block is a token of SimPy, which belongs to a function or class.
        return terminal == _BLOCK_END and (self._unit == BLOCK or self._dialect.is_python)

    def _ends_after(self, closed: int) -> bool:
        """Whether the unit has ended with the end of a block that began with some terminal."""
        depth = self._target.depth if self._target is not None else None
        if self._unit == STATEMENT:
            return depth == len(self._blocks) and closed in _LAST_BLOCKS
        return self._unit in _HEADERS and depth == len(self._blocks) + 1

    # ------------------------------------------------------------------------------------------------------ ends

    def _finish(self, boundary: int) -> None:
        """Note the end: after the last lexeme, and after what Python has between it and a boundary that is not in the stream."""
        end = self._end
        if self._dialect.is_python:
            end += len(self._whole()[end:boundary].partition("#")[0].rstrip(_BETWEEN))
        self.at = self._received(max(0, end - self._skip))

    def _end_program(self, fault: int) -> None:
        """Note the end of a program whose text cannot go on at an offset, if a new line or too many ends of blocks stand there."""
        if self._target is None or not (self._unit == PROGRAM or (self._unit == BLOCK and not self._target.depth)):
            return
        whole = self._whole()
        end = len(whole[:fault].rstrip(_BETWEEN if self._dialect.is_python else "\n"))
        on_new_line = "\n" in whole[end : fault + 1] or end <= self._skip
        ends_block = whole.startswith(tuple(text for text in self._dialect.spellings.get("BLOCK_END", ()) if text), fault)
        if self._dialect.is_python:
            sound = on_new_line and _is_program(whole[:end])
        else:
            sound = (on_new_line or ends_block) and self._reader.may_end()
        if sound:
            self.at = self._received(max(0, end - self._skip))

    def _whole(self) -> str:
        return "".join(self._pieces)

    def _without_returns(self, text: str) -> str:
        parts = text.split("\r")
        ends = accumulate(map(len, parts[:-1]), initial=self._length - len(text) - len(self._returns))
        self._returns += [*ends][1:]
        return "".join(parts)

    def _received(self, offset: int) -> int:
        """An offset in the text as received, for one in the text without carriage returns."""
        return offset + bisect_left(self._returns, offset)


def _visible(terminal: int, text: str) -> str:
    """The text of a lexeme of Python as the source has it."""
    return text.removeprefix("<comment>").strip("\n") if terminal in _COMMENTS else text


def _is_program(python: str) -> bool:
    try:
        return parse_tree(python) is not None
    except (SyntaxError, ValueError, RecursionError):
        return False
