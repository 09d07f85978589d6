"""The errors of tokenizers and models. What is wrong with a program is said by the errors of ``simpy_grammar``."""

from __future__ import annotations

from simpy_grammar.errors import SimPyError


class TokenizerError(SimPyError):
    """A tokenizer or model that cannot be found, cannot be extended, or cannot hold a text."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.path or self.line is not None else text.removeprefix("<text>: ")
