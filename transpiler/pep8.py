"""Python's layout: lines, indents, blank lines and comments, written as lexemes arrive.

A stream is cut into *rows*: what stands on one logical line, and what ends it. That is a search over bytes, one for each
lexeme, so that an ordinary row costs little more than joining its texts. A row that is too long, or that holds comments
in brackets, or that has not arrived as a whole goes through ``transpiler.line_breaks``, which gives the same text for
rows that fit. For example::

    import a; import b        IxIx         rows Ix, Ix
    # c                       ;#           ends the row with ";", then a row of nothing that "#" ends
    def f(): ...              Dx(): eE     row Dx() with the end :eE

A line break is written when the row after it begins, since that decides how many blank lines it holds; so comments above
a row wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.terminals import COMMENT, DATA, ID, LAYOUT, TERMINALS, named
from transpiler import blank_lines as blank
from transpiler import lexeme_kinds as kind_of
from transpiler.break_queue import NOWHERE, LineStarts
from transpiler.nesting import DEEPEST, TooDeepError

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from transpiler.line_breaks import LineBreaker

_OWN_TEXT = {*named(DATA), *named(COMMENT), *named(LAYOUT)}
_SPELLED = ["" if terminal.name in _OWN_TEXT else terminal.python for terminal in TERMINALS]  # empty: the text of the lexeme
_VERBATIM = ID["FIELD_VERBATIM"]
_REWRITTEN = later_pattern(b"%b|%b" % (re.escape(bytes((_VERBATIM,))), re.escape(bytes((ID["WITH_PARENTHESES"],)))))

_BODY_AND_END = b"[^PD@HCSIF;:E#th]*)(;|t|h?:(?:eE)?|h|#|E+|)"
_ROW = later_pattern(b"((?:P?[DHIF]|[@CSP])?" + _BODY_AND_END)
_REST = later_pattern(b"(" + _BODY_AND_END)  # of a row that has begun
_UNDECIDED = later_pattern(rb"(?:P?[IF]|[Ph]|(?<!h):e?)\Z")  # a row begins or ends like this, but what comes next decides how
_UNDECIDED_LAST = b"PIFh:e"
_BREAKABLE = later_pattern(b"[%c%c%c]" % (kind_of.OPENS, kind_of.NAMES, kind_of.FUTURE))  # a row without these has no place to break at
_STRINGS = later_pattern(b"(?:s|%c)*" % kind_of.CONCATENATES)
_COLONS = {b":": ":", b"h:": ":", b":eE": ":", b"h:eE": ":", b"h": ":"}  # what ends a row -> how that ends the line

_TOP, _FRESH, _IMPORTED = blank.TOP, blank.FRESH, blank.IMPORTED  # of the loop over rows, where a global is found sooner
_DEFINING = (b"D", b"PD")


class Layout:
    """Turns lexemes into Python text.

    Args:
        width: how many columns a line may have, if its brackets allow it; ``None`` for any number.
        indent: what a block indents by.
        base: what every line but the first begins with.

    >>> from simpy_grammar.stream import Stream
    >>> stream = Stream()
    >>> for name, text in [("DEF", ""), ("NAME", "f"), ("EMPTY_PARAMETERS", ""), ("BLOCK_START", ""), ("PASS", ""), ("BLOCK_END", "")]:
    ...     stream.append(name, text)
    >>> layout = Layout()
    >>> layout.write(stream.terminals, stream.texts)
    >>> layout.take(), layout.finish()
    ('def f():\\n    pass', '\\n')
    """

    def __init__(self, *, width: int | None = 88, indent: str = "    ", base: str = "") -> None:
        self._width = NOWHERE if width is None else width
        self._starts = LineStarts(base, indent)
        self._out: list[str] = []
        self._made: LineBreaker | None = None
        self._levels: list[blank.Level] = []  # by depth
        self._level = self._level_of(0)
        self._blocks: list[bool] = []  # for each open block, whether it is that of a definition
        self._before = blank.START  # what stands before the next row
        self._comments: list[str] = []  # those that wait for the next row
        self._group = 0  # of the last import
        self._may_be_docstring = False  # the row that has not ended yet holds nothing but strings so far
        self._row = b""  # the kinds that the row began with that has not ended yet
        self._ids = b""  # lexemes that wait for the next one ...
        self._texts: Sequence[str] = ()  # ... and their texts
        self._count = 0  # how many lexemes have been written
        self._written = False  # some text has been taken

    @property
    def _breaker(self) -> LineBreaker:
        """What breaks lines, made for the first line that needs it."""
        if self._made is None:
            from transpiler.line_breaks import LineBreaker  # not needed for most short programs

            self._made = LineBreaker(self._out, self._width, self._starts)
        return self._made

    def write(self, terminals: Sequence[int], texts: Sequence[str]) -> None:
        """Add lexemes: ids of terminals, and their texts.

        Raises:
            TooDeepError: more than ``DEEPEST`` blocks nest.
        """
        ids = bytes(terminals)
        if self._ids:
            ids, texts = self._ids + ids, [*self._texts, *texts]
            self._ids = b""
        kinds = ids.translate(kind_of.KINDS)
        held = kinds[-1:] in _UNDECIDED_LAST and _UNDECIDED.search(kinds, max(len(ids) - 3, 0))
        if held:
            end = held.start()
            self._ids, self._texts = ids[end:], texts[end:]
            ids, kinds, texts = ids[:end], kinds[:end], texts[:end]
        if ids:
            self._write(ids, kinds, texts)

    def take(self) -> str:
        """The settled text that has not been taken yet."""
        text = "".join(self._out)
        self._out.clear()
        self._written = self._written or bool(text)
        return text

    def finish(self) -> str:
        """The rest of the text, with its last line break."""
        self._flush()
        text = self.take()
        return text + "\n" if self._written else text

    def break_off(self) -> str:
        """The rest of a text that stops anywhere; where that is the start of a line, one line break tells so."""
        in_row = self._flush()
        text = self.take()
        return text if in_row or not self._written else text + "\n"

    def _flush(self) -> bool:
        """Write what is held, as the end of the text; return whether that is inside a row."""
        if self._ids:
            ids, self._ids = self._ids, b""
            self._write(ids, ids.translate(kind_of.KINDS), self._texts)
        in_row = bool(self._row)
        if in_row:
            self._row = b""
            self._breaker.end()
        self._write_comments(self._level.breaks[self._before][blank.ANYTHING])
        return in_row

    # ------------------------------------------------------------------------------------------------------- rows

    def _write(self, ids: bytes, kinds: bytes, texts: Sequence[str]) -> None:
        spelled = _SPELLED
        pieces = [spelled[terminal] or text for terminal, text in zip(ids, texts, strict=True)]
        for match in _REWRITTEN.finditer(ids):
            at = match.start()
            pieces[at] = verbatim_text(pieces[at]) if ids[at] == _VERBATIM else ""
        self._write_rows(kinds, pieces)
        self._count += len(ids)

    def _write_rows(self, kinds: bytes, pieces: list[str]) -> None:
        count = len(kinds)
        end = self._go_on(kinds, pieces) if self._row else 0
        if end == count:
            return
        out, comments, blocks, width = self._out, self._comments, self._blocks, self._width
        inner = _find_comment(kinds, end)
        level, before = self._level, self._before
        for match in _ROW.finditer(kinds, end):
            row, ending = match.groups()
            colon = _COLONS.get(ending, "")
            column = 0
            if row:
                at = end
                end += len(row)
                lead = row[0]
                role = level.roles[lead]
                if role >= _IMPORTED or comments:
                    if role == blank.PREFIXED:
                        lead = _lead(row)
                        role = level.roles[lead]
                    self._level, self._before = level, before
                    self._begin(row, pieces, at, role)
                else:
                    out.append(level.breaks[before][role])
                if end == count:  # more of it may come
                    self._row, self._before, self._level, self._may_be_docstring = row[:2], before, level, True
                    self._breaker.begin(len(blocks))
                    self._write_part(row, pieces[at:end])
                    return
                text = "".join(pieces[at:end])
                if inner < end or ((level.indented + len(text) + len(colon) > width or "\n" in text) and _BREAKABLE.search(row)):
                    breaker = self._breaker
                    breaker.begin(len(blocks))
                    breaker.write(row, pieces[at:end])
                    breaker.end(colon)
                    column = breaker.column
                    if inner < end:
                        inner = _find_comment(kinds, end)
                else:
                    out.append(text + colon)
                    if colon:
                        column = len(text) + 1 + (level.indented if "\n" not in text else -1 - text.rindex("\n"))
                first = before <= _TOP
                before = level.places[lead]
                if first and _STRINGS.fullmatch(row):
                    before = blank.DOCSTRING
            if ending:
                if ending == b":" and len(blocks) < DEEPEST:
                    blocks.append(row.startswith(_DEFINING))
                    level, before = self._level_of(len(blocks)), _FRESH
                elif ending != b";":
                    self._level, self._before = level, before
                    self._end(row, ending, pieces, end, column)
                    level, before = self._level, self._before
                end += len(ending)
        self._level, self._before = level, before

    def _begin(self, row: bytes, pieces: list[str], at: int, role: int) -> None:
        """Write what stands before a row, where that takes more than a look into a table."""
        line_break = self._level.breaks[self._before][role]
        if role == blank.IMPORTED:
            group = blank.import_group(row, pieces[at : at + 3])
            if self._before == blank.IMPORT and group != self._group:
                line_break = "\n" + line_break
            self._group = group
        if self._comments:
            self._write_comments(line_break)
            line_break = self._level.line
        self._out.append(line_break)

    def _write_part(self, kinds: bytes, pieces: list[str]) -> None:
        self._may_be_docstring = self._may_be_docstring and _STRINGS.fullmatch(kinds) is not None
        self._breaker.write(kinds, pieces)

    def _go_on(self, kinds: bytes, pieces: list[str]) -> int:
        """Write the rest of a row, or more of it; return how many lexemes that takes."""
        match = _REST.match(kinds)
        assert match is not None
        rest, ending = match.groups()
        end = len(rest)
        if rest:
            self._write_part(rest, pieces[:end])
        if end < len(kinds):
            row, self._row = self._row, b""
            self._breaker.end(_COLONS.get(ending, ""))
            first = self._before <= blank.TOP
            self._before = blank.DOCSTRING if first and self._may_be_docstring else self._level.places[_lead(row)]
            if ending and ending != b";":
                self._end(row, ending, pieces, end, self._breaker.column)
        return match.end()

    def _write_comments(self, line_break: str) -> None:
        """Write the comments that have waited for a row, after this line break."""
        for comment in self._comments:
            self._out.append(line_break)
            self._out.append(comment)
            line_break = self._level.line
        self._comments.clear()

    # -------------------------------------------------------------------------------------------- what ends a row

    def _end(self, row: bytes, ending: bytes, pieces: list[str], at: int, column: int) -> None:
        """What ends a row but for the next row and a separator. Its colon has been written; ``column`` is where it ends."""
        kind = ending[0]
        if kind == kind_of.BLOCK_END:
            self._end_blocks(len(ending))
        elif kind == kind_of.COMMENT:
            self._comment(pieces[at].rstrip("\n"))
        elif kind == kind_of.TRAILING_COMMENT:
            self._out.append("  " + pieces[at].rstrip("\n"))
        else:
            defines = row.startswith(_DEFINING)
            if kind == kind_of.HEADER_COMMENT:
                self._out.append("  " + pieces[at].rstrip("\n"))
                if len(ending) == 1:
                    return
                at, ending = at + 1, ending[1:]
            elif len(ending) == 3 and defines and column + len(" ...") <= self._width:
                self._out.append(" ...")
                self._before = blank.DEFINITION
                return
            if len(self._blocks) == DEEPEST:
                raise TooDeepError(self._count + at)
            self._blocks.append(defines)
            self._level = self._level_of(len(self._blocks))
            self._before = blank.FRESH
            if len(ending) == 3:
                self._write_rows(ending[1:], pieces[at + 1 : at + 3])

    def _end_blocks(self, count: int) -> None:
        if self._comments:
            self._write_comments(self._level.breaks[self._before][blank.ANYTHING])
        blocks = self._blocks
        for _ in range(count):
            self._before = blank.DEFINITION if blocks.pop() else blank.STATEMENT
            self._level = self._levels[len(blocks)]

    def _comment(self, text: str) -> None:
        """A comment on a line of its own."""
        if self._before > blank.DECORATOR:
            self._comments.append(text)
            return
        self._out.append(self._level.breaks[self._before][blank.ANYTHING] + text)
        if self._before == blank.START:
            self._before = blank.TOP

    def _level_of(self, depth: int) -> blank.Level:
        if depth == len(self._levels):
            self._levels.append(blank.Level(depth, self._starts[depth]))
        return self._levels[depth]


def _lead(row: bytes) -> int:
    """The kind that a row begins with, its prefix apart."""
    return row[1] if row[0] == kind_of.PREFIXES and len(row) > 1 else row[0]


def _find_comment(kinds: bytes, at: int) -> int:
    """Where the next comment inside brackets is; the end if there is none."""
    found = kinds.find(kind_of.INNER_COMMENT, at)
    return found if found >= 0 else len(kinds)


def verbatim_text(text: str) -> str:
    """The text of a field that is kept verbatim, out of its FIELD_VERBATIM.

    >>> verbatim_text("<debug>x =<debug>")
    'x ='
    """
    return text[len("<debug>") : -len("<debug>")].replace("<debug\\", "<debug")
