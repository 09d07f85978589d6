"""The spellings that fitting tries for a terminal. Whether one is unambiguous only the loader of ``simpy_grammar`` knows."""

from __future__ import annotations

from simpy_grammar.dialect import Dialect
from simpy_grammar.terminals import general
from tokenizer_ext.grammar_tokens import is_layout, python_spelling

Spelling = tuple[str, ...]
"""The texts of a terminal in a dialect: see ``simpy_grammar.dialect.Dialect``."""

# A separator stands beside a name in most places. So it may be a blank, a comma, or one between brackets and the other elsewhere.
_SEPARATORS: tuple[Spelling, ...] = ((" ",), (",",), (", ",), (" ", ","), (", ", ","))
_CANDIDATES: dict[str, tuple[Spelling, ...]] = {
    "LINE_SEP": ((";",), ("\n",), ("\t",), ("; ",)),
    "BLOCK_START": (("{",), (":",), (":\n",), ("\n",), (": ",)),
    "BLOCK_END": (("}",), ("\n\n",), ("\n",), ("} ",), (";;",)),
    "RETURN_ARROW": (("->",), (" -> ",), ("-> ",), (" ->",)),
    "FOR_IN": ((" ",), (" in ",)),
    "COMPREHENSION_IN": ((" ",), (" in ",)),
    "IMPORT_NAMES": ((" ",), (" import ",)),
}


def candidate_spellings(terminal: str, dialect: Dialect) -> list[Spelling]:
    """The spellings to try for a terminal: its special token, and plain texts with blanks that a vocabulary may merge.

    A text never begins or ends with a letter unless the dialect spells the terminal so already: it would join a name.

    >>> candidate_spellings("EQUAL", Dialect.load("dense"))
    [(' ==',), ('== ',), (' == ',), ('<eq>',)]
    """
    now = dialect.spellings.get(terminal, ("",))
    stands_for = general(terminal)
    if now == ("",) or (stands_for != terminal and not is_layout(stands_for)):
        return []
    classic = Dialect.load("classic").spellings.get(terminal, ())
    if terminal in _CANDIDATES:
        found = list(_CANDIDATES[terminal])
    elif terminal.endswith("_SEP"):
        found = list(_SEPARATORS)
    else:
        bare = python_spelling(terminal).strip()
        found = [(bare,), (f" {bare}",), (f"{bare} ",), (f" {bare} ",)] if bare and not bare.isdigit() else []
    found += [classic] if classic and classic[0].startswith("<") and classic[0].endswith(">") else []
    return [spelling for spelling in dict.fromkeys(found) if spelling != now and not any(map(_joins_names, spelling))]


def _joins_names(text: str) -> bool:
    return text[:1].isalnum() or text[-1:].isalnum()
