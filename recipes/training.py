"""Training: the ``Trainer`` of ``transformers``, with nats per held-out program as its evaluation.

A run writes checkpoints. The same command goes on from the last one, and its weights are those of a run that was left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from recipes.measuring import mean, nats_per_program, shown
from recipes.programs import Blocks, Split
from recipes.settings import TrainingSettings
from simpy_eval.statistics import Interval

_METRICS = ("eval_nats", "eval_nats_low", "eval_nats_high")
Loss = Callable[[Any, Any], Any]
"""The ids of a batch and the output of the model -> the loss that takes the place of the next-token loss."""


class Point(NamedTuple):
    """A measurement while a model is trained.

    Attributes:
        step: after how many steps.
        nats: per held-out program.
    """

    step: int
    nats: Interval


class Training(NamedTuple):
    """What a phase of training gave.

    Attributes:
        curve: the measurements, the first before the first step, the last after the last one.
        nats: of each held-out program, after the last step.
        tokens: ids that the model was trained on.
    """

    curve: list[Point]
    nats: list[float]
    tokens: int


def train(
    model: Any,
    data: Split,
    settings: TrainingSettings,
    folder: str | Path,
    *,
    steps: int | None = None,
    learning_rate: float | None = None,
    loss: Loss | None = None,
) -> Training:
    """Train a model in place, from its last checkpoint in the folder if there is one.

    Args:
        model: a causal language model of ``transformers``, or one of ``peft`` around it.
        data: the programs.
        settings: of the recipe.
        folder: where checkpoints go.
        steps: of this phase; by default those of the settings.
        learning_rate: of this phase; by default that of the settings.
        loss: takes the place of the next-token loss.

    Raises:
        SimPyError: the programs do not fill one block.
    """
    from transformers import PrinterCallback, Trainer, TrainerState, TrainingArguments
    from transformers.trainer_utils import get_last_checkpoint

    from simpy_grammar.errors import SimPyError

    blocks = Blocks(data.train, settings.length)
    if not len(blocks):
        raise SimPyError(f"the programs do not fill a block of {settings.length:,} ids", hint="name more data or a smaller length")
    steps = settings.steps if steps is None else steps

    class NatsTrainer(Trainer):
        def evaluate(self, *args: Any, **options: Any) -> dict[str, float]:
            found = mean(nats_per_program(self.model, data.held, data.end))
            metrics = dict(zip(_METRICS, found, strict=True))
            self.log(metrics)
            print(f"step {self.state.global_step:,}: {shown(found)} nats per program", file=sys.stderr, flush=True)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
            if loss is None:
                return super().compute_loss(model, inputs, *args, **options)
            return loss(inputs, model(input_ids=inputs["input_ids"]))

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate if learning_rate is None else learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, round(settings.warmup * steps)),
        weight_decay=settings.weight_decay,
        adam_beta2=0.95,
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=settings.device == "cpu",
        bf16=settings.bf16,
        eval_strategy="steps",
        eval_steps=settings.evaluate_every,
        eval_on_start=True,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=2,
        logging_steps=max(1, settings.evaluate_every),
        disable_tqdm=True,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=settings.device != "cpu",
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    find_last: Any = get_last_checkpoint
    last: str | None = find_last(str(folder))
    trainer = NatsTrainer(model=model, args=arguments, train_dataset=blocks, eval_dataset=data.held)
    trainer.remove_callback(PrinterCallback)
    if last is not None and (done := TrainerState.load_from_json(str(Path(last, "trainer_state.json")))).global_step >= steps:
        trainer.state = done  # the trainer would do one more step
        load_weights(model, last)
    else:
        trainer.train(resume_from_checkpoint=last)
    after = nats_per_program(model, data.held, data.end)
    nats = {row["step"]: Interval(*(row[name] for name in _METRICS)) for row in trainer.state.log_history if _METRICS[0] in row}
    nats[steps] = mean(after)
    return Training([Point(int(step), found) for step, found in sorted(nats.items())], after, steps * settings.batch * settings.length)


def load_weights(model: Any, checkpoint: str | Path) -> None:
    """Load the weights of a checkpoint into the model that it was made of: all of them, or those of an adapter."""
    if hasattr(model, "peft_config"):
        from peft import load_peft_weights, set_peft_model_state_dict

        set_peft_model_state_dict(model, load_peft_weights(str(checkpoint), device="cpu"))
    else:
        from safetensors.torch import load_model

        load_model(model, str(Path(checkpoint, "model.safetensors")), strict=False)  # tied weights are there once


def prepare(settings: TrainingSettings) -> None:
    """Import the libraries, set threads and seeds, and let ``transformers`` report errors only."""
    import torch

    from dualcode.backends.few_bits import import_torchao

    import_torchao()
    import transformers

    torch.set_num_threads(settings.threads)
    transformers.set_seed(settings.seed)
    logging: Any = transformers.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
