"""The tokens of the grammar in a vocabulary: which a dialect has, which a vocabulary holds, and their Python text.

The special tokens of a dialect are an ordered list that only grows at its end. So a vocabulary that an earlier release
has extended keeps its ids, and lacks some of the last tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from simpy_grammar.dialect import BUILT_IN, SPECIAL_TOKEN, Dialect
from simpy_grammar.terminals import COMMENT, ID, LAYOUT, TERMINALS, general
from tokenizer_ext.reuse_mark import ReuseMark

# Python's layout, which simpy_grammar.terminals leaves to the decoder, and the two marks that no terminal names.
_LAYOUT_TEXTS = {"LINE_SEP": "\n", "BLOCK_START": ":\n    ", "BLOCK_END": "\n"}
_MARKS = {"<comment>": "  ", "<debug>": "="}
FIRST_RELEASE_END = "<debug>"  # the last token of every dialect in the first release; later ones come after it


def special_tokens(dialect: str | Path | Dialect = "classic") -> tuple[str, ...]:
    """The tokens that a dialect asks a vocabulary to hold as one id, in the order of their ids.

    Raises:
        DialectError: there is no such dialect.

    >>> special_tokens("classic")[:3]
    ('<line_sep>', '<block_start>', '<block_end>')
    """
    return Dialect.load(dialect).special_tokens


def is_layout(terminal: str) -> bool:
    """Whether Python spells a terminal by lines and indentation only, or it is a comment."""
    return TERMINALS[ID[terminal]].role in (LAYOUT, COMMENT)


def python_spelling(terminal: str) -> str:
    """The text that Python has for a terminal, with the blanks round it; empty where it has none or the text is data.

    >>> python_spelling("IF"), python_spelling("BLOCK_START"), python_spelling("NAME")
    (' if ', ':\\n    ', '')
    """
    return _LAYOUT_TEXTS.get(terminal) or TERMINALS[ID[terminal]].python


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
        python = python_spelling(general(terminal))
        for token in spellings:
            if token in tokens and not texts.get(token):
                texts[token] = python
    return {**texts, **{mark: text for mark, text in _MARKS.items() if mark in tokens}}


def python_text(token: str, texts: Mapping[str, str]) -> str:
    """The Python text of a special or a learned token, without the blank that belongs to what follows.

    >>> python_text("<def_stmt>__init__ self", python_texts("classic"))
    'def __init__ self'
    """
    python = re.sub(SPECIAL_TOKEN, lambda match: texts.get(match[0], match[0]), token)
    return (python.rstrip(" ") or python) if python.strip() else python


@lru_cache(maxsize=1)
def _known_tokens() -> frozenset[str]:
    """The special tokens of all built-in dialects: by these an extended vocabulary is recognised."""
    return frozenset(token for name in BUILT_IN for token in special_tokens(name))


def extension_tokens(added: Mapping[str, int], dialect: str | Path | Dialect = "classic") -> dict[str, int]:
    """The tokens that ``extend`` has added to a vocabulary, in the order of their ids: the first grammar token and all after it.

    Where they have taken ids of others, the mark of ``tokenizer_ext.reuse_mark`` says which they are. Then the grammar tokens
    are in the order of their ids, and after them the learned ones.

    >>> extension_tokens({"</s>": 2, "<if>": 7, ")<line_sep>": 8})
    {'<if>': 7, ')<line_sep>': 8}
    >>> extension_tokens({"</s>": 2, ")<line_sep>": 1, "<if>": 4, "<simpy_reused:9:2>": 5, "x.": 9})
    {'<if>': 4, ')<line_sep>': 1, 'x.': 9}
    """
    grammar = _known_tokens().union(special_tokens(dialect))
    mark = ReuseMark.of(added)
    if mark is not None:
        own = mark.extension(added)
        return dict(sorted(own.items(), key=lambda item: (item[0] not in grammar, item[1])))
    first = min((number for text, number in added.items() if text in grammar), default=None)
    if first is None:
        return {}
    return {text: number for text, number in sorted(added.items(), key=lambda item: item[1]) if number >= first}


def lacking(held: Sequence[str], dialect: str | Path | Dialect) -> tuple[str, ...] | None:
    """The special tokens of a dialect that an extension lacks; ``None`` where it is not an extension for this dialect.

    Args:
        held: the tokens of the extension, in the order of their ids. An extension of an earlier release begins with as many
            special tokens as the dialect had then; learned tokens, and special tokens that were added since, come after them.
        dialect: the dialect.

    >>> tokens = special_tokens("dense")
    >>> lacking(tokens, "dense"), lacking(tokens, "classic"), lacking(tokens[:3], "dense")
    ((), None, None)
    """
    grammar = special_tokens(dialect)
    least = grammar.index(FIRST_RELEASE_END) + 1 if grammar else 0
    if list(held[:least]) != list(grammar[:least]):
        return None
    return tuple(token for token in grammar if token not in held)
