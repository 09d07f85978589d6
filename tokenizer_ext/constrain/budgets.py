"""Masks near the end of a budget: only ids after which the rest of the budget still suffices for an end.

Each token of the grammar moves the end away by some ids at most: a dot by a name, `<if_stmt>` by its condition and its block. So it is
known of nearly all ids that they are affordable, unless hardly anything is left. Then groups of ids are asked of the parser one after the
other. While more is left, the few ids that are long runs of tokens and may be too dear are left out.

In Python, words need blanks around them, and some statements require another line, which has to be indented. How many ids that takes
depends on the indents of the open blocks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container

from simpy_grammar.tables import Key
from tokenizer_ext.constrain.closing import NO_WAY, Closing
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.layouts import BEGUN, DEDENT, INDENT, LAYOUT, NEWLINE
from tokenizer_ext.constrain.lexer import Edge, Lexer, LexerState, Path
from tokenizer_ext.constrain.line_costs import Lines
from tokenizer_ext.constrain.spelled import Spelled
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Endings, Leaf, Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest

_MOST_KEPT = 100_000
_NEAR = 24  # ids beyond those that an end takes: where no more are left, the parser is asked
_WORD = re.compile(r"\^?[a-z_ ]+")
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
        self.closing = Closing(lexer.automaton.tables, parser, self._cost)
        key_of = lexer.automaton.key_of
        self._farther: dict[Key, int] = {key: self.closing.farther(token) for token, key in key_of.items()}
        self._lines = Lines(lexer, parser, self.spelled.cost, self.closing.cost) if lexer.indents else None
        # What has to be ended before something can follow: comments, by a line end, and words, by a blank.
        self._ended = frozenset(key_of[token] for token in ("COMMENT", "INNER_COMMENT") if token in key_of)
        if self._lines is not None:
            self._ended = frozenset(key for key in key_of.values() if key == NEWLINE or _is_word(key))
            self._farther |= {BEGUN: 0, LAYOUT: max(self._farther[INDENT], self._farther[DEDENT])}
        self._bounds: dict[tuple[LexerState, Rest, bool, int], _Bounds] = {}
        self._costs: dict[Stack, int] = {}
        self._leaves: dict[Leaf, int] = {}

    def _cost(self, token: str) -> int:
        """How many ids a token of the grammar takes. A comment ends with a line, which it can do without at the end of the text only."""
        if self._lexer.indents:
            key = self._lexer.automaton.key_of[token]
            if key in (INDENT, DEDENT):
                return int(key == INDENT)
            text = self.spelled.shortest(token)
            return self.spelled.begun(f"{text} " if _is_word(key) else text)
        return self.cost_of(self.spelled.shortest(token)) + token.endswith("COMMENT")

    def cost_of(self, text: str) -> int:
        """How many ids the text of a token takes where it has no blanks around it, even if it is begun with one symbol."""
        return max(self.spelled.cost(text), self.spelled.begun(text))

    def least(self, state: LexerState, rest: Rest, stack: Stack, first: Container[Key] | None = None) -> int:
        """How many ids finish a program from here; a way that takes so many is known.

        The next token is one of ``first``, if these are given.
        """
        endings = self._lexer.resolutions(state)
        if first is not None:
            endings = tuple(ending for ending in endings if not ending[0] or ending[0][0].key in first)
        return rest.left + self._least(endings, stack, 0)

    def _least(self, endings: Endings, stack: Stack, enough: int) -> int:
        """How many ids finish a program after one of some endings; where so many are enough, whether they are is all that is told."""
        least = NO_WAY
        for path, symbols in endings:
            if least <= enough or symbols >= least:
                break
            after = self._parser.follow(stack, path)
            if after is not None:
                cost = self._after(after, path[-1] if path else None)
                # A comment ends with the text, or with the line.
                least = min(least, symbols + cost + (cost > 0 and bool(path) and path[-1].key in self._ended))
        return least

    def _after(self, stack: Stack, edge: Edge | None) -> int:
        """How many ids finish a program after a token."""
        if self._lines is not None and edge is not None and edge.key in (BEGUN, NEWLINE):
            return self._lines.cost(stack, edge.layout or (0, 0))
        return self._closed(stack)

    def _closed(self, stack: Stack) -> int:
        cost = self._costs.get(stack)
        if cost is None:
            if len(self._costs) > _MOST_KEPT:
                self._costs.clear()
            cost = self.closing.cost(stack)
            cost += self._lines.owed(stack) if self._lines is not None and cost else 0
            self._costs[stack] = cost
        return cost

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack, budget: int, allowed: int) -> int:
        """Of some ids that may come, those after which ``budget`` ids less one are enough for an end, as the bits of a number."""
        slack = budget - 1 - self.least(state, rest, stack)
        bounds, bits = self._bounded(state, rest, shorn, 0 if self._lines is None else self._lines.width(*stack.indents))
        at = bisect_right(bounds, slack)
        near = allowed & bits[at - 1] if at else 0
        asked = allowed & ~near if slack <= _NEAR else 0
        return near | self._asked(state, rest, shorn, stack, budget - 1, asked) if asked else near

    def _bounded(self, state: LexerState, rest: Rest, shorn: bool, width: int) -> _Bounds:
        """Bounds of how far ids of a state move the end away, in ascending order; and for each bound the ids that it holds for, as bits.

        A line with its indent takes at most ``width`` ids.
        """
        key = state, rest, shorn, width
        found = self._bounds.get(key)
        if found is None:
            by_bound: dict[int, int] = {}
            table = self._tables.table(state, rest, shorn)
            self._add(by_bound, table.tree, 0, width)
            for path, target, bits in table.links:
                farther, wider = self._moved(path, 0, width)
                bounds, those = self._bounded(target, WHOLE, False, wider)
                for bound, some in zip(bounds, those, strict=True):
                    by_bound[bound + farther] = by_bound.get(bound + farther, 0) | (some & bits)
            bounds = sorted(by_bound)
            those = []
            for bound in bounds:
                those.append(by_bound[bound] | (those[-1] if those else 0))
            found = self._bounds[key] = bounds, those
        return found

    def _add(self, by_bound: dict[int, int], tree: Tree, farther: int, width: int) -> None:
        for leaf in tree.leaves:
            ends = (symbols + self._moved(path, farther, width)[0] for path, symbols in leaf.endings)
            # Which of its endings a parser takes is not known.
            bound = leaf.rest.left + max(ends, default=farther) + (self._lines is not None)
            by_bound[bound] = by_bound.get(bound, 0) | self._bits(leaf)
        for edge, below in tree.branches:
            self._add(by_bound, below, *self._moved((edge,), farther, width))

    def _moved(self, path: Path, farther: int, width: int) -> tuple[int, int]:
        """The same after some tokens."""
        for edge in path:
            farther += self._farther[edge.key]
            if self._lines is not None:
                if edge.layout is not None:
                    width = max(width, self._lines.width(edge.layout))
                if edge.key in self._lines.asking:
                    farther += width
        return farther, width

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
            if edge.key in row and self._tables.all_of(below) & asked:
                after = self._parser.take(stack, edge)
                if after is not None:
                    bits |= self._tree(below, after, left, asked)
        return bits

    def _bits(self, leaf: Leaf) -> int:
        found = self._leaves.get(leaf)
        if found is None:
            found = self._leaves[leaf] = leaf.bits or bits_of(leaf.ids)
        return found


def _is_word(key: Key) -> bool:
    """Whether a token of Python is a word or a number: `0x1 else` needs the blank."""
    return isinstance(key, str) and (key in ("NAME", "NUMBER") or _WORD.fullmatch(key) is not None)
