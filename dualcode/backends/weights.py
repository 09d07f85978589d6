"""How the weights of a local model are loaded: their type, linear layers in few bits, and GGUF files. One table says what there is.

A model that is quantized on disk says so itself, in its ``config.json``.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from simpy_grammar.errors import BackendError
from simpy_grammar.installing import install

_GGUF = ".gguf"
_GROUP = 32  # weights of a row that share a scale in 4 bits; one scale for a row costs much more quality
_BITSANDBYTES_LIBRARIES = ("bitsandbytes", "accelerate")
_ON_DISK = {"torchao": ("torchao", "accelerate"), "bitsandbytes": _BITSANDBYTES_LIBRARIES}


class Weights(NamedTuple):
    """A way to hold weights.

    Attributes:
        dtype: the type of the weights, as PyTorch names it; ``None`` for that of the file.
        bits: of linear layers, by ``torchao``; ``None`` to leave them as they are.
        bitsandbytes: options of ``BitsAndBytesConfig``; empty to do without.
        libraries: what it needs beside ``transformers``.
    """

    dtype: str | None = None
    bits: int | None = None
    bitsandbytes: Mapping[str, Any] = {}
    libraries: tuple[str, ...] = ()


WEIGHTS: dict[str, Weights] = {
    "float32": Weights(dtype="float32"),
    "bfloat16": Weights(dtype="bfloat16"),
    "float16": Weights(dtype="float16"),
    "int8": Weights(bits=8, libraries=("torchao",)),
    "int4": Weights(bits=4, libraries=("torchao",)),
    "bnb-int8": Weights(bitsandbytes={"load_in_8bit": True}, libraries=_BITSANDBYTES_LIBRARIES),
    "bnb-int4": Weights(bitsandbytes={"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, libraries=_BITSANDBYTES_LIBRARIES),
}


def is_model(target: str) -> bool:
    """Whether a text names a folder with a model, or a GGUF file or a folder with one.

    >>> is_model("no/such/folder"), is_model("no/such/file.gguf")
    (False, False)
    """
    if target.endswith(_GGUF):
        return os.path.isfile(target)
    return os.path.isfile(os.path.join(target, "config.json")) or bool(_gguf_files(target))


def load(target: str, weights: str | None = None, gguf_file: str | None = None) -> tuple[Any, Any]:
    """A causal language model and its tokenizer.

    Args:
        target: a folder, or a GGUF file.
        weights: how to hold the weights, one of ``WEIGHTS``; by default as they are on disk.
        gguf_file: the name of a GGUF file in the folder; not needed where the folder holds one, and no ``config.json``. A tokenizer that
            lies in the folder is taken instead of the one in the file.

    Raises:
        BackendError: there is no such way, a library is missing, or the folder holds no causal language model with a tokenizer.
    """
    way = _way(weights)
    folder, file = _place(target, gguf_file)
    method = _method_on_disk(folder) if file is None else None
    if method is not None and weights is not None:
        raise BackendError(f"its weights are quantized on disk already, by {method}", path=target, hint="leave out weights")
    _check_libraries(way.libraries, f"weights={weights!r}", target)
    _check_libraries(_ON_DISK.get(method or "", ()), f"a model that {method} has quantized", target)
    _check_libraries(("gguf",) if file else (), "a GGUF file", target)
    from dualcode.backends.few_bits import import_torchao, quantize  # needs transformers

    import_torchao()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {} if way.dtype is None else {"dtype": getattr(torch, way.dtype)}
    if way.bitsandbytes:
        from transformers import BitsAndBytesConfig

        configuration: Any = BitsAndBytesConfig
        options["quantization_config"] = configuration(**way.bitsandbytes)
    named = {"gguf_file": file} if file else {}
    own = {} if os.path.isfile(os.path.join(folder, "tokenizer.json")) and not target.endswith(_GGUF) else named
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **own)
        model = AutoModelForCausalLM.from_pretrained(folder, **named, **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BackendError(f"cannot load the model: {str(error).splitlines()[0]}", path=target) from error
    if way.bits is not None:
        quantize(model, way.bits, group=_GROUP)
    return model, tokenizer


def _way(weights: str | None) -> Weights:
    if weights is None:
        return Weights()
    if weights not in WEIGHTS:
        raise BackendError(f"no weights {weights!r}", hint=f"there are: {', '.join(WEIGHTS)}")
    return WEIGHTS[weights]


def _place(target: str, gguf_file: str | None) -> tuple[str, str | None]:
    """The folder, and the name of the GGUF file in it, if it is one."""
    if target.endswith(_GGUF) and os.path.isfile(target):
        return os.path.dirname(target) or os.curdir, os.path.basename(target)
    if gguf_file is not None:
        if not os.path.isfile(os.path.join(target, gguf_file)):
            raise BackendError(f"holds no file {gguf_file!r}", path=target)
        return target, gguf_file
    found = [] if os.path.isfile(os.path.join(target, "config.json")) else _gguf_files(target)
    if len(found) > 1:
        raise BackendError(f"holds {len(found)} GGUF files", path=target, hint=f"name one: {os.path.join(target, found[0])}")
    return target, found[0] if found else None


def _gguf_files(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(_GGUF))
    except OSError:
        return []


def _method_on_disk(folder: str) -> str | None:
    """The library that has quantized the weights in a folder; ``None`` if they are not, or nobody can tell."""
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            found = json.load(file).get("quantization_config") or {}
        method = found.get("quant_method")
    except (OSError, ValueError, AttributeError):  # whoever loads it says what is wrong
        return None
    return method if isinstance(method, str) else None


def _check_libraries(libraries: tuple[str, ...], what: str, target: str) -> None:
    for library in libraries:
        if importlib.util.find_spec(library) is None:
            raise BackendError(f"{what} needs the library {library}", path=target, hint=install(library))
