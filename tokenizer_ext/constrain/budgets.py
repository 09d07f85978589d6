"""Masks near the end of a budget: only ids after which the rest of the budget still suffices for an end."""

from __future__ import annotations

from tokenizer_ext.constrain.closing import NO_WAY, Closing
from tokenizer_ext.constrain.lexer import Lexer, LexerState
from tokenizer_ext.constrain.spelled import Spelled
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Endings, Tables, Then, Tree, bits_of
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_PER_TOKEN = 6  # ids by which one token of the grammar moves the end further away, at most


class Budgets:
    """What is still affordable.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
        parser: the parser of the dialect.

    Attributes:
        spelled: the ids of texts.
        closing: the cheapest ends of stacks.
    """

    def __init__(self, lexer: Lexer, tables: Tables, parser: Parser) -> None:
        self._lexer = lexer
        self._tables = tables
        self._parser = parser
        self.spelled = Spelled(tables.vocabulary, lexer.pattern)
        self.closing = Closing(lexer.automaton.tables, self._cost)
        self._depth = 0
        self._comments = frozenset(lexer.automaton.key_of[token] for token in ("COMMENT", "INNER_COMMENT"))

    def _cost(self, token: str) -> int:
        """How many ids a token of the grammar takes. A comment ends with a line, which it can do without at the end of the text only."""
        return self.spelled.cost(self.spelled.shortest(token)) + token.endswith("COMMENT")

    def least(self, state: LexerState, rest: Rest, stack: Stack) -> int:
        """How many ids finish a program from here; a way that takes so many is known."""
        return rest.left + self._least(self._lexer.resolutions(state), stack)

    def _least(self, endings: Endings, stack: Stack) -> int:
        least = NO_WAY
        for path, symbols in endings:
            after = self._parser.follow(stack, path)
            if after is not None and symbols < least:
                cost = self.closing.cost(after)
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
            bits |= self._then(link.then, stack, budget) & link.bits
        return bits

    def _then(self, then: Then, stack: Stack, budget: int) -> int:
        after = self._parser.follow(stack, then.path)
        if after is None or not isinstance(then.target, LexerState):
            return 0
        return self.bits(then.target, WHOLE, False, after, budget)

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


def _depth(tree: Tree) -> int:
    return 1 + max((_depth(below) for _, below in tree.branches), default=0)
