"""The lexer of Python: text in, tokens of the dialect ``python`` out, as parallel lists.

It knows lines, indents, brackets, strings and words, and no grammar: whether the tokens make a program, the automaton
says. What cannot be told from one token alone is written first and put right when it is known: whether ``match`` begins a
statement, when the line ends; which parentheses belong to ``with`` or ``import``, when they close; that a field keeps its
text, at its ``=``. Until then the tokens from there on are not given out, which is all that unfinished text needs.

Comments inside brackets are the tokens ``#``. They are not part of the grammar's Python: ``PythonReader`` finds their place.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate, islice
from operator import length_hint
from typing import NamedTuple

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import CLOSING, OPENING, ROW_BOUNDS, VALUE_SEP, Automaton, Frames, Key, Node, Reader, StuckError
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import Tables
from simpy_grammar.terminals import CLAUSE, COMPOUND, KEYWORDS, PREFIX, SIMPLE, SOFT_KEYWORDS, TERMINALS

INNER_COMMENT_KEY, MARK, VERBATIM = "#", "MARK", "VERBATIM"  # keys that the tables do not know


class _Pattern:
    """A pattern that is compiled when it is first used, so that a short run compiles few."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled: re.Pattern[str] | None = None

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        """The match at an offset."""
        if self._compiled is None:
            self._compiled = re.compile(self.text)
        return self._compiled.match(text, at)


_PREFIX = r"""(?:[bB][rR]?|[rR][bBfFtT]?|[fFtT][rR]?|[uU])"""
_NAME_START, _NAME_CHAR = r"[^\x00-@\[-^`{-\x7f]", r"[^\x00-/:-@\[-^`{-\x7f]"
_BLANKS = r"(?:[ \t\f]|\\\n)"
_NUMBER_TEXT = (
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?"
)
_OPERATOR = r"[()\[\]{},;~]|\*\*=?|//=?|>>=?|<<=?|\.\.\.|->|:=|[-+*/%@&|^<>=!]=|[-+*/%@&|^<>=.:!]"
_WINDOW, _LARGEST_WINDOW = 1024, 8192  # characters that are cut into pieces at once: at first, at most
_UNSURE = 4  # pieces at the end of a window that what follows may change: `1`, `e`, `-`, or a string

# Words at the start of a statement: whether the statement is simple, compound (its block follows a colon), or a prefix.
_SIMPLE, _COMPOUND, _PREFIX_WORD = 1, 2, 3
_BEGINS = {**dict.fromkeys(SIMPLE, _SIMPLE), **dict.fromkeys(COMPOUND, _COMPOUND), PREFIX: _PREFIX_WORD}
_STATEMENTS = {row.python.split()[0]: _BEGINS[row.role] for row in TERMINALS if row.role in _BEGINS}
_WORD_END = rf"(?!{_NAME_CHAR})"
_CLAUSES = [row.python.split()[0] for row in TERMINALS if row.role == CLAUSE and not row.is_soft and "*" not in row.python]
_CLAUSE = _Pattern(rf"(?:{'|'.join(_CLAUSES)}){_WORD_END}")
# What the loop over tokens looks at twice; other words and signs are their own keys.
_SKIP, _NEWLINE, _COMMENT, _NUMBER, _STRING, _FSTRING, _ODD_NAME, _BAD = range(8)
_OPEN, _CLOSE, _COLON, _LAMBDA, _SEMICOLON, _NOT, _IS, _BANG, _EQUALS = range(8, 17)


class _Kinds(dict[str, str | int]):
    """Text of a token -> its key, or one of the numbers above. Short ones are remembered."""

    def __missing__(self, text: str) -> str | int:
        kind = self._kind(text)
        if len(text) <= 40 and len(self) < 50_000:
            self[text] = kind
        return kind

    def _kind(self, text: str) -> str | int:
        char = text[0]
        if char in " \t\f" or text[:2] == "\\\n":
            return _SKIP
        if char in "\n#":
            return _NEWLINE if char == "\n" else _COMMENT
        if char.isdecimal() and char.isascii() or (char == "." and len(text) > 1):
            return _NUMBER
        if text[-1] in "'\"" and len(text) > 1:
            prefix = text[: min(text.find(quote) for quote in "'\"" if quote in text)].lower()
            if "f" in prefix or "t" in prefix:
                return _FSTRING
            return _STRING if len(text) > len(prefix) + 1 else _BAD
        if char == "_" or char.isalpha() or not char.isascii():
            return "NAME" if text.isascii() or text.isidentifier() else _ODD_NAME
        return _BAD


_KINDS = _Kinds(
    {
        **{word: word for word in KEYWORDS},
        **{sign: sign for sign in "+ - * / // % @ ** << >> & | ^ ~ == != < <= > >= -> , ... . ! = :=".split()},
        **{sign: sign for sign in "+= -= *= /= //= %= @= **= <<= >>= &= |= ^=".split()},
        **dict.fromkeys("([{", _OPEN),
        **dict.fromkeys(")]}", _CLOSE),
        **{":": _COLON, "lambda": _LAMBDA, ";": _SEMICOLON, "not": _NOT, "is": _IS},
    }
)
_KINDS_IN_FIELD = _Kinds({**_KINDS, "!": _BANG, "=": _EQUALS, ":=": _COLON})
_CLOSER = {"(": ")", "[": "]", "{": "}", "field": "}"}
_SETTLED_AT_END = frozenset("([{,;~)]}")  # signs that never become longer ones
_QUOTES = frozenset(("'", '"', "'''", '"""'))
_STRING_KEYS = _QUOTES | {"STRING"}

