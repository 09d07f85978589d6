"""Rules without left recursion, for engines that would follow one forever.

The rules that begin with each other form a group. Read from left to right, a text of such a rule ``A`` begins with an alternative
of some rule ``B`` of the group that does not begin with one of them, and goes on until ``B`` has become ``A``. What makes ``B`` an
``A`` is a rule of its own: nothing if they are the same, and what follows ``B`` in an alternative of ``C``, then what makes ``C`` an ``A``.
"""

from __future__ import annotations

from simpy_grammar.engines.rules import Rules, Symbols, distinct, reachable


def without_left_recursion(rules: Rules) -> Rules:
    """The rules with lists that go on at their ends. No rule that derives the empty text may begin an alternative of a group.

    >>> without_left_recursion({"module": (("X",), ("module", "SEP", "X"))})
    {'module': (('X', 'module from module'),), 'module from module': ((), ('SEP', 'X', 'module from module'))}
    """
    found: Rules = {}
    groups = _groups(rules)
    for name, alternatives in rules.items():
        group = groups[name]
        if not group:
            found[name] = alternatives
            continue

        def rest(one: str, whole: str) -> str:
            return f"{whole} from {one}"

        found[name] = distinct(
            [(*symbols, rest(one, name)) for one in group for symbols in rules[one] if not symbols or symbols[0] not in group]
        )
        for one in group:
            more: list[Symbols] = [()] if one == name else []
            for other in group:
                more += [(*symbols[1:], rest(other, name)) for symbols in rules[other] if symbols and symbols[0] == one]
            found[rest(one, name)] = distinct(more)
    return reachable(found)


def _groups(rules: Rules) -> dict[str, tuple[str, ...]]:
    """Rule -> the rules that it can begin with and that can begin with it, itself among them; nothing if it is not left recursive."""
    first = {name: {symbols[0] for symbols in rules[name] if symbols and symbols[0] in rules} for name in rules}
    while True:
        wider = {name: begins.union(*(first[one] for one in begins)) for name, begins in first.items()}
        if wider == first:
            break
        first = wider
    return {name: tuple(one for one in rules if one in first[name] and name in first[one]) for name in rules}
