"""Fewer rules and alternatives for the same texts, since each of them costs an engine work at every token.

An engine follows all readings of a text at once. So it needs nothing of what makes the grammar LALR(1): rules that differ only in
what the parser has to remember are one rule here.
"""

from __future__ import annotations

import re
from collections import Counter

from simpy_grammar.compile import START
from simpy_grammar.engines.rules import Rules, Symbols, distinct, reachable

Classes = dict[str, tuple[str, ...]]
"""Terminal -> the terminals that it stands for."""
_FEW = 4  # a rule that stands for itself in no more places than this is put there


def simplified(rules: Rules) -> Rules:
    """The rules without those that are empty, the same as others, or only names.

    >>> simplified({"module": (("a", "b"), ("c", "X")), "a": ((),), "b": (("X",),), "c": (("X",),)})
    {'module': (('X',), ('X', 'X'))}
    """
    while True:
        before = rules
        rules = _merged(_inlined(_without_empty(rules)))
        if rules == before:
            return reachable(rules)


def _without_empty(rules: Rules) -> Rules:
    """Leave out the rules that derive nothing but the empty text, where they are used."""
    empty = {name for name, alternatives in rules.items() if alternatives == ((),) and name != START}
    return {
        name: distinct([tuple(s for s in symbols if s not in empty) for symbols in alternatives])
        for name, alternatives in rules.items()
        if name not in empty
    }


def _inlined(rules: Rules) -> Rules:
    """Put rules in the place of their names: short ones, those that are used once, and those that are always all of an alternative."""
    uses = Counter(s for alternatives in rules.values() for symbols in alternatives for s in symbols)
    alone = Counter(symbols[0] for alternatives in rules.values() for symbols in alternatives if len(symbols) == 1)
    inner: Rules = {}
    for name, alternatives in rules.items():
        short = len(alternatives) == 1 and (len(alternatives[0]) <= 1 or uses[name] == 1)
        if name != START and (short or uses[name] == alone[name] <= _FEW) and not any(name in symbols for symbols in alternatives):
            inner[name] = alternatives
    for name in list(inner):  # one level at a time, or a rule would be put into one that is gone
        if any(s in inner for symbols in inner[name] for s in symbols):
            del inner[name]

    def put(symbols: Symbols) -> tuple[Symbols, ...]:
        if len(symbols) == 1 and symbols[0] in inner:
            return inner[symbols[0]]
        return (tuple(t for s in symbols for t in (inner[s][0] if s in inner else (s,))),)

    return {
        name: distinct([new for symbols in alternatives for new in put(symbols)])
        for name, alternatives in rules.items()
        if name not in inner
    }


def _merged(rules: Rules) -> Rules:
    """Make one rule of those that derive the same in the same way. Recursive rules may call themselves where the other does."""
    group = dict.fromkeys(rules, 0)
    while True:
        shapes: dict[tuple[int, frozenset[tuple[str | int, ...]]], int] = {}
        finer = {
            name: shapes.setdefault(
                (group[name], frozenset(tuple(group.get(s, s) for s in symbols) for symbols in alternatives)), len(shapes)
            )
            for name, alternatives in rules.items()
        }
        if len(set(finer.values())) == len(set(group.values())):
            break
        group = finer
    first: dict[int, str] = {}
    for name in rules:
        first.setdefault(group[name], name)
    same = {name: first[group[name]] for name in rules}
    return {
        name: distinct([tuple(same.get(s, s) for s in symbols) for symbols in alternatives])
        for name, alternatives in rules.items()
        if same[name] == name
    }


def joined(rules: Rules) -> tuple[Rules, Classes]:
    """Make one terminal of those that stand for each other in a rule.

    >>> joined({"module": (("A", "PLUS", "B"), ("A", "MINUS", "B"), ("A",))})
    ({'module': (('A', 'ANY_0', 'B'), ('A',))}, {'ANY_0': ('MINUS', 'PLUS')})
    """
    names: dict[tuple[str, ...], str] = {}
    found: Rules = {}
    for name, alternatives in rules.items():
        places = range(max(map(len, alternatives), default=0))
        for place in places:
            groups: dict[tuple[object, ...], list[Symbols]] = {}
            for symbols in alternatives:
                is_token = len(symbols) > place and symbols[place] not in rules and symbols[place] not in names.values()
                key = (symbols[:place], symbols[place + 1 :]) if is_token else (symbols,)
                groups.setdefault(key, []).append(symbols)
            alternatives = tuple(
                (*group[0][:place], names.setdefault(tuple(sorted(s[place] for s in group)), f"ANY_{len(names)}"), *group[0][place + 1 :])
                if len(group) > 1
                else group[0]
                for group in groups.values()
            )
        found[name] = alternatives
    return found, {name: members for members, name in names.items()}


def factored(rules: Rules) -> Rules:
    """Make one alternative of those that begin alike, with a rule for how they go on.

    >>> factored({"module": (("A", "B"), ("A", "C"), ("D",))})
    {'module': (('A', 'module tail 0'), ('D',)), 'module tail 0': (('B',), ('C',))}
    """
    found: Rules = {}
    tails: dict[tuple[Symbols, ...], str] = {}
    todo = list(rules.items())
    for name, alternatives in todo:  # which grows
        groups: dict[str, list[Symbols]] = {}
        for symbols in alternatives:
            groups.setdefault(symbols[0] if symbols else "", []).append(symbols)
        new: list[Symbols] = []
        for group in groups.values():
            if len(group) == 1:
                new.append(group[0])
                continue
            length = 1
            while all(len(symbols) > length and symbols[length] == group[0][length] for symbols in group):
                length += 1
            rest = tuple(symbols[length:] for symbols in group)
            if rest not in tails:
                tails[rest] = f"{name} tail {len(tails)}"
                todo.append((tails[rest], rest))
            new.append((*group[0][:length], tails[rest]))
        found[name] = tuple(new)
    return found


def rule_names(rules: Rules, *, start: str, joint: str) -> dict[str, str]:
    """A name for each rule, in small letters and as short as it can be told apart.

    >>> rule_names({"module": (), "_block{a}": (), "_block{b}": (), "inside block": ()}, start="root", joint="-")
    {'module': 'root', '_block{a}': 'block', '_block{b}': 'block-2', 'inside block': 'inside-block'}
    """
    names = {START: start}
    for name in rules:
        base = joint.join(re.findall("[a-z0-9]+", re.sub(r"\{.*?\}", "", name.lower())))
        unique, number = base, 1
        while name not in names and unique in names.values():
            number += 1
            unique = f"{base}{joint}{number}"
        names.setdefault(name, unique)
    return names
