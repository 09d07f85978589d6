"""What the terminals match, for engines: no lookaround, and nothing that a lexer without backtracking reads wrong.

A lexer of an engine takes the longest text that any terminal allowed in the state can match, and never goes back. Where a
text that has been read may still become a longer one, and then does not, the rest is lost: after the blank in ``f(a ifx)``
such a lexer waits for `` if ``. So a spelling that begins with another one is written as two terminals here, and the text of
a string with fields as many short pieces.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simpy_grammar.compile import Spelled
from simpy_grammar.engines.rules import Rules, Symbols
from simpy_grammar.terminals import KEYWORDS

_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_WORD = r"[^\x00-/:-@\[-^`{-\x7f]"


class Lexeme(NamedTuple):
    """What a terminal matches: a text, or a regular expression less one for what it must not match."""

    text: str = ""
    pattern: str = ""
    without: str = ""


def _string(quote: str) -> str:
    return (
        rf"{quote * 3}(?:[^{quote}\\]|\\[\s\S]|{quote}{{1,2}}(?:[^{quote}\\]|\\[\s\S]))*{quote * 3}"
        rf"|{quote}(?:[^{quote}\\\n]|\\[\s\S])*{quote}"
    )


def _piece(raw: bool, quote: str) -> str:
    """Text between fields: a run of characters, what a backslash begins, a doubled brace, or quotes that do not end the string."""
    escape = r"\\[^{}]?" if raw else r"\\(?:[^{}N]|N(?:\{[^{}\n]*\})?)?"
    plain, quotes = (rf"[^{{}}\\{quote[0]}]+", rf"|{quote[0]}{{1,2}}") if len(quote) == 3 else (rf"[^{{}}\\{quote}\n]+", "")
    return rf"{plain}|{escape}|\{{\{{|\}}\}}{quotes}"


_QUOTES = {"1": "'", "2": '"', "3": "'''", "6": '"""'}
_PREFIX = {"": "[fFtT]", "RAW_": "(?:[fFtT][rR]|[rR][fFtT])"}

DATA: dict[str, Lexeme] = {
    "NAME": Lexeme(pattern=f"{_LETTER}{_WORD}*", without="|".join(sorted(KEYWORDS))),
    "NUMBER": Lexeme(
        pattern=r"0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*\.?(?:[0-9][0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?[jJ]?"
    ),
    "STRING": Lexeme(pattern=f"(?:[rR][bB]?|[bB][rR]?|[uU])?(?:{_string(chr(34))}|{_string(chr(39))})"),
    "IMPORT_PREFIX": Lexeme(pattern=r"\.+"),
    "COMMENT": Lexeme(pattern=r"#[^\n]*\n?"),
    "INNER_COMMENT": Lexeme(pattern=r"<comment>\n?#[^\n]*\n?"),
    "FIELD_START": Lexeme(pattern=r"\{ ?"),
    "FIELD_VERBATIM": Lexeme(pattern=r"<debug>[\s\S]+<debug>", without=r"<debug>[\s\S]+<debug>[\s\S]*<debug>|<debug><debug>[\s\S]*"),
    "FIELD_CONVERSION": Lexeme(pattern="![A-Za-z_]+"),
    "FORMAT_TEXT": Lexeme(pattern="[^{}]+"),
    **{f"{raw}FSTRING_START_{n}": Lexeme(pattern=_PREFIX[raw] + quote) for raw in _PREFIX for n, quote in _QUOTES.items()},
    **{f"{raw}FSTRING_TEXT_{n}": Lexeme(pattern=_piece(bool(raw), quote)) for raw in _PREFIX for n, quote in _QUOTES.items()},
    **{f"{raw}FSTRING_EMPTY_{n}": Lexeme(pattern=_PREFIX[raw] + _QUOTES[n] * 2) for raw in _PREFIX for n in "12"},
}
"""The terminals whose text is data."""


def lexemes_of(spelled: Spelled, rules: Rules) -> tuple[Rules, dict[str, Lexeme]]:
    """The rules with terminals that a lexer without backtracking can read, and what the terminals match."""
    texts = {name: value for name, (kind, value) in spelled.patterns.items() if kind == "str"}
    lexemes = {name: Lexeme(text=value) for name, value in texts.items()}
    lexemes |= {name: lexeme for name, lexeme in DATA.items() if name in spelled.patterns or "EMPTY" in name}
    split: dict[str, Symbols] = {}
    for name, text in texts.items():
        begins = [other for other, beginning in texts.items() if text != beginning and text.startswith(beginning)]
        first = max(begins, key=lambda other: len(texts[other]), default="")
        rest = text[len(texts[first]) :] if first else ""
        if re.match(r"\w", rest):
            split[name] = (first, f"{name}_REST")
            lexemes[f"{name}_REST"] = Lexeme(text=rest)
    blank = next((name for name, text in texts.items() if text == " "), "")
    if "NUMBER_DOT" in spelled.patterns:
        split["NUMBER_DOT"] = (blank or "BLANK", "DOT")
        if not blank:
            lexemes["BLANK"] = Lexeme(text=" ")
    for name in split:
        lexemes.pop(name, None)

    def spell(symbols: Symbols) -> Symbols:
        return tuple(s for symbol in symbols for s in split.get(symbol, (symbol,)))

    found: Rules = {}
    for name, alternatives in rules.items():
        new = [spell(a) for a in alternatives]
        for a in alternatives:
            match = re.fullmatch(r"((?:RAW_)?FSTRING)_START_([12])", a[0]) if a else None
            if match:
                new.append((f"{match[1]}_EMPTY_{match[2]}",))
        found[name] = tuple(dict.fromkeys(new))
    return found, lexemes
