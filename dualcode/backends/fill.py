"""Filling a gap with a local model: which tokens say where prefix, suffix and middle are.

``transformers_backend`` runs the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simpy_grammar.errors import BackendError


@dataclass(frozen=True)
class FillTokens:
    """The tokens of a model that was trained to fill gaps.

    Attributes:
        prefix: stands before the prefix.
        suffix: stands before the suffix.
        middle: stands where the model is to begin; nothing where it begins after the prefix.
        ends: what the model ends with, besides its end of text; tokens that the tokenizer lacks do not matter.
        suffix_first: the suffix comes before the prefix.
    """

    prefix: str
    suffix: str
    middle: str = ""
    ends: tuple[str, ...] = ()
    suffix_first: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """The tokens without which nothing can be asked."""
        return tuple(filter(None, (self.prefix, self.suffix, self.middle)))


KNOWN: dict[str, FillTokens] = {
    "starcoder": FillTokens("<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<fim_pad>", "<|endoftext|>", "<filename>", "<file_sep>")),
    "santacoder": FillTokens("<fim-prefix>", "<fim-suffix>", "<fim-middle>", ("<fim-pad>", "<|endoftext|>")),
    # Qwen, CodeGemma, Granite
    "qwen": FillTokens(
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|fim_pad|>", "<|endoftext|>", "<|repo_name|>", "<|file_sep|>", "<|file_separator|>"),
    ),
    "deepseek": FillTokens("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", ("<｜end▁of▁sentence｜>",)),
    "codellama": FillTokens("▁<PRE>", "▁<SUF>", "▁<MID>", ("▁<EOT>",)),
    "codestral": FillTokens("[PREFIX]", "[SUFFIX]", suffix_first=True),
}


@dataclass(frozen=True)
class Filler:
    """``FillTokens`` as ids of a tokenizer."""

    tokens: FillTokens
    ids: dict[str, int]
    ends: frozenset[int]

    def prompt(self, prefix: Sequence[int], suffix: Sequence[int]) -> list[int]:
        """The ids that ask for what stands between two pieces."""
        before = [self.ids[self.tokens.prefix], *prefix]
        after = [self.ids[self.tokens.suffix], *suffix]
        parts = after + before if self.tokens.suffix_first else before + after
        return parts + [self.ids[self.tokens.middle]] if self.tokens.middle else parts


def filler_of(tokenizer: Any, chosen: str | FillTokens | None) -> Filler | None:
    """The tokens for filling gaps as ids of a tokenizer: those that are chosen, or the first known ones that it has.

    Raises:
        BackendError: the chosen tokens are not known, or the tokenizer lacks some of them.
    """
    if isinstance(chosen, str) and chosen not in KNOWN:
        raise BackendError(f"no tokens for filling gaps are known as {chosen!r}", hint=f"there are: {', '.join(KNOWN)}; or give FillTokens")
    for tokens in [KNOWN[chosen]] if isinstance(chosen, str) else [chosen] if chosen else KNOWN.values():
        found = {text: number for text in (*tokens.needed, *tokens.ends) if (number := _id(tokenizer, text)) is not None}
        missing = [text for text in tokens.needed if text not in found]
        if not missing:
            return Filler(tokens, found, frozenset(found.values()))
        if chosen:
            raise BackendError(f"the tokenizer has no token {missing[0]!r}", hint="name those that the model was trained with: fill=...")
    return None


def _id(tokenizer: Any, text: str) -> int | None:
    number = tokenizer.convert_tokens_to_ids(text)
    return number if isinstance(number, int) and tokenizer.convert_ids_to_tokens(number) == text else None
