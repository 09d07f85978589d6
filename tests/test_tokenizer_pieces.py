"""The bytes of ids, told from the names of a byte-level vocabulary, are those that the library says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from tests.small_tokenizers import SMALL, byte_bpe
from tokenizer_ext import extend
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.adapters.tokenizers_adapter import TokenizersOrdinary
from tokenizer_ext.grammar_tokens import extension_tokens


def both(tokenizer: Any, own: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[dict[int, bytes] | None, dict[int, bytes]]:
    """The pieces by names, if they can be told so, and those of the library."""
    ordinary = adapter_of(tokenizer).ordinary(own)
    assert isinstance(ordinary, TokenizersOrdinary)
    by_names = ordinary._pieces_by_names()
    with monkeypatch.context() as patch:
        patch.setattr(TokenizersOrdinary, "_pieces_by_names", lambda self: None)
        return by_names, ordinary.pieces()


def changed(vocabulary: dict[str, int], added: list[dict[str, Any]]) -> Any:
    """A byte-level tokenizer with more names in its model, and with more added tokens."""
    from tokenizers import Tokenizer

    content = json.loads(byte_bpe().to_str())
    content["model"]["vocab"] |= vocabulary
    usual = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    content["added_tokens"] += [usual | token for token in added]
    return Tokenizer.from_str(json.dumps(content))


@pytest.mark.parametrize("name", [name for name in SMALL if name != "tiktoken_small"])
def test_pieces_by_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = SMALL[name]()
    extended = extend(tokenizer, dialect="dense")
    for one, own in ((tokenizer, []), (extended, [*extension_tokens(adapter_of(extended).added, Dialect.load("dense"))])):
        by_names, library = both(one, own, monkeypatch)
        assert by_names is None or by_names == library
        assert (by_names is not None) == (type(tokenizer.model).__name__ == "BPE" and "ByteLevel" in str(tokenizer.decoder))


def test_names_with_other_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    size = byte_bpe().get_vocab_size()
    names = ["a b", "\u4e2d", "\u0120\u4e2d", "<0x41>", "\u00c3", "\ufffd", "\u0120x"]
    tokenizer = changed({name: size + at for at, name in enumerate(names)}, [])
    by_names, library = both(tokenizer, [], monkeypatch)
    assert by_names is not None
    assert by_names == library
    assert [by_names[size + at] for at in (0, 2, 4)] == [b"a b", "\u0120\u4e2d".encode(), b"\xc3"]


@pytest.mark.parametrize("holes", [0, 3])
def test_added_text(holes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    size = byte_bpe().get_vocab_size()
    added = [{"content": content, "id": size + holes + at} for at, content in enumerate(["  ", "<|mark|>", "\u00e9t\u00e9", "word"])]
    tokenizer = changed({"last": size + holes - 1} if holes else {}, added)
    by_names, library = both(tokenizer, [], monkeypatch)
    assert by_names == library or (holes and by_names is None)
