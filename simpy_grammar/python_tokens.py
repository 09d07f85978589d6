"""The tokens of Python: how their text looks, and what kinds of them the lexer tells apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from simpy_grammar.terminals import CLAUSE as CLAUSE_ROLE
from simpy_grammar.terminals import COMPOUND, KEYWORDS, SIMPLE, TERMINALS
from simpy_grammar.terminals import PREFIX as PREFIX_ROLE

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_grammar.tables import Tables

INNER_COMMENT_KEY, MARK, VERBATIM = "#", "MARK", "VERBATIM"  # keys that the tables do not know


class _Compiled(dict[str, re.Pattern[str]]):
    """Text of a pattern -> the pattern, compiled when it is first used, so that a short run compiles few."""

    def __missing__(self, text: str) -> re.Pattern[str]:
        pattern = self[text] = re.compile(text)
        return pattern


COMPILED = _Compiled()

PREFIX = r"""(?:[bB][rR]?|[rR][bBfFtT]?|[fFtT][rR]?|[uU])"""
NAME_START, NAME_CHAR = r"[^\x00-@\[-^`{-\x7f]", r"[^\x00-/:-@\[-^`{-\x7f]"
WORD_END = rf"(?!{NAME_CHAR})"
BLANKS = r"(?:[ \t\f]|\\\n)"
_NUMBER_TEXT = (
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?"
)
_OPERATOR = r"[()\[\]{},;~]|\*\*=?|//=?|>>=?|<<=?|\.\.\.|->|:=|[-+*/%@&|^<>=!]=|\.(?![0-9])|[-+*/%@&|^<>=:!]"

# Words at the start of a statement, and their role.
STATEMENTS = {row.python.split()[0]: row.role for row in TERMINALS if row.role in (PREFIX_ROLE, *SIMPLE, *COMPOUND)}
CLAUSES = [row.python.split()[0] for row in TERMINALS if row.role == CLAUSE_ROLE and not row.is_soft and "*" not in row.python]
CLAUSE = rf"(?:{'|'.join(CLAUSES)}){WORD_END}"
# What the loop over tokens looks at twice; other words and signs are their own keys.
SKIP, NEWLINE, COMMENT, NUMBER, STRING, FSTRING, ODD_NAME, BAD = range(8)
OPEN, CLOSE, COLON, LAMBDA, SEMICOLON, NOT, IS, BANG, EQUALS = range(8, 17)


class Kinds(dict[str, str | int]):
    """Text of a token -> its key, or one of the numbers above. Short ones are remembered."""

    def __missing__(self, text: str) -> str | int:
        kind = self._kind(text)
        if len(text) <= 40 and len(self) < 50_000:
            self[text] = kind
        return kind

    def _kind(self, text: str) -> str | int:
        char = text[0]
        if char in " \t\f" or text[:2] == "\\\n":
            return SKIP
        if char in "\n#":
            return NEWLINE if char == "\n" else COMMENT
        if char.isdecimal() and char.isascii() or (char == "." and len(text) > 1):
            return NUMBER
        if text[-1] in "'\"" and len(text) > 1:
            prefix = text[: min(text.find(quote) for quote in "'\"" if quote in text)].lower()
            if "f" in prefix or "t" in prefix:
                return FSTRING
            return STRING if len(text) > len(prefix) + 1 else BAD
        if char == "_" or char.isalpha() or not char.isascii():
            return "NAME" if text.isascii() or text.isidentifier() else ODD_NAME
        return BAD


KINDS = Kinds(
    {
        **{word: word for word in KEYWORDS},
        **{sign: sign for sign in "+ - * / // % @ ** << >> & | ^ ~ == != < <= > >= -> , ... . ! = :=".split()},
        **{sign: sign for sign in "+= -= *= /= //= %= @= **= <<= >>= &= |= ^=".split()},
        **dict.fromkeys("([{", OPEN),
        **dict.fromkeys(")]}", CLOSE),
        **{":": COLON, "lambda": LAMBDA, ";": SEMICOLON, "not": NOT, "is": IS},
    }
)
KINDS_IN_FIELD = Kinds({**KINDS, "!": BANG, "=": EQUALS, ":=": COLON})
CLOSER = {"(": ")", "[": "]", "{": "}", "field": "}"}
SETTLED_AT_END = frozenset("([{,;~)]}")  # signs that never become longer ones
QUOTES = frozenset(("'", '"', "'''", '"""'))
STRING_KEYS = QUOTES | {"STRING"}

