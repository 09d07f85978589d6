"""A tokenizer for a model that is trained from scratch: byte-level BPE on programs of a dialect, extended with its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tokenizer_ext import extend, special_tokens

END = "<|endoftext|>"
"""Ends each program; it also stands before the first one."""


def train_tokenizer(texts: Sequence[str], dialect: str, vocabulary: int) -> Any:
    """A fast tokenizer of ``transformers``.

    Args:
        texts: programs of the dialect.
        dialect: its name.
        vocabulary: how many ids there are before the tokens of the dialect come to them.

    >>> tokenizer = train_tokenizer(["x=f(1 2)"] * 9, "classic", 270)
    >>> len(tokenizer) - len(special_tokens("classic")), tokenizer.eos_token
    (258, '<|endoftext|>')
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, show_progress=False, initial_alphabet=alphabet, special_tokens=[END])
    grammar = special_tokens(dialect)
    if grammar:
        # What stands between the tokens of the grammar: these get ids of their own, and are not learned from their letters.
        pattern = re.compile("|".join(map(re.escape, sorted(grammar, key=len, reverse=True))))
        texts = [pattern.sub("\n", text) for text in texts]
    tokenizer.train_from_iterator(texts, trainer)
    fast: Any = PreTrainedTokenizerFast
    return extend(fast(tokenizer_object=tokenizer, eos_token=END, pad_token=END), dialect=dialect)
