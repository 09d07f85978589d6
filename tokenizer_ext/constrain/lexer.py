"""A lexer that reads one symbol at a time, derived from the spellings and the patterns of the tables of a dialect.

The lexers of ``simpy_grammar`` read text: they look ahead as far as they like, and ask the parser where two readings are possible. Here
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
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from simpy_grammar.aliases import aliases
from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import Automaton
from simpy_grammar.tables import END, Key
from tokenizer_ext.constrain.layouts import Indent, Indents
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
_OWN_MODE = re.compile(r"(RAW_)?FSTRING_TEXT_[1236]|(RAW_)?FORMAT_TEXT(_[1236])?|IMPORT_PREFIX")
NOT_CODE = re.compile(rf"{_OWN_MODE.pattern}|FSTRING_END_[1236]|FIELD_START")
_LITERAL_DATA = re.compile(r"STRING|(INNER_)?COMMENT|(RAW_)?FSTRING_(START|TEXT)_[1236]|(RAW_)?FORMAT_TEXT|FIELD_VERBATIM")
_LONG_END = re.compile(r"FSTRING_END_[36]")
WORD_END = re.compile(r"\w\Z")
WORD_SYMBOLS = frozenset(char for char in TEXT_SYMBOLS if char.isalnum() or char == "_") | {OTHER}
"""The symbols that names and numbers consist of."""
_FIRST_SPECIAL = 0xE000
_SPECIALS = chr(_FIRST_SPECIAL)
_MOST_PATHS = 4  # tokens that one unfinished lexeme can turn out to be

ANYWHERE, IN_BRACKET, IN_FIELD, NOT_IN_FIELD, OUTSIDE, IN_CODE_BRACKET = range(6)
"""Where a token may stand, beyond what the tables say: inside a bracket of the statement; with a field as its innermost bracket, or not;
outside of all brackets; with an innermost bracket that is not a field. A bracket that the token closes does not count."""


class Edge(NamedTuple):
    """A token that has been decided, and what must be asked of the parser first.

    Attributes:
        key: the token, as the automaton of the dialect knows it.
        mode: the mode of the state that it must lead to.
        where: where it may stand, one of the constants above.
        refused: a token that the reader tries first: it must not be accepted.
        absent: tokens that the reader would take instead if the row of the state had them.
        layout: the indent of a line that begins. Which blocks it opens or ends depends on the indents of the open blocks.
    """

    key: Key
    mode: str
    where: int = ANYWHERE
    refused: Key | None = None
    absent: tuple[Key, ...] = ()
    layout: Indent | None = None


Path = tuple[Edge, ...]
Branches = tuple[tuple[Path, "LexerState"], ...]
"""Where a symbol leads, for each reading: the tokens that are decided, and the state after them."""


class Race(NamedTuple):
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
        details: what distinguishes it from other states with the same mode, races and symbols.
        mode: the mode that the lexeme began in.
        races: the tokens that may be under way; none where nothing has come.
        recent: the last symbols, as far as a token may have ended before them.
        relevant: the symbols that can make a difference to what has come; set by ``Lexer.relevant``.
    """

    __slots__ = ("branches", "mode", "number", "races", "recent", "relevant")

    def __init__(self, number: int, mode: str, races: tuple[Race, ...], recent: str) -> None:
        self.number = number
        self.mode = mode
        self.races = races
        self.recent = recent
        self.relevant: frozenset[str] | None = None
        self.branches: dict[str, Branches] = {}

    details: tuple[object, ...] = ()

    @property
    def is_start(self) -> bool:
        """Whether nothing has come since the last token."""
        return not self.races

    @property
    def is_whole(self) -> bool:
        """Whether the next token may follow at once."""
        return self.is_start


class Mode(NamedTuple):
    """The tokens of a mode, in the order in which they are tried.

    With the rank of each where only the row of a state is tried, whether it ends as a word, and symbol -> those that begin with it.
    """

    tokens: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    ranks: tuple[tuple[bool, bool, int, str], ...]
    ends_as_word: tuple[bool, ...]
    beginning: dict[str, list[Race]]


