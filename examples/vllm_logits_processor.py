"""A logits processor for vLLM: its models write SimPy under our own masks, which may begin in the middle of a program.

It rests on an interface that vLLM calls unstable: that of Model Runner V2, which newer versions use unless they are told otherwise. It was
checked against the sources of vLLM 0.33.0; a test runs it against a stand-in for them, and nothing runs it in a server. It is an example,
not a part of the toolchain.

    PYTHONPATH=examples vllm serve MODEL --logits-processors vllm_logits_processor:SimPyMasks

A request asks for it with ``"vllm_xargs": {"simpy": "dense"}``: the dialect that the model has learned. ``"simpy_prefix"`` is the
text of the program that the prompt ends with, where the model is to continue one. Speculative decoding works: a state is a value, so the
mask of each drafted token is that after the drafted tokens before it. Each step waits for the ids of its requests to come from the device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from vllm.config import VllmConfig
from vllm.sampling_params import SamplingParams
from vllm.tokenizers import get_tokenizer
from vllm.v1.worker.gpu.sample.logits_processor import LogitsContext, LogitsProcessor, LogitsProcRequestState

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tokenizer_ext.constrain import Constraint, State


class SimPyMasks(LogitsProcessor):
    """Gives each request that names a dialect a mask of its own."""

    def __init__(self, vllm_config: VllmConfig, req_states: LogitsProcRequestState) -> None:
        super().__init__(vllm_config, req_states)
        tokenizer = get_tokenizer(vllm_config.model_config.tokenizer)
        # A constraint is made once for each dialect; requests share it, and their states are values.
        self._constraint = lru_cache(maxsize=None)(lambda dialect: Constraint(tokenizer, dialect=dialect))
        self._history = req_states
        self._requests: dict[int, _Request] = {}  # by slot; vLLM gives a slot to another request without saying that it is free

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuse a request for a dialect that there is not."""
        try:
            dialect = (sampling_params.extra_args or {}).get("simpy")
            if dialect:
                Dialect.load(dialect)
        except SimPyError as error:
            raise ValueError(str(error)) from error

    def add_request(self, req_idx: int, sampling_params: SamplingParams) -> bool:
        """Begin with a request; whether it wants masks."""
        extra = sampling_params.extra_args or {}
        self._requests.pop(req_idx, None)
        if extra.get("simpy"):
            self._requests[req_idx] = _Request(self._constraint(extra["simpy"]).start(extra.get("simpy_prefix", "")))
        return req_idx in self._requests

    def apply(self, logits: torch.Tensor, ctx: LogitsContext) -> torch.Tensor:
        """Exclude what must not come in the rows of requests with masks. A request has a row for each drafted token, too."""
        if self._requests.keys().isdisjoint(ctx.idx_mapping_np.tolist()):
            return logits
        slots, offsets, inputs, places = (
            part.tolist() for part in (ctx.expanded_idx_mapping, ctx.expanded_local_pos, ctx.input_ids, ctx.pos)
        )
        for row, (slot, offset) in enumerate(zip(slots, offsets, strict=True)):
            request = self._requests.get(slot)
            if request is None:
                continue
            first = row - offset  # the row after the last token that is settled; the others follow drafted tokens
            start = int(self._history.prompt_len.np[slot]) + len(request.states) - 1
            settled = self._history.all_token_ids.gpu[slot, start : places[first] + 1].tolist() if offset == 0 else []
            state = request.after(settled, inputs[first + 1 : row + 1])
            if state is not None:
                _exclude(logits[row], state)
        return logits


class _Request:
    """The states of a request, one for each id that is settled, and the one before them."""

    def __init__(self, state: State) -> None:
        self.states: list[State | None] = [state]

    def after(self, settled: list[int], drafted: list[int]) -> State | None:
        """The state after more settled ids and some drafted ones; ``None`` if one of them must not come."""
        for number in settled:
            last = self.states[-1]
            self.states.append(last.after(number) if last is not None else None)
        state = self.states[-1]
        for number in drafted:
            state = state.after(number) if state is not None else None
        return state


def _exclude(row: torch.Tensor, state: State) -> None:
    """Set the logits of what must not come to minus infinity, unless nothing may come any more."""
    words: Any = state.mask().torch().to(row.device)
    places = torch.arange(32, device=row.device, dtype=torch.int32)
    allowed = ((words.unsqueeze(1) >> places) & 1).bool().flatten()
    if bool(allowed.any()):
        size = min(row.shape[0], allowed.shape[0])  # a model may have rows for more ids than there are tokens
        row[:size].masked_fill_(~allowed[:size], float("-inf"))
        row[size:] = float("-inf")
