"""The example of a logits processor for vLLM, in a stand-in for what it imports of vLLM, which cannot be installed everywhere."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")

from tests.small_tokenizers import ROOT, tiktoken_small  # noqa: E402  # after the library that may be missing
from tokenizer_ext import extend  # noqa: E402  # as above

SLOTS, LENGTH = 4, 32


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    """The module of the example."""
    tokenizer = extend(tiktoken_small(), dialect="dense")
    modules = {name: ModuleType(name) for name in ("vllm", "vllm.v1", "vllm.v1.worker", "vllm.v1.worker.gpu", "vllm.v1.worker.gpu.sample")}
    contents: dict[str, dict[str, Any]] = {
        "vllm.config": {"VllmConfig": object},
        "vllm.sampling_params": {"SamplingParams": object},
        "vllm.tokenizers": {"get_tokenizer": lambda name: tokenizer},
        "vllm.v1.worker.gpu.sample.logits_processor": {
            "LogitsContext": object,
            "LogitsProcRequestState": object,
            "LogitsProcessor": type("LogitsProcessor", (), {"__init__": lambda self, vllm_config, req_states: None}),
        },
    }
    for name, values in contents.items():
        modules[name] = ModuleType(name)
        vars(modules[name]).update(values)
    with pytest.MonkeyPatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        patch.syspath_prepend(str(ROOT / "examples"))
        yield importlib.import_module("vllm_logits_processor")
        sys.modules.pop("vllm_logits_processor")


class Runner:
    """Keeps the ids of requests as the model runner does, and asks the processor."""

    def __init__(self, example: Any) -> None:
        self.ids = torch.zeros(SLOTS, LENGTH, dtype=torch.int64)
        self.lengths = [0] * SLOTS
        self.prompts = torch.zeros(SLOTS, dtype=torch.int64)
        state = SimpleNamespace(all_token_ids=SimpleNamespace(gpu=self.ids), prompt_len=SimpleNamespace(np=self.prompts.numpy()))
        config = SimpleNamespace(model_config=SimpleNamespace(tokenizer="any"))
        self.processor = example.SimPyMasks(config, state)

    def add(self, slot: int, prompt: str, **extra: str) -> bool:
        self.prompts[slot] = self.lengths[slot] = len(prompt)
        self.ids[slot, : len(prompt)] = torch.tensor([*prompt.encode()])
        return bool(self.processor.add_request(slot, SimpleNamespace(extra_args=extra)))

    def write(self, slot: int, text: str) -> None:
        for number in text.encode():
            self.ids[slot, self.lengths[slot]] = number
            self.lengths[slot] += 1

    def allowed(self, *rows: tuple[int, str]) -> list[str]:
        """The signs that may come in each row; a row is a slot and the tokens that are drafted for it so far."""
        inputs = [ord(draft[-1]) if draft else int(self.ids[slot, self.lengths[slot] - 1]) for slot, draft in rows]
        ctx = SimpleNamespace(
            idx_mapping_np=torch.tensor(sorted({slot for slot, _ in rows})).numpy(),
            expanded_idx_mapping=torch.tensor([slot for slot, _ in rows]),
            expanded_local_pos=torch.tensor([len(draft) for _, draft in rows]),
            input_ids=torch.tensor(inputs),
            pos=torch.tensor([self.lengths[slot] - 1 + len(draft) for slot, draft in rows]),
        )
        logits = self.processor.apply(torch.zeros(len(rows), 2048), ctx)
        return ["".join(sign for sign in "a)]}:" if logits[row, ord(sign)] == 0) for row in range(len(rows))]


def test_each_row_has_the_mask_of_its_request_after_its_drafts(example: Any) -> None:
    runner = Runner(example)
    assert runner.add(2, "say f(a", simpy="dense", simpy_prefix="f(a")
    assert runner.add(0, "x", simpy="dense")
    assert not runner.add(1, "free")
    assert runner.allowed((1, ""), (2, ""), (0, "")) == ["a)]}:", "a):", "a"]
    runner.write(2, "[b")
    assert runner.allowed((2, ""), (2, "]"), (2, "])"), (0, "")) == ["a]:", ")", ":", "a"]
    runner.write(2, "])")
    assert runner.allowed((0, ""), (2, "")) == ["a", ":"]


def test_a_slot_is_used_again(example: Any) -> None:
    runner = Runner(example)
    assert runner.add(0, "f(", simpy="dense", simpy_prefix="f(")
    runner.write(0, "a")
    assert runner.allowed((0, "")) == ["a):"]
    assert runner.add(0, "x[", simpy="dense", simpy_prefix="x[")
    runner.write(0, "a")
    assert runner.allowed((0, "")) == ["a]:"]
    assert not runner.add(0, "f(")
    assert runner.allowed((0, "")) == ["a)]}:"]


def test_drafts_that_the_mask_refuses_and_unknown_dialects(example: Any) -> None:
    runner = Runner(example)
    runner.add(0, "f(", simpy="dense", simpy_prefix="f(")
    assert runner.allowed((0, ""), (0, "]"), (0, "])")) == ["a)", "a)]}:", "a)]}:"]
    with pytest.raises(ValueError, match="nowhere"):
        example.SimPyMasks.validate_params(SimpleNamespace(extra_args={"simpy": "nowhere"}))
