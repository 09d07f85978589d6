"""A small model from scratch: a tokenizer and a Llama, trained on a corpus in a dialect.

python -m recipes.from_scratch recipes/from_scratch.yaml --data FOLDER --output FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipes.bases import small_llama
from recipes.cards import Phase, write_card
from recipes.commands import main_of
from recipes.loading import begin, encode_sources, load_data, open_packed, read_sources
from recipes.measuring import shown
from recipes.programs import Split, is_packed, split_groups
from recipes.settings import TrainingSettings, option
from recipes.tokenizers import train_tokenizer
from recipes.training import prepare, train
from tokenizer_ext import extend, load_tokenizer


@dataclass(frozen=True, kw_only=True)
class ScratchSettings(TrainingSettings):
    """What this recipe has beside what all have."""

    vocabulary: int = option(1536, "ids of the tokenizer before those of the dialect; packed ids bring their own tokenizer")
    hidden: int = option(128, "width of the model")
    layers: int = option(3, "layers")
    heads: int = option(4, "attention heads")


def open_data(settings: ScratchSettings) -> tuple[Any, Split]:
    """A tokenizer and the programs as its ids. It is trained on what is not held out, unless packed ids name one.

    Raises:
        SimPyError: the data cannot be read.
    """
    if is_packed(settings.data):
        tokenizer = extend(wrapped(load_tokenizer(open_packed(settings).tokenizer)), dialect=settings.dialect)
        return tokenizer, load_data(settings, tokenizer)
    sources = read_sources(settings)
    held = split_groups([one.group for one in sources], settings.held_out, settings.seed)
    texts = [one.text for one in sources if one.group not in held]
    tokenizer = train_tokenizer(texts, settings.dialect, settings.vocabulary)
    return tokenizer, encode_sources(sources, tokenizer, settings)


def wrapped(tokenizer: Any) -> Any:
    """A tokenizer of ``tokenizers`` as one of ``transformers``, with the usual name of an end of text where it has that."""
    from transformers import PreTrainedTokenizerFast

    if hasattr(tokenizer, "backend_tokenizer"):
        return tokenizer
    ends = [name for name in ("<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>") if tokenizer.token_to_id(name) is not None]
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, eos_token=ends[0] if ends else None)


def run(settings: ScratchSettings) -> dict[str, Any]:
    """Train a tokenizer and a model, measure, and write them with a card; returns what was measured."""
    prepare(settings)
    folder = begin(settings)
    tokenizer, data = open_data(settings)
    shape = {"hidden": settings.hidden, "layers": settings.layers, "heads": settings.heads, "context": settings.length}
    model = small_llama(tokenizer, seed=settings.seed, **shape)
    found = train(model.to(settings.device), data, settings, folder / "checkpoints")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    write_card(folder / "model", "Trained from scratch", settings, [Phase("training", found.curve)], data)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "before": shown(found.curve[0].nats),
        "after": shown(found.curve[-1].nats),
        "programs": len(data.held),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return main_of(ScratchSettings, run, __doc__ or "", argv)


if __name__ == "__main__":
    sys.exit(main())
