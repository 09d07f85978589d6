"""The dialect ``compact``: Python with the fewest characters of layout, for models that know no new tokens.

Blanks stand only where two words would run together, indents are tabs, simple statements share a line with ``;``, and a
block of them shares the line of its header. This is a layout of the same lexemes as ``transpiler.pep8``, but one that does
not stream: only the end of a block settles whether the block shares its header's line. Which parentheses are left out is
decided in ``transpiler.parentheses``. Reading the result is reading Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from simpy_grammar.stream import SPACE_ID, Stream
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
from transpiler.parentheses import redundant_parentheses
from transpiler.pep8 import DEEPEST, TooDeepError, verbatim_text

Place = list["str | None"]
"""What is written for each terminal id in some place: a text, ``""`` for the lexeme's own, ``None`` if a handler writes it."""


def compact_layout(stream: Stream, base: str = "") -> str:
    """Lay a program out as compact Python, without a line break at its end.

    Args:
        stream: the program.
        base: what every line begins with.

    Raises:
        TooDeepError: blocks nest deeper than Python reads.

    >>> from simpy_grammar.stream import Stream
    >>> stream = Stream()
    >>> for terminal, text in [("NAME", "x"), ("ASSIGN", "="), ("NOT", "not "), ("(", "("), ("NAME", "y"), (")", ")")]:
    ...     stream.append(terminal, text)
    >>> compact_layout(stream)
    'x=not y'
    """
    terminals = stream.terminals
    redundant = redundant_parentheses(stream)
    if redundant:
        terminals = list(terminals)
        for i in redundant:
            terminals[i] = SPACE_ID  # nothing is written for it
    layout = _Compact(terminals, base)
    append = layout.out.append
    after, handlers = _AFTER, _HANDLERS
    place = _START
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


class _Compact:
    """What has been written, and which statements and blocks the next lexeme stands in.

    Attributes:
        terminals: of the whole program.
        out: the pieces of the text.
        line: the line break that starts a line of the current block.
        blocks: of each open block, the index in ``out`` of the line break after its header, which the block's end settles.
        joined: the current block may still share the line of its header.
        empty: nothing is written in the current block yet.
        shares: the statement before, in the same block, takes another one on its line.
        prefix: of the statement that is to start, with the blank after it.
        colon_written: a comment has ended the line of the header.
    """

    def __init__(self, terminals: list[int], base: str) -> None:
        self.terminals = terminals
        self.out: list[str] = [base]
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
            self.out.append(";")
        else:
            self.out.append(self.line)
            self.joined = False
        self.shares = shares and bool(self.blocks)

    # ------------------------------------------------------------------------------------------- handlers of terminals

    def other(self, terminal: int, text: str, place: Place) -> Place:
        """A terminal inside a statement: the first of it, or data after a word."""
        if place is _START:
            self.start(shares=True)
        elif _is_word(text[0]):
            self.out.append(" ")
        self.out.append(_AFTER_SIGN[terminal] or text)
        return _AFTER[terminal]

    def prefix_keyword(self, terminal: int, _: str, place: Place) -> Place:
        """A keyword before the one that starts the statement."""
        self.prefix = _SPELLING[terminal] + " "
        return _START

    def keyword(self, terminal: int, _: str, place: Place) -> Place:
        """A keyword that starts a statement or a clause, or the sign of a decorator."""
        self.start(shares=terminal in _SHARING)
        self.out.append(self.prefix + _SPELLING[terminal])
        self.prefix = ""
        return _AFTER[terminal]

    def skip(self, _: int, __: str, place: Place) -> Place:
        """A terminal that is not written: a mark of a blank, a redundant parenthesis."""
        return place

    def concat(self, _: int, __: str, place: Place) -> Place:
        """Between two strings. ``''`` before ``'x'`` would open a string in triple quotes."""
        last = self.out[-1]
        if _EMPTY_STRING.fullmatch(self.out[-2] + last if len(last) == 1 else last):
            self.out.append(" ")
        return _AFTER_SIGN

    def verbatim(self, _: int, text: str, place: Place) -> Place:
        """A field that keeps its text."""
        self.out.append(verbatim_text(text))
        return _AFTER_SIGN

    def line_sep(self, _: int, __: str, place: Place) -> Place:
        """The end of a statement."""
        return _START

    def block_start(self, _: int, __: str, place: Place) -> Place:
        """The start of a block, with the colon before it."""
        if len(self.blocks) >= DEEPEST:
            raise TooDeepError(_too_deep(self.terminals))
        self.joined = not self.colon_written
        if not self.colon_written:
            self.out.append(":")
        self.colon_written = False
        self.blocks.append(len(self.out))
        self.out.append("")
        self.line += "\t"
        self.empty = True
        return _START

    def block_end(self, _: int, __: str, place: Place) -> Place:
        """The end of a block."""
        at = self.blocks.pop()
        if not self.joined:
            self.out[at] = self.line
        self.line = self.line[:-1]
        self.joined = self.shares = self.empty = False
        return _START

    def comment(self, _: int, text: str, place: Place) -> Place:
        """A comment on a line of its own."""
        self.start(shares=False)
        self.out.append(text.rstrip("\n"))
        return _START

    def trailing_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment after a statement."""
        self.out.append(text.rstrip("\n"))
        self.shares = False
        return _START

    def header_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment after the colon of a header."""
        self.out.append(":" + text.rstrip("\n"))
        self.colon_written = True
        return _AFTER_SIGN

    def inner_comment(self, _: int, text: str, place: Place) -> Place:
        """A comment inside brackets. The line after it starts with a tab, so that an own line needs no other break."""
        body = text[len("<comment>") :].rstrip("\n")
        if body[0] == "\n" and self.out[-1].endswith("\t"):
            body = body[1:]
        self.out.append(f"{body}{self.line}\t")
        return _AFTER_SIGN


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


_SPELLING = [terminal.python.strip() for terminal in TERMINALS]
_SPELLING[ID["NUMBER_DOT"]] = " ."
_SHARING = ids(*SIMPLE)  # what starts a statement that may share a line
_NOT_WRITTEN = (SPACE_RULE, "WITH_PARENTHESES")
_HANDLED = {*named(COMMENT, LAYOUT, *STARTS), *_NOT_WRITTEN, "CONCAT", "FIELD_VERBATIM"}

# The three places where a lexeme may stand: after a sign, after a word, at the start of a statement.
_AFTER_SIGN: Place = [None if terminal.name in _HANDLED else _SPELLING[terminal.id] for terminal in TERMINALS]
_AFTER_WORD: Place = [(f" {piece}" if _is_word(piece[0]) else piece) if piece else None for piece in _AFTER_SIGN]
_START: Place = [None] * len(TERMINALS)

# The place after each terminal. A word must not even follow a number that ends in a dot.
_AFTER = [_AFTER_WORD if _is_word(text[-1:]) else _AFTER_SIGN for text in _SPELLING]
_AFTER[ID["NAME"]] = _AFTER[ID["NUMBER"]] = _AFTER_WORD


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
