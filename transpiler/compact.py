"""The dialect ``compact``: Python with little layout, for models that know no new tokens.

Blanks stand only around words, where they cost hardly any tokens, and at the start of lines: one for each level. Simple statements share
a line with ``;``, and a block of them shares the line of its header. What is kept of PEP 8 is a ``Style``. This is a layout of
the same lexemes as ``transpiler.pep8``, but one that does not stream: only the end of a block settles whether the block shares
its header's line. Which parentheses are left out is decided in ``transpiler.parentheses``. Reading the result is reading Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import (
    COMMENT,
    COMPOUND,
    DECORATION,
    ID,
    LAYOUT,
    PREFIX,
    SIMPLE,
    SPACE_RULE,
    STARTS,
    TERMINALS,
    ids,
    named,
    table,
)
from transpiler.compact_style import STYLE, Style
from transpiler.nesting import DEEPEST, TooDeepError
from transpiler.parentheses import redundant_parentheses
from transpiler.pep8 import verbatim_text

Place = list["str | None"]
"""What is written for each terminal id in some place: a text, ``""`` for the lexeme's own, ``None`` if a handler writes it."""


def compact_layout(stream: Stream, base: str = "", style: Style = STYLE) -> str:
    """Lay a program out as compact Python, without a line break at its end.

    Args:
        stream: the program.
        base: what every line begins with.
        style: what is kept of PEP 8.

    Raises:
        TooDeepError: blocks nest deeper than Python reads.

    >>> from simpy_grammar.stream import Stream
    >>> stream = Stream()
    >>> for terminal, text in [("NAME", "x"), ("ASSIGN", "="), ("NOT", "not "), ("(", "("), ("NAME", "y"), (")", ")")]:
    ...     stream.append(terminal, text)
    >>> compact_layout(stream), compact_layout(stream, style=Style())
    ('x=not y', 'x=not y')
    """
    terminals = stream.terminals
    redundant = redundant_parentheses(stream)
    if redundant:
        terminals = list(terminals)
        for i in redundant:
            terminals[i] = _NOTHING
    places = _places(style)
    layout = _Compact(terminals, base, places)
    append = layout.out.append
    after, handlers = places.after, _HANDLERS
    place = places.start
    for terminal, text in zip(terminals, stream.texts, strict=True):
        piece = place[terminal]
        if piece:
            append(piece)
            place = after[terminal]
        elif piece is not None:
            append(text)
            place = after[terminal]
        else:
            place = handlers[terminal](layout, terminal, text, place)
    return "".join(layout.out)


class _Places:
    """A style as the layout needs it: what is written for each terminal in each of four places.

    Attributes:
        style: the style.
        spelling: what is written for each terminal after a sign; empty for data, which has its own text.
        start: the place at the start of a statement.
        after_sign, after_word, after_blank: the places after a sign, a word and a blank.
        after: the place after each terminal.
    """

    def __init__(self, style: Style) -> None:
        self.style = style
        kept = style.blanks | {"NUMBER_DOT"}
        self.spelling = [terminal.python if terminal.name in kept else terminal.python.strip() for terminal in TERMINALS]
        handled = _HANDLED - (kept & {"CONCAT", SPACE_RULE})
        self.start: Place = [None] * len(TERMINALS)
        self.after_sign: Place = [None if terminal.name in handled else self.spelling[terminal.id] for terminal in TERMINALS]
        self.after_word: Place = [(f" {piece}" if _is_word(piece[0]) else piece) if piece else None for piece in self.after_sign]
        self.after_blank: Place = [piece.lstrip(" ") if piece else piece for piece in self.after_sign]
        self.after = [self._place_after(piece) for piece in self.spelling]
        self.after[ID["NAME"]] = self.after[ID["NUMBER"]] = self.after_word  # a word must not even follow a number that ends in a dot

    def _place_after(self, piece: str) -> Place:
        return self.after_blank if piece.endswith(" ") else self.after_word if _is_word(piece[-1:]) else self.after_sign


@lru_cache(maxsize=32)
def _places(style: Style) -> _Places:
    return _Places(style)