_LINE = _Pattern(r"([ \t\f]*(?:\\\n[ \t\f]*)*)(#[^\n]*)?")
_SPACE_IN_LINE = _Pattern(rf"{_BLANKS}*")
_SPACE_AND_LINES = _Pattern(r"(?:[ \t\f\n]|\\\n)*")
# Text that is not a token yet: a string without its end, a backslash at the end of what has arrived.
_MAY_GO_ON = _Pattern(rf"""{_PREFIX}?(?:'''|\"\"\"|'(?:[^'\\\n]|\\[\s\S])*\\?\Z|"(?:[^"\\\n]|\\[\s\S])*\\?\Z)|\\\Z""")
_SPACE = _Pattern(r"(?:[ \t\f\n]|\\\n|#[^\n]*)*")
_WORD_AFTER = _Pattern(rf"{_BLANKS}+({_NAME_START}{_NAME_CHAR}*)?")
# Soft keyword -> whether it is one at the start of a statement, by the word after it. (`match` and `case` depend on more.)
_SOFT: dict[str, Callable[[str], bool]] = {
    "type": lambda word: word not in KEYWORDS,
    "lazy": lambda word: word in ("import", "from"),
}
_FUTURE = _Pattern(rf"from{_BLANKS}+__future__{_BLANKS}+import{_WORD_END}")
_BLANK = (" ", "\t", "\f", "\\", "\n")
_NUMBER_DOT = _Pattern(rf"{_BLANKS}+(\.(?![.0-9]))?")
_NUMBER_DOT_IN_BRACKETS = _Pattern(r"(?:[ \t\f\n]|\\\n)+(\.(?![.0-9]))?")
_FUTURE_BEGUN = _Pattern(rf"__future__(?:{_BLANKS}+(?:i|im|imp|impo|impor|import)?)?\\?\Z|_{{1,2}}\Z|__f(?:u(?:t(?:u(?:r(?:e_?)?)?)?)?)?\Z")
_DOTS = _Pattern(rf"{_BLANKS}*((?:\.{_BLANKS}*)+)")
_STAR = _Pattern(rf"{_BLANKS}*\*(?!\*)")
_CONVERSION = _Pattern(r"![A-Za-z_]+")
_LONG, _PART = 16_384, 8  # text that waits for more is read again when a part of it more has arrived


