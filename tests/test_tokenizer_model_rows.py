"""Extending models: real architectures of transformers, small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tests.small_tokenizers import byte_bpe  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import (  # noqa: E402  # after the libraries that may be missing
    Codec,
    LearnedTokens,
    TokenizerError,
    extend,
    extend_model,
    rarest_ids,
)
from tokenizer_ext.adapters import adapter_of  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext.grammar_tokens import python_text, python_texts  # noqa: E402  # after the libraries that may be missing

LEARNED = LearnedTokens(("<block_end><def_stmt>", "zig.zag"), "small")
PROMPT = "def f(a):\n    return a"
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64}
ARCHITECTURES = {
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "gpt_neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", SMALL),
    "llama": ("LlamaConfig", "LlamaForCausalLM", {**SMALL, "num_key_value_heads": 2}),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", {**SMALL, "num_key_value_heads": 2}),
}
SIZE = byte_bpe().get_vocab_size()


def make(name: str, tied: bool, rows: int = SIZE) -> Any:
    """A small model with random weights."""
    config_class, model_class, options = ARCHITECTURES[name]
    torch.manual_seed(0)
    special = {"bos_token_id": 0, "eos_token_id": 0}
    config = getattr(transformers, config_class)(vocab_size=rows, tie_word_embeddings=tied, **special, **options)
    return getattr(transformers, model_class)(config).eval()


def logits(model: Any, text: str = PROMPT) -> Any:
    """What the model predicts after each token of a text."""
    with torch.no_grad():
        return model(input_ids=torch.tensor([byte_bpe().encode(text).ids])).logits


def matrices(model: Any) -> list[Any]:
    """The input and the output embeddings."""
    return [model.get_input_embeddings().weight, model.get_output_embeddings().weight]


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_old_rows_stay_and_new_rows_are_means(name: str, tied: bool) -> None:
    model = make(name, tied)
    old = [weight.detach().clone() for weight in matrices(model)]
    before = logits(model)
    tokenizer = extend(byte_bpe(), learned=LEARNED)
    assert extend_model(model, tokenizer) is model
    texts = python_texts("classic")
    for weight, kept in zip(matrices(model), old, strict=True):
        assert weight.shape[0] == tokenizer.get_vocab_size()
        assert torch.equal(weight[:SIZE], kept)
        for token in ("<def_stmt>", "<if>", "<block_start>", "<arrow>", *LEARNED.tokens):
            ids = byte_bpe().encode(python_text(token, texts)).ids
            torch.testing.assert_close(weight[tokenizer.token_to_id(token)], kept[ids].mean(dim=0))
    after = logits(model)
    torch.testing.assert_close(after[..., :SIZE], before)
    assert torch.equal(after[..., :SIZE].argmax(-1), before.argmax(-1))
    assert (matrices(model)[0] is matrices(model)[1]) is tied
    assert model.config.vocab_size == tokenizer.get_vocab_size()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_extended_model_saves_loads_and_learns(name: str, tmp_path: Path) -> None:
    tokenizer = extend(byte_bpe())
    model = extend_model(make(name, tied=False), tokenizer)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    for mine, theirs in zip(matrices(model), matrices(loaded), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(logits(loaded), logits(model))

    ids = torch.tensor([tokenizer.encode("<def_stmt>f a<block_start><return>a<block_end>").ids])
    optimizer = torch.optim.SGD(loaded.parameters(), lr=0.1)
    row = loaded.get_input_embeddings().weight[tokenizer.token_to_id("<def_stmt>")].detach().clone()
    loaded.train()
    loss = loaded(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    assert torch.isfinite(loss)
    assert not torch.equal(loaded.get_input_embeddings().weight[tokenizer.token_to_id("<def_stmt>")], row)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_rows_are_padded_to_a_multiple(tied: bool) -> None:
    tokenizer = extend(byte_bpe())
    model = extend_model(make("llama", tied), tokenizer, pad_to_multiple_of=128)
    for weight in matrices(model):
        assert weight.shape[0] % 128 == 0
        assert 0 <= weight.shape[0] - tokenizer.get_vocab_size() < 128


def test_spare_rows_are_used_before_new_ones() -> None:
    tokenizer = extend(byte_bpe())
    model = make("qwen2", tied=True, rows=1024)
    old = model.get_input_embeddings().weight.detach().clone()
    extend_model(model, tokenizer)
    weight = model.get_input_embeddings().weight
    assert weight.shape[0] == 1024
    assert torch.equal(weight[:SIZE], old[:SIZE])
    assert torch.equal(weight[tokenizer.get_vocab_size() :], old[tokenizer.get_vocab_size() :])
    assert not torch.equal(weight[SIZE], old[SIZE])


def test_extending_again_keeps_what_was_trained(tmp_path: Path) -> None:
    model = extend_model(make("gpt2", tied=True), extend(byte_bpe()))
    with torch.no_grad():
        model.get_input_embeddings().weight[SIZE] = 7.0
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    extend_model(loaded, extend(byte_bpe()))
    assert torch.equal(loaded.get_input_embeddings().weight, model.get_input_embeddings().weight)
    learned = extend(byte_bpe(), learned=LEARNED)
    extend_model(loaded, learned)
    weight = loaded.get_input_embeddings().weight
    assert weight.shape[0] == learned.get_vocab_size()
    assert torch.equal(weight[: -len(LEARNED)], model.get_input_embeddings().weight)


def test_half_precision_and_tokenizers_of_transformers() -> None:
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe())
    model = make("llama", tied=False).to(torch.bfloat16)
    old = model.get_input_embeddings().weight.detach().clone()
    extend_model(model, extend(fast))
    weight = model.get_input_embeddings().weight
    assert weight.dtype == torch.bfloat16
    assert torch.equal(weight[:SIZE], old)
    assert torch.isfinite(weight).all()


CORPUS = (PROMPT,)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_reused_ids_take_their_rows_and_add_none(name: str, tied: bool, tmp_path: Path) -> None:
    model = make(name, tied)
    old = [weight.detach().clone() for weight in matrices(model)]
    tokenizer = extend(byte_bpe(), learned=LEARNED, reuse_ids=SIZE, corpus=CORPUS)
    extend_model(model, tokenizer)
    own = Codec(tokenizer).own
    texts = python_texts("classic")
    kept = [number for number in range(SIZE) if number not in own.values()]
    for weight, before in zip(matrices(model), old, strict=True):
        assert weight.shape == before.shape
        assert torch.equal(weight[kept], before[kept])
        for token in ("<def_stmt>", "<if>", "<block_start>", *LEARNED.tokens):
            ids = adapter_of(tokenizer).ordinary(list(own)).encode([python_text(token, texts)])[0]
            assert set(ids) <= set(kept)
            torch.testing.assert_close(weight[own[token]], before[ids].mean(dim=0))
    assert model.config.vocab_size == SIZE
    assert (model.config.simpy_token_ids, model.config.simpy_reused_ids) == ([SIZE, SIZE], sorted(own.values()))

    with torch.no_grad():
        matrices(model)[0][own["<def_stmt>"]] = 7.0
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    extend_model(loaded, tokenizer)
    for mine, theirs in zip(matrices(model), matrices(loaded), strict=True):
        assert torch.equal(mine, theirs), "what has been written once is not written again"
    ids = torch.tensor([Codec(tokenizer).encode("<def_stmt>f a<block_start><return>a<block_end>")])
    assert torch.isfinite(loaded(input_ids=ids).logits).all()


@pytest.mark.parametrize(("first", "then"), [(0, 5), (5, 0), (5, 5), (SIZE, 0), (SIZE, SIZE)])
def test_tokens_that_come_later_get_rows_however_they_come(first: int, then: int) -> None:
    once = extend(byte_bpe(), reuse_ids=first, corpus=CORPUS)
    later = extend(once, learned=LEARNED, reuse_ids=then, corpus=CORPUS)
    model = extend_model(make("llama", tied=False), once)
    before = matrices(model)[0].detach().clone()
    extend_model(model, later)
    weight = matrices(model)[0]
    assert weight.shape[0] == max(SIZE, max(Codec(later).own.values()) + 1)
    learned = [Codec(later).own[token] for token in LEARNED.tokens]
    kept = [number for number in range(len(before)) if number not in learned]
    assert torch.equal(weight[kept], before[kept])
    at_once = matrices(extend_model(make("llama", tied=False), later))[0]
    torch.testing.assert_close(weight[learned], at_once[learned])


def test_reused_ids_of_another_tokenizer_are_an_error() -> None:
    model = extend_model(make("gpt2", tied=True), extend(byte_bpe(), reuse_ids=SIZE, corpus=CORPUS))
    with pytest.raises(TokenizerError, match="the model has a row for a token at the reused id"):
        extend_model(model, extend(byte_bpe()))
    number = min(model.config.simpy_reused_ids)
    other = extend(byte_bpe(), reuse_ids=[one for one in rarest_ids(byte_bpe(), CORPUS) if one != number])
    with pytest.raises(TokenizerError, match=f"a token at the reused id {number}, and the tokenizer has no such token\nhint: use the tok"):
        extend_model(model, other)


def test_what_does_not_fit_is_an_error() -> None:
    model = make("gpt2", tied=True)
    with pytest.raises(TokenizerError, match="holds no grammar tokens\nhint: extend it first"):
        extend_model(model, byte_bpe())
    with pytest.raises(TokenizerError, match="the model has 100 embedding rows, fewer than the"):
        extend_model(make("gpt2", tied=True, rows=100), extend(byte_bpe()))
    model.config.simpy_token_ids = [3, 9]
    with pytest.raises(TokenizerError, match="the model was extended from id 3 on"):
        extend_model(model, extend(byte_bpe()))
