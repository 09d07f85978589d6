"""Linear layers in few bits, by ``torchao``; embeddings and the head stay as they are."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NOISE = {
    "torchao": "Failed to load ",  # kernels for GPUs and for other versions of Python, which the wheel has too
    "torch.utils._pytree": "%s is an Enum subclass ",  # of torchao's own classes
}
"""For each logger, the beginning of what is logged when ``torchao`` is imported, and does not concern whoever loads a model."""


def import_torchao() -> None:
    """Import ``torchao`` as ``transformers`` does, without the messages of ``NOISE``; all others are logged."""
    with without_noise():
        importlib.import_module("transformers.quantizers")


@contextmanager
def without_noise() -> Iterator[None]:
    """Drop the messages of ``NOISE`` meanwhile."""
    added = []
    for name, beginning in NOISE.items():
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


def quantize(model: Any, bits: int, *, group: int | None = None) -> None:
    """Hold the linear layers of a model in few bits, in place; its embeddings and its head stay as they are.

    On a processor, 4 bits are held in a byte each, so they take as much memory as 8.

    Args:
        model: a model of ``transformers``.
        bits: 8 or 4.
        group: with 4 bits, how many weights of a row share a scale, where that divides the row; by default the whole row.
    """
    import torch
    from torchao.quantization import Int8WeightOnlyConfig, IntxWeightOnlyConfig, PerGroup, quantize_

    head = model.get_output_embeddings()

    def is_inner(module: Any) -> bool:
        return isinstance(module, torch.nn.Linear) and module is not head

    def is_grouped(module: Any) -> bool:
        return is_inner(module) and group is not None and module.in_features % group == 0

    if bits == 8:
        quantize_(model, Int8WeightOnlyConfig(), filter_fn=lambda module, name: is_inner(module))
        return
    four_bits = torch.int4  # type: ignore[attr-defined]  # PyTorch does not declare it
    rows: Any = IntxWeightOnlyConfig(weight_dtype=four_bits)
    quantize_(model, rows, filter_fn=lambda module, name: is_inner(module) and not is_grouped(module))
    if group is not None:
        groups: Any = IntxWeightOnlyConfig(weight_dtype=four_bits, granularity=PerGroup(group))
        quantize_(model, groups, filter_fn=lambda module, name: is_grouped(module))
