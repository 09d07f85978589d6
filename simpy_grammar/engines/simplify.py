"""Fewer rules for the same texts: each function returns rules that derive what the rules before derived."""

from __future__ import annotations

from collections import Counter

from simpy_grammar.compile import START
from simpy_grammar.engines.rules import Rules, Symbols, reachable


def simplified(rules: Rules) -> Rules:
    """Apply all of them until nothing changes."""
    while True:
        before = rules
        rules = merged(inlined(without_empty(rules)))
        if rules == before:
            return reachable(rules)


def without_empty(rules: Rules) -> Rules:
    """Leave out the rules that derive the empty text only, where they are used."""
    empty = {name for name, alternatives in rules.items() if alternatives == ((),) and name != START}
    return {
        name: _distinct(tuple(s for s in a if s not in empty) for a in alternatives) for name, alternatives in rules.items() if name not in empty
    }


def inlined(rules: Rules) -> Rules:
    """Put rules in the place of their names: those with one alternative, and those that stand alone in one other rule."""
    uses = Counter(s for alternatives in rules.values() for a in alternatives for s in a)
    alone = Counter(a[0] for alternatives in rules.values() for a in alternatives if len(a) == 1)
    within: dict[str, tuple[Symbols, ...]] = {}
    for name, alternatives in rules.items():
        if name == START or any(name in a for a in alternatives):
            continue
        single = len(alternatives) == 1 and (len(alternatives[0]) <= 1 or uses[name] == 1)
        if single or (uses[name] == alone[name] <= 4):
            within[name] = alternatives
    # one level at a time, so that rules in each other's place do not get lost
    for name in list(within):
        if any(s in within for a in within[name] for s in a):
            del within[name]

    def put(symbols: Symbols) -> list[Symbols]:
        if len(symbols) == 1 and symbols[0] in within:
            return list(within[symbols[0]])
        return [tuple(t for s in symbols for t in (within[s][0] if s in within else (s,)))]

    return {name: _distinct(new for a in alternatives for new in put(a)) for name, alternatives in rules.items() if name not in within}


def merged(rules: Rules) -> Rules:
    """Join rules that have the same alternatives, one the other's name in place of its own included."""
    names = {name: 0 for name in rules}
    while True:
        groups: dict[object, int] = {}
        new: dict[str, int] = {}
        for name, alternatives in rules.items():
            shape = frozenset(tuple(names.get(s, s) for s in a) for a in alternatives)
            new[name] = groups.setdefault((names[name], shape), len(groups))
        if len(set(new.values())) == len(set(names.values())):
            break
        names = new
    first: dict[int, str] = {}
    for name in rules:
        first.setdefault(names[name], name)
    to = {name: first[names[name]] for name in rules}
    return {
        name: _distinct(tuple(to.get(s, s) for s in a) for a in alternatives) for name, alternatives in rules.items() if to[name] == name
    }


def _distinct(alternatives: object) -> tuple[Symbols, ...]:
    return tuple(dict.fromkeys(alternatives))  # type: ignore[call-overload]


def joined(rules: Rules) -> tuple[Rules, dict[str, tuple[str, ...]]]:
    """Make one terminal of those that stand for each other: ``a PLUS b | a MINUS b``. Returns them too."""
    classes: dict[tuple[str, ...], str] = {}
    found: Rules = {}
    for name, alternatives in rules.items():
        todo = list(alternatives)
        changed = True
        while changed:
            changed = False
            for place in range(max(map(len, todo), default=0)):
                groups: dict[object, list[Symbols]] = {}
                for a in todo:
                    if len(a) > place and a[place] not in rules:
                        groups.setdefault((a[:place], a[place + 1 :]), []).append(a)
                for group in groups.values():
                    if len(group) > 1:
                        flat = {t for a in group for t in next((k for k, v in classes.items() if v == a[place]), (a[place],))}
                        members = tuple(sorted(flat))
                        one = classes.setdefault(members, f"ANY_{len(classes)}")
                        first = todo.index(group[0])
                        todo[first] = (*group[0][:place], one, *group[0][place + 1 :])
                        todo = [a for a in todo if a not in group[1:]]
                        changed = True
                        break
                if changed:
                    break
        found[name] = tuple(todo)
    return found, {one: members for members, one in classes.items()}


def factored(rules: Rules) -> Rules:
    """Give alternatives that begin alike one beginning."""
    found: Rules = {}
    todo = list(rules.items())
    known: dict[tuple[Symbols, ...], str] = {}
    while todo:
        name, alternatives = todo.pop(0)
        by_first: dict[str, list[Symbols]] = {}
        for a in alternatives:
            by_first.setdefault(a[0] if a else "", []).append(a)
        new: list[Symbols] = []
        for first, group in by_first.items():
            if len(group) == 1:
                new.append(group[0])
                continue
            length = 1
            while all(len(a) > length for a in group) and len({a[length] for a in group}) == 1:
                length += 1
            tails = tuple(a[length:] for a in group)
            if tails not in known:
                known[tails] = f"{name} tail {len(known)}"
                todo.append((known[tails], tails))
            new.append((*group[0][:length], known[tails]))
        found[name] = tuple(new)
    return found
