"""A small random model in a folder, and problems and programs to evaluate it on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tests.small_tokenizers import ROOT, byte_bpe  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import extend, extend_model  # noqa: E402  # as above

_SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
CONTEXT = 128
torch.set_num_threads(1)  # more are slower for a model of this size, and wait for each other where tests run beside each other

PROGRAMS = {
    "a.py": 'def add(a, b):\n    """Add."""\n    return a + b\n\n\n'
    "class C:\n    @property\n    def f(self):\n        # one\n        return [1,\n   2]\n",
    "b.py": "x = 1\ny = 'text'\nfor i in range(10):\n    print(i)\n" * 12,
    "wrong.py": "x = = 1\n",
}
ROWS: list[dict[str, Any]] = [json.loads(line) for line in (ROOT / "examples" / "problems.jsonl").read_text(encoding="utf-8").splitlines()]
HUMAN_EVAL = [row for row in ROWS if "entry_point" in row]
MBPP = [row for row in ROWS if "test_list" in row]


@cache
def model(dialect: str = "classic") -> tuple[Any, Any]:
    """A random model, and its tokenizer, extended for a dialect of SimPy."""
    plain = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(byte_bpe().get_vocab()), max_position_embeddings=CONTEXT, bos_token_id=0, eos_token_id=0, pad_token_id=0, **_SMALL
    )
    found = transformers.LlamaForCausalLM(config).eval()
    if dialect in ("python", "compact"):
        return found, plain
    extended = extend(plain, dialect=dialect)
    return extend_model(found, extended, dialect=dialect), extended


def save_model(folder: str, dialect: str = "classic") -> str:
    """The same in a folder."""
    for part in model(dialect):
        part.save_pretrained(folder)
    return folder


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_inputs() -> None:
    """Programs below ``src``, and problems, in the current folder."""
    for name, text in PROGRAMS.items():
        path = Path("src") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    Path("human-eval.jsonl").write_text(lines(HUMAN_EVAL), encoding="utf-8")
    Path("mbpp.jsonl").write_text(lines(MBPP), encoding="utf-8")
