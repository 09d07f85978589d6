"""Which ids of a program in Python and of the same program in SimPy belong together: both have the same lexemes in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simpy_grammar.dialect import PYTHON
from simpy_grammar.lexeme import Lexeme
from tokenizer_ext.codec import Codec
from tokenizer_ext.plain_codec import PlainCodec
from transpiler.conversion import lexemes

Span = tuple[int, int]


class Pair(NamedTuple):
    """An id of the Python text and an id of the SimPy text, by their places among the ids."""

    python: int
    simpy: int


class AlignedIds(NamedTuple):
    """A program as the ids of both texts.

    Attributes:
        python: ids of the Python text.
        simpy: ids of the SimPy text.
        ends: both ids end the same lexeme, which both texts spell.
        alike: a model has read the same with both ids, and the same id comes next.
    """

    python: list[int]
    simpy: list[int]
    ends: list[Pair]
    alike: list[Pair]


def align(python: str, simpy: str, python_codec: PlainCodec, codec: Codec) -> AlignedIds:
    """Align the ids of a program.

    ``alike`` leaves out what only Python spells: after the comma of ``f(x, y)`` a model of Python knows of another argument, and a model of
    SimPy learns of it with the next id.

    Args:
        python: the program.
        simpy: the same program in the dialect of ``codec``.
        python_codec: of the tokenizer, for Python.
        codec: of the tokenizer, for the dialect.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> ranks = {bytes([i]): i for i in range(256)}
    >>> tokenizer = extend(tiktoken.Encoding("bytes", pat_str=r"[^<]+|<", mergeable_ranks=ranks, special_tokens={}))
    >>> found = align("return f(x, y)\\n", "<return>f(x y)", PlainCodec(tokenizer), Codec(tokenizer))
    >>> [(pair.python, pair.simpy) for pair in found.ends]  # return f ( x y )
    [(5, 0), (7, 1), (8, 2), (9, 3), (12, 5), (13, 6)]
    >>> [(pair.python, pair.simpy) for pair in found.alike]  # f ( x )
    [(6, 0), (7, 1), (8, 2), (12, 5)]
    """
    ours = _Ids(python, list(lexemes(python, dialect=PYTHON, implied=True)), python_codec.encode(python), python_codec.spans(python))
    theirs = _Ids(simpy, list(lexemes(simpy, dialect=codec.dialect, implied=True)), codec.encode(simpy), codec.spans(simpy))
    if [one.terminal for one in ours.lexemes] != [one.terminal for one in theirs.lexemes]:
        raise ValueError("the two texts are different programs")
    ends = [Pair(ours.last[number], theirs.last[number]) for number in sorted(ours.last.keys() & theirs.last.keys())]
    both = sorted(ours.first.keys() & theirs.first.keys())
    firsts = [
        Pair(ours.first[number], theirs.first[number])
        for number in both
        if number and not (ours.spells(number - 1) and not theirs.spells(number - 1))
    ]
    alike = [Pair(one - 1, other - 1) for one, other in firsts if ours.ids[one] == theirs.ids[other]]
    return AlignedIds(ours.ids, theirs.ids, ends, alike)


class _Ids:
    """The ids of a text, and which of them begin and end its lexemes; blanks around a lexeme do not count.

    Attributes:
        first: number of a lexeme -> the place of the id that begins it.
        last: number of a lexeme -> the place of the id that ends it.
    """

    def __init__(self, text: str, found: Sequence[Lexeme], ids: list[int], spans: Sequence[Span]) -> None:
        self.lexemes = found
        self.ids = ids
        begins: dict[int, int] = {}
        ends: dict[int, int] = {}
        for place, span in enumerate(spans):
            begin, end = _without_blanks(text, *span)
            if begin < end:
                begins.setdefault(begin, place)
                ends[end] = place
        shown = {number: _without_blanks(text, one.start, one.end) for number, one in enumerate(found) if self.spells(number)}
        self.first = {number: begins[begin] for number, (begin, _) in shown.items() if begin in begins}
        self.last = {number: ends[end] for number, (_, end) in shown.items() if end in ends}

    def spells(self, number: int) -> bool:
        """Whether more than blanks stands for a lexeme."""
        return bool(self.lexemes[number].text.strip())


def _without_blanks(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
