"""Small tokenizers of every kind, trained here on the project's own sources, and the real ones where they are to be had."""

from __future__ import annotations

import json
import lzma
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

for _library in ("tokenizers", "tiktoken"):
    pytest.importorskip(_library, reason="the extra tokenizers is not installed")

import tiktoken
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parent.parent
BLANK = "\N{LOWER ONE EIGHTH BLOCK}"
BYTES = [f"<0x{i:02X}>" for i in range(256)]
ASCII = [chr(i) for i in range(32, 127)] + ["\n", "\t", "\r"]
SPECIAL = ["<unk>", "<s>", "</s>"]


def sources() -> list[str]:
    """What the tokenizers are trained on: Python, without the examples of SimPy in it."""
    return [re.sub(r"<[a-z_]+>", "", path.read_text(encoding="utf-8")) for path in sorted((ROOT / "transpiler").glob("*.py"))]


def _bpe_trainer(size: int, **options: Any) -> Any:
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, **options)


@cache
def byte_bpe() -> Any:
    """Byte-level BPE, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(sources(), _bpe_trainer(900, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"]))
    return tokenizer


@cache
def byte_bpe_nfc() -> Any:
    """The same with a normal form, as Qwen's."""
    tokenizer = Tokenizer.from_str(byte_bpe().to_str())
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def _sentencepiece_decoder(dummy: bool) -> Any:
    parts = [decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)] if dummy else parts)


def _sentencepiece_bpe() -> Any:
    """BPE with byte fallback. The bytes are trained as special tokens and then are ordinary ones."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", BLANK)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(r"(?<=\S)(?=\N{LOWER ONE EIGHTH BLOCK})".replace(r"\N{LOWER ONE EIGHTH BLOCK}", BLANK)), "isolated"
    )
    tokenizer.train_from_iterator(sources(), _bpe_trainer(1200, special_tokens=SPECIAL + BYTES))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in SPECIAL]
    content["pre_tokenizer"] = content["normalizer"] = None
    return Tokenizer.from_str(json.dumps(content))


@cache
def sentencepiece_dummy() -> Any:
    """SentencePiece BPE with a dummy blank before every text, as Llama 2's tokenizer.json."""
    tokenizer = _sentencepiece_bpe()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(BLANK), normalizers.Replace(" ", BLANK)])
    tokenizer.decoder = _sentencepiece_decoder(dummy=True)
    return tokenizer


def _metaspace(scheme: str) -> Any:
    tokenizer = _sentencepiece_bpe()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    tokenizer.decoder = _sentencepiece_decoder(dummy=scheme != "never")
    return tokenizer


@cache
def sentencepiece_first() -> Any:
    """With the dummy blank at the start of a text only, as ``legacy=False``."""
    return _metaspace("first")


@cache
def sentencepiece_always() -> Any:
    """With a blank where none stands, as ``legacy=True`` of newer versions."""
    return _metaspace("always")


@cache
def sentencepiece_bare() -> Any:
    """SentencePiece BPE without a dummy blank."""
    return _metaspace("never")


def _with_added(tokenizer: Any, *tokens: AddedToken) -> Any:
    """A copy with added tokens; those that the model has keep their ids."""
    found = Tokenizer.from_str(tokenizer.to_str())
    found.add_tokens(list(tokens))
    return found


