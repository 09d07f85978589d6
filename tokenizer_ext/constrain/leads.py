"""Leads: what may come first after the beginning of a text, where that is less than what the grammar takes.

A beginning that was converted from another spelling may have ended with more than it says here: after the Python `f(a, ` the SimPy is
`f(a`, and neither may `a` become `ab` nor may `+` follow. Which tokens may is found by asking about one ending for each of them.
A lead ends with the first token that is decided after the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simpy_grammar.tables import END, Key
from tokenizer_ext.constrain.closing import NO_WAY
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexer import Lexer, LexerState, Path
from tokenizer_ext.constrain.readings import Reading
from tokenizer_ext.constrain.stacks import Parser
from tokenizer_ext.constrain.trees import Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.ways import Search

Accepts = Callable[[str], bool]
"""Whether a text may follow that ends the program."""
Ending = Callable[[str], tuple[str, int] | None]
"""A text that begins with another one and ends the program, and how many ids it takes; ``None`` if none is found."""


class Lead(NamedTuple):
    """What may come first.

    Attributes:
        keys: the tokens that may, ``END`` among them if the text may end at once.
        texts: a text of each, the ones with the shortest ends first.
        least: how many ids the shortest of these ends takes.
        most: how many ids the longest one takes.
        may_grow: what is under way may become longer instead.
        is_fresh: nothing has been read since the beginning.
    """

    keys: frozenset[Key]
    texts: tuple[str, ...]
    least: int
    most: int
    may_grow: bool = True
    is_fresh: bool = True


class Leads:
    """What leads do with symbols and ids.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
    """

    def __init__(self, lexer: Lexer, tables: Tables) -> None:
        self.lexer = lexer
        self._tables = tables

    def after(self, lead: Lead, state: LexerState, symbol: str, path: Path) -> tuple[Lead | None, bool]:
        """The lead after a symbol that decides some tokens, ``None`` if it has ended; and whether it lets the symbol come."""
        if lead.is_fresh and not state.is_start:
            if self.lexer.grows(state, symbol):
                return None, lead.may_grow
            under_way = next(one for one, _ in self.lexer.ended(state) if path[: len(one)] == one)
            path = path[len(under_way) :]
        if path:
            return None, path[0].key in lead.keys
        return lead._replace(is_fresh=False), True

    def is_live(self, lead: Lead, state: LexerState) -> bool:
        """Whether what is under way since the beginning can become a token that may come."""
        return lead.is_fresh or state.is_start or any(self._may(lead, path) for path, _ in self.lexer.resolutions(state))

    def may_end(self, lead: Lead, state: LexerState) -> bool:
        """Whether a lead lets the text end."""
        if lead.is_fresh or state.is_start:
            return END in lead.keys
        return any(self._may(lead, path) for path in self.lexer.finish(state))

    @staticmethod
    def _may(lead: Lead, path: Path) -> bool:
        return not path or path[0].key in lead.keys

    def bits(self, lead: Lead, state: LexerState, rest: Rest, shorn: bool) -> int:
        """The ids that a lead lets come, as the bits of a number; ids may be among them that the grammar refuses."""
        if not lead.is_fresh or state.is_start:
            return self._bits(lead, state, rest, shorn)
        grown = self._tables.beginning_with(symbol for symbol in self._tables.first_symbols if self.lexer.grows(state, symbol))
        bits = grown if lead.may_grow else 0
        for _, target in self.lexer.ended(state):
            bits |= self._bits(lead, target, WHOLE, False) & ~grown
        return bits

    def _bits(self, lead: Lead, state: LexerState, rest: Rest, shorn: bool) -> int:
        table = self._tables.table(state, rest, shorn)
        bits = self._tree(lead, table.tree)
        for path, target, those in table.links:
            if not path:
                bits |= self._bits(lead, target, WHOLE, False) & those
            elif path[0].key in lead.keys:
                bits |= those
        return bits

    def _tree(self, lead: Lead, tree: Tree) -> int:
        bits = 0
        for leaf in tree.leaves:
            if any(self._may(lead, path) for path, _ in leaf.endings):
                bits |= leaf.bits | bits_of(leaf.ids)
        for edge, below in tree.branches:
            if edge.key in lead.keys:
                bits |= self._tables.all_of(below)
        return bits


def lead_of(reading: Reading, leads: Leads, parser: Parser, search: Search, ending: Ending, accepts: Accepts) -> Lead | None:
    """What may come first after a beginning, by what is accepted of its ends; ``None`` if that is all that the grammar takes.

    A beginning that stops inside a literal goes on with the literal.
    """
    lexer = leads.lexer
    finished = next((at for path in lexer.finish(reading.state) if (at := parser.follow(reading.stack, path)) is not None), None)
    if finished is None:
        return None
    found: list[tuple[int, str, Key]] = []
    refused = False
    for key in lexer.automaton.rows[finished.node.state]:
        text = "" if key == END else search.text_of(key)
        end = ending(text) if text or key == END else None
        if end is not None and accepts(end[0]):
            found.append((end[1], text, key))
        else:
            refused = True
    may_grow = reading.state.is_start
    for symbol in () if may_grow else sorted(lexer.relevant(reading.state).difference(lexer.aliases)):
        end = ending(search.plain(symbol)) if lexer.grows(reading.state, symbol) else None
        if end is not None and accepts(end[0]):
            may_grow = True
            break
    if may_grow and not refused:
        return None
    found.sort(key=lambda one: one[0])
    costs = [cost for cost, _, _ in found] or [NO_WAY]
    return Lead(frozenset(key for _, _, key in found), tuple(text for _, text, _ in found), costs[0], costs[-1], may_grow)
