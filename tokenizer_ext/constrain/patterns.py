"""Regular expressions as automata: the literal patterns of the grammar, taken apart symbol by symbol (Brzozowski's derivatives).

A pattern is a small tree. Its derivative by a symbol is the pattern of what may follow that symbol. Lookaheads are carried along as
conditions on the text that follows, so that a match may be known before it is known whether it counts:

    STRING after `"`     more to come
    STRING after `""`    a match, unless `"` follows: then three quotes open a long string

Symbols are characters. One of them, ``OTHER``, stands for everything beyond ASCII: no pattern of the grammar tells those apart.
Characters of Unicode's private area stand for tokens in angle brackets; no class of a pattern holds one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

OTHER = "\x80"
TEXT_SYMBOLS = frozenset(map(chr, range(129)))
"""All symbols that a class of characters may hold."""


class Pattern:
    """A pattern: what it is (one of the constants below), and its parts. Equal patterns are the same object.

    ``CLASS`` has its symbols, ``SEQUENCE`` and ``CHOICE`` have patterns, ``REPEAT`` (any number of times) has one,
    ``CONDITION`` has conditions on what follows, and what they stand before.
    """

    __slots__ = ("_endings", "_firsts", "_splits", "derivatives", "kind", "parts")
    kind: int
    parts: Any
    derivatives: dict[str, Pattern]
    _endings: frozenset[Conditions] | None
    _firsts: frozenset[str] | None
    _splits: frozenset[frozenset[str]] | None

    def __new__(cls, kind: int, parts: object) -> Pattern:
        """The pattern of this kind and these parts."""
        found = _known.get((kind, parts))
        if found is None:
            found = _known[kind, parts] = super().__new__(cls)
            found.kind = kind
            found.parts = parts
            found.derivatives = {}
            found._endings = None
            found._firsts = None
            found._splits = None
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return Pattern, (self.kind, self.parts)

    @property
    def endings(self) -> frozenset[Conditions]:
        """The conditions under which the pattern has matched, if nothing more is taken; each of these sets is enough."""
        if self._endings is None:
            self._endings = _endings_of(self.kind, self.parts)
        return self._endings

    @property
    def firsts(self) -> frozenset[str]:
        """The symbols that the pattern tells apart: what it may begin with, and what its conditions ask about."""
        if self._firsts is None:
            self._firsts = _firsts_of(self.kind, self.parts)
        return self._firsts

    @property
    def splits(self) -> frozenset[frozenset[str]]:
        """The classes of ``firsts``: the pattern has one derivative by all symbols that are in the same ones of them.

        >>> [sorted(one) for one in parse("[ab]c").splits]
        [['a', 'b']]
        """
        if self._splits is None:
            self._splits = _splits_of(self.kind, self.parts)
        return self._splits


_known: dict[tuple[int, object], Pattern] = {}
CLASS, SEQUENCE, CHOICE, REPEAT, CONDITION = range(5)
NEVER = Pattern(CHOICE, frozenset())
EMPTY = Pattern(SEQUENCE, ())
Condition = tuple[bool, Pattern]
"""Whether the text that follows must begin with the pattern, or must not."""
Conditions = frozenset[Condition]
NO_CONDITIONS: Conditions = frozenset()

_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def parse(source: str) -> Pattern:
    """The pattern of a regular expression: classes, groups, ``|``, ``*``, ``+``, ``?`` and lookaheads, which is all that the grammar uses.

    Raises:
        ValueError: it uses something else.

    >>> parse("a|b") is parse("[ab]"), parse("(?:a+|b)*") is parse("[ab]*")
    (True, True)
    """
    pattern, rest = _choice(source)
    if rest:
        raise ValueError(f"cannot read {rest!r} of a pattern")
    return pattern


def literal(text: str) -> Pattern:
    """The pattern of one text."""
    return _sequence([Pattern(CLASS, frozenset(char)) for char in text])


def _choice(source: str) -> tuple[Pattern, str]:
    options = []
    while True:
        parts = []
        while source and source[0] not in "|)":
            part, source = _repeated(source)
            parts.append(part)
        options.append(_sequence(parts))
        if not source.startswith("|"):
            return _choices(*options), source
        source = source[1:]


def _repeated(source: str) -> tuple[Pattern, str]:
    part, source = _atom(source)
    if source[:1] == "*":
        return _star(part), source[1:]
    if source[:1] == "+":
        part = _once(part)
        return _sequence([part, _star(part)]), source[1:]
    if source[:1] == "?":
        return _choices(part, EMPTY), source[1:]
    return part, source


def _atom(source: str) -> tuple[Pattern, str]:
    if source[0] == "(":
        for opening, makes in (("(?:", None), ("(?!", False), ("(?=", True)):
            if source.startswith(opening):
                inner, rest = _choice(source[3:])
                if not rest.startswith(")"):
                    raise ValueError(f"a group is not closed: {source!r}")
                if makes is None:
                    return inner, rest[1:]
                return Pattern(CONDITION, (frozenset({(makes, inner)}), EMPTY)), rest[1:]
        raise ValueError(f"cannot read {source!r} of a pattern")
    if source[0] == "[":
        return _class(source)
    if source[0] == ".":
        return Pattern(CLASS, TEXT_SYMBOLS - {"\n"}), source[1:]
    char, rest = _char(source)
    return Pattern(CLASS, frozenset(char)), rest


def _char(source: str) -> tuple[str, str]:
    if source[0] != "\\":
        return source[0], source[1:]
    if source[1] == "x":
        return chr(int(source[2:4], 16)), source[4:]
    return _ESCAPED.get(source[1], source[1]), source[2:]


def _class(source: str) -> tuple[Pattern, str]:
    negated = source.startswith("[^")
    rest = source[2 if negated else 1 :]
    symbols: set[str] = set()
    while rest[0] != "]":
        first, rest = _char(rest)
        last = first
        if rest[0] == "-" and rest[1] != "]":
            last, rest = _char(rest[1:])
        symbols.update(map(chr, range(ord(first), ord(last) + 1)))
    return Pattern(CLASS, TEXT_SYMBOLS - symbols if negated else frozenset(symbols)), rest[1:]


def _sequence(parts: list[Pattern]) -> Pattern:
    flat: list[Pattern] = []
    for part in parts:
        if part is NEVER:
            return NEVER
        flat += part.parts if part.kind == SEQUENCE else (part,)
    return flat[0] if len(flat) == 1 else Pattern(SEQUENCE, tuple(flat))


def _choices(*options: Pattern) -> Pattern:
    flat: set[Pattern] = set()
    symbols: frozenset[str] = frozenset()
    for option in options:
        for one in option.parts if option.kind == CHOICE else (option,):
            if one.kind == CLASS:
                symbols |= one.parts
            else:
                flat.add(one)
    if symbols:
        flat.add(Pattern(CLASS, symbols))
    return next(iter(flat)) if len(flat) == 1 else Pattern(CHOICE, frozenset(flat))


def _star(part: Pattern) -> Pattern:
    part = _once(part)
    return part if part.kind == REPEAT else Pattern(REPEAT, (part,))


def _once(part: Pattern) -> Pattern:
    """A pattern that is repeated, with ``a`` in place of ``a+``: ``(a+|b)*`` is ``(a|b)*``, and has fewer derivatives."""
    if part.kind != CHOICE:
        return part
    return _choices(
        *(one.parts[0] if one.kind == SEQUENCE and one.parts[1:] == (Pattern(REPEAT, one.parts[:1]),) else one for one in part.parts)
    )


def _under(conditions: Conditions, rest: Pattern) -> Pattern:
    """A pattern under conditions that have begun before it."""
    if rest is NEVER or not conditions:
        return rest
    return Pattern(CONDITION, (conditions, rest))


def _endings_of(kind: int, parts: Any) -> frozenset[Conditions]:
    if kind == CLASS:
        return frozenset()
    if kind == REPEAT:
        return frozenset({NO_CONDITIONS})
    if kind == CHOICE:
        return frozenset().union(*(part.endings for part in parts))
    if kind == CONDITION:
        conditions, rest = parts
        return frozenset(conditions | found for found in rest.endings)
    found = frozenset({NO_CONDITIONS})
    for part in parts:
        found = frozenset(one | other for one in found for other in part.endings)
    return found


def _firsts_of(kind: int, parts: Any) -> frozenset[str]:
    if kind == CLASS:
        return parts  # type: ignore[no-any-return]  # see ``Pattern``
    if kind == CONDITION:
        return frozenset().union(parts[1].firsts, *(pattern.firsts for _, pattern in parts[0]))
    found: frozenset[str] = frozenset()
    for part in parts:
        found |= part.firsts
        if kind == SEQUENCE and not part.endings:
            break
    return found


def _splits_of(kind: int, parts: Any) -> frozenset[frozenset[str]]:
    if kind == CLASS:
        return frozenset({parts})
    if kind == CONDITION:
        return frozenset().union(parts[1].splits, *(pattern.splits for _, pattern in parts[0]))
    found: frozenset[frozenset[str]] = frozenset()
    for part in parts:
        found |= part.splits
        if kind == SEQUENCE and not part.endings:
            break
    return found


def derivative(pattern: Pattern, symbol: str) -> Pattern:
    """What a pattern still asks for after a symbol.

    >>> derivative(parse("ab*"), "a") is parse("b*"), derivative(parse("ab"), "x") is NEVER
    (True, True)
    """
    found = pattern.derivatives.get(symbol)
    if found is None:
        found = pattern.derivatives[symbol] = _derivative(pattern, symbol) if symbol in pattern.firsts else NEVER
    return found


def _derivative(pattern: Pattern, symbol: str) -> Pattern:
    kind, parts = pattern.kind, pattern.parts
    if kind == CLASS:
        return EMPTY if symbol in parts else NEVER
    if kind == CHOICE:
        return _choices(*(derivative(part, symbol) for part in parts))
    if kind == REPEAT:
        return _sequence([derivative(parts[0], symbol), pattern])
    if kind == CONDITION:
        conditions, rest = parts
        left = after(conditions, symbol)
        return NEVER if left is None else _under(left, derivative(rest, symbol))
    if not parts:
        return NEVER
    first, *others = parts
    rest = _sequence(others)
    found = [_sequence([derivative(first, symbol), rest])]
    for ending in first.endings:
        left = after(ending, symbol)
        if left is not None:
            found.append(_under(left, derivative(rest, symbol)))
    return _choices(*found)


@cache
def after(conditions: Conditions, symbol: str) -> Conditions | None:
    """What conditions still ask of the text after a symbol; ``None`` if one does not hold."""
    left: set[Condition] = set()
    for wanted, pattern in conditions:
        options = [derivative(pattern, symbol)]
        for ending in pattern.endings:
            later = after(ending, symbol)
            if ending and later is not None:
                options.append(_under(later, EMPTY) if later else EMPTY)
        residual = _choices(*options)
        if NO_CONDITIONS in residual.endings:
            if not wanted:
                return None
        elif residual is NEVER:
            if wanted:
                return None
        else:
            left.add((wanted, residual))
    return frozenset(left)


@cache
def hold_at_end(conditions: Conditions) -> bool:
    """Whether conditions hold if nothing follows, or only something that no condition asks about."""
    return all(wanted == any(map(hold_at_end, pattern.endings)) for wanted, pattern in conditions)
