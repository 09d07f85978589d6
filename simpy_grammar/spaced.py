"""Spellings with Python's blanks, for models that know Python: what ``%spaced`` in a dialect file makes of its spellings.

To a vocabulary, `` y`` and ``y`` are different tokens, and a model of Python knows the one that Python has. So a terminal gets a
second spelling with the blanks that Python has around it. The speller takes it unless what follows is spelled in angle brackets
(a blank would be a token of its own there); see ``simpy_grammar.speller``. For example::

    RETURN: "<return>" | "<return> "      <return> x      <return><not> x
    ASSIGN: "=" | " = "                   x = y           x=<not> y

Whether such texts read in one way only is up to ``simpy_grammar.compile``, as for all spellings.
"""

from __future__ import annotations

from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.terminals import ID, PREFIX, TERMINALS

# Python has a blank or the start of a line after these if an expression or a statement follows; after the others see their spelling.
_MAY_STAND_ALONE = ("RETURN", "RAISE", "EXCEPT", "YIELD", "LAMBDA", "ELSE_STMT", "TRY", "FINALLY")
_BEFORE_KEYWORDS = ("KEYWORD_BLOCK_START", "MATCH_BLOCK_START", "CLAUSE_BLOCK_END", "FINAL_BLOCK_END")
_STRUCTURE = ("LINE_SEP", "BLOCK_START", "BLOCK_END")
_ALONE = frozenset("*/")  # operators that are parameters, too: `f a=1 / b`
_BRACKETS = frozenset("{}:")  # spellings of blocks that are brackets and colons elsewhere, where a blank may separate elements
_IN_ANGLES = later_pattern("<[a-z_]+>")


def with_blanks(spellings: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The spellings of a dialect, with a second one wherever Python has blanks that the first one lacks.

    >>> with_blanks({"RETURN": ("<return>",), "ASSIGN": ("=",), "DOT": (".",), "AND": (" and ",)})
    {'RETURN': ('<return>', '<return> '), 'ASSIGN': ('=', ' = '), 'DOT': ('.',), 'AND': (' and ',)}
    """
    return {terminal: _apart(terminal, texts[0]) if len(texts) == 1 else texts for terminal, texts in spellings.items()}


def _apart(terminal: str, text: str) -> tuple[str, ...]:
    row = TERMINALS[ID[terminal]]
    is_structure = row.general in _STRUCTURE
    if not text.strip() or row.role == PREFIX or terminal in _BEFORE_KEYWORDS or text in _BRACKETS | _ALONE:
        return (text,)
    if _IN_ANGLES.fullmatch(text) or is_structure:
        follows = row.python.endswith(" ") or is_structure or terminal in _MAY_STAND_ALONE
        return (text, f"{text} ") if follows else (text,)
    stands_apart = row.python == f" {row.python.strip()} "
    return (text, f" {text} ") if stands_apart and text == text.strip() else (text,)


def is_spaced(texts: tuple[str, ...]) -> bool:
    """Whether the second of two spellings is the first with blanks.

    >>> is_spaced(("=", " = ")), is_spaced((" ", ","))
    (True, False)
    """
    return len(texts) > 1 and bool(texts[0].strip()) and texts[0].strip() == texts[1].strip()
