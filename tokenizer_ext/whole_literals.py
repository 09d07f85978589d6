"""Strings that a learned token may hold: whole ones, of one line, without prefix, escapes and what only comments hold.

A token never holds a part of a literal, so what stands in a string never becomes a token by what it says; ``'utf-8'`` as a whole may.
"""

from __future__ import annotations

import re

from simpy_grammar.later_patterns import later_pattern

_LONGEST = 40
_TEXT = f"[^%(q)s\\\\\\n#]{{0,{_LONGEST}}}"
NOT_BEFORE = "[\\w\"']"
"""What cannot stand before a string: a prefix, and another quote."""
NOT_AFTER = "[\"']"
"""What cannot stand after a string, which would be another one."""
WHOLE_LITERAL = later_pattern("|".join(f"(?<!{NOT_BEFORE}){q}{_TEXT % {'q': q}}{q}(?!{NOT_AFTER})" for q in "\"'"), re.ASCII)
"""A string that a learned token may hold."""


def without_literals(token: str) -> str:
    """A token without the strings that it holds as a whole.

    >>> without_literals("open(a,'r')"), without_literals("x='")
    ('open(a,)', "x='")
    """
    return WHOLE_LITERAL.sub("", token)
