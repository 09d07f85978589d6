"""Which Python a program needs at least: one table of syntax, asked with the lexemes of the program."""

from __future__ import annotations

import sys
from collections.abc import Callable

from simpy_grammar.terminals import CLOSE, OPEN, TERMINALS, Version, named

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_grammar.stream import Stream

RUNNING: Version = sys.version_info[:2]
_STARTS = frozenset(f"{raw}FSTRING_START_{quote}" for raw in ("", "RAW_") for quote in "1236")
_ENDS = frozenset(f"FSTRING_END_{quote}" for quote in "1236")
_OPENING, _CLOSING = frozenset((*named(OPEN), "FIELD_START")), frozenset(named(CLOSE))
_HAS_TYPE_PARAMETERS = frozenset(("DEF", "CLASS", "TYPE_ALIAS"))
_OPERANDS = frozenset(("NAME", ")", "]", "}", "STRING", *_ENDS))


class _Place:
    """A lexeme and what is open around it.

    Attributes:
        names: the terminals of the program up to it.
        text: its text.
        opened: for each open bracket, the terminal before it and its own.
        quotes: the quotes of each open string with fields.
        open_quotes: how many strings with fields are open, by their quotes.
        fields: how many fields are open.
        formats: how many formats of fields are open.
        header: the word of the clause whose block is to come, if it is an ``except``.
        stars: for each open bracket, whether it begins with a star.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.text = ""
        self.opened: list[tuple[str, str]] = []
        self.quotes: list[str] = []
        self.open_quotes = dict.fromkeys(("'", '"', "'''", '"""'), 0)
        self.fields = 0
        self.formats = 0
        self.header = ""
        self.stars: list[bool] = []

    def before(self, count: int) -> str:
        """The terminal some lexemes before this one."""
        return self.names[-1 - count] if len(self.names) > count else ""

    def step(self, name: str, text: str) -> None:
        """Go on to the next lexeme."""
        self.names.append(name)
        self.text = text
        if name in ("EXCEPT", "EXCEPT_GROUP", "BLOCK_START"):
            self.header = name
        if name in _STARTS:
            self.quotes.append(text.lstrip("rRfFtT"))
            self.open_quotes[self.quotes[-1]] += 1
        elif name in _ENDS:
            self.open_quotes[self.quotes.pop()] -= 1
        elif name in _OPENING:
            self.opened.append((self.before(1), name))
            self.fields += name == "FIELD_START"
            self.stars.append(False)
        elif name in _CLOSING and self.opened:
            opener = self.opened.pop()[1]
            self.formats -= opener == "FORMAT"
            self.fields -= opener in ("FORMAT", "FIELD_START")
            self.stars.pop()
        elif name == "FORMAT_COLON" and self.opened:
            self.opened[-1] = (self.opened[-1][0], "FORMAT")
            self.formats += 1
        elif name in ("SPLAT", "DOUBLE_SPLAT") and self.stars and self.before(1) in _OPENING:
            self.stars[-1] = True


def _in_index(place: _Place) -> bool:
    return bool(place.opened) and place.opened[-1][1] == "[" and place.opened[-1][0] in _OPERANDS


def _once_unknown_in_fields(place: _Place) -> bool:
    """What fields could not hold before: their string's quotes, a backslash, a comment, formats in formats in formats."""
    if place.formats > 1 and place.names[-1] == "FIELD_START":
        return True
    name = place.names[-1]
    if not place.fields or name.startswith(("FSTRING_TEXT", "RAW_FSTRING_TEXT", "FORMAT")) or name in _ENDS:
        return False
    text = place.text.replace("<debug\\", "<debug") if name == "FIELD_VERBATIM" else place.text
    own = place.quotes[-1:] if name in _STARTS else []
    outer = [quote for quote, count in place.open_quotes.items() if count > (quote in own)]
    quoted = any(quote in text for quote in outer)
    return name == "INNER_COMMENT" or quoted or "\\" in text or ("\n" in text and any(len(quote) == 1 for quote in outer))


# What a lexeme and what is open around it need -> the first Python that reads it.
_SYNTAX: tuple[tuple[Callable[[_Place], bool], Version], ...] = (
    (lambda place: place.names[-1] in _STARTS and "t" in place.text.lower(), (3, 14)),
    (lambda place: place.names[-1] == "[" and place.before(2) in _HAS_TYPE_PARAMETERS, (3, 12)),
    (lambda place: place.names[-1] == "SPLAT" and place.before(1) in ("[", "INDEX_SEP") and _in_index(place), (3, 11)),
    (lambda place: place.names[-1] in ("COMPREHENSION_FOR", "COMPREHENSION_ASYNC") and bool(place.stars) and place.stars[-1], (3, 15)),
    (_once_unknown_in_fields, (3, 12)),
    (lambda place: place.names[-1] == "EXCEPT_SEP", (3, 14)),
    (lambda place: place.names[-1] == "COMMA" and place.header in ("EXCEPT", "EXCEPT_GROUP") and not place.opened, (3, 14)),
    (lambda place: place.names[-1] == "POSITIVE" and place.before(1) in ("CASE", "PATTERN_SEP"), (3, 15)),
)


def needed_version(stream: Stream) -> Version:
    """The lowest version that has all the syntax of a program.

    >>> from simpy_grammar.stream import Stream
    >>> stream = Stream()
    >>> stream.append("TYPE_ALIAS", "type")
    >>> needed_version(stream)
    (3, 12)
    """
    place = _Place()
    needed: Version = (3, 0)
    for terminal, text in zip(stream.terminals, stream.texts, strict=True):
        place.step(TERMINALS[terminal].name, text)
        needed = max(needed, TERMINALS[terminal].since or needed)
        for fits, version in _SYNTAX:
            if version > needed and fits(place):
                needed = version
    return needed
