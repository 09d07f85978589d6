"""The edit of the person's text that a pair asks for, found and proved by ``transpiler.edits``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dualcode.conversion.tool_calls.enclosures import Enclosure, enclosure_of
from dualcode.conversion.tool_calls.shown_texts import NO_PATH, Pair, ShownText, places_of, sent_after
from simpy_grammar.candidates import Candidate
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import EditError, PlaceError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.edits import Edit, merge
from transpiler.edits.finding import find
from transpiler.edits.proving import comments_of, tokens_of
from transpiler.edits.tokens import Tokens
from transpiler.patches.python_text import replace_piece
from transpiler.proof import parse_tree, same_tree
from transpiler.views import strip_numbers


class AskedEdit(NamedTuple):
    """An edit that is asked for.

    Attributes:
        program: the text after it, in its enclosure.
        after: the whole text after it.
        quoted: the range of the text before the edit that was quoted; ``None`` if that is not known.
        ranges: the parts that change: start and end before the edit, and the new text.
    """

    program: str
    after: str
    quoted: tuple[int, int] | None
    ranges: tuple[tuple[int, int, str], ...]


def asked_edit(text: ShownText, asked: Pair, dialect: Dialect, *, everywhere: bool = False) -> AskedEdit:
    """The edit that a pair asks for.

    A pair that stands in what was sent, character for character, leaves no doubt: plain replacement in what was sent gives the
    program that is asked for. The edit of the piece is taken if it gives that program, since it touches least and is fast.
    Otherwise the program is merged.

    Args:
        text: the text in which the pair stands.
        asked: the pair, as the model quotes and writes it.
        dialect: what the model reads and writes.
        everywhere: each place is meant.

    Raises:
        SimPyError: there is no such edit, or more than one is possible.

    >>> text = ShownText("a = f(1)\\nb = f(1)  # two\\n", "a=f(1)\\nb=f(1)# two\\n")
    >>> asked_edit(text, Pair("=f(1)#", "=f(2)#"), Dialect.load("compact")).after
    'a = f(1)\\nb = f(2)  # two\\n'
    """
    enclosure = text.enclosure
    if enclosure is None:
        raise EditError("what was shown of the file cannot be read on its own")
    _check_left_out(enclosure, asked.old)
    programs = list(_programs(enclosure, text, asked, dialect, everywhere))
    found: AskedEdit | None = None
    failed: SimPyError | None = None
    try:
        found = _of_piece(enclosure, asked, dialect, everywhere)
    except SimPyError as error:
        failed = error
    if found is not None and not programs and not everywhere:
        _check_other_places(text, found, asked.old)
    if found is not None and (not programs or any(dialect.is_python and is_same_program(found.program, after) for _, after in programs)):
        return found
    for before, after in programs:
        try:
            return _of_edit(enclosure, merge(enclosure.program, after, seen=before, dialect=dialect, path=NO_PATH), asked.old)
        except SimPyError as error:
            failed = failed or error
    raise failed or EditError("what stands there for the model is not what stands in the file")


def is_same_program(one: str, other: str) -> bool:
    """Whether two texts are programs with one tree and the same comments in order.

    >>> is_same_program("x=1", "x = 1\\n"), is_same_program("x=1", "x = 1  # one\\n"), is_same_program("x=", "x=")
    (True, False, False)
    """
    try:
        trees = parse_tree(one), parse_tree(other)
        comments = [comments_of(Tokens(text)) for text in (one, other)]
    except (SyntaxError, LexError):
        return False
    return trees[0] is not None and trees[1] is not None and comments[0] == comments[1] and bool(same_tree(trees[0], trees[1]))


def _check_left_out(enclosure: Enclosure, old: str) -> None:
    """Refuse a quote that may stand in lines that cannot be read, at the ends of what was shown.

    Raises:
        PlaceError: it may.
    """
    said = "".join(old.split())
    if said and any(said in "".join(part.split()) for part in (enclosure.above, enclosure.below)):
        ends = Candidate(None, "", "the first or last lines that were shown")
        raise PlaceError.among([ends], "the piece may stand where what was shown begins or ends inside a statement")


def _check_other_places(text: ShownText, found: AskedEdit, old: str) -> None:
    """Refuse a quote that stands elsewhere to the letter, such as in a comment or a docstring.

    Raises:
        PlaceError: it does.
    """
    start, end = found.quoted or (found.ranges[0][0], found.ranges[-1][1]) if found.ranges else (0, 0)
    said = old.strip()
    elsewhere = [at for at in places_of(text.python, said) if at + len(said) <= start or end <= at]
    if elsewhere or len(places_of(text.sent, said)) > 1:
        candidates = [Candidate(None, "", text) for text in ("a piece of the program", "a text in it")]
        raise PlaceError.among(candidates, "the quote stands at several places of what was shown")


def _programs(enclosure: Enclosure, text: ShownText, asked: Pair, dialect: Dialect, everywhere: bool) -> Iterator[tuple[str, str]]:
    """What was sent as a program, before and after a pair that stands in it.

    If the second is not a program, the new lines of the pair have another indentation than the program. Then the piece tells what is meant.
    """
    for sent in sent_after(text.sent, asked, dialect, everywhere=everywhere):
        before, after = (_program_sent(enclosure, one, dialect) for one in sent)
        if before is not None and after is not None and (not dialect.is_python or is_same_program(after, after)):
            yield before, after


def _program_sent(enclosure: Enclosure, sent: str, dialect: Dialect) -> str | None:
    """What was sent as a program, in the same blocks as the person's text; ``None`` if it cannot be read in those."""
    if dialect.is_python:
        sent = strip_numbers(sent, dialect=dialect)
    if enclosure.is_whole:
        return sent.removeprefix("\ufeff")
    other = enclosure_of(sent) if dialect.is_python and not enclosure.above and not enclosure.below else None
    if other is None or other.above or other.below:
        return None
    return other.program if other.prefix.split() == enclosure.prefix.split() and bool(other.suffix) == bool(enclosure.suffix) else None


