"""One pair of an old and a new text, given back in the person's own bytes: what a tool finds by exact comparison.

The model quotes what it was shown. Where that stands, and what the new text becomes in the person's layout, ``transpiler.edits``
says and proves. Here that edit is put as a pair again: whole lines of the person's text that stand there once, and what replaces
them. Put into the text by plain replacement, the pair gives exactly what the edit gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dualcode.conversion.tool_calls.frames import Frame, framed
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import EditError, PlaceError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.edits import merge
from transpiler.edits.finding import find
from transpiler.edits.proving import tokens_of
from transpiler.patches.python_text import replace_piece
from transpiler.proof import parse_tree, same_tree
from transpiler.views import strip_numbers

_MOST_EDGES = 8
_PATH = "<known>"  # the path of errors; messages do not show it


class Pair(NamedTuple):
    """An old text, and what replaces it at the one place where it stands, or at each."""

    old: str
    new: str


class Given(NamedTuple):
    """What becomes of a pair.

    Attributes:
        pairs: what a tool has to be told, one after the other; those that were asked for, if they can stay.
        after: the whole text after them.
        stays: the pair can stay as received.
    """

    pairs: tuple[Pair, ...]
    after: str
    stays: bool


class Text:
    """A text that the model was shown, as it is now.

    Attributes:
        python: the person's text.
        sent: as the model sees it; empty if that is not known any more.
        path: the file, if it is known.
    """

    def __init__(self, python: str, sent: str, path: str | None = None) -> None:
        self.python = python
        self.sent = sent
        self.path = path
        self._frame: Frame | None = None
        self._is_framed = False

    @property
    def frame(self) -> Frame | None:
        """The text as a program; ``None`` if it cannot be read as one."""
        if not self._is_framed:
            self._frame, self._is_framed = framed(self.python), True
        return self._frame

    def edited(self, given: Given, asked: Pair) -> Text:
        """The text after an edit."""
        sent = self.sent.replace(asked.old, asked.new) if self.sent.count(asked.old) == 1 else ""
        return Text(given.after, sent, self.path)


def give_back(text: Text, asked: Pair, dialect: Dialect, *, everywhere: bool = False) -> Given:
    """Give a pair back in the person's bytes.

    Args:
        text: the text in which it stands.
        asked: the pair, as the model quotes and writes it.
        dialect: what the model reads and writes.
        everywhere: each place is meant.

    Raises:
        PlaceError: it stands nowhere, or at several places, which ``candidates`` lists.
        SimPyError: the text after it would not be a program, or the pair cannot be put as one.

    >>> text = Text("def f(a, b):\\n    return a+b  # sum\\n", "def f(a,b):return a+b# sum\\n")
    >>> give_back(text, Pair("return a+b# sum", "return a-b# sum"), Dialect.load("compact")).pairs
    (Pair(old='    return a+b  # sum', new='    return a-b  # sum'),)
    """
    plain = _plain(text, asked, everywhere)
    try:
        found = _in_sent(text, asked, dialect, everywhere) or _asked(text, asked, dialect, everywhere)
    except SimPyError as error:
        if plain is not None and not (isinstance(error, PlaceError) and error.candidates):
            return Given((asked,), plain, stays=True)
        raise
    if plain is not None and (plain == found.after or _is_same(text, plain, found.after)):
        return Given((asked,), plain, stays=True)
    if found.after == text.python:
        raise EditError("the file says so already")
    pair = _one(text.python, found.after, found.quoted) if not everywhere else _everywhere(text.python, found)
    return Given((pair,), found.after, stays=False)


def is_unique(text: str, old: str) -> bool:
    """Whether something stands in a text exactly once, overlaps counted.

    >>> is_unique("ababa", "aba"), is_unique("ab", "b"), is_unique("ab", "")
    (False, True, False)
    """
    at = text.find(old) if old else -1
    return at >= 0 and text.find(old, at + 1) < 0


def _plain(text: Text, asked: Pair, everywhere: bool) -> str | None:
    """What the tool would make of the text with the pair as received; ``None`` if it would refuse."""
    if not asked.old or not (asked.old in text.python if everywhere else is_unique(text.python, asked.old)):
        return None
    return text.python.replace(asked.old, asked.new)


def _is_same(text: Text, one: str, other: str) -> bool:
    """Whether two texts after an edit say the same, in the frame of the text before it."""
    frame = text.frame
    if frame is None:
        return False
    trees = []
    for after in (one, other):
        if not (after.startswith(frame.above) and after.endswith(frame.below)):
            return False
        program = frame.prefix + after[len(frame.above) : len(after) - len(frame.below)] + frame.suffix
        try:
            trees.append(parse_tree(program))
        except SyntaxError:
            return False
    return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])


class _Found(NamedTuple):
    """An edit that is asked for.

    Attributes:
        after: the whole text after it.
        quoted: the range of the text before it that was quoted; ``None`` if that is not known.
        ranges: the parts that change: start and end before it, and the new text.
    """

    after: str
    quoted: tuple[int, int] | None
    ranges: tuple[tuple[int, int, str], ...]


def _in_sent(text: Text, asked: Pair, dialect: Dialect, everywhere: bool) -> _Found | None:
    """The edit of a pair that stands in what was sent, character for character; ``None`` if it does not.

    Then there is no doubt about what is meant: what was sent, after plain replacement, is the program that is asked for.
    """
    if not asked.old or not (asked.old in text.sent if everywhere else is_unique(text.sent, asked.old)):
        return None
    frame, sent = text.frame, text.sent.replace(asked.old, asked.new)
    if frame is None:
        return None
    before, after = (_program_sent(frame, sent, dialect) for sent in (text.sent, sent))
    if before is None or after is None:
        return None
    try:
        edit = merge(frame.program, after, seen=before, dialect=dialect, path=_PATH)
    except SimPyError:
        return None
    shift = len(frame.above) - len(frame.prefix)
    new = frame.unframed(edit.text)
    if new is None:
        return None
    ranges = tuple((part.start + shift, part.end + shift, part.new) for part in edit.ranges)
    return _Found(new, _quoted(frame, frame.program, asked.old), ranges)


def _program_sent(frame: Frame, sent: str, dialect: Dialect) -> str | None:
    """What was sent as a program, in the same blocks as the person's text; ``None`` if it cannot be read in those."""
    if dialect.is_python:
        sent = strip_numbers(sent, dialect=dialect)
    if not frame.prefix and not frame.above and not frame.suffix and not frame.below:
        return sent
    other = framed(sent) if dialect.is_python else None
    if other is None or other.above or other.below or frame.above or frame.below:
        return None
    return other.program if other.prefix.split() == frame.prefix.split() and bool(other.suffix) == bool(frame.suffix) else None


