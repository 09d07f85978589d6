"""Masks near the end of a budget: only ids after which the rest of the budget still suffices for an end."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizer_ext.constrain.closing import NO_WAY, Closing
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexer import Edge, Lexer, LexerState
from tokenizer_ext.constrain.patterns import EMPTY, OTHER, TEXT_SYMBOLS, Pattern, derivative, hold_at_end
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Endings, Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Vocabulary

_LONGEST = 48  # symbols of the shortest text of a token of the grammar
_PER_TOKEN = 6  # ids by which one token of the grammar moves the end further away, at most


class Budgets:
    """What is still affordable.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
        parser: the parser of the dialect.
    """

    def __init__(self, lexer: Lexer, tables: Tables, parser: Parser) -> None:
        self._lexer = lexer
        self._tables = tables
        self._parser = parser
        spelled = Spelled(tables.vocabulary)
        self._closing = Closing(lexer.automaton.tables, lambda token: spelled.cost(shortest(lexer.pattern(token))))
        self._depth = 0
        self._comments = frozenset(lexer.automaton.key_of[token] for token in ("COMMENT", "INNER_COMMENT"))

    def least(self, state: LexerState, rest: Rest, stack: Stack) -> int:
        """How many ids finish a program from here; a way that takes so many is known."""
        return rest.left + self._least(self._lexer.resolutions(state), stack)

    def _least(self, endings: Endings, stack: Stack) -> int:
        least = NO_WAY
        for path, symbols in endings:
            after = self._follow(stack, path)
            if after is not None and symbols < least:
                cost = self._closing.cost(after)
                # A comment ends with the text, or with the line.
                least = min(least, symbols + cost + (cost > 0 and bool(path) and path[-1].key in self._comments))
        return least

    def is_ample(self, budget: int, least: int) -> bool:
        """Whether a budget suffices whatever id comes next."""
        if not self._depth:
            self._depth = max(_depth(self._tables.table(self._lexer.start(mode)).tree) for mode in dict.fromkeys(self._lexer.modes))
        return budget > least + _PER_TOKEN * (self._depth + 2)

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack, budget: int) -> int:
        """The ids after which ``budget`` ids less one are enough for an end, as the bits of a number."""
        table = self._tables.table(state, rest, shorn)
        bits = self._tree(table.tree, stack, budget - 1)
        for link in table.links:
            after = self._follow(stack, link.path)
            if after is not None:
                bits |= self.bits(link.target, WHOLE, False, after, budget) & link.bits
        return bits

    def _tree(self, tree: Tree, stack: Stack, left: int) -> int:
        bits = 0
        ids: list[int] = []
        for leaf in tree.leaves:
            if leaf.rest.left + self._least(leaf.endings, stack) <= left:
                bits |= leaf.bits
                ids += leaf.ids
        if ids:
            bits |= bits_of(ids)
        row = self._parser.rows[stack.node.state]
        for edge, below in tree.branches:
            if edge.key in row:
                after = self._parser.take(stack, edge)
                if after is not None:
                    bits |= self._tree(below, after, left)
        return bits

    def _follow(self, stack: Stack, path: Iterable[Edge]) -> Stack | None:
        after: Stack | None = stack
        for edge in path:
            after = self._parser.take(after, edge) if after is not None else None
        return after


def _depth(tree: Tree) -> int:
    return 1 + max((_depth(below) for _, below in tree.branches), default=0)


def shortest(pattern: Pattern) -> str:
    """The shortest text of a pattern, of letters if it can be.

    >>> from tokenizer_ext.constrain.patterns import parse
    >>> shortest(parse("#[^a]*|[a-z]+")), shortest(parse("'[^']*'"))
    ('a', "''")
    """
    symbols = sorted(TEXT_SYMBOLS - {OTHER}, key=lambda symbol: (not symbol.isalpha(), symbol.isupper(), symbol))
    level = {pattern: ""}
    seen = {pattern}
    for _ in range(_LONGEST):
        for at, text in level.items():
            if at is EMPTY or any(map(hold_at_end, at.endings)):
                return text
        below: dict[Pattern, str] = {}
        for at, text in level.items():
            for symbol in (*symbols, *_specials(at)):
                after = derivative(at, symbol)
                if after not in seen:
                    seen.add(after)
                    below[after] = text + symbol
        level = below
    return ""


def _specials(pattern: Pattern) -> Iterable[str]:
    """The tokens in angle brackets that a pattern begins with."""
    if pattern.kind == 0:
        return [symbol for symbol in pattern.parts if symbol not in TEXT_SYMBOLS]
    parts = pattern.parts[:1] if pattern.kind == 1 else pattern.parts if pattern.kind in (2, 3) else ()
    return [symbol for part in parts for symbol in _specials(part)]


class Spelled:
    """How many ids of a vocabulary a text takes.

    Args:
        vocabulary: the ids.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._texts = {spelling.symbols for spelling in vocabulary.spellings.values() if not spelling.rest.left}
        self._dummy = vocabulary.dummy

    def cost(self, text: str) -> int:
        """The fewest ids that spell a text; too many to be considered if none do."""
        least = [0]
        for end in range(1, len(text) + 1):
            ways = (least[start] + 1 for start in range(max(0, end - 32), end) if text[start:end] in self._texts)
            least.append(min(ways, default=NO_WAY))
        # A blank after an added token is lost where the tokenizer begins texts with one; then it takes two.
        return min(NO_WAY, least[-1] + bool(self._dummy and text.startswith(self._dummy)))
