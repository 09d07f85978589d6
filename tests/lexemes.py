"""Streams written as words, for the tests of what works on lexemes."""

from __future__ import annotations

from simpy_grammar.stream import Stream
from simpy_grammar.terminals import ID


def stream_of(*parts: str | tuple[str, str]) -> Stream:
    """A stream: a word is a terminal, or a number or a name; a pair is a terminal and its text.

    >>> [(lexeme.terminal, lexeme.text) for lexeme in stream_of("RETURN x PLUS 1", ("STRING", "' '")).lexemes()]
    [('RETURN', ''), ('NAME', 'x'), ('PLUS', ''), ('NUMBER', '1'), ('STRING', "' '")]
    """
    stream = Stream()
    for part in parts:
        for terminal, text in (_lexeme(word) for word in part.split()) if isinstance(part, str) else [part]:
            stream.append(terminal, text)
    return stream


def _lexeme(word: str) -> tuple[str, str]:
    if word in ID:
        return word, ""  # no layout looks at it
    return ("NUMBER" if word[0].isdigit() else "NAME"), word


def without(words: str, indices: set[int]) -> str:
    """The words that are left without those at some indices.

    >>> without("RETURN ( x )", {1, 3})
    'RETURN x'
    """
    return " ".join(word for i, word in enumerate(words.split()) if i not in indices)
