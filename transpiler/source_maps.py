"""Which offset of a Python text and which of a SimPy text belong together: both hold the same lexemes in the same order."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.lexeme import Lexeme
from transpiler.conversion import lexemes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SourceMap(NamedTuple):
    """Pairs of offsets, in order.

    Attributes:
        python: character offsets into the Python text.
        simpy: the character offsets into the SimPy text that belong to them.
        python_lengths: characters of the lexemes that start there, in the Python text.
        simpy_lengths: the same in the SimPy text; another number for a word that SimPy spells otherwise, and a name with an alias.
    """

    python: tuple[int, ...]
    simpy: tuple[int, ...]
    python_lengths: tuple[int, ...]
    simpy_lengths: tuple[int, ...]

    def to_simpy(self, offset: int) -> int:
        """The SimPy offset for a Python offset."""
        return _mapped(offset, self.python, self.python_lengths, self.simpy, self.simpy_lengths)

    def to_python(self, offset: int) -> int:
        """The Python offset for a SimPy offset."""
        return _mapped(offset, self.simpy, self.simpy_lengths, self.python, self.python_lengths)


def _mapped(offset: int, starts: tuple[int, ...], lengths: tuple[int, ...], others: tuple[int, ...], other_lengths: tuple[int, ...]) -> int:
    i = bisect_right(starts, offset) - 1
    if i < 0:
        return 0
    # Past the end of its lexeme an offset belongs to what follows the lexeme in the other text.
    within = offset - starts[i]
    return others[i] + (other_lengths[i] if within >= lengths[i] else min(within, other_lengths[i]))


def source_map(python: str, simpy: str, *, dialect: str | Path | Dialect = "classic") -> SourceMap:
    """Map a Python text and the SimPy text that it encodes to, or was decoded from, onto each other.

    Raises:
        SimPySyntaxError, PythonSyntaxError: one of the texts is not a program.

    >>> source_map("x = foo\\n", "x=foo").to_python(2)
    4
    """
    both = paired_lexemes(python, simpy, dialect=dialect)
    pairs = [(ours.start, theirs.start, len(ours.text), len(theirs.text)) for ours, theirs in both if _is_anchor(ours) and theirs.text]
    starts, others, lengths, other_lengths = zip(*pairs, strict=True) if pairs else ((), (), (), ())
    return SourceMap(starts, others, lengths, other_lengths)


def paired_lexemes(python: str, simpy: str, *, dialect: str | Path | Dialect = "classic") -> Iterator[tuple[Lexeme, Lexeme]]:
    """The lexemes of a Python text, each beside the lexeme of the SimPy text that it is.

    Both texts hold the same lexemes in the same order, except where the dialect is a layout of Python: it may leave out parentheses,
    which then have no partner.

    Raises:
        SimPySyntaxError, PythonSyntaxError: one of the texts is not a program.

    >>> [(ours.text, theirs.text) for ours, theirs in paired_lexemes("x = (a, b)", "x=a,b", dialect="compact")]
    [('x', 'x'), ('=', '='), ('a', 'a'), (',', ','), ('b', 'b')]
    """
    ours, theirs = lexemes(python, dialect=PYTHON, implied=True), lexemes(simpy, dialect=dialect, implied=True)
    i = j = 0
    while i < len(ours) and j < len(theirs):
        one, other = ours[i], theirs[j]
        same = one.terminal == other.terminal or one.text == other.text != ""
        if same or not (one.text in _PARENTHESES or other.text in _PARENTHESES):
            yield one, other
            i, j = i + 1, j + 1
        elif one.text in _PARENTHESES:
            i += 1
        else:
            j += 1


_PARENTHESES = frozenset("()")


def _is_anchor(lexeme: Lexeme) -> bool:
    """Whether both texts spell a lexeme, so that its offsets belong together: data that is spelled alike, and words."""
    return lexeme.text[:1].isalnum() or (lexeme.is_data and not lexeme.text.startswith("<")) or lexeme.text[:1] == "_"
