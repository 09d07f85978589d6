"""The adapter for the fast tokenizers of ``transformers``: one of ``tokenizers`` inside, with names for its special tokens."""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizer_ext.adapters.sentencepiece import repair_decoder
from tokenizer_ext.adapters.tokenizers_adapter import TokenizersAdapter, added_tokens, renamed


class TransformersAdapter(TokenizersAdapter):
    """``transformers.PreTrainedTokenizerFast`` and its subclasses."""

    @staticmethod
    def accepts(tokenizer: Any) -> bool:
        return bool(getattr(tokenizer, "is_fast", False)) and hasattr(tokenizer, "backend_tokenizer")

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer.backend_tokenizer)
        self.outer = tokenizer

    def copy(self) -> Any:
        return copy.deepcopy(self.outer)

    def extended(self, tokens: Sequence[str]) -> Any:
        return self._with(self.copy(), tokens)

    def reusing(self, tokens: Mapping[int, str]) -> Any:
        new = self.copy()
        new._tokenizer = renamed(self.tokenizer, tokens)
        return self._with(new, list(tokens.values()))

    @staticmethod
    def _with(new: Any, tokens: Sequence[str]) -> Any:
        new.add_tokens(added_tokens(tokens))
        repair_decoder(new.backend_tokenizer, tokens)
        return new
