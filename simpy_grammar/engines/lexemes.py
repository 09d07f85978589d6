"""What the terminals match, for a lexer without lookaround and without backtracking.

Such a lexer takes the longest text that a terminal allowed in the state can match, and never goes back. Where what it has read may
become a longer terminal and then does not, it fails: after the blank in ``f(a ifx)`` it would wait for `` if ``. So a spelling that
begins with another one is written as two terminals here, and the text of a string with fields as many short pieces. All words in
angle brackets share their first character as a terminal, which keeps the lists of what may come next short.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simpy_grammar.compile import Spelled
from simpy_grammar.engines.rules import Rules, Symbols, distinct
from simpy_grammar.terminals import KEYWORDS

_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_WORD = r"[^\x00-/:-@\[-^`{-\x7f]"
_NUMBER = (
    r"0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|(?:[0-9][0-9_]*\.?(?:[0-9][0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?[jJ]?"
)
_PREFIX = {"": "[fFtT]", "RAW_": "(?:[fFtT][rR]|[rR][fFtT])"}
QUOTES = {"1": "'", "2": '"', "3": "'''", "6": '"""'}
"""The number in the name of a terminal -> how the string is quoted."""


class Lexeme(NamedTuple):
    """What a terminal matches: a text, or what a regular expression matches and another one does not match as a whole."""

    text: str = ""
    pattern: str = ""
    without: str = ""


def _string(quote: str) -> str:
    body = rf"[^{quote}\\]|\\[\s\S]"
    return rf"{quote * 3}(?:{body}|{quote}{{1,2}}(?:{body}))*{quote * 3}|{quote}(?:[^{quote}\\\n]|\\[\s\S])*{quote}"


def _piece(raw: str, quote: str) -> str:
    """A piece of the text between fields: plain characters, a backslash and what it escapes, a doubled brace, quotes that end nothing."""
    escape = r"\\[^{}]?" if raw else r"\\(?:[^{}N]|N(?:\{[^{}\n]*\})?)?"
    if len(quote) == 1:
        return rf"[^{{}}\\{quote}\n]+|{escape}|\{{\{{|\}}\}}"
    return rf"[^{{}}\\{quote[0]}]+|{escape}|\{{\{{|\}}\}}|{quote[0]}{{1,2}}"


DATA: dict[str, Lexeme] = {
    "NAME": Lexeme(pattern=f"{_LETTER}{_WORD}*", without="|".join(sorted(KEYWORDS))),
    "NUMBER": Lexeme(pattern=_NUMBER),
    "STRING": Lexeme(pattern=f"(?:[rR][bB]?|[bB][rR]?|[uU])?(?:{_string(chr(34))}|{_string(chr(39))})"),
    "IMPORT_PREFIX": Lexeme(pattern=r"\.+"),
    "COMMENT": Lexeme(pattern=r"#[^\n]*\n?"),
    "INNER_COMMENT_REST": Lexeme(pattern=r"comment>\n?#[^\n]*\n?"),
    "FIELD_START": Lexeme(pattern=r"\{ ?"),
    "FIELD_VERBATIM_REST": Lexeme(pattern=r"debug>[\s\S]+<debug>", without=r"debug>[\s\S]+<debug>[\s\S]*<debug>|debug><debug>[\s\S]*"),
    "FIELD_CONVERSION": Lexeme(pattern="![A-Za-z_]+"),
    "FORMAT_TEXT": Lexeme(pattern="[^{}]+"),
    **{f"{raw}FSTRING_START_{n}": Lexeme(pattern=_PREFIX[raw] + quote) for raw in _PREFIX for n, quote in QUOTES.items()},
    **{f"{raw}FSTRING_TEXT_{n}": Lexeme(pattern=_piece(raw, quote)) for raw in _PREFIX for n, quote in QUOTES.items()},
    # Two quotes may become three, so an empty string is not a start and an end.
    **{f"{raw}FSTRING_EMPTY_{n}": Lexeme(pattern=_PREFIX[raw] + QUOTES[n] * 2) for raw in _PREFIX for n in "12"},
}
"""The terminals whose text is data."""


def lexemes_of(spelled: Spelled, rules: Rules) -> tuple[Rules, dict[str, Lexeme]]:
    """The rules with terminals that such a lexer can read, and what the terminals match."""
    texts = {name: value for name, (kind, value) in spelled.patterns.items() if kind == "str"}
    lexemes = {"LT": Lexeme("<"), "BLANK": Lexeme(" "), **{name: Lexeme(text) for name, text in texts.items()}, **DATA}
    blank = next((name for name, text in texts.items() if text == " "), "BLANK")
    split: dict[str, Symbols] = {
        "NUMBER_DOT": (blank, "DOT"),
        "INNER_COMMENT": ("LT", "INNER_COMMENT_REST"),
        "FIELD_VERBATIM": ("LT", "FIELD_VERBATIM_REST"),
    }
    for name, text in texts.items():
        begins = [other for other, beginning in texts.items() if text != beginning and text.startswith(beginning)]
        first = "LT" if re.match("<[a-z]", text) else max(begins, key=lambda other: len(texts[other]), default="")
        rest = text.removeprefix(lexemes[first].text) if first else ""
        if re.match(r"\w", rest) or (first and lexemes[first].text == " "):
            split[name] = (first, f"{name}_REST")
            lexemes[f"{name}_REST"] = Lexeme(rest)

    def spell(symbols: Symbols) -> list[Symbols]:
        spelled_ = tuple(s for symbol in symbols for s in split.get(symbol, (symbol,)))
        start = re.fullmatch(r"((?:RAW_)?FSTRING)_START_([12])", symbols[0]) if symbols else None
        return [spelled_, (f"{start[1]}_EMPTY_{start[2]}",)] if start else [spelled_]

    return {name: distinct([new for symbols in alternatives for new in spell(symbols)]) for name, alternatives in rules.items()}, lexemes
