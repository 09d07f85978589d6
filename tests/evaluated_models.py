"""A small random model in a folder, and problems and programs to evaluate it on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tests.small_tokenizers import byte_bpe  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import extend, extend_model  # noqa: E402  # as above

_SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
CONTEXT = 128

PROGRAMS = {
    "a.py": 'def add(a, b):\n    """Add."""\n    return a + b\n\n\n'
    "class C:\n    @property\n    def f(self):\n        # one\n        return [1,\n   2]\n",
    "b.py": "x = 1\ny = 'text'\nfor i in range(10):\n    print(i)\n" * 12,
    "wrong.py": "x = = 1\n",
}
HUMAN_EVAL = [
    {
        "task_id": "own/0",
        "prompt": 'def double(x):\n    """Twice x."""\n',
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n",
        "entry_point": "double",
    },
    {
        "task_id": "own/1",
        "prompt": "from typing import List\n\n\ndef total(xs: List[int]) -> int:\n",
        "canonical_solution": "    return sum(xs)\n",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n",
        "entry_point": "total",
    },
]
MBPP = [
    {
        "task_id": 7,
        "text": 'Write a function that gives the last item of a list, or "none".',
        "code": "def last(xs):\r\n    return xs[-1] if xs else 'none'",
        "test_list": ["assert last([1, 2]) == 2", "assert last([]) == 'none'"],
        "test_setup_code": "",
    }
]


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
