"""Rules for engines: the productions of a dialect, flat, with comments inside brackets only."""

from __future__ import annotations

from collections.abc import Collection

from simpy_grammar.compile import START, Spelled
from simpy_grammar.terminals import CLOSE, OPEN, named

Symbols = tuple[str, ...]
Rules = dict[str, tuple[Symbols, ...]]
"""Rule name -> its alternatives. A symbol that is not a key is a token."""

_OPENING = frozenset((*named(OPEN), "FIELD_START"))
_CLOSING = frozenset(named(CLOSE))
_INSIDE = "inside "  # before the name of a rule: the rule as it is within brackets
_COMMENT = "INNER_COMMENT"


def rules_of(spelled: Spelled) -> Rules:
    """The rules of a dialect. A comment stands inside brackets only, which the lexer of SimPy checks and the tables do not say.

    >>> from simpy_grammar.compile import spell
    >>> from simpy_grammar.dialect import Dialect
    >>> rules = rules_of(spell(Dialect.load("classic")))
    >>> ("_primary", "INNER_COMMENT") in rules["_primary"], ("inside _primary", "INNER_COMMENT") in rules["inside _primary"]
    (False, True)
    """
    origins = dict.fromkeys(production.origin for production in spelled.productions)
    rules: dict[str, list[Symbols]] = {prefix + origin: [] for prefix in ("", _INSIDE) for origin in origins}
    for production in spelled.productions:
        for outer in (0, 1):
            depth = outer
            symbols: list[str] = []
            for symbol in production.symbols:
                terminal = symbol.terminal or spelled.emitters.get(symbol.name, "")
                depth -= terminal in _CLOSING
                if symbol.name == _COMMENT and not depth:
                    break
                symbols.append(_INSIDE + symbol.name if depth and symbol.name in origins else symbol.name)
                depth += terminal in _OPENING
            else:
                rules[_INSIDE * outer + production.origin].append(tuple(symbols))
    return reachable({name: distinct(alternatives) for name, alternatives in rules.items()})


def reachable(rules: Rules) -> Rules:
    """The rules that the start needs, without alternatives that use a rule which derives nothing.

    >>> reachable({"module": (("a",), ("b",)), "a": (("X",),), "b": (("b", "X"),), "c": ()})
    {'module': (('a',),), 'a': (('X',),)}
    """
    productive: set[str] = set()

    def derives(symbols: Symbols) -> bool:
        return all(s in productive or s not in rules for s in symbols)

    while more := {name for name in rules if name not in productive and any(map(derives, rules[name]))}:
        productive |= more
    kept = {name: tuple(filter(derives, alternatives)) for name, alternatives in rules.items()}
    found, new = {START}, [START]
    while new:
        for symbol in {s for symbols in kept[new.pop()] for s in symbols if s in kept} - found:
            found.add(symbol)
            new.append(symbol)
    return {name: alternatives for name, alternatives in kept.items() if name in found}


def distinct(alternatives: Collection[Symbols]) -> tuple[Symbols, ...]:
    """The alternatives, each once."""
    return tuple(dict.fromkeys(alternatives))
