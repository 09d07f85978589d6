"""LoRA with new rows, by ``peft``: first the rows alone, then low-rank matrices beside them; and a merged checkpoint.

A row of the embeddings is trained as a whole (``trainable_token_indices``), so the adapter holds the rows and not their change. It fits
on the base as ``tokenizer_ext.extend_model`` leaves it, quantized or not.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from tokenizer_ext.model_rows import MARK, REUSED_MARK


def new_rows(model: Any) -> list[int]:
    """The ids that ``extend_model`` has given rows: first those that are reused, then the new ones."""
    first, end = getattr(model.config, MARK, None) or (0, 0)
    return [*(getattr(model.config, REUSED_MARK, None) or ()), *range(first, end)]


def adapt(model: Any, *, rank: int, alpha: int) -> Any:
    """The model with low-rank matrices at its linear layers and with trainable new rows. All else is frozen.

    Args:
        model: one that ``extend_model`` has extended; without new rows there are only the matrices.
        rank: of the matrices.
        alpha: they count ``alpha / rank`` times.
    """
    from peft import LoraConfig, get_peft_model

    rows = new_rows(model)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=alpha,
        target_modules="all-linear",
        trainable_token_indices=dict.fromkeys(_embeddings(model), rows) if rows else None,
    )
    with warnings.catch_warnings():
        # A quantized base is never merged into: ``merged`` takes one in full precision.
        warnings.filterwarnings("ignore", message=".*get_apply_tensor_subclass")
        adapted = get_peft_model(model, config)
    # While ``peft`` knows the base, it compares the sizes of vocabularies, and writes all embeddings where they differ.
    adapted.peft_config["default"].base_model_name_or_path = ""
    return adapted


def save_adapter(adapted: Any, folder: str | Path, base: str) -> None:
    """Write an adapter: its configuration, the matrices and the new rows.

    Args:
        adapted: the model with its adapter.
        folder: where to.
        base: the name of the base, for the configuration.
    """
    config = adapted.peft_config["default"]
    config.base_model_name_or_path = base
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    config.base_model_name_or_path = ""


def train_rows_only(adapted: Any, only: bool) -> None:
    """Whether the low-rank matrices are frozen. They begin as zero, so a model whose matrices are frozen is its base with new rows."""
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.requires_grad_(not only)


def merged(base: Any, adapter: str | Path) -> Any:
    """The base with an adapter merged into it: a model without ``peft``, which ``from_pretrained`` loads and servers take.

    Args:
        base: in full precision, and extended as the base of the adapter was. It is changed.
        adapter: the folder of the adapter.
    """
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()


def _embeddings(model: Any) -> list[str]:
    """The last part of the names of the embeddings: of the input, and of the output if it has a matrix of its own."""
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    wanted = [inputs] if outputs is None or outputs.weight is inputs.weight else [inputs, outputs]
    return [name.rpartition(".")[2] for name, module in model.named_modules() if any(module is one for one in wanted)]
