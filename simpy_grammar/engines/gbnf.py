"""The grammar in the words of llama.cpp (GBNF), which reads characters and has no lexer.

Terminals are rules over characters here. Where the lexer of SimPy takes the longest text that it can, a reader of characters takes
any; docs/engines.md says what it accepts for that reason.
"""

from __future__ import annotations

import re

from simpy_grammar.compile import spell
from simpy_grammar.dialect import Dialect
from simpy_grammar.engines.determined import determined
from simpy_grammar.engines.left_corner import without_left_recursion
from simpy_grammar.engines.lexemes import QUOTES
from simpy_grammar.engines.rules import Rules, Symbols, distinct, rules_of
from simpy_grammar.engines.simplify import factored, rule_names, simplified
from simpy_grammar.terminals import KEYWORDS

_ASCII = "".join(map(chr, range(128)))
_LETTERS = "".join(c for c in _ASCII if c.isalpha() or c == "_")
_WORD = "".join(c for c in _ASCII if c.isalnum() or c == "_")
_BEYOND = r"\x80-\U0010FFFF"
_LINE = r'"#" [^\n]* "\n"'
_BEFORE_FIELD = "BEFORE_FIELD_"  # and the number of the quote: what stands before a field and is not whole without it

_SHARED = {
    "digits": "[0-9] [0-9_]*",
    "exponent": "[eE] [+-]? digits",
    "braces": r'"{{" | "}}"',
    "prefix": "[fFtT]",
    "raw-prefix": "[fFtT] [rR] | [rR] [fFtT]",
    "escape": r'"\\" [^{}N] | "\\N{" [^{}\n]* "}" | "\\" braces',
    "raw-escape": r'"\\" [^{}] | "\\" braces',
}
_DATA = {
    "NUMBER": '"0" [xX] [0-9a-fA-F_]+ | "0" [oO] [0-7_]+ | "0" [bB] [01_]+ | (digits "."? digits? | "." digits) exponent? [jJ]?',
    "NUMBER_DOT": '" ."',
    "STRING": f"([rR] [bB]? | [bB] [rR]? | [uU])? ({' | '.join(f'string-{number}' for number in QUOTES)})",
    "IMPORT_PREFIX": '"."+',
    "COMMENT": _LINE,
    "INNER_COMMENT": rf'"<comment>" "\n"? {_LINE}',
    "FIELD_START": '"{" " "?',
    "FIELD_VERBATIM": '"<debug>" verbatim "<debug>"',
    "FIELD_CONVERSION": '"!" [A-Za-z_]+',
    "FORMAT_TEXT": "[^{}]",
}


_OPENING = "```python\n"


def gbnf_grammar(dialect: Dialect, *, fenced: bool = False) -> str:
    """The grammar of a dialect as llama.cpp reads it: of a program, or of an answer with programs in blocks of Markdown.

    >>> for line in gbnf_grammar(Dialect.load("dense")).splitlines():
    ...     if line.startswith(("t-not ", "t-number-dot")):
    ...         print(line)
    t-not ::= "not "
    t-number-dot ::= " ."
    """
    spelled = spell(dialect)
    rules = simplified(without_left_recursion(simplified(_before_fields(rules_of(spelled)))))
    rules = simplified(determined(simplified(factored(rules))))
    used = dict.fromkeys(s for alternatives in rules.values() for symbols in alternatives for s in symbols if s not in rules)
    names = rule_names(rules, start="program" if fenced else "root", joint="-") | {
        token: f"t-{token.lower().replace('_', '-')}" for token in used
    }

    def written(symbols: Symbols) -> str:
        return " ".join(names[s] for s in symbols) or '""'

    terminals = {name: _text(value) for name, (kind, value) in spelled.patterns.items() if kind == "str"}
    terminals |= {**_DATA, **_string_terminals(), "NAME": "word"}
    lines = [f'root ::= (prose {_text(_OPENING)} program "\\n"? "```")* prose'] if fenced else []
    lines += [f"{names[name]} ::= {' | '.join(map(written, alternatives))}" for name, alternatives in rules.items()]
    lines += [f"{names[token]} ::= {terminals[token]}" for token in used]
    characters = {
        **_SHARED,
        **_string_rules(),
        **_words(),
        **_without("verbatim", "<debug>"),
        **(_without("prose", _OPENING) if fenced else {}),
    }
    lines += [f"{name} ::= {body}" for name, body in characters.items()]
    return "\n".join(lines) + "\n"


