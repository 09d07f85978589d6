"""A small reader of grammars in GBNF, by the description of the format: what llama.cpp takes, this takes.

A state is a set of stacks, as in llama.cpp: what each way to read on still expects, the nearest first. Left recursion is refused.
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(r'\s*(?:([a-z][a-z0-9-]*)|"((?:[^"\\]|\\.)*)"|\[(\^?)((?:[^\]\\]|\\.)*)\]|([|()*+?.]))')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9A-F]{4})|U([0-9A-F]{8})|(.))")
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}

Symbol = Any  # the name of a rule, or a compiled pattern for one character
_BOTTOM = 0  # the number of the empty stack


class Grammar:
    """A grammar.

    Args:
        text: one rule on each line.

    Raises:
        ValueError: it is not a grammar, lacks a rule, or is left recursive.

    >>> grammar = Grammar('root ::= "a" b*\\nb ::= [x-y] | "" "z"\\n')
    >>> [grammar.accepts(text) for text in ("a", "axz", "b", "")]
    [True, True, False, False]
    >>> Grammar('root ::= root "a"')
    Traceback (most recent call last):
        ...
    ValueError: left recursion: root
    """

    def __init__(self, text: str) -> None:
        self.rules: dict[str, list[tuple[Symbol, ...]]] = {}
        for line in text.splitlines():
            name, found, body = line.partition(" ::= ")
            if not found or name in self.rules:
                raise ValueError(f"not a rule, or one that is there already: {line[:60]}")
            self.rules[name] = []
            tokens = list(self._tokens(body))
            self.rules[name] = self._alternatives(tokens, name)
            if tokens:
                raise ValueError(f"{name}: {tokens[0]}")
        missing = {s for a in self.rules.values() for symbols in a for s in symbols if isinstance(s, str) and s not in self.rules}
        if missing:
            raise ValueError(f"no rules: {sorted(missing)}")
        self._check_recursion()
        self._stacks: list[tuple[Symbol, int]] = [(None, _BOTTOM)]  # what is expected, and the stack below it
        self._numbers: dict[tuple[Symbol, int], int] = {}
        self._open: dict[int, frozenset[int]] = {}
        self._matched: dict[tuple[re.Pattern[str], str], bool] = {}

    def accepts(self, text: str) -> bool:
        """Whether a text is one of the grammar."""
        return self.read(text) == (len(text), True)

    def read(self, text: str) -> tuple[int, bool]:
        """How many characters of a text begin one of the grammar, and whether they are one."""
        states = self._opened(self._stack("root", _BOTTOM))
        for i, char in enumerate(text):
            after: set[int] = set()
            for state in states:
                symbol, below = self._stacks[state]
                if symbol is not None and self._matches(symbol, char):
                    after |= self._opened(below)
            if not after:
                return i, _BOTTOM in states
            states = frozenset(after)
        return len(text), _BOTTOM in states

    def _stack(self, symbol: Symbol, below: int) -> int:
        """The number of a stack; equal ones have the same."""
        number = self._numbers.setdefault((symbol, below), len(self._stacks))
        if number == len(self._stacks):
            self._stacks.append((symbol, below))
        return number

    def _matches(self, symbol: re.Pattern[str], char: str) -> bool:
        key = (symbol, char)
        if key not in self._matched:
            self._matched[key] = symbol.fullmatch(char) is not None
        return self._matched[key]

    def _opened(self, stack: int) -> frozenset[int]:
        """Replace a rule on top by what it stands for, until there is none."""
        if stack not in self._open:
            symbol, below = self._stacks[stack]
            if not isinstance(symbol, str):
                self._open[stack] = frozenset((stack,))
            else:
                found: set[int] = set()
                for symbols in self.rules[symbol]:
                    new = below
                    for one in reversed(symbols):
                        new = self._stack(one, new)
                    found |= self._opened(new)
                self._open[stack] = frozenset(found)
        return self._open[stack]

    def _tokens(self, body: str) -> Any:
        at = 0
        while body[at:].strip():
            match = _TOKEN.match(body, at)
            if match is None:
                raise ValueError(f"not read: {body[at : at + 60]}")
            at = match.end()
            name, literal, negated, chars, sign = match.groups()
            if name:
                yield name
            elif literal is not None:
                yield [re.compile(re.escape(c)) for c in _unescaped(literal)]
            elif chars is not None:
                yield [re.compile(f"[{negated}{_ESCAPE.sub(lambda m: re.escape(_unescaped(m[0])), chars)}]")]
            else:
                yield [re.compile(r"[\s\S]")] if sign == "." else (sign,)

    def _alternatives(self, tokens: list[Any], name: str) -> list[tuple[Symbol, ...]]:
        found: list[list[Symbol]] = [[]]
        last = 0  # where the last element of the alternative begins
        while tokens and tokens[0] != (")",):
            token = tokens.pop(0)
            if token == ("|",):
                found.append([])
            elif token in (("*",), ("+",), ("?",)):
                found[-1][last:] = [self._repeated(found[-1][last:], token[0], name)]
            else:
                last = len(found[-1])
                if token == ("(",):
                    found[-1].append(self._new(self._alternatives(tokens, name), name))
                    tokens.pop(0)
                else:
                    found[-1] += [token] if isinstance(token, str) else token
        return [tuple(symbols) for symbols in found]

    def _repeated(self, symbols: list[Symbol], sign: str, name: str) -> Symbol:
        one = tuple(symbols)
        if sign == "?":
            return self._new([one, ()], name)
        more = self._new([()], name)
        self.rules[more] = [(*one, more), ()]
        return more if sign == "*" else self._new([(*one, more)], name)

    def _new(self, alternatives: list[tuple[Symbol, ...]], name: str) -> str:
        made = f"{name} {len(self.rules)}"
        self.rules[made] = alternatives
        return made

    def _check_recursion(self) -> None:
        empty: set[str] = set()
        while more := {n for n, a in self.rules.items() if n not in empty and any(all(s in empty for s in b) for b in a)}:
            empty |= more
        first: dict[str, set[str]] = {}
        for name, alternatives in self.rules.items():
            first[name] = set()
            for symbols in alternatives:
                for symbol in symbols:
                    if isinstance(symbol, str):
                        first[name].add(symbol)
                    if symbol not in empty:
                        break
        while wider := {n: f for n in first if (f := first[n].union(*(first[s] for s in first[n]))) != first[n]}:
            first |= wider
        recursive = sorted(name for name, begins in first.items() if name in begins)
        if recursive:
            raise ValueError(f"left recursion: {', '.join(recursive)}")


def _unescaped(text: str) -> str:
    def char(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else _NAMED.get(match[4], match[4])

    return _ESCAPE.sub(char, text)
