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
from itertools import accumulate, islice

from simpy_grammar import python_tokens as tok
from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.python_brackets import (
    close_bracket,
    keep_text,
    never_closed,
    open_format,
    open_string,
    read_text,
    string_end,
)
from simpy_grammar.python_tokens import COMPILED, Bracket, LexError, token_pattern
from simpy_grammar.tables import Tables
from simpy_grammar.terminals import COMPOUND, SIMPLE, SOFT_KEYWORDS

_WINDOW, _LARGEST_WINDOW = 1024, 8192  # characters that are cut into pieces at once: at first, at most
_UNSURE = 4  # pieces at the end of a window that what follows may change: `1`, `e`, `-`, or a string
# How a string without fields begins that may go over several lines.
_LONG_STRING = later_pattern(r"[ \t\f]*(?:[rRuUbB]|[rR][bB]|[bB][rR])?('{3}|\"{3})")
_LONG, _PART = 16_384, 8  # text that waits for more is read again when a part of it more has arrived


class _Indent:
    """An open block.

    Attributes:
        column: of its first statement, with tabs to the next multiple of eight ...
        narrow: ... and with tabs as one column: both must say the same.
        inline: it stands on the line of its header.
        cases: it is the block of a match statement.
        text: what its lines, or the line of its header, are indented by.
    """

    __slots__ = ("cases", "column", "inline", "narrow", "text")

    def __init__(self, column: int, narrow: int, inline: bool, cases: bool, text: str) -> None:
        self.column = column
        self.narrow = narrow
        self.inline = inline
        self.cases = cases
        self.text = text


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
        self.at = 0  # where reading goes on in the buffer
        self.patterns = tables.patterns
        self._pieces = token_pattern(tables).findall
        self._ahead: tuple[list[str], list[int], int, int] = [], [], 0, 0  # pieces, where they end, of which window, how many are unsure
        self._grow = False  # a token is longer than the window
        self.brackets: list[Bracket | tuple[str, int]] = []
        self._indents = [_Indent(0, 0, False, False, "")]
        self._indent_text: str | None = ""  # what lines of the current block begin with; None if it ends with its line
        self._comments: list[tuple[int, str, int]] = []  # own-line comments before the next statement: column, text, end
        self._line_start = True  # at the start of a line, outside brackets
        self._first = False  # at the start of a statement
        self._fresh = False  # ... that is the first of its line, so that it may be a compound one
        self._simple = False  # the last statement is simple, and no comment ended its line: the next may need a separator
        self._header = ""  # the word of the header whose colon is still to come
        self._word = ""  # the word that the statement begins with
        self._opening = ""  # the word of the header whose block is to open
        self._lambdas = 0  # how many lambdas of the header wait for their colon
        self.before = 0  # how many tokens have been taken
        self.undecided: list[Bracket] = []  # open brackets whose tokens may still be put right, the outermost first
        self.fields = 0  # how many fields are open
        self._soft: int | None = None  # index of a `match` that may begin a statement
        self._last = ""  # the last key that was taken
        self._blank = True  # whether the current line is blank as far as it is not in the buffer any more
        self._waiting: list[str] = []  # pieces of text that wait for more
        self._quotes = ""  # those without which the string at the end of the buffer does not end
        self.cut = False  # the text stops here, and is not finished
        self._taken = 0  # offset of the end of the last token that was taken

    def feed(self, text: str, *, final: bool = False, cut: bool = False) -> None:
        """Lex a piece of text; with ``final`` the last one, with ``cut`` one whose last token is whole, though more may follow.

        Raises:
            LexError: the text is not tokens of Python.
        """
        self.cut = cut
        final = final or cut
        rest = len(self.buffer) - self.at
        if not final and self.stays_open(text):
            self._waiting.append(text)
            return
        if not final and rest > _LONG and _PART * (sum(map(len, self._waiting)) + len(text)) < rest:
            self._waiting.append(text)
            return
        field = next((b for b in self.undecided if b.kind == "field"), None)
        self._forget(self.at if field is None else min(self.at, field.offset - self.offset))
        self.buffer = "".join((self.buffer, *self._waiting, text))
        self._ahead = [], [], 0, 0
        self._waiting.clear()
        while self.at < len(self.buffer) or final:
            before = self.at, len(self.brackets), self._line_start, len(self.keys)
            if self.brackets and isinstance(top := self.brackets[-1], Bracket) and top.kind in ("text", "format"):
                read_text(self, top, final)
            elif self._line_start:
                if not self._start_line(final):
                    break
            else:
                self._tokens(final)
            if before == (self.at, len(self.brackets), self._line_start, len(self.keys)):
                break
        opening = None if self.in_string else _LONG_STRING.match(self.buffer, self.at)
        self._quotes = "" if opening is None or self.buffer.find(opening[1], opening.end()) >= 0 else opening[1]
        for bracket in self.undecided if cut else ():
            if bracket.owner == "with" and "as" in self.keys[bracket.index - self.before :]:
                self.keys[bracket.index - self.before] = "with("
        if final and not cut and self.at < len(self.buffer):
            raise self._unreadable(self.at)

    def stays_open(self, text: str) -> bool:
        """Whether a string over several lines is open, and goes on after some more text."""
        if not self._quotes or not text:
            return False
        return self._quotes not in "".join((self.buffer[-2:], *self._waiting[-2:]))[-2:] + text

    def _forget(self, end: int) -> None:
        """Drop the beginning of the buffer."""
        dropped = self.buffer[:end]
        self._blank = (self._blank or "\n" in dropped) and not dropped[dropped.rfind("\n") + 1 :].strip(" \t\f")
        self.buffer = self.buffer[end:]
        self.offset += end
        self.at -= end

    @property
    def end(self) -> int:
        """Offset of the end of what has arrived."""
        return self.offset + len(self.buffer)

    @property
    def rest(self) -> str:
        """What has arrived and is not lexed yet."""
        return "".join((self.buffer[self.at :], *self._waiting))

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
        top = self.brackets[-1] if self.brackets else None
        return string_end(self, top) if isinstance(top, Bracket) and top.kind == "text" else ""

    def is_string(self, text: str) -> bool:
        """Whether a text is a whole string without fields."""
        return COMPILED[self.patterns["STRING"][1]].fullmatch(text) is not None

    def take(self, *, final: bool = False) -> tuple[list[str], list[str], list[int]]:
        """The tokens that no later text can change, once."""
        settled = len(self.keys) if final else self._settled()
        taken = self.keys[:settled], self.texts[:settled], self.ends[:settled]
        self.before += settled
        if settled:
            self._last = next((key for key in reversed(taken[0]) if key != tok.INNER_COMMENT_KEY), self._last)
            del self.keys[:settled], self.texts[:settled], self.ends[:settled]
            self._taken = taken[2][-1]
            if self._soft is not None:
                self._soft -= settled
        return taken

    def _settled(self) -> int:
        """How many tokens are settled."""
        marks = []
        if self._soft is not None:
            marks.append(self._soft - (self._soft > 0 and self.keys[self._soft - 1] == "NEWLINE"))
        if self.undecided:
            marks.append(self.undecided[0].index - self.before)
        last = len(self.keys)
        while last and self.keys[last - 1] == tok.INNER_COMMENT_KEY:
            last -= 1
        if last and self.brackets and self.keys[last - 1] == ",":
            marks.append(last - 1)
        return min([len(self.keys), *marks])

    def add(self, key: str, text: str, end: int) -> None:
        """Add a token that ends at an offset of the buffer."""
        self.keys.append(key)
        self.texts.append(text)
        self.ends.append(self.offset + end)

    def insert(self, index: int, key: str) -> None:
        """Add a token without text before another one."""
        self.keys.insert(index, key)
        self.texts.insert(index, "")
        self.ends.insert(index, self.ends[index])

    def delete(self, index: int) -> None:
        """Take a token out."""
        del self.keys[index], self.texts[index], self.ends[index]

    def skip(self, pattern: str, at: int) -> int:
        """Where a pattern that matches everywhere ends."""
        match = COMPILED[pattern].match(self.buffer, at)
        return at if match is None else match.end()

    def error(self, at: int, message: str) -> LexError:
        """The error at an offset of the buffer."""
        return LexError(self.offset + at, message)

    def _unreadable(self, at: int) -> LexError:
        """What is wrong with text that is not a token."""
        char = self.buffer[at : at + 1]
        if char in "\"'" or re.match(rf"{tok.PREFIX}['\"]", self.buffer[at : at + 3]):
            return self.error(at, "unterminated string literal")
        if char == "\\":
            return self.error(at, "unexpected character after line continuation character")
        return self.error(at, "invalid syntax")

    def _start_line(self, final: bool) -> bool:
        """Read blank lines, comments and the indent of the next statement; whether that has begun."""
        buffer = self.buffer
        while True:
            match = COMPILED[tok.LINE].match(buffer, self.at)
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
                self.at = min(end + 1, len(buffer))
            elif end < len(buffer) and buffer[end] == "\n":
                self.at = end + 1
            else:
                break
            if self.at == len(buffer):
                if not final:
                    return False
                end, column = self.at, 0
                break
        if end == len(buffer) and self.cut:
            return False
        if end == len(buffer):  # the end of the text
            if self._opening:
                raise self.error(end, self._no_block())
            self._dedent(0, 0, end, clause=False)
            self._line_start = False
            self.at = end
            return False
        word = COMPILED[tok.CLAUSE].match(buffer, end)
        if word is not None and word.end() == len(buffer) and not final:
            return False
        if not final and len(buffer) - end < 8 and any(clause.startswith(buffer[end:]) for clause in tok.CLAUSES):
            return False
        self._indent(match[1], end, clause=word is not None)
        self._line_start = False
        self._first = self._fresh = True
        self.at = end
        return True

    def _no_block(self) -> str:
        return f"expected an indented block after {_described(self._opening)}"

    def _open_block(self, column: int, narrow: int, end: int, indent: str | None = None) -> None:
        text = self._indents[-1].text if indent is None else indent
        self._indents.append(_Indent(column, narrow, indent is None, self._opening == "match", text))
        self._opening = ""
        self.add("INDENT", "", end)
        self._simple = False

    def _write_comments(self, below: int = 0) -> None:
        """Write the own-line comments from that column on which are still to be placed."""
        while self._comments and self._comments[0][0] >= below:
            _, text, end = self._comments.pop(0)
            if self._simple:
                self.add("NEWLINE", "", end - self.offset - len(text))
                self._simple = False
            self.add("COMMENT", text, end - self.offset)

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
            raise self.error(at, "unindent does not match any outer indentation level" if outside else "unexpected indent")
        if block.narrow != narrow:
            raise self.error(at, "inconsistent use of tabs and spaces in indentation")
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
        self.add("DEDENT", "", at)
        self._simple = False

    def _tokens(self, final: bool) -> None:
        """Read tokens up to the start of a line or of a string with fields, or the end of what has arrived."""
        length, window = len(self.buffer), _WINDOW
        while self.at < length:
            pieces, ends, stop, held = self._ahead
            at = bisect_left(ends, self.at)
            if at < len(pieces) and ends[at] == self.at:  # cut already: what a piece is depends on where it begins only
                pieces, ends = pieces[at:], ends[at:]
            else:
                stop = min(length, self.at + window)
                pieces = self._pieces(self.buffer, self.at, stop)
                if stop < length and len(pieces) <= 2 * _UNSURE:
                    window *= 4
                    continue
                ends = [*accumulate(map(len, pieces), initial=self.at)]
                held = _UNSURE if stop < length else int(not final and pieces[-1] not in tok.SETTLED_AT_END)
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
                self.at = ends[-1]
                window = min(2 * window, _LARGEST_WINDOW)
        if final and not self._line_start and not self.cut:
            if self.brackets:
                raise never_closed(self)
            self._end_line(length, length)

    def _read(self, pieces: list[str], ends: list[int], more: bool, final: bool) -> bool:
        """Take tokens in; whether all were taken, and the next one is one of Python and not text of a string with fields."""
        base, brackets, keys = self.offset, self.brackets, self.keys
        add_key, add_text, add_end = keys.append, self.texts.append, self.ends.append
        skip, newline, opens, closes, inner_comment = tok.SKIP, tok.NEWLINE, tok.OPEN, tok.CLOSE, tok.INNER_COMMENT_KEY
        closer = tok.CLOSER
        kinds = tok.KINDS_IN_FIELD if self.fields else tok.KINDS
        first, word = self._first, self._word
        tokens = zip(map(kinds.__getitem__, pieces), pieces, islice(ends, 1, None), strict=True)
        for key, text, end in tokens:
            if key.__class__ is str and not first:
                add_key(key)
                add_text(text)
                add_end(base + end)
                continue
            if key == skip:
                continue
            if not first:
                if key == opens and (brackets or not word):
                    brackets.append((text, base + end - 1))
                    add_key(text)
                    add_text(text)
                    add_end(base + end)
                    continue
                if key == closes and brackets and (top := brackets[-1]).__class__ is tuple and closer[top[0]] == text:
                    brackets.pop()
                    if keys and keys[-1] == inner_comment:
                        self.comma_last()
                    add_key(text)
                    add_text(text)
                    add_end(base + end)
                    continue
            if key == newline:
                if not brackets:
                    if not self._end_line(end - len(text), end):
                        return False
                    first, word = True, ""
                continue
            went = 0
            if first and key != tok.COMMENT:
                went = self._start_statement(text, end - len(text), end, final)
                if went < 0:
                    self.at, self._first = end - len(text), True
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
                if brackets and (top := brackets[-1]).__class__ is Bracket and top.kind in ("text", "format"):
                    self.at = went
                    return False
            while end < went:
                following = next(tokens, None)
                if following is None:
                    break
                end = following[2]
            if end != went:
                self.at = went
                return False
        self._first = first
        return True

    def comma_last(self) -> None:
        """Comments between a comma and a closing bracket go before the comma."""
        at = len(self.keys)
        while at and self.keys[at - 1] == tok.INNER_COMMENT_KEY:
            at -= 1
        if at and self.keys[at - 1] == ",":
            for column in (self.keys, self.texts, self.ends):
                column.append(column.pop(at - 1))  # type: ignore[arg-type]  # three lists of two types

    def last_key(self) -> str:
        """The key of the last token that is not a comment in brackets."""
        for i in range(len(self.keys) - 1, -1, -1):
            if self.keys[i] != tok.INNER_COMMENT_KEY:
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
            del keys[-held:], self.texts[-held:], self.ends[-held:]
        self.at = at

    def more(self, at: int, final: bool) -> bool:
        """Whether what stands there is still to come."""
        return not final and (at == len(self.buffer) or self.ends_in("\\", at))

    def ends_in(self, sign: str, at: int) -> bool:
        """Whether this sign at an offset is the last of what has arrived."""
        return at + 1 == len(self.buffer) and self.buffer[at] == sign

    def _start_statement(self, text: str, start: int, end: int, final: bool) -> int:
        """Begin a statement; the offset after what was read of it, 0 if its first token is like any other, -1 to wait for more."""
        fresh = self._fresh
        statement = tok.STATEMENTS.get(text)
        if text in SOFT_KEYWORDS:
            is_keyword = self._is_keyword(text, end, final)
            if is_keyword is None:
                return -1
            statement = statement if is_keyword else None
        elif statement in COMPOUND and not fresh:
            statement = None
        self._first = self._fresh = False
        self._lambdas = 0
        if statement is None:
            if text == ";":
                self.add(text, text, end)
                return end
            self._separate(start)
            if text == "match" and fresh:
                self._soft = len(self.keys)
            if text == "@":
                self.add("^@", text, end)
                return end
            return 0
        self._word = text if text in ("def", "with", "from") else ""
        if statement in SIMPLE:
            self._simple = True
            return self._simple_statement(text, start, end, final)
        if statement in COMPOUND:
            self._header = text
            if text == "except":
                star = COMPILED[tok.STAR].match(self.buffer, end)
                at = self.skip(tok.SPACE_IN_LINE, end)
                if self.more(at, final) or (not final and self.ends_in("*", at)):
                    self._first = self._fresh = True
                    self._header = ""
                    return -1
                if star is not None:
                    self.add("^except*", "except*", star.end())
                    return star.end()
        else:
            self._first = True
            self._fresh = fresh
        self.add(f"^{text}", text, end)
        return end

    def _is_keyword(self, soft: str, end: int, final: bool) -> bool | None:
        """Whether a soft keyword is one where a statement begins; ``None`` if the word after it is still to come."""
        if soft not in tok.SOFT:
            return soft == "case" and self._fresh and self._indents[-1].cases
        after = COMPILED[tok.WORD_AFTER].match(self.buffer, end)
        if self.more(end if after is None else after.end(), final):
            return None
        return after is not None and after[1] is not None and tok.SOFT[soft](after[1])

    def _separate(self, at: int) -> None:
        """Begin a simple statement that no keyword begins."""
        if self._simple:
            self.add("NEWLINE", "", at)
        self._simple = True

    def _simple_statement(self, text: str, start: int, end: int, final: bool) -> int:
        buffer = self.buffer
        if text != "from":
            self.add(f"^{text}", text, end)
            return end
        future = COMPILED[tok.FUTURE].match(buffer, start)
        dots = COMPILED[tok.DOTS].match(buffer, end)
        begun = future or dots
        reached = self.skip(tok.SPACE, end) if begun is None else begun.end()
        if self.more(reached, final) or (not final and begun is None and COMPILED[tok.FUTURE_BEGUN].match(buffer, reached)):
            self._first = True
            self._fresh = False
            return -1
        if future is not None:
            self.add("^from __future__ import", "from __future__ import", future.end())
            return future.end()
        self.add("^from", text, end)
        if dots is not None:
            self.add("IMPORT_PREFIX", "." * dots[1].count("."), dots.end())
            return dots.end()
        return end

    def _end_line(self, start: int, end: int) -> bool:
        """End a logical line; whether the next one has begun, which it has not where comments come first."""
        if self._header:
            raise self.error(start, "expected ':'")
        if self._soft is not None:
            self._settle_match()
        self._word = ""
        buffer = self.buffer
        if end == len(buffer) or buffer[end] in "#\\":
            self._line_start, self._first = True, False
            self.at = (buffer.find("\n", start) + 1) or end
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
                raise self.error(at, self._no_block())
            if narrow <= self._indents[-1].narrow:
                raise self.error(at, "inconsistent use of tabs and spaces in indentation")
            self._open_block(column, narrow, at, indent)
            self._write_comments()
        self._indent_text = indent

    def _settle_match(self) -> None:
        """At the end of a line: whether ``match`` at its start began a statement, which the colon at its end says."""
        soft, self._soft = self._soft, None
        if soft is None or self.keys[-1] != ":" or len(self.keys) == soft + 1:
            return
        self.delete(-1)
        self.keys[soft] = "^match"
        if soft and self.keys[soft - 1] == "NEWLINE":
            self.delete(soft - 1)
        self._opening = "match"
        self._simple = False

    def _line_comment(self, text: str, end: int) -> None:
        """A comment at the end of a line."""
        self._settle_match()
        if self._header:
            raise self.error(end - len(text), "expected ':'")
        self.add("COMMENT", text + "\n", end)
        self._simple = False
        self._first = False

    def _inner_comment(self, text: str, end: int) -> None:
        """A comment inside brackets; whether it stands on a line of its own is part of its text."""
        start = end - len(text)
        before = self.buffer.rfind("\n", 0, start)
        line = self.buffer[before + 1 : start]
        own = (before >= 0 or self._blank) and not line.strip(" \t\f")
        self.add(tok.INNER_COMMENT_KEY, f"<comment>{chr(10) if own else ''}{text}\n", end)

    def _special(self, code: int, text: str, start: int, end: int, final: bool, more: bool) -> int:
        """Read a token that means more than itself; return where to go on, -1 if more must arrive first."""
        if code == tok.COLON and self._header and not self.brackets:
            return self._colon(text, start, end, final)
        if code in (tok.STRING, tok.FSTRING):
            return self._string(code, text, start, end, final)
        if code == tok.NUMBER:
            return self._number(text, start, end, final)
        if code == tok.COMMENT:
            if self.brackets:
                self._inner_comment(text, end)
            else:
                self._line_comment(text, end)
            return end
        if code == tok.BAD:
            return self._bad(start, final, more)
        if code == tok.ODD_NAME:
            char = next((char for char in text if not (char.isascii() or f"a{char}".isidentifier())), text[-1])
            raise self.error(start + text.index(char), f"invalid character '{char}' (U+{ord(char):04X})")
        if code == tok.OPEN:
            return self._open(text, start, end, final)
        if code == tok.CLOSE:
            return close_bracket(self, text, start, end, final)
        top = self.brackets[-1] if self.brackets else None
        field = top if isinstance(top, Bracket) and top.kind == "field" else None
        if code == tok.COLON:
            if field is not None:
                return open_format(self, field, start)
            return self._colon(text, start, end, final)
        if code == tok.LAMBDA:
            self._lambdas += not self.brackets
        elif code == tok.SEMICOLON:
            return self._semicolon(text, start, end)
        elif code in (tok.NOT, tok.IS):
            joined = self._joined(text, end)
            if joined < 0 and not final:
                return self.wait(start)
            if joined > 0:
                word = "not in" if code == tok.NOT else "is not"
                self.add(word, word, joined)
                return joined
        elif code == tok.BANG and field is not None:
            match = COMPILED[tok.CONVERSION].match(self.buffer, start)
            if match is None or (match.end() == len(self.buffer) and not final):
                return self.wait(start)
            keep_text(self, field, start)
            self.add("FIELD_CONVERSION", match[0], match.end())
            return match.end()
        elif code == tok.EQUALS and field is not None:
            at = self.skip(tok.SPACE, end)
            if self.more(at, final):
                return self.wait(start)
            if self.buffer[at : at + 1] in ("!", ":", "}") and self.buffer[at : at + 2] != "!=":
                field.verbatim = True
                return at
        self.add(text, text, end)
        return end

    def _string(self, code: int, text: str, start: int, end: int, final: bool) -> int:
        rest = self.buffer[end : end + 2]
        if code == tok.FSTRING and not final and len(rest) < 2 and rest == text[-1] * len(rest):
            return self.wait(start)  # the quotes may become three
        if self.last_key() in tok.STRING_KEYS:
            self.add("CONCAT", "", start)
        if code == tok.FSTRING:
            open_string(self, text, start)
        else:
            self.add("STRING", text, end)
        return end

    def _number(self, text: str, start: int, end: int, final: bool) -> int:
        buffer = self.buffer
        if text[0] == "0" and text.strip("0_").isdecimal() and text.replace("_", "").isdecimal():
            raise self.error(start, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
        if buffer[end : end + 1] in tok.BLANK and text.replace("_", "").isdecimal():
            dot = COMPILED[tok.NUMBER_DOT_IN_BRACKETS if self.brackets else tok.NUMBER_DOT].match(buffer, end)
            if dot is not None and (self.more(dot.end(), final) or (not final and self.ends_in(".", dot.end()))):
                return self.wait(start)
            if dot is not None and dot[1]:
                self.add("NUMBER", text, end)
                self.add("NUMBER_DOT", " .", dot.end())
                return dot.end()
        self.add("NUMBER", text, end)
        return end

    def _bad(self, start: int, final: bool, more: bool) -> int:
        """What is not a token, or one that has not come to its end."""
        if more:
            self._grow = True
            self.at = start
            return -1
        if final or not COMPILED[tok.MAY_GO_ON].match(self.buffer, start):
            raise self._unreadable(start)
        return self.wait(start)

    def wait(self, at: int) -> int:
        """Stop here, until more has arrived."""
        self._hold(at)
        return -1

    def _joined(self, word: str, end: int) -> int:
        """Where the second word of ``not in`` or ``is not`` ends: 0 if it is not there, -1 if it may still come."""
        second = "in" if word == "not" else "not"
        buffer = self.buffer
        at = self.skip(tok.SPACE if self.brackets else tok.SPACE_IN_LINE, end)
        if self.more(at, final=False):
            return -1
        if not buffer.startswith(second, at):
            return -1 if len(buffer) - at < len(second) and second.startswith(buffer[at:]) else 0
        if at + len(second) == len(buffer):
            return -1
        if re.match(tok.NAME_CHAR, buffer[at + len(second)]):
            return 0
        for comment in re.finditer(r"#[^\n]*", buffer[end:at]):
            self._inner_comment(comment[0], end + comment.end())
        return at + len(second)

    def _open(self, text: str, start: int, end: int, final: bool) -> int:
        """A bracket that may be the statement's own: the first one of ``def``, ``with`` or ``from ... import``."""
        owner = ""
        if text == "(" and self._word == "def":
            self._word = ""  # a bracket after the parameters is another
            at = self.skip(tok.SPACE_AND_LINES, end)
            if self.more(at, final):
                self._word = "def"
                return self.wait(start)
            if self.buffer[at : at + 1] == ")":
                self.add("()", "()", at + 1)
                return at + 1
        elif text == "(" and self.last_key() in ("^with", "import", "^from __future__ import"):
            owner = self._word
            self._word = ""
        if owner:
            self.undecided.append(Bracket(text, self.offset + start, self.before + len(self.keys), owner))
        self.brackets.append(self.undecided[-1] if owner else (text, self.offset + start))
        self.add(text, text, end)
        return end

    def _colon(self, text: str, start: int, end: int, final: bool) -> int:
        """A colon, which may end a header."""
        if self.brackets or text != ":" or self._lambdas or not self._header:
            self._lambdas -= self._lambdas > 0 and text == ":" and not self.brackets
            self.add(text, text, end)
            return end
        at = end
        if not self.buffer.startswith("\n", end):
            at = self.skip(tok.SPACE_IN_LINE, end)
            if self.more(at, final):
                return self.wait(start)
        self._opening, self._header = self._header, ""
        if self.buffer[at : at + 1] in ("#", "\n", ""):
            self._simple = False
            return end
        self._open_block(self._indents[-1].column + 1, self._indents[-1].narrow + 1, at)
        self._indent_text = None
        self._first, self._fresh = True, False
        return end

    def _semicolon(self, text: str, start: int, end: int) -> int:
        if self.brackets or self._header:
            self.add(text, text, end)
            return end
        self._soft = None
        self._word = ""
        self._first, self._fresh = True, False
        return end


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
