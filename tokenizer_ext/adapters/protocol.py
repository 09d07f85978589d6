"""What an adapter answers about the tokenizer of some library.

An *ordinary* tokenizer is the part below the added tokens that stand for something: it makes ids of text, whatever that
text spells. Each library has a file beside this one; ``tokenizer_ext.adapters.registry`` lists them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any


class OrdinaryTokenizer(ABC):
    """Ordinary text to ids and back. Whether the ids give back the text is checked by ``tokenizer_ext.exact``.

    Attributes:
        control: the ids that ordinary text must never become, each with the text that it stands for.
        dummy: a blank that ``decode`` takes away from the beginning of a text, if it has one there.
        ends_at_words: whether no token goes over the end of a word (``tokenizer_ext.adapters.word_ends``).
    """

    control: Mapping[int, str]
    dummy: str = ""
    ends_at_words: bool = False

    @abstractmethod
    def encode(self, texts: Sequence[str], *, continued: bool = False) -> list[list[int]]:
        """The ids of each text.

        Args:
            texts: valid Unicode, without lone surrogates.
            continued: the texts follow other text, so that a tokenizer that begins each text with a blank adds none.
        """

    @abstractmethod
    def decode(self, texts: Sequence[Sequence[int]]) -> list[str]:
        """The text of each sequence of ids."""

    @abstractmethod
    def spans(self, text: str, *, continued: bool = False) -> list[tuple[int, int]]:
        """For each id of a text, the characters that it stands for."""

    @abstractmethod
    def byte_ids(self, data: bytes) -> list[int] | None:
        """The ids that stand for single bytes; ``None`` where the vocabulary lacks one of them."""

    @abstractmethod
    def pieces(self) -> dict[int, bytes]:
        """The bytes that each ordinary id stands for after other text. The bytes of an id may be a part of a character.

        Raises:
            TokenizerError: the text of several ids is not the texts of each, joined.
        """


class Adapter(ABC):
    """A tokenizer of some library."""

    @staticmethod
    @abstractmethod
    def accepts(tokenizer: Any) -> bool:
        """Whether a tokenizer is of this library. Imports no library: an object of one means that it has been imported."""

    @abstractmethod
    def __init__(self, tokenizer: Any) -> None:
        """Adapt a tokenizer that ``accepts`` accepts."""

    @property
    @abstractmethod
    def added(self) -> dict[str, int]:
        """The texts that become one id wherever they stand, with their ids."""

    @abstractmethod
    def id_of(self, text: str) -> int | None:
        """The id of a text that is a token of its own, added or not."""

    @abstractmethod
    def extended(self, tokens: Sequence[str]) -> Any:
        """A copy of the tokenizer with tokens added after all others."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The id that the next token would get which is added after all others."""

    @abstractmethod
    def parts(self) -> Mapping[int, Sequence[Sequence[int]]]:
        """For each id whose text other ids can spell, the ids that it is merged from, in every way in which it is.

        Those in ``fixed`` are among them.

        Raises:
            TokenizerError: the vocabulary is of a kind whose ids cannot be reused.
        """

    @property
    @abstractmethod
    def fixed(self) -> Collection[int]:
        """The ids that must stay what they are: those of added tokens."""

    @abstractmethod
    def reusing(self, tokens: Mapping[int, str]) -> Any:
        """A copy of the tokenizer in which some ids stand for added tokens, instead of what they stood for.

        Args:
            tokens: id -> its token. Each id is one of ``parts`` and not in ``fixed``, and no other id that keeps its text is
                merged from it.
        """

    @abstractmethod
    def copy(self) -> Any:
        """A copy of the tokenizer."""

    @abstractmethod
    def ordinary(self, extension: Sequence[str]) -> OrdinaryTokenizer:
        """The tokenizer below its control tokens and below the tokens of its extension, which are given."""
