"""Rules for engines: the productions of a dialect, with comments inside brackets only, and with as few rules as needed.

An engine follows all readings of a text at once, so it needs none of what makes the grammar LALR(1): rules that differ only in
what the parser has to remember are merged. Few rules and few alternatives are what it needs, since each costs work at every token.
"""

from __future__ import annotations

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
    """The rules of a dialect. A comment stands inside brackets only, which the tables of the reader do not say.

    >>> from simpy_grammar.compile import spell
    >>> from simpy_grammar.dialect import Dialect
    >>> rules = rules_of(spell(Dialect.load("classic")))
    >>> any("INNER_COMMENT" in symbols for symbols in rules["attribute"]), rules["attribute"] == rules["inside attribute"]
    (False, False)
    """
    rules: dict[str, dict[Symbols, None]] = {}
    origins = {production.origin for production in spelled.productions}
    for production in spelled.productions:
        for outer in (0, 1):
            depth, symbols = outer, []
            for symbol in production.symbols:
                terminal = symbol.terminal or spelled.emitters.get(symbol.name, "")
                depth -= terminal in _CLOSING
                if symbol.name == _COMMENT and not depth:
                    break
                symbols.append(_INSIDE + symbol.name if depth and symbol.name in origins else symbol.name)
                depth += terminal in _OPENING
            else:
                rules.setdefault(_INSIDE * outer + production.origin, {})[tuple(symbols)] = None
    for name in [*origins, *map(_INSIDE.__add__, origins)]:
        rules.setdefault(name, {})
    return reachable({name: tuple(alternatives) for name, alternatives in rules.items()})


def reachable(rules: Rules) -> Rules:
    """The rules that the start needs, without alternatives that use a rule which derives nothing."""
    productive: set[str] = set()
    while more := {
        name for name in rules if name not in productive and any(all(s in productive or s not in rules for s in a) for a in rules[name])
    }:
        productive |= more
    kept = {name: tuple(a for a in rules[name] if all(s in productive or s not in rules for s in a)) for name in rules}
    found, new = {START}, [START]
    while new:
        for symbol in {s for a in kept[new.pop()] for s in a if s in kept}:
            if symbol not in found:
                found.add(symbol)
                new.append(symbol)
    return {name: alternatives for name, alternatives in kept.items() if name in found}
