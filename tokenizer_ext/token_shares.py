"""What the tokens of a program are spent on: identifiers, literals, comments, or grammar."""

from __future__ import annotations

import tokenize
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tokenizer_ext import programs
from tokenizer_ext.programs import python_tokens
from transpiler import Lexeme

CATEGORIES = ("identifiers", "literals", "comments", "grammar")
_OF_TERMINAL = {"NAME": "identifiers", "IMPORT_PREFIX": "grammar", "FIELD_START": "grammar", "FIELD_CONVERSION": "grammar"}
_OF_TOKEN = {
    programs.WORD: "identifiers",
    programs.NUMBER: "literals",
    programs.STRING: "literals",
    programs.COMMENT: "comments",
    programs.KEYWORD: "grammar",
    programs.OPERATOR: "grammar",
}
Span = tuple[int, int, float]
"""Start, end and number of tokens of a piece of text."""


@dataclass
class TokenCount:
    """The tokens of some programs in one spelling.

    Attributes:
        tokens: how many there are.
        shares: how many of them each of ``CATEGORIES`` takes; a token across several lexemes is divided by characters.
    """

    tokens: int = 0
    shares: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0.0))

    def add(self, other: TokenCount) -> None:
        """Add the tokens of another program."""
        self.tokens += other.tokens
        for name, share in other.shares.items():
            self.shares[name] = self.shares.get(name, 0.0) + share


class Sections(NamedTuple):
    """A text in sections of one category each, as parallel lists.

    Attributes:
        starts: where each section starts; the first at 0.
        categories: the category of each.
    """

    starts: list[int]
    categories: list[str]


def simpy_sections(lexemes: Iterable[Lexeme]) -> Sections:
    """The sections of a SimPy text, of which these are the lexemes.

    >>> simpy_sections([Lexeme("RETURN", "<return>", 0), Lexeme("NAME", "a", 8)])
    Sections(starts=[0, 0, 8], categories=['grammar', 'grammar', 'identifiers'])
    """
    starts, categories = [0], ["grammar"]
    for lexeme in lexemes:
        starts.append(lexeme.start)
        categories.append(_category(lexeme.terminal) if lexeme.is_data else "grammar")
    return Sections(starts, categories)


def _category(terminal: str) -> str:
    return "comments" if terminal in programs.COMMENTS else _OF_TERMINAL.get(terminal, "literals")


def python_sections(source: str) -> Sections:
    """The sections of a Python text. What this interpreter cannot cut into tokens counts as grammar.

    >>> python_sections("if a")
    Sections(starts=[0, 0, 2, 3, 4], categories=['grammar', 'grammar', 'grammar', 'identifiers', 'grammar'])
    """
    starts, categories = [0], ["grammar"]
    try:
        for token in python_tokens(source):
            starts += (token.start, token.end)
            categories += (_OF_TOKEN[token.sort], "grammar")
    except (SyntaxError, tokenize.TokenError):  # syntax of a newer Python
        pass
    return Sections(starts, categories)


def divided(spans: Iterable[Span], sections: Sections) -> TokenCount:
    """Divide tokens among the categories of the characters that they stand for. Fractions of tokens are rounded, all together.

    >>> divided([(0, 4, 1.0)], python_sections("if a")).shares
    {'identifiers': 0.25, 'literals': 0.0, 'comments': 0.0, 'grammar': 0.75}
    """
    starts, categories = sections
    count = TokenCount()
    total = 0.0
    for start, end, tokens in spans:
        total += tokens
        i = bisect_right(starts, start) - 1
        if end <= start:
            count.shares[categories[i]] += tokens
            continue
        at = start
        while at < end:
            stop = min(starts[i + 1], end) if i + 1 < len(starts) else end
            if stop > at:
                count.shares[categories[i]] += tokens * (stop - at) / (end - start)
                at = stop
            i += 1
    count.tokens = round(total)
    if count.tokens != total > 0:  # an estimate
        count.shares = {name: share * count.tokens / total for name, share in count.shares.items()}
    return count
