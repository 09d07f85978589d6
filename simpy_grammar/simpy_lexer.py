"""The lexer for every spelling of SimPy, and the reader that it feeds.

One pattern finds the tokens of a whole stretch of text, and the automaton takes them at once. Only where a token reads
otherwise in the state that the automaton is in, and in strings with fields, is it looked up by that state, one by one.
Text that arrives in pieces is read as far as no later piece can change how it reads.
"""

from __future__ import annotations

import re
from itertools import product

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import Automaton, Node, Reader, StuckError
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import END, Key, Tables
from simpy_grammar.terminals import DEFINITION, HEADER, OPEN
from simpy_grammar.terminals import named as terminals_named

# Tokens that the one pattern for all states tries first, in this order; literals come between the two groups.
_BEFORE_LITERALS = ("NUMBER_DOT", "NAME", "NUMBER", "STRING", "INNER_COMMENT")
_AFTER_LITERALS = ("COMMENT",)
_NUMBER, _STRING, _INNER_COMMENT, _HEADER_END, _LITERAL, _COMMENT = 3, 4, 5, 6, 7, 8  # groups of that pattern
_IN_ANGLES = "<[a-z_]+>"
_FSTRING_START = re.compile(r"(RAW_)?FSTRING_START_[1236]$")
_NAMED_CHARACTER = re.compile(r"\\(?:N(?:\{[^{}]*)?)?\Z")  # the beginning of \N{...} at the end of what has arrived
_GROWING = re.compile(r"[0-9.][0-9A-Za-z_.]*(?:(?<=[eE])[+-])?")  # what may still become a longer number
_WORD = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*")
_LONG_TOKEN, _PART = 16_384, 16  # a token longer than this is read again when a part of it more has arrived
_PIECE = 65_536  # characters of a whole text that are read at once


def _both_cases(*words: str) -> list[str]:
    return ["".join(letters) for word in words for letters in product(*((letter, letter.upper()) for letter in word))]


# Beginnings of tokens that are not literals: text that ends in one of these may still become another token.
_OPENERS = (
    "<comment>\n#",
    "<debug>",
    " .a",
    *(prefix + quote * 3 for quote in "\"'" for prefix in ("", *"rRbBuUfFtT", *_both_cases("rb", "br", "rf", "fr", "rt", "tr"))),
)


class SimPyAutomaton(Automaton):
    """The automaton of a dialect of SimPy, with the patterns of its tokens."""

    def __init__(self, tables: Tables) -> None:
        patterns = tables.patterns
        literals = {value: name for name, (kind, value) in patterns.items() if kind == "str" and not name.startswith("FSTRING_END")}
        starts = sorted((name for name in patterns if _FSTRING_START.match(name)), key=lambda name: -len(patterns[name][1]))
        texts = sorted(literals, key=lambda text: (-len(text), text))
        # Block starts that begin with a colon: in a field it is the colon alone, and what follows is the text of the format.
        ends = [text for text in texts if text.startswith(":") and len(text) > 1 and literals[text].endswith("BLOCK_START")]
        bodies = [[*map(re.escape, some)] for some in (ends, texts)]
        in_angles = [text for text in texts if text.startswith("<")]
        if in_angles and all(map(re.compile(_IN_ANGLES).fullmatch, in_angles)):  # one pattern for all is compiled sooner
            bodies[1] = [_IN_ANGLES, *(re.escape(text) for text in texts if not text.startswith("<"))]
        groups = [(name, patterns[name][1]) for name in _BEFORE_LITERALS]
        groups += [("", "|".join(some) or "(?!)") for some in bodies]
        groups += [(name, patterns[name][1]) for name in (*_AFTER_LITERALS, *starts)]
        self.scan = re.compile("|".join(f"({body})" for _, body in groups) + r"|([\s\S])")
        group_of = {name: i for i, (name, _) in enumerate(groups, 1) if name}
        keys: dict[str, Key] = {name: group_of.get(name, value if value in literals else name) for name, (_, value) in patterns.items()}
        super().__init__(tables, keys)
        self.first_start = _COMMENT + 1  # the first group of the openings of strings with fields
        self.open_texts = frozenset(text[:i] for text in (*texts, *_OPENERS) for i in range(1, len(text)))
        self.longest = max(map(len, (*texts, *_OPENERS)))
        self._by_state: dict[int, tuple[re.Pattern[str], list[str]]] = {}

    def pattern_of(self, state: int) -> tuple[re.Pattern[str], list[str]]:
        """The pattern for one state, in which only tokens that the parser can take there occur, and its groups."""
        if state not in self._by_state:
            patterns = self.tables.patterns

            def rank(name: str) -> tuple[bool, bool, int, str]:
                """Patterns before the literals that they begin with, but the brace of a field after the text that may hold two."""
                literal = patterns[name][0] == "str"
                return literal or name == "FIELD_START", literal, -len(patterns[name][1]), name

            ordered = sorted((str(name) for name in self.tables.actions[state] if name != END), key=rank)
            bodies = (patterns[name][1] if patterns[name][0] == "re" else re.escape(patterns[name][1]) for name in ordered)
            self._by_state[state] = re.compile("|".join(f"({body})" for body in bodies) or "(?!)"), ordered
        return self._by_state[state]


