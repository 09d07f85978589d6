"""A constraint: the programs that a tokenizer can write in a dialect, one id at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path as FilePath
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import Version
from tokenizer_ext.constrain.budgets import Budgets
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.lexer import CODE, LexerState, Path, lexer_of, symbols_of
from tokenizer_ext.constrain.mask import Mask
from tokenizer_ext.constrain.masks import Masks
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.utf8 import WHOLE, Rest, characters, read
from tokenizer_ext.constrain.valid import Judge, Verdict
from tokenizer_ext.constrain.vocabulary import Vocabulary
from tokenizer_ext.constrain.ways import Place, Search
from tokenizer_ext.errors import TokenizerError, error_at

_SPECIAL = re.compile("<[a-z_]+>")
# What people call the tokens whose texts are many.
_CALLED = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string", "COMMENT": "a comment", "INNER_COMMENT": "a comment"}


class Constraint:
    """What a model may write: the programs of a dialect, in the ids of a tokenizer.

    Making one reads the vocabulary and, if that is large, the tables of the lexer's states: from the cache, or they are made now, in some
    seconds. It may be shared, but not by threads.

    Args:
        tokenizer: one that ``tokenizer_ext.extend`` has extended for the dialect.
        dialect: the dialect; one that is a spelling of SimPy.
        ends: the ids that end a text; those that the tokenizer names if they are not given.
        valid_python: refuse also what the grammar takes and CPython does not; see docs/rules.md.
        version: the Python that has to read what is written, such as ``(3, 11)``; ``None`` for any.

    Attributes:
        dialect: the dialect.
        vocabulary: the ids and what they stand for.
        valid_python: whether the rules of valid Python hold, too.

    Raises:
        TokenizerError: the tokenizer has not been extended for this dialect, or no adapter accepts it, or the dialect is Python.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> constraint = Constraint(extend(bytes_only))
    >>> state = constraint.start("<return>f(a")
    >>> ord("b") in state.mask(), ord(")") in state.mask(), ord("]") in state.mask(), state.may_end()
    (True, True, False, False)
    >>> state.advance(ord(")")).may_end(), state.may_end()
    (True, False)
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        dialect: str | FilePath | Dialect = "classic",
        ends: Collection[int] | None = None,
        valid_python: bool = False,
        version: Version | None = None,
    ) -> None:
        self.dialect = Dialect.load(dialect)
        self.valid_python = valid_python
        if self.dialect.is_python:
            raise TokenizerError(
                f"there are no masks for the dialect {self.dialect.name} yet", hint="name a dialect of SimPy: classic, dense, dense-newline"
            )
        self._lexer = lexer_of(self.dialect)
        self.vocabulary = Vocabulary(tokenizer, self.dialect, self._lexer.specials, ends)
        self._tables = Tables(self._lexer, self.vocabulary)
        self._masks = Masks(self._lexer, self._tables)
        self._parser = Parser(self._lexer.automaton, self._lexer.modes)
        self._end_bits = bits_of(self.vocabulary.ends)
        self._made_budgets: Budgets | None = None
        self._made_search: Search | None = None
        self._judge = Judge(self._lexer, self._tables, self._parser, version) if valid_python else None

    @property
    def _budgets(self) -> Budgets:
        if self._made_budgets is None:
            self._made_budgets = Budgets(self._lexer, self._tables, self._parser)
        return self._made_budgets

    @property
    def _search(self) -> Search:
        if self._made_search is None:
            self._made_search = Search(self._lexer, self._parser, self._budgets.closing, self._budgets.spelled, self._judge)
        return self._made_search

    def start(self, prefix: str = "") -> State:
        """The state after a text, which may stop anywhere: inside a name, a string, a comment, a block.

        Raises:
            TokenizerError: the text is not the beginning of a program; the error says where.
        """
        state, stack = self._lexer.start(CODE), Stack(self._lexer.automaton.root(0), None)
        verdict = self._judge.beginning if self._judge is not None else None
        at = 0
        while at < len(prefix):
            special = _SPECIAL.match(prefix, at) if prefix[at] == "<" else None
            symbol = self._lexer.specials.get(special[0]) if special else None
            found = self._read(state, stack, verdict, symbol, (special[0].encode(),)) if symbol and special else None
            end = special.end() if found and special else at + 1
            found = found or self._read(state, stack, verdict, symbols_of(prefix[at]), (prefix[at].encode(),))
            if not found or not self._is_live(*found):
                raise error_at(
                    prefix,
                    at,
                    f"this is not the beginning of a program in the dialect {self.dialect.name}",
                    hint=f"here may stand: {', '.join(self._expected(state, stack)[:12])}",
                )
            state, stack, verdict = found
            at = end
        return State(self, state, stack, verdict, WHOLE, bool(self.vocabulary.dummy) and not prefix)

    def _expected(self, state: LexerState, stack: Stack) -> tuple[str, ...]:
        keys: list[Key] = []
        for path in self._lexer.finish(state):
            after = self._follow(stack, path)
            if after is not None:
                keys += [key for key in self._parser.rows[after.node.state] if self._parser.push(after, key) is not None]
        if not state.is_start:
            paths = [path for path, _ in self._lexer.resolutions(state) if self._follow(stack, path) is not None]
            keys = [*(path[0].key for path in paths), *keys]
        token_of, patterns = self._lexer.automaton.token_of, self._lexer.automaton.tables.patterns
        names = [token_of[key] for key in keys]
        texts = ["the end" if name == END else patterns[name][1] if patterns[name][0] == "str" else _called(name) for name in names]
        return tuple(dict.fromkeys(texts))

    def _is_live(self, state: LexerState, stack: Stack, verdict: Verdict | None) -> bool:
        """Whether what has come can become something that the parser takes, and the rules."""
        if verdict is not None and self._judge is not None:
            return self._judge.is_live(verdict, stack, state)
        return state.is_start or any(self._follow(stack, path) is not None for path, _ in self._lexer.resolutions(state))

    def _follow(self, stack: Stack, path: Path) -> Stack | None:
        """The stack after some tokens; ``None`` if the parser refuses one."""
        after: Stack | None = stack
        for edge in path:
            after = self._parser.take(after, edge) if after is not None else None
        return after

    def _read(
        self, state: LexerState, stack: Stack, verdict: Verdict | None, symbols: str, parts: Sequence[bytes] = ()
    ) -> tuple[LexerState, Stack, Verdict | None] | None:
        """Where some symbols, which stand for some bytes each, lead; ``None`` if no program has them here."""
        step = self._lexer.step
        for at, symbol in enumerate(symbols):
            for path, to in state.branches.get(symbol) or step(state, symbol):
                after = self._follow(stack, path) if path else stack
                if after is not None:
                    if verdict is not None and self._judge is not None:
                        verdict = self._judge.read(verdict, stack, path, to, parts[at])
                        if verdict is None:
                            return None
                    state, stack = to, after
                    break
            else:
                return None
        return state, stack, verdict


