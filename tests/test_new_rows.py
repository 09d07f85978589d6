"""LoRA with new rows: what is trained when, what is written, and that it loads: heads tied or not, padded, bfloat16, quantized."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")
transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
for _library in ("peft", "torchao"):
    pytest.importorskip(_library, reason="the extra train is not installed")

from recipes.adapters import adapt, merged, new_rows, save_adapter, train_rows_only  # noqa: E402  # after the libraries that may be missing
from recipes.bases import small_llama  # noqa: E402  # as above
from recipes.quantizing import quantize  # noqa: E402  # as above
from tests.small_tokenizers import byte_bpe  # noqa: E402  # as above
from tokenizer_ext import Codec, TokenizerError, extend, extend_model, special_tokens  # noqa: E402  # as above


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A tokenizer of transformers, extended."""
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>")
    return extend(fast, dialect="classic")


def base_model(tokenizer: Any, *, tied: bool, padding: int = 0, bf16: bool = False) -> Any:
    """A new base whose embeddings have more rows than its tokenizer has ids, extended."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    rows = len(tokenizer) + padding if padding else len(tokenizer) - len(special_tokens("classic"))
    sizes = {"hidden_size": 16, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    model: Any = LlamaForCausalLM(LlamaConfig(vocab_size=rows, tie_word_embeddings=tied, max_position_embeddings=64, **sizes))
    return extend_model(model.to(torch.bfloat16) if bf16 else model, tokenizer, dialect="classic")


def learn(adapted: Any, tokenizer: Any, *, steps: int = 3) -> None:
    """A few steps on one program."""
    ids = torch.tensor([Codec(tokenizer, dialect="classic").encode("<def_stmt>f a<block_start><return>a<block_end>")])
    optimizer = torch.optim.AdamW([one for one in adapted.parameters() if one.requires_grad], lr=0.05)
    adapted.train()
    for _ in range(steps):
        optimizer.zero_grad()
        adapted(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    adapted.eval()


def matrices(model: Any) -> list[Any]:
    """The input and the output embeddings."""
    return [model.get_input_embeddings().weight.detach().clone(), model.get_output_embeddings().weight.detach().clone()]


@pytest.mark.parametrize(("tied", "padding", "bf16"), [(True, 0, False), (True, 50, True), (False, 0, True), (False, 50, False)], ids=str)
def test_rows_then_lora_then_a_checkpoint_that_from_pretrained_loads(
    tied: bool, padding: int, bf16: bool, tokenizer: Any, tmp_path: Path
) -> None:
    def make() -> Any:
        return base_model(tokenizer, tied=tied, padding=padding, bf16=bf16)

    model = make()
    rows, before = new_rows(model), matrices(model)
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer) + padding
    old = [number for number in range(before[0].shape[0]) if number not in rows]
    body = {name: value.clone() for name, value in model.state_dict().items() if "layers" in name}
    adapted = adapt(model, rank=2, alpha=4)

    train_rows_only(adapted, True)
    learn(adapted, tokenizer)
    save_adapter(adapted, tmp_path / "rows", "base")
    whole = merged(make(), tmp_path / "rows")
    for mine, first in zip(matrices(whole), before, strict=True):
        assert torch.equal(mine[old], first[old])
        assert not torch.equal(mine[rows], first[rows])
    assert all(torch.equal(value, body[name]) for name, value in whole.state_dict().items() if "layers" in name)

    train_rows_only(adapted, False)
    learn(adapted, tokenizer)
    save_adapter(adapted, tmp_path / "adapter", "base")
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["trainable_token_indices"]
    whole = merged(make(), tmp_path / "adapter")
    assert any(not torch.equal(value, body[name]) for name, value in whole.state_dict().items() if "layers" in name)
    whole.save_pretrained(tmp_path / "merged")
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.bfloat16 if bf16 else torch.float32).eval()
    assert type(loaded) is type(make()) and (loaded.get_input_embeddings().weight is loaded.get_output_embeddings().weight) is tied
    ids = torch.tensor([Codec(tokenizer, dialect="classic").encode("<def_stmt>g b<block_start><return>b<block_end>")])
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, adapted(ids).logits, **({"atol": 0.1, "rtol": 0.1} if bf16 else {}))


def test_rows_of_reused_ids_are_trained_as_new_ones(tmp_path: Path) -> None:
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>")
    reusing = extend(fast, dialect="classic", reuse_ids=1000, corpus=["def f(a):\n    return a\n"])

    def make() -> Any:
        return extend_model(small_llama(fast, hidden=16, layers=1, heads=2, context=64, seed=0), reusing, dialect="classic")

    model = make()
    rows, before = new_rows(model), matrices(model)[0]
    assert len(before) == len(fast) and rows == sorted(Codec(reusing).own.values())
    adapted = adapt(model, rank=2, alpha=4)
    train_rows_only(adapted, True)
    learn(adapted, reusing)
    save_adapter(adapted, tmp_path, "base")
    after = matrices(merged(make(), tmp_path))[0]
    old = [number for number in range(len(before)) if number not in rows]
    assert torch.equal(after[old], before[old])
    assert not torch.equal(after[rows], before[rows])


@pytest.mark.parametrize("quantization", ["torchao-int8", "torchao-int4"])
def test_a_quantized_base_learns_rows_and_lora(quantization: str, tokenizer: Any, tmp_path: Path) -> None:
    model = base_model(tokenizer, tied=True)
    plain = base_model(tokenizer, tied=True)
    quantize(model, quantization)
    assert type(model.model.layers[0].mlp.up_proj.weight) is not torch.nn.Parameter
    rows, before = new_rows(model), matrices(model)[0]
    adapted = adapt(model, rank=2, alpha=4)
    learn(adapted, tokenizer)
    save_adapter(adapted, tmp_path, "base")
    whole = merged(plain, tmp_path)
    after = matrices(whole)[0]
    assert not torch.equal(after[rows], before[rows])
    assert torch.equal(after[: rows[0]], before[: rows[0]])
    ids = torch.tensor([Codec(tokenizer, dialect="classic").encode("<def_stmt>f a<block_start><return>a<block_end>")])
    with torch.no_grad():
        untrained = base_model(tokenizer, tied=True)
        assert float(whole(input_ids=ids, labels=ids).loss) < float(untrained(input_ids=ids, labels=ids).loss)


def test_quantized_embeddings_are_given_no_rows(tokenizer: Any) -> None:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    model = small_llama(tokenizer, seed=0, hidden=16, layers=1, heads=2, context=32)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    quantize_(model, Int8WeightOnlyConfig(), filter_fn=lambda module, name: module is model.lm_head)
    with pytest.raises(TokenizerError, match="the embeddings are quantized"):
        extend_model(model, tokenizer, dialect="classic")
