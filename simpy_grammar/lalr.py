"""LALR(1) tables of a grammar of numbers, as DeRemer and Pennello compute them. Sets of tokens are the bits of a number.

``simpy_grammar.compile`` numbers the symbols of a dialect. Lark computes the same, in symbols, and takes some ten times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

Production = tuple[int, tuple[int, ...]]
"""A rule name and the symbols that it stands for. The rule names come first among the symbols, then the tokens."""


class State(NamedTuple):
    """A state of the automaton.

    Attributes:
        before: the places in productions that it stands for, each a production and how many of its symbols have been read. Those
            at the beginning of a production are left out.
        moves: symbol -> next state.
        reductions: production -> the tokens on which it is reduced, as bits.
    """

    before: tuple[tuple[int, int], ...]
    moves: dict[int, int]
    reductions: dict[int, int]


def automaton(productions: Sequence[Production], names: int, start: int, end: int) -> list[State]:
    """The states, the first of them the one to start in. The end of a text leads from the state where it may be to the same.

    Args:
        productions: the grammar.
        names: how many symbols are rule names.
        start: the rule name to start with.
        end: the token at the end of a text.

    >>> states = automaton([(0, (1, 0)), (0, ())], 1, 0, 2)  # s: A s |
    >>> [(state.moves, state.reductions) for state in states]
    [({0: 1, 1: 2}, {1: 4}), ({2: 1}, {}), ({0: 3, 1: 2}, {1: 4}), ({}, {0: 4})]
    """
    rules = [*(symbols for _, symbols in productions), (start, end)]
    first = [0, *accumulate(len(symbols) + 1 for symbols in rules)][:-1]  # of a rule -> its first place
    next_symbol = [symbol for symbols in rules for symbol in (*symbols, -1)]
    place_of = [(rule, read) for rule, symbols in enumerate(rules) for read in range(len(symbols) + 1)]
    of_name: list[list[int]] = [[] for _ in range(names)]
    for rule, (name, _) in enumerate(productions):
        of_name[name].append(rule)
    kernels, moves = _states(first, next_symbol, of_name, first[-1], end)
    nullable = _nullable(productions, names)
    reductions = _reductions(rules, of_name, moves, nullable, names)
    return [
        State(tuple(place_of[place] for place in kernel if place < first[-1] and place_of[place][1]), to, reductions[state])
        for state, (kernel, to) in enumerate(zip(kernels, moves, strict=True))
    ]


def _states(
    first: list[int], next_symbol: list[int], of_name: list[list[int]], root: int, end: int
) -> tuple[list[tuple[int, ...]], list[dict[int, int]]]:
    """The places that each state begins with, and its moves."""
    names = len(of_name)
    expanded: dict[frozenset[int], dict[int, list[int]]] = {}

    def expand(heads: frozenset[int]) -> dict[int, list[int]]:
        """For each symbol that some rule names may begin with, the places after it."""
        found: dict[int, list[int]] = {}
        waiting = list(heads)
        seen = set(waiting)
        while waiting:
            for rule in of_name[waiting.pop()]:
                symbol = next_symbol[first[rule]]
                if symbol >= 0:
                    found.setdefault(symbol, []).append(first[rule] + 1)
                    if symbol < names and symbol not in seen:
                        seen.add(symbol)
                        waiting.append(symbol)
        return found

    kernels: list[tuple[int, ...]] = [(root,)]
    number = {kernels[0]: 0}
    moves: list[dict[int, int]] = []
    for kernel in kernels:  # grows
        own: dict[int, list[int]] = {}
        heads: list[int] = []
        for place in kernel:
            symbol = next_symbol[place]
            if symbol >= 0:
                own.setdefault(symbol, []).append(place + 1)
                if symbol < names:
                    heads.append(symbol)
        key = frozenset(heads)
        after = expanded.get(key)
        if after is None:
            after = expanded[key] = expand(key)
        to: dict[int, int] = {}
        for symbol in sorted(own.keys() | after.keys()):
            if symbol == end:
                to[symbol] = len(moves)
                continue
            places = tuple(sorted({*own.get(symbol, ()), *after.get(symbol, ())}))
            state = number.get(places)
            if state is None:
                state = number[places] = len(kernels)
                kernels.append(places)
            to[symbol] = state
        moves.append(to)
    return kernels, moves


def _nullable(productions: Sequence[Production], names: int) -> frozenset[int]:
    """The rule names that may stand for nothing."""
    found: set[int] = set()
    while True:
        more = {name for name, symbols in productions if name not in found and all(s in found for s in symbols)}
        if not more:
            return frozenset(found)
        found |= more


def _reductions(
    rules: list[tuple[int, ...]], of_name: list[list[int]], moves: list[dict[int, int]], nullable: frozenset[int], names: int
) -> list[dict[int, int]]:
    """For each state the productions that it reduces, and the tokens on which it does."""
    tokens = [0] * len(moves)  # state -> the tokens that may come
    for state, to in enumerate(moves):
        for symbol in to:
            if symbol >= names:
                tokens[state] |= 1 << symbol
    at: dict[tuple[int, int], int] = {}  # state and rule name -> number of this move
    for state, to in enumerate(moves):
        for symbol in to:
            if symbol < names:
                at[state, symbol] = len(at)
    follows = [tokens[moves[state][name]] for state, name in at]
    reads = [[at[moves[state][name], other] for other in moves[moves[state][name]] if other in nullable] for state, name in at]
    _spread(follows, reads)
    # How many symbols of a production there are before the rest of it may stand for nothing.
    rest = []
    for symbols in rules:
        k = len(symbols)
        while k and symbols[k - 1] in nullable:
            k -= 1
        rest.append(k)
    includes: list[list[int]] = [[] for _ in at]
    looks_back: list[dict[int, list[int]]] = [{} for _ in moves]
    for (start, name), move in at.items():
        for rule in of_name[name]:
            state = start
            least = rest[rule] - 1
            for i, symbol in enumerate(rules[rule]):
                if i >= least and symbol < names:
                    includes[at[state, symbol]].append(move)
                state = moves[state][symbol]
            looks_back[state].setdefault(rule, []).append(move)
    _spread(follows, includes)
    found: list[dict[int, int]] = []
    for back in looks_back:
        reductions: dict[int, int] = {}
        for rule, made in back.items():
            bits = 0
            for move in made:
                bits |= follows[move]
            reductions[rule] = bits
        found.append(reductions)
    return found


def _spread(sets: list[int], includes: list[list[int]]) -> None:
    """Add to each set what the sets have that it includes, directly or not. Those that include each other become the same."""
    unseen, done = 0, len(sets) + 1
    depth = [unseen] * len(sets)
    stack: list[int] = []
    for root in range(len(sets)):
        if depth[root] != unseen:
            continue
        path = [(root, iter(includes[root]))]
        stack.append(root)
        depth[root] = len(stack)
        opened = {root: len(stack)}
        while path:
            node, others = path[-1]
            for other in others:
                if depth[other] == unseen:
                    stack.append(other)
                    depth[other] = opened[other] = len(stack)
                    path.append((other, iter(includes[other])))
                    break
                depth[node] = min(depth[node], depth[other])
                sets[node] |= sets[other]
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    depth[above] = min(depth[above], depth[node])
                    sets[above] |= sets[node]
                if depth[node] == opened[node]:
                    while True:
                        one = stack.pop()
                        depth[one] = done
                        sets[one] = sets[node]
                        if one == node:
                            break
