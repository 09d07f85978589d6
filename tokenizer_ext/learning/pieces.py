"""A program in the pieces that learning merges, or does not merge: lexemes of SimPy, or tokens of Python with the white space."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from simpy_grammar.aliases import split
from simpy_grammar.dialect import Dialect
from simpy_grammar.name_boundaries import name_parts
from simpy_grammar.speller import Speller
from simpy_grammar.terminals import COMMENT, DATA, named, table
from tokenizer_ext import programs
from tokenizer_ext.programs import program_stream, python_tokens

CLASSES = ("grammar", "punctuation", "identifiers", "literals")
WORD, LITERAL = "word", "literal"
# Terminal id -> class; empty for what is a word or a sign by its text.
_CLASS_OF_TERMINAL = table(
    "",
    ("data", named(DATA)),
    (LITERAL, ("STRING",)),
    ("comment", named(COMMENT)),
    (WORD, ("NAME", "NUMBER")),
    ("grammar", ("LINE_SEP", "BLOCK_START", "BLOCK_END")),
)
_CLASS_OF_TOKEN = {
    programs.WORD: WORD,
    programs.NUMBER: WORD,
    programs.KEYWORD: "grammar",
    programs.OPERATOR: "punctuation",
    programs.COMMENT: "comment",
    programs.STRING: LITERAL,
}

Piece = tuple[str, str]
"""A piece's class and its text. The class is one of ``CLASSES``, "word" (a part of an identifier or number), "literal" (a whole string), or
"comment" or "data", which are never merged."""
Splitter = Callable[[str], list[Piece]]
"""The pieces of a Python source."""


def simpy_splitter(dialect: Dialect) -> Splitter:
    """Splits a Python source into its lexemes, spelled in a dialect. For Python itself there is ``python_pieces``.

    >>> simpy_splitter(Dialect.load("classic"))("return a")
    [('grammar', '<return>'), ('word', 'a')]
    """
    return partial(_simpy_pieces, dialect)  # which other processes can be given


def _simpy_pieces(dialect: Dialect, source: str) -> list[Piece]:
    stream = program_stream(source)
    texts = Speller(dialect).spell_all(stream)
    by_terminal, by_text = _CLASS_OF_TERMINAL, _ClassByText()
    found: list[Piece] = []
    for terminal, text in zip(stream.terminals, texts, strict=True):
        class_ = by_terminal[terminal] or by_text[text]
        if class_ == WORD:
            found += _word_pieces(text)
        elif text:
            found.append((class_, text))
    return found


@lru_cache(maxsize=100_000)
def _word_pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of a name or number, and of the alias after it."""
    name, alias = split(text)
    found = [(WORD, part) for part in name_parts(name if alias else text)]
    return (*found, ("grammar", alias)) if alias else tuple(found)


class _ClassByText(dict[str, str]):
    """Text of a word or a sign -> its class."""

    def __missing__(self, text: str) -> str:
        found = self[text] = "grammar" if any(map(str.isalpha, text)) else "punctuation"
        return found


def python_pieces(source: str) -> list[Piece]:
    """The pieces of a Python text as it is, white space included: for the control, tokens learned on plain Python.

    >>> python_pieces("if a:\\n    b()")[:6]
    [('grammar', 'if'), ('punctuation', ' '), ('word', 'a'), ('punctuation', ':'), ('grammar', '\\n    '), ('word', 'b')]
    """
    found: list[Piece] = []
    at = 0
    for token in python_tokens(source):
        if token.start > at:
            gap = source[at : token.start]
            found.append(("grammar" if "\n" in gap else "punctuation", gap))
        class_, text = _CLASS_OF_TOKEN[token.sort], source[token.start : token.end]
        found += [(class_, part) for part in name_parts(text)] if class_ == WORD else [(class_, text)]
        at = token.end
    if source[at:]:
        found.append(("grammar", source[at:]))
    return found
