"""The lexer of Python, one symbol at a time, over the tables of ``simpy_grammar.lines``.

What lies between tokens depends on the brackets around it, so code has several modes:

    OUTSIDE_MODE    a line end is a token; blanks, comments and joined lines are skipped
    BRACKET_MODE    line ends are skipped, too
    FIELD_MODE      likewise in a field of a string, where a colon begins a format
    LINE_MODE       at the beginning of a line: the indent counts, and blank lines do not

A closing bracket leads to each of the first three, with a question to the parser about the brackets that are left. A text that has several
keys, such as ``match`` or ``(`` after ``with``, leads to a branch for each: they are followed side by side until one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from simpy_grammar.lines import lines_dialect
from simpy_grammar.python_tokens import NAME_CHAR
from simpy_grammar.reader import Automaton
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import Key, Rows
from tokenizer_ext.constrain.layouts import BEGUN, DEDENT, INDENT, LAYOUT, NEWLINE, TAB, Indent, blanks
from tokenizer_ext.constrain.lexer import (
    CODE,
    IN_CODE_BRACKET,
    IN_FIELD,
    NOT_CODE,
    OUTSIDE,
    Branches,
    Edge,
    Lexer,
    LexerState,
    Path,
)
from tokenizer_ext.constrain.patterns import Pattern, literal, parse

OUTSIDE_MODE, BRACKET_MODE, FIELD_MODE, LINE_MODE, PREFIX_MODE = CODE, "(", "{", "\n", "IMPORT_PREFIX"
_BLANKS = {OUTSIDE_MODE: " \t\f", PREFIX_MODE: " \t\f", BRACKET_MODE: " \t\f\n", FIELD_MODE: " \t\f\n"}
_OPENING = frozenset(("(", "[", "{", "with("))
_CLOSING = frozenset((")", "]", "}", "with)"))
_NOT_IN_BRACKETS = frozenset((NEWLINE, "except*", "from __future__ import"))
# Keys that a mode of code does not have. Where a field is the innermost bracket, only the field can be closed.
_LEFT_OUT = {
    OUTSIDE_MODE: _CLOSING,
    BRACKET_MODE: _NOT_IN_BRACKETS,
    FIELD_MODE: _NOT_IN_BRACKETS | {":="} | _CLOSING - {"}"},
}
_AROUND = ((OUTSIDE, OUTSIDE_MODE), (IN_CODE_BRACKET, BRACKET_MODE), (IN_FIELD, FIELD_MODE))
_NO_SOURCE = "\r\0"  # Python reads the first as the end of a line, and reads no source that holds the second
_BLANKS_IN_LINE, _BLANKS_AND_LINES = (re.compile(rf"(?:{one}|\\\n|#[^\n]*)*") for one in (r"[ \t\f]", r"[ \t\f\n]"))
_BLANKS_AT_END = re.compile(r"(?:[ \t\f]|\\\n)+\Z")

_JOINED = r"(?:[ \t\x0c]|\\\n)"
_DIGITS, _AFTER_NUMBER = r"[0-9](?:_?[0-9])*", r"and|else|for|if|in|is|not|or"
_EXPONENT = rf"[eE][+-]?{_DIGITS}"
_WORD_END = rf"(?:(?!{NAME_CHAR})|(?={_AFTER_NUMBER}))"
# Patterns of the keys that differ from their text, and of tokens that are written differently here than in ``simpy_grammar``.
_PATTERNS = {
    NEWLINE: r"\n",
    "except*": rf"except{_JOINED}*\*(?!\*)",
    "from __future__ import": rf"from{_JOINED}+__future__{_JOINED}+import",
    "with(": r"\(",
    "with)": r"\)",
    ".": r"\.(?![0-9])",
    "IMPORT_PREFIX": rf"\.(?:{_JOINED}*\.)*",
    "NUMBER": (
        rf"(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|{_DIGITS}[jJ])(?:{_WORD_END})"
        rf"|(?:0(?:_?0)*|[1-9](?:_?[0-9])*)(?!\.)(?:{_WORD_END})"
        rf"|(?:(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS})(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT})[jJ]?(?:{_WORD_END})"
    ),
}

BLANK, COMMENT, BACKSLASH, JOINED = range(4)
"""What came last between two tokens: blanks or nothing, a comment, a backslash, a line joined to the next."""


class Between(LexerState):
    """A state between two tokens, after more than blanks or at the beginning of a line.

    Attributes:
        kind: what came last, one of the constants above.
        indent: the columns that have been reached at the beginning of a line.
        joined: the column at which the line was first joined to the next, which is then its indent; 0 if it was not joined.
    """

    __slots__ = ("indent", "joined", "kind")

    def __init__(self, number: int, mode: str, kind: int, indent: Indent, joined: int) -> None:
        super().__init__(number, mode, (), "")
        self.kind = kind
        self.indent = indent
        self.joined = joined

    @property
    def details(self) -> tuple[object, ...]:  # type: ignore[override]  # a value there
        """The kind and the indents."""
        return self.kind, self.indent, self.joined

    @property
    def is_start(self) -> bool:
        """Whether nothing has come since the last token but what may stand between two."""
        return not self.ends_statement

    @property
    def is_whole(self) -> bool:
        """Whether the next token may follow at once: a comment has to be ended, and a joined line to go on."""
        return self.kind == BLANK

    @property
    def ends_statement(self) -> bool:
        """Whether only the end of the line may follow: after a comment outside of brackets."""
        return self.kind == COMMENT and self.mode in (OUTSIDE_MODE, PREFIX_MODE)

    @property
    def layout(self) -> Indent:
        """The indent of a line whose first token comes now."""
        return (self.joined, self.joined) if self.joined else self.indent


class PythonLexer(Lexer):
    r"""The lexer of Python.

    >>> lexer = PythonLexer()
    >>> state, keys = lexer.beginning, []
    >>> for symbol in "if a:\n  b":
    ...     path, state = lexer.step(state, symbol)[0]
    ...     keys += [edge.layout or edge.key for edge in path]
    >>> keys
    [(0, 0), 'if', 'NAME', ':', 'NEWLINE', (2, 2)]
    """

    is_exclusive = False
    indents = ((0, 0),)
    told_apart = " \t\f\n#\\\r\0"
    never = _NO_SOURCE

    def __init__(self) -> None:
        dialect = lines_dialect()
        tables = load_tables(dialect)
        self._between: dict[tuple[str, int, Indent, int], Between] = {}
        automaton = Automaton(tables, {token: value if kind == "str" else token for token, (kind, value) in tables.patterns.items()})
        super().__init__(dialect, automaton, code=(OUTSIDE_MODE, BRACKET_MODE, FIELD_MODE))
        self.fresh = frozenset(
            {0, *(target for row in map(automaton.rows.__getitem__, range(len(tables))) if (target := row.get(NEWLINE, -1)) >= 0)}
        )
        self.rows = Rows(self._row)

    def _row(self, state: int) -> dict[Key, int]:
        row = self.automaton.rows[state]
        return {**row, LAYOUT: 0, BEGUN: 0} if state in self.fresh else row

    @property
    def beginning(self) -> LexerState:
        """The state at the beginning of a text."""
        return self.between(LINE_MODE)

    def between(self, mode: str, kind: int = BLANK, indent: Indent = (0, 0), joined: int = 0) -> LexerState:
        """The state between two tokens in a mode."""
        if kind == BLANK and mode != LINE_MODE:
            return self.start(mode)
        key = mode, kind, indent, joined
        found = self._between.get(key)
        if found is None:
            found = self._between[key] = Between(len(self.states), *key)
            self.states.append(found)
        return found

    def step(self, state: LexerState, symbol: str) -> Branches:
        """Where a symbol leads; see ``Lexer.step``."""
        if symbol in _NO_SOURCE:
            return ()
        found = state.branches.get(symbol)
        if found is None and isinstance(state, Between):
            found = state.branches[symbol] = self._step_between(state, symbol)
        elif found is None and not state.races and symbol in "#\\" and state.mode in _BLANKS:
            after = self.between(state.mode, COMMENT if symbol == "#" else BACKSLASH)
            found = state.branches[symbol] = (((), after),)
        elif found is None and not state.races and symbol in _BLANKS.get(state.mode, ""):
            found = state.branches[symbol] = (((), state),)
        return super().step(state, symbol) if found is None else found

    def _step(self, state: LexerState, symbol: str) -> Branches:
        return tuple((path, to if path or to.mode not in _BLANKS else self._shortened(to)) for path, to in super()._step(state, symbol))

    def _shortened(self, state: LexerState) -> LexerState:
        """A state with one blank in place of many, after a token that may still be part of a longer one, such as ``except *``."""
        match = _BLANKS_AT_END.search(state.recent)
        if match is None or match[0] == " ":
            return state
        spare = len(match[0]) - 1
        if any(since <= spare for race in state.races for since, _ in race.ends):
            return state
        races = tuple(race._replace(ends=tuple((since - spare, conditions) for since, conditions in race.ends)) for race in state.races)
        return self._state(state.mode, races, f"{state.recent[: -spare - 1]} ")

    def _step_between(self, state: Between, symbol: str) -> Branches:
        mode, kind, indent, joined = state.mode, state.kind, state.indent, state.joined
        if kind == BACKSLASH:
            return (((), self.between(mode, JOINED, indent, joined)),) if symbol == "\n" else ()
        if kind == COMMENT and symbol != "\n":
            return (((), state),)
        if mode != LINE_MODE:
            return self.step(self.start(mode), symbol)
        if symbol in " \t\f\n#\\":
            return (((), self._step_line(state, symbol)),)
        edge = Edge(LAYOUT, CODE, layout=state.layout)
        return tuple(((edge, *path), to) for path, to in self.step(self.start(OUTSIDE_MODE), symbol))

    def _step_line(self, state: Between, symbol: str) -> LexerState:
        """What blanks and comments make of the beginning of a line."""
        column, narrow = state.indent
        if symbol == "\n":
            return self.between(LINE_MODE)
        if symbol == "#":
            return self.between(LINE_MODE, COMMENT)
        if symbol == "\\":
            return self.between(LINE_MODE, BACKSLASH, state.indent, state.joined or column)
        if symbol == "\f":
            indent = (0, 0)
        else:
            indent = (column + 1, narrow + 1) if symbol == " " else ((column // TAB + 1) * TAB, narrow + 1)
        return self.between(LINE_MODE, BLANK, state.indent if state.joined else indent, state.joined)

    def relevant(self, state: LexerState) -> frozenset[str]:
        """The symbols that can make a difference to what has come."""
        if not isinstance(state, Between):
            return super().relevant(state)
        return frozenset(" \t\f\n#\\" if state.mode == LINE_MODE else " " if state.kind == JOINED else "\n")

    def begun(self, state: LexerState) -> Branches:
        """The first token of what has come, if it goes on no further, and the state of what follows it."""
        if not isinstance(state, Between):
            return super().begun(state)
        if state.kind in (BLANK, JOINED):
            path = (Edge(LAYOUT, CODE, layout=state.layout),) if state.mode == LINE_MODE else ()
            return ((path, self.start(OUTSIDE_MODE if state.mode == LINE_MODE else state.mode)),)
        return ()

    def finish(self, state: LexerState) -> tuple[Path, ...]:
        """The tokens of what has come, if something follows that belongs to none of them, or nothing does."""
        if isinstance(state, Between):
            return ((),) if state.kind in (BLANK, COMMENT) else ()
        return super().finish(state)

    def resolutions(self, state: LexerState) -> tuple[tuple[Path, int], ...]:
        """The tokens that a state can turn out to be, each list with how many more symbols that takes at least."""
        if not isinstance(state, Between):
            return super().resolutions(state)
        # Something must follow a joined line.
        symbols = (state.kind == BACKSLASH) + (state.kind in (BACKSLASH, JOINED))
        if state.ends_statement:
            return (((Edge(NEWLINE, CODE),), 0),)
        if state.mode != LINE_MODE:
            return (((), symbols + (state.kind == COMMENT)),)
        again = ((Edge(BEGUN, CODE, layout=(0, 0)),), symbols + 1)
        if state.kind == COMMENT:
            return (again,)
        if state.joined:  # blanks change nothing any more
            return (((Edge(LAYOUT, CODE, layout=state.layout),), symbols), again)
        return (((Edge(BEGUN, CODE, layout=state.layout),), symbols),)

    def begins_line(self, state: LexerState) -> bool:
        """Whether the indent of a line is being read."""
        return isinstance(state, Between) and state.mode == LINE_MODE and state.kind == BLANK

    def is_endless(self, state: LexerState) -> bool:
        """Whether a state is one of endlessly many: a beginning of a line with an indent."""
        return isinstance(state, Between) and state.layout != (0, 0)

    def in_literal(self, state: LexerState) -> bool:
        """Whether a state is inside a string, the text of one, or a comment."""
        return state.kind == COMMENT if isinstance(state, Between) else super().in_literal(state)

    def followers(self, key: Key, mode: str) -> frozenset[Key]:
        """The tokens that can come after a token that leads to a mode, in whatever program."""
        found = self._followers.get((key, mode))
        if found is None:
            if key == LAYOUT:
                found = frozenset(self.automaton.rows[0]).union(*(self.followers(one, CODE) for one in (NEWLINE, INDENT, DEDENT)))
            else:
                found = super().followers(key, mode) | ({LAYOUT, BEGUN} if key == NEWLINE else frozenset())
            self._followers[key, mode] = found
        return found

    def pattern(self, token: str) -> Pattern:
        """The pattern of a token."""
        kind, text = self.automaton.tables.patterns[token]
        key = text if kind == "str" else token
        if key in _PATTERNS:
            return parse(_PATTERNS[key])
        return literal(_text_of(key)) if kind == "str" else super().pattern(token)

    def texts(self, token: str) -> str | re.Pattern[str]:
        """The text of a token, or a pattern that finds it where it begins."""
        kind, text = self.automaton.tables.patterns[token]
        key = text if kind == "str" else token
        if key in ("with(", "with)"):
            return key[-1]
        if key in _PATTERNS:
            return re.compile(_PATTERNS[key])
        return "" if key in (INDENT, DEDENT) else _text_of(key) if kind == "str" else re.compile(text)

    def key_named(self, terminal: str) -> Key | None:
        """The token of a terminal of the grammar; ``None`` if there is none."""
        texts = self.dialect.spellings.get(terminal)
        return texts[0] if texts else super().key_named(terminal)

    def written_last(self, state: LexerState) -> str:
        """The last text, as far as it decides what separates the next token from it."""
        if not isinstance(state, Between):
            return "a" if state.races and state.mode in self.code else ""
        if state.mode != LINE_MODE:
            return ""
        # Where a line is joined, its indent stays as it is: another one is begun.
        return "\n\n" if state.joined else f"\n{blanks((0, 0), state.indent)}"

    def blanks(self, mode: str, key: Key) -> re.Pattern[str] | None:
        """What may stand before a token where the parser is in a mode; ``None`` if nothing may."""
        if mode not in (CODE, PREFIX_MODE) or key in (INDENT, DEDENT):
            return None
        return _BLANKS_IN_LINE if key == NEWLINE else _BLANKS_AND_LINES

    def _tokens_of(self, mode: str) -> list[str]:
        if mode not in self.code:
            return self.in_rows(mode)
        patterns = self.automaton.tables.patterns
        left_out = {INDENT, DEDENT} | _LEFT_OUT[mode]
        tokens = [token for token in patterns if not NOT_CODE.fullmatch(token) and self.automaton.key_of[token] not in left_out]
        if mode != FIELD_MODE:
            tokens.remove("FIELD_CONVERSION")
        return sorted(tokens, key=lambda token: (patterns[token][0] == "str", -len(patterns[token][1]), token))

    def _decided(self, name: str, recent: str, ended: list[tuple[int, int]]) -> Iterator[tuple[Path, LexerState]]:
        mode = self._modes[name]
        least = min((since for _, since in ended), default=0) if name in self.code else None
        for rank, since in ended if name in self.code else ended[:1]:
            if least is None or since == least:
                token = mode.tokens[rank]
                yield from self._read_on(name, token, Edge(self.automaton.key_of[token], ""), recent[len(recent) - since :])

    def _after_token(self, mode: str, token: str, edge: Edge) -> Iterator[tuple[Edge, LexerState]]:
        for after in self.modes_after(token):
            to = edge._replace(mode=after)
            if after != CODE:
                if edge.key == "}":
                    is_possible = _string_of(mode) in (FIELD_MODE, _string_of(after))
                else:
                    is_possible = edge.key != ":" or mode == FIELD_MODE
                if is_possible:
                    yield to, self.start(after)
            elif edge.key == "}" and mode != BRACKET_MODE:
                continue  # it ends a field
            elif edge.key == NEWLINE:
                yield to, self.between(LINE_MODE)
            elif edge.key in _CLOSING or token.startswith("FSTRING_END"):
                for where, inside in _AROUND:
                    yield to._replace(where=where), self.start(inside)
            elif edge.key in _OPENING or token == "FIELD_START":
                yield to, self.start(FIELD_MODE if token == "FIELD_START" else BRACKET_MODE)
            elif edge.key != ":" or mode != FIELD_MODE:
                yield to, self.start(OUTSIDE_MODE if mode == PREFIX_MODE else mode)


def _string_of(mode: str) -> str:
    """The mode of the text of the string that the mode of a format belongs to; other modes as they are."""
    return mode.replace("FORMAT", "FSTRING")


def _text_of(key: str) -> str:
    """The text of a key: soft keywords have a mark."""
    return key[1:] if key[0] == "^" and key[1:].isalpha() else key
