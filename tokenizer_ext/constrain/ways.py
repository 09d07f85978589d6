"""Ways to an end: ids that finish a program as the grammar and the rules of valid Python take it.

The grammar has a cheapest end for each stack of the parser (``closing``). The rules may refuse a token of it: after `f(a=1 b` the
bracket, since `b` must be the name of a keyword argument. Then a token is put before the one that was refused, or before an earlier one,
and the end of what that makes is tried:

    f(a=1 b      end of the grammar: `)`      `)` is refused
    f(a=1 b=     end of the grammar: `a)`     a way: `=`, `a`, `)`

Tokens are tried on the stack and the rules alone, which takes microseconds; what is found is read once, id by id, as a proof. So a way
that is returned is one. That none is returned proves nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol

from simpy_grammar.tables import END, Key
from tokenizer_ext.constrain.closing import Closing
from tokenizer_ext.constrain.layouts import blanks
from tokenizer_ext.constrain.lexer import Lexer, LexerState
from tokenizer_ext.constrain.literals import completions
from tokenizer_ext.constrain.patterns import OTHER
from tokenizer_ext.constrain.separating import separate
from tokenizer_ext.constrain.spelled import Spelled, plainness
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.utf8 import Rest
from tokenizer_ext.constrain.valid import Judge, Verdict

# Tokens that are tried after each way to finish the lexeme: none but those of the end that the grammar has, then some, then more.
_TRIES = (0, 100, 500)
_TRIES_BEFORE_SUFFIX = (0, 200)
_MOST_TRIED = 3_000  # of them all, for one way
_MOST_ALIKE = 2
_MOST_SYMBOLS = 4  # that finish a lexeme
_MOST_FINISHES = 48
# Texts of tokens that have many. A name may be taken, a number may have to be imaginary, a string one of bytes.
_TEXTS = {"NAME": tuple("abcdefgz"), "NUMBER": ("0", "0j", "1"), "STRING": ("''", "b''")}
# What makes a target of an expression, a keyword argument of a name, a generator of an argument, a block of a comment: tried first.
_REPAIRS = ("DOT", "NUMBER_DOT", "ASSIGN", "COMPREHENSION_FOR", "PASS")
_OPERANDS = ("NAME", "NUMBER", "STRING")  # what a suffix may need before it
_LATER = 12  # ids by which all other tokens have to be cheaper
# What binds a name that something asks for.
_BINDINGS = (("NAME", "ASSIGN", "NUMBER"), ("LINE_SEP", "NAME", "ASSIGN", "NUMBER"))


Place = tuple[LexerState, Stack, "Verdict | None", Rest, bool]
"""The state of the lexer, the stack of the parser, what the rules have read, what the last character still needs, and whether an ordinary
id loses a blank that it begins with."""


class Unfinished(Protocol):
    """A program that is being written, as far as a search asks: see ``tokenizer_ext.constrain.states.State``."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it is, in each reading."""

    @property
    def has_suffix(self) -> bool:
        """Whether a text is to follow, so that it may have to end before the program does."""

    def least(self) -> int:
        """How many ids finish it, as far as the grammar says."""

    def may_end(self) -> bool:
        """Whether it may end here."""

    def read(self, number: int) -> Unfinished | None:
        """It and one more id; ``None`` if that cannot follow. That anything follows that is not asked."""

    def run(self, ids: Sequence[int] | None) -> Unfinished | None:
        """It and some more ids; ``None`` if they cannot follow, or if there are none such."""


class _Node(NamedTuple):
    """Where tokens have led, their texts, the last one first, and what has been written last."""

    stack: Stack
    verdict: Verdict | None
    texts: Texts
    before: str
    cost: int


Texts = tuple[str, "Texts"] | None