def _asked(text: Text, asked: Pair, dialect: Dialect, everywhere: bool) -> _Found:
    """The edit that a pair asks for.

    Raises:
        SimPyError: there is none, or more than one is possible.
    """
    frame = text.frame
    if frame is None:
        raise EditError("what was shown of the file cannot be read on its own")
    program = frame.program
    shift = len(frame.above) - len(frame.prefix)
    failed: SimPyError | None = None
    for view, old, new in _readings(asked, dialect):
        try:
            edit = replace_piece(program, old, new, everywhere=everywhere, dialect=view, path=_PATH)
        except SimPyError as error:
            if isinstance(error, PlaceError) and error.candidates:
                raise
            failed = failed or error
            continue
        after = frame.unframed(edit.text)
        if after is None:
            raise EditError("the edit reaches beyond what was shown")
        ranges = tuple((part.start + shift, part.end + shift, part.new) for part in edit.ranges)
        return _Found(after, _quoted(frame, program, old), ranges)
    raise failed or EditError("nothing was quoted")


def _readings(asked: Pair, dialect: Dialect) -> Iterator[tuple[Dialect, str, str]]:
    """What a quote may be in: as it was shown, or as Python that is laid out otherwise."""
    python = Dialect.load(PYTHON)
    is_indented = any(line.startswith("\t") for line in asked.old.split("\n"))
    if not dialect.is_python or (dialect.layout == COMPACT and is_indented):
        yield dialect, asked.old, asked.new
    yield python, asked.old, asked.new


