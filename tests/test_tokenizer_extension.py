"""Extending tokenizers: ids, copies, clashes, and the known counts of the golden example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from tests.small_tokenizers import SMALL, byte_bpe, real, sentencepiece_dummy, tiktoken_small, unigram
from tokenizer_ext import Codec, LearnedTokens, TokenizerError, extend, special_tokens
from tokenizer_ext.adapters import adapter_of
from transpiler import encode

PYTHON = """\
def two_sum(nums: list[int], target: int) -> list[int]:
    chk_map: dict[int, int] = {}
    for index, val in enumerate(nums):
        compl = target - val
        if compl in chk_map:
            return [chk_map[compl], index]
        chk_map[val] = index
    return []"""
SIMPY = (
    "<def_stmt>two_sum nums:list[int] target:int<arrow>list[int]<block_start>chk_map:dict[int int]={}"
    "<for_stmt>index,val enumerate(nums)<block_start>compl=target-val<if_stmt>compl<in>chk_map<block_start>"
    "<return>[chk_map[compl] index]<block_end>chk_map[val]=index<block_end><return>[]<block_end>"
)
KNOWN = {
    "codebert": (128, 80),
    "p50k_base": (94, 80),
    "cl100k_base": (72, 60),
    "qwen2.5": (72, 60),
    "o200k_base": (71, 58),
    "codet5": (88, 76),
    "starcoder": (80, 72),
    "codellama": (93, 79),
    "deepseek-coder": (95, 81),
}
LEARNED = LearnedTokens((")<line_sep>", "<block_end><def_stmt>", "zig."), "small", "classic")


def added_ids(tokenizer: Any, tokens: tuple[str, ...]) -> list[int | None]:
    added = adapter_of(tokenizer).added
    return [added.get(token) for token in tokens]


def size(tokenizer: Any) -> int:
    return int(tokenizer.n_vocab if hasattr(tokenizer, "n_vocab") else tokenizer.get_vocab_size())


@pytest.mark.parametrize("name", KNOWN)
def test_the_golden_example_has_the_known_counts(name: str) -> None:
    tokenizer = real(name)
    python, simpy = KNOWN[name]
    assert encode(PYTHON) == SIMPY
    assert len(tokenizer.encode(PYTHON, add_special_tokens=False).ids) == python
    extended = extend(tokenizer)
    ids = extended.encode(SIMPY, add_special_tokens=False).ids
    assert len(ids) == simpy
    assert extended.decode(ids) == extended.decode(ids, skip_special_tokens=False) == SIMPY
    codec = Codec(extended)
    assert codec.encode(SIMPY) == ids
    assert codec.decode(ids) == SIMPY


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dialect", ["classic", "dense", "dense-newline"])
def test_ids_follow_the_vocabulary_in_order(name: str, dialect: str) -> None:
    tokenizer = SMALL[name]()
    before = size(tokenizer)
    tokens = special_tokens(dialect)
    extended = extend(tokenizer, dialect=dialect)
    assert type(extended) is type(tokenizer)
    assert added_ids(extended, tokens) == list(range(before, before + len(tokens)))
    assert size(tokenizer) == before, "the original has changed"
    assert adapter_of(tokenizer).added.keys().isdisjoint(tokens)


@pytest.mark.parametrize("name", SMALL)
def test_extending_twice_changes_nothing(name: str) -> None:
    extended = extend(SMALL[name](), learned=LEARNED)
    again = extend(extended, learned=LEARNED)
    assert again is not extended
    assert adapter_of(again).added == adapter_of(extended).added
    assert size(again) == size(extended)
    if hasattr(extended, "to_str"):
        assert again.to_str() == extended.to_str()


@pytest.mark.parametrize("name", SMALL)
def test_learned_tokens_follow_the_grammar_at_once_or_later(name: str) -> None:
    tokenizer = SMALL[name]()
    at_once = extend(tokenizer, learned=LEARNED)
    later = extend(extend(tokenizer), learned=LEARNED)
    assert adapter_of(at_once).added == adapter_of(later).added
    first = size(tokenizer) + len(special_tokens())
    assert added_ids(at_once, LEARNED.tokens) == [first, first + 1, first + 2]
    text = "f(zig.a)<line_sep>g()<block_end><def_stmt>h<block_start><pass>"
    codec = Codec(at_once)
    ids = codec.encode(text)
    assert codec.decode(ids) == text
    assert [number - first for number in ids if number >= first] == [2, 0, 1]
    if hasattr(later, "to_str"):
        plain = later.encode(text, add_special_tokens=False).ids
        assert later.decode(plain) == text


@pytest.mark.parametrize("name", SMALL)
def test_calling_the_tokenizer_gives_one_id_a_grammar_token(name: str) -> None:
    extended = extend(SMALL[name]())
    codec = Codec(extended)
    if hasattr(extended, "to_str"):
        ids = extended.encode(SIMPY, add_special_tokens=False).ids
        assert extended.decode(ids) == SIMPY
    else:
        ids = extended.encode(SIMPY, allowed_special="all")
        assert extended.decode(ids) == SIMPY
    own = set(codec.own.values())
    assert [number for number in ids if number in own] == [number for number in codec.encode(SIMPY) if number in own]


def test_old_texts_keep_their_ids() -> None:
    for make in SMALL.values():
        tokenizer = make()
        extended = extend(tokenizer)
        for text in (PYTHON, "x = 'a b'\n", " y"):
            if hasattr(tokenizer, "to_str"):
                assert extended.encode(text).ids == tokenizer.encode(text).ids
                assert extended.decode(extended.encode(text).ids) == tokenizer.decode(tokenizer.encode(text).ids)
            else:
                assert extended.encode(text) == tokenizer.encode(text)


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    extended = extend(sentencepiece_dummy(), learned=LEARNED)
    extended.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.encode(SIMPY).ids == extended.encode(SIMPY).ids
    assert Codec(loaded).decode(Codec(loaded).encode(SIMPY)) == SIMPY
    assert extend(loaded, learned=LEARNED).to_str() == extended.to_str()


@pytest.mark.parametrize("name", ["byte_bpe", "sentencepiece_dummy", "unigram"])
def test_transformers_tokenizers_save_and_load(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=SMALL[name]())
    before = len(fast)
    extended = extend(fast, learned=LEARNED)
    assert type(extended) is type(fast)
    assert (len(fast), len(extended)) == (before, before + len(special_tokens()) + len(LEARNED))
    ids = extended(SIMPY, add_special_tokens=False)["input_ids"]
    assert extended.decode(ids, skip_special_tokens=True) == SIMPY
    extended.save_pretrained(tmp_path)
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(SIMPY, add_special_tokens=False)["input_ids"] == ids
    assert loaded.decode(ids) == SIMPY
    assert Codec(loaded).encode(SIMPY) == Codec(extended).encode(SIMPY)
    assert extend(loaded, learned=LEARNED).get_vocab() == extended.get_vocab()


def test_a_slow_tokenizer_is_refused() -> None:
    class Slow:
        is_fast = False

        def convert_tokens_to_ids(self) -> None:
            """What every tokenizer of transformers has."""

    with pytest.raises(TokenizerError, match="Slow is a slow tokenizer of transformers\nhint: load it with use_fast=True"):
        extend(Slow())
    with pytest.raises(TokenizerError, match="builtins.object is not a tokenizer that can be extended"):
        extend(object())


@pytest.mark.parametrize("special", [True, False])
def test_a_clash_is_an_error(special: bool) -> None:
    from tokenizers import AddedToken, Tokenizer

    tokenizer = Tokenizer.from_str(byte_bpe().to_str())
    tokenizer.add_tokens([AddedToken("<if>", special=special)])
    with pytest.raises(TokenizerError, match=f"has a token '<if>' already, with id {size(tokenizer) - 1}"):
        extend(tokenizer)


def test_a_clash_with_an_ordinary_token_is_an_error() -> None:
    import tiktoken

    small = tiktoken_small()
    ranks = {**small._mergeable_ranks, b"<if>": 269}
    clashing = tiktoken.Encoding("clash", pat_str=small._pat_str, mergeable_ranks=ranks, special_tokens={})
    with pytest.raises(TokenizerError, match="has a token '<if>' already, with id 269"):
        extend(clashing)


def test_a_tokenizer_extended_for_dense_is_not_extended_for_classic() -> None:
    with pytest.raises(TokenizerError, match="already.*\nhint: extend a tokenizer that has not been extended for another dialect"):
        extend(extend(byte_bpe(), dialect="dense"), dialect="classic")


def test_learned_tokens_of_another_dialect_are_an_error() -> None:
    with pytest.raises(TokenizerError, match="the learned tokens are of dialect classic, not of dense"):
        extend(byte_bpe(), dialect="dense", learned=LEARNED)


@pytest.mark.parametrize(
    ("token", "why"), [("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "is not ASCII"), ("f('", "holds a part of a string or comment")]
)
def test_learned_tokens_that_cannot_work_are_an_error(token: str, why: str) -> None:
    with pytest.raises(TokenizerError, match=why):
        extend(unigram(), learned=LearnedTokens((token,), "small"))


def test_vocabularies_that_lose_text_are_an_error() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.decoder = decoders.WordPiece()
    with pytest.raises(TokenizerError, match="this tokenizer cannot hold programs: it loses '!'"):
        extend(words)


def test_a_dialect_of_ones_own() -> None:
    changed = Dialect.load("dense").with_spellings("mine", {"NONE": ("<nil>",)})
    extended = extend(byte_bpe(), dialect=changed)
    codec = Codec(extended, dialect=changed)
    text = encode("x = None", dialect=changed)
    assert text == "x=<nil>"
    assert codec.encode(text)[-1] == codec.own["<nil>"]
