"""The lexer for every spelling of SimPy, and the reader that it feeds.

One pattern finds the tokens of a whole stretch of text, and the automaton takes them at once. Only where a token reads
otherwise in the state that the automaton is in, and in strings with fields, is it looked up by that state, one by one.
Text that arrives in pieces is read as far as no later piece can change how it reads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from simpy_grammar.aliases import BEGUN_ALIAS, AliasError, Bindings
from simpy_grammar.dialect import Dialect
from simpy_grammar.implied_closers import implied_closers
from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.reader import Node, Reader, StuckError
from simpy_grammar.simpy_tokens import WORD, SimPyAutomaton, opening_of
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import CLOSE, DEFINITION, HEADER, OPEN
from simpy_grammar.terminals import named as terminals_named

_NAMED_CHARACTER = later_pattern(r"\\(?:N(?:\{[^{}]*)?)?\Z")  # the beginning of \N{...} at the end of what has arrived
_GROWING = later_pattern(r"[0-9.][0-9A-Za-z_.]*(?:(?<=[eE])[+-])?")  # what may still become a longer number
_LONG_TOKEN, _PART = 16_384, 16  # a token longer than this is read again when a part of it more has arrived
_PIECE = 65_536  # characters of a whole text that are read at once
_WINDOW = 4096  # characters that are cut into tokens at once


def simpy_automaton(dialect: Dialect) -> SimPyAutomaton:
    """The automaton of a dialect, made once and kept with its tables.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    tables = load_tables(dialect)
    made = tables.automata.get(dialect.aliases)
    if not isinstance(made, SimPyAutomaton):
        made = tables.automata[dialect.aliases] = SimPyAutomaton(tables, implied_closers(dialect), dialect.aliases)
    return made


_Tokens = tuple[list[str], list[int], str]  # texts, offsets of where they start and the last one ends, codes
_NO_TOKENS: _Tokens = [], [], ""


