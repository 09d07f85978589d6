"""Valid Python: what the rules beyond the grammar say of the tokens that a lexer decides.

The rules want terminals and texts. A step of the parser says which terminals a token is, and the text is cut where the lexer has decided
that tokens end. A comma is named by the token after it, so it waits until then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from simpy_grammar.reader import NOTHING, PENDING
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import ID, Version
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.layouts import BEGUN, LAYOUT
from tokenizer_ext.constrain.lexer import Lexer, LexerState, Path
from tokenizer_ext.constrain.literals import is_doomed
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Endings, Tables, Tree
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from transpiler.rules import Rules
from transpiler.rules.automaton import END as TEXT_END
from transpiler.rules.table import RuleError

_TARGETS = ID["TARGETS"]
_BETWEEN = (b"\n", b"#", b"\\")  # what may stand between two tokens, but not everywhere
_NO_CODE = (b"\r", b"\0")  # Python reads the one as the end of a line, and no source with the other


class Verdict(NamedTuple):
    """What the rules have read.

    Attributes:
        rules: the rules after the lexemes that have been named.
        pending: the text of a comma that the next token names, or ``None``.
        text: what has come since the last token that is decided.
    """

    rules: Rules
    pending: str | None = None
    text: bytes = b""


class Judge:
    """Asks the rules.

    Args:
        lexer: the lexer of the dialect.
        tables: what ids do in its states.
        parser: the parser of the dialect.
        version: the Python that has to read what is written; ``None`` for any.
    """

    def __init__(self, lexer: Lexer, tables: Tables, parser: Parser, version: Version | None = None) -> None:
        self._lexer = lexer
        self._tables = tables
        self._parser = parser
        self.beginning = Verdict(Rules(version=version))
        self._texts: dict[Key, str] = {}  # of the tokens that have one text
        self._patterns: dict[Key, re.Pattern[str]] = {}
        for token in lexer.automaton.tables.patterns:
            key, text = lexer.automaton.key_of[token], lexer.texts(token)
            if isinstance(text, str):
                self._texts[key] = text
            else:
                self._patterns[key] = text

    def read(self, verdict: Verdict, stack: Stack, path: Path, to: LexerState, more: bytes) -> Verdict | None:
        """The verdict after some bytes that decide tokens, which the parser takes; ``None`` if a rule refuses one."""
        if more in _NO_CODE:
            return None
        found: Verdict | None = verdict._replace(text=verdict.text + more)
        if path and found is not None:
            found = self.pushed(found, stack, path, is_all=to.is_start and not self._lexer.indents)
        is_between = self._lexer.indents and not to.races and to.mode in self._lexer.code  # in Python
        if found is not None and more in _BETWEEN and is_between and found.rules.refuses_between(more.decode()):
            return None
        return found._replace(text=b"") if found is not None and to.is_start and found.text else found

    def pushed(self, verdict: Verdict, stack: Stack, path: Path, *, is_all: bool) -> Verdict | None:
        """The verdict after the tokens that its text begins with, or consists of; ``None`` if a rule refuses one."""
        text = verdict.text.decode(errors="ignore")
        at = 0
        found: Verdict | None = verdict
        for number, edge in enumerate(path, 1):
            after = self._parser.take(stack, edge) if edge.layout is not None else None
            for token in self._parser.tokens(stack, edge):
                at = self._after_blanks(stack, token.key, text, at)
                lexeme = self._texts.get(token.key)
                if lexeme is None:
                    match = None if is_all and number == len(path) else self._patterns[token.key].match(text, at)
                    lexeme = text[at:] if match is None else match[0]
                found = self.push(found, stack, token.key, lexeme) if found is not None else None
                pushed = self._parser.push(stack, token.key)
                if found is None or pushed is None:
                    return None
                stack = pushed
                at += len(lexeme)
            stack = after or stack
        at = self._after_blanks(stack, "", text, at)
        return found and found._replace(text=verdict.text[len(text[:at].encode()) :])

    def _after_blanks(self, stack: Stack, key: Key, text: str, at: int) -> int:
        blanks = self._lexer.blanks(self._parser.modes[stack.node.state], key)
        match = blanks.match(text, at) if blanks is not None else None
        return at if match is None else match.end()

    def push(self, verdict: Verdict, stack: Stack, key: Key, text: str) -> Verdict | None:
        """The verdict after a token, which the parser takes; ``None`` if a rule refuses it."""
        named = self._named(verdict, stack, key)
        if named is None:
            return None
        rules, terminal = named
        if terminal == PENDING:
            return verdict._replace(rules=rules, pending=text)
        try:
            return verdict._replace(rules=rules if terminal == NOTHING else rules.push(terminal, text), pending=None)
        except RuleError:
            return None

    def _named(self, verdict: Verdict, stack: Stack, key: Key) -> tuple[Rules, int] | None:
        """The rules after what a token says of what came before it, and the terminal that it is."""
        step = self._parser.step(stack, key)
        if step is None:
            return None
        (_, terminal, extra), _ = step
        rules = verdict.rules
        try:
            if extra is not None:
                pending, implied, _ = extra
                if pending not in (PENDING, NOTHING):
                    rules = rules.push(pending, verdict.pending or "")
                for other in implied:
                    if other != _TARGETS:
                        rules = rules.push(other)
        except RuleError:
            return None
        return rules, terminal

    def refuses(self, verdict: Verdict, stack: Stack, key: Key) -> bool:
        """Whether a rule refuses a token, whatever its text, that the parser may take."""
        if key in (LAYOUT, BEGUN):
            return False
        named = self._named(verdict, stack, key)
        if named is None:
            return True
        rules, terminal = named
        if key == END:
            return rules.refuses(TEXT_END)
        return terminal not in (PENDING, NOTHING) and rules.refuses(terminal)

    def may_end(self, verdict: Verdict, stack: Stack, path: Path) -> bool:
        """Whether the text may end with some tokens, which the parser takes."""
        found = self.pushed(verdict, stack, path, is_all=True)
        for edge in path:
            stack = self._parser.push(stack, edge.key) or stack
        return found is not None and self.may_end_here(found, stack)

    def may_end_here(self, verdict: Verdict, stack: Stack) -> bool:
        """Whether the text may end, where nothing has come since the last token."""
        return not self.refuses(verdict, stack, END)

    def is_live(self, verdict: Verdict, stack: Stack, state: LexerState) -> bool:
        """Whether what has come can become something that the rules let through, as far as the next tokens tell."""
        if is_doomed(state.mode, verdict.text):
            return False
        if state.is_start:
            row = self._lexer.automaton.rows[stack.node.state]
            return verdict.pending is None or any(not self.refuses(verdict, stack, key) for key in row)
        return any(self._lets_through(verdict, stack, path) for path, _ in self._lexer.resolutions(state))

    def _lets_through(self, verdict: Verdict, stack: Stack, path: Path) -> bool:
        """Whether some tokens go on, as far as that does not depend on texts that are not known yet."""
        for edge in path:
            after = self._parser.take(stack, edge)
            if after is None or self.refuses(verdict, stack, edge.key):
                return False
            text = self._texts.get(edge.key)
            following = None if text is None else self.push(verdict, stack, edge.key, text)
            if following is None:
                return True
            verdict, stack = following, after
        return True

    def bits(self, state: LexerState, rest: Rest, shorn: bool, stack: Stack, verdict: Verdict) -> int:
        """The ids whose next token no rule refuses, as the bits of a number. All bits may be set where the grammar decides."""
        table = self._tables.table(state, rest, shorn)
        bits = self._tree(table.tree, stack, verdict)
        own = -1
        for link in table.links:
            own &= ~link.bits
        bits &= own
        for path, target, those in table.links:
            found: Verdict | None = verdict
            after: Stack | None = stack
            if path:
                after = self._parser.follow(stack, path)
                found = self.pushed(verdict, stack, path, is_all=False) if after is not None else None
            if found is not None and after is not None:
                bits |= self.bits(target, WHOLE, False, after, found) & those
        return bits

    def _tree(self, tree: Tree, stack: Stack, verdict: Verdict) -> int:
        row = self._parser.rows[stack.node.state]
        refused: dict[Key, bool] = {}

        def refuses(key: Key) -> bool:
            if key not in refused:
                refused[key] = key not in row or self.refuses(verdict, stack, key)
            return refused[key]

        keys = {path[0].key for leaf in tree.leaves for path, _ in leaf.endings if path}
        keys.update(edge.key for edge, _ in tree.branches)
        if not any(refuses(key) for key in keys if key in row):
            return -1
        bits = 0
        for leaf in tree.leaves:
            if self._is_open(leaf.endings, refuses):
                bits |= leaf.bits | bits_of(leaf.ids)
        for edge, below in tree.branches:
            if not refuses(edge.key):
                bits |= self._tables.all_of(below)
        return bits

    @staticmethod
    def _is_open(endings: Endings, refuses: Callable[[Key], bool]) -> bool:
        return any(not path or not refuses(path[0].key) for path, _ in endings)
