"""The ids of a model of ``tokenizers`` as its ``tokenizer.json`` writes them: what each decomposes into, and giving them other texts.

Nothing here is specific to this project. A way is the ids that an id is merged from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tokenizer_ext.errors import TokenizerError

Model = dict[str, Any]
"""The model of a ``tokenizer.json``."""


def parts_of(model: Model) -> dict[int, list[tuple[int, ...]]]:
    """For each id whose text others can spell, the ways in which it is made.

    A piece of a Unigram model is not made of others, so it has one way without ids.

    Raises:
        TokenizerError: the model is neither BPE nor Unigram.

    >>> parts_of({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]})
    {2: [(0, 1)]}
    >>> parts_of({"type": "Unigram", "unk_id": None, "vocab": [["a", -1.0], ["b", -2.0], ["ab", -3.0], ["ac", -4.0]]})
    {2: [()]}
    """
    if model["type"] == "Unigram":
        return {number: [()] for number in _spelled_pieces(model)}
    if model["type"] != "BPE":
        hint = "extend it without reuse_ids, which gives the new tokens new ids"
        raise TokenizerError(f"the ids of a {model['type']} vocabulary cannot be reused", hint=hint)
    vocab: dict[str, int] = model["vocab"]
    ways: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for left, right, made in _merges(model):
        ways[vocab[made]].append((vocab[left], vocab[right]))
    return dict(ways)


def rename(model: Model, texts: Mapping[int, str]) -> None:
    """Give ids other texts. Nothing is merged to them any more.

    >>> model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    >>> rename(model, {2: "<if>"})
    >>> model
    {'type': 'BPE', 'vocab': {'a': 0, 'b': 1, '<if>': 2}, 'merges': []}
    """
    if not texts:
        return
    if model["type"] == "Unigram":
        model["vocab"] = [[texts.get(i, piece), score] for i, (piece, score) in enumerate(model["vocab"])]
        return
    vocab: dict[str, int] = model["vocab"]
    model["merges"] = [[left, right] for left, right, made in _merges(model) if vocab[made] not in texts]
    model["vocab"] = {texts.get(number, text): number for text, number in vocab.items()}


def _merges(model: Model) -> Iterator[tuple[str, str, str]]:
    """Left and right part of each merge, and what it makes. Older files write the parts as one text with a blank."""
    skipped = len(model.get("continuing_subword_prefix") or "")
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        yield left, right, left + right[skipped:]


def _spelled_pieces(model: Model) -> Iterator[int]:
    """The pieces of a Unigram model that are several characters, each of them a piece or bytes."""
    vocab = [piece for piece, _ in model["vocab"]]
    known = set(vocab)
    fallback = {f"<0x{byte:02X}>" for byte in range(256)}
    has_bytes = bool(model.get("byte_fallback")) and fallback <= known
    for number, piece in enumerate(vocab):
        if len(piece) > 1 and piece not in fallback and number != model.get("unk_id") and (has_bytes or set(piece) <= known):
            yield number
