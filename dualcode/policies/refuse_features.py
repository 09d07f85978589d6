"""Features: what the end of a prompt looks like, as numbers. They are cheap: only the last 1,024 characters are read, and no parser runs.

The lexemes are those of Python, found with one pattern from the first whole line on. Where that line stands within a long string, the
features are wrong until the string ends, which costs the estimate some sharpness and nothing else.
"""

from __future__ import annotations

import re
from typing import Final

from dualcode.conversion.units import UNITS
from dualcode.policies.protocol import Question
from simpy_grammar.terminals import KEYWORDS

WINDOW = 1024
"""How many characters of the prompt are read."""
_LEXEMES = 384

_LEXEME = re.compile(
    r"""[^\W\d]\w*|\n|[()\[\]{},]|:=?|\.(?!\d)|\.?\d(?:[\w.]|(?<=[eE])[+-])*|\#[^\n]*"""
    r"""|\"{3}[^"\\]*(?:(?:\\[\s\S]|\"(?!\""))[^"\\]*)*(?:\"{3}|\\?\Z)|'{3}[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*(?:'{3}|\\?\Z)"""
    r"""|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*(?:"|(?=\n)|\\?\Z)|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*(?:'|(?=\n)|\\?\Z)"""
    r"""|\*\*=?|//=?|>>=?|<<=?|->|[-+*/%@&|^<>=!]=|[^\s\w]"""
)
_WORDS = {word: 40 + number for number, word in enumerate(sorted(KEYWORDS))}
_NONE, _NEWLINE, _NAME, _NUMBER, _STRING, _COMMENT, _OTHER = range(7)
_SIGNS = {
    sign: 7 + number
    for number, signs in enumerate(
        ("(", "[", "{", ")", "]", "}", ",", ":", ".", "=", ";", "->", ":=", "@", "== != < > <= >=", "+ - * / % // **", "& | ^ ~ << >>")
    )
    for sign in signs.split()
}
_CHANGES = 7 + len(set(_SIGNS.values()))  # a sign such as +=
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")
_HEADERS = frozenset(("if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "async", "match", "case"))
_SCOPES = frozenset(("def", "class"))
_LAST = 6  # lexemes whose kind is a feature each
_MOST = 50  # larger counts say no more

FEATURES: Final = (
    *(f"kind_{number}" for number in range(1, _LAST + 1)),
    "length_1",
    "length_2",
    "length_3",
    "in_word",
    "after_blank",
    "after_newline",
    "in_string",
    "in_comment",
    "column",
    "indent",
    "indent_change",
    "blank_before",
    "brackets",
    "bracket",
    "in_bracket",
    "commas",
    "line_lexemes",
    "line_word",
    "previous_word",
    "second_previous_word",
    "header_open",
    "header_ended",
    "previous_length",
    "scope",
    "lines_in_scope",
    "equals_in_line",
    "seen_1",
    "seen_2",
    "seen_3",
    "follower_1",
    "follower_2",
    "follower_3",
    "line_begun_before",
    "names_distinct",
    "comments",
    "strings",
    "lines",
    "length",
    "cut",
    "suffix",
    "suffix_kind",
    "until",
)
"""The names of the features, in their order. Kinds are numbers of ``kind``, lengths are in characters, counts end at 50."""


def kind(lexeme: str) -> int:
    """A number for what a lexeme is: a keyword, one of the signs, a name, a number, a string, a comment or the end of a line.

    >>> kind("x") == kind("y"), kind("if") == kind("x"), kind("") == kind("(")
    (True, False, False)
    """
    if not lexeme:
        return _NONE
    found = _WORDS.get(lexeme) or _SIGNS.get(lexeme)
    if found is not None:
        return found
    first = lexeme[0]
    if first == "\n":
        return _NEWLINE
    if first == "#":
        return _COMMENT
    if first in "'\"":
        return _STRING
    if first == "_" or first.isalpha():
        return _NAME
    if first.isdigit() or first == ".":
        return _NUMBER
    return _CHANGES if lexeme[-1] == "=" else _OTHER


def lexeme_ends(text: str) -> list[int]:
    """Where each lexeme of a text ends.

    >>> lexeme_ends("x = f(1)")
    [1, 3, 5, 6, 7, 8]
    """
    return [match.end() for match in _LEXEME.finditer(text)]


def features(question: Question) -> list[float]:
    """The features of a question to complete or to fill in, in the order of ``FEATURES``.

    >>> found = dict(zip(FEATURES, features(Question("complete", "x = 1\\nprint(x"))))
    >>> found["brackets"], found["in_word"], found["seen_1"], found["kind_2"] == kind("(")
    (1, True, 1, True)
    """
    prefix = question.prefix
    text = prefix[-WINDOW:]
    cut = len(text) < len(prefix)
    if cut:
        text = text[text.find("\n") + 1 :]
    lexemes = _LEXEME.findall(text)[-_LEXEMES:]
    found: list[float] = []
    _add_end(found, text, lexemes)
    _add_structure(found, text, lexemes)
    _add_repetition(found, lexemes)
    found += (
        min(_MOST, sum(lexeme[0] == "#" for lexeme in lexemes)),
        min(_MOST, sum(lexeme[-1] in "'\"" for lexeme in lexemes)),
        min(_MOST, text.count("\n")),
        len(text),
        cut,
        len(question.suffix) if len(question.suffix) < WINDOW else WINDOW,
        _first_kind(question.suffix),
        UNITS.index(question.until) + 1 if question.until in UNITS else 0,
    )
    return found


def _add_end(found: list[float], text: str, lexemes: list[str]) -> None:
    """The last lexemes and the last characters."""
    last = lexemes[: -_LAST - 1 : -1]
    last += [""] * (_LAST - len(last))
    found += map(kind, last)
    found += (len(last[0]), len(last[1]), len(last[2]))
    end = text[-1:]
    in_string = kind(last[0]) == _STRING and text.endswith(last[0]) and not _is_closed(last[0])
    in_comment = last[0][:1] == "#" and text.endswith(last[0])
    found += (
        (end.isalnum() or end == "_") and not in_string and not in_comment,
        end in (" ", "\t"),
        end == "\n",
        in_string,
        in_comment,
    )


def _add_structure(found: list[float], text: str, lexemes: list[str]) -> None:
    """Lines, indentation, what is open."""
    lines = text.split("\n")
    line, previous = lines[-1], lines[-2] if len(lines) > 1 else ""
    indent = len(line) - len(line.lstrip())
    filled = [one for one in lines[-6:-1] if one.strip()]
    before = filled[-1] if filled else ""
    found += (
        len(line),
        indent,
        indent - (len(before) - len(before.lstrip())),
        len(lines) > 1 and not previous.strip(),
    )
    open_brackets, commas, start = _open(lexemes)
    found += (
        len(open_brackets),
        kind(lexemes[open_brackets[-1]]) if open_brackets else _NONE,
        min(_MOST, len(lexemes) - 1 - open_brackets[-1]) if open_brackets else 0,
        commas,
        min(_MOST, len(lexemes) - start),
    )
    first = lexemes[start] if start < len(lexemes) else ""
    second = filled[-2] if len(filled) > 1 else ""
    is_header, ended = first in _HEADERS, before.rstrip().endswith(":")
    scope, since = _scope(lexemes)
    found += (
        kind(first),
        _first_kind(before),
        _first_kind(second),
        is_header and lexemes[-1] != ":",
        ended,
        len(before.strip()),
        scope,
        since,
        "=" in lexemes[start:],
    )


def _open(lexemes: list[str]) -> tuple[list[int], int, int]:
    """Where the brackets stand that are open at the end, the commas in the innermost, and where the last statement begins."""
    places: list[int] = []
    start = 0
    for place, lexeme in enumerate(lexemes):
        if lexeme in _OPENS:
            places.append(place)
        elif lexeme in _CLOSES:
            if places:
                places.pop()
        elif lexeme == "\n" and not places:
            start = place + 1
    commas = min(_MOST, lexemes[places[-1] :].count(",")) if places else 0
    return places, commas, start


def _scope(lexemes: list[str]) -> tuple[int, int]:
    """What was last begun, a function or a class, and how many lines ago."""
    lines = 0
    for lexeme in reversed(lexemes):
        if lexeme == "\n":
            lines += 1
        elif lexeme in _SCOPES:
            return kind(lexeme), min(_MOST, lines)
    return _NONE, min(_MOST, lines)


def _add_repetition(found: list[float], lexemes: list[str]) -> None:
    """How often the last one, two and three lexemes stood there before, and which share of them went on as they did the last time."""
    counts: list[float] = []
    shares: list[float] = []
    size = len(lexemes)
    places = [place for place, lexeme in enumerate(lexemes[:-1]) if lexeme == lexemes[-1]] if lexemes else []
    for back in (1, 2, 3):
        if back > 1:
            wanted = lexemes[size - back] if size >= back else ""
            places = [place for place in places if place >= back - 1 and lexemes[place - back + 1] == wanted]
        followers = [lexemes[place + 1] for place in places]
        counts.append(min(_MOST, len(places)))
        shares.append(followers.count(followers[-1]) / len(followers) if followers else -1.0)
    found += counts
    found += shares
    line = lexemes[_last_line(lexemes) :]
    found.append(bool(line) and len(line) < _MOST and _stood_before(lexemes, line))
    names = [lexeme for lexeme in lexemes if lexeme[0] == "_" or lexeme[0].isalpha()]
    found.append(len(set(names)) / len(names) if names else 1.0)


def _last_line(lexemes: list[str]) -> int:
    for place in range(len(lexemes) - 1, -1, -1):
        if lexemes[place] == "\n":
            return place + 1
    return 0


def _stood_before(lexemes: list[str], line: list[str]) -> bool:
    """Whether an earlier line begins with the lexemes of the last one."""
    size = len(line)
    if lexemes[:size] == line and len(lexemes) > size:
        return True
    return any(lexeme == "\n" and lexemes[place + 1 : place + 1 + size] == line for place, lexeme in enumerate(lexemes[: -size - 1]))


def _first_kind(text: str) -> int:
    """The kind of the first lexeme of a text."""
    found = _LEXEME.search(text[:200])
    return kind(found[0]) if found else _NONE


def _is_closed(string: str) -> bool:
    """Whether a string that is the last lexeme has its end."""
    quotes = string[:3] if string[:3] in ('"""', "'''") else string[0]
    inner = string[len(quotes) : -len(quotes)]
    return len(string) >= 2 * len(quotes) and string.endswith(quotes) and (len(inner) - len(inner.rstrip("\\"))) % 2 == 0