class SimPyReader(Reader):
    """Reads a text of a dialect of SimPy, whole or in pieces.

    Attributes:
        buffer: what has arrived and is not read yet.
        position: offset of its first character in the whole text.

    >>> reader = SimPyReader(Dialect.load("classic"))
    >>> reader.feed("<return>a")
    >>> reader.feed("b")
    >>> reader.buffer, [lexeme.text for lexeme in reader.stream.lexemes()]
    ('ab', ['<return>'])
    """

    __slots__ = ("_ahead", "_arrived", "_awaited", "_bindings", "_fields", "_pieces", "buffer", "position")
    automaton: SimPyAutomaton

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(simpy_automaton(dialect))
        self.buffer = ""
        self.position = 0
        self._fields = 0  # how many strings with fields are open
        self._awaited = ""  # the characters without which what is open at the end of ``buffer`` cannot end ...
        self._pieces: list[str] = []  # ... and what has arrived since without any of them
        self._arrived = 0  # length of the pending pieces, in characters
        self._ahead = _NO_TOKENS
        self._bindings = Bindings(dialect.aliases) if dialect.aliases else None

    def feed(self, text: str) -> None:
        """Read a piece of text, as far as no later piece can change how it reads.

        Raises:
            StuckError: the text is not in the language.
        """
        if self._awaited and any(char in text for char in self._awaited):
            self._awaited = ""
        if self._awaited or len(self.buffer) > _LONG_TOKEN:
            self._arrived += len(text)
            # A token of many pieces is not read again for each of them, so that the time stays linear in its length.
            if self._awaited or _PART * self._arrived < len(self.buffer):
                self._pieces.append(text)
                return
        self._read(self._joined(text), final=False)

    def close(self) -> None:
        """Read what is left, as the end of the text.

        Raises:
            StuckError: the text is not in the language, or stops in the middle of something.
        """
        self._read(self._joined(""), final=True)
        if not self.end():
            raise self._stuck(0)

    def may_end(self) -> bool:
        """Whether the text may end here."""
        return super().may_end() or self.accepts(*self._closers(END), END)

    def end(self) -> bool:
        """Read the end of the text; whether it may end here."""
        closers = self._closers(END)
        if closers and not self.accepts(END) and self.accepts(*closers):  # then an error speaks of what else is missing
            self.push(closers, ("",) * len(closers))
        return super().end()

    def _close_brackets(self, key: Key) -> bool:
        """Close the brackets that a token implies where it is refused; whether it can stand there then."""
        closers = self._closers(key)
        return bool(closers) and self.accepts(*closers, key) and self.push(closers, ("",) * len(closers)) == len(closers)

    def _closers(self, key: Key) -> list[str]:
        """The closing brackets that a token implies: those of all that is open, if the token ends a statement."""
        implied = self.automaton.implied
        return implied.before(key, open_brackets(self)) if key in implied.ends else []

    def read_all(self, text: str) -> None:
        """Read a whole text at once.

        Raises:
            StuckError: the text is not in the language.
        """
        for start in range(0, len(text), _PIECE):
            self.feed(text[start : start + _PIECE])
        self.close()

    @property
    def in_string(self) -> bool:
        """Whether what has arrived ends inside of a string."""
        if self._fields:
            return True
        openings = self.automaton.openings
        for match in self.automaton.scan.finditer(self.buffer):
            text = match[1]
            if text is None:
                if match[0] in "'\"":
                    return True
            elif self._key_of(text) in openings and text == opening_of(text):
                return True
        return False

    def _joined(self, text: str) -> str:
        """What is not yet read, up to and with ``text``."""
        if not self._pieces:
            return self.buffer + text
        joined = "".join((self.buffer, *self._pieces, text))
        self._pieces.clear()
        self._awaited = ""
        self._arrived = 0
        return joined

    def _stuck(self, offset: int) -> StuckError:
        return StuckError(self.position + offset, self.expected())

    def _read(self, buffer: str, final: bool) -> None:
        start, length = 0, len(buffer)
        self._ahead = _NO_TOKENS
        try:
            while start < length:
                if not self._fields:
                    start = self._stretch(buffer, start, final)
                    if start == length:
                        break
                end = self._one(buffer, start, final)
                if end == start:
                    break
                start = end
        finally:
            self.position += start
            self.buffer = buffer[start:]

    def _stretch(self, buffer: str, start: int, final: bool) -> int:
        """Read tokens that read alike in every state; return where the next one, which may not, begins."""
        comment = self.automaton.codes["INNER_COMMENT"]
        while True:
            texts, ends, codes = self._tokens(buffer, start, final)
            at = bisect_left(ends, start)
            odd = self.automaton.odd.search(codes, at + (codes.startswith(comment, at) and bool(innermost(self))))
            end = len(codes) if odd is None else odd.start()
            if end == at:
                return start
            read = at + self._take(codes[at:end], texts[at:end], ends[at:end])
            start = ends[read]
            if read < end and self._close_brackets(self.automaton.decoded[codes[read]]):
                continue
            if read < end or (odd is not None and codes[end] != comment):
                return start

    def _take(self, codes: str, texts: list[str], starts: list[int]) -> int:
        """Read tokens, as ``take`` does, and names in place of their aliases."""
        if self._bindings is None:
            return self.take(codes, texts)
        name = self.automaton.codes["NAME"]
        names, message, hint = self._bindings.resolve(texts, [code == name for code in codes])
        read = self.take(codes[: len(names)], names)
        if read == len(names) < len(texts):
            raise AliasError(self.position + starts[read] + texts[read].index("<"), message, hint)
        self._bindings.forget(names[read:])
        return read

    def _tokens(self, buffer: str, start: int, final: bool) -> _Tokens:
        """Tokens that read alike in every state, as far as they are settled. One starts here, unless that is where they end."""
        ends = self._ahead[1]
        at = bisect_left(ends, start)
        if at + 1 < len(ends) and ends[at] == start:  # cut already: what a token is depends on where it begins only
            return self._ahead
        automaton, length = self.automaton, len(buffer)
        stop = min(length, start + _WINDOW)
        texts = automaton.scan.findall(buffer, start, stop)
        if "" in texts:
            del texts[texts.index("") :]
        ends = [*accumulate(map(len, texts), initial=start)]
        if stop < length or not final:  # what comes next may change these
            count = max(min(bisect_left(ends, stop - automaton.margin) - 1, bisect_left(ends, stop - automaton.longest)), 0)
            while (
                stop == length and count < len(texts) and self._is_settled(buffer, ends[count], ends[count + 1], self._key_of(texts[count]))
            ):
                count += 1
            del texts[count:], ends[count + 1 :]
        codes = "".join(map(automaton.token_codes.__getitem__, texts))
        self._ahead = texts, ends, codes
        return self._ahead

    def _is_settled(self, buffer: str, start: int, end: int, key: Key | None) -> bool:
        """Whether no later text can make the token between two offsets another one."""
        tail = buffer[start : start + self.automaton.longest + 1]
        if tail in self.automaton.open_texts:
            return False
        if self._bindings is not None and key == "NAME":
            if buffer[end - 1] == ">":
                return True
            if len(buffer) - end < self.automaton.margin and BEGUN_ALIAS.match(buffer, end):
                return False
        if key == "NUMBER" and len(buffer) - end <= 2 and _GROWING.fullmatch(buffer, start):
            return False
        if end < len(buffer):
            return True
        if key in ("INNER_COMMENT", "COMMENT"):
            return buffer.endswith("\n")
        if key in ("STRING", *self.automaton.header_ends):
            return True
        return key == buffer[start:end] and not WORD.match(key[-1])

    def _one(self, buffer: str, start: int, final: bool) -> int:
        """Read one token by the state that the automaton is in; return where it ends, or ``start`` if that is not settled."""
        automaton = self.automaton
        match = automaton.scan.match(buffer, start)
        assert match is not None  # noqa: S101  # its last alternative takes any character
        text = match[1] or ""
        key = self._key_of(text) if text else ""
        if key in automaton.openings:
            text = opening_of(text)
        end = start + len(text or match[0])
        if not final and not self._is_settled(buffer, start, end, key):
            return start
        if text in automaton.header_ends:
            key = text = text[0] if innermost(self) == "FIELD_START" else text
            end = start + len(text)
        elif key == "INNER_COMMENT" and not innermost(self):  # only there may a comment stand inside a statement
            raise self._stuck(start)
        if not self.accepts(key) and not self._close_brackets(key):
            if end == len(buffer) and not final:
                return start
            # The state reads this text in a way of its own, or not at all.
            pattern, groups = automaton.pattern_of(self.node.state)
            own = pattern.match(buffer, start)
            if own is None or own.end() == start:
                if not final and self._unfinished(buffer, start):
                    return start
                raise self._stuck(start)
            end, text = own.end(), own[0]
            if end == len(buffer) and not final:
                return start
            token = groups[own.lastindex - 1]  # type: ignore[operator]  # a match has a group
            key = automaton.key_of[token]
            self._fields -= token.startswith("FSTRING_END")
            if not self.accepts(key):
                raise self._stuck(start)
        self._fields += key in automaton.openings
        self._take(self.automaton.codes[key], [text], [start])
        return end

    def _key_of(self, text: str) -> Key:
        """The key of a token that reads alike in every state."""
        return self.automaton.decoded[self.automaton.token_codes[text]]

    def _unfinished(self, buffer: str, start: int) -> bool:
        """Whether text that is not a token yet may become one: an open string, a piece of a special token or of a name."""
        tail = buffer[start : start + 3].lstrip("rRbBuUfFtT")
        word = WORD.match(buffer, start)
        if (word is not None and word.end() == len(buffer)) or _NAMED_CHARACTER.match(buffer, start):
            return True
        if tail[:1] in ("'", '"') and len(buffer) - start > 3:
            self._awaited = tail[0] if buffer.startswith(tail[0] * 3, buffer.index(tail[0], start)) else tail[0] + "\n"
        return tail[:1] in ("'", '"') or buffer[start:] in self.automaton.open_texts or buffer.startswith("<debug>", start)


BRACKETS = frozenset((*terminals_named(OPEN), "FIELD_START"))
_CLOSING = frozenset(terminals_named(CLOSE))
STATEMENTS = frozenset(("LINE_SEP", "BLOCK_START", "BLOCK_END", *terminals_named(HEADER, DEFINITION)))


def innermost(reader: Reader) -> str:
    """The innermost bracket that is open in the current statement, as a terminal; empty if there is none."""
    return next(open_brackets(reader), "")


def open_brackets(reader: Reader) -> Iterator[str]:
    """The brackets that are open in the current statement, as terminals, the innermost first."""
    node: Node | None = reader.node
    frames = reader.frames
    names = reader.automaton.tables.shifted
    # Only the next token reduces a bracket that has just been closed.
    is_closed = names[reader.node.state] in _CLOSING
    while node is not None:
        shifted = names[node.state]
        if shifted in BRACKETS and not is_closed:
            yield str(shifted)
        is_closed = is_closed and shifted not in BRACKETS
        if shifted in STATEMENTS:
            return
        node = node.below
        if node is None and frames is not None:
            node, frames = frames