def simpy_automaton(dialect: Dialect) -> SimPyAutomaton:
    """The automaton of a dialect, made once and kept with its tables.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    tables = load_tables(dialect)
    if not isinstance(tables.automaton, SimPyAutomaton):
        tables.automaton = SimPyAutomaton(tables)
    return tables.automaton


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

    __slots__ = ("_arrived", "_awaited", "_fields", "_pieces", "buffer", "position")
    automaton: SimPyAutomaton

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(simpy_automaton(dialect))
        self.buffer = ""
        self.position = 0
        self._fields = 0  # how many strings with fields are open
        self._awaited = ""  # the characters without which what is open at the end of ``buffer`` cannot end ...
        self._pieces: list[str] = []  # ... and what has arrived since without any of them
        self._arrived = 0  # length of the pending pieces, in characters

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

    def read_all(self, text: str) -> None:
        """Read a whole text at once.

        Raises:
            StuckError: the text is not in the language.
        """
        for start in range(0, len(text), _PIECE):
            self.feed(text[start : start + _PIECE])
        self.close()

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
        keys: list[Key] = []
        texts: list[str] = []
        add_key, add_text = keys.append, texts.append
        string, literal, header_end, comment = _STRING, _LITERAL, _HEADER_END, _COMMENT
        end = len(buffer)
        for match in self.automaton.scan.finditer(buffer, start):
            key: int = match.lastindex  # type: ignore[assignment]  # a match has a group
            text = match[0]
            if header_end <= key <= literal:
                add_key(text)
            elif key <= string or key == comment:
                add_key(key)
            else:
                end = match.start()
                break
            add_text(text)
        if not final:
            end = self._settled(buffer, keys, texts, end)
        read = self.push(keys, texts)
        return end if read == len(keys) else start + sum(map(len, texts[:read]))

    def _settled(self, buffer: str, keys: list[Key], texts: list[str], end: int) -> int:
        """Drop the tokens at the end of a stretch that what comes next may change; return where they begin."""
        length = len(buffer)
        careful, almost = length - self.automaton.longest, length - 2
        first = len(keys)
        while first and (end >= almost or end - len(texts[first - 1]) >= careful):
            first -= 1
            end -= len(texts[first])
        for i in range(first, len(keys)):
            if not self._is_settled(buffer, end, end + len(texts[i]), keys[i]):
                del keys[i:], texts[i:]
                break
            end += len(texts[i])
        return end

    def _is_settled(self, buffer: str, start: int, end: int, key: Key | None) -> bool:
        """Whether no later text can make the token between two offsets another one."""
        tail = buffer[start : start + self.automaton.longest + 1]
        if tail in self.automaton.open_texts:
            return False
        if key == _NUMBER and len(buffer) - end <= 2 and _GROWING.fullmatch(buffer, start):
            return False
        if end < len(buffer):
            return True
        if key in (_INNER_COMMENT, _COMMENT):
            return buffer.endswith("\n")
        return key in (_STRING, _HEADER_END) or (isinstance(key, str) and not _WORD.match(key[-1]))

    def _one(self, buffer: str, start: int, final: bool) -> int:
        """Read one token by the state that the automaton is in; return where it ends, or ``start`` if that is not settled."""
        automaton = self.automaton
        match = automaton.scan.match(buffer, start)
        assert match is not None  # noqa: S101  # its last alternative takes any character
        key: Key | None = match.lastindex
        end, text = match.end(), match[0]
        named = text if key == _LITERAL else key
        if not final and not self._is_settled(buffer, start, end, named):
            return start
        if key == _HEADER_END:
            named = text = text[0] if innermost(self) == "FIELD_START" else text
            end = start + len(text)
        elif key == _INNER_COMMENT and not innermost(self):  # only there may a comment stand inside a statement
            raise self._stuck(start)
        if not self.accepts(named):  # type: ignore[arg-type]  # a match has a group
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
            token = groups[own.lastindex - 1]  # type: ignore[operator]  # as above
            named = automaton.key_of[token]
            self._fields -= token.startswith("FSTRING_END")
            if not self.accepts(named):
                raise self._stuck(start)
        self._fields += isinstance(named, int) and named >= automaton.first_start
        self.push((named,), (text,))  # type: ignore[arg-type]  # as above
        return end

    def _unfinished(self, buffer: str, start: int) -> bool:
        """Whether text that is not a token yet may become one: an open string, a piece of a special token or of a name."""
        tail = buffer[start : start + 3].lstrip("rRbBuUfFtT")
        word = _WORD.match(buffer, start)
        if (word is not None and word.end() == len(buffer)) or _NAMED_CHARACTER.match(buffer, start):
            return True
        if tail[:1] in ("'", '"') and len(buffer) - start > 3:
            self._awaited = tail[0] if buffer.startswith(tail[0] * 3, buffer.index(tail[0], start)) else tail[0] + "\n"
        return tail[:1] in ("'", '"') or buffer[start:] in self.automaton.open_texts or buffer.startswith("<debug>", start)


BRACKETS = frozenset((*terminals_named(OPEN), "FIELD_START"))
STATEMENTS = frozenset(("LINE_SEP", "BLOCK_START", "BLOCK_END", *terminals_named(HEADER, DEFINITION)))


def innermost(reader: Reader) -> str:
    """The innermost bracket that is open in the current statement, as a terminal; empty if there is none."""
    node: Node | None = reader.node
    frames = reader.frames
    while node is not None:
        shifted = reader.automaton.tables.shifted[node.state]
        if shifted in BRACKETS:
            return str(shifted)
        if shifted in STATEMENTS:
            return ""
        node = node.below
        if node is None and frames is not None:
            node, frames = frames
    return ""