class _Compact:
    """What has been written, and which statements and blocks the next lexeme stands in.

    Attributes:
        terminals: of the whole program.
        out: the pieces of the text.
        places: what is written where.
        line: the line break that starts a line of the current block.
        blocks: of each open block, the index in ``out`` of the line break after its header, which the block's end settles.
        joined: the current block may still share the line of its header.
        empty: nothing is written in the current block yet.
        shares: the statement before, in the same block, takes another one on its line.
        prefix: of the statement that is to start, with the blank after it.
        colon_written: a comment has ended the line of the header.
    """

    def __init__(self, terminals: list[int], base: str, places: _Places) -> None:
        self.terminals = terminals
        self.out: list[str] = [base]
        self.places = places
        self.style = places.style
        self.line = f"\n{base}"
        self.blocks: list[int] = []
        self.joined = False
        self.empty = True
        self.shares = False
        self.prefix = ""
        self.colon_written = False

    def start(self, *, shares: bool) -> None:
        """Start a statement; a simple one ``shares`` its line."""
        if self.empty:
            self.empty = False
            self.joined = self.joined and shares
        elif shares and self.shares:
            self.out.append(self.style.semicolon)
        else:
            self.out.append(self.line)
            self.joined = False
        self.shares = shares and bool(self.blocks) and bool(self.style.semicolon)

    # ------------------------------------------------------------------------------------------- handlers of terminals

    def other(self, terminal: int, text: str, place: Place) -> Place:
        """A terminal inside a statement: the first of it, or data after a word."""
        places = self.places
        if place is places.start:
            self.start(shares=True)
        elif _is_word(text[0]):
            self.out.append(" ")
        self.out.append(places.after_blank[terminal] or text)
        return places.after[terminal]

    def prefix_keyword(self, terminal: int, _: str, place: Place) -> Place:
        """A keyword before the one that starts the statement."""
        self.prefix = self.places.spelling[terminal].strip() + " "
        return self.places.start

    def keyword(self, terminal: int, _: str, place: Place) -> Place:
        """A keyword that starts a statement or a clause, or the sign of a decorator."""
        self.start(shares=terminal in _SHARING)
        self.out.append(self.prefix + self.places.spelling[terminal])
        self.prefix = ""
        return self.places.after[terminal]

    def skip(self, _: int, __: str, place: Place) -> Place:
        """A terminal that is not written: a mark of a blank, a redundant parenthesis."""
        return place

    def concat(self, _: int, __: str, place: Place) -> Place:
        """Between two strings. ``''`` before ``'x'`` would open a string in triple quotes."""
        last = self.out[-1]
        if _EMPTY_STRING.fullmatch(self.out[-2] + last if len(last) == 1 else last):
            self.out.append(" ")
        return self.places.after_sign

    def verbatim(self, _: int, text: str, place: Place) -> Place:
        """A field that keeps its text."""
        self.out.append(verbatim_text(text))
        return self.places.after_sign

    def line_sep(self, _: int, __: str, place: Place) -> Place:
        """The end of a statement."""
        return self.places.start

    def block_start(self, _: int, __: str, place: Place) -> Place:
        """The start of a block, with the colon before it."""
        if len(self.blocks) >= DEEPEST:
            raise TooDeepError(_too_deep(self.terminals))
        self.joined = not self.colon_written and self.style.after_colon is not None
        if not self.colon_written:
            self.out.append(":")
        self.colon_written = False
        self.blocks.append(len(self.out))
        self.out.append(self.style.after_colon or "")
        self.line += self.style.indent
        self.empty = True
        return self.places.start

    def block_end(self, _: int, __: str, place: Place) -> Place:
        """The end of a block."""
        at = self.blocks.pop()
        if not self.joined:
            self.out[at] = self.line
        self.line = self.line[: -len(self.style.indent)]
        self.joined = self.shares = self.empty = False
        return self.places.start

    # ------------------------------------------------------------------------------------------------------- comments

    def comment(self, _: int, text: str, place: Place) -> Place:
        """A comment on a line of its own."""
        self.start(shares=False)
        self.out.append(text.rstrip("\n"))
        return self.places.start

    def trailing_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment after a statement."""
        self.out.append(self.style.before_comment + text.rstrip("\n"))
        self.shares = False
        return self.places.start

    def header_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment after the colon of a header."""
        self.out.append(f":{self.style.before_comment}{text}".rstrip("\n"))
        self.colon_written = True
        return self.places.after_sign

    def inner_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment inside brackets. The line after it is indented, so that an own line needs no other break."""
        body = text[len("<comment>") :].rstrip("\n")
        line = self.line + self.style.indent
        on_new_line = self.out[-1].endswith(line)
        if place is self.places.after_blank and not on_new_line:
            self.out[-1] = self.out[-1].rstrip(" ")
        if body[0] != "\n":
            body = body if on_new_line else self.style.before_comment + body
        elif on_new_line:
            body = body[1:]
        self.out.append(body + line)
        return self.places.after_blank


def _too_deep(terminals: list[int]) -> int:
    """The index of the block start that opens one block too many."""
    depth = 0
    for i, terminal in enumerate(terminals):
        depth += (terminal == ID["BLOCK_START"]) - (terminal == ID["BLOCK_END"])
        if depth > DEEPEST:
            return i
    return len(terminals)


# ------------------------------------------------------------------------------------------------------------- tables

_EMPTY_STRING = re.compile(r"""[^'"\\]*(?:''|"")""")


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or char > "\x7f"


_SHARING = ids(*SIMPLE)  # what starts a statement that may share a line
_NOTHING = ID["WITH_PARENTHESES"]  # nothing is written for it
_NOT_WRITTEN = (SPACE_RULE, "WITH_PARENTHESES")
_HANDLED = {*named(COMMENT, LAYOUT, *STARTS), *_NOT_WRITTEN, "CONCAT", "FIELD_VERBATIM"}

_Handler = Callable[[_Compact, int, str, Place], Place]
_HANDLERS: list[_Handler] = table(
    _Compact.other,
    (_Compact.prefix_keyword, named(PREFIX)),
    (_Compact.keyword, named(DECORATION, *SIMPLE, *COMPOUND)),
    (_Compact.skip, _NOT_WRITTEN),
    (_Compact.concat, ["CONCAT"]),
    (_Compact.verbatim, ["FIELD_VERBATIM"]),
    (_Compact.line_sep, ["LINE_SEP"]),
    (_Compact.block_start, ["BLOCK_START"]),
    (_Compact.block_end, ["BLOCK_END"]),
    (_Compact.comment, ["COMMENT"]),
    (_Compact.trailing_comment, ["TRAILING_COMMENT"]),
    (_Compact.header_comment, ["HEADER_COMMENT"]),
    (_Compact.inner_comment, ["INNER_COMMENT"]),
)
