"""One pair of an old and a new text, given back in the person's own bytes: what a tool finds by exact comparison.

The model quotes what it was shown, and ``asked`` says which edit that asks for. Here that edit is written as a pair again: whole
lines of the person's text that stand there once, and what replaces them. Plain replacement with the pair gives exactly what the
edit gives.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dualcode.conversion.tool_calls.asked import AskedEdit, asked_edit, is_same_program
from dualcode.conversion.tool_calls.shown_texts import Pair, ShownText, is_unique
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import EditError, PlaceError, SimPyError

_MOST_EDGES = 8  # ends of words at which a text for several places may begin or end


class Given(NamedTuple):
    """What becomes of a pair.

    Attributes:
        pair: what the tool gets; the pair that was asked for, if it can stay.
        after: the whole text after the edit.
        stays: the pair can stay as received.
    """

    pair: Pair
    after: str
    stays: bool


def give_back_pair(text: ShownText, asked: Pair, dialect: Dialect, *, everywhere: bool = False) -> Given:
    """Give a pair back in the person's bytes.

    Args:
        text: the text in which it stands.
        asked: the pair, as the model quotes and writes it.
        dialect: what the model reads and writes.
        everywhere: each place is meant.

    Raises:
        PlaceError: it stands nowhere, or at several places, which ``candidates`` lists.
        SimPyError: the text would not be a program afterwards, or the edit cannot be written as a pair.

    >>> text = ShownText("def f(a, b):\\n    return a+b  # sum\\n", "def f(a,b):return a+b# sum\\n")
    >>> give_back_pair(text, Pair("return a+b# sum", "return a-b# sum"), Dialect.load("compact")).pair
    Pair(old='    return a+b  # sum', new='    return a-b  # sum')
    """
    plain = _plain(text, asked, everywhere)
    try:
        found = asked_edit(text, asked, dialect, everywhere=everywhere)
    except SimPyError as error:
        if plain is not None and not (isinstance(error, PlaceError) and error.candidates):
            return Given(asked, plain, stays=True)
        raise
    if plain is not None and (plain == found.after or _is_same(text, plain, found.after)):
        return Given(asked, plain, stays=True)
    if found.after == text.python:
        raise EditError("the file says this already")
    pair = _one(text.python, found.after, found.quoted) if not everywhere else _everywhere(text.python, found, asked)
    return Given(pair, found.after, stays=False)


def in_more_of_file(given: Given, text: ShownText, whole: ShownText) -> Given:
    """A pair that was given for a part of a file, as one for more of it, where it would not stand once.

    >>> part, whole = ShownText("b\\nx\\n", ""), ShownText("a\\nx\\nb\\nx\\n", "")
    >>> in_more_of_file(Given(Pair("x", "y"), "b\\ny\\n", False), part, whole).pair
    Pair(old='b\\nx', new='b\\ny')
    """
    if len(whole.python) <= len(text.python) or not is_unique(whole.python, text.python) or is_unique(whole.python, given.pair.old):
        return given
    try:
        return Given(_one(whole.python, whole.python.replace(text.python, given.after), None), given.after, stays=False)
    except EditError:
        return given


def _plain(text: ShownText, asked: Pair, everywhere: bool) -> str | None:
    """What the tool would make of the text with the pair as received; ``None`` if it would refuse."""
    if not asked.old or not (asked.old in text.python if everywhere else is_unique(text.python, asked.old)):
        return None
    return None if _has_part_of_indent(text.python, asked.old) else text.python.replace(*asked)


def _has_part_of_indent(text: str, old: str) -> bool:
    """Whether an indented text stands on a line that is indented by more: then it was not quoted from there, but from shorter code.

    >>> _has_part_of_indent("if a:\\n    b\\n", "  b"), _has_part_of_indent("if a:\\n    b\\n", "    b")
    (True, False)
    """
    return old[0] in " \t" and re.search(rf"(?m)^[ \t]+{re.escape(old)}", text) is not None


def _is_same(text: ShownText, one: str, other: str) -> bool:
    """Whether two texts after an edit say the same, in the enclosure of the text before it."""
    enclosure = text.enclosure
    if enclosure is None or not all(after.startswith(enclosure.above) and after.endswith(enclosure.below) for after in (one, other)):
        return False
    programs = [
        enclosure.prefix + after[len(enclosure.above) : len(after) - len(enclosure.below)] + enclosure.suffix for after in (one, other)
    ]
    return is_same_program(*programs)


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
    mark = before.startswith("\ufeff")  # tools compare without it
    start = max(before.rfind("\n", 0, start) + 1, mark)
    # Both sides end before the same line break; where the change is right at the start of a line, that is the one of this line.
    end = _line_end(before, end)
    above = False
    while True:
        old, new = before[start:end], after[start : end + shift]
        if old.strip() and new.strip() and is_unique(before, old):
            break
        if start <= mark and end == len(before):
            if is_unique(before, old):
                break
            raise EditError("the old text is empty")
        above = (not above or end == len(before)) and start > mark
        if above:
            start = max(before.rfind("\n", 0, start - 1) + 1, mark)
        else:
            end = _line_end(before, end + 1)
    if before.replace(old, new, 1) != after:
        raise EditError("the pair does not give what was asked for")
    return Pair(old, new)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end - (text[end - 1 : end] == "\r" and end > at)


def _everywhere(before: str, found: AskedEdit, asked: Pair) -> Pair:
    """The pair that gives the text that is asked for if it is replaced at each place.

    It has all that was quoted, since the file may have more than was shown.

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
            if "".join(asked.old.split()) in "".join(pair.old.split()) and before.replace(*pair) == found.after:
                return pair
    raise EditError("the places are not laid out alike, and the tool takes one text for all of them")


def _is_edge(text: str, at: int) -> bool:
    """Whether a word begins or ends at an offset."""
    before, after = text[at - 1 : at], text[at : at + 1]
    return not (before.isidentifier() and after.isalnum()) and not (before == after == " ")
