"""The pushdown automaton that reads SimPy: a contextual lexer and an LALR(1) parser over compiled tables.

It reports what it reads, terminal by terminal, to its caller's *actions* and builds no tree. What the terminals become
(Python text, a lexeme stream) is the caller's business; compiling tables is ``simpy_grammar.compile``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

from simpy_grammar.tables import END, Tables

Action = str | None | Callable[[Any, str], None]
"""What to do with a terminal: append this text, append the text that was read (None), or call this with the owner and that text."""

# Tokens that the one pattern for all states tries first, in this order; the others depend on the parser's state.
_EVERYWHERE = ("NUMBER_DOT", "NAME", "NUMBER", "STRING", "INNER_COMMENT", "COMMENT")
_NAMED_CHARACTER = re.compile(r"\\(?:N(?:\{[^{}]*)?)?\Z")  # the beginning of \\N{...} at the end of what has arrived
_NUMBER, _STRING, _INNER_COMMENT, _HEADER_END, _LITERAL, _COMMENT = 3, 4, 5, 6, 7, 8  # their groups, and those of literals
_OPENERS_OF_LINES = frozenset(("(", "[", "{", "PARAMETERS_START", "FIELD_START"))
_GROWING = re.compile(r"[0-9.][0-9A-Za-z_.]*(?:(?<=[eE])[+-])?")  # what may still become a longer number
_LONG_TOKEN, _PART = 16_384, 16  # a token longer than this is read again when a part of it more has arrived
_WORD = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*")
_EVERYWHERE_STARTS = re.compile(r"(RAW_)?FSTRING_START_[1236]$")


class _Chain(NamedTuple):
    """What a run of reductions does that never looks below the top two states."""

    pushed: tuple[int, ...]  # the states that take the place of the top one
    emitted: tuple[str, ...]  # the terminals that the reductions stand for, in order
    shift: int  # the state to shift into, or -1 if one more reduction must pop deeper
    pops: int  # how many states that reduction pops ...
    rule: int  # ... and which it is


class _Rows(dict[int, "dict[str | int, int | dict[int, _Chain]]"]):
    """Action rows by key, each made when the parser first comes to its state; a reduction's entry fills with its chains."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton

    def __missing__(self, state: int) -> dict[str | int, int | dict[int, _Chain]]:
        key = self.automaton.key
        row: dict[str | int, int | dict[int, _Chain]] = {
            key[token]: (action if action >= 0 else {}) for token, action in self.automaton.tables.actions[state].items()
        }
        self[state] = row
        return row


