"""The shortest way to an end: which tokens finish a program from a stack of the parser, and how many ids of a vocabulary they take.

The tables do not say what rules consist of, but the automaton does: every state is entered by one symbol, so a way into a state in which
a rule is complete spells that rule. From that follow the cheapest text of each rule, and what is missing for each rule that is under way
in a state. A stack is finished rule by rule, by the cheapest way (Dijkstra's algorithm); what is known of a stack is kept.

The number is one that can be reached, since it is that of a real program: names of one letter, no comments. A token that the vocabulary
cuts in a better way than alone may make it too large by a few.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import lru_cache

from simpy_grammar.tables import END, Tables
from tokenizer_ext.constrain.fragments import Fragment
from tokenizer_ext.constrain.layouts import DEDENT, NEWLINE
from tokenizer_ext.constrain.stacks import Parser, Stack

NO_WAY = 1_000_000
_ID = 1024  # what an id counts
_NO_WAY = NO_WAY * _ID
# Tokens that rules of valid Python often refuse count a little more than others with as many ids.
_AWKWARD = frozenset(("YIELD", "AWAIT", "RETURN", "BREAK", "CONTINUE", "RAISE", "NONLOCAL", "LAZY", "FUTURE_IMPORT", "ELLIPSIS"))
_MOST_KEPT = 100_000
Exit = tuple[int, int, int]
"""A rule under way in a state: its number, how many states it has on the stack, what is missing costs so many parts of an id."""
Known = tuple[int, "tuple[Fragment, tuple[str, ...]] | None"]
"""What an end costs, in parts of an id, and the first step of it: the stack after it, and the symbols that it reads; ``None`` if the text
may end here."""


class Closing:
    """The cheapest end of stacks.

    Args:
        tables: the tables of the dialect.
        parser: the parser of the dialect.
        cost: how many ids a token of the grammar takes.
    """

    def __init__(self, tables: Tables, parser: Parser, cost: Callable[[str], int]) -> None:
        self._tables = tables
        self._parser = parser
        self._at_end = [token for key in (NEWLINE, DEDENT) for token, (_, text) in tables.patterns.items() if text == key]
        self._roots: dict[int, Fragment] = {}
        self._costs = {token: cost(token) * _ID + (token in _AWKWARD) for token in tables.tokens if token != END}
        self._targets: list[dict[str, int]] = []
        entered: dict[int, str] = {}
        into: dict[int, int] = {}
        for state in range(len(tables)):
            targets = {token: target for token, target in tables.actions[state].items() if target >= 0 and token != END}
            targets |= {f"<{name}>": target for name, target in tables.gotos[state].items()}
            self._targets.append(targets)
            for symbol, target in targets.items():
                entered[target] = symbol
                into.setdefault(target, state)
        self._complete = [frozenset(-1 - action for action in tables.actions[state].values() if action < 0) for state in range(len(tables))]
        self._rules = self._spelled(entered, into)
        self._cheapest_rule: dict[str, int] = {}
        self._cheapest()
        self._by_symbol: dict[str, list[tuple[int, int]]] = {}
        for rule, symbols in self._rules.items():
            for i, symbol in enumerate(symbols):
                self._by_symbol.setdefault(symbol, []).append((rule, i + 1))
        self._entered = entered
        self._kept: dict[Fragment, Known] = {}
        self.exits = lru_cache(maxsize=None)(self._exits)
        self.text = lru_cache(maxsize=None)(self._text)

    def _spelled(self, entered: dict[int, str], into: dict[int, int]) -> dict[int, tuple[str, ...]]:
        """Rule -> its symbols; the names of rules stand in angle brackets."""
        rules: dict[int, tuple[str, ...]] = {}
        for state, complete in enumerate(self._complete):
            for rule in complete - rules.keys():
                symbols: list[str] = []
                at = state
                for _ in range(self._tables.rules[rule][1]):
                    symbols.append(entered[at])
                    at = into[at]
                rules[rule] = tuple(reversed(symbols))
        return rules

    def _cheapest(self) -> None:
        """Find what the cheapest text of each rule costs."""
        costs = self._costs
        changed = True
        while changed:
            changed = False
            for rule, symbols in self._rules.items():
                name = f"<{self._tables.rules[rule][0]}>"
                cost = sum(costs.get(symbol, _NO_WAY) for symbol in symbols)
                if cost < costs.get(name, _NO_WAY):
                    costs[name] = cost
                    self._cheapest_rule[name] = rule
                    changed = True

    def _exits(self, state: int) -> tuple[Exit, ...]:
        """The rules under way in a state."""
        found: dict[tuple[str, int], Exit] = {}
        for rule, done in self._by_symbol.get(self._entered.get(state, ""), ()):
            at: int | None = state
            cost = 0
            for symbol in self._rules[rule][done:]:
                at = self._targets[at].get(symbol) if at is not None else None
                cost += self._costs.get(symbol, _NO_WAY)
            if at is not None and rule in self._complete[at]:
                key = self._tables.rules[rule][0], done
                if key not in found or cost < found[key][2]:
                    found[key] = rule, done, cost
        return tuple(found.values())

    def cost(self, stack: Stack) -> int:
        """How many ids finish a program from here."""
        return self._known(self._whole(stack))[0] // _ID

    def farther(self, token: str) -> int:
        """By how many ids a token moves the end away at most: what finishes the rules that it begins, up to one that was under way."""
        ids = (self._begun(state, row[token]) for state, row in enumerate(self._targets) if token in row)
        return -(-max(ids, default=0) // _ID)

    def _begun(self, state: int, target: int) -> int:
        """What finishes the rules that begin in a state, after the symbol that leads to another state."""
        heap = [(0, target)]
        seen: set[int] = set()
        while heap:
            cost, at = heapq.heappop(heap)
            if at < 0:
                return cost
            seen.add(at)
            for rule, done, more in self.exits(at):
                after = self._tables.gotos[state].get(self._tables.rules[rule][0], -1) if done == 1 else -1
                if after < 0 or after not in seen:
                    heapq.heappush(heap, (cost + more, after))
        return 0

    def tokens(self, stack: Stack) -> tuple[str, ...] | None:
        """The tokens of the grammar that take so many ids; ``None`` if none are known."""
        fragment = self._whole(stack)
        cost, step = self._known(fragment)
        if cost >= _NO_WAY:
            return None
        found: list[str] = []
        while step is not None:
            fragment, symbols = step
            for symbol in symbols:
                found += self.text(symbol)
            step = self._kept[fragment][1]
        return tuple(found)

    def _text(self, symbol: str) -> tuple[str, ...]:
        """The tokens of the cheapest text of a symbol."""
        rule = self._cheapest_rule.get(symbol)
        return (symbol,) if rule is None else tuple(token for part in self._rules[rule] for token in self.text(part))

    def _whole(self, stack: Stack) -> Fragment:
        states = list(self._parser.states(stack))
        fragment = self._roots.setdefault(states[-1], Fragment(states[-1], None))
        for state in states[-2::-1]:
            fragment = fragment.push(state)
        return fragment

    def _known(self, start: Fragment) -> Known:
        kept = self._kept
        if start in kept:
            return kept[start]
        if len(kept) > _MOST_KEPT:
            kept.clear()
        count = itertools.count()
        heap: list[tuple[int, int, Fragment]] = [(0, next(count), start)]
        best = {start: 0}
        came: dict[Fragment, tuple[Fragment, tuple[str, ...]]] = {}
        end, last = _NO_WAY, start
        actions = self._tables.actions
        while heap:
            cost, _, fragment = heapq.heappop(heap)
            if cost >= end:
                break
            if cost > best[fragment]:
                continue
            if fragment not in kept and (actions[fragment.state].get(END, -1) >= 0 or self._may_end(fragment)):
                kept[fragment] = 0, None
            if fragment in kept:
                if cost + kept[fragment][0] < end:
                    end, last = cost + kept[fragment][0], fragment
                continue
            for rule, done, more in self.exits(fragment.state):
                base: Fragment | None = fragment
                for _ in range(done):
                    base = base.below if base is not None else None
                target = self._tables.gotos[base.state].get(self._tables.rules[rule][0]) if base is not None else None
                if base is None or target is None:
                    continue
                after = base.push(target)
                if cost + more < best.get(after, _NO_WAY):
                    best[after] = cost + more
                    came[after] = fragment, self._rules[rule][done:]
                    heapq.heappush(heap, (cost + more, next(count), after))
        while last is not start:
            before, symbols = came[last]
            kept[before] = end - best[before], (last, symbols)
            last = before
        return kept.setdefault(start, (end, None))

    def _may_end(self, fragment: Fragment) -> bool:
        """Whether the text may end here; the end of a text ends its last line and its blocks, too."""
        for token in self._at_end:
            while (after := fragment.shift(token, self._tables)) is not None:
                fragment = after
        return fragment.takes(END, self._tables)
