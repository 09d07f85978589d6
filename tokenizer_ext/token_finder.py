"""Where added tokens stand in the code of a SimPy text, and not in its strings and comments.

One regular expression that knows strings and comments reads most of a program; the grammar reads what it cannot tell (an
f-string with strings inside its fields). Ids are made by ``tokenizer_ext.codec``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from simpy_grammar.dialect import ALONE, SPECIAL_TOKEN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.name_boundaries import cannot_follow, cannot_precede
from simpy_grammar.native import core
from tokenizer_ext.whole_literals import NOT_AFTER, NOT_BEFORE
from transpiler import lexemes

Found = tuple[int, int]
"""Start and end of an added token."""

# A string without its prefix, which does not change where it ends; an unfinished one goes to the end of its line or of the text.
_STRINGS = "|".join(
    rf"{q * 3}[^{q}\\]*(?:(?:\\[\s\S]|{q}(?!{q * 2}))[^{q}\\]*)*(?:{q * 3}|\\?\Z)"
    rf"|{q}[^{q}\\\n]*(?:\\[\s\S][^{q}\\\n]*)*(?:{q}|(?=\n)|\\?\Z)"
    for q in "\"'"
)
_DATA = rf"#[^\n]*|{_STRINGS}"
_F_PREFIX = later_pattern(r"(?<!\w)(?:[fFtT][rR]?|[rR][fFtT])\Z")


@cache
def _simple_fstring(quote: str) -> re.Pattern[str]:
    """An f-string whose fields hold no braces, no backslash and, of strings, only plain ones in the other quote."""
    q, other = quote[0], "'" if quote[0] == '"' else '"'
    text = rf"[^\\{{}}{q}\n]" if len(quote) == 1 else rf"[^\\{{}}{q}]|{q}(?!{q * 2})"
    inner = r"[^{}\"'#\\\n]"
    return re.compile(rf"{quote}(?:{text}|\\[^{{}}N]|\{{\{{|\}}\}}|\{{(?:{inner}|{other}{inner}*{other})*\}})*{quote}")


_FIELD = later_pattern(r"\{\{|\{([^{}]*)\}")
_CODE_OF_FIELD = later_pattern(r"[^\"':!]*")
_LONGER = {"*": "*=", "/": "/=", "<": "<=", ">": ">=", "-": ">=", ".": "."}  # an operator goes on with these
_SHORTER = {"*": "*", "/": "/", ">": "->", ".": ".", "=": "=<>!:+*/%&|^@-"}  # an operator has begun with these
_SPECIAL = later_pattern(rf"{SPECIAL_TOKEN}\Z")
_ANY_SPECIAL = f"<{ALONE}{SPECIAL_TOKEN[1:]}"  # a pattern of all of them would take a short run long to make


class TokenFinder:
    """Finds added tokens.

    Args:
        tokens: their texts.
        dialect: the dialect of the texts that will be read.

    >>> text = 'x="<if>"<if>y'
    >>> [text[start:end] for start, end in TokenFinder(["<if>"], Dialect.load("classic")).find(text)]
    ['<if>']
    """

    def __init__(self, tokens: Iterable[str], dialect: Dialect) -> None:
        self.dialect = dialect
        self._known = frozenset(tokens)
        self._native = None if core is None else core.finder(self._known)

    @cached_property
    def _pattern(self) -> str:
        return _ANY_SPECIAL if all(map(_SPECIAL.match, self._known)) else trie_pattern(self._known)

    @cached_property
    def _tokens(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    @cached_property
    def _scan(self) -> re.Pattern[str]:
        # A token that begins with a string is found before the string is.
        starts_with_string = any(token[0] in "\"'" for token in self._known)
        return re.compile(f"({self._pattern})|{_DATA}" if starts_with_string else f"{_DATA}|({self._pattern})")

    def find(self, text: str) -> list[Found]:
        """The added tokens of a text, from left to right; of several at one place the longest.

        A text that is not a program (a prompt that stops anywhere) is read as far as possible.
        """
        native: list[Found] | None = None if self._native is None else core.find(self._native, text)
        return self._find(text) if native is None else native

    def pieces(self, text: str) -> list[str]:
        """A text cut at its added tokens: other text, a token, other text and so on; the first and the last are other text.

        >>> TokenFinder(["<if>"], Dialect.load("classic")).pieces("x=y<if>z<if>")
        ['x=y', '<if>', 'z', '<if>', '']
        """
        native: list[str] | None = None if self._native is None else core.pieces(self._native, text)
        if native is not None:
            return native
        pieces: list[str] = []
        at = 0
        for start, end in self._find(text):
            pieces += text[at:start], text[start:end]
            at = end
        return [*pieces, text[at:]]

    def _find(self, text: str) -> list[Found]:
        """What ``find`` does, in Python."""
        found = self._by_pattern(text)
        if found is None:
            try:
                found = self._by_lexemes(text)
            except SimPyError:
                found = self._by_pattern(text, guess=True)
        return found or []

    def _by_pattern(self, text: str, guess: bool = False) -> list[Found] | None:
        """By the regular expression; ``None`` where it cannot decide, unless it may guess that an f-string is all data."""
        found: list[Found] = []
        at = 0
        scan = self._scan.search
        while True:
            for match in self._scan.finditer(text, at):
                if match.lastindex:
                    if match[1] in self._known:
                        found.append(match.span())
                    continue
                start = match.start()
                if start and text[start - 1] in "fFtTrR" and text[start] != "#" and _F_PREFIX.search(text, max(0, start - 3), start):
                    break
            else:
                return found
            quote = text[start : start + 3] if text.startswith(('"""', "'''"), start) else text[start]
            simple = _simple_fstring(quote).match(text, start)
            if simple is None:
                if not guess:
                    return None
                match = scan(text, start) or match
                at = match.end()
                continue
            at = simple.end()
            if self._in(text, start, at) and not self._fields(text, start, at, found) and not guess:
                return None

    def _fields(self, text: str, start: int, end: int, found: list[Found]) -> bool:
        """Find tokens in the fields of a simple f-string; whether all of it could be read."""
        for field in _FIELD.finditer(text, start, end):
            if field[1] is None:
                continue
            code = _CODE_OF_FIELD.match(text, field.start(1), field.end(1))
            split = code.end() if code else field.start(1)
            if "<debug>" in field[1] or self._in(text, split, field.end(1)):
                return False
            found += self._in(text, field.start(1), split)
        return True

    def _by_lexemes(self, text: str) -> list[Found]:
        found: list[Found] = []
        for start, end in self._code(text):
            found += self._in(text, start, end)
        return found

    def _in(self, text: str, start: int, end: int) -> list[Found]:
        """The tokens of a stretch of code."""
        return [match.span() for match in self._tokens.finditer(text, start, end) if match[0] in self._known]

    def _code(self, text: str) -> Iterator[Found]:
        """The stretches of text without literals and comments."""
        start = 0
        for lexeme in lexemes(text, dialect=self.dialect):
            data = _data_of(lexeme.terminal, lexeme.start, lexeme.text) if lexeme.is_data else None
            if data is not None:
                yield start, data[0]
                start = data[1]
        yield start, len(text)


