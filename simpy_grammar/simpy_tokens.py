"""The tokens of the spellings of SimPy: one pattern that finds those that read alike everywhere, and patterns by state."""

from __future__ import annotations

import re
from itertools import product

from simpy_grammar.aliases import ALIAS, split
from simpy_grammar.aliases import aliases as aliases_of
from simpy_grammar.implied_closers import ImpliedClosers
from simpy_grammar.python_tokens import NAME_CHAR, NAME_START
from simpy_grammar.reader import UNKNOWN, Automaton, Codes
from simpy_grammar.tables import END, Tables
from simpy_grammar.terminals import KEYWORDS

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORD = re.compile(f"{NAME_START}{NAME_CHAR}*")
_IN_ANGLES = "<[a-z_]+>"
_MARK = "<comment>"
_FSTRING_START = re.compile(r"(RAW_)?FSTRING_START_[1236]$")
_NO_SIGN = re.compile(rf"[ .\"'#0-9]|{NAME_START}")  # how tokens begin that are not literals
# A name, or a reserved word: which, the table of codes says, sooner than a pattern.
_NAME = rf"{WORD.pattern}(?![\"']|{NAME_CHAR})"
# The rest of a string with fields after its opening, if it is like one without. It is read by the state of the automaton all the
# same, but where it ends, the next token has been found already.
_TO_END = {
    1: r"(?:[^%(q)s\\\n]*(?:\\[\s\S][^%(q)s\\\n]*)*%(q)s)?",
    3: r"(?:[^%(q)s\\]*(?:(?:\\[\s\S]|%(q)s(?!%(q)s%(q)s))[^%(q)s\\]*)*%(q)s%(q)s%(q)s)?",
}


def _both_cases(*words: str) -> list[str]:
    return ["".join(letters) for word in words for letters in product(*((letter, letter.upper()) for letter in word))]


# Beginnings of tokens that are not literals: text that ends in one of these may still become another token.
_OPENERS = (
    "<comment>\n#",
    "<debug>",
    " .a",
    *(prefix + quote * 3 for quote in "\"'" for prefix in ("", *"rRbBuUfFtT", *_both_cases("rb", "br", "rf", "fr", "rt", "tr"))),
)


class _TokenCodes(dict[str, str]):
    """Text of a token -> the code of its key. Short texts are remembered.

    Args:
        codes: of the keys.
        literals: the tokens that are spelled in one way.
        openings: name and pattern of the openings of strings with fields.
        aliases: whether names may have aliases.
    """

    def __init__(self, codes: Codes, literals: Iterable[str], openings: dict[str, str], aliases: bool) -> None:
        super().__init__(dict.fromkeys(KEYWORDS, UNKNOWN))
        self._aliases = aliases
        self.update((text, codes[text]) for text in literals)
        self._codes = codes
        self._openings = openings
        self._strings: dict[str, str] = {}  # opening of a string -> name of its key

    def __missing__(self, text: str) -> str:
        name, alias = split(text) if self._aliases and text[0] not in "#\"'" else ("", "")
        if name:
            code = self[name] if self[name] == self._codes["NAME"] else UNKNOWN
        else:
            code = self._codes["NAME" if alias else self._name(text)]
        if len(text) <= 40 and len(self) < 50_000:
            self[text] = code
        return code

    def _name(self, text: str) -> str:
        first = text[0]
        if first == "#":
            return "COMMENT"
        if first == "<":
            return "INNER_COMMENT" if text.startswith(_MARK) and len(text) > len(_MARK) else ""
        if text[-1] in "'\"":
            opening = opening_of(text)
            name = self._strings.get(opening)
            if name is None:
                name = next((name for name, pattern in self._openings.items() if re.fullmatch(pattern, opening)), "STRING")
                self._strings[opening] = name
            return name
        if first == " ":
            return "NUMBER_DOT"
        return "NUMBER" if first in "0123456789." else "NAME"


def opening_of(string: str) -> str:
    """Prefix and quotes of a string.

    >>> opening_of("f'''a"), opening_of('rb""')
    ("f'''", 'rb"')
    """
    start = min(at for at in map(string.find, "'\"") if at >= 0)
    quote = string[start]
    return string[: start + (3 if string.startswith(quote * 3, start) else 1)]


