"""Python with its lines: the dialect ``python`` once more, with a token for each line end, indent and colon.

The lexer of ``python`` looks ahead, and gives to the parser a line end only where SimPy has a separator. Where a text is written symbol
by symbol, a lexer cannot look ahead: there each line end is a token, and the grammar says where it may stand. Nothing is spelled in this
dialect; ``tokenizer_ext.constrain`` asks its tables which symbols may follow.

    if a: b; c      if NAME : NAME ; NAME NEWLINE
    else:           else : NEWLINE
        d               INDENT NAME NEWLINE DEDENT
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from simpy_grammar.dialect import GRAMMAR_FOLDER, LINES, PYTHON, Dialect
from simpy_grammar.terminals import SOFT_KEYWORDS

# Terminals that only these tables have -> the terminal of the table that their shift adds to a stream; TARGETS adds nothing.
_NO_LEXEME = "TARGETS"
MEANINGS = {
    "SEMICOLON": "LINE_SEP",
    **dict.fromkeys(("HEADER_COLON", "HEADER_END", "FIELD_EQUALS", "SECOND_IN", "SECOND_NOT"), _NO_LEXEME),
    **{f"{raw}FORMAT_TEXT_{quotes}": "FORMAT_TEXT" for raw in ("", "RAW_") for quotes in "1236"},
}
# What is read in another way here: parentheses that only comments need, empty ones, and operators of two words.
_LEFT_OUT = ("WITH_PARENTHESES", "IMPORT_OPEN", "IMPORT_CLOSE", "EMPTY_PARAMETERS", "IS_NOT")
_NO_RULES = re.compile(r"_nothing|_statements|_open|_closed|_final|\w*_block|_decorator_tail|_decorator_closed_tail|_cases|_comments")
_CHANGED = {"NOT_IN": ("not",), **dict.fromkeys(("CONCAT", "KEYWORD_BLOCK_START", "CLAUSE_BLOCK_END"), ("",))}
_HEAD = re.compile(r"^(_?[a-z_]+|[A-Z_0-9]+)(?:\{[^}\n]*\})?:", re.MULTILINE)


@lru_cache(maxsize=1)
def lines_dialect() -> Dialect:
    """The keys of the tokens. A soft keyword has a key of its own, with ``^``; so have the parentheses of ``with``.

    >>> [lines_dialect().spellings[name] for name in ("IF_STMT", "IF", "MATCH", "WITH_OPEN")]
    [('if',), ('if',), ('^match',), ('with(',)]
    """
    python = Dialect.load(PYTHON).spellings
    spellings = {name: tuple(map(_plain, texts)) for name, texts in python.items() if name not in _LEFT_OUT}
    return Dialect(LINES, {**spellings, **_CHANGED}, LINES)


def _plain(key: str) -> str:
    return key[1:] if key[0:1] == "^" and key[1:] and key not in ("^=", *(f"^{word}" for word in SOFT_KEYWORDS)) else key


def with_lines(grammar: str) -> str:
    """The grammar of SimPy with the rules of ``lines.lark``, and without comments."""
    with open(os.path.join(GRAMMAR_FOLDER, "lines.lark"), encoding="utf-8") as file:
        own = _rules(file.read())
    rules = {**_rules(grammar), **own}
    text = "\n".join(body for name, body in rules.items() if name in own or not _NO_RULES.fullmatch(name))
    text = re.sub(r"\binner_\w*block\b", "block", text)
    return re.sub(r"\n    \| (?:_\w+ INNER_COMMENT|NUMBER NUMBER_DOT NAME)\b|\[_comments\]|\b_comments\b", "", text)


def _rules(grammar: str) -> dict[str, str]:
    """Name -> rule, of rules and of terminals."""
    text = re.sub(r"^//[^\n]*\n", "", grammar, flags=re.MULTILINE)
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.start() : end] for head, end in zip(heads, ends, strict=True)}
