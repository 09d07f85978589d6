"""How many ids lines take in Python near the end of a budget: some statements require another line, which has to be indented."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tokenizer_ext.constrain.closing import NO_WAY
from tokenizer_ext.constrain.layouts import BEGUN, INDENT, LAYOUT, Indent, blanks
from tokenizer_ext.constrain.lexer import Edge, Lexer
from tokenizer_ext.constrain.stacks import Parser, Stack

_CLAUSES = frozenset(("EXCEPT", "EXCEPT_GROUP", "FINALLY"))
_BLOCK, _BLOCK_END, _TRY = "BLOCK_START", "BLOCK_END", "TRY"
# What requires another line that has not begun: a decorator requires a definition, a match statement a case.
_ASKING, _ASKED = frozenset(("DECORATOR", "MATCH")), frozenset(("DEF", "CLASS", _BLOCK))


class Lines:
    """How many ids indents take.

    Args:
        lexer: the lexer of Python.
        parser: its parser.
        spelled: how many ids a text takes.
        closing: how many ids the tokens take that finish a program, without blanks.

    Attributes:
        asking: the tokens after which the indent of one more line may be required.
    """

    def __init__(self, lexer: Lexer, parser: Parser, spelled: Callable[[str], int], closing: Callable[[Stack], int]) -> None:
        spellings = lexer.dialect.spellings
        self.asking = frozenset((BEGUN, *(text for name in (_TRY, *_ASKING) for text in spellings[name])))
        self._shifted = lexer.automaton.tables.shifted
        self._parser = parser
        self._closing = closing
        self._spelled = lru_cache(maxsize=1024)(spelled)

    def cost(self, stack: Stack, begun: Indent) -> int:
        """How many ids finish a program from the beginning of a line with this indent so far."""
        if self._parser.ends(stack) is not None:
            return 0
        indents = stack.indents
        if INDENT in self._parser.rows[stack.node.state]:
            column, narrow = indents[-1]
            more = max(0, column + 1 - begun[0], narrow + 1 - begun[1])
            indents = (column + 1, narrow + 1), (begun[0] + more, begun[1] + more)
        least = NO_WAY
        for indent in indents:
            after = self._parser.take(stack, Edge(LAYOUT, "", layout=indent))
            if after is not None:
                rest = self._closing(after) + self.owed(after, is_begun=True)
                for text in (blanks(begun, indent), self._line(indent)):
                    least = least if text is None else min(least, self._spelled(text) + rest)
        return least

    def owed(self, stack: Stack, *, is_begun: bool = False) -> int:
        """How many ids the indents of lines take that are still required; a line that has begun may be the first of these."""
        level = len(stack.indents) - 1
        if not level:
            return 0
        ids = 0
        is_met = is_begun and self._parser.push(stack, "NAME") is None
        has_clause = is_asked = False
        for state in self._parser.states(stack):
            terminal = self._shifted[state]
            if terminal in _CLAUSES:
                has_clause = True
            elif (terminal == _TRY and not has_clause) or (terminal in _ASKING and not is_asked):
                ids += 0 if is_met else self._spelled((self._line(stack.indents[level]) or "")[1:])
                is_met = False
            elif terminal == _TRY:
                has_clause = False
            is_asked = is_asked or terminal in _ASKED
            level += (terminal == _BLOCK_END) - (terminal == _BLOCK)
        return ids

    def width(self, *indents: Indent) -> int:
        """How many ids a new line takes at most, with one of some indents or with one more blank."""
        lines = (self._line(indent) for column, narrow in indents for indent in ((column, narrow), (column + 1, narrow + 1)))
        return max((self._spelled(line) for line in lines if line is not None), default=0)

    @staticmethod
    @lru_cache(maxsize=1024)
    def _line(indent: Indent) -> str | None:
        """A line end and an indent; ``None`` if no blanks and tabs lead to it."""
        text = blanks((0, 0), indent)
        return None if text is None else f"\n{text}"