class LexError(Exception):
    """The text is not tokens of Python. Carries the offset and what is wrong, in CPython's words."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class _Indent(NamedTuple):
    """An open block.

    Attributes:
        column: of its first statement, with tabs to the next multiple of eight ...
        narrow: ... and with tabs as one column: both must say the same.
        inline: it stands on the line of its header.
        cases: it is the block of a match statement.
        text: what its lines, or the line of its header, are indented by.
    """

    column: int
    narrow: int
    inline: bool
    cases: bool
    text: str


class _Bracket:
    """An open bracket, or a string with fields, or a field of one. A bracket like any other is kept as itself and its offset.

    Attributes:
        kind: the bracket itself, ``field``, ``text`` (of a string with fields) or ``format`` (of a field).
        offset: where it opens.
        index: of its token in the lists.
        owner: ``with`` or ``import`` if it may be the statement's own.
        quote: the suffix of the keys of a string with fields.
        verbatim: the field keeps its text.
    """

    __slots__ = ("index", "kind", "offset", "owner", "quote", "verbatim")

    def __init__(self, kind: str, offset: int, index: int, owner: str = "", quote: str = "", verbatim: bool = False) -> None:
        self.kind = kind
        self.offset = offset
        self.index = index
        self.owner = owner
        self.quote = quote
        self.verbatim = verbatim


class PythonLexer:
    """Lexes a text, whole or in pieces.

    Attributes:
        keys: the tokens that have not been taken yet ...
        texts: ... their texts ...
        ends: ... and the offsets of their ends in the whole text.

    >>> from simpy_grammar.dialect import Dialect
    >>> from simpy_grammar.table_cache import load_tables
    >>> lexer = PythonLexer(load_tables(Dialect.load("python")))
    >>> lexer.feed("if a:\\n  b", final=True)
    >>> lexer.keys
    ['^if', 'NAME', 'INDENT', 'NAME', 'DEDENT']
    """

    def __init__(self, tables: Tables) -> None:
        self.keys: list[str] = []
        self.texts: list[str] = []
        self.ends: list[int] = []
        self.buffer = ""
        self.offset = 0  # of the buffer in the whole text
        self._at = 0  # where reading goes on in the buffer
        self._patterns = tables.patterns
        self._pieces = _token_pattern(tables).findall
        self._ahead: tuple[list[str], list[int], int, int] = [], [], 0, 0  # pieces, where they end, of which window, how many are unsure
        self._grow = False  # a token is longer than the window
        self._brackets: list[_Bracket | tuple[str, int]] = []
        self._indents = [_Indent(0, 0, False, False, "")]
        self._indent_text: str | None = ""  # what lines of the current block begin with; None if it ends with its line
        self._comments: list[tuple[int, str, int]] = []  # own-line comments before the next statement: column, text, end
        self._line_start = True  # at the start of a line, outside brackets
        self._first = False  # at the start of a statement
        self._fresh = False  # ... that is the first of its line, so that it may be a compound one
        self._simple = False  # the last statement is simple, and no comment ended its line: one that is no keyword's needs a separator
        self._header = ""  # the word of the header whose colon is still to come
        self._word = ""  # the word that the statement begins with
        self._opening = ""  # the word of the header whose block is to open
        self._lambdas = 0  # how many lambdas of the header wait for their colon
        self._before = 0  # how many tokens have been taken
        self._undecided: list[_Bracket] = []  # open brackets whose tokens may still be put right, the outermost first
        self._fields = 0  # how many fields are open
        self._soft: int | None = None  # index of a `match` that may begin a statement
        self._last = self._last_text = ""  # the last key that was taken, and its text
        self._blank = True  # whether the current line is blank as far as it is not in the buffer any more
        self._waiting: list[str] = []  # pieces of text that wait for more
        self._cut = False  # the text stops here, and is not finished
        self._taken = 0  # offset of the end of the last token that was taken

    # ---------------------------------------------------------------------------------------------------- in and out

    def feed(self, text: str, *, final: bool = False, cut: bool = False) -> None:
        """Lex a piece of text; with ``final`` the last one, with ``cut`` one whose last token is whole, though more may follow.

        Raises:
            LexError: the text is not tokens of Python.
        """
        self._cut = cut
        final = final or cut
        rest = len(self.buffer) - self._at
        if not final and rest > _LONG and _PART * (sum(map(len, self._waiting)) + len(text)) < rest:
            self._waiting.append(text)
            return
        field = next((b for b in self._undecided if b.kind == "field"), None)
        self._forget(self._at if field is None else min(self._at, field.offset - self.offset))
        self.buffer = "".join((self.buffer, *self._waiting, text))
        self._ahead = [], [], 0, 0
        self._waiting.clear()
        while self._at < len(self.buffer) or final:
            before = self._at, len(self._brackets), self._line_start, len(self.keys)
            if self._brackets and isinstance(top := self._brackets[-1], _Bracket) and top.kind in ("text", "format"):
                self._literal(final)
            elif self._line_start:
                if not self._start_line(final):
                    break
            else:
                self._tokens(final)
            if before == (self._at, len(self._brackets), self._line_start, len(self.keys)):
                break
        for bracket in self._undecided if cut else ():
            if bracket.owner == "with" and "as" in self.keys[bracket.index - self._before :]:
                self.keys[bracket.index - self._before] = "with("
        if final and not cut and self._at < len(self.buffer):
            raise self._unreadable(self._at)

    def _forget(self, end: int) -> None:
        """Drop the beginning of the buffer."""
        dropped = self.buffer[:end]
        self._blank = (self._blank or "\n" in dropped) and not dropped[dropped.rfind("\n") + 1 :].strip(" \t\f")
        self.buffer = self.buffer[end:]
        self.offset += end
        self._at -= end

    @property
    def rest(self) -> str:
        """What has arrived and is not lexed yet."""
        return "".join((self.buffer[self._at :], *self._waiting))

    @property
    def settled_at(self) -> int:
        """Offset of what follows the tokens that have been taken."""
        return self._taken

    @property
    def indents(self) -> list[str]:
        """What the lines of each open block are indented by, the module's first."""
        return [indent.text for indent in self._indents]

    @property
    def awaits_block(self) -> bool:
        """Whether a colon has been read whose block is still to come."""
        return bool(self._opening)

    @property
    def in_string(self) -> str:
        """The quotes of the string with fields whose text is being read; empty outside of one."""
        top = self._brackets[-1] if self._brackets else None
        return str(self._patterns[f"FSTRING_END_{top.quote[-1]}"][1]) if isinstance(top, _Bracket) and top.kind == "text" else ""

    def is_string(self, text: str) -> bool:
        """Whether a text is a whole string without fields."""
        return _compiled(self._patterns["STRING"][1]).fullmatch(text) is not None

    def take(self, *, final: bool = False) -> tuple[list[str], list[str], list[int]]:
        """The tokens that no later text can change, once."""
        settled = len(self.keys) if final else self._settled()
        taken = self.keys[:settled], self.texts[:settled], self.ends[:settled]
        self._before += settled
        if settled:
            self._last = next((key for key in reversed(taken[0]) if key != INNER_COMMENT_KEY), self._last)
            del self.keys[:settled], self.texts[:settled], self.ends[:settled]
            self._last_text = taken[1][-1]
            self._taken = taken[2][-1]
            if self._soft is not None:
                self._soft -= settled
        return taken

    def _settled(self) -> int:
        """How many tokens are settled."""
        marks = []
        if self._soft is not None:
            marks.append(self._soft - (self._soft > 0 and self.keys[self._soft - 1] == "NEWLINE"))
        if self._undecided:
            marks.append(self._undecided[0].index - self._before)
        last = len(self.keys)
        while last and self.keys[last - 1] == INNER_COMMENT_KEY:
            last -= 1
        if last and self._brackets and self.keys[last - 1] == ",":
            marks.append(last - 1)
        return min([len(self.keys), *marks])

    def _add(self, key: str, text: str, end: int) -> None:
        self.keys.append(key)
        self.texts.append(text)
        self.ends.append(self.offset + end)

    def _error(self, at: int, message: str) -> LexError:
        return LexError(self.offset + at, message)

    def _unreadable(self, at: int) -> LexError:
        """What is wrong with text that is not a token."""
        char = self.buffer[at : at + 1]
        if char in "\"'" or re.match(rf"{_PREFIX}['\"]", self.buffer[at : at + 3]):
            return self._error(at, "unterminated string literal")
        if char == "\\":
            return self._error(at, "unexpected character after line continuation character")
        return self._error(at, "invalid syntax")

    # ------------------------------------------------------------------------------------------------------- lines

    def _start_line(self, final: bool) -> bool:
        """Read blank lines, comments and the indent of the next statement; whether that has begun."""
        buffer = self.buffer
        while True:
            match = _LINE.match(buffer, self._at)
            assert match is not None  # noqa: S101  # every part of the pattern may be empty
            end = match.end()
            if end == len(buffer) and not final:
                return False
            if end < len(buffer) and buffer[end] == "\\":
                if end + 1 == len(buffer) and not final:
                    return False
                raise self._unreadable(end)
            column, narrow = _columns(match[1])
            if match[2] is not None:
                self._comments.append((column, match[2] + "\n", self.offset + end))
                self._at = min(end + 1, len(buffer))
            elif end < len(buffer) and buffer[end] == "\n":
                self._at = end + 1
            else:
                break
            if self._at == len(buffer):
                if not final:
                    return False
                end, column = self._at, 0
                break
        if end == len(buffer) and self._cut:
            return False
        if end == len(buffer):  # the end of the text
            if self._opening:
                raise self._error(end, self._no_block())
            self._dedent(0, 0, end, clause=False)
            self._line_start = False
            self._at = end
            return False
        word = _CLAUSE.match(buffer, end)
        if word is not None and word.end() == len(buffer) and not final:
            return False
        if not final and len(buffer) - end < 8 and any(clause.startswith(buffer[end:]) for clause in _CLAUSES):
            return False
        self._indent(match[1], end, clause=word is not None)
        self._line_start = False
        self._first = self._fresh = True
        self._at = end
        return True

    def _no_block(self) -> str:
        return f"expected an indented block after {_described(self._opening)}"

    def _open_block(self, column: int, narrow: int, end: int, indent: str | None = None) -> None:
        text = self._indents[-1].text if indent is None else indent
        self._indents.append(_Indent(column, narrow, indent is None, self._opening == "match", text))
        self._opening = ""
        self._add("INDENT", "", end)
        self._simple = False

    def _write_comments(self, below: int = 0) -> None:
        """Write the own-line comments from that column on which are still to be placed."""
        while self._comments and self._comments[0][0] >= below:
            _, text, end = self._comments.pop(0)
            if self._simple:
                self._add("NEWLINE", "", end - self.offset - len(text))
                self._simple = False
            self._add("COMMENT", text, end - self.offset)

    def _dedent(self, column: int, narrow: int, at: int, clause: bool) -> None:
        """Close the blocks that end before a line, and place the comments above it.

        A comment stands in the innermost block that begins no further right than it does; above a clause, in a block
        of the statement that the clause belongs to; never between the cases of a match statement, but in one of them.
        """
        indents = self._indents
        closing = 0
        if not self._comments and indents[-1].column == column and indents[-1].narrow == narrow and not indents[-1].inline:
            return
        while indents[-1 - closing].inline or indents[-1 - closing].column > column:
            closing += 1
        block = indents[-1 - closing]
        if block.column != column:
            outside = any(not indent.inline for indent in indents[len(indents) - closing :])
            raise self._error(at, "unindent does not match any outer indentation level" if outside else "unexpected indent")
        if block.narrow != narrow:
            raise self._error(at, "inconsistent use of tabs and spaces in indentation")
        keep = closing - 1 if clause or block.cases else closing  # this many may close before the comments are all placed
        if indents[-1].inline and keep > 0 and not indents[-2].cases:  # a block on the line of its header ends with that line
            self._close_block(at)
            keep -= 1
            closing -= 1
        while self._comments:
            inner = 2 if len(indents) > 1 and indents[-2].cases else 1  # a case closes together with its match statement
            if keep >= inner and self._comments[0][0] < indents[-inner].column:
                for _ in range(inner):
                    self._close_block(at)
                keep -= inner
                closing -= inner
            else:
                self._write_comments(indents[-inner].column if keep >= inner else 0)
        for _ in range(closing):
            self._close_block(at)

    def _close_block(self, at: int) -> None:
        self._indents.pop()
        self._add("DEDENT", "", at)
        self._simple = False

    # ------------------------------------------------------------------------------------------------------ tokens

    def _tokens(self, final: bool) -> None:
        """Read tokens up to the start of a line or of a string with fields, or the end of what has arrived."""
        length, window = len(self.buffer), _WINDOW
        while self._at < length:
            pieces, ends, stop, held = self._ahead
            at = bisect_left(ends, self._at)
            if at < len(pieces) and ends[at] == self._at:  # cut already: what a piece is depends on where it begins only
                pieces, ends = pieces[at:], ends[at:]
            else:
                stop = min(length, self._at + window)
                pieces = self._pieces(self.buffer, self._at, stop)
                if stop < length and len(pieces) <= 2 * _UNSURE:
                    window *= 4
                    continue
                ends = [*accumulate(map(len, pieces), initial=self._at)]
                held = _UNSURE if stop < length else int(not final and pieces[-1] not in _SETTLED_AT_END)
                if held:  # what follows these pieces may change them
                    del pieces[-held:], ends[-held:]
                self._ahead = pieces, ends, stop, held
            self._grow = False
            if not self._read(pieces, ends, stop < length, final):
                if not self._grow:
                    return
                window, self._ahead = 8 * window, ([], [], 0, 0)
            elif stop == length and held:
                self._hold(ends[-1])
                return
            else:
                self._at = ends[-1]
                window = min(2 * window, _LARGEST_WINDOW)
        if final and not self._line_start and not self._cut:
            if self._brackets:
                raise self._never_closed()
            self._end_line(length, length)

    def _read(self, pieces: list[str], ends: list[int], more: bool, final: bool) -> bool:
        """Take tokens in; whether all were taken, and the next one is one of Python and not text of a string with fields."""
        base, brackets, keys = self.offset, self._brackets, self.keys
        add_key, add_text, add_end = keys.append, self.texts.append, self.ends.append
        kinds = _KINDS_IN_FIELD if self._fields else _KINDS
        first, word = self._first, self._word
        tokens = zip(map(kinds.__getitem__, pieces), pieces, islice(ends, 1, None), strict=True)
        for key, text, end in tokens:
            if key.__class__ is str and not first:
                add_key(key)
                add_text(text)
                add_end(base + end)
                continue
            if key == _SKIP:
                continue
            if not first:
                if key == _OPEN and (brackets or not word):
                    brackets.append((text, base + end - 1))
                    add_key(text)
                    add_text(text)
                    add_end(base + end)
                    continue
                if key == _CLOSE and brackets and (top := brackets[-1]).__class__ is tuple and _CLOSER[top[0]] == text:
                    brackets.pop()
                    if keys and keys[-1] == INNER_COMMENT_KEY:
                        self._comma_last()
                    add_key(text)
                    add_text(text)
                    add_end(base + end)
                    continue
            if key == _NEWLINE:
                if not brackets:
                    if not self._end_line(end - len(text), end):
                        return False
                    first, word = True, ""
                continue
            went = 0
            if first and key != _COMMENT:
                went = self._start_statement(text, end - len(text), end, final)
                if went < 0:
                    self._at, self._first = end - len(text), True
                    return False
                first, word = self._first, self._word
            if not went:
                if key.__class__ is str:
                    add_key(key)
                    add_text(text)
                    add_end(base + end)
                    continue
                self._first = first
                went = self._special(key, text, end - len(text), end, final, more)  # type: ignore[arg-type]  # a number
                first, word = self._first, self._word
                if went < 0:
                    return False
                if brackets and (top := brackets[-1]).__class__ is _Bracket and top.kind in ("text", "format"):
                    self._at = went
                    return False
            while end < went:
                following = next(tokens, None)
                if following is None:
                    break
                end = following[2]
            if end != went:
                self._at = went
                return False
        self._first = first
        return True

    def _never_closed(self) -> LexError:
        for bracket in reversed(self._brackets):
            sign, offset = bracket if isinstance(bracket, tuple) else (bracket.kind, bracket.offset)
            if sign not in ("text", "format"):
                return LexError(offset, f"'{'{' if sign == 'field' else sign}' was never closed")
        raise AssertionError  # a string with fields is read elsewhere

    def _last_key(self) -> str:
        for i in range(len(self.keys) - 1, -1, -1):
            if self.keys[i] != INNER_COMMENT_KEY:
                return self.keys[i]
        return self._last

    def _hold(self, at: int) -> None:
        """Go on from here when more has arrived: with the number that touches it, which may become longer."""
        keys, start, first = self.keys, at, len(self.keys)
        touching: list[str] = []
        while first and len(touching) < 2 and self.ends[first - 1] == self.offset + start and keys[first - 1] in ("NUMBER", ".", "NAME"):
            first -= 1
            start -= len(self.texts[first])
            touching.append(keys[first])
        if self.buffer[at : at + 1] == ".":
            held = len(touching) if touching in ([".", "."], ["."]) else int(touching[:1] == ["."])
        else:
            held = 1 if touching[:1] == ["NUMBER"] else 2 if touching == ["NAME", "NUMBER"] else 0
        if held:
            at -= sum(map(len, self.texts[-held:]))
            for column in (keys, self.texts, self.ends):
                del column[-held:]
        self._at = at

    def _more(self, at: int, final: bool) -> bool:
        """Whether what stands there is still to come."""
        return not final and (at == len(self.buffer) or self._ends_in("\\", at))

    def _ends_in(self, sign: str, at: int) -> bool:
        """Whether this sign at an offset is the last of what has arrived."""
        return at + 1 == len(self.buffer) and self.buffer[at] == sign

    def _start_statement(self, text: str, start: int, end: int, final: bool) -> int:
        """Begin a statement; the offset after what was read of it, 0 if its first token is like any other, -1 to wait for more."""
        fresh = self._fresh
        statement = _STATEMENTS.get(text)
        if text in SOFT_KEYWORDS:
            is_keyword = self._is_keyword(text, end, final)
            if is_keyword is None:
                return -1
            statement = statement if is_keyword else None
        elif statement == _COMPOUND and not fresh:
            statement = None
        self._first = self._fresh = False
        self._lambdas = 0
        if statement is None:
            if text == ";":
                self._add(text, text, end)
                return end
            if self._simple:
                self._add("NEWLINE", "", start)
            self._simple = True
            if text == "match" and fresh:
                self._soft = len(self.keys)
            if text == "@":
                self._add("^@", text, end)
                return end
            return 0
        self._word = text if text in ("def", "with", "from") else ""
        if statement == _SIMPLE:
            self._simple = True
            return self._simple_statement(text, start, end, final)
        if statement == _COMPOUND:
            self._header = text
            if text == "except":
                star = _STAR.match(self.buffer, end)
                after = _SPACE_IN_LINE.match(self.buffer, end)
                if after is not None and (self._more(after.end(), final) or (not final and self._ends_in("*", after.end()))):
                    self._first = self._fresh = True
                    self._header = ""
                    return -1
                if star is not None:
                    self._add("^except*", "except*", star.end())
                    return star.end()
        else:
            self._first = True
            self._fresh = fresh
        self._add(f"^{text}", text, end)
        return end

    def _is_keyword(self, soft: str, end: int, final: bool) -> bool | None:
        """Whether a soft keyword is one where a statement begins; ``None`` if the word after it is still to come."""
        if soft not in _SOFT:
            return soft == "case" and self._fresh and self._indents[-1].cases
        after = _WORD_AFTER.match(self.buffer, end)
        if self._more(end if after is None else after.end(), final):
            return None
        return after is not None and after[1] is not None and _SOFT[soft](after[1])

    def _simple_statement(self, text: str, start: int, end: int, final: bool) -> int:
        buffer = self.buffer
        if text != "from":
            self._add(f"^{text}", text, end)
            return end
        future = _FUTURE.match(buffer, start)
        dots = _DOTS.match(buffer, end)
        reached = (future or dots or _SPACE.match(buffer, end)).end()  # type: ignore[union-attr]  # the last one always matches
        if self._more(reached, final) or (not final and future is None and dots is None and _FUTURE_BEGUN.match(buffer, reached)):
            self._first = True
            self._fresh = False
            return -1
        if future is not None:
            self._add("^from __future__ import", "from __future__ import", future.end())
            return future.end()
        self._add("^from", text, end)
        if dots is not None:
            self._add("IMPORT_PREFIX", "." * dots[1].count("."), dots.end())
            return dots.end()
        return end

    def _end_line(self, start: int, end: int) -> bool:
        """End a logical line; whether the next one has begun, which it has not where comments come first."""
        if self._header:
            raise self._error(start, "expected ':'")
        if self._soft is not None:
            self._settle_match()
        self._word = ""
        buffer = self.buffer
        if end == len(buffer) or buffer[end] in "#\\":
            self._line_start, self._first = True, False
            self._at = (buffer.find("\n", start) + 1) or end
            return False
        indent = buffer[buffer.rfind("\n", start, end) + 1 : end]
        if indent != self._indent_text or self._opening:
            self._indent(indent, end, clause=False)
        self._first = self._fresh = True
        return True

    def _indent(self, indent: str, at: int, clause: bool) -> None:
        """Open or close blocks, as the indent of a line says."""
        column, narrow = _columns(indent)
        if not self._opening:
            self._dedent(column, narrow, at, clause)
        else:
            if column <= self._indents[-1].column:
                raise self._error(at, self._no_block())
            if narrow <= self._indents[-1].narrow:
                raise self._error(at, "inconsistent use of tabs and spaces in indentation")
            self._open_block(column, narrow, at, indent)
            self._write_comments()
        self._indent_text = indent

    def _settle_match(self) -> None:
        """At the end of a line: whether ``match`` at its start began a statement, which the colon at its end says."""
        soft, self._soft = self._soft, None
        if soft is None or self.keys[-1] != ":" or len(self.keys) == soft + 1:
            return
        for column in (self.keys, self.texts, self.ends):
            column.pop()
        self.keys[soft] = "^match"
        if soft and self.keys[soft - 1] == "NEWLINE":
            for column in (self.keys, self.texts, self.ends):
                del column[soft - 1]
        self._opening = "match"
        self._simple = False

    def _line_comment(self, text: str, end: int) -> None:
        """A comment at the end of a line."""
        self._settle_match()
        if self._header:
            raise self._error(end - len(text), "expected ':'")
        self._add("COMMENT", text + "\n", end)
        self._simple = False
        self._first = False

    def _inner_comment(self, text: str, end: int) -> None:
        """A comment inside brackets; whether it stands on a line of its own is part of its text."""
        start = end - len(text)
        before = self.buffer.rfind("\n", 0, start)
        line = self.buffer[before + 1 : start]
        own = (before >= 0 or self._blank) and not line.strip(" \t\f")
        self._add(INNER_COMMENT_KEY, f"<comment>{chr(10) if own else ''}{text}\n", end)

    # ------------------------------------------------------------------------------------- brackets, colons and words

    def _special(self, code: int, text: str, start: int, end: int, final: bool, more: bool) -> int:
        """Read a token that means more than itself; return where to go on, -1 if more must arrive first."""
        if code == _COLON and self._header and not self._brackets:
            return self._colon(text, start, end, final)
        if code in (_STRING, _FSTRING):
            return self._string(code, text, start, end, final)
        if code == _NUMBER:
            return self._number(text, start, end, final)
        if code == _COMMENT:
            if self._brackets:
                self._inner_comment(text, end)
            else:
                self._line_comment(text, end)
            return end
        if code == _BAD:
            return self._bad(start, final, more)
        if code == _ODD_NAME:
            char = next((char for char in text if not (char.isascii() or f"a{char}".isidentifier())), text[-1])
            raise self._error(start + text.index(char), f"invalid character '{char}' (U+{ord(char):04X})")
        if code == _OPEN:
            return self._open(text, start, end, final)
        if code == _CLOSE:
            return self._close(text, start, end, final)
        top = self._brackets[-1] if self._brackets else None
        field = top if isinstance(top, _Bracket) and top.kind == "field" else None
        if code == _COLON:
            if field is not None:
                return self._format(field, start)
            return self._colon(text, start, end, final)
        if code == _LAMBDA:
            self._lambdas += not self._brackets
        elif code == _SEMICOLON:
            return self._semicolon(text, start, end)
        elif code in (_NOT, _IS):
            joined = self._joined(text, end)
            if joined < 0 and not final:
                return self._wait(start)
            if joined > 0:
                word = "not in" if code == _NOT else "is not"
                self._add(word, word, joined)
                return joined
        elif code == _BANG and field is not None:
            match = _CONVERSION.match(self.buffer, start)
            if match is None or (match.end() == len(self.buffer) and not final):
                return self._wait(start)
            self._keep_text(field, start)
            self._add("FIELD_CONVERSION", match[0], match.end())
            return match.end()
        elif code == _EQUALS and field is not None:
            after = _SPACE.match(self.buffer, end)
            at = after.end() if after is not None else end
            if self._more(at, final):
                return self._wait(start)
            if self.buffer[at : at + 1] in ("!", ":", "}") and self.buffer[at : at + 2] != "!=":
                field.verbatim = True
                return at
        self._add(text, text, end)
        return end

    def _string(self, code: int, text: str, start: int, end: int, final: bool) -> int:
        rest = self.buffer[end : end + 2]
        if code == _FSTRING and not final and len(rest) < 2 and rest == text[-1] * len(rest):
            return self._wait(start)  # the quotes may become three
        if self._last_key() in _STRING_KEYS:
            self._add("CONCAT", "", start)
        if code == _FSTRING:
            self._open_fstring(text, start)
        else:
            self._add("STRING", text, end)
        return end

    def _number(self, text: str, start: int, end: int, final: bool) -> int:
        buffer = self.buffer
        if text[0] == "0" and text.strip("0_").isdecimal() and text.replace("_", "").isdecimal():
            raise self._error(start, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
        if buffer[end : end + 1] in _BLANK and text.replace("_", "").isdecimal():
            dot = (_NUMBER_DOT_IN_BRACKETS if self._brackets else _NUMBER_DOT).match(buffer, end)
            if dot is not None and (self._more(dot.end(), final) or (not final and self._ends_in(".", dot.end()))):
                return self._wait(start)
            self._add("NUMBER", text, end)
            if dot is not None and dot[1]:
                self._add("NUMBER_DOT", " .", dot.end())
                return dot.end()
            return end
        self._add("NUMBER", text, end)
        return end

    def _bad(self, start: int, final: bool, more: bool) -> int:
        """What is not a token, or one that has not come to its end."""
        if more:
            self._grow = True
            self._at = start
            return -1
        if final or not _MAY_GO_ON.match(self.buffer, start):
            raise self._unreadable(start)
        return self._wait(start)

    def _wait(self, at: int) -> int:
        """Stop here, until more has arrived."""
        self._hold(at)
        return -1

    def _joined(self, word: str, end: int) -> int:
        """Where the second word of ``not in`` or ``is not`` ends: 0 if it is not there, -1 if it may still come."""
        second = "in" if word == "not" else "not"
        buffer = self.buffer
        blanks = (_SPACE if self._brackets else _SPACE_IN_LINE).match(buffer, end)
        at = blanks.end() if blanks is not None else end
        if self._more(at, final=False):
            return -1
        if not buffer.startswith(second, at):
            return -1 if len(buffer) - at < len(second) and second.startswith(buffer[at:]) else 0
        if at + len(second) == len(buffer):
            return -1
        if re.match(_NAME_CHAR, buffer[at + len(second)]):
            return 0
        for comment in re.finditer(r"#[^\n]*", buffer[end:at]):
            self._inner_comment(comment[0], end + comment.end())
        return at + len(second)

    def _open(self, text: str, start: int, end: int, final: bool) -> int:
        """A bracket that may be the statement's own: the first one of ``def``, ``with`` or ``from ... import``."""
        owner = ""
        if text == "(" and self._word == "def":
            self._word = ""  # a bracket after the parameters is another
            blanks = _SPACE_AND_LINES.match(self.buffer, end)
            at = blanks.end() if blanks is not None else end
            if self._more(at, final):
                self._word = "def"
                return self._wait(start)
            if self.buffer[at : at + 1] == ")":
                self._add("()", "()", at + 1)
                return at + 1
        elif text == "(" and self._last_key() in ("^with", "import", "^from __future__ import"):
            owner = self._word
            self._word = ""
        if owner:
            bracket = _Bracket(text, self.offset + start, self._before + len(self.keys), owner)
            self._brackets.append(bracket)
            self._undecided.append(bracket)
        else:
            self._brackets.append((text, self.offset + start))
        self._add(text, text, end)
        return end

    def _close(self, text: str, start: int, end: int, final: bool) -> int:
        if not self._brackets:
            raise self._error(start, f"unmatched '{text}'")
        bracket = self._brackets[-1]
        if isinstance(bracket, tuple) or _CLOSER[bracket.kind] != text:
            opener = bracket[0] if isinstance(bracket, tuple) else "{" if bracket.kind == "field" else bracket.kind
            raise self._error(start, f"closing parenthesis '{text}' does not match opening parenthesis '{opener}'")
        if bracket.kind == "field":
            self._keep_text(bracket, start)
            self._fields -= 1
        elif bracket.owner == "with":
            after = _SPACE_IN_LINE.match(self.buffer, end)
            at = after.end() if after is not None else end
            if self._more(at, final):
                return self._wait(start)
            if self.buffer[at : at + 1] == ":":
                text = self._close_items(bracket.index - self._before, text)
        elif INNER_COMMENT_KEY not in self.keys[bracket.index - self._before :]:
            self.keys[bracket.index - self._before] = "import("
            text = "import)"
        if bracket.owner:
            self._undecided.pop()
        if self.keys and self.keys[-1] == INNER_COMMENT_KEY:
            self._comma_last()
        self._brackets.pop()
        self._add(text, text, end)
        return end

    def _close_items(self, index: int, text: str) -> str:
        """The bracket after ``with`` closes before the colon: the key of its end, by what stands in it.

        It is the statement's own if it holds several items, or one with a name or a comma. Own brackets are left out, unless a
        comment needs them.
        """
        depth, before, commas, names = 0, ",", 0, 0
        inside = self.keys[index + 1 :]
        for key in inside:
            if not depth and (key in (":=", "for", "yield") or (key == "*" and before == ",")):
                return text
            commas += not depth and key == ","
            names += not depth and key == "as"
            depth += (key in ("(", "[", "{", "FIELD_START")) - (key in (")", "]", "}"))
            if key != INNER_COMMENT_KEY:
                before = key
        if not (commas or names):
            return text
        if INNER_COMMENT_KEY not in inside:
            self.keys[index] = "with("
            return "with)"
        if commas == 1 and before == "," and not names:  # one item: without its comma it is an expression in parentheses
            at = len(self.keys) - 1 - self.keys[::-1].index(",")
            del self.keys[at], self.texts[at], self.ends[at]
        else:
            self._insert(index, "with", "", self.ends[index])
        return text

    def _comma_last(self) -> None:
        """Comments between a comma and a closing bracket go before the comma."""
        at = len(self.keys)
        while at and self.keys[at - 1] == INNER_COMMENT_KEY:
            at -= 1
        if at and self.keys[at - 1] == ",":
            for column in (self.keys, self.texts, self.ends):
                column.append(column.pop(at - 1))  # type: ignore[arg-type]  # three lists of two types

    def _colon(self, text: str, start: int, end: int, final: bool) -> int:
        if self._brackets or text != ":":
            self._add(text, text, end)
            return end
        if self._lambdas:
            self._lambdas -= 1
            self._add(text, text, end)
            return end
        if not self._header:
            self._add(text, text, end)
            return end
        match = None if self.buffer.startswith("\n", end) else _SPACE_IN_LINE.match(self.buffer, end)
        at = match.end() if match is not None else end
        if match is not None and self._more(at, final):
            return self._wait(start)
        self._opening, self._header = self._header, ""
        char = self.buffer[at : at + 1]
        if char in ("#", "\n", ""):
            self._simple = False
            return end
        if self._opening == "match":
            raise self._error(at, "invalid syntax")
        self._open_block(self._indents[-1].column + 1, self._indents[-1].narrow + 1, at)
        self._indent_text = None
        self._first, self._fresh = True, False
        return end

    def _semicolon(self, text: str, start: int, end: int) -> int:
        if self._brackets or self._header:
            self._add(text, text, end)
            return end
        self._soft = None
        self._word = ""
        self._first, self._fresh = True, False
        return end

    # ---------------------------------------------------------------------------------------------- strings with fields

    def _open_fstring(self, text: str, start: int) -> None:
        prefix = text.rstrip("'\"")
        quote = text[len(prefix) :]
        suffix = {"'": "1", '"': "2", "'''": "3", '"""': "6"}[quote]
        raw = "RAW_" if "r" in prefix.lower() else ""
        bracket = _Bracket("text", self.offset + start, 0, quote=f"{raw}FSTRING_TEXT_{suffix}")
        bracket.verbatim = "t" in prefix.lower()
        self._brackets.append(bracket)
        self._add(f"{raw}FSTRING_START_{suffix}", text, start + len(text))

    def _literal(self, final: bool) -> None:
        """Read the text of a string with fields, or of a format, up to its end or the next field."""
        bracket, buffer = self._brackets[-1], self.buffer
        assert isinstance(bracket, _Bracket)  # noqa: S101  # the caller has seen it
        in_format = bracket.kind == "format"
        key = "FORMAT_TEXT" if in_format else bracket.quote
        match = _compiled(self._patterns[key][1]).match(buffer, self._at)
        if match is not None and match.end() > self._at:
            if match.end() == len(buffer) and not final:
                return
            self._add(key, match[0], match.end())
            self._at = match.end()
        at = self._at
        if buffer.startswith("{", at):
            if not in_format and at + 1 == len(buffer) and not final:
                return
            self._open_field(bracket, at, final)
        elif in_format:
            if not buffer.startswith("}", at):
                if at < len(buffer) or (final and not self._cut):
                    raise LexError(bracket.offset, "'{' was never closed")
                return
            self._brackets.pop()
            self._brackets.pop()  # the field whose format it is
            self._fields -= 1
            self._add("}", "}", at + 1)
            self._at = at + 1
        else:
            quote = self._patterns[f"FSTRING_END_{bracket.quote[-1]}"][1]
            if buffer.startswith(quote, at):
                self._brackets.pop()
                self._add(quote, quote, at + len(quote))
                self._at = at + len(quote)
            elif buffer.startswith("}", at) and (final or at + 1 < len(buffer)):
                raise self._error(at, "f-string: single '}' is not allowed")
            elif (final and not self._cut) or (at < len(buffer) and not quote.startswith(buffer[at:]) and buffer[at] not in "\\}"):
                raise LexError(
                    bracket.offset, "unterminated f-string literal" if len(quote) == 1 else "unterminated triple-quoted f-string literal"
                )

    def _open_field(self, bracket: _Bracket, at: int, final: bool) -> None:
        blanks = _SPACE.match(self.buffer, at + 1)
        first = blanks.end() if blanks is not None else at + 1
        if self._more(first, final):
            return
        verbatim = bracket.kind == "text" and bracket.verbatim
        field = _Bracket("field", self.offset + at, self._before + len(self.keys), verbatim=verbatim)
        self._brackets.append(field)
        self._undecided.append(field)
        self._fields += 1
        opening = "{ " if self.buffer.startswith("{", first) and "#" not in self.buffer[at:first] else "{"
        self._add("FIELD_START", opening, at + 1)
        self._at = at + 1
        self._first = False

    def _format(self, field: _Bracket, start: int) -> int:
        """The colon of a field: what follows is the text of its format."""
        self._keep_text(field, start)
        self._add(":", ":", start + 1)
        self._brackets.append(_Bracket("format", self.offset + start, 0))
        return start + 1

    def _keep_text(self, field: _Bracket, end: int) -> None:
        """Put the text of a field in the place of its tokens, if it is kept as it stands."""
        if self._undecided[-1:] != [field]:
            return  # it has a conversion, too
        self._undecided.pop()
        if not field.verbatim:
            return
        index = field.index - self._before
        text = self.buffer[field.offset + 1 - self.offset : end]
        self._insert(index, MARK, "", self.ends[index])
        self.texts[index + 1] = "{"
        self._add(VERBATIM, f"<debug>{text.replace('<debug', '<debug' + chr(92))}<debug>", end)

    def _insert(self, index: int, key: str, text: str, end: int) -> None:
        self.keys.insert(index, key)
        self.texts.insert(index, text)
        self.ends.insert(index, end)


def _columns(blanks: str) -> tuple[int, int]:
    """The column that white space leads to, as CPython counts it: with tabs to a multiple of eight, and with tabs as one."""
    column = narrow = joined = 0
    if not blanks.strip(" "):
        return len(blanks), len(blanks)
    for char in blanks:
        if char == "\t":
            column, narrow = (column // 8 + 1) * 8, narrow + 1
        elif char == "\f":
            column = narrow = 0
        elif char == "\\":
            joined = joined or column
        elif char != "\n":
            column, narrow = column + 1, narrow + 1
    return (joined, joined) if joined else (column, narrow)


def _described(word: str) -> str:
    if word in ("def", "class"):
        return "function definition" if word == "def" else "class definition"
    return f"'{word}' statement"


_compiled_patterns: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _compiled_patterns:
        _compiled_patterns[pattern] = re.compile(pattern)
    return _compiled_patterns[pattern]


def _token_pattern(tables: Tables) -> re.Pattern[str]:
    """The pattern of a piece of text: a token, or blanks. The pieces of a text join to the text."""
    starts = sorted((body for name, (_, body) in tables.patterns.items() if "FSTRING_START" in name), key=lambda body: -len(body))
    kinds = (
        rf"(?!{_PREFIX}['\"]){_NAME_START}{_NAME_CHAR}*",
        r"[ \t\f]+",
        _OPERATOR_SAFE,
        r"\n(?:[ \t\f]*\n)*[ \t\f]*",
        _NUMBER_TEXT,
        tables.patterns["STRING"][1],
        *starts,
        r"#[^\n]*",
        rf"{_BLANKS}+",
        rf"{_PREFIX}?['\"]",
        r"[\s\S]",
    )
    return _compiled("|".join(kinds))


_OPERATOR_SAFE = _OPERATOR.replace(r"[-+*/%@&|^<>=.:!]", r"\.(?![0-9])|[-+*/%@&|^<>=:!]")


def _start(key: str, text: str, end: int) -> int:
    """Where a token starts that ends at an offset; the text of some holds more than the source does."""
    if key in (INNER_COMMENT_KEY, "COMMENT"):
        text = text.removeprefix("<comment>").strip("\n")
    elif key == VERBATIM:
        text = text[len("<debug>") : -len("<debug>")].replace("<debug\\", "<debug")
    elif key == "FIELD_START":
        text = "{"
    return end - len(text)


class Located(str):
    """A text that knows where it starts."""

    start: int

    def __new__(cls, text: str, start: int) -> Located:
        """The text, which starts at an offset."""
        made = super().__new__(cls, text)
        made.start = start
        return made


class PythonReader(Reader):
    """Reads a Python program, whole or in pieces.

    A comment inside brackets goes to the first place where the grammar takes a comment and then the next token, though never
    into a string with fields that opens after it.

    >>> reader = PythonReader(Dialect.load("python"))
    >>> reader.feed("f(a, # why\\n  b)\\n")
    >>> reader.close()
    >>> [lexeme.text for lexeme in reader.stream.lexemes()]
    ['f', '(', 'a', ',', '<comment># why\\n', 'b', ')']
    """

    __slots__ = ("_comments", "_depth", "_located", "_marks", "_row", "_seen", "_strings", "lexer", "position", "stuck_at")

    def __init__(self, dialect: Dialect, *, located: bool = False) -> None:
        super().__init__(python_automaton(dialect))
        self.lexer = PythonLexer(self.automaton.tables)
        self._comments: list[str] = []  # that wait for their place
        self._strings = 0  # how many strings with fields have opened since
        # Before a field that keeps its text: the stack, and how many lexemes and waiting comments there were.
        self._marks: list[tuple[Node, Frames, int, int]] = []
        self.position = 0  # offset of the end of the last token that was read
        self.stuck_at: int | None = None  # offset of the token that cannot stand where it does, if one was found
        self._seen = 0  # how many lexemes of the stream have been looked at for ...
        self._depth = 0  # ... how many brackets are open after them
        self._row: int | None = None  # ... and where the first comma of a row stands that may be one of targets
        self._located = located  # the texts in the stream know where they start

    def feed(self, text: str, *, final: bool = False, cut: bool = False) -> None:
        """Read a piece of text, as far as no later piece can change how it reads; with ``cut`` all of it.

        Raises:
            StuckError: the text is not a program.
            LexError: it is not tokens.
        """
        refused: LexError | None = None
        try:
            self.lexer.feed(text, final=final, cut=cut)
        except LexError as error:
            refused, final = error, False  # what stands before it is read all the same
        keys, texts, ends = self.lexer.take(final=(final or cut) and refused is None)
        if self._located:
            texts = [Located(text, _start(key, text, end)) for key, text, end in zip(keys, texts, ends, strict=True)]
        rest = iter(keys)
        tokens = zip(rest, texts, strict=True)
        while (token := next(tokens, None) if self._comments else self.take(tokens)) is not None:
            if not self._odd(*token):
                at = len(keys) - length_hint(rest) - 1
                self.position = ends[at]
                self.stuck_at = ends[at] - len(texts[at])
                raise StuckError(self.stuck_at, self.expected())
        if ends:
            self.position = ends[-1]
        if refused is not None:
            raise refused

    def read_all(self, text: str) -> None:
        """Read a whole text at once.

        Raises:
            StuckError: the text is not a program.
            LexError: it is not tokens.
        """
        self.feed(text)
        self.close()

    def settled(self) -> int:
        """How many lexemes no later text can change. The commas of a row may turn out to stand between targets."""
        terminals = self.stream.terminals
        known = super().settled()
        for i in range(self._seen, known):
            terminal = terminals[i]
            if terminal in OPENING:
                self._depth += 1
            elif terminal in CLOSING:
                self._depth -= 1
            elif not self._depth:
                if terminal in ROW_BOUNDS:
                    self._row = None
                elif terminal == VALUE_SEP and self._row is None:
                    self._row = i
        self._seen = known
        return known if self._row is None else self._row

    def drop(self, count: int) -> None:
        """Forget lexemes at the beginning of the stream."""
        super().drop(count)
        self._seen -= count
        if self._row is not None:
            self._row -= count

    def close(self) -> None:
        """Read the end of the text.

        Raises:
            StuckError: the text is not a program.
            LexError: it is not tokens.
        """
        self.feed("", final=True)
        if self._comments or not self.end():
            raise StuckError(self.lexer.offset + len(self.lexer.buffer), self.expected())

    def _odd(self, key: Key, text: str) -> bool:
        """Read a token that the automaton does not take as it stands; whether it can stand there."""
        if key == INNER_COMMENT_KEY:
            if not self._comments:
                self._strings = 0
            self._comments.append(text)
        elif key == MARK:
            self._marks.append((self.node, self.frames, len(self.stream), len(self._comments)))
        elif key == VERBATIM:
            if not self.accepts("}"):
                return False
            self.node, self.frames, length, waiting = self._marks.pop()
            del self.stream.terminals[length:], self.stream.texts[length:], self._comments[waiting:]
            return self.push(("FIELD_START", "FIELD_VERBATIM"), ("{", text)) == 2
        else:
            self._place(key)
            self._strings += ("FSTRING_START" in str(key)) - (key in _QUOTES)
            return self.push((key,), (text,)) == 1
        return True

    def _place(self, key: Key) -> None:
        """Write the waiting comments, if the grammar takes them here and then this token."""
        if not self._comments or self._strings > 0 or not self.accepts("INNER_COMMENT", key):
            return
        first, *others = self._comments
        others = [
            f"<comment>\n{text[len('<comment>') :].lstrip(chr(10))}" for text in others
        ]  # on lines of their own, whatever they did before
        self._comments.clear()
        for text in (first, *others):
            self.push(("INNER_COMMENT",), (text,))


def python_automaton(dialect: Dialect) -> Automaton:
    """The automaton of Python, made once and kept with its tables."""
    tables = load_tables(dialect)
    if not isinstance(tables.automaton, Automaton):
        tables.automaton = Automaton(tables, {token: value if kind == "str" else token for token, (kind, value) in tables.patterns.items()})
    return tables.automaton
