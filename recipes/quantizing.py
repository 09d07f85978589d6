"""Linear layers in few bits: a base that is trained with LoRA, and a checkpoint that is smaller on disk. ``torchao`` does the work."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NOISE = {
    "torchao": "Failed to load ",  # kernels for GPUs and for other versions of Python, which the wheel has too
    "torch.utils._pytree": "%s is an Enum subclass ",  # of torchao's own classes
}
"""For each logger, the beginning of what is logged when ``torchao`` is imported, and does not concern whoever runs a recipe."""


def import_torchao() -> None:
    """Import ``torchao`` as ``transformers`` does, without the messages of ``_NOISE``; all others are logged."""
    with _without_noise():
        importlib.import_module("transformers.quantizers")


@contextmanager
def _without_noise() -> Iterator[None]:
    added = []
    for name, beginning in _NOISE.items():
        logger = logging.getLogger(name)

        def wanted(record: logging.LogRecord, beginning: str = beginning) -> bool:
            return not str(record.msg).startswith(beginning)

        logger.addFilter(wanted)
        added.append((logger, wanted))
    try:
        yield
    finally:
        for logger, wanted in added:
            logger.removeFilter(wanted)


def quantize(model: Any, quantization: str) -> None:
    """Hold the linear layers of a model in few bits, in place; its embeddings and its head stay as they are.

    Args:
        model: a model of ``transformers``.
        quantization: ``torchao-int8`` or ``torchao-int4``.
    """
    import torch
    from torchao.quantization import Int8WeightOnlyConfig, IntxWeightOnlyConfig, quantize_

    four_bits = torch.int4  # type: ignore[attr-defined]  # PyTorch does not declare it
    config: Any = Int8WeightOnlyConfig() if quantization == "torchao-int8" else IntxWeightOnlyConfig(weight_dtype=four_bits)
    head = model.get_output_embeddings()
    quantize_(model, config, filter_fn=lambda module, name: isinstance(module, torch.nn.Linear) and module is not head)


def save_quantized(source: str | Path, target: str | Path) -> Any:
    """Write a checkpoint with its linear layers in 8 bits and the rest in bfloat16, and return it as a model.

    ``from_pretrained`` loads the checkpoint where ``torchao`` is installed.

    Args:
        source: the folder of a model of ``transformers`` with its tokenizer.
        target: the folder to write.
    """
    import torch
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TorchAoConfig

    config = TorchAoConfig(Int8WeightOnlyConfig())
    model = AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=torch.bfloat16)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(source).save_pretrained(target)
    return model
