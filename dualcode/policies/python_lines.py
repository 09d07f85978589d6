"""The logical lines of a beginning of Python, cut off anywhere: what each is indented by, which blocks are open at the end.

It knows tokens, brackets and indentation, and no grammar: whether the lines make a program is left to CPython (see ``canonical_forms``).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_PREFIX = r"(?:[bB][rR]?|[rR][bBfFtT]?|[fFtT][rR]?|[uU])?"
_NUMBER = (
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?"
)
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\f]+)
    |(?P<break>\n)
    |(?P<joint>\\\n)
    |(?P<comment>\#[^\n]*)
    |(?P<string>{_PREFIX}(?:
        '''[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''
        |\"\"\"[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*\"\"\"
        |'(?!'')[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'
        |"(?!"")[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"))
    |(?P<open>{_PREFIX}(?:'''[\s\S]*|\"\"\"[\s\S]*|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*\\?\Z|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*\\?\Z))
    |(?P<number>{_NUMBER})
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>[()\[\]{{}},;~]|\*\*=?|//=?|>>=?|<<=?|\.\.\.|->|:=|[-+*/%@&|^<>=!]=|[-+*/%@&|^<>=:!.])
    |(?P<bad>[\s\S])""",
    re.VERBOSE,
)
_CLOSERS = {")": "(", "]": "[", "}": "{"}
LAYOUT = frozenset(("space", "break", "joint", "comment"))
"""Kinds of tokens that are layout, not words of the program."""
LACKS = "simpy_lacks"  # what a program is completed by where a `try` still lacks its clauses
COMPOUND = frozenset(("if for while with try def class async match case elif else except finally @").split())
"""What begins lines that are not simple statements, or need not be."""


class NotPythonError(Exception):
    """The text is not read as a beginning of Python."""