class Automaton:
    """Tables in the form that the parser runs on, shared by all parsers of one dialect."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        literals = {value: name for name, (kind, value) in tables.patterns.items() if kind == "str" and not name.startswith("FSTRING_END")}
        self.literals = literals
        starts = [name for name in tables.patterns if _EVERYWHERE_STARTS.match(name)]
        starts.sort(key=lambda name: -len(tables.patterns[name][1]))
        first = [name for name in (*_EVERYWHERE, *starts) if name in tables.patterns]
        texts = sorted(literals, key=lambda text: (-len(text), text))
        groups = [f"({tables.patterns[name][1]})" for name in first]
        # Block starts that begin with a colon: in a field it is the colon alone, and what follows is the text of the format.
        ends = [text for text in texts if text.startswith(":") and len(text) > 1 and literals[text].endswith("BLOCK_START")]
        groups[5:5] = [f"({'|'.join(map(re.escape, ends)) or '(?!)'})", f"({'|'.join(map(re.escape, texts))})"]
        self.scan = re.compile("|".join(groups) + r"|([\s\S])")
        tokens: list[str | None] = list(first)
        tokens[5:5] = [None, None]
        token_key: dict[str, str | int] = {name: text for text, name in literals.items()}
        for i, token in enumerate(tokens):
            if token is not None:
                token_key[token] = i + 1
        # Token -> key of an action row: the text of a literal, the group of a token that the pattern knows, else the name.
        self.key = {name: token_key.get(name, name) for name in tables.patterns}
        self.key[END] = END
        self.rows = _Rows(self)
        self.after_bracket = frozenset(i for i, terminal in enumerate(tables.shifted) if terminal in _OPENERS_OF_LINES)
        self.after_field = frozenset(i for i, terminal in enumerate(tables.shifted) if terminal == "FIELD_START")
        self.return_token = next(token for token, target in tables.actions[0].items() if target >= 0 and tables.shifted[target] == "RETURN")
        self.open_texts = frozenset(text[:i] for text in (*texts, *_OPENERS) for i in range(1, len(text)))
        self.longest = max(map(len, (*texts, *_OPENERS)))
        self._by_state: dict[int, re.Pattern[str]] = {}
        self._on_state: tuple[Mapping[str, Action], _OnState] | None = None
        self._token_of_group: dict[int, list[str]] = {}

    def on_state(self, actions: Mapping[str, Action]) -> _OnState:
        """What to do in each state, kept for the table of actions that came last."""
        if self._on_state is None or self._on_state[0] is not actions:
            self._on_state = (actions, _OnState(self.tables.shifted, actions))
        return self._on_state[1]

    def chain(self, below: int, top: int, key: str | int) -> _Chain:
        """Run the reductions that ``top`` over ``below`` makes on seeing ``key``, as far as the two states tell."""
        token = self._token(key)
        rules, actions, gotos = self.tables.rules, self.tables.actions, self.tables.gotos
        stack = [below, top]
        emitted: list[str] = []
        while True:
            action = actions[stack[-1]][token]
            if action >= 0:
                return _Chain(tuple(stack[1:]), tuple(emitted), action, 0, 0)
            name, length, terminal = rules[-1 - action]
            if length >= len(stack):
                return _Chain(tuple(stack[1:]), tuple(emitted), -1, length, -1 - action)
            if length:
                del stack[-length:]
            if terminal is not None:
                emitted.append(terminal)
            stack.append(gotos[stack[-1]][name])

    def _token(self, key: str | int) -> str:
        if isinstance(key, int):
            return next(name for name, known in self.key.items() if known == key)
        return self.literals.get(key, key)

    def lexer(self, state: int) -> tuple[re.Pattern[str], list[str]]:
        """The pattern for one state, in which only tokens that the parser can take there occur, and its groups."""
        if state not in self._by_state:
            patterns = self.tables.patterns

            def rank(name: str) -> tuple[bool, bool, int, str]:
                """Patterns before the literals that they begin with, but the brace of a field after the text that may hold two."""
                literal = patterns[name][0] == "str"
                return literal or name == "FIELD_START", literal, -len(patterns[name][1]), name

            ordered = sorted((name for name in self.tables.actions[state] if name != END), key=rank)
            bodies = (patterns[name][1] if patterns[name][0] == "re" else re.escape(patterns[name][1]) for name in ordered)
            self._by_state[state] = re.compile("|".join(f"({body})" for body in bodies) or "(?!)")
            self._token_of_group[state] = ordered
        return self._by_state[state], self._token_of_group[state]


def _both_cases(*words: str) -> list[str]:
    return ["".join(letters) for word in words for letters in product(*((letter, letter.upper()) for letter in word))]


# Beginnings of tokens that are no literals: text that ends in one of these may still become another token.
_OPENERS = (
    "<comment>\n#",
    "<debug>",
    " .a",
    *(prefix + quote * 3 for quote in "\"'" for prefix in ("", *"rRbBuUfFtT", *_both_cases("rb", "br", "rf", "fr", "rt", "tr"))),
)


def automaton(tables: Tables) -> Automaton:
    """The automaton of some tables, made once and kept with them."""
    if not isinstance(tables.automaton, Automaton):
        tables.automaton = Automaton(tables)
    return tables.automaton


class _OnState(dict[int, Action]):
    """State -> what to do when a token is shifted into it.

    A token whose terminal only what follows tells is reported as "" and named by a reduction.
    """

    def __init__(self, shifted: list[str | None], actions: Mapping[str, Action]) -> None:
        self.shifted = shifted
        self.by_terminal = actions

    def __missing__(self, state: int) -> Action:
        made = self[state] = self.by_terminal.get(self.shifted[state] or "", "")
        return made


class StuckError(Exception):
    """The parser cannot go on. Carries the offset of the offending text and the tokens that could have stood there."""

    def __init__(self, offset: int, expected: frozenset[str]) -> None:
        super().__init__(offset)
        self.offset = offset
        self.expected = expected


def _is_complete(match: re.Match[str]) -> bool:
    """Whether a token at the end of what has arrived cannot grow. Beginnings of longer tokens are known otherwise."""
    group = match.lastindex
    if group in (_INNER_COMMENT, _COMMENT):
        return match[0].endswith("\n")
    return group in (_STRING, _HEADER_END) or (group == _LITERAL and not _WORD.match(match[0][-1]))


class Parser:
    """One reading of one text, fed in pieces.

    Args:
        tables: the compiled dialect.
        actions: terminal -> action. A terminal that is not in it is not reported.
        out: the list that texts are appended to.
        owner: the first argument of the actions that are functions, so that one table of actions serves many parsers.
    """

    def __init__(self, tables: Tables, actions: Mapping[str, Action], out: list[str], owner: object = None) -> None:
        self.auto = automaton(tables)
        self.out = out
        self.actions = actions
        self.stack = [0]
        self.buffer = ""
        self.position = 0  # of the first character of ``buffer`` that is not yet read, in the whole text
        self._awaited = ""  # the characters without which what is open at the end of ``buffer`` cannot end ...
        self._pieces: list[str] = []  # ... and what has arrived since without any of them ...
        self._arrived = 0  # ... which is so long
        self.owner = owner
        # Actions without an owner are made for one parser: what they hold must not outlive it.
        self._on_state = _OnState(tables.shifted, actions) if owner is None else self.auto.on_state(actions)

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
            text = self._joined(text)
        elif self.buffer or self._pieces:
            text = self._joined(text)
        self._read(text, final=False)

    def _joined(self, text: str) -> str:
        """What is not yet read, up to and with ``text``."""
        joined = "".join((self.buffer, *self._pieces, text))
        self._pieces.clear()
        self._awaited = ""
        self._arrived = 0
        return joined

    def close(self) -> None:
        """Read what is left, as the end of the text.

        Raises:
            StuckError: the text is not in the language, or stops in the middle of something.
        """
        self._read(self._joined(""), final=True)
        try:
            self._end()
        except KeyError:
            raise self._stuck(0) from None

    def read_all(self, text: str) -> None:
        """Read a whole text at once."""
        self.buffer = text
        self.close()

    def expected(self) -> frozenset[str]:
        """The tokens that may come next."""
        tables = self.auto.tables
        found = set()
        for token in tables.actions[self.stack[-1]]:
            stack = list(self.stack)
            while True:
                action = tables.actions[stack[-1]].get(token)
                if action is None:
                    break
                if action >= 0:
                    found.add(token)
                    break
                name, length, _ = tables.rules[-1 - action]
                if length:
                    del stack[-length:]
                stack.append(tables.gotos[stack[-1]][name])
        return frozenset(found)

    def _is_open(self, openers: frozenset[int]) -> bool:
        """Whether something is open in the current statement, by the states that follow its opener."""
        auto = self.auto
        for state in reversed(self.stack):
            if state in openers:
                return True
            if auto.tables.actions[state].get(auto.return_token, -1) >= 0:
                return False  # a statement may start here
        return False

    def _stuck(self, offset: int) -> StuckError:
        return StuckError(self.position + offset, self.expected())

    def _read(self, buffer: str, final: bool) -> None:
        auto = self.auto
        rows, on_state, owner, literal, chain_of = auto.rows, self._on_state, self.owner, _LITERAL, auto.chain
        gotos, rules, open_texts, longest = auto.tables.gotos, auto.tables.rules, auto.open_texts, auto.longest
        stack, append = self.stack, self.out.append
        start, length = 0, len(buffer)
        # Where the end is near: for texts that may become longer ones, and for a number of any length before `e+`.
        careful, almost = (length + 1, length + 1) if final else (length - longest, length - 2)
        scan = auto.scan
        done = False
        while not done:
            done = True
            for match in scan.finditer(buffer, start):
                end = match.end()
                if start >= careful or end >= almost:
                    tail = buffer[start:]
                    if tail in open_texts or (end == length and not _is_complete(match)):
                        break
                    if match.lastindex == _NUMBER and _GROWING.fullmatch(tail):
                        break
                text = match[0]
                key: str | int | None = match.lastindex
                if key == literal:
                    key = text
                elif key == _HEADER_END:
                    if self._is_open(auto.after_field):
                        text, end, done = text[0], start + 1, False
                    key = text
                elif key == _INNER_COMMENT and not self._is_open(auto.after_bracket):
                    self._leave(buffer, start)
                    raise self._stuck(0)
                below = stack[-2] if len(stack) > 1 else -1
                row = rows[stack[-1]]
                action = row.get(key)  # type: ignore[arg-type]  # a match has a group
                if action is None:
                    done = True
                    if end == length and not final:
                        break
                    # The state reads this text in a way of its own, or not at all.
                    pattern, groups = auto.lexer(stack[-1])
                    own = pattern.match(buffer, start)
                    if own is None or own.end() == start:
                        if not final and self._unfinished(buffer, start):
                            break
                        self._leave(buffer, start)
                        raise self._stuck(0)
                    end = own.end()
                    if end == length and not final:
                        break
                    text = own[0]
                    key = auto.key[groups[own.lastindex - 1]]  # type: ignore[operator]  # a match has a group
                    action = row[key]
                    done = False
                while action.__class__ is not int:
                    chain = action.get(below)  # type: ignore[union-attr]  # a reduction
                    if chain is None:
                        try:
                            chain = action[below] = chain_of(below, stack[-1], key)  # type: ignore[index,arg-type]  # as above
                        except KeyError:
                            self._leave(buffer, start)
                            raise self._stuck(0) from None
                    pushed, emitted, shift, pops, rule = chain
                    if len(pushed) == 1:
                        stack[-1] = pushed[0]
                    else:
                        stack[-1:] = pushed
                    for terminal in emitted:
                        self._emit(terminal)
                    if shift >= 0:
                        action = shift
                        break
                    del stack[-pops:]
                    name, _, reduced = rules[rule]
                    if reduced is not None:
                        self._emit(reduced)
                    below = stack[-1]
                    stack.append(gotos[below][name])
                    action = rows[stack[-1]].get(key)  # type: ignore[arg-type]  # as above
                    if action is None:
                        self._leave(buffer, start)
                        raise self._stuck(0)
                stack.append(action)
                do = on_state[action]
                if do is None:
                    append(text)
                elif do.__class__ is str:
                    append(do)
                else:
                    do(owner, text)  # type: ignore[operator]  # a callable
                start = end
                if not done:
                    break
        self._leave(buffer, start)

    def _leave(self, buffer: str, start: int) -> None:
        self.position += start
        self.buffer = buffer[start:]

    def _emit(self, terminal: str) -> None:
        do = self.actions.get(terminal, "")
        if do.__class__ is str:
            self.out.append(do)
        elif do is not None:
            do(self.owner, "")  # type: ignore[operator]  # a callable

    def _end(self) -> None:
        """Take the end of the text, in one step for each state that the whole chain of reductions begins in."""
        auto, stack = self.auto, self.stack
        while True:
            below = stack[-2] if len(stack) > 1 else -1
            action = auto.rows[stack[-1]][END]
            if action.__class__ is int:
                stack.append(action)
                return
            chain = action.get(below)  # type: ignore[union-attr]  # a reduction
            if chain is None:
                chain = action[below] = auto.chain(below, stack[-1], END)  # type: ignore[index]  # as above
            stack[-1:] = chain.pushed
            for terminal in chain.emitted:
                self._emit(terminal)
            if chain.shift >= 0:
                stack.append(chain.shift)
                return
            del stack[-chain.pops :]
            name, _, reduced = auto.tables.rules[chain.rule]
            if reduced is not None:
                self._emit(reduced)
            stack.append(auto.tables.gotos[stack[-1]][name])

    def _unfinished(self, buffer: str, start: int) -> bool:
        """Whether text that is no token yet may become one: an open string, a piece of a special token or of a name."""
        tail = buffer[start : start + 3].lstrip("rRbBuUfFtT")
        word = _WORD.match(buffer, start)
        if (word is not None and word.end() == len(buffer)) or _NAMED_CHARACTER.match(buffer, start):
            return True
        if tail[:1] in ("'", '"') and len(buffer) - start > 3:
            self._awaited = tail[0] if buffer.startswith(tail[0] * 3, buffer.index(tail[0], start)) else tail[0] + "\n"
        return tail[:1] in ("'", '"') or buffer[start:] in self.auto.open_texts or buffer.startswith("<debug>", start)
