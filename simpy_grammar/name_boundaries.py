"""Where a name may be cut: at underscores, before a capital letter, and between letters and digits.

Learned tokens may begin and end there, as in ``self._`` and ``_name(``. Learning cuts names into these parts, and
``tokenizer_ext.token_finder`` finds tokens at the same places, so what learning promises is what use gives.
"""

from __future__ import annotations

from simpy_grammar.later_patterns import later_pattern

NAME_PART = later_pattern("_+|[A-Z]+[a-z]*|[a-z]+|[0-9]+")
"""A part of a name or number that a learned token may hold."""
_REST = "[^_A-Za-z0-9]+"  # letters beyond ASCII, and the signs of a number
_ANY_PART = later_pattern(f"{NAME_PART.pattern}|{_REST}")


def name_parts(name: str) -> list[str]:
    """The parts of a name or number, which together are all of it.

    >>> name_parts("_getHTMLName2"), name_parts("__init__"), name_parts("1.5e3")
    (['_', 'get', 'HTMLName', '2'], ['__', 'init', '__'], ['1', '.', '5', 'e', '3'])
    """
    return _ANY_PART.findall(name)


def cannot_precede(first: str) -> str:
    """The characters before which a part that begins with ``first`` does not begin, as the inside of a character class.

    >>> cannot_precede("_"), cannot_precede("a"), cannot_precede("A"), cannot_precede("1")
    ('_', 'A-Za-z', 'A-Z', '0-9')
    """
    return "_" if first == "_" else "0-9" if first.isdigit() else "A-Z" if first.isupper() else "A-Za-z"


def cannot_follow(last: str) -> str:
    """The characters after which a part that ends with ``last`` does not end, as the inside of a character class.

    >>> cannot_follow("_"), cannot_follow("a"), cannot_follow("A"), cannot_follow("1")
    ('_', 'a-z', 'A-Za-z', '0-9')
    """
    return "_" if last == "_" else "0-9" if last.isdigit() else "A-Za-z" if last.isupper() else "a-z"
