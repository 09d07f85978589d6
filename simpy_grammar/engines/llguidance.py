"""The grammar in the words of llguidance, which are a variant of Lark's."""

from __future__ import annotations

import re

from simpy_grammar.compile import spell
from simpy_grammar.dialect import Dialect
from simpy_grammar.engines.lexemes import Lexeme, lexemes_of
from simpy_grammar.engines.rules import Symbols, rules_of
from simpy_grammar.engines.simplify import factored, joined, rule_names, simplified

# The line tells servers whose language this is. Forced tokens hardly occur in this grammar, and to look for them costs time.
_HEAD = '%llguidance {"no_forcing": true}'


# Text goes on until its end is a line that opens a block. A comment that ends a program has taken the line break before the fence.
_FENCED = r"""start: (opening program CLOSING)* PROSE
opening[lazy]: /(?s:.*)```python\n/
PROSE: /(?s:.*)/
CLOSING: /\n?```/
"""


def llguidance_grammar(dialect: Dialect, *, fenced: bool = False) -> str:
    """The grammar of a dialect as llguidance reads it: of a program, or of an answer with programs in blocks of Markdown.

    >>> for line in llguidance_grammar(Dialect.load("dense")).splitlines():
    ...     if line.startswith(("unary:", "ELLIPSIS")):
    ...         print(line)
    unary: primary | LT AWAIT_REST primary | ANY_11 unary
    ELLIPSIS: "..."
    """
    spelled = spell(dialect)
    rules, lexemes = lexemes_of(spelled, rules_of(spelled))
    rules, classes = joined(simplified(rules))
    rules = simplified(factored(simplified(rules)))
    names = rule_names(rules, start="program" if fenced else "start", joint="_")

    def written(symbols: Symbols) -> str:
        return " ".join(names.get(s, s) for s in symbols) or '""'

    lines = [_HEAD, *(f"{names[name]}: {' | '.join(map(written, alternatives))}" for name, alternatives in rules.items())]
    used = {s for alternatives in rules.values() for symbols in alternatives for s in symbols}
    lines += [f"{name}: {' | '.join(members)}" for name, members in classes.items() if name in used]
    used.update(*(classes[name] for name in used.intersection(classes)))
    lines += [f"{name}: {_written(lexeme)}" for name, lexeme in lexemes.items() if name in used]
    lines[1:1] = _FENCED.splitlines() if fenced else []
    return "\n".join(lines) + "\n"


def _written(lexeme: Lexeme) -> str:
    if lexeme.text:
        return '"' + lexeme.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return _regexp(lexeme.pattern) + (f" & ~{_regexp(lexeme.without)}" if lexeme.without else "")


def _regexp(pattern: str) -> str:
    """A regular expression on one line."""
    escaped = re.sub(r"(?<!\\)/", r"\\/", pattern)
    return "/" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped) + "/"