def _before_fields(rules: Rules) -> Rules:
    """Let a field follow what is not a piece of text of its own: a backslash, or quotes that do not end the string."""
    found: Rules = {}
    for name, alternatives in rules.items():
        numbers = {s[-1] for symbols in alternatives for s in symbols if re.search(r"FSTRING_TEXT_\d$", s)}
        more = [
            (*symbols[:-1], _BEFORE_FIELD + number, symbols[-1])
            for number in numbers
            for symbols in alternatives
            if symbols[-1] in rules and symbols[-1] != name
        ]
        found[name] = distinct([*alternatives, *more])
    return found


def _string_terminals() -> dict[str, str]:
    """The terminals of strings with fields. A piece of text is one character, an escape or a doubled brace, with the quotes before it."""
    found: dict[str, str] = {}
    for number, quote in QUOTES.items():
        one = _text(quote[0])
        plain, quotes = (rf"[^{{}}\\{_code(quote)}\n]", "") if len(quote) == 1 else (rf"[^{{}}\\{_code(quote[0])}]", f"({one} {one}?)? ")
        found[f"{_BEFORE_FIELD}{number}"] = f'{quotes}"\\\\"' + (f" | {one} {one}?" if quotes else "")
        for raw, dash in (("", ""), ("RAW_", "raw-")):
            found[f"{raw}FSTRING_START_{number}"] = f"({dash}prefix) {_text(quote)}"
            found[f"{raw}FSTRING_TEXT_{number}"] = f"{quotes}({plain} | {dash}escape | braces)"
    return found


def _string_rules() -> dict[str, str]:
    """The strings without fields, for each way to quote."""
    found: dict[str, str] = {}
    for number, quote in QUOTES.items():
        one, code = _text(quote[0]), _code(quote[0])
        body = rf'([^{code}\\\n] | "\\" .)' if len(quote) == 1 else rf'(({one} {one}?)? ([^{code}\\] | "\\" .))'
        found[f"string-{number}"] = f"{_text(quote)} {body}* {_text(quote)}"
    return found


def _words() -> dict[str, str]:
    """Names: a rule for each beginning of a keyword, so that no keyword is one."""
    beginnings = dict.fromkeys(word[:i] for word in sorted(KEYWORDS) for i in range(len(word) + 1))
    found = {"word-rest": f"[{_WORD}{_BEYOND}]*"}
    for beginning in beginnings:
        after = [one[-1] for one in beginnings if one[:-1] == beginning and one]
        others = "".join(c for c in (_WORD if beginning else _LETTERS) if c not in after)
        ways = [f'"{c}" word-{_name(beginning + c)}' for c in after] + [f"[{others}{_BEYOND}] word-rest"]
        ways += ['""'] if beginning and beginning not in KEYWORDS else []
        found[f"word-{_name(beginning)}" if beginning else "word"] = " | ".join(ways)
    return found


def _name(beginning: str) -> str:
    """Part of the name of a rule; names of rules may differ in their case only, but then they are hard to tell apart."""
    return re.sub("[A-Z]", lambda match: f"cap-{match[0].lower()}", beginning)


def _without(name: str, mark: str) -> dict[str, str]:
    """Text without the mark in it: a rule for each number of characters of the mark that have been read.

    >>> for name, body in _without("text", "ab").items():
    ...     print(name, "::=", body)
    text ::= [^\\x61] text | "a" text-1 | ""
    text-1 ::= [^\\x61\\x62] text | "a" text-1 | ""
    """
    found: dict[str, str] = {}
    for read in range(len(mark)):
        after: dict[int, list[str]] = {}
        for char in dict.fromkeys(mark):
            text = mark[:read] + char
            after.setdefault(max(n for n in range(len(mark) + 1) if text.endswith(mark[:n])), []).append(char)
        others = dict.fromkeys(char for n, chars in after.items() if n for char in chars)
        ways = [f"[^{''.join(map(_code, others))}] {name}"]
        ways += [f"{_text(char)} {name}-{n}" for n, chars in after.items() if 0 < n < len(mark) for char in chars]
        found[f"{name}-{read}" if read else name] = " | ".join((*ways, '""'))
    return found


def _code(char: str) -> str:
    return f"\\x{ord(char):02x}"


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
