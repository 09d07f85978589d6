"""The grammar in the words of llguidance: a variant of Lark's."""

from __future__ import annotations

import re

from simpy_grammar.compile import START, spell
from simpy_grammar.dialect import Dialect
from simpy_grammar.engines.lexemes import Lexeme, lexemes_of
from simpy_grammar.engines.rules import rules_of
from simpy_grammar.engines.simplify import factored, joined, simplified


def llguidance_grammar(dialect: Dialect) -> str:
    """The grammar of a dialect as llguidance reads it."""
    spelled = spell(dialect)
    rules, lexemes = lexemes_of(spelled, rules_of(spelled))
    rules, classes = joined(simplified(rules))
    rules = simplified(rules)
    rules, more = joined(simplified(factored(rules)))
    more = {}
    rules = simplified(rules)
    names = {START: "start"}
    for name in rules:
        base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        while base in names.values() and names.get(name) != base:
            base += "_x"
        names.setdefault(name, base)
    lines = []
    for name, alternatives in rules.items():
        lines.append(f"{names[name]}: " + " | ".join(" ".join(names.get(s, s) for s in a) or '""' for a in alternatives))
    used = {s for a in rules.values() for b in a for s in b}
    lines += [f"{name}: {_lexeme(lexeme)}" for name, lexeme in lexemes.items() if name in used]
    lines += [f"{name}: {' | '.join(members)}" for name, members in classes.items() if name in used]
    lines += [f"{name}: {_lexeme(lexeme)}" for name, lexeme in lexemes.items() if name not in used and any(name in m for m in classes.values())]
    return "\n".join(lines) + "\n"


def _lexeme(lexeme: Lexeme) -> str:
    if lexeme.text:
        return '"' + lexeme.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return _regexp(lexeme.pattern) + (f" & ~{_regexp(lexeme.without)}" if lexeme.without else "")


def _regexp(pattern: str) -> str:
    escaped = re.sub(r"(?<!\\)/", r"\\/", pattern)
    return "/" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped) + "/"