def _quoted(frame: Frame, program: str, old: str) -> tuple[int, int] | None:
    """The range of the whole text that a piece stands for."""
    try:
        tokens = tokens_of(program, None)
        place = find(tokens, old)
    except (SimPyError, LexError):
        return None
    shift = len(frame.above) - len(frame.prefix)
    start, end = tokens.starts[place.start] + shift, tokens.ends[place.end - 1] + shift
    last = len(frame.above) + len(frame.lines)
    return (start, end) if len(frame.above) <= start < end <= last and len(tokens.text) == len(program) else None


def _changed(before: str, after: str) -> tuple[int, int, int]:
    """The range that differs: its start, and its ends in both texts."""
    start, least = 0, min(len(before), len(after))
    while start < least and before[start] == after[start]:
        start += 1
    same = 0
    while same < least - start and before[-1 - same] == after[-1 - same]:
        same += 1
    return start, len(before) - same, len(after) - same


def _one(before: str, after: str, quoted: tuple[int, int] | None) -> Pair:
    """The pair of whole lines, without the last line break, that makes one text of the other.

    Raises:
        EditError: there is none, such as for an empty text.
    """
    start, end, new_end = _changed(before, after)
    if quoted is not None and quoted[0] <= end and start <= quoted[1]:
        start, end, new_end = min(start, quoted[0]), max(end, quoted[1]), new_end + max(quoted[1] - end, 0)
    shift = new_end - end
    start = before.rfind("\n", 0, start) + 1
    # Both sides end before the same line break; where the change is right at the start of a line, that is the one of this line.
    end = _line_end(before, end)
    above = False
    while True:
        old, new = before[start:end], after[start : end + shift]
        if old.strip() and new.strip() and is_unique(before, old):
            break
        if start == 0 and end == len(before):
            if is_unique(before, old):
                break
            raise EditError("the old text is empty")
        above = (not above or end == len(before)) and start > 0
        if above:
            start = before.rfind("\n", 0, start - 1) + 1
        else:
            end = _line_end(before, end + 1)
    if before.replace(old, new, 1) != after:
        raise EditError("the pair does not give what was asked for")
    return Pair(old, new)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end - (text[end - 1 : end] == "\r" and end > at)


def _everywhere(before: str, found: _Found) -> Pair:
    """The pair that gives the text that is asked for if it is replaced at each place.

    Raises:
        EditError: the places differ, in layout or in what stands there.
    """
    start, end, new = found.ranges[0]
    line, line_end = before.rfind("\n", 0, start) + 1, _line_end(before, end)
    lefts = [at for at in range(start, line - 1, -1) if at == start or _is_edge(before, at)]
    rights = [at for at in range(end, line_end + 1) if at == end or _is_edge(before, at)]
    for left in lefts[:_MOST_EDGES]:
        for right in rights[:_MOST_EDGES]:
            pair = Pair(before[left:right], before[left:start] + new + before[end:right])
            if pair.old.strip() and before.replace(*pair) == found.after:
                return pair
    raise EditError("the places are not laid out alike, and the tool takes one text for all of them")


def _is_edge(text: str, at: int) -> bool:
    """Whether a word begins or ends at an offset."""
    before, after = text[at - 1 : at], text[at : at + 1]
    return not (before.isidentifier() and after.isalnum()) and not (before == after == " ")
