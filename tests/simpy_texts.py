"""SimPy texts drawn from the grammar itself, whether or not Python has a program for them.

The grammar decides everything but the data: names, numbers, strings and comments come from the tables below. Two marks
stand in the drawn text where the right spelling depends on what follows; ``_settle`` replaces them.

Two strategies draw: that of Hypothesis, which picks rules evenly and so gives many tiny texts and some endless ones, and
one that takes the shortest way out of each rule once a text is long enough.
"""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random

import lark
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from simpy_grammar.compile import lark_grammar
from simpy_grammar.dialect import Dialect

_INTEGER_END = "\x01"  # a decimal integer, to which a dot would belong
_FIELD = "\x02"  # the opening brace of a field, which a blank keeps apart from another brace

_DATA: dict[str, tuple[str, ...]] = {
    "NAME": ("a", "b", "match", "case", "type", "_", "naïve", "f", "rb", "def_stmt", "None_"),
    "NUMBER": (f"0{_INTEGER_END}", f"1_0{_INTEGER_END}", "0xFF", "0b1", "1.5", "1.e5", "2j", ".5"),
    "NUMBER_DOT": (" .",),
    "IMPORT_PREFIX": (".", "..", "..."),
    "STRING": ("'a'", '"b"', "'<def_stmt>'", "r'\\d'", "b'c'", '"""d\ne"""', "u''", "'# no comment'"),
    "COMMENT": ("# c\n", "#\n", "# <block_end>\n"),
    "TRAILING_COMMENT": ("# t\n",),
    "HEADER_COMMENT": ("# h\n",),
    "INNER_COMMENT": ("<comment># i\n", "<comment>\n# own line\n"),
    "FIELD_START": (_FIELD,),
    "FIELD_VERBATIM": ("<debug>a=<debug>", "<debug> b = <debug>", "<debug>a<b =<debug>"),
    "FIELD_CONVERSION": ("!r", "!s"),
    "FORMAT_TEXT": (">10", " x", "<def_stmt>"),
    **{f"FSTRING_START_{quote}": texts for quote, texts in (("1", ("f'", "F'")), ("2", ('f"',)), ("3", ("f'''",)), ("6", ('f"""',)))},
    **{f"RAW_FSTRING_START_{quote}": texts for quote, texts in (("1", ("rf'",)), ("2", ('fR"',)), ("3", ("rf'''",)), ("6", ('Rf"""',)))},
    **{
        f"{raw}FSTRING_TEXT_{quote}": ("a", "{{", "}}", " # <comment>", "\\d" if raw else "\\n") for raw in ("", "RAW_") for quote in "1236"
    },
}


@lru_cache(maxsize=8)
def _rules(dialect: str) -> lark.Lark:
    """The rules of a dialect, with its data terminals declared and not defined: Hypothesis need not read their patterns.

    All brackets are closed in the texts of these rules, whether or not the dialect leaves some out.
    """
    chosen = Dialect.load(dialect)
    grammar = lark_grammar(Dialect(chosen.name, chosen.spellings))
    text, count = re.subn(r"^([A-Z_0-9]+): /.*\n", r"%declare \1\n", grammar, flags=re.MULTILINE)
    assert count, "a grammar without data"
    return lark.Lark(text, start="module", parser="earley", lexer="basic")


def simpy_texts(dialect: str) -> st.SearchStrategy[str]:
    """Texts of a dialect, drawn from its grammar."""
    rules = _rules(dialect)
    declared = [name for name in _DATA if re.search(rf"^%declare {name}$", rules.source_grammar, re.MULTILINE)]
    return from_lark(rules, explicit={name: st.sampled_from(_DATA[name]) for name in declared}).map(_settle)


def bounded_simpy_texts(dialect: str, size: int = 60) -> st.SearchStrategy[str]:
    """Texts of a dialect of about a given number of rules, drawn from its grammar."""
    return st.randoms(use_true_random=False).map(lambda random: draw_text(dialect, random, size))


@lru_cache(maxsize=8)
def _ways(dialect: str) -> tuple[dict[str, list[list[str]]], dict[str, list[str]], dict[str, str]]:
    """Rule -> its expansions; rule -> the expansion that ends soonest; terminal -> its text, where that is no data."""
    rules = _rules(dialect)
    expansions: dict[str, list[list[str]]] = {}
    for rule in rules.rules:
        expansions.setdefault(rule.origin.name, []).append([symbol.name for symbol in rule.expansion])
    texts = {terminal.name: terminal.pattern.value for terminal in rules.terminals}
    shortest: dict[str, list[str]] = {}
    found = -1
    while len(shortest) != found:
        found = len(shortest)
        for name, ways in expansions.items():
            done = [way for way in ways if all(symbol in shortest or symbol not in expansions for symbol in way)]
            if done and name not in shortest:
                shortest[name] = min(done, key=len)
    assert shortest.keys() == expansions.keys(), f"rules that never end: {expansions.keys() - shortest.keys()}"
    return expansions, shortest, texts


def draw_text(dialect: str, random: Random, size: int) -> str:
    """Draw a text from the grammar of a dialect."""
    expansions, shortest, texts = _ways(dialect)
    out: list[str] = []
    todo = ["module"]
    while todo:
        symbol = todo.pop()
        if symbol in expansions:
            size -= 1
            todo += reversed(random.choice(expansions[symbol]) if size > 0 else shortest[symbol])
        else:
            out.append(texts[symbol] if symbol in texts else random.choice(_DATA[symbol]))
    return _settle("".join(out))


def _settle(text: str) -> str:
    """Replace the marks."""
    text = text.replace(f"{_INTEGER_END}.", "j.").replace(_INTEGER_END, "")
    return text.replace(f"{_FIELD}{{", "{ {").replace(_FIELD, "{")