class Lexer:
    """The lexer of a dialect.

    Args:
        dialect: the dialect.
        automaton: the automaton of the dialect.
        special_tokens: the tokens in angle brackets.
        code: the modes in which code is read; there may be several where what is read depends on the brackets around it.

    Attributes:
        dialect: the dialect whose tables the lexer reads.
        automaton: the automaton of the dialect.
        specials: token in angle brackets -> its symbol.
        aliases: the symbols of the aliases of names, in order. No pattern tells them apart.
        modes: state of the parser -> its mode.
        rows: state of the parser -> the tokens that it may take, and what it does then.
        indents: those of the blocks that are open at the beginning of a text, if indents matter.
        fresh: the states of the parser in which a line begins, if indents matter.
        is_exclusive: whether a parser follows only one branch of a symbol.
        same: symbol -> the first symbol that no pattern tells from it.
        alphabet: all of these.
    """

    is_exclusive = True
    indents: Indents = ()
    fresh: frozenset[int] = frozenset()

    def __init__(self, dialect: Dialect, automaton: Automaton, special_tokens: Iterable[str] = (), code: Iterable[str] = (CODE,)) -> None:
        self.dialect = dialect
        self.automaton = automaton
        tables = automaton.tables
        self.rows = automaton.rows
        self.code = frozenset(code)
        self.specials = {text: chr(_FIRST_SPECIAL + i) for i, text in enumerate(special_tokens)}
        self.aliases = "".join(map(self.specials.__getitem__, aliases(dialect.aliases)))
        self.modes = [self._mode_of(state) for state in range(len(tables))]
        self._modes = {mode: self._mode(self._tokens_of(mode)) for mode in dict.fromkeys((*self.modes, *code))}
        self.same = _classes((*(pattern for mode in self._modes.values() for pattern in mode.patterns), *map(literal, self.told_apart)))
        self.same.update((symbol, symbol) for symbol in self.specials.values())
        self.same.update(dict.fromkeys(self.aliases, self.aliases[:1]))
        self.alphabet = "".join(dict.fromkeys(self.same.values()))
        self._followers: dict[tuple[Key, str], frozenset[Key]] = {}
        self._states: dict[tuple[str, tuple[Race, ...], str], LexerState] = {}
        self.states: list[LexerState] = []
        self._begun: dict[LexerState, Branches] = {}
        self._finished: dict[LexerState, tuple[Path, ...]] = {}
        self._continued: dict[Branches, dict[str, Branches]] = {}
        self._told: dict[LexerState, Branches] = {}
        self._resolutions: dict[LexerState, tuple[tuple[Path, int], ...]] = {}
        self._starts = {mode: self._state(mode, (), "") for mode in self._modes}

    told_apart = ""
    """Symbols that are distinguished even if no pattern does so."""
    never = ""
    """Symbols that no text holds."""

    @property
    def beginning(self) -> LexerState:
        """The state at the beginning of a text."""
        return self.start(CODE)

    @property
    def starts(self) -> Iterable[LexerState]:
        """The states in which nothing has come, of all modes."""
        return self._starts.values()

    def start(self, mode: str) -> LexerState:
        """The state in which nothing has come."""
        return self._starts[mode]

    def step(self, state: LexerState, symbol: str) -> Branches:
        """Where a symbol leads: the tokens that it decides, and the state after them, for each reading that a parser may ask for."""
        found = state.branches.get(symbol)
        if found is None:
            one = self.same[symbol]
            found = state.branches.get(one)
            if found is None:
                if one >= _SPECIALS and self._is_held(state, one):
                    found = ()
                elif state.races and one not in self.relevant(state):
                    found = self._step_after(self.begun(state), one)
                else:
                    found = self._step(state, one)
                state.branches[one] = found
            state.branches[symbol] = found
        return found

    def _step_after(self, begun: Branches, symbol: str) -> Branches:
        """Where a symbol leads after some branches. Many states have the same ones."""
        known = self._continued.setdefault(begun, {})
        found = known.get(symbol)
        if found is None:
            found = known[symbol] = tuple((path + more, at) for path, after_it in begun for more, at in self.step(after_it, symbol))
        return found

    def steps(self, state: LexerState) -> list[Branches]:
        """Where each symbol of the alphabet leads. That is found at once for all symbols that no token under way tells apart."""
        branches = state.branches
        missing = [symbol for symbol in self.alphabet if symbol not in branches]
        if missing and state.races:
            missing = self._step_alike(state, missing)
        for symbol in missing:
            branches[symbol] = self.step(state, symbol)
        return list(map(branches.__getitem__, self.alphabet))

    def _step_alike(self, state: LexerState, symbols: list[str]) -> list[str]:
        """Note where symbols lead. Those are left that do not lead where another one does."""
        branches, relevant, left = state.branches, self.relevant(state), []
        begun = self.begun(state)
        is_held: bool | None = None
        alike: dict[tuple[bool, ...], list[str]] = {}
        splits = self._splits(state)
        for symbol in symbols:
            if symbol in relevant:
                if symbol >= _SPECIALS or symbol in self.never:
                    left.append(symbol)
                else:
                    alike.setdefault(tuple([symbol in one for one in splits]), []).append(symbol)
                continue
            if symbol >= _SPECIALS and is_held is None:  # the letters of each of them would be
                is_held = self._is_held(state, symbol)
            branches[symbol] = () if symbol >= _SPECIALS and is_held else self._step_after(begun, symbol)
        ends = any(race.ends for race in state.races)
        for same in alike.values():
            if len(same) > 1 and not (ends and any(since for race in self._raced(state, same[0]) for since, _ in race.ends)):
                branches.update(dict.fromkeys(same, self.step(state, same[0])))
            else:
                left += same
        return left

    def _splits(self, state: LexerState) -> set[frozenset[str]]:
        """Classes of symbols: what is under way goes on alike with all symbols that are in the same ones of them."""
        splits: set[frozenset[str]] = {WORD_SYMBOLS} if state.mode in self.code else set()
        for race in state.races:
            splits |= race.rest.splits
            splits.update(*(pattern.splits for _, conditions in race.ends for _, pattern in conditions))
        return splits

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
                if state.mode in self.code and mode.ends_as_word[rank] and ends and not ends[0][0]:
                    found |= WORD_SYMBOLS
            state.relevant = frozenset(map(self.same.__getitem__, found))
        return state.relevant

    def begins_line(self, state: LexerState) -> bool:
        """Whether the indent of a line is being read."""
        return False

    def is_endless(self, state: LexerState) -> bool:
        """Whether a state is one of endlessly many, as the beginnings of lines are with their indents."""
        return False

    def in_literal(self, state: LexerState) -> bool:
        """Whether a state is inside a string, the text of one, or a comment."""
        if _LITERAL_DATA.match(state.mode):
            return True
        tokens = self._modes[state.mode].tokens
        return bool(state.races) and all(_LITERAL_DATA.match(tokens[race.rank]) for race in state.races if race.rest is not NEVER)

    def begun(self, state: LexerState) -> Branches:
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

    def ended(self, state: LexerState) -> Iterator[tuple[Path, LexerState]]:
        """All tokens of what has come, if it goes on no further, and the state after them."""
        if state.is_start:
            yield (), state
            return
        for path, after_it in self.begun(state):
            for more, at in self.ended(after_it):
                yield path + more, at

    def grows(self, state: LexerState, symbol: str) -> bool:
        """Whether a symbol belongs to what is under way, or may do so."""
        if state.is_start:
            return False
        ended = {(path + more, at) for path, after_it in self.ended(state) for more, at in self.step(after_it, symbol)}
        return set(self.step(state, symbol)) != ended

    def finish(self, state: LexerState) -> tuple[Path, ...]:
        """The tokens of what has come, if something follows that belongs to none of them, or nothing does."""
        if state.is_start:
            return ((),)
        found = self._finished.get(state)
        if found is None:
            found = tuple(path + more for path, after_it in self.begun(state) for more in self.finish(after_it))
            self._finished[state] = found
        return found

    def resolutions(self, state: LexerState) -> tuple[tuple[Path, int], ...]:
        """The tokens that a state can turn out to be, each list with how many more symbols that takes at least.

        A list that begins with another one is left out: a parser that takes it takes the shorter one, too. Only the end of a long string is
        kept, since each of its quotes may be text as well.
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
                    whole = path + rest
                    if self._ends_string(whole) or not any(whole[:length] in found for length in range(len(whole) + 1)):
                        found[whole] = symbols
                if not finished:  # the first token may be whole, and what follows it a word that must not end yet
                    begun = [(path + edges, after_it) for edges, after_it in self.begun(at)]
                    level += [further for further in begun if further not in seen]
                    seen.update(begun)
                for edges, after_it in self._reached(at):
                    further = (path + edges, after_it)
                    if further not in seen and len(further[0]) <= _MOST_PATHS:
                        seen.add(further)
                        below.append(further)
            level = below
            symbols += 1
        return tuple(sorted(found.items(), key=lambda item: item[1]))

    def _ends_string(self, path: Path) -> bool:
        return len(path) > 1 and _LONG_END.fullmatch(self.automaton.token_of.get(path[-1].key, "")) is not None

    def _reached(self, state: LexerState) -> Branches:
        """Where those symbols lead that tell more of what has come: not where it is decided alike whatever follows."""
        found = self._told.get(state)
        if found is None:
            reached = [self.step(state, symbol) for symbol in sorted(self._telling(state))] if state.races else []
            different = {id(branches): branches for branches in reached}.values()  # many are one object
            finished = self.finish(state)
            found = self._told[state] = tuple(
                branch
                for branch in dict.fromkeys(chain.from_iterable(different))
                if self._ends_string(branch[0]) or not any(branch[0][: len(rest)] == rest for rest in finished)
            )
        return found

    def _telling(self, state: LexerState) -> frozenset[str]:
        """The symbols that can make a difference to what has come, or to a dot that follows its first token: a digit, in ``a .5``."""
        found = self.relevant(state)
        for _, rest in self.begun(state):
            tokens = self._modes[rest.mode].tokens
            if rest is not state and any(tokens[race.rank] == "NUMBER" for race in rest.races):
                found |= self._telling(rest)
        return found

    def _mode_of(self, state: int) -> str:
        return next((token for token in self.automaton.tables.actions[state] if _OWN_MODE.fullmatch(token)), CODE)

    def _tokens_of(self, mode: str) -> list[str]:
        """The tokens of a mode, in the order in which they are tried."""
        raise NotImplementedError

    def _mode(self, tokens: list[str]) -> Mode:
        patterns = tuple(map(self.pattern, tokens))
        texts = self.automaton.tables.patterns
        words = tuple(texts[token][0] == "str" and WORD_END.search(texts[token][1]) is not None for token in tokens)
        beginning: dict[str, list[Race]] = {}
        for rank, pattern in enumerate(patterns):
            for symbol in pattern.firsts:
                beginning.setdefault(symbol, []).append(Race(rank, pattern, ()))
        return Mode(tuple(tokens), patterns, tuple(map(self.rank, tokens)), words, beginning)

    def rank(self, token: str) -> tuple[bool, bool, int, str]:
        """The rank of a token where only the row of a state is tried."""
        kind, text = self.automaton.tables.patterns[token]
        return kind == "str" or token == "FIELD_START", kind == "str", -len(text), token

    def in_rows(self, mode: str) -> list[str]:
        """The tokens that the states of a mode take, by rank."""
        rows = (self.automaton.tables.actions[state] for state, own in enumerate(self.modes) if own == mode)
        return sorted({str(token) for row in rows for token in row if token != END}, key=self.rank)

    def pattern(self, token: str) -> Pattern:
        """The pattern of a token."""
        kind, text = self.automaton.tables.patterns[token]
        for special, symbol in self.specials.items():
            if kind == "re" or text.rstrip(" ") == special:
                text = text.replace(special, symbol)
        return literal(text) if kind == "str" else parse(text)

    def texts(self, token: str) -> str | re.Pattern[str]:
        """The text of a token, or a pattern that finds it where it begins."""
        kind, text = self.automaton.tables.patterns[token]
        return text if kind == "str" else re.compile(text)

    def key_named(self, terminal: str) -> Key | None:
        """The token of a terminal of the grammar; ``None`` if there is none."""
        return self.automaton.key_of.get(terminal)

    def written_last(self, state: LexerState) -> str:
        """The last text, as far as it decides what separates the next token from it; see ``tokenizer_ext.constrain.separating``."""
        return ""

    def blanks(self, mode: str, key: Key) -> re.Pattern[str] | None:
        """What may stand before a token where the parser is in a mode; ``None`` if nothing may."""
        return None

    def modes_after(self, token: str) -> tuple[str, ...]:
        """The modes of the states that a token leads to."""
        return self._after.get(token, ())

    @cached_property
    def _after(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, set[str]] = {}
        for state in range(len(self.modes)):
            for token, target in self.automaton.tables.actions[state].items():
                if target >= 0:
                    found.setdefault(str(token), set()).add(self.modes[target])
        return {token: tuple(sorted(modes)) for token, modes in found.items()}

    def followers(self, key: Key, mode: str) -> frozenset[Key]:
        """The tokens that can come after a token that leads to a mode, in whatever program."""
        found = self._followers.get((key, mode))
        if found is None:
            rows = self.automaton.rows
            found = self._followers[key, mode] = frozenset().union(*(rows[target] for target in self._targets.get((key, mode), ())))
        return found

    @cached_property
    def _targets(self) -> dict[tuple[Key, str], set[int]]:
        """Token and mode -> the states of this mode that it leads to."""
        found: dict[tuple[Key, str], set[int]] = {}
        for state in range(len(self.modes)):
            for key, target in self.automaton.rows[state].items():
                if target >= 0:
                    found.setdefault((key, self.modes[target]), set()).add(target)
        return found

    def _state(self, mode: str, races: tuple[Race, ...], recent: str) -> LexerState:
        key = mode, races, recent
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = LexerState(len(self.states), mode, races, recent)
            self.states.append(found)
        return found

    def _raced(self, state: LexerState, symbol: str) -> list[Race]:
        """The tokens that may be under way after a symbol."""
        mode = self._modes[state.mode]
        races = []
        for rank, rest, ends in state.races or mode.beginning.get(symbol, ()):
            further = derivative(rest, symbol) if rest is not NEVER else NEVER
            left = [(since + 1, later) for since, conditions in ends if (later := after(conditions, symbol)) is not None]
            if state.mode in self.code and symbol in WORD_SYMBOLS:
                # No word runs into another one: dialects that would allow it are refused.
                left = [end for end in left if end[0] > 1 or not (mode.ends_as_word[rank])]
            left += [(0, conditions) for conditions in further.endings]
            left.sort(key=lambda end: (end[0], len(end[1])))
            sure = next((i for i, end in enumerate(left) if not end[1]), len(left))
            further = NEVER if further is EMPTY else further
            if further is not NEVER or left:
                races.append(Race(rank, further, tuple(left[: sure + 1])))
        return races

    def _step(self, state: LexerState, symbol: str) -> Branches:
        races = self._raced(state, symbol)
        if not races:
            return ()
        recent = state.recent + symbol
        first = races[0]
        if first.ends and first.ends[0][1] == NO_CONDITIONS and (state.mode not in self.code or first.rest is not NEVER):
            # It wins. (A number that may go on is never read as a dot, whatever the parser says: no number follows a dot.)
            races = [self._without_repetition(state.mode, first, recent)]
            first = races[0]
        if first.rest is NEVER and first.ends[0][1] == NO_CONDITIONS:
            ended = [(race.rank, race.ends[0][0]) for race in races if race.ends]
            return tuple(self._decided(state.mode, recent, ended))
        longest = max((since for race in races for since, _ in race.ends), default=0)
        return (((), self._state(state.mode, tuple(races), recent[len(recent) - longest :])),)

    def _without_repetition(self, mode: str, race: Race, recent: str) -> Race:
        """A token under way without an end after which the same token would be under way: it can only become one of both together.

        ``a`` is a text of an f-string, and ``\\N{`` begins one: the end after the first matters no more.
        """
        since = race.ends[0][0]
        if race.rest is NEVER or not since:
            return race
        token = self._modes[mode].tokens[race.rank]
        after_it = [state.races for _, state in self._read_on(mode, token, Edge(token, ""), recent[len(recent) - since :])]
        return race._replace(ends=()) if after_it == [(race._replace(ends=()),)] else race

    def _decided(self, name: str, recent: str, ended: list[tuple[int, int]]) -> Iterator[tuple[Path, LexerState]]:
        """The readings of what has come, of which some tokens have ended: rank, and how many symbols came after the end."""
        raise NotImplementedError

    def _read_on(self, mode: str, token: str, edge: Edge, rest: str) -> Iterator[tuple[Path, LexerState]]:
        """A token that a mode has decided, and what the symbols after it are."""
        for after_edge, state in self._after_token(mode, token, edge):
            yield from self._relexed((after_edge,), state, rest)

    def _relexed(self, path: Path, state: LexerState, rest: str) -> Iterable[tuple[Path, LexerState]]:
        """What some symbols are in a state."""
        found: list[tuple[Path, LexerState]] = [(path, state)]
        for symbol in rest:
            found = [(before + more, after_it) for before, at in found for more, after_it in self.step(at, symbol)]
        return found

    def _after_token(self, mode: str, token: str, edge: Edge) -> Iterator[tuple[Edge, LexerState]]:
        """The states that follow a token of a mode, each with what is then asked of the parser."""
        for after_it in self.modes_after(token):
            yield edge._replace(mode=after_it), self.start(after_it)


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
    return {symbol: first.setdefault((*numbers, -(symbol in WORD_SYMBOLS)), symbol) for symbol, numbers in held.items()}


def symbols_of(text: str) -> str:
    """The symbols of a text without tokens in angle brackets."""
    return text if text.isascii() else "".join(char if char < OTHER else OTHER for char in text)
