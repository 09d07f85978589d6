"""The lexer of a dialect of SimPy, one symbol at a time, derived from the spellings and the patterns of its tables.

``simpy_grammar.simpy_lexer`` reads text: it looks ahead as far as it likes, and asks the parser where two readings are possible. Here
text comes symbol by symbol and no parser is at hand. So a *lexer state* holds what has come since the last token that is decided,
and a symbol leads to one or more *branches*: the tokens that it decides, each with what has to be asked of the parser, and the lexer
state after them. In the dialect dense, after a number:

    ` `      may be the blank between arguments, or the beginning of ` if `, ` in `, ` .name`, ...
    ` i`     may still be ` if `, ` in ` or ` is `, or a blank and a name
    ` ix`    a blank is decided; the state is that of a name

A *mode* says which tokens there are: those of code, the text of one kind of f-string, a format, what follows ``from``. The state of
the parser has one mode; a branch says which mode it expects after each token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from simpy_grammar.dialect import Dialect
from simpy_grammar.simpy_lexer import SimPyAutomaton, simpy_automaton
from simpy_grammar.tables import END, Key
from tokenizer_ext.constrain.patterns import (
    CLASS,
    CONDITION,
    EMPTY,
    NEVER,
    NO_CONDITIONS,
    OTHER,
    TEXT_SYMBOLS,
    Conditions,
    Pattern,
    after,
    derivative,
    hold_at_end,
    literal,
    parse,
)

CODE = ""
# What a state of the parser must take for a mode other than that of code, which is then called so.
_OWN_MODE = re.compile(r"(RAW_)?FSTRING_TEXT_[1236]|FORMAT_TEXT|IMPORT_PREFIX")
_NOT_CODE = re.compile(rf"{_OWN_MODE.pattern}|FSTRING_END_[1236]|FIELD_START")
# The order in which the reader tries the tokens of code; literals come between the two groups, what is not named comes last.
_FIRST = ("NUMBER_DOT", "NAME", "NUMBER", "STRING", "INNER_COMMENT")
_LITERAL_DATA = re.compile(r"STRING|(INNER_)?COMMENT|(RAW_)?FSTRING_(START|TEXT)_[1236]|FORMAT_TEXT|FIELD_VERBATIM")
_WORD_END = re.compile(r"\w\Z")
_WORD_SYMBOLS = frozenset(char for char in TEXT_SYMBOLS if char.isalnum() or char == "_") | {OTHER}
_FIRST_SPECIAL = 0xE000
_SPECIALS = chr(_FIRST_SPECIAL)
_MOST_PATHS = 4  # tokens that one unfinished lexeme can turn out to be

ANYWHERE, IN_BRACKET, IN_FIELD, NOT_IN_FIELD = range(4)
"""Where a token may stand, beyond what the tables say: inside a bracket of the statement; with a field as its innermost bracket, or not."""


class Edge(NamedTuple):
    """A token that has been decided, and what must be asked of the parser first.

    Attributes:
        key: the token, as the automaton of the dialect knows it.
        mode: the mode of the state that it must lead to.
        where: where it may stand, one of the constants above.
        refused: a token that the reader tries first: it must not be accepted.
        absent: tokens that the reader would take instead if the row of the state had them.
    """

    key: Key
    mode: str
    where: int = ANYWHERE
    refused: Key | None = None
    absent: tuple[Key, ...] = ()


Path = tuple[Edge, ...]


class _Race(NamedTuple):
    """A token that may be under way: its rank in the mode, what it still asks for, and where it may have ended.

    An end is a number of symbols that have come since, and conditions on what follows.
    """

    rank: int
    rest: Pattern
    ends: tuple[tuple[int, Conditions], ...]


class LexerState:
    """What has come since the last token that is decided. Equal states are the same object.

    Attributes:
        number: of the state in its lexer.
        mode: the mode that the lexeme began in.
        races: the tokens that may be under way; none where nothing has come.
        recent: the last symbols, as far as a token may have ended before them.
        relevant: the symbols that can make a difference to what has come; set by ``Lexer.relevant``.
    """

    __slots__ = ("branches", "mode", "number", "races", "recent", "relevant")

    def __init__(self, number: int, mode: str, races: tuple[_Race, ...], recent: str) -> None:
        self.number = number
        self.mode = mode
        self.races = races
        self.recent = recent
        self.relevant: frozenset[str] | None = None
        self.branches: dict[str, tuple[tuple[Path, LexerState], ...]] = {}

    @property
    def is_start(self) -> bool:
        """Whether nothing has come since the last token."""
        return not self.races


class _Mode(NamedTuple):
    """The tokens of a mode, in the order in which they are tried.

    With the pattern of each, its rank where only the row of a state is tried, and whether it ends as a word.
    """

    tokens: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    ranks: tuple[tuple[bool, bool, int, str], ...]
    ends_as_word: tuple[bool, ...]


class Lexer:
    """The lexer of a dialect.

    Attributes:
        automaton: the automaton of the dialect.
        specials: token in angle brackets -> its symbol.
        modes: state of the parser -> its mode.
        same: symbol -> the first symbol that no pattern tells from it.
        alphabet: all of these.

    >>> lexer = Lexer(Dialect.load("dense"))
    >>> state = lexer.start(CODE)
    >>> for symbol in "ab(":
    ...     [(path, state)] = lexer.step(state, symbol)
    ...     print([edge.key if isinstance(edge.key, str) else lexer.automaton.token_of[edge.key] for edge in path])
    []
    []
    ['NAME', '(']
    """

    def __init__(self, dialect: Dialect) -> None:
        self.automaton: SimPyAutomaton = simpy_automaton(dialect)
        tables = self.automaton.tables
        self.specials = {text: chr(_FIRST_SPECIAL + i) for i, text in enumerate(dialect.special_tokens)}
        self.modes = [self._mode_of(state) for state in range(len(tables))]
        self._modes = {mode: self._tokens_of(mode) for mode in dict.fromkeys(self.modes)}
        self.same = _classes(pattern for mode in self._modes.values() for pattern in mode.patterns)
        self.same.update((symbol, symbol) for symbol in self.specials.values())
        self.alphabet = "".join(dict.fromkeys(self.same.values()))
        self._followers: dict[tuple[Key, str], frozenset[Key]] = {}
        self._after: dict[str, tuple[str, ...]] = {}
        self._states: dict[tuple[str, tuple[_Race, ...], str], LexerState] = {}
        self.states: list[LexerState] = []
        self._begun: dict[LexerState, tuple[tuple[Path, LexerState], ...]] = {}
        self._resolutions: dict[LexerState, tuple[tuple[Path, int], ...]] = {}
        self._starts = {mode: self._state(mode, (), "") for mode in self._modes}

    def start(self, mode: str) -> LexerState:
        """The state in which nothing has come."""
        return self._starts[mode]

    def step(self, state: LexerState, symbol: str) -> tuple[tuple[Path, LexerState], ...]:
        """Where a symbol leads: the tokens that it decides, and the state after them, for each reading that a parser may ask for."""
        found = state.branches.get(symbol)
        if found is None:
            one = self.same[symbol]
            found = state.branches.get(one)
            if found is None:
                if one >= _SPECIALS and self._is_held(state, one):
                    found = ()
                elif state.races and one not in self.relevant(state):
                    found = tuple((path + more, at) for path, after_it in self.begun(state) for more, at in self.step(after_it, one))
                else:
                    found = self._step(state, one)
                state.branches[one] = found
            state.branches[symbol] = found
        return found

    def _is_held(self, state: LexerState, special: str) -> bool:
        """Whether the letters of a token in angle brackets would belong to what is under way, as in a comment."""
        takes = [derivative(race.rest, "<") is not NEVER for race in state.races if derivative(race.rest, special) is NEVER]
        return len(takes) == len(state.races) and any(takes)

    def relevant(self, state: LexerState) -> frozenset[str]:
        """The symbols that can make a difference to what has come: before any other one it is decided as before the end."""
        if state.relevant is None:
            found: set[str] = set()
            mode = self._modes[state.mode]
            for rank, rest, ends in state.races:
                found |= rest.firsts
                found.update(*(pattern.firsts for _, conditions in ends for _, pattern in conditions))
                if state.mode == CODE and mode.ends_as_word[rank] and ends and not ends[0][0]:
                    found |= _WORD_SYMBOLS
            state.relevant = frozenset(self.same[symbol] for symbol in found)
        return state.relevant

    def in_literal(self, state: LexerState) -> bool:
        """Whether a state is inside a string, the text of one, or a comment."""
        if _LITERAL_DATA.match(state.mode):
            return True
        tokens = self._modes[state.mode].tokens
        return bool(state.races) and all(_LITERAL_DATA.match(tokens[race.rank]) for race in state.races if race.rest is not NEVER)

    def begun(self, state: LexerState) -> tuple[tuple[Path, LexerState], ...]:
        """The first token of what has come, if it goes on no further, and the state of what follows it."""
        found = self._begun.get(state)
        if found is None:
            ended = []
            for race in state.races:
                least = min((since for since, conditions in race.ends if hold_at_end(conditions)), default=None)
                if least is not None:
                    ended.append((race.rank, least))
            found = self._begun[state] = tuple(self._decided(state.mode, state.recent, ended))
        return found

    def finish(self, state: LexerState) -> tuple[Path, ...]:
        """The tokens of what has come, if something follows that belongs to none of them, or nothing does."""
        if state.is_start:
            return ((),)
        return tuple(path + more for path, after_it in self.begun(state) for more in self.finish(after_it))

    def resolutions(self, state: LexerState) -> tuple[tuple[Path, int], ...]:
        """The tokens that a state can turn out to be, each list with how many more symbols that takes at least.

        A list that begins with another one is left out: a parser that takes it takes the shorter one, too.
        """
        if state not in self._resolutions:
            self._resolutions[state] = self._resolve(state)
        return self._resolutions[state]

    def _resolve(self, state: LexerState) -> tuple[tuple[Path, int], ...]:
        found: dict[Path, int] = {}
        seen: set[tuple[Path, LexerState]] = {((), state)}
        level: list[tuple[Path, LexerState]] = [((), state)]
        symbols = 0
        while level:
            below: list[tuple[Path, LexerState]] = []
            for path, at in level:
                finished = self.finish(at)
                for rest in finished:
                    if not any((path + rest)[: len(known)] == known for known in found):
                        found[path + rest] = symbols
                if not finished:  # the first token may be whole, and what follows it a word that must not end yet
                    begun = [(path + edges, after_it) for edges, after_it in self.begun(at)]
                    level += [further for further in begun if further not in seen]
                    seen.update(begun)
                for symbol in self.relevant(at) if at.races else ():
                    for edges, after_it in self.step(at, symbol):
                        further = (path + edges, after_it)
                        # Where all that has come is decided alike whatever follows, what follows tells nothing more.
                        if further in seen or len(further[0]) > _MOST_PATHS or any(edges[: len(rest)] == rest for rest in finished):
                            continue
                        seen.add(further)
                        below.append(further)
            level = below
            symbols += 1
        return tuple(sorted(found.items(), key=lambda item: item[1]))

    def _mode_of(self, state: int) -> str:
        return next((token for token in self.automaton.tables.actions[state] if _OWN_MODE.fullmatch(token)), CODE)

    def _tokens_of(self, mode: str) -> _Mode:
        patterns = self.automaton.tables.patterns

        def order_of_text(token: str) -> tuple[int, int, str]:
            kind, text = patterns[token]
            if token in _FIRST:
                return 0, _FIRST.index(token), ""
            if kind == "str":
                return 1 + (not self.ends_header(token)), -len(text), text
            return (3 if token == "COMMENT" else 4 if "FSTRING_START" in token else 5), -len(text), token

        def rank(token: str) -> tuple[bool, bool, int, str]:
            is_literal = patterns[token][0] == "str"
            return is_literal or token == "FIELD_START", is_literal, -len(patterns[token][1]), token

        if mode == CODE:
            tokens = sorted((token for token in patterns if not _NOT_CODE.fullmatch(token)), key=order_of_text)
        else:
            rows = (self.automaton.tables.actions[state] for state, own in enumerate(self.modes) if own == mode)
            tokens = sorted({str(token) for row in rows for token in row if token != END}, key=rank)
        words = tuple(patterns[token][0] == "str" and _WORD_END.search(patterns[token][1]) is not None for token in tokens)
        return _Mode(tuple(tokens), tuple(map(self.pattern, tokens)), tuple(map(rank, tokens)), words)

    def ends_header(self, token: str) -> bool:
        """Whether a token is a block start that begins with a colon: in a field that is the colon alone."""
        kind, text = self.automaton.tables.patterns[token]
        return kind == "str" and len(text) > 1 and text.startswith(":") and token.endswith("BLOCK_START")

    def pattern(self, token: str) -> Pattern:
        """The pattern of a token."""
        kind, text = self.automaton.tables.patterns[token]
        for special, symbol in self.specials.items():
            if kind == "re" or text == special:
                text = text.replace(special, symbol)
        return literal(text) if kind == "str" else parse(text)

    def modes_after(self, token: str) -> tuple[str, ...]:
        """The modes of the states that a token leads to."""
        if token not in self._after:
            rows = map(self.automaton.tables.actions.__getitem__, range(len(self.modes)))
            self._after[token] = tuple(sorted({self.modes[target] for row in rows if (target := row.get(token, -1)) >= 0}))
        return self._after[token]

    def followers(self, key: Key, mode: str) -> frozenset[Key]:
        """The tokens that can come after a token that leads to a mode, in whatever program."""
        found = self._followers.get((key, mode))
        if found is None:
            rows = self.automaton.rows
            targets = {target for i in range(len(self.modes)) if (target := rows[i].get(key, -1)) >= 0 and self.modes[target] == mode}
            found = self._followers[key, mode] = frozenset().union(*(rows[target] for target in targets))
        return found

    def _state(self, mode: str, races: tuple[_Race, ...], recent: str) -> LexerState:
        key = mode, races, recent
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = LexerState(len(self.states), mode, races, recent)
            self.states.append(found)
        return found

    def _step(self, state: LexerState, symbol: str) -> tuple[tuple[Path, LexerState], ...]:
        mode = self._modes[state.mode]
        races = []
        for rank, rest, ends in state.races or (_Race(i, pattern, ()) for i, pattern in enumerate(mode.patterns)):
            further = derivative(rest, symbol) if rest is not NEVER else NEVER
            left = [(since + 1, later) for since, conditions in ends if (later := after(conditions, symbol)) is not None]
            if state.mode == CODE and symbol in _WORD_SYMBOLS:
                # No word runs into another one: dialects that would allow it are refused.
                left = [end for end in left if end[0] > 1 or not (mode.ends_as_word[rank])]
            left += [(0, conditions) for conditions in further.endings]
            left.sort(key=lambda end: (end[0], len(end[1])))
            sure = next((i for i, end in enumerate(left) if not end[1]), len(left))
            further = NEVER if further is EMPTY else further
            if further is not NEVER or left:
                races.append(_Race(rank, further, tuple(left[: sure + 1])))
        if not races:
            return ()
        recent = state.recent + symbol
        first = races[0]
        if first.ends and first.ends[0][1] == NO_CONDITIONS and (state.mode != CODE or first.rest is not NEVER):
            # It wins. (A number that may go on is never read as a dot, whatever the parser says: no number follows a dot.)
            races = [self._without_repetition(state.mode, first, recent)]
            first = races[0]
        if first.rest is NEVER and first.ends[0][1] == NO_CONDITIONS:
            ended = [(race.rank, race.ends[0][0]) for race in races if race.ends]
            return tuple(self._decided(state.mode, recent, ended))
        longest = max((since for race in races for since, _ in race.ends), default=0)
        return (((), self._state(state.mode, tuple(races), recent[len(recent) - longest :])),)

    def _without_repetition(self, mode: str, race: _Race, recent: str) -> _Race:
        """A token under way without an end after which the same token would be under way: it can only become one of both together.

        ``a`` is a text of an f-string, and ``\\N{`` begins one: the end after the first matters no more.
        """
        since = race.ends[0][0]
        if race.rest is NEVER or not since:
            return race
        token = self._modes[mode].tokens[race.rank]
        after_it = [state.races for _, state in self._read_on(token, Edge(token, ""), recent[len(recent) - since :])]
        return race._replace(ends=()) if after_it == [(race._replace(ends=()),)] else race

    def _decided(self, name: str, recent: str, ended: list[tuple[int, int]]) -> Iterator[tuple[Path, LexerState]]:
        """The readings of what has come, of which some tokens have ended: rank, and how many symbols came after the end."""
        if not ended:
            return
        mode = self._modes[name]
        key_of = self.automaton.key_of
        (first, since), *others = ended
        token = mode.tokens[first]
        where = IN_BRACKET if token == "INNER_COMMENT" else NOT_IN_FIELD if self.ends_header(token) else ANYWHERE
        yield from self._read_on(token, Edge(key_of[token], "", where), recent[len(recent) - since :])
        if where == NOT_IN_FIELD:
            colon = next(other for other in mode.tokens if self.automaton.tables.patterns[other] == ("str", ":"))
            rest = (self.automaton.tables.patterns[token][1] + recent[len(recent) - since :])[1:] if since else ""
            rest = rest or self.automaton.tables.patterns[token][1][1:]
            yield from self._read_on(colon, Edge(key_of[colon], "", IN_FIELD), rest)
        if name != CODE:
            return
        taken: list[Key] = []
        for rank, since in sorted(ended, key=lambda end: mode.ranks[end[0]]):
            other = mode.tokens[rank]
            if rank != first:
                edge = Edge(key_of[other], "", NOT_IN_FIELD if where == NOT_IN_FIELD else ANYWHERE, key_of[token], tuple(taken))
                yield from self._read_on(other, edge, recent[len(recent) - since :])
            taken.append(key_of[other])

    def _read_on(self, token: str, edge: Edge, rest: str) -> Iterator[tuple[Path, LexerState]]:
        """A decided token, and what the symbols after it are."""
        for mode in self.modes_after(token):
            found: list[tuple[Path, LexerState]] = [((edge._replace(mode=mode),), self.start(mode))]
            for symbol in rest:
                found = [(path + more, after_it) for path, at in found for more, after_it in self.step(at, symbol)]
            yield from found


@lru_cache(maxsize=8)
def lexer_of(dialect: Dialect) -> Lexer:
    """The lexer of a dialect, made once.

    Raises:
        DialectError: the dialect is ambiguous.
    """
    return Lexer(dialect)


def _classes(patterns: Iterable[Pattern]) -> dict[str, str]:
    """Symbol -> the first symbol that some patterns do not tell from it."""
    held: dict[str, list[int]] = {symbol: [] for symbol in sorted(TEXT_SYMBOLS)}
    todo, seen = list(patterns), set[Pattern]()
    for pattern in todo:
        if pattern in seen:
            continue
        seen.add(pattern)
        if pattern.kind == CLASS:
            for symbol in pattern.parts & TEXT_SYMBOLS:
                held[symbol].append(len(seen))
        elif pattern.kind == CONDITION:
            todo += [condition for _, condition in pattern.parts[0]]
            todo.append(pattern.parts[1])
        else:
            todo += pattern.parts
    first: dict[tuple[int, ...], str] = {}
    return {symbol: first.setdefault((*numbers, -(symbol in _WORD_SYMBOLS)), symbol) for symbol, numbers in held.items()}


def symbols_of(text: str) -> str:
    """The symbols of a text without tokens in angle brackets."""
    return text if text.isascii() else "".join(char if char < OTHER else OTHER for char in text)