def _called(token: str) -> str:
    return _CALLED.get(token) or token.lower().replace("_", " ")


class State:
    """How far a text has come. A value: ``advance`` returns another one, and what was returned before stays as it is.

    Keeping a state is a copy of it; going back is taking an older one.

    Attributes:
        constraint: what it is a state of.
        ended: whether an id has ended the text.
    """

    __slots__ = ("_bits", "_lexer_state", "_rest", "_shorn", "_stack", "_verdict", "_way", "constraint", "ended")

    def __init__(
        self,
        constraint: Constraint,
        lexer_state: LexerState,
        stack: Stack,
        verdict: Verdict | None,
        rest: Rest,
        shorn: bool,
        ended: bool = False,
    ) -> None:
        self.constraint = constraint
        self.ended = ended
        self._lexer_state = lexer_state
        self._stack = stack
        self._verdict = verdict
        self._rest = rest
        self._shorn = shorn
        self._bits: int | None = None
        self._way: tuple[int, ...] | None = None

    def advance(self, number: int) -> State:
        """The state after an id.

        Raises:
            TokenizerError: the id must not come here.
        """
        state = self.after(number)
        if state is None:
            text = self.constraint.vocabulary.text(number)
            raise TokenizerError(f"id {number} ({text}) must not come here", hint=f"here may stand: {', '.join(self.expected()[:12])}")
        return state

    def after(self, number: int) -> State | None:
        """The state after an id; ``None`` if it must not come here."""
        state = self.read(number)
        if state is None or state.ended or self.constraint._is_live(state._lexer_state, state._stack, state._verdict):
            return state
        return None

    def read(self, number: int) -> State | None:
        """The state after an id, whether anything follows that or not; ``None`` if the id must not come here."""
        constraint = self.constraint
        vocabulary = constraint.vocabulary
        if number in vocabulary.ends:
            return State(constraint, self._lexer_state, self._stack, self._verdict, WHOLE, False, ended=True) if self.may_end() else None
        if self.ended:
            return None
        verdict = self._verdict
        parts: Sequence[bytes] = ()
        if number in vocabulary.own:
            symbols, rest, shorn = vocabulary.spellings[number].symbols, WHOLE, bool(vocabulary.dummy)
            first = None if self._rest.left else constraint._read(self._lexer_state, self._stack, None, symbols[0])
            if first is None or (number in vocabulary.atomic and constraint._lexer.in_literal(first[0])):
                return None
            if verdict is not None:
                parts = vocabulary.parts(number)
        else:
            piece = vocabulary.pieces.get(number)
            if piece is None:
                return None
            piece = piece.removeprefix(vocabulary.dummy.encode()) if self._shorn else piece
            found = read(piece, self._rest)
            if found is None:
                return None
            (symbols, rest), shorn = found, False
            if verdict is not None:
                first_part, *parts = characters(piece)
                verdict = verdict._replace(text=verdict.text + first_part)
        at = constraint._read(self._lexer_state, self._stack, verdict, symbols, parts)
        return None if at is None else State(constraint, *at, rest, shorn)

    def mask(self, budget: int | None = None) -> Mask:
        """The ids that may come next.

        Args:
            budget: how many ids may still come, without the one that ends the text. Then only those may after which the rest of the
                budget suffices for an end. If it suffices for none, those that come nearest to one may.
        """
        size = self.constraint.vocabulary.size
        return Mask(self._all() if budget is None else self._affordable(budget), size)

    def _all(self) -> int:
        if self._bits is None:
            constraint = self.constraint
            bits = 0 if self.ended else constraint._masks.bits(self._lexer_state, self._rest, self._shorn, self._stack)
            bits = self._let_through(bits)
            self._bits = bits | constraint._end_bits if self.may_end() else bits
        return self._bits

    def _let_through(self, bits: int) -> int:
        judge = self.constraint._judge
        if judge is None or self._verdict is None:
            return bits
        return bits & judge.bits(self._lexer_state, self._rest, self._shorn, self._stack, self._verdict)

    def _affordable(self, budget: int) -> int:
        if self.ended:
            return 0
        constraint = self.constraint
        allowed = self._all() & ~constraint._end_bits
        budget = max(budget, self.least())
        bits = constraint._budgets.bits(self._lexer_state, self._rest, self._shorn, self._stack, budget, allowed)
        way = self.way(budget) if self._verdict is not None else None
        if way:
            bits |= 1 << way[0]
        return bits | constraint._end_bits if self.may_end() else bits

    def way(self, budget: int) -> tuple[int, ...] | None:
        """At most so many ids that finish a program from here, or ``None`` if no such way is found.

        Where there is one, ``within`` takes its first id.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> constraint = Constraint(extend(bytes_only), valid_python=True)
        >>> len(constraint.start("f(a=[1] b").way(5)) <= 5
        True
        """
        if self._way is None or len(self._way) > budget:
            found = self.constraint._search.way(self, budget)
            self._way = self._way if found is None else found
        return self._way if self._way is not None and len(self._way) <= budget else None

    def within(self, number: int, budget: int) -> State | None:
        """The state after an id, if the other ``budget - 1`` suffice for an end; ``None`` if they do not, or no way to one is found.

        A state that was returned knows a way to an end. So where ``way(budget)`` is not ``None``, ids that are asked for here, with what is
        left of the budget, always come to an end: the first id of the way is never refused.
        """
        state = self.read(number)
        if state is None or state.ended:
            return state
        if self._verdict is None:
            return state if state.least() < budget else None
        if self._way and self._way[0] == number and len(self._way) <= budget:
            state._way = self._way[1:]
            return state
        return state if state.way(budget - 1) is not None else None

    def least(self) -> int:
        """How many ids finish a program from here, without the one that ends the text.

        For the grammar so many are always enough; the rules of ``valid_python`` may ask for more.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> Constraint(extend(bytes_only)).start("<return>f([a").least()
        2
        """
        return 0 if self.ended else self.constraint._budgets.least(self._lexer_state, self._rest, self._stack)

    @property
    def place(self) -> Place:
        """Where the text has come to, as searches for an end want it."""
        return self._lexer_state, self._stack, self._verdict, self._rest, self._shorn

    @property
    def in_character(self) -> bool:
        """Whether a character has begun that more ids complete."""
        return self._rest.left > 0

    def may_end(self) -> bool:
        """Whether the text may end here."""
        constraint = self.constraint
        if self._rest.left:
            return False
        for path in constraint._lexer.finish(self._lexer_state):
            stack = constraint._follow(self._stack, path)
            if stack is not None and constraint._parser.push(stack, END) is not None:
                judge = constraint._judge
                return judge is None or self._verdict is None or judge.may_end(self._verdict, self._stack, path)
        return False

    def expected(self) -> tuple[str, ...]:
        """What may stand next, for people: texts, and names of what has many texts."""
        return self.constraint._expected(self._lexer_state, self._stack)
