"""What the added tokens stand for: the special tokens of a dialect, in order, and their Python text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.terminals import GENERAL, PYTHON

# Python's layout, which simpy_grammar.terminals leaves to the decoder, and the two marks that no terminal names.
_LAYOUT = {"LINE_SEP": "\n", "BLOCK_START": ":\n    ", "BLOCK_END": "\n"}
_MARKS = {"<comment>": "  ", "<debug>": "="}


def special_tokens(dialect: str | Path | Dialect = "classic") -> tuple[str, ...]:
    """The tokens that a dialect asks a vocabulary to hold as one id, in the order of their ids.

    Raises:
        DialectError: there is no such dialect.

    >>> special_tokens("classic")[:3]
    ('<line_sep>', '<block_start>', '<block_end>')
    """
    return Dialect.load(dialect).special_tokens


def python_texts(dialect: str | Path | Dialect = "classic") -> dict[str, str]:
    """The Python text that each special token stands for; where it stands for several, that of the first that has any.

    >>> texts = python_texts("classic")
    >>> texts["<def_stmt>"], texts["<if>"], texts["<block_start>"]
    ('def ', ' if ', ':\\n    ')
    """
    chosen = Dialect.load(dialect)
    tokens = set(chosen.special_tokens)
    texts: dict[str, str] = {}
    for terminal, spellings in chosen.spellings.items():
        general = GENERAL.get(terminal, terminal)
        python = _LAYOUT.get(general, PYTHON.get(general, ""))
        for token in spellings:
            if token in tokens and not texts.get(token):
                texts[token] = python
    return {**texts, **{mark: text for mark, text in _MARKS.items() if mark in tokens}}


def python_text(token: str, texts: Mapping[str, str]) -> str:
    """The Python text of a special or a learned token, without the blank that belongs to what follows.

    >>> python_text("<def_stmt>__init__ self", python_texts("classic"))
    'def __init__ self'
    """
    python = re.sub(r"<[a-z_]+>", lambda match: texts.get(match[0], match[0]), token)
    return (python.rstrip(" ") or python) if python.strip() else python


@lru_cache(maxsize=1)
def known_tokens() -> frozenset[str]:
    """The special tokens of all built-in dialects: by these an extended vocabulary is recognised."""
    return frozenset(token for name in BUILT_IN for token in special_tokens(name))


def own_tokens(added: Mapping[str, int], dialect: str | Path | Dialect = "classic") -> dict[str, int]:
    """The tokens that ``extend`` has added to a vocabulary, in the order of their ids: the first grammar token and all after it.

    >>> own_tokens({"</s>": 2, "<if>": 7, ")<line_sep>": 8})
    {'<if>': 7, ')<line_sep>': 8}
    """
    grammar = known_tokens().union(special_tokens(dialect))
    first = min((number for text, number in added.items() if text in grammar), default=None)
    if first is None:
        return {}
    return {text: number for text, number in sorted(added.items(), key=lambda item: item[1]) if number >= first}