class Token(NamedTuple):
    """A token: its kind, its text and where it starts."""

    kind: str
    text: str
    start: int


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a text, which join to the text; ``bad`` is what cannot be told, ``open`` a string that does not end.

    >>> [(token.kind, token.text) for token in tokens_of("a = 'b")]
    [('name', 'a'), ('space', ' '), ('sign', '='), ('space', ' '), ('open', "'b")]
    """
    make = Token._make
    return (make((match.lastgroup, match[0], match.start())) for match in _TOKEN.finditer(text))


class Comment(NamedTuple):
    """A comment.

    Attributes:
        text: without what follows its number sign as a blank.
        atoms: how many names, numbers and strings stand before it, or before the statement or header that it is in.
        depth: how many blocks it is in; -1 where it stands behind or inside of a statement.
        start: its offset.
    """

    text: str
    atoms: int
    depth: int
    start: int


@dataclass
class Line:
    """A logical line with code.

    Attributes:
        start: the offset of its first line.
        indent: what it is indented by.
        depth: how many blocks it is in.
        tokens: all its tokens; of blanks, those after the first token.
    """

    start: int
    indent: str
    depth: int
    tokens: list[Token] = field(default_factory=list)

    @property
    def code(self) -> list[Token]:
        """The tokens without blanks and comments."""
        return [token for token in self.tokens if token.kind not in LAYOUT]

    @property
    def word(self) -> str:
        """The text of the first token."""
        return self.tokens[0].text


@dataclass
class Blocks:
    """The blocks that are open.

    Attributes:
        indents: what their lines are indented by, the module's first.
        tries: for each, whether its last statement is a ``try`` that lacks its handlers.
        awaits: the first word of the header whose block is still to come; empty if there is none.
        decorated: the last line is a decorator.
    """

    indents: list[str] = field(default_factory=lambda: [""])
    tries: list[bool] = field(default_factory=lambda: [False])
    awaits: str = ""
    decorated: bool = False

    def copy(self) -> Blocks:
        """The same blocks, to be changed apart."""
        return Blocks(list(self.indents), list(self.tries), self.awaits, self.decorated)

    def level(self, indent: str) -> int:
        """The block that a line with this indentation is in.

        Raises:
            NotPythonError: no block is indented so.
        """
        if not self.awaits and indent in self.indents:
            return self.indents.index(indent)
        wanted = _columns(indent)
        if self.awaits:
            if all(one > other for one, other in zip(wanted, _columns(self.indents[-1]), strict=True)):
                return len(self.indents)
        else:
            for depth, text in enumerate(self.indents):
                if _columns(text) == wanted:
                    return depth
        raise NotPythonError

    def enter(self, indent: str, word: str) -> int:
        """Begin a line; return the block that it is in.

        Raises:
            NotPythonError: no block is indented so.
        """
        depth = self.level(indent)
        if depth == len(self.indents):
            self.indents.append(indent)
            self.tries.append(False)
        del self.indents[depth + 1 :], self.tries[depth + 1 :]
        self.awaits = ""
        if word != "else":
            self.tries[depth] = word == "try"
        return depth

    def around(self, indent: str) -> int:
        """The block that a comment is in: the one that is to come, or the first whose lines are indented as far."""
        if self.awaits:
            return len(self.indents)
        column = _columns(indent)[0]
        return next((i for i, text in enumerate(self.indents) if _columns(text)[0] >= column), len(self.indents) - 1)

    def closed(self) -> str:
        """The lines that make a program of whole lines.

        >>> Blocks(["", "  "], [True, False], "if").closed()
        '   simpy_cut\\nfinally: simpy_lacks\\n'
        """
        lines = []
        if self.awaits:
            lines.append(self.indents[-1] + (" case simpy_cut: pass" if self.awaits == "match" else " simpy_cut"))
        elif self.decorated:
            lines.append(self.indents[-1] + "def simpy_cut(): pass")
        lines += [f"{indent}finally: {LACKS}" for indent, lacks in zip(self.indents[::-1], self.tries[::-1], strict=True) if lacks]
        return "".join(f"{line}\n" for line in lines)


class PythonLines:
    """Reads a beginning of Python.

    Args:
        text: it, with line feeds only.

    Attributes:
        lines: the logical lines with code.
        comments: all comments, in order.
        blocks: what is open at the end of the text.
        before: what was open before the last line with code.
        breaks: the offsets of the line breaks that end logical lines, comments and blank lines.
        is_open: the last line with code has not ended.
        brackets: the brackets that are open at the end.

    Raises:
        NotPythonError: it is not such a text, or is one that cannot be told from another.

    >>> read = PythonLines("if a:\\n  b = [1,\\n  2]\\n  c")
    >>> [(line.depth, line.word) for line in read.lines], read.is_open, read.blocks.indents
    ([(0, 'if'), (1, 'b'), (1, 'c')], True, ['', '  '])
    """

    def __init__(self, text: str) -> None:
        if "\0" in text or "\r" in text:
            raise NotPythonError
        self.text = text
        self.lines: list[Line] = []
        self.comments: list[Comment] = []
        self.blocks, self.before = Blocks(), Blocks()
        self.breaks: list[int] = []
        self.brackets: list[str] = []
        self.is_open = False
        self.atoms = 0
        self._start = 0
        self._last = ""
        self._statement = 0  # how many atoms stand before the statement that is being read
        self._ended = False  # a semicolon or the colon of a header has been read
        self._lambdas = 0  # how many lambdas of the line wait for their colon
        self._joined: str | None = None  # the indentation of a line that begins with a backslash
        for token in tokens_of(text):
            self._take(token)

    @property
    def rest(self) -> str:
        """The text after the last line break that ends a line."""
        return self.text[self._start :]

    @property
    def is_comment(self) -> bool:
        """Whether the text ends inside a comment that stands in lines of its own."""
        return not self.is_open and bool(self.comments) and self.comments[-1].start >= self._start

    @property
    def begun_indent(self) -> str | None:
        """What the line that begins at the end of the text is indented by; ``None`` if that is to come.

        >>> [PythonLines(text).begun_indent for text in ("if a:\\n", "if a:\\n  ", "if a:\\n  b", "if a:\\n\\f ")]
        [None, '  ', None, ' ']
        """
        indent = self._indent(len(self.text))
        if self.is_open or self.is_comment or (self._joined is None and not indent):
            return None
        return indent

    def _indent(self, end: int) -> str:
        """What the line that is being read is indented by, if it begins at some offset.

        Before a line that goes on after a backslash, the first blanks count (CPython since 3.10.3); after a form feed they begin anew.
        """
        if self._joined:
            return self._joined
        begin = self._start if self._joined is None else self.text.rfind("\n", 0, end) + 1
        return self.text[begin:end].rpartition("\f")[2]

    def _take(self, token: Token) -> None:
        kind = token.kind
        if kind == "space":
            if self.is_open:
                self.lines[-1].tokens.append(token)
        elif kind == "break" and not self.brackets:
            self.breaks.append(token.start)
            self._start = token.start + 1
            if self.is_open:
                self._end()
            self._joined = None
        elif self.is_open:
            self._code(token)
        elif kind == "comment":
            around = self.blocks.around(self._indent(token.start))
            self.comments.append(Comment(_plain(token.text), self.atoms, around, token.start))
        elif kind == "joint":
            if sys.version_info < (3, 10, 3):
                raise NotPythonError
            self._joined = self._indent(token.start)
        else:
            self._begin(token)
            self._code(token)

    def _begin(self, token: Token) -> None:
        indent = self._indent(token.start)
        self._joined = None
        self.before = self.blocks.copy()
        self.lines.append(Line(self._start, indent, self.blocks.enter(indent, token.text)))
        self.is_open = True
        self._statement, self._ended, self._lambdas = self.atoms, False, 0

    def _code(self, token: Token) -> None:
        kind, text = token.kind, token.text
        if kind == "bad" or (kind == "joint" and token.start + 2 == len(self.text)):
            raise NotPythonError
        self.lines[-1].tokens.append(token)
        if kind == "comment":
            self.comments.append(self._comment_of_code(token))
        if kind in LAYOUT:
            return
        if self._ended:
            self._statement, self._ended = self.atoms, False
        if kind in ("name", "number", "open") or (kind == "string" and self._last != "string"):
            self.atoms += 1
        self._last = kind
        if not self.brackets and kind in ("sign", "name"):
            self._lambdas += (text == "lambda") - (text == ":" and self._lambdas > 0)
            is_header = text == ":" and not self._lambdas and self.lines[-1].word in COMPOUND
            self._ended = text == ";" or is_header
        if text in ("(", "[", "{"):
            self.brackets.append(text)
        elif text in _CLOSERS and (not self.brackets or self.brackets.pop() != _CLOSERS[text]):
            raise NotPythonError

    def _comment_of_code(self, token: Token) -> Comment:
        """A comment behind or inside of a statement; behind a header it is in the block to come."""
        line = self.lines[-1]
        if self._ended and line.word in COMPOUND:
            return Comment(_plain(token.text), self.atoms, line.depth + 1, token.start)
        return Comment(_plain(token.text), self._statement, -1, token.start)

    def _end(self) -> None:
        line = self.lines[-1]
        last = line.code[-1]
        if last.kind == "open":
            raise NotPythonError
        self.blocks.awaits = line.word if last.text == ":" and last.kind == "sign" else ""
        self.blocks.decorated = line.word == "@"
        self.is_open = False
        self._last = ""


def _columns(indent: str) -> tuple[int, int]:
    """The column that an indentation leads to, as CPython counts it: with tabs to a multiple of eight, and with tabs as one."""
    return len(indent.expandtabs(8)), len(indent)


def _plain(comment: str) -> str:
    return comment[1:].strip()
