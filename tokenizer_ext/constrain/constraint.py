"""A constraint: the programs that a tokenizer can write in a dialect, one id at a time."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.tables import END
from tokenizer_ext.constrain.lexer import CODE, Lexer, LexerState, Path, symbols_of
from tokenizer_ext.constrain.masks import Masks
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Tables, bits_of
from tokenizer_ext.constrain.utf8 import WHOLE, Rest, read
from tokenizer_ext.constrain.vocabulary import Vocabulary
from tokenizer_ext.errors import error_at


_SPECIAL = re.compile("<[a-z_]+>")


class Constraint:
    """What a model may write: programs of a dialect, in the ids of a tokenizer."""

    def __init__(self, tokenizer: Any, *, dialect: str | Path | Dialect = "classic", ends: Collection[int] | None = None) -> None:
        self.dialect = Dialect.load(dialect)
        self.lexer = Lexer(self.dialect)
        self.vocabulary = Vocabulary(tokenizer, self.dialect, self.lexer.specials, ends)
        self.masks = Masks(self.lexer, Tables(self.lexer, self.vocabulary))
        self.parser = Parser(self.lexer.automaton, self.lexer.modes)
        self.end_bits = bits_of(self.vocabulary.ends)

    def start(self, prefix: str = "") -> State:
        """The state after a text, which may stop anywhere.

        Raises:
            TokenizerError: the text is not the beginning of a program.
        """
        state, stack = self.lexer.start(CODE), Stack(self.lexer.automaton.root(0), None)
        at = 0
        while at < len(prefix):
            special = _SPECIAL.match(prefix, at) if prefix[at] == "<" else None
            symbol = self.lexer.specials.get(special[0]) if special else None
            found = symbol and self.read(state, stack, symbol)
            if found and special:
                at = special.end()
            else:
                found = self.read(state, stack, symbols_of(prefix[at]))
                at += 1
            if not found or not self.is_live(*found):
                raise error_at(prefix, at - 1, f"this is not the beginning of a program in the dialect {self.dialect.name}")
            state, stack = found
        return State(self, state, stack, WHOLE, bool(self.vocabulary.dummy))

    def is_live(self, state: LexerState, stack: Stack) -> bool:
        """Whether what has come can become something that the parser takes."""
        return state.is_start or any(self.follow(stack, path) is not None for path, _ in self.lexer.resolutions(state))

    def follow(self, stack: Stack, path: Path) -> Stack | None:
        """The stack after some tokens; ``None`` if the parser refuses one."""
        after: Stack | None = stack
        for edge in path:
            after = self.parser.take(after, edge)  # type: ignore[arg-type]  # see the check below
            if after is None:
                break
        return after

    def read(self, state: LexerState, stack: Stack, symbols: str) -> tuple[LexerState, Stack] | None:
        """Where some symbols lead; ``None`` if no program has them here."""
        step, take = self.lexer.step, self.parser.take
        for symbol in symbols:
            branches = state.branches.get(symbol) or step(state, symbol)
            for path, to in branches:
                after: Stack | None = stack
                for edge in path:
                    after = take(after, edge)  # type: ignore[arg-type]  # a whole stack leaves nothing unknown
                    if after is None:
                        break
                else:
                    state, stack = to, after  # type: ignore[assignment]  # as above
                    break
            else:
                return None
        return state, stack


class State:
    """How far a text has come. A value: ``advance`` returns another one, and what was returned before stays as it is.

    Attributes:
        constraint: what it is a state of.
        ended: whether an id has ended the text.
    """

    __slots__ = ("_bits", "constraint", "ended", "lexer_state", "rest", "shorn", "stack")

    def __init__(self, constraint: Constraint, lexer_state: LexerState, stack: Stack, rest: Rest, shorn: bool, ended: bool = False) -> None:
        self.constraint = constraint
        self.lexer_state = lexer_state
        self.stack = stack
        self.rest = rest
        self.shorn = shorn
        self.ended = ended
        self._bits: int | None = None

    def advance(self, number: int) -> State | None:
        """The state after an id; ``None`` if it must not come here."""
        constraint = self.constraint
        vocabulary = constraint.vocabulary
        if number in vocabulary.ends:
            return State(constraint, self.lexer_state, self.stack, self.rest, False, ended=True) if self.may_end() else None
        if self.ended:
            return None
        if number in vocabulary.own:
            if self.rest.count or (number in vocabulary.atomic and constraint.lexer.in_literal(self.lexer_state)):
                return None
            symbols, rest, shorn = vocabulary.spellings[number].symbols, WHOLE, bool(vocabulary.dummy)
        else:
            piece = vocabulary.pieces.get(number)
            if piece is None:
                return None
            found = read(piece.removeprefix(vocabulary.dummy.encode()) if self.shorn else piece, self.rest)
            if found is None:
                return None
            (symbols, rest), shorn = found, False
        at = constraint.read(self.lexer_state, self.stack, symbols)
        if at is None or not constraint.is_live(*at):
            return None
        return State(constraint, *at, rest, shorn)

    def bits(self) -> int:
        """The ids that may come next, as the bits of a number."""
        if self._bits is None:
            constraint = self.constraint
            bits = 0
            if not self.ended:
                bits = constraint.masks.bits(self.lexer_state, self.rest, self.shorn, self.stack)
            self._bits = bits | constraint.end_bits if self.may_end() else bits
        return self._bits

    def may_end(self) -> bool:
        """Whether the text may end here."""
        constraint = self.constraint
        if self.rest.count:
            return False
        for path in constraint.lexer.finish(self.lexer_state):
            stack = constraint.follow(self.stack, path)
            if stack is not None and constraint.parser.push(stack, END) is not None:
                return True
        return False
