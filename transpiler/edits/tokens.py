"""Programs and pieces of programs as tokens that know where they stand, so that both can be compared whatever their layout.

The tokens are those of the lexer of Python: it knows lines, blocks, brackets and strings, and no grammar, so a piece of a
program has the same tokens as it has inside the program. A block start, a block end and a new line are tokens without text.
What a layout may write or leave out is not among them: a last comma that changes nothing, the parentheses of an import or a
``with``. A string with fields is one token, and so is the text of a comment.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_lexer import PythonLexer
from simpy_grammar.python_tokens import INNER_COMMENT_KEY
from simpy_grammar.table_cache import load_tables

INDENT, DEDENT, NEWLINE, COMMENT, INNER_COMMENT, STRING = "INDENT", "DEDENT", "NEWLINE", "COMMENT", INNER_COMMENT_KEY, "STRING"
LAYOUT = frozenset((INDENT, DEDENT, NEWLINE))
COMMENTS = frozenset((COMMENT, INNER_COMMENT))
FIELDS = "\x00"  # stands between the parts of a string with fields, in its word
OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = frozenset(OPENING.values())
# What an operand ends with: a bracket after it is a call or a subscript, and not a group.
OPERAND_ENDS = frozenset(("NAME", "NUMBER", STRING, ")", "]", "}", "True", "False", "None", "..."))
# Tokens in which blanks may stand, and what each begins with.
_WITH_BLANKS = {"is not": "is", "not in": "not", "()": "(", "^except*": "except"}
PREFIXES = frozenset(("^async", "^lazy"))
_DROPPED = frozenset(("import(", "import)", "with(", "with)", "with", "CONCAT"))
_DATA = frozenset(("NAME", "NUMBER", STRING, "IMPORT_PREFIX"))
_TURNS = LAYOUT | CLOSING | frozenset((*OPENING, "=", "in", "lambda", ":", ","))  # what may end a row, or mean something in a bracket
_AS_IT_IS, _WITH_TEXT, _SPECIAL = range(3)


def begins_statement(key: str) -> bool:
    """Whether a token begins a statement, whatever stands before it."""
    return key[0] == "^" and len(key) > 1 and key != "^="


class Tokens:
    """The tokens of a text, as parallel lists.

    Attributes:
        text: the text.
        keys: the kind of each token: the text itself for a word or a sign; ``^`` before a word that begins a statement.
        words: what is compared: kind and text in one, alike for tokens that say the same.
        starts: offsets of their first characters.
        ends: offsets after their last ones.
        has_fields: whether it holds a string with fields.
        tails: index of a token -> offset after the closing parenthesis of an import or a ``with`` that follows it.

    >>> tokens = Tokens("f(a, # why\\n  b,)")
    >>> [tokens.text[start:end] for start, end in zip(tokens.starts, tokens.ends)]
    ['f', '(', 'a', ',', '# why', 'b', ')']
    """

    __slots__ = ("_begins", "_lines", "_pairs", "ends", "has_fields", "keys", "starts", "tails", "text", "words")
    _kinds: ClassVar[dict[str, int]] = {}  # key -> how it is read

    def __init__(self, text: str, *, whole: bool = True) -> None:
        self.text = text
        self.keys: list[str] = []
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.tails: dict[int, int] = {}
        self._lines: list[int] = []
        self._begins: list[bool] = []
        self._pairs: dict[int, int] | None = None
        self.has_fields = False
        lexer = PythonLexer(load_tables(Dialect.load(PYTHON)))
        lexer.feed(text, final=whole, cut=not whole)
        self._read(lexer.keys, lexer.texts, lexer.ends)

    def __len__(self) -> int:
        return len(self.keys)

    def _read(self, keys: list[str], texts: list[str], ends: list[int]) -> None:
        add_key, add_word, add_start, add_end = self.keys.append, self.words.append, self.starts.append, self.ends.append
        tails: dict[int, int] = {}
        string = fields = 0  # of a string with fields: where it starts, how many are open ...
        parts: list[str] = []  # ... and what it says
        kinds = self._kinds
        for key, text, end in zip(keys, texts, ends, strict=True):
            kind = kinds.get(key)
            if kind is None:
                kind = kinds[key] = _kind(key)
            if kind != _SPECIAL and not fields:  # most tokens
                add_key(key)
                add_word(key if kind == _AS_IT_IS else f"{key} {text}")
                add_start(end - len(text))
                add_end(end)
                continue
            if key in _DROPPED:
                if key[-1] == ")":
                    if self.keys[-1] == ",":
                        del self.keys[-1], self.words[-1], self.starts[-1], self.ends[-1]
                    tails[self.ends[-1]] = end
                continue
            if "FSTRING_START" in key:
                if not fields:
                    string, parts = end - len(text), []
                fields += 1
                parts.append(text)
                continue
            if fields:
                parts.append(text)
                if key in ("'", '"', "'''", '"""'):
                    fields -= 1
                    if not fields:
                        add_key(STRING)
                        add_word(f"{STRING} {FIELDS.join(parts)}")
                        self.has_fields = True
                        add_start(string)
                        add_end(end)
                continue
            start = end - len(text)
            if key == "IMPORT_PREFIX":
                start = self.text.index(".", self.ends[-1])
                end = self.text.rindex(".", start, end) + 1
            if key in _WITH_BLANKS:
                start = self.text.rindex(_WITH_BLANKS[key], 0, end)
            if key == "()":
                for sign, at in (("(", start), (")", end - 1)):
                    add_key(sign)
                    add_word(sign)
                    add_start(at)
                    add_end(at + 1)
                continue
            if key in COMMENTS:
                text = text.removeprefix("<comment>").strip("\n")
                if key == COMMENT:
                    end = min(end, len(self.text))
                    end -= self.text[end - 1 : end] == "\n" and not self.text.endswith(text, 0, end)
                start = end - len(text)
                word = f"{COMMENT} {text}"
            else:
                word = f"{key} {text}" if key in _DATA else key
            add_key(key)
            add_word(word)
            add_start(start)
            add_end(end)
        self._read_brackets()
        if tails:
            self.tails = {i: tails[end] for i, end in enumerate(self.ends) if end in tails}

    def _read_brackets(self) -> None:
        """Tell calls and subscripts from groups, and take out the last commas that say nothing."""
        dropped: list[int] = []
        # Of each open bracket: whether a comma makes a tuple of one element, how many commas it has, how many lambdas have no colon yet.
        opened: list[tuple[bool, int, int]] = [(True, 0, 0)]
        calls: list[bool] = []
        before, last = "", -1
        for i, key in enumerate((*self.keys, NEWLINE)):
            if key not in _TURNS and key[0] != "^":
                before = key if key != INNER_COMMENT else before
                continue
            ends_row = len(opened) == 1 and (key in LAYOUT or (key in ("=", "in") and not opened[0][2]) or begins_statement(key))
            if ends_row or key in CLOSING:
                tuple_like, commas, _ = opened[-1]
                if before == "," and (commas > 1 or not tuple_like):
                    dropped.append(last)
            if key in OPENING:
                called = before in OPERAND_ENDS
                opened.append(((key == "(" and not called) or (key == "[" and called), 0, 0))
                calls.append(called)
                if called:
                    self.words[i] = f"call {key}"
            elif key in CLOSING and len(opened) > 1:
                opened.pop()
                if calls.pop():
                    self.words[i] = f"call {key}"
            elif key in ("lambda", ":", ","):
                tuple_like, commas, lambdas = opened[-1]
                lambdas = max(lambdas + (key == "lambda") - (key == ":"), 0)
                opened[-1] = tuple_like, commas + (key == "," and not lambdas), lambdas
                last = i
            elif ends_row:
                opened[-1] = True, 0, 0
            before = key
        for i in reversed(dropped):
            del self.keys[i], self.words[i], self.starts[i], self.ends[i]

    @property
    def begins(self) -> list[bool]:
        """For each token, whether it begins a row; new lines, block starts and block ends do not."""
        if len(self._begins) == len(self.keys):
            return self._begins
        found = self._begins
        depth, after_row = 0, True  # whether the token before ends a row
        before = NEWLINE
        for i, key in enumerate(self.keys):
            if key == COMMENT:
                found.append(self.begins_line(i))
                after_row = True
            elif key in LAYOUT:
                found.append(False)
                after_row = True
            else:
                found.append((after_row or (key[0] == "^" and begins_statement(key) and before not in PREFIXES)) and not depth)
                after_row = False
                if key in OPENING:
                    depth += 1
                elif depth and key in CLOSING:
                    depth -= 1
            before = key
        return found

    def line(self, offset: int) -> int:
        """The number of the line that holds an offset, from 1."""
        if not self._lines:
            at = 0
            self._lines.append(0)
            while (at := self.text.find("\n", at) + 1) > 0:
                self._lines.append(at)
        return bisect_right(self._lines, offset)

    def line_start(self, offset: int) -> int:
        """The offset of the first character of a line."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The offset of the line feed that ends a line, or of the end of the text."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def begins_line(self, token: int) -> bool:
        """Whether only blanks stand before a token on its line."""
        start = self.starts[token]
        line = self.line_start(start)
        joined = self.text[max(line - 2, 0) : line] == "\\\n" and not self._is_comment_before(token, line - 1)
        return not joined and not self.text[line:start].strip(" \t\f")

    def _is_comment_before(self, token: int, end: int) -> bool:
        """Whether what ends somewhere is a comment, so that a backslash at its end does not join lines."""
        before = token - 1
        while before >= 0 and self.starts[before] == self.ends[before]:
            before -= 1
        return before >= 0 and self.keys[before] in COMMENTS and self.ends[before] == end

    def indent(self, token: int) -> str:
        """What the line of a token begins with, up to the token if that begins the line."""
        start = self.starts[token]
        line = self.text[self.line_start(start) : start]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def pairs(self, start: int = 0, end: int | None = None) -> dict[int, int]:
        """Index of an opening bracket -> index of the one that closes it. Those of all tokens are found once."""
        if not start and end is None and self._pairs is not None:
            return self._pairs
        found: dict[int, int] = {}
        opened: list[int] = []
        for i in range(start, len(self.keys) if end is None else end):
            if self.keys[i] in OPENING:
                opened.append(i)
            elif self.keys[i] in CLOSING and opened:
                found[opened.pop()] = i
        if not start and end is None:
            self._pairs = found
        return found

    def is_inside(self, start: int, end: int) -> bool:
        """Whether some tokens stand inside of a bracket that is not among them."""
        return any(opening < start and end <= close for opening, close in self.pairs().items())


def _kind(key: str) -> int:
    """How tokens with a key are read: as they are, with their text, or otherwise."""
    if key in _DROPPED or key in _WITH_BLANKS or key in COMMENTS or key == "IMPORT_PREFIX" or "FSTRING_START" in key:
        return _SPECIAL
    return _WITH_TEXT if key in _DATA else _AS_IT_IS


def indent_width(text: str) -> int:
    """How many blanks a text begins with, empty lines aside.

    >>> indent_width("\\n  x")
    2
    """
    line = text.lstrip("\n")
    return len(line) - len(line.lstrip(" \t"))
