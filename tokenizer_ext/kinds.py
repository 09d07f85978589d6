"""The kinds of tokenizer: what ``extend`` and safe encoding ask of one, once for each library.

A *plain* tokenizer is the one below the added tokens: it makes ids of ordinary text only, whatever that text spells, and
gives the text back unchanged. The kinds of Hugging Face are in ``tokenizer_ext.huggingface``; a new library is one class
and one line in ``kind_of``.
"""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from tokenizer_ext.errors import TokenizerError

# Printable ASCII and line breaks, in an order that a vocabulary for text may not expect.
PROBE = "".join(map(chr, range(33, 127))) + "  x\n\ty\n        z = [1]\n\n\nq(' ', \"\")"


class Plain(ABC):
    """Ordinary text to ids and back.

    Attributes:
        unknown: the id that stands for what the vocabulary cannot hold; ``None`` if it can hold everything.
    """

    unknown: int | None = None

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids of ``encode``."""

    @abstractmethod
    def spans(self, text: str) -> list[tuple[int, int]]:
        """For each id of a text, the characters that it stands for."""


class Kind(ABC):
    """A tokenizer of some library."""

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

    @abstractmethod
    def copy(self) -> Any:
        """A copy of the tokenizer."""

    @abstractmethod
    def plain(self, own: Sequence[str]) -> Plain:
        """The tokenizer below its special tokens and ``own``, the tokens that ``extend`` has added."""


def kind_of(tokenizer: Any) -> Kind:
    """The kind of a tokenizer. No library is imported to find out: an object of it means that it has been.

    Raises:
        TokenizerError: it is of no kind that can be extended.
    """
    from tokenizer_ext.huggingface import HuggingFace, Transformers  # they are kinds too

    loaded = sys.modules
    if "tokenizers" in loaded and isinstance(tokenizer, loaded["tokenizers"].Tokenizer):
        return HuggingFace(tokenizer)
    if "tiktoken" in loaded and isinstance(tokenizer, loaded["tiktoken"].Encoding):
        return TikToken(tokenizer)
    if getattr(tokenizer, "is_fast", False) and hasattr(tokenizer, "backend_tokenizer"):
        return Transformers(tokenizer)
    name = f"{type(tokenizer).__module__}.{type(tokenizer).__qualname__}"
    if hasattr(tokenizer, "convert_tokens_to_ids"):
        raise TokenizerError(f"{name} is a slow tokenizer of transformers", hint="load it with use_fast=True")
    raise TokenizerError(f"{name} is no tokenizer that can be extended", hint="use one of tokenizers, transformers (fast) or tiktoken")


# --------------------------------------------------------------------------------------------------------- tiktoken


class TikToken(Kind):
    """``tiktoken.Encoding``."""

    def __init__(self, encoding: Any) -> None:
        self.encoding = encoding

    @property
    def added(self) -> dict[str, int]:
        return dict(self.encoding._special_tokens)

    def id_of(self, text: str) -> int | None:
        try:
            found: int = self.encoding.encode_single_token(text)
        except KeyError:
            return None
        return found

    def copy(self) -> Any:
        return self.extended(())

    def extended(self, tokens: Sequence[str]) -> Any:
        from tiktoken import Encoding

        first = self.encoding.n_vocab
        return Encoding(
            self.encoding.name,
            pat_str=self.encoding._pat_str,
            mergeable_ranks=self.encoding._mergeable_ranks,
            special_tokens={**self.added, **{token: first + i for i, token in enumerate(tokens)}},
        )

    def plain(self, own: Sequence[str]) -> Plain:
        return TikTokenPlain(self.encoding)


class TikTokenPlain(Plain):
    """``tiktoken`` reads ordinary text as such when asked to."""

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        ordinary = self._encoding.encode_ordinary
        return [ordinary(text) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._encoding.decode(list(ids))
        return text

    def spans(self, text: str) -> list[tuple[int, int]]:
        ids = self._encoding.encode_ordinary(text)
        starts = self._encoding.decode_with_offsets(ids)[1]
        return list(zip(starts, [*starts[1:], len(text)], strict=True)) if starts else []
