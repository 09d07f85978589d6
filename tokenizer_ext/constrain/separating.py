"""What separates tokens that are written one after the other: in Python, blanks between words, and the indents of lines."""

from __future__ import annotations

import re

from simpy_grammar.tables import Key
from tokenizer_ext.constrain.layouts import DEDENT, INDENT, Indents, blanks

_WORD_CHAR, _AFTER_BLANK = re.compile(r"\w\Z"), re.compile(r"[\w.]")


def separate(key: Key, text: str, before: str, indents: Indents) -> str:
    r"""The text of a token with what has to be written before it.

    Args:
        key: the token.
        text: its text.
        before: the text right before it; at the beginning of a line, the line end and the blanks since then.
        indents: those of the open blocks; empty where lines do not matter.

    >>> separate("NAME", "a", "if", ((0, 0),))
    ' a'
    >>> separate("pass", "pass", "\n ", ((0, 0), (4, 4))), separate("pass", "pass", "\n ", ((0, 0),))
    ('   pass', '\npass')
    """
    if not indents:
        return text
    if key in (INDENT, DEDENT):
        return ""
    if before.startswith("\n"):
        indent = blanks((0, 0), indents[-1]) or ""
        begun = before[1:]
        return f"{indent[len(begun) :] if indent.startswith(begun) else f'{before[0]}{indent}'}{text}"
    return f" {text}" if _WORD_CHAR.search(before) and _AFTER_BLANK.match(text) else text
