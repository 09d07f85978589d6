"""Linear layers in few bits: a base that is trained with LoRA, and a checkpoint that is smaller on disk. ``torchao`` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dualcode.backends import few_bits


def quantize(model: Any, quantization: str) -> None:
    """Hold the linear layers of a model in few bits, in place; its embeddings and its head stay as they are.

    Args:
        model: a model of ``transformers``.
        quantization: ``torchao-int8`` or ``torchao-int4``.
    """
    few_bits.quantize(model, 8 if quantization == "torchao-int8" else 4)


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
