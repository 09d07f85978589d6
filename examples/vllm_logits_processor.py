"""A logits processor for vLLM: its models write SimPy under our own masks, which may begin in the middle of a program.

It rests on two interfaces that may change. vLLM calls its own unstable: this is that of the V1 model runner
(``VLLM_USE_V2_MODEL_RUNNER=0`` where V2 is the default), and no speculative decoding goes with it. It is an example, not a part
of the toolchain: nothing tests it against a server.

    PYTHONPATH=examples vllm serve MODEL --logits-processors vllm_logits_processor:SimPyMasks

A request asks for it with ``"vllm_xargs": {"simpy": "dense"}``: the dialect that the model has learned. ``"simpy_prefix"`` is the
text of the program that the prompt ends with, where the model is to continue one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from vllm import SamplingParams
from vllm.config import VllmConfig
from vllm.tokenizers import get_tokenizer
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from tokenizer_ext.constrain import Constraint


class SimPyMasks(AdapterLogitsProcessor):
    """Gives each request that names a dialect a mask of its own."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        super().__init__(vllm_config, device, is_pin_memory)
        tokenizer = get_tokenizer(vllm_config.model_config.tokenizer)
        # A constraint is made once for each dialect; requests share it, and their states are values.
        self._constraint = lru_cache(maxsize=None)(lambda dialect: Constraint(tokenizer, dialect=dialect))

    def is_argmax_invariant(self) -> bool:
        return False  # the likeliest token may be one that the mask excludes

    def new_req_logits_processor(self, params: SamplingParams) -> Any:
        extra = params.extra_args or {}
        dialect = extra.get("simpy")
        return _Masked(self._constraint(dialect).start(extra.get("simpy_prefix", ""))) if dialect else None


class _Masked:
    """The state of one request; vLLM calls it with all ids that the model has written so far."""

    def __init__(self, state: Any) -> None:
        self._states = [state]  # one for each id, and the first: vLLM may go back

    def __call__(self, output_ids: list[int], logits: torch.Tensor) -> torch.Tensor:
        del self._states[len(output_ids) + 1 :]
        for number in output_ids[len(self._states) - 1 :]:
            self._states.append(self._states[-1].advance(number))
        words = self._states[-1].mask().torch().to(logits.device)
        places = torch.arange(32, device=logits.device, dtype=torch.int32)
        allowed = ((words.unsqueeze(1) >> places) & 1).bool().flatten()
        masked = torch.full_like(logits, float("-inf"))
        size = min(logits.shape[-1], allowed.shape[0])  # a model may have rows for more ids than there are tokens
        masked[:size] = torch.where(allowed[:size], logits[:size], masked[:size])
        return masked