def _of_piece(enclosure: Enclosure, asked: Pair, dialect: Dialect, everywhere: bool) -> AskedEdit:
    """The edit of the piece that a pair quotes, wherever the program has it.

    Raises:
        SimPyError: there is none, or more than one is possible.
    """
    failed: SimPyError | None = None
    for view, old, new in _readings(asked, dialect):
        try:
            return _of_edit(enclosure, replace_piece(enclosure.program, old, new, everywhere=everywhere, dialect=view, path=NO_PATH), old)
        except PlaceError as error:
            if error.candidates:
                raise
            failed = failed or error
        except LexError as error:
            failed = failed or EditError(f"the quoted code cannot be read: {error}")
        except SimPyError as error:
            failed = failed or error
    raise failed or EditError("nothing was quoted")


def _readings(asked: Pair, dialect: Dialect) -> Iterator[tuple[Dialect, str, str]]:
    """The dialects that a quote may be in: the one that was shown, or Python."""
    yield dialect, asked.old, asked.new
    if not dialect.is_python:
        yield Dialect.load(PYTHON), asked.old, asked.new


def _of_edit(enclosure: Enclosure, edit: Edit, old: str) -> AskedEdit:
    """An edit of a program as one of the whole text.

    Raises:
        EditError: it changes the enclosure.
    """
    after = enclosure.without_enclosure(edit.text)
    if after is None:
        raise EditError("the edit reaches beyond what was shown")
    shift = len(enclosure.above) - len(enclosure.prefix)
    ranges = tuple((part.start + shift, part.end + shift, part.new) for part in edit.ranges)
    return AskedEdit(edit.text, after, _quoted(enclosure, old), ranges)


def _quoted(enclosure: Enclosure, old: str) -> tuple[int, int] | None:
    """The range of the whole text that a piece stands for."""
    try:
        tokens = tokens_of(enclosure.program, None)
        place = find(tokens, old)
    except (SimPyError, LexError):
        return None
    shift = len(enclosure.above) - len(enclosure.prefix)
    start, end = tokens.starts[place.start] + shift, tokens.ends[place.end - 1] + shift
    last = len(enclosure.above) + len(enclosure.lines)
    return (start, end) if len(enclosure.above) <= start < end <= last and len(tokens.text) == len(enclosure.program) else None
