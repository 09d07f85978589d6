"""The errors of tokenizers and models. Errors of programs are those of ``simpy_grammar``."""

from __future__ import annotations

from simpy_grammar.errors import SimPyError


class TokenizerError(SimPyError):
    """A tokenizer or model that cannot be found, cannot be extended, or cannot hold a text."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.path or self.line is not None else text.removeprefix("<text>: ")


def error_at(text: str, offset: int, message: str, *, hint: str) -> TokenizerError:
    """An error about a character of a text.

    >>> print(error_at("a\\nb?c", 3, "no such token", hint="use another"))
    <text>:2:2: error: no such token
      b?c
       ^
    hint: use another
    """
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].split("\n", 1)[0]
    return TokenizerError(message, line=text.count("\n", 0, offset) + 1, column=offset - start + 1, source_line=line, hint=hint)


def cannot_carry(text: str, offset: int) -> TokenizerError:
    """The error of a vocabulary that has no ids for a character of a text."""
    hint = "use a vocabulary with a byte-level alphabet or with byte fallback"
    return error_at(text, offset, f"the vocabulary cannot carry {text[offset]!r}", hint=hint)
