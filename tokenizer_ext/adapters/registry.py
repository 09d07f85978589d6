"""Which adapter a tokenizer takes."""

from __future__ import annotations

from typing import Any

from tokenizer_ext.adapters.protocol import Adapter
from tokenizer_ext.adapters.tiktoken_adapter import TiktokenAdapter
from tokenizer_ext.adapters.tokenizers_adapter import TokenizersAdapter
from tokenizer_ext.adapters.transformers_adapter import TransformersAdapter
from tokenizer_ext.errors import TokenizerError

ADAPTERS: tuple[type[Adapter], ...] = (TokenizersAdapter, TiktokenAdapter, TransformersAdapter)


def adapter_of(tokenizer: Any) -> Adapter:
    """The adapter for a tokenizer.

    Raises:
        TokenizerError: no adapter accepts it.

    >>> adapter_of("gpt2")
    Traceback (most recent call last):
        ...
    tokenizer_ext.errors.TokenizerError: error: builtins.str is not a tokenizer that can be extended
    hint: use one of tokenizers, transformers (fast) or tiktoken
    """
    for adapter in ADAPTERS:
        if adapter.accepts(tokenizer):
            return adapter(tokenizer)
    name = f"{type(tokenizer).__module__}.{type(tokenizer).__qualname__}"
    if hasattr(tokenizer, "convert_tokens_to_ids"):
        raise TokenizerError(f"{name} is a slow tokenizer of transformers", hint="load it with use_fast=True")
    raise TokenizerError(f"{name} is not a tokenizer that can be extended", hint="use one of tokenizers, transformers (fast) or tiktoken")