class Search:
    """Looks for ways to an end.

    Args:
        lexer: the lexer of the dialect.
        parser: its parser.
        closing: the cheapest ends of its grammar.
        spelled: the ids of texts.
        judge: the rules of valid Python; ``None`` if they are not asked.
    """

    def __init__(self, lexer: Lexer, parser: Parser, closing: Closing, spelled: Spelled, judge: Judge | None) -> None:
        self._lexer = lexer
        self._parser = parser
        self._closing = closing
        self._spelled = spelled
        self._judge = judge
        self._key_of = lexer.automaton.key_of
        self._token_of = lexer.automaton.token_of
        self._passed_over = {OTHER, *lexer.aliases}
        self._finishes: dict[LexerState, tuple[str, ...]] = {}
        self._alike: dict[str, str] = {}
        self._repairs, self._operands = (
            frozenset(key for key in map(lexer.key_named, names) if key is not None) for names in (_REPAIRS, _OPERANDS)
        )
        self._left = self._total = 0

    def way(self, state: Unfinished, most: int) -> tuple[int, ...] | None:
        """At most so many ids that finish a program; ``None`` if none are found."""
        if state.least() > most:
            return None
        if state.has_suffix and state.may_end():
            return ()
        self._total = _MOST_TRIED
        before_suffix = state.has_suffix
        for tries in _TRIES_BEFORE_SUFFIX if before_suffix else _TRIES:
            for ids, at in self._finished(state):
                if self._total <= 0:
                    return None
                self._left = tries
                ways = ((place, path) for place in at.places for path in self._lexer.finish(place[0]) if len(ids) <= most)
                for (lexer_state, stack, verdict, _, _), path in ways:
                    after = self._parser.follow(stack, path)
                    following = self._judge.pushed(verdict, stack, path, is_all=True) if self._judge and verdict and after else None
                    if after is None or (verdict is not None and following is None):
                        continue
                    root = _Node(after, following, None, self._lexer.written_last(lexer_state), 0)
                    for texts in self._ends(root, most - len(ids), is_thorough=tries > 0, before_suffix=before_suffix):
                        way = self._proved(at, texts)
                        if way is not None and len(ids) + len(way) <= most:
                            return *ids, *way
        return None

    def _proved(self, state: Unfinished, texts: Sequence[str]) -> tuple[int, ...] | None:
        """The ids of some texts, if a program ends with them."""
        found: list[int] = []
        at: Unfinished | None = state
        shorn = state.places[0][4]
        for text in texts:
            for number in self._spelled.ids(text, shorn=shorn) or (-1,):
                at = at.read(number) if at is not None else None
                found.append(number)
            shorn = self._spelled.shears(found)
        return tuple(found) if at is not None and at.may_end() else None

    def _finished(self, state: Unfinished) -> Iterator[tuple[tuple[int, ...], Unfinished]]:
        """Ids that finish the lexeme that is under way, as far as the lexer knows, and what they lead to."""
        lexer_state, _, verdict, rest, _ = state.places[0]
        data, owed = (verdict.text, verdict.rules.owed) if verdict is not None else (b"", ())
        for more in completions(lexer_state.mode, data, rest, owed):
            ids = self._spelled.ids_of_bytes(more)
            at = state.run(ids)
            if ids is not None and at is not None:
                for text in self._endings(at.places[0][0]):
                    end_ids = self._spelled.ids(text)
                    end = at.run(end_ids)
                    if end_ids is not None and end is not None:
                        yield ids + end_ids, end

    def _endings(self, state: LexerState) -> tuple[str, ...]:
        """Texts that finish a lexeme, the shortest ones first."""
        found = self._finishes.get(state)
        if found is None:
            found = self._finishes[state] = tuple(itertools.islice(self._ended(state), _MOST_FINISHES))
        return found

    def _ended(self, state: LexerState) -> Iterator[str]:
        seen = {state}
        level = [("", state)]
        for _ in range(_MOST_SYMBOLS + 1):
            below: list[tuple[str, LexerState]] = []
            for text, at in level:
                if self._lexer.finish(at):
                    yield text
                for symbol in (
                    sorted(map(self.plain, self._lexer.relevant(at) - self._passed_over), key=plainness) if not at.is_whole else ()
                ):
                    for path, to in self._lexer.step(at, symbol):
                        if path and to.is_start:
                            yield text + symbol
                        elif not path and to not in seen:
                            seen.add(to)
                            below.append((text + symbol, to))
            level = below

    def text_of(self, key: Key) -> str:
        """A text of a token; empty if none is known."""
        token = self._token_of[key]
        return _TEXTS[token][0] if token in _TEXTS else self._spelled.shortest(token)

    def spelling(self, text: str, *, shorn: bool = False) -> tuple[int, ...] | None:
        """The fewest ids that spell a text; see ``Spelled.ids``."""
        return self._spelled.ids(text, shorn=shorn)

    def plain(self, symbol: str) -> str:
        """A symbol that the lexer does not tell from another one, a letter if it can be."""
        if not self._alike:
            for other, one in self._lexer.same.items():
                self._alike[one] = min(self._alike.get(one, other), other, key=plainness)
        return self._alike[symbol]

    def _ends(self, root: _Node, most: int, *, is_thorough: bool, before_suffix: bool = False) -> Iterator[Sequence[str]]:
        """Texts of tokens that finish a program from a node, each list with at most so many ids.

        Before a suffix, those that finish any part of it: the suffix ends what is left.
        """
        count = itertools.count()
        most += self._closing.cost(root.stack) if before_suffix else 0
        seen: Counter[Hashable] = Counter()
        heap = [(self._closing.cost(root.stack), next(count), root, False)]
        while heap and self._left >= 0 and self._total > 0 and heap[0][0] <= most + _LATER:
            cost, _, node, is_passed = heapq.heappop(heap)
            self._total -= 1
            moves: list[_Node] = []
            if is_passed:
                moves = list(self._moves(node))
            elif cost <= most:
                passed, end = self._closed(node)
                if before_suffix:
                    yield from self._stops(passed)
                elif end is not None:
                    yield _listed(end.texts)
                if is_thorough:
                    moves = [after for other in passed for after in self._repaired(other)]
                    if before_suffix:
                        moves += [after for other in passed[-1:] for key in self._operands for after in self._moved(other, key)]
                    for distance, other in enumerate(passed):
                        heapq.heappush(heap, (cost + _LATER + distance, next(count), other, True))
            for after in moves:
                rules = after.verdict.rules.outlook if after.verdict is not None else None
                outlook = after.stack, rules, after.verdict is not None and after.verdict.pending
                seen[outlook] += 1
                if seen[outlook] <= _MOST_ALIKE:
                    heapq.heappush(heap, (after.cost + self._closing.cost(after.stack), next(count), after, False))

    def _closed(self, node: _Node) -> tuple[list[_Node], _Node | None]:
        """The nodes of the end that the grammar has, as far as the rules take it, the last one first; and the end, if they take it."""
        passed = [node]
        for token in self._closing.tokens(node.stack) or ():
            after = next(self._pushed(node, self._key_of[token]), None)
            if after is None:
                return passed[::-1], None
            passed.append(after)
            node = after
        made = self._parser.ends(node.stack)
        is_end = made is not None
        if made is not None and node.verdict is not None and self._judge is not None:
            is_end = self._judge.may_end(node.verdict, node.stack, made)
        return passed[::-1], node if is_end else None

    @staticmethod
    def _stops(passed: list[_Node]) -> Iterator[Sequence[str]]:
        """The texts up to some nodes, given with the last one first; where a line begins, also with the indents of the open blocks."""
        last: Texts | None | int = 0
        for node in reversed(passed):
            if node.texts is not last:
                last = node.texts
                texts = _listed(node.texts)
                yield texts
                if node.stack.indents and node.before.startswith("\n"):
                    yield from ([*texts, line] for indent in node.stack.indents[:0:-1] if (line := blanks((0, 0), indent)))

    def _spend(self) -> None:
        """Count a token that is tried."""
        self._left -= 1
        self._total -= 1

    def _moves(self, node: _Node) -> Iterator[_Node]:
        """Where one more token leads."""
        for key in self._lexer.automaton.rows[node.stack.node.state]:
            if key != END and key not in self._repairs and "COMMENT" not in self._token_of[key]:
                self._spend()
                yield from self._pushed(node, key)

    def _moved(self, node: _Node, key: Key) -> Iterator[_Node]:
        """Where a token leads, if the parser may take it."""
        if key in self._lexer.automaton.rows[node.stack.node.state]:
            self._spend()
            yield from itertools.islice(self._pushed(node, key), 1)

    def _repaired(self, node: _Node) -> Iterator[_Node]:
        """Where one more token leads that often helps, or some that bind a name that is asked for."""
        for key in self._repairs & self._parser.rows[node.stack.node.state].keys():
            self._spend()
            yield from self._pushed(node, key)
        owed = node.verdict.rules.owed[:_MOST_ALIKE] if node.verdict is not None else ()
        for name, tokens in itertools.product(owed, _BINDINGS):
            self._spend()
            at: _Node | None = node
            for token in tokens:
                texts = (name,) if token == "NAME" else None
                named = self._lexer.key_named(token)
                at = next(self._pushed(at, named, texts), None) if at is not None and named is not None else None
            if at is not None:
                yield at

    def _pushed(self, node: _Node, key: Key, texts: Sequence[str] | None = None) -> Iterator[_Node]:
        """Where a token leads, for some texts of it."""
        token = self._token_of[key]
        stack = self._parser.push(node.stack, key)
        if stack is None:
            return
        verdict = node.verdict
        if texts is None:
            owed = verdict.rules.owed if verdict is not None and token == "NAME" else ()
            texts = (*owed[:_MOST_ALIKE], *_TEXTS.get(token, (self._spelled.shortest(token),)))
        for text in texts:
            if verdict is not None and self._judge is not None:
                following = self._judge.push(verdict, node.stack, key, text)
                if following is None:
                    continue
            else:
                following = None
            more = separate(key, text, node.before, node.stack.indents)
            if more:
                yield _Node(stack, following, (more, node.texts), more[-1:], node.cost + self._spelled.cost(more))
            elif text:
                yield _Node(stack, following, node.texts, node.before, node.cost)


def _listed(texts: Texts) -> list[str]:
    found: list[str] = []
    while texts is not None:
        text, texts = texts
        found.append(text)
    return found[::-1]
