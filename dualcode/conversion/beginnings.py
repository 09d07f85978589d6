"""The SimPy of unfinished Python, up to its last character where that is possible.

``encode_beginning`` settles only what no later character can change. A model is to go on where the person stopped, so what is not
settled is spelled here too: by what the text would be if it went on in a way that adds nothing (a blank, a line break, a name), or
if it were completed. What cannot be spelled is left to the model, and ``Join`` sees to it that the answer says it first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from dualcode.conversion.user_layout import REDUNDANT, Join, indent_of, indent_unit, laid_out
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from simpy_grammar.simpy_lexer import SimPyReader
from transpiler import Beginning, completion, encode, encode_beginning

PLACEHOLDER = "simpy_gap"
"""A name that stands for what a text lacks. Texts that hold it are not completed with it."""
_DROPPED = ",;\\"  # what the model may leave out although the text has it
_TRIES = 6  # how many places are looked at, so that the time stays linear in the length of the text
_QUOTE = re.compile(r"[A-Za-z]{0,2}['\"]")
_CLOSED_HEADER = re.compile(r"[)\]}\s]+:\s*")
_NUMBER = re.compile(r"\.?\d[\w.]*[-+]?")
_OUTER = "if 1:\n"  # a header above text that is indented as a whole, which is not Python on its own

NOT_PYTHON = "this is not the beginning of a Python program"
NOT_PROVED = "the beginning of the program does not survive the way to SimPy and back"


class Spelled(NamedTuple):
    """The beginning of a program as SimPy.

    Attributes:
        simpy: what could be spelled; it says the same as the text before ``rest``, commas and the like aside.
        rest: the end of the text that ``simpy`` does not say.
        fault: why the text cannot be used; ``rest`` then begins at or before what is wrong.
    """

    simpy: str
    rest: str = ""
    fault: str = ""


def spell_beginning(text: str, dialect: Dialect) -> Spelled:
    """Spell the beginning of a program, cut off anywhere.

    Raises:
        SimPyError: the text is not text of Python at all.

    >>> classic = Dialect.load("classic")
    >>> spell_beginning("if a:\\n    return b +", classic).simpy, spell_beginning("print('ab", classic).simpy
    ('<if_stmt>a<block_start><return>b+', "print('ab")
    >>> spell_beginning("x = = 1\\ny", classic).fault
    'this is not the beginning of a Python program'
    """
    # A blank settles the last word of most texts, so it is tried first.
    begun = _beginning(text if text[-1:].isspace() else text + " ", dialect)
    if _is_implied(begun.rest, dialect) and not begun.simpy[-1:].isspace() and says_the_same(text, begun.simpy, dialect):
        return Spelled(begun.simpy)
    begun = _beginning(text, dialect)
    if begun.error is not None:
        return Spelled(begun.simpy, begun.rest, NOT_PYTHON)
    if not begun.rest.strip():
        return Spelled(begun.simpy, "", "" if says_the_same(text, begun.simpy, dialect) else NOT_PROVED)
    longer = _by_going_on(text, dialect, "")
    if longer is not None and says_the_same(text, longer, dialect):
        return Spelled(longer)
    whole = _completed(text, dialect)
    if whole is not None and not whole.startswith(begun.simpy):
        return Spelled(begun.simpy, begun.rest, NOT_PROVED)
    for candidate in _by_completion(text, begun, whole, dialect) if whole is not None else ():
        left = _unread(text, candidate, dialect)
        if left is not None and not left.strip(_DROPPED):
            return Spelled(candidate)
    longer = _by_going_on(text, dialect, _DROPPED)
    if longer is not None and says_the_same(text, longer, dialect):
        return Spelled(longer)
    number = begun.rest.strip()
    if _NUMBER.fullmatch(number) and _unread(text, begun.simpy + number, dialect) == "":
        return Spelled(begun.simpy + number)
    proved = says_the_same(text[: len(text) - len(begun.rest)], begun.simpy, dialect)
    return Spelled(begun.simpy, begun.rest, "" if proved else NOT_PROVED)


def _is_implied(rest: str, dialect: Dialect) -> bool:
    """Whether the end of a text says nothing that its SimPy would: blanks, and brackets that the end of a header closes."""
    return not rest.strip() or (dialect.is_open and _CLOSED_HEADER.fullmatch(rest) is not None)


def is_indented(text: str) -> bool:
    """Whether the first line of a text is indented, as where a person shows a part of a block.

    >>> is_indented("\\n    a = 1\\n"), is_indented("a = 1\\n")
    (True, False)
    """
    return bool(indent_of(next((line for line in text.split("\n") if line.strip()), "")))


def _beginning(text: str, dialect: Dialect) -> Beginning:
    """``encode_beginning``, also of text that is indented as a whole."""
    if not is_indented(text):
        return encode_beginning(text, dialect)
    simpy, rest, error = encode_beginning(_OUTER + text, dialect)
    return Beginning(_inner(simpy, dialect), rest[-len(text) :], error)


def lacks(text: str) -> str:
    """``completion``, also of text that is indented as a whole."""
    return completion(_OUTER + text if is_indented(text) else text)


def _completed(text: str, dialect: Dialect) -> str | None:
    """The SimPy of a program that begins with some text and adds as little as possible; ``None`` if there is none."""
    outer = _OUTER if is_indented(text) else ""
    try:
        simpy = encode(outer + text + lacks(text) + "\n", dialect=dialect, verify=False)
    except (SimPyError, RecursionError):
        return None
    return _inner(simpy, dialect) if outer else simpy


def _inner(simpy: str, dialect: Dialect) -> str:
    """What stands in the block of the outer header."""
    header = next(text for text in sorted(dialect.spellings["IF_STMT"], key=len, reverse=True) if simpy.startswith(text))
    body = simpy.removeprefix(header).removeprefix("1")
    start = next((text for text in sorted(dialect.spellings["BLOCK_START"], key=len, reverse=True) if body.startswith(text)), "")
    return body.removeprefix(start)


def _by_going_on(text: str, dialect: Dialect, dropped: str) -> str | None:
    """The SimPy of a text that goes on with something which settles the text and is not settled itself.

    At the end of the text, characters of ``dropped`` may stay unsettled.
    """
    needed = len(text.rstrip().rstrip(dropped + " \t\n"))
    for more in _neutral(text):
        longer = _beginning(text + more, dialect)
        settled = len(text) + len(more) - len(longer.rest)
        if settled < needed or more[: max(settled - len(text), 0)].strip():
            continue
        if longer.simpy[-1:].isspace() and _beginning(text + more[0] + more, dialect).simpy != longer.simpy:
            continue  # blanks are text here, as in the format of a field
        # A comment is settled with the line break that ends it, which the text does not have.
        return longer.simpy.removesuffix("\n") if more == "\n" and not text.endswith("\n") else longer.simpy
    return None


def _neutral(text: str) -> Iterator[str]:
    """How a text may go on without saying more."""
    yield " "
    yield "\n"
    if PLACEHOLDER in text:
        return
    yield f" {PLACEHOLDER}"
    if text.rstrip().endswith(":"):
        last = indent_of(text.rstrip().rpartition("\n")[2])
        yield f"\n{last}{indent_unit(text)}{PLACEHOLDER}"


def _by_completion(text: str, begun: Beginning, whole: str, dialect: Dialect) -> Iterator[str]:
    """Beginnings of a completed program that may be the SimPy of the text."""
    rest = begun.rest.lstrip()
    if whole.startswith(begun.simpy + rest):  # the rest as it stands
        yield begun.simpy + rest
    # SimPy spells literals as Python does, so the beginning may end within a literal that the text leaves open.
    quotes = [match.start() for match in _QUOTE.finditer(rest)]
    for start in quotes[-_TRIES:] + quotes[:-_TRIES][:_TRIES]:
        at = len(whole)
        for _ in range(_TRIES):
            at = whole.rfind(rest[start:], len(begun.simpy), at)
            if at < 0:
                break
            yield whole[: at + len(rest) - start]
            at += len(rest) - start - 1
    longest = _up_to_the_end(text, begun.simpy, whole, dialect)
    if longest is not None:
        yield longest


def _up_to_the_end(text: str, begun: str, whole: str, dialect: Dialect) -> str | None:
    """The beginning of a completed program that says as much of the text as possible, and no more."""
    ends = [len(begun), *_lexeme_ends(begun, whole, dialect)]
    unread = cache(lambda end: _unread(text, whole[:end], dialect))
    too_long = bisect_left(ends, True, key=lambda end: unread(end) is None)
    if not too_long:
        return None
    left = unread(ends[too_long - 1])
    # The first of those that say the same: separators belong to what comes after them.
    return whole[: ends[bisect_left(ends, True, hi=too_long, key=lambda end: unread(end) == left)]]


def _lexeme_ends(begun: str, whole: str, dialect: Dialect) -> list[int]:
    """Offsets at which lexemes of a program end, after its beginning."""
    reader = SimPyReader(dialect)
    reader.feed(whole)
    reader.close()
    return [end for end in accumulate(map(len, reader.stream.texts)) if end > len(begun)]


def _unread(text: str, simpy: str, dialect: Dialect) -> str | None:
    """What a text says beyond a piece of SimPy, blanks aside; ``None`` if the SimPy says anything else."""
    try:
        return Join(text).unread(laid_out(dialect, text, simpy))
    except SimPySyntaxError:
        return None


def says_the_same(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether the beginning of a program says in SimPy what it says in Python.

    The SimPy may leave the last word to what follows, as it does with ``in`` and with the end of a header.

    >>> classic = Dialect.load("classic")
    >>> says_the_same("x = f(1, ", "x=f(1", classic), says_the_same("x = f(1, ", "x=g(1", classic)
    (True, False)
    >>> says_the_same("for i in", "<for_stmt>i ", classic)
    True
    """
    left = _unread(python, simpy, dialect)
    if left is not None and not left.removesuffix(":").strip("".join(REDUNDANT)):
        return True
    return leaves_header_open(python, simpy, dialect) or _follows(python, simpy, PLACEHOLDER, dialect)