class SimPyAutomaton(Automaton):
    """The automaton of a dialect of SimPy, with the patterns of its tokens.

    Args:
        tables: of the dialect.
        aliases: how many aliases of names it has.

    Attributes:
        scan: finds a token that reads alike in all states, as its group; a character without one is something else.
        token_codes: the codes of such tokens.
        odd: finds, in the codes of tokens, those that are read one by one.
        header_ends: block starts that begin with a colon: in a field it is the colon alone, and what follows is the text of the format.
        openings: the tokens that open a string with fields.
        open_texts: the beginnings of tokens that are not literals.
        longest: length of the longest of those tokens.
        implied: the closing brackets that are implied.
        aliases: how many aliases of names there are.
        margin: so many characters before the end of what was cut into tokens, the last ones may still become others.
    """

    def __init__(self, tables: Tables, implied: ImpliedClosers, aliases: int = 0) -> None:
        self.implied = implied
        patterns = tables.patterns
        literals = {value: name for name, (kind, value) in patterns.items() if kind == "str" and not name.startswith("FSTRING_END")}
        openings = sorted((name for name in patterns if _FSTRING_START.match(name)), key=lambda name: -len(patterns[name][1]))
        texts = sorted(literals, key=lambda text: (-len(text), text))
        self.header_ends = frozenset(
            text for text in texts if text.startswith(":") and len(text) > 1 and literals[text].endswith("BLOCK_START")
        )
        self.aliases = aliases
        alternatives = _alternatives(patterns, texts, self.header_ends, openings, aliases > 0)
        self.scan = re.compile(f"({'|'.join(alternatives)})|[\\s\\S]")
        super().__init__(tables, {name: value if value in literals else name for name, (_, value) in patterns.items()})
        self.token_codes = _TokenCodes(self.codes, literals, {name: patterns[name][1] for name in openings}, aliases > 0)
        self.openings = frozenset(openings)
        self.odd = re.compile(f"[{re.escape(''.join(self.codes[name] for name in (*openings, 'INNER_COMMENT')))}]")
        in_angles = aliases_of(aliases)
        self.open_texts = frozenset(text[:i] for text in (*texts, *_OPENERS, *in_angles) for i in range(1, len(text)))
        self.longest = max(map(len, (*texts, *_OPENERS, *in_angles)))
        self.margin = 2 + max(map(len, in_angles), default=0)
        self._by_state: dict[int, tuple[re.Pattern[str], list[str]]] = {}

    def pattern_of(self, state: int) -> tuple[re.Pattern[str], list[str]]:
        """The pattern for one state, in which only tokens that the parser can take there occur, and its groups."""
        if state not in self._by_state:
            patterns = self.tables.patterns

            def rank(name: str) -> tuple[bool, bool, int, str]:
                """Patterns before the literals that they begin with, but the brace of a field after the text that may hold two."""
                literal = patterns[name][0] == "str"
                return literal or name == "FIELD_START", literal, -len(patterns[name][1]), name

            ordered = sorted((str(name) for name in self.tables.actions[state] if name != END), key=rank)
            bodies = (patterns[name][1] if patterns[name][0] == "re" else re.escape(patterns[name][1]) for name in ordered)
            self._by_state[state] = re.compile("|".join(f"({body})" for body in bodies) or "(?!)"), ordered
        return self._by_state[state]


def _alternatives(
    patterns: dict[str, tuple[str, str]], texts: list[str], header_ends: frozenset[str], openings: list[str], aliases: bool
) -> Iterator[str]:
    """The patterns of all tokens that read alike in every state. Which come first matters only for those that begin alike."""
    longer = {text[0] for text in texts if len(text) > 1}
    signs = "".join(text for text in texts if len(text) == 1 and text not in longer and not _NO_SIGN.match(text))
    yield f"[{re.escape(signs)}]" if signs else "(?!)"
    yield from (re.escape(text) for text in texts if (word := WORD.match(text)) and word[0] in KEYWORDS and word[0] != text)
    yield f"{_NAME}(?:{ALIAS})?|{ALIAS}" if aliases else _NAME
    yield patterns["INNER_COMMENT"][1]
    yield from map(re.escape, header_ends)
    in_angles = {text for text in texts if re.fullmatch(_IN_ANGLES, text)}
    if not any(re.match("<(?:[a-z_]|$)", text) for text in texts if text not in in_angles):
        yield _IN_ANGLES  # one pattern for all is compiled sooner
        texts = [text for text in texts if text not in in_angles]
    yield from (re.escape(text) for text in texts if not _NO_SIGN.match(text))
    yield from (patterns[name][1] for name in ("NUMBER_DOT", "NUMBER", "STRING"))
    yield from (re.escape(text) for text in texts if _NO_SIGN.match(text))
    yield patterns["COMMENT"][1]
    yield from (patterns[name][1] + _to_end(patterns[name][1]) for name in openings)


def _to_end(opening: str) -> str:
    """The pattern of the rest of a string with fields, by the pattern of its opening."""
    return _TO_END[3 if opening.endswith(opening[-1] * 3) else 1] % {"q": opening[-1]}
