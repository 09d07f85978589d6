"""A text that the model was shown, in both forms, and a pair of an old and a new text, as a tool gets it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dualcode.conversion.tool_calls.enclosures import Enclosure, enclosure_of
from simpy_grammar.dialect import Dialect
from transpiler.views import strip_numbers

NO_PATH = "<known>"
"""The path in errors about texts whose file need not be known; notes do not show it."""


class Pair(NamedTuple):
    """An old text, and what replaces it at the one place where it stands, or at each."""

    old: str
    new: str


class ShownText:
    """A text that the model was shown, as it is now.

    Attributes:
        python: the person's text.
        sent: the text as the model sees it; empty if that is no longer known.
        path: the file, if it is known.
        shown: the text of the conversation that edits should have made it of; it may be this one.
    """

    def __init__(self, python: str, sent: str, path: str | None = None, *, shown: ShownText | None = None) -> None:
        self.python = python
        self.sent = sent
        self.path = path
        self.shown = self if shown is None else shown
        self._enclosure: Enclosure | None = None
        self._is_enclosed = False

    @property
    def enclosure(self) -> Enclosure | None:
        """The text as a program; ``None`` if it cannot be read as one."""
        if not self._is_enclosed:
            self._enclosure, self._is_enclosed = enclosure_of(self.python), True
        return self._enclosure

    @property
    def is_shown(self) -> bool:
        """Whether it stands in the conversation."""
        return self.shown is self

    def holds(self, quote: str, dialect: Dialect) -> bool:
        """Whether a quote stands in it to the letter, as the person has it or as the model sees it.

        >>> ShownText("x = 1\\n", "x=1\\n").holds("x=1", Dialect.load("compact"))
        True
        """
        asked = Pair(quote, quote)
        return quote in self.python or any(True for _ in sent_after(self.sent, asked, dialect, everywhere=True))

    def edited(self, after: str, asked: Pair, dialect: Dialect) -> ShownText:
        """The text after an edit: the person's, and what the model takes it for."""
        return self.changed(after, next((after for _, after in sent_after(self.sent, asked, dialect)), ""))

    def changed(self, python: str, sent: str = "", path: str | None = None) -> ShownText:
        """What an edit has made of it, and the file, if the edit tells it."""
        return ShownText(python, sent, path or self.path, shown=self.shown)


def is_unique(text: str, old: str) -> bool:
    """Whether something stands in a text exactly once, overlaps counted.

    >>> is_unique("ababa", "aba"), is_unique("ab", "b"), is_unique("ab", "")
    (False, True, False)
    """
    at = text.find(old) if old else -1
    return at >= 0 and text.find(old, at + 1) < 0


def places_of(text: str, quote: str) -> list[int]:
    """The offsets at which a quote stands in a text, not beginning or ending inside a word.

    >>> places_of("a = 1; ba = a", "a")
    [0, 12]
    """
    if not quote:
        return []
    found = []
    at = text.find(quote)
    while at >= 0:
        edges = (text[at - 1 : at] + quote[0], quote[-1] + text[at + len(quote) : at + len(quote) + 1])
        if not any(len(edge) == 2 and f"a{edge[0]}".isidentifier() and f"a{edge[1]}".isidentifier() for edge in edges):
            found.append(at)
        at = text.find(quote, at + 1)
    return found


def sent_after(sent: str, asked: Pair, dialect: Dialect, *, everywhere: bool = False) -> Iterator[tuple[str, str]]:
    """What was sent, before and after a pair is replaced: with the line numbers of a view, and without them if that is another text.

    >>> list(sent_after("1:def f():pass\\n", Pair("def f():pass", "def g():pass"), Dialect.load("compact")))[0]
    ('1:def f():pass\\n', '1:def g():pass\\n')
    """
    if dialect.is_python and sent and not sent.endswith("\n"):
        sent += "\n"  # a quote of the last line may have its line break
    readings = [(sent, asked)]
    if dialect.is_python:
        bare = Pair(strip_numbers(asked.old, dialect=dialect), strip_numbers(asked.new, dialect=dialect))
        readings.append((strip_numbers(sent, dialect=dialect), bare))
    for text, pair in dict.fromkeys(readings):
        if pair.old and (pair.old in text if everywhere else is_unique(text, pair.old)):
            yield text, text.replace(*pair)
