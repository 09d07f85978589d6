"""The lexer of a dialect of SimPy, one symbol at a time. Where the reader of SimPy asks the parser how to read a text, it notes what has
to be asked."""

from __future__ import annotations

from collections.abc import Iterator

from simpy_grammar.dialect import Dialect
from simpy_grammar.simpy_lexer import simpy_automaton
from simpy_grammar.tables import Key
from tokenizer_ext.constrain.lexer import (
    ANYWHERE,
    CODE,
    IN_BRACKET,
    IN_FIELD,
    NOT_CODE,
    NOT_IN_FIELD,
    Edge,
    Lexer,
    LexerState,
    Path,
)
from tokenizer_ext.constrain.patterns import Pattern, parse

# The order in which the reader tries the tokens of code; literals come between the two groups, what is not named comes last.
_FIRST = ("NUMBER_DOT", "NAME", "NUMBER", "STRING", "INNER_COMMENT")


class SimPyLexer(Lexer):
    """The lexer of a dialect of SimPy.

    >>> lexer = SimPyLexer(Dialect.load("dense"))
    >>> state = lexer.beginning
    >>> for symbol in "ab(":
    ...     [(path, state)] = lexer.step(state, symbol)
    ...     print([edge.key if isinstance(edge.key, str) else lexer.automaton.token_of[edge.key] for edge in path])
    []
    []
    ['NAME', '(']
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect, simpy_automaton(dialect), dialect.special_tokens)

    def _tokens_of(self, mode: str) -> list[str]:
        patterns = self.automaton.tables.patterns

        def order_of_text(token: str) -> tuple[int, int, str]:
            kind, text = patterns[token]
            if token in _FIRST:
                return 0, _FIRST.index(token), ""
            if kind == "str":
                return 1 + (not self.ends_header(token)), -len(text), text
            return (3 if token == "COMMENT" else 4 if "FSTRING_START" in token else 5), -len(text), token

        if mode != CODE:
            return self.in_rows(mode)
        return sorted((token for token in patterns if not NOT_CODE.fullmatch(token)), key=order_of_text)

    def pattern(self, token: str) -> Pattern:
        """The pattern of a token. An alias ends a name, or stands for one."""
        if token != "NAME" or not self.aliases:
            return super().pattern(token)
        alias = self.aliases[0]
        return parse(f"(?:{self.automaton.tables.patterns[token][1]}){alias}?|{alias}")

    def ends_header(self, token: str) -> bool:
        """Whether a token is a block start that begins with a colon: in a field that is the colon alone."""
        kind, text = self.automaton.tables.patterns[token]
        return kind == "str" and len(text) > 1 and text.startswith(":") and token.endswith("BLOCK_START")

    def _decided(self, name: str, recent: str, ended: list[tuple[int, int]]) -> Iterator[tuple[Path, LexerState]]:
        if not ended:
            return
        mode = self._modes[name]
        key_of = self.automaton.key_of
        (first, since), *others = ended
        token = mode.tokens[first]
        where = IN_BRACKET if token == "INNER_COMMENT" else NOT_IN_FIELD if self.ends_header(token) else ANYWHERE
        yield from self._read_on(name, token, Edge(key_of[token], "", where), recent[len(recent) - since :])
        if where == NOT_IN_FIELD:
            colon = next(other for other in mode.tokens if self.automaton.tables.patterns[other] == ("str", ":"))
            rest = (self.automaton.tables.patterns[token][1] + recent[len(recent) - since :])[1:] if since else ""
            rest = rest or self.automaton.tables.patterns[token][1][1:]
            yield from self._read_on(name, colon, Edge(key_of[colon], "", IN_FIELD), rest)
        if name != CODE:
            return
        taken: list[Key] = []
        for rank, since in sorted(ended, key=lambda end: mode.ranks[end[0]]):
            other = mode.tokens[rank]
            if rank != first:
                edge = Edge(key_of[other], "", NOT_IN_FIELD if where == NOT_IN_FIELD else ANYWHERE, key_of[token], tuple(taken))
                yield from self._read_on(name, other, edge, recent[len(recent) - since :])
            taken.append(key_of[other])
