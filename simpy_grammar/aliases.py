"""Aliases: a name that comes again and again is spelled in full once, and by a token of its own from then on.

    def scale(points, max_value):                 <def_stmt>scale points max_value<n0><block_start>
        max_value = check(max_value, points)      <n0>=check(<n0> points)
        return [p * max_value for p in points]    <return>[p<times><n0><for>p points]<block_end>

A name with an alias after it *binds* that alias; the alias alone *refers* to the name. Bound aliases are numbered in the order in which
they are bound. Which names of a program get one, ``choose`` says from the program alone, so that it is the same wherever
the program is spelled. A stream of lexemes holds names only: the lexer puts them back, the speller takes them away.
"""

from __future__ import annotations

from collections import Counter

from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.name_boundaries import name_parts
from simpy_grammar.reader import StuckError
from simpy_grammar.terminals import ID

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIAS = "<n(?:0|[1-9][0-9]{0,3})>"
"""The pattern of an alias."""
BEGUN_ALIAS = later_pattern(r"[^<]*<(?:n[0-9]{0,4})?\Z")
_SPELLED = later_pattern(rf"([^<]*)({ALIAS})")
_NAME, _NUMBER_DOT = ID["NAME"], ID["NUMBER_DOT"]
_PART = 7  # characters of a part of a name that are about one token


class Aliased(str):
    """A name that the text spells with an alias, or by one alone.

    Attributes:
        spelled: how the text spells it.
    """

    __slots__ = ("spelled",)
    spelled: str

    def __new__(cls, name: str, spelled: str) -> Aliased:
        """The name, which a text spells in a way of its own."""
        made = super().__new__(cls, name)
        made.spelled = spelled
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return Aliased, (str(self), self.spelled)


def spelled(text: str) -> str:
    """How a text that has been read spells a lexeme.

    >>> spelled(Aliased("points", "<n0>")), spelled("factor")
    ('<n0>', 'factor')
    """
    return text.spelled if isinstance(text, Aliased) else text


def aliases(count: int) -> tuple[str, ...]:
    """The first aliases.

    >>> aliases(2)
    ('<n0>', '<n1>')
    """
    return tuple(f"<n{number}>" for number in range(count))


class AliasError(StuckError):
    """An alias that cannot stand where it does.

    Attributes:
        message: why.
        hint: what to do about it.
    """

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(offset)
        self.message = message
        self.hint = hint


def split(text: str) -> tuple[str, str]:
    """The name and the alias that a text consists of. The name is empty if there is only an alias; both are if there is none.

    >>> split("points<n0>"), split("<n0>"), split("points")
    (('points', '<n0>'), ('', '<n0>'), ('', ''))
    """
    match = _SPELLED.fullmatch(text) if text[-1:] == ">" else None
    return (match[1], match[2]) if match else ("", "")


class Bindings:
    """What the aliases of one text stand for, as far as it has been read.

    Args:
        count: how many aliases the dialect has.

    Attributes:
        names: alias -> the name that it is bound to.
    """

    __slots__ = ("_known", "names")

    def __init__(self, count: int) -> None:
        self.names: dict[str, str] = {}
        self._known = frozenset(aliases(count))

    def resolve(self, texts: Sequence[str], are_names: Iterable[bool]) -> tuple[list[str], str, str]:
        """Names in place of what aliases spell, up to an alias that cannot stand where it does.

        Args:
            texts: of tokens.
            are_names: which of them are names.

        Returns:
            The texts; if there are fewer than were given, why the next one cannot be read, and a hint.
        """
        found: list[str] = []
        for text, is_name in zip(texts, are_names, strict=True):
            name, alias = split(text) if is_name else ("", "")
            if not alias:
                found.append(text)
            elif alias not in self._known:
                return found, f"{alias} is not an alias of the dialect", f"it has {len(self._known)}: <n0> to <n{len(self._known) - 1}>"
            elif not name and alias not in self.names:
                return found, f"the alias {alias} is not bound", f"the first mention binds it: NAME{alias}"
            elif name and alias in self.names:
                return (
                    found,
                    f"{alias} is bound to {self.names[alias]!r} already",
                    "an alias is bound once, where its name is first mentioned",
                )
            else:
                if name:
                    self.names[alias] = name
                found.append(Aliased(name or self.names[alias], text))
        return found, "", ""

    def forget(self, texts: Iterable[str]) -> None:
        """Take back what some of the texts that were resolved last have bound."""
        for text in texts:
            if isinstance(text, Aliased) and text.spelled[0] != "<":
                del self.names[split(text.spelled)[1]]


def choose(names: Iterable[str], most: int) -> dict[str, str]:
    """Which names of a program get an alias: those with which most is saved, by an estimate of how many tokens a name is.

    Args:
        names: all mentions of names, in order.
        most: how many aliases there are.

    Returns:
        Name -> alias, numbered in the order of the first mention.

    >>> choose(["x", "long_name", "x", "long_name", "x", "other_name", "long_name", "other_name", "other_name"], 2)
    {'long_name': '<n0>', 'other_name': '<n1>'}
    """
    counts = Counter(names)
    gains = {name: gain for name, count in counts.items() if count > 1 and (gain := (count - 1) * (_tokens(name) - 1) - 1) > 0}
    if len(gains) > most:
        chosen = sorted(gains, key=lambda name: (-gains[name], name))[:most]
        gains = {name: gains[name] for name in sorted(chosen, key=list(counts).index)}
    return dict(zip(gains, aliases(most), strict=False))


def _tokens(name: str) -> int:
    """About how many tokens a name is."""
    return max(1, sum(-(-len(part) // _PART) for part in name_parts(name) if part[0] != "_"))


def spell(terminals: Sequence[int], texts: list[str], most: int) -> None:
    """Put aliases into the texts of all lexemes of a program.

    >>> texts = ["long_name", "=", "long_name", "=", "long_name"]
    >>> spell([_NAME, ID["ASSIGN"], _NAME, ID["ASSIGN"], _NAME], texts, 64)
    >>> texts
    ['long_name<n0>', '=', '<n0>', '=', '<n0>']
    """
    # What follows the dot of a number must be seen to be a name.
    places = [i for i, terminal in enumerate(terminals) if terminal == _NAME and not (i and terminals[i - 1] == _NUMBER_DOT)]
    chosen = choose([texts[i] for i in places], most)
    bound: set[str] = set()
    for i in places:
        alias = chosen.get(texts[i])
        if alias is not None:
            texts[i] = alias if alias in bound else texts[i] + alias
            bound.add(alias)
