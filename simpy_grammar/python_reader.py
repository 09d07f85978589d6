"""The reader of Python: the tokens of the lexer go to the automaton, and comments inside brackets to their place."""

from __future__ import annotations

from simpy_grammar.dialect import Dialect
from simpy_grammar.python_lexer import PythonLexer
from simpy_grammar.python_tokens import INNER_COMMENT_KEY, MARK, QUOTES, VERBATIM, LexError
from simpy_grammar.reader import CLOSING, OPENING, ROW_BOUNDS, VALUE_SEP, Automaton, Frames, Node, Reader, StuckError
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import Key

_WINDOW = 512  # tokens that are read at once: what follows an odd one is looked at again


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
        codes = "".join(map(self.automaton.codes.__getitem__, keys))
        at, count = 0, len(keys)
        while at < count:
            if not self._comments:
                end = min(at + _WINDOW, count)
                at += self.take(codes[at:end], texts[at:end])
                if at == end:
                    continue
            if not self._odd(keys[at], texts[at]):
                self.position = ends[at]
                self.stuck_at = ends[at] - len(texts[at])
                raise StuckError(self.stuck_at, self.expected())
            at += 1
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
            raise StuckError(self.lexer.end, self.expected())

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
            self._strings += ("FSTRING_START" in str(key)) - (key in QUOTES)
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
    made = tables.automata.get(0)
    if not isinstance(made, Automaton):
        made = Automaton(tables, {token: value if kind == "str" else token for token, (kind, value) in tables.patterns.items()})
        tables.automata[0] = made
    return made