LINE = r"([ \t\f]*(?:\\\n[ \t\f]*)*)(#[^\n]*)?"
SPACE_IN_LINE = rf"{BLANKS}*"
SPACE_AND_LINES = r"(?:[ \t\f\n]|\\\n)*"
# Text that is not a token yet: a string without its end, a backslash at the end of what has arrived.
MAY_GO_ON = rf"""{PREFIX}?(?:'''|\"\"\"|'(?:[^'\\\n]|\\[\s\S])*\\?\Z|"(?:[^"\\\n]|\\[\s\S])*\\?\Z)|\\\Z"""
SPACE = r"(?:[ \t\f\n]|\\\n|#[^\n]*)*"
WORD_AFTER = rf"{BLANKS}+({NAME_START}{NAME_CHAR}*)?"
# Soft keyword -> whether it is one at the start of a statement, by the word after it. (`match` and `case` depend on more.)
SOFT: dict[str, Callable[[str], bool]] = {
    "type": lambda word: word not in KEYWORDS,
    "lazy": lambda word: word in ("import", "from"),
}
FUTURE = rf"from{BLANKS}+__future__{BLANKS}+import{WORD_END}"
BLANK = (" ", "\t", "\f", "\\", "\n")
NUMBER_DOT = rf"{BLANKS}+(\.(?![.0-9]))?"
NUMBER_DOT_IN_BRACKETS = r"(?:[ \t\f\n]|\\\n)+(\.(?![.0-9]))?"
FUTURE_BEGUN = rf"__future__(?:{BLANKS}+(?:i|im|imp|impo|impor|import)?)?\\?\Z|_{{1,2}}\Z|__f(?:u(?:t(?:u(?:r(?:e_?)?)?)?)?)?\Z"
DOTS = rf"{BLANKS}*((?:\.{BLANKS}*)+)"
STAR = rf"{BLANKS}*\*(?!\*)"
CONVERSION = r"![A-Za-z_]+"


class LexError(Exception):
    """The text is not tokens of Python. Carries the offset and what is wrong, in CPython's words."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class Bracket:
    """An open bracket, or a string with fields, or a field of one. A bracket like any other is kept as itself and its offset.

    Attributes:
        kind: the bracket itself, ``field``, ``text`` (of a string with fields) or ``format`` (of a field).
        offset: where it opens.
        index: of its token in the lists.
        owner: ``with`` or ``import`` if it may be the statement's own.
        quote: the suffix of the keys of a string with fields.
        verbatim: the field keeps its text.
    """

    __slots__ = ("index", "kind", "offset", "owner", "quote", "verbatim")

    def __init__(self, kind: str, offset: int, index: int, owner: str = "", quote: str = "", verbatim: bool = False) -> None:
        self.kind = kind
        self.offset = offset
        self.index = index
        self.owner = owner
        self.quote = quote
        self.verbatim = verbatim


@lru_cache(maxsize=2)
def token_pattern(tables: Tables) -> re.Pattern[str]:
    """The pattern of a piece of text: a token, or blanks. The pieces of a text join to the text."""
    kinds = (
        rf"(?!{PREFIX}['\"]){NAME_START}{NAME_CHAR}*",
        r"[ \t\f]+",
        _OPERATOR,
        r"\n(?:[ \t\f]*\n)*[ \t\f]*",
        _NUMBER_TEXT,
        tables.patterns["STRING"][1],
        r"""(?:[fFtT][rR]?|[rR][fFtT])(?:'''|\"\"\"|['"])""",
        r"#[^\n]*",
        rf"{BLANKS}+",
        rf"{PREFIX}?['\"]",
        r"[\s\S]",
    )
    return COMPILED["|".join(kinds)]