@cache
def blank_tokens() -> Any:
    """SentencePiece BPE in which several blanks in a row are an added token, spelled as SentencePiece spells them, as Gemma's.

    The model has two to four blanks too and merges to them; five and more are added tokens only.
    """
    content = json.loads(_sentencepiece_bpe().to_str())
    model = content["model"]
    for length in (4, 3, 2):
        model["vocab"].setdefault(BLANK * length, len(model["vocab"]))
        model["merges"].insert(0, [BLANK * (length - length // 2), BLANK * (length // 2)])
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.normalizer = normalizers.Replace(" ", BLANK)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = _sentencepiece_decoder(dummy=False)
    texts = ["\n\n", "\n\n\n", "\t\t", *(BLANK * length for length in range(2, 9)), "<table>"]
    return _with_added(tokenizer, *(AddedToken(text, normalized=False) for text in texts))


@cache
def blank_tokens_normalized() -> Any:
    """SentencePiece BPE with such tokens that are looked for in normalized text, so that they are found where blanks are."""
    tokenizer = _sentencepiece_bpe()
    tokenizer.normalizer = normalizers.Replace(" ", BLANK)
    tokenizer.decoder = _sentencepiece_decoder(dummy=False)
    texts = [*(BLANK * length for length in range(2, 9)), "    x"]
    return _with_added(tokenizer, *(AddedToken(text, normalized=True) for text in texts))


@cache
def greedy_tokens() -> Any:
    """Words as added tokens of every sort, some of which swallow the blanks beside them, in a vocabulary with a dummy blank."""
    return _with_added(
        sentencepiece_dummy(),
        AddedToken("self", lstrip=True, normalized=False),
        AddedToken("return", rstrip=True, normalized=False),
        AddedToken("value", lstrip=True, rstrip=True, normalized=True),
        AddedToken("name", single_word=True, normalized=True),
        AddedToken(BLANK * 2, normalized=False),
        AddedToken("[PAD]", lstrip=True, rstrip=True, special=True),
    )


def _unigram(byte_fallback: bool) -> Any:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(
        vocab_size=700, special_tokens=SPECIAL, unk_token="<unk>", initial_alphabet=[*ASCII, BLANK], show_progress=False
    )
    tokenizer.train_from_iterator(sources(), trainer)
    content = json.loads(tokenizer.to_str())
    if byte_fallback:
        content["model"]["byte_fallback"] = True
        content["model"]["vocab"] += [[byte, -50.0] for byte in BYTES]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.decoder = _sentencepiece_decoder(dummy=True)
    return tokenizer


@cache
def unigram() -> Any:
    """Unigram, as T5's, but with bytes to fall back on."""
    return _unigram(byte_fallback=True)


@cache
def unigram_ascii() -> Any:
    """Unigram that holds ASCII and no more."""
    return _unigram(byte_fallback=False)


@cache
def tiktoken_small() -> Any:
    """An encoding of tiktoken: bytes and some merges."""
    ranks = {bytes([i]): i for i in range(256)}
    for text in ("  ", "    ", "se", "lf", "self", "in", "de", ");", "re", "tu", "rn", "retu", "return"):
        ranks[text.encode()] = len(ranks)
    pattern = r" ?[^\W\d_]+|\d| ?[^\s\w]+|_|\s+(?!\S)|\s+"
    return tiktoken.Encoding("small", pat_str=pattern, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 300})


SMALL: dict[str, Callable[[], Any]] = {
    "byte_bpe": byte_bpe,
    "byte_bpe_nfc": byte_bpe_nfc,
    "sentencepiece_dummy": sentencepiece_dummy,
    "sentencepiece_first": sentencepiece_first,
    "sentencepiece_always": sentencepiece_always,
    "sentencepiece_bare": sentencepiece_bare,
    "blank_tokens": blank_tokens,
    "blank_tokens_normalized": blank_tokens_normalized,
    "greedy_tokens": greedy_tokens,
    "unigram": unigram,
    "tiktoken_small": tiktoken_small,
}


def vocabularies() -> Path | None:
    """The folder of real vocabularies, if there is one."""
    named = os.environ.get("SIMPY_VOCAB")
    folder = Path(named) if named else ROOT.parent / "shared" / "vocab"
    return folder if folder.is_dir() else None


@cache
def real(name: str) -> Any:
    """A real vocabulary; the test is skipped where it is not at hand."""
    folder = vocabularies()
    path = folder / name / "tokenizer.json.xz" if folder else None
    if path is None or not path.is_file():
        pytest.skip(f"the vocabulary {name} is not at hand (SIMPY_VOCAB names its folder)")
    return Tokenizer.from_str(lzma.decompress(path.read_bytes()).decode("utf-8"))
