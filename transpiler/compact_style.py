"""What the layout ``compact`` keeps of PEP 8, as data, and the one style that the dialect ``compact`` is written in.

A blank is kept by the terminal that has it, as ``simpy_grammar.terminals`` spells it: ``" = "`` has two. Which are worth their
tokens was measured: ``python benchmarks/spellings.py`` tries the styles one by one.
"""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.terminals import ASSIGNMENT, BINARY, SEPARATOR, SPACE_RULE, TERMINALS, named

_BLANKS = {terminal.name for terminal in TERMINALS if terminal.python != terminal.python.strip()} - {"NUMBER_DOT"}
_WORDS = {terminal.name for terminal in TERMINALS if terminal.python.strip()[:1].isalpha()} | {SPACE_RULE}

WORDS = frozenset(_BLANKS & _WORDS)
"""Words, such as ``in``: the blanks between them and brackets, signs and strings; those between two words always stand."""
ASSIGNMENTS = frozenset({*named(ASSIGNMENT), "ANNOTATED_DEFAULT", "TYPE_DEFAULT", "WALRUS"})
OPERATORS = frozenset(set(named(BINARY)) - _WORDS)
COMMAS = frozenset(_BLANKS & set(named(SEPARATOR)))
COLONS = frozenset({"PARAMETER_ANNOTATION", "TYPE_BOUND", "ANNOTATION", "LAMBDA_COLON", "PAIR_COLON"})
ARROW = frozenset({"RETURN_ARROW"})
STRINGS = frozenset(_BLANKS - WORDS - ASSIGNMENTS - OPERATORS - COMMAS - COLONS - ARROW)
"""The blank between two strings."""
ALL_BLANKS = frozenset(_BLANKS)


class Style(NamedTuple):
    """What a layout keeps of PEP 8.

    Attributes:
        blanks: the terminals whose blanks are kept.
        indent: what one level is indented by.
        semicolon: what stands between two simple statements of a block on one line; empty if each has a line of its own.
        after_colon: what stands before simple statements on the line of their header; ``None`` if they stand below it.
        before_comment: what stands before a comment that follows code.

    >>> Style().blanks
    frozenset()
    """

    blanks: frozenset[str] = frozenset()
    indent: str = " "
    semicolon: str = ";"
    after_colon: str | None = ""
    before_comment: str = ""


STYLE = Style(WORDS | STRINGS)
"""The style of the dialect ``compact``: the blanks that cost hardly any tokens. ``docs/learning.md`` has the figures of the others."""