def _data_of(terminal: str, start: int, text: str) -> Found | None:
    """The part of a lexeme that is the program's own text; ``None`` for a name or number."""
    if terminal in ("NAME", "NUMBER", "IMPORT_PREFIX", "FIELD_START", "FIELD_CONVERSION"):
        return None
    first = len("<comment>") if terminal == "INNER_COMMENT" else len("<debug>") if terminal == "FIELD_VERBATIM" else 0
    return start + first, start + len(text) - (first if terminal == "FIELD_VERBATIM" else 0)


def trie_pattern(tokens: Iterable[str]) -> str:
    """A regular expression for some texts that prefers the longest, and cuts no operator in two and names between their parts only.

    >>> re.findall(trie_pattern(["self.", "self.x", "=a"]), "self.x=a==a myself.y self.xy my_self.x_y")
    ['self.x', '=a', 'self.', 'self.x']
    """
    root: dict[str, dict[str, object]] = {}
    for token in tokens:
        node: dict[str, object] = root  # type: ignore[assignment]  # a trie is a dict of itself
        for char in token:
            node = node.setdefault(char, {})  # type: ignore[assignment]  # as above
        node[""] = token
    branches = [_branch(char, node, 1) for char, node in sorted(root.items())]
    return "|".join(branches) or "(?!)"


def _branch(char: str, node: dict[str, object], depth: int) -> str:
    parts = [_branch(next_, below, depth + 1) for next_, below in sorted(node.items()) if next_]  # type: ignore[arg-type]  # a trie
    token = node.get("")
    if isinstance(token, str):
        parts.append(_after(token))
    rest = parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"
    return re.escape(char) + (_before(char) if depth == 1 else "") + rest


def _before(char: str) -> str:
    """What must not stand before a token with this first character. Written after it, so that the search can look for it first."""
    if char.isalnum() or char == "_":
        return f"(?<![{cannot_precede(char)}]{char})"
    if char in "\"'":
        return f"(?<!{NOT_BEFORE}{char})"
    if char == "<":
        return ALONE
    wrong = _SHORTER.get(char, "")
    return f"(?<![{re.escape(wrong)}]{re.escape(char)})" if wrong else ""


def _after(token: str) -> str:
    """What must not stand after a token."""
    last = token[-1]
    if last in "\"'":
        return f"(?!{NOT_AFTER})"
    if last.isalnum() or last == "_":
        return f"(?![{cannot_follow(last)}]|[A-Za-z]?[\"'])"  # the prefix of a string is no name
    if _SPECIAL.search(token):
        return ""
    return f"(?![{re.escape(_LONGER.get(last, '') + '=')}])" if last in "*/<>-.+%&|^@:=!" else ""
