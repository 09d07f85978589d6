"""Codecs of one vocabulary share the plain tokenizer, and one that is changed afterwards gets its own."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest

from tests.small_tokenizers import blank_tokens, byte_bpe, sentencepiece_dummy, unigram
from tokenizer_ext import Codec, extend
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.adapters.tokenizers_adapter import _parted, _Plain

tokenizers = pytest.importorskip("tokenizers")

TEXT = "<def_stmt>f a='<if>'<block_start><return>a+1"


def plain(codec: Codec) -> object:
    ordinary: Any = codec._exact.ordinary
    return ordinary._plain


@pytest.mark.parametrize("make", [byte_bpe, sentencepiece_dummy, unigram, blank_tokens])
def test_codecs_of_one_vocabulary_share_it(make: Any) -> None:
    extended = extend(make())
    one, other = Codec(extended), Codec(tokenizers.Tokenizer.from_str(extended.to_str()))
    assert plain(one) is plain(other)
    assert one.encode(TEXT) == other.encode(TEXT)
    assert other.decode(one.encode(TEXT)) == TEXT


def test_an_extension_shares_it_with_the_vocabulary() -> None:
    base = byte_bpe()
    ordinary: Any = adapter_of(base).ordinary(())
    assert plain(Codec(extend(base))) is ordinary._plain


def test_a_changed_tokenizer_has_its_own() -> None:
    extended = extend(byte_bpe())
    before = Codec(extended)
    ids = before.encode(TEXT)
    extended.model = tokenizers.models.BPE(json.loads(extended.to_str())["model"]["vocab"], [])
    after = Codec(extended)
    assert plain(after) is not plain(before)
    assert before.encode(TEXT) == ids != after.encode(TEXT)
    assert before.decode(ids) == after.decode(after.encode(TEXT)) == TEXT


def test_a_changed_token_is_seen() -> None:
    extended = extend(byte_bpe())
    extended.add_tokens([tokenizers.AddedToken("\n\n\n", normalized=False)])
    known = Codec(extended)
    assert len(known.encode("\n\n\n")) == 1 < len(Codec(extend(byte_bpe())).encode("\n\n\n"))


def test_what_nobody_uses_goes() -> None:
    tokenizer = unigram()
    tokenizer.add_tokens(["which no other test has"])
    gone = weakref.ref(plain(Codec(extend(tokenizer))))
    del tokenizer
    kept = Codec(extend(byte_bpe()))
    gc.collect()
    assert gone() is None
    assert plain(kept) is _Plain._last


@pytest.mark.parametrize("make", [byte_bpe, sentencepiece_dummy, unigram])
def test_parts_of_a_file(make: Any) -> None:
    text = make().to_str()
    whole = json.loads(text)
    for written in (text, json.dumps(whole)):  # as the library writes it, and otherwise
        content, model = _parted(written)
        assert {**content, "model": json.loads(model)} == whole
