"""A dialect as spellers need it, the one in Python and the native one."""

from __future__ import annotations

from functools import lru_cache

from simpy_grammar.dialect import Dialect
from simpy_grammar.implied_closers import implied_closers
from simpy_grammar.spaced import is_spaced
from simpy_grammar.terminals import COMMENT, DATA, ID, SPACE, TERMINALS, general, ids


class SpellingTable:
    """A dialect as the speller needs it.

    Attributes:
        spell: terminal -> its texts.
        texts: terminal id -> its text; ``None`` for data, which has its own.
        asked: terminal id -> whether its neighbours are asked.
        apart: id of a terminal with a spelling between a closing and an opening bracket or quote -> both.
        spaced: id of a terminal with a spelling with blanks -> the one without them -> that one.
        only_pass: a lone ``pass`` is spelled otherwise.
        final_ends: so are the block ends at the end of the text.
        implying: the texts that imply the closing brackets before them.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.spell = spell = dialect.spellings
        self.implying = implied_closers(dialect).ends
        self.texts: list[str | None] = [
            None if terminal.role in (DATA, COMMENT) else spell.get(terminal.name, ("" if terminal.role == SPACE else terminal.python,))[0]
            for terminal in TERMINALS
        ]
        self.apart = {ID[name]: texts for name, texts in spell.items() if len(texts) > 1 and not is_spaced(texts)}
        self.spaced: dict[int, dict[str, str]] = {}
        for name, texts in spell.items():
            if is_spaced(texts):
                self.spaced.setdefault(ID[general(name)], {})[texts[0]] = texts[1]
        self.only_pass = "ONLY_PASS" in spell
        self.final_ends = "FINAL_BLOCK_END" in spell
        starts = ("BLOCK_START", "KEYWORD_BLOCK_START", "BARE_BLOCK_START", "EXPLICIT_BLOCK_START", "MATCH_BLOCK_START")
        ends = ("BLOCK_END", "CLAUSE_BLOCK_END", "MATCH_BLOCK_END")
        asked = set(self.apart) | ids(COMMENT)
        if self.only_pass or len({spell.get(name) for name in starts}) > 1:
            asked |= {ID["BLOCK_START"], ID["PASS"]}
        if self.final_ends or len({spell.get(name) for name in ends}) > 1:
            asked |= {ID["BLOCK_START"], ID["BLOCK_END"], ID["CASE"]}
        self.asked = [i in asked for i in range(len(TERMINALS))]


@lru_cache(maxsize=64)
def table_of(dialect: Dialect) -> SpellingTable:
    """A dialect without aliases as the speller needs it.

    >>> table_of(Dialect.load("dense")).only_pass
    True
    """
    return SpellingTable(dialect)
