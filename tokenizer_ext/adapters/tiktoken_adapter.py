"""The adapter for ``tiktoken``."""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from tokenizer_ext.adapters.protocol import Adapter, OrdinaryTokenizer


class TiktokenAdapter(Adapter):
    """``tiktoken.Encoding``."""

    @staticmethod
    def accepts(tokenizer: Any) -> bool:
        library = sys.modules.get("tiktoken")
        return library is not None and isinstance(tokenizer, library.Encoding)

    def __init__(self, tokenizer: Any) -> None:
        self.encoding = tokenizer

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

    def ordinary(self, extension: Sequence[str]) -> OrdinaryTokenizer:
        return TiktokenOrdinary(self.encoding, {number: text for text, number in self.added.items() if text not in set(extension)})


class TiktokenOrdinary(OrdinaryTokenizer):
    """``tiktoken`` reads ordinary text as such when asked to."""

    def __init__(self, encoding: Any, control: dict[int, str]) -> None:
        self._encoding = encoding
        self.control = control

    def encode(self, texts: Sequence[str], *, continued: bool = False) -> list[list[int]]:
        ordinary = self._encoding.encode_ordinary
        return [ordinary(text) for text in texts]

    def decode(self, texts: Sequence[Sequence[int]]) -> list[str]:
        decode = self._encoding.decode
        return [decode(ids) for ids in texts]

    def spans(self, text: str, *, continued: bool = False) -> list[tuple[int, int]]:
        ids = self._encoding.encode_ordinary(text)
        starts = self._encoding.decode_with_offsets(ids)[1]
        return list(zip(starts, [*starts[1:], len(text)], strict=True)) if starts else []

    def byte_ids(self, data: bytes) -> list[int] | None:
        try:
            return [self._encoding.encode_single_token(bytes([byte])) for byte in data]
        except KeyError:
            return None

    def pieces(self) -> dict[int, bytes]:
        return {number: piece for piece, number in self._encoding._mergeable_ranks.items()}
