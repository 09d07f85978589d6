"""A smaller model: a student that learns from a teacher, and weights in 8 bits on disk.

    python -m recipes.shrink recipes/shrink.yaml --teacher FOLDER --data FOLDER --output FOLDER

The student has the tokenizer of the teacher, so that both say something about the same ids. ``--teacher-weight 0`` trains the same student
without the teacher, to compare with.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dualcode.backends.default_model import DefaultModel, keep
from recipes.bases import open_base, open_tokenizer, small_llama
from recipes.cards import Phase, write_card
from recipes.commands import main_of
from recipes.loading import begin, load_data
from recipes.measuring import mean, nats_per_program, shown
from recipes.quantizing import save_quantized
from recipes.settings import TrainingSettings, option
from recipes.training import Loss, prepare, train
from simpy_eval.model_report import megabytes
from simpy_grammar.errors import SimPyError


@dataclass(frozen=True, kw_only=True)
class ShrinkSettings(TrainingSettings):
    """What this recipe has beside what all have."""

    teacher: str = option("", "the model to learn from: a folder or an id of a hub, trained on the dialect")
    teacher_weight: float = option(0.9, "weight of what the teacher says; the rest is next-token loss")
    temperature: float = option(1.0, "by which the distributions of both are flattened")
    hidden: int = option(128, "width of the student")
    layers: int = option(3, "layers of the student")
    heads: int = option(4, "attention heads of the student")
    install: bool = option(False, "let `simpy complete` use the student where no model is named")
    most_megabytes: float = option(3.0, "refuse a student that is larger on disk")


def distillation(teacher: Any, weight: float, temperature: float) -> Loss:
    """The loss of a student: next-token loss, and the divergence from the teacher at every id (Hinton et al., 2015).

    Args:
        teacher: a model with the same ids, which is not trained.
        weight: of the divergence; the rest is next-token loss.
        temperature: by which the distributions of both are flattened; the divergence counts its square times.
    """
    import torch
    from torch.nn.functional import cross_entropy, kl_div, log_softmax

    teacher.eval().requires_grad_(False)

    def loss(inputs: Any, output: Any) -> Any:
        ids = inputs["input_ids"]
        scores = output.logits[:, :-1].float()
        found = (1 - weight) * cross_entropy(scores.flatten(0, 1), ids[:, 1:].flatten())
        if weight:
            with torch.no_grad():
                says = teacher(input_ids=ids).logits[:, :-1].float()
            told = log_softmax(says[..., : scores.shape[-1]] / temperature, dim=-1).flatten(0, 1)
            mine = log_softmax(scores / temperature, dim=-1).flatten(0, 1)
            found = found + weight * temperature**2 * kl_div(mine, told, reduction="batchmean", log_target=True)
        return found

    return loss


def run(settings: ShrinkSettings) -> dict[str, Any]:
    """Train the student, quantize it, measure both, and write them with cards; returns what was measured.

    Raises:
        SimPyError: there is no such teacher, or the student is too large on disk.
    """
    if not settings.teacher:
        raise SimPyError("the setting 'teacher' is missing", hint="name a model with --teacher")
    prepare(settings)
    folder = begin(settings)
    tokenizer = open_tokenizer(settings.teacher)
    teacher = open_base(settings.teacher, device=settings.device)
    data = load_data(settings, tokenizer)
    shape = {"hidden": settings.hidden, "layers": settings.layers, "heads": settings.heads, "context": settings.length}
    student = small_llama(tokenizer, seed=settings.seed, **shape).to(settings.device)
    loss = distillation(teacher, settings.teacher_weight, settings.temperature)
    found = train(student, data, settings, folder / "checkpoints", loss=loss)
    student.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    write_card(folder / "model", "Student", settings, [Phase("training", found.curve)], data)
    small = folder / "int8"
    quantized = save_quantized(folder / "model", small)
    size = megabytes(small)
    if size > settings.most_megabytes:
        hint = "name fewer layers or a smaller width"
        raise SimPyError(f"the student is {size:.1f} MB on disk, more than {settings.most_megabytes:g}", path=str(small), hint=hint)
    after = mean(nats_per_program(quantized.to(settings.device), data.held, data.end))
    notes = [f"Weights in 8 bits, {size:.2f} MB on disk."]
    write_card(small, "Student in 8 bits", settings, [Phase("training", found.curve)], data, merged=after, notes=notes)
    if settings.install:  # the one in 8 bits needs torchao, and is slower on a processor
        keep(DefaultModel(str(folder / "model"), settings.dialect))
    taught = mean(nats_per_program(teacher, data.held, data.end))
    nats = {"teacher": taught, "student": found.curve[-1].nats, "in_8_bits": after}
    return {**{name: shown(one) for name, one in nats.items()}, "megabytes": round(size, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return main_of(ShrinkSettings, run, __doc__ or "", argv)


if __name__ == "__main__":
    sys.exit(main())
