"""Rules of which the next token chooses one, as far as that goes, for engines that keep a stack for each way to read on.

Where two alternatives can begin with the same token, the names that they begin with are replaced by what they stand for until both
begin with the same symbol; then they share it, and what follows it becomes a rule of its own. So ``a = b`` and ``a.b`` are one
reading up to the ``=``. Where that would never end, as with a block that the end of the text may close, both readings stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy_grammar.compile import START
from simpy_grammar.engines.rules import Rules, Symbols, distinct


def determined(rules: Rules) -> Rules:
    """The rules, none of which may be left recursive, with what alternatives have in common read once.

    >>> determined({"module": (("a", "X"), ("b", "Y")), "a": (("NAME",),), "b": (("a", "DOT"),)})
    {'module': (('a', 'rule 0'),), 'rule 0': (('DOT', 'Y'), ('X',)), 'a': (('NAME',),)}
    """
    return _Determination(rules).run()


class _Determination:
    def __init__(self, rules: Rules) -> None:
        self.rules = dict(rules)
        self.nullable: set[str] = set()
        while more := {name for name in rules if name not in self.nullable and any(map(self._is_empty, rules[name]))}:
            self.nullable |= more
        self.corners: dict[str, frozenset[str]] = dict.fromkeys(rules, frozenset())
        while wider := {name: found for name in rules if (found := self._begins(rules[name])) != self.corners[name]}:
            self.corners |= wider
        self.names: dict[tuple[Symbols, ...], str] = {}

    def run(self) -> Rules:
        found: Rules = {}
        todo = [START]
        while todo:
            name = todo.pop()
            if name not in found:
                found[name] = self._determined(self.rules[name])
                todo += dict.fromkeys(s for symbols in found[name] for s in symbols if s in self.rules)
        return found

    def _is_empty(self, symbols: Symbols) -> bool:
        return all(s in self.nullable for s in symbols)

    def _begins(self, alternatives: Sequence[Symbols]) -> frozenset[str]:
        """The symbols, rules and tokens, that a text of one of these alternatives can begin with."""
        found: set[str] = set()
        for symbols in alternatives:
            for symbol in symbols:
                found.add(symbol)
                found |= self.corners.get(symbol, frozenset())
                if symbol not in self.nullable:
                    break
        return frozenset(found)

    def _determined(self, alternatives: tuple[Symbols, ...]) -> tuple[Symbols, ...]:
        """Alternatives that begin with different symbols, of which the next token chooses one as far as that goes."""
        while True:
            alternatives = self._shared(alternatives)
            unfolded = self._in_conflict(alternatives)
            if not unfolded:
                return alternatives
            alternatives = distinct(
                [
                    new
                    for symbols in alternatives
                    for new in ([(*a, *symbols[1:]) for a in self.rules[symbols[0]]] if symbols in unfolded else [symbols])
                ]
            )

    def _in_conflict(self, alternatives: tuple[Symbols, ...]) -> set[Symbols]:
        """Alternatives whose first symbol has to be replaced, since it begins as another one does."""
        begins = {symbols: self._begins((symbols,)) for symbols in alternatives}
        found: set[Symbols] = set()
        for one in alternatives:
            if not one or one[0] not in self.rules:
                continue
            for other in alternatives:
                if other and other != one:
                    common = begins[one] & begins[other]
                    if other[0] in begins[one] or (one[0] not in begins[other] and any(s in self.rules for s in common)):
                        found.add(one)
        return found

    def _shared(self, alternatives: tuple[Symbols, ...]) -> tuple[Symbols, ...]:
        """Make one alternative of those that begin with the same symbol."""
        groups: dict[str, list[Symbols]] = {}
        for symbols in alternatives:
            groups.setdefault(symbols[0] if symbols else "", []).append(symbols[1:])
        found: list[Symbols] = []
        for first, rests in groups.items():
            if len(rests) == 1 or not first:
                found.append((first, *rests[0]) if first else ())
                continue
            key = tuple(sorted(set(rests)))
            if key not in self.names:
                name = self.names[key] = f"rule {len(self.names)}"
                self.rules[name] = key
                self.corners[name] = self._begins(key)
                if any(map(self._is_empty, key)):
                    self.nullable.add(name)
            found.append((first, self.names[key]))
        return tuple(found)
