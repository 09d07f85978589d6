"""Masks near the end of a budget: only ids after which the rest of the budget still suffices for an end.

Each token of the grammar moves the end away by some ids at most: a dot by a name, `<if_stmt>` by its condition and its block. So it is
known of nearly all ids that they are affordable, unless hardly anything is left. Then groups of ids are asked of the parser one after the
other. While more is left, the few ids that are long runs of tokens and may be too dear are left out.
"""

from __future__ import annotations

from bisect import bisect_right

from tokenizer_ext.constrain.closing import NO_WAY, Closing
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexer import Lexer, LexerState
from tokenizer_ext.constrain.spelled import Spelled
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Endings, Leaf, Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_MOST_KEPT = 100_000
_NEAR = 24  # ids beyond those that an end takes: where no more are left, the parser is asked
_Bounds = tuple[list[int], list[int]]  # numbers of ids by which the end moves away at most, and the ids for which that is so, as bits


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
        self._comments = frozenset(lexer.automaton.key_of[token] for token in ("COMMENT", "INNER_COMMENT"))
        self._farther = {key: self.closing.farther(token) for token, key in lexer.automaton.key_of.items()}
        self._bounds: dict[tuple[LexerState, Rest, bool], _Bounds] = {}
        self._all: dict[Tree, int] = {}
        self._costs: dict[Stack, int] = {}
        self._leaves: dict[Leaf, int] = {}

    def _cost(self, token: str) -> int:
        """How many ids a token of the grammar takes. A comment ends with a line, which it can do without at the end of the text only."""
        return self.spelled.cost(self.spelled.shortest(token)) + token.endswith("COMMENT")

    def least(self, state: LexerState, rest: Rest, stack: Stack) -> int:
        """How many ids finish a program from here; a way that takes so many is known."""
        return rest.left + self._least(self._lexer.resolutions(state), stack, 0)

    def _least(self, endings: Endings, stack: Stack, enough: int) -> int:
        """How many ids finish a program after one of some endings; where so many are enough, whether they are is all that is told."""
        least = NO_WAY
        for path, symbols in endings:
            if least <= enough or symbols >= least:
                break
            after = self._parser.follow(stack, path)
            if after is not None:
                cost = self._closed(after)
                # A comment ends with the text, or with the line.
                least = min(least, symbols + cost + (cost > 0 and bool(path) and path[-1].key in self._comments))
        return least

    def _closed(self, stack: Stack) -> int:
        cost = self._costs.get(stack)
        if cost is None:
            if len(self._costs) > _MOST_KEPT:
                self._costs.clear()
            cost = self._costs[stack] = self.closing.cost(stack)
        return cost

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack, budget: int, allowed: int) -> int:
        """Of some ids that may come, those after which ``budget`` ids less one are enough for an end, as the bits of a number."""
        slack = budget - 1 - self.least(state, rest, stack)
        bounds, bits = self._bounded(state, rest, shorn)
        at = bisect_right(bounds, slack)
        near = allowed & bits[at - 1] if at else 0
        asked = allowed & ~near if slack <= _NEAR else 0
        return near | self._asked(state, rest, shorn, stack, budget - 1, asked) if asked else near

    def _bounded(self, state: LexerState, rest: Rest, shorn: bool) -> _Bounds:
        """Bounds of how far ids of a state move the end away, in ascending order; and for each bound the ids that it holds for, as bits."""
        key = state, rest, shorn
        found = self._bounds.get(key)
        if found is None:
            by_bound: dict[int, int] = {}
            table = self._tables.table(state, rest, shorn)
            self._add(by_bound, table.tree, 0)
            for path, target, bits in table.links:
                farther = sum(self._farther[edge.key] for edge in path)
                bounds, those = self._bounded(target, WHOLE, False)
                for bound, some in zip(bounds, those, strict=True):
                    by_bound[bound + farther] = by_bound.get(bound + farther, 0) | (some & bits)
            bounds = sorted(by_bound)
            those = []
            for bound in bounds:
                those.append(by_bound[bound] | (those[-1] if those else 0))
            found = self._bounds[key] = bounds, those
        return found

    def _add(self, by_bound: dict[int, int], tree: Tree, farther: int) -> None:
        for leaf in tree.leaves:
            ends = (symbols + sum(self._farther[edge.key] for edge in path) for path, symbols in leaf.endings)
            # Which of its endings a parser takes is not known.
            bound = farther + leaf.rest.left + max(ends, default=0)
            by_bound[bound] = by_bound.get(bound, 0) | self._bits(leaf)
        for edge, below in tree.branches:
            self._add(by_bound, below, farther + self._farther[edge.key])

    def _asked(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack, left: int, asked: int) -> int:
        table = self._tables.table(state, rest, shorn)
        bits = self._tree(table.tree, stack, left, asked)
        for path, target, those in table.links:
            after = self._parser.follow(stack, path) if those & asked else None
            if after is not None:
                bits |= self._asked(target, WHOLE, False, after, left, asked & those)
        return bits

    def _tree(self, tree: Tree, stack: Stack, left: int, asked: int) -> int:
        bits = 0
        for leaf in tree.leaves:
            those = self._bits(leaf) & asked
            if those and leaf.rest.left + self._least(leaf.endings, stack, left - leaf.rest.left) <= left:
                bits |= those
        row = self._parser.rows[stack.node.state]
        for edge, below in tree.branches:
            if edge.key in row and self._of(below) & asked:
                after = self._parser.take(stack, edge)
                if after is not None:
                    bits |= self._tree(below, after, left, asked)
        return bits

    def _of(self, tree: Tree) -> int:
        """All ids of a tree."""
        found = self._all.get(tree)
        if found is None:
            found = 0
            for leaf in tree.leaves:
                found |= self._bits(leaf)
            for _, below in tree.branches:
                found |= self._of(below)
            self._all[tree] = found
        return found

    def _bits(self, leaf: Leaf) -> int:
        found = self._leaves.get(leaf)
        if found is None:
            found = self._leaves[leaf] = leaf.bits or bits_of(leaf.ids)
        return found