def leaves_header_open(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether a text ends with a header whose end the SimPy leaves to what follows, as ``dense`` does before a keyword.

    >>> leaves_header_open("if a:\\n", "<if_stmt>a", Dialect.load("dense"))
    True
    """
    if not python.rstrip().endswith(":"):
        return False
    left = _unread(python, simpy, dialect)
    implied = {*REDUNDANT, *")]}"} if dialect.is_open else REDUNDANT
    return left.strip("".join(implied)) == ":" if left is not None else _follows(python, simpy, dialect.spellings["RETURN"][0], dialect)


def leaves_parenthesis_open(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether a parenthesis is open in a text that SimPy does not have, so that no answer could close it.

    >>> leaves_parenthesis_open("from a import (b", "<import_from_stmt>a b", Dialect.load("classic"))
    True
    """
    join = Join(python)
    left = join.unread(laid_out(dialect, python, simpy)) or ""
    return join.left_open + left.count("(") - left.count(")") > 0


def _follows(python: str, simpy: str, token: str, dialect: Dialect) -> bool:
    """Whether exactly one word comes after the text if this token comes after the SimPy."""
    join = Join(python)
    try:
        added = join.take(laid_out(dialect, python, simpy + token)).strip()
    except SimPySyntaxError:
        return False
    return added.isidentifier() and not join.strayed
