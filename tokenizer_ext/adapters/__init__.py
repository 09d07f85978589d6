"""Adapters: what this package asks of a tokenizer, answered once for each library. A new library is a file and a line in the registry."""

from __future__ import annotations

from tokenizer_ext.adapters.protocol import Adapter, OrdinaryTokenizer
from tokenizer_ext.adapters.registry import adapter_of

__all__ = ["Adapter", "OrdinaryTokenizer", "adapter_of"]
