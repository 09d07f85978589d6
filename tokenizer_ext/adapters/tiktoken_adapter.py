"""The adapter for ``tiktoken``."""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tokenizer_ext.adapters.protocol import Adapter, OrdinaryTokenizer
from tokenizer_ext.adapters.word_ends import is_known


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
        return self._with({token: self.size + i for i, token in enumerate(tokens)}, self.encoding._mergeable_ranks)

    def _with(self, tokens: Mapping[str, int], ranks: dict[bytes, int]) -> Any:
        from tiktoken import Encoding

        return Encoding(
            self.encoding.name,
            pat_str=self.encoding._pat_str,
            mergeable_ranks=ranks,
            special_tokens={**self.added, **tokens},
        )

    @property
    def size(self) -> int:
        found: int = self.encoding.n_vocab
        return found

    def parts(self) -> dict[int, list[tuple[int, ...]]]:
        ranks = self.encoding._mergeable_ranks
        return {rank: [merged_from(piece, ranks)] for piece, rank in ranks.items() if len(piece) > 1}

    @property
    def fixed(self) -> frozenset[int]:
        return frozenset(self.added.values())

    def reusing(self, tokens: Mapping[int, str]) -> Any:
        kept = {piece: rank for piece, rank in self.encoding._mergeable_ranks.items() if rank not in tokens}
        return self._with({token: number for number, token in tokens.items()}, kept)

    def ordinary(self, extension: Sequence[str]) -> OrdinaryTokenizer:
        return TiktokenOrdinary(self.encoding, {number: text for text, number in self.added.items() if text not in set(extension)})


def merged_from(piece: bytes, ranks: Mapping[bytes, int]) -> tuple[int, ...]:
    """The ranks that a piece is merged from: two, or more if merging its bytes does not lead to it.

    >>> ranks = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"bc": 4, b"abc": 5}
    >>> merged_from(b"abc", ranks), merged_from(b"ab", ranks)
    ((3, 2), (0, 1))
    """
    own = ranks[piece]
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while len(parts) > 2:
        made = [ranks.get(left + right, own) for left, right in pairwise(parts)]
        lowest = min(made)
        if lowest >= own:
            break
        i = made.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return tuple(ranks[part] for part in parts)


class TiktokenOrdinary(OrdinaryTokenizer):
    """``tiktoken`` reads ordinary text as such when asked to."""

    def __init__(self, encoding: Any, control: dict[int, str]) -> None:
        self._encoding = encoding
        self.control = control
        self.ends_at_words = is_known(getattr(encoding, "_pat_str", ""))

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
