"""Tokens that take ids of the vocabulary: which ids, what stays as it was, and what is recognised when it is loaded again."""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpy_grammar.dialect import Dialect
from tests.programs import programs
from tests.small_tokenizers import SMALL, byte_bpe, real, sources, tiktoken_small
from tests.test_tokenizer_codec import PROGRAMS, TOKENS, assert_round_trip
from tests.test_tokenizer_extension import LEARNED, SIMPY, added_ids, size
from tokenizer_ext import Codec, LearnedTokens, TokenizerError, extend, rarest_ids, special_tokens
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.adapters.model_ids import parts_of, rename
from tokenizer_ext.constrain import Constraint
from tokenizer_ext.grammar_tokens import extension_tokens
from tokenizer_ext.plain_codec import PlainCodec
from tokenizer_ext.reuse_mark import ReuseMark, is_mark
from transpiler import encode

CORPUS = ("self.value = value\nreturn self\n" * 3, "  \n\n def f(a):\n    return a\n")
NEEDED = len(special_tokens()) + len(LEARNED) + 1  # with the mark
LARGE = [name for name in SMALL if name != "tiktoken_small"]  # they have ids enough


@cache
def reusing(name: str, dialect: str = "classic", count: int = 5000) -> Any:
    """A small tokenizer whose tokens take as many ids of others as there are."""
    learned = LEARNED if dialect == "classic" else None
    return extend(SMALL[name](), dialect=dialect, learned=learned, reuse_ids=count, corpus=CORPUS)


@cache
def codec_of(name: str, dialect: str = "classic") -> Codec:
    """Its codec."""
    return Codec(reusing(name, dialect), dialect=dialect)


@cache
def python_codec(name: str) -> PlainCodec:
    """Its codec for Python."""
    return PlainCodec(reusing(name))


def texts_of(tokenizer: Any) -> dict[int, bytes]:
    """The bytes of each ordinary id."""
    adapter = adapter_of(tokenizer)
    return dict(adapter.ordinary(list(extension_tokens(adapter.added))).pieces())


# ------------------------------------------------------------------------------------------------------------------ which ids


@pytest.mark.parametrize("name", SMALL)
def test_ids_that_are_kept_are_found_as_before(name: str) -> None:
    tokenizer = SMALL[name]()
    ids = rarest_ids(tokenizer, CORPUS)
    adapter = adapter_of(tokenizer)
    before = adapter.ordinary(())
    alone = {number: text.decode() for number, text in before.pieces().items() if text.isascii()}
    own = {number: text for number, text in alone.items() if before.encode([text], continued=True) == [[number]]}
    for count in (1, len(ids) // 3, len(ids)):
        given_up = {number: f"<t{number}>" for number in ids[:count]}
        after = adapter_of(adapter.reusing(given_up)).ordinary(list(given_up.values()))
        kept = {number: text for number, text in own.items() if number not in given_up}
        assert after.encode(list(kept.values()), continued=True) == [[number] for number in kept]
        (x,) = after.encode(["x"])
        for text in (alone[number] for number in given_up if number in alone):
            (found,) = after.encode([text], continued=True)
            assert len(found) > 1 and given_up.keys().isdisjoint(found)
            assert after.decode([x + found]) == ["x" + text]


@pytest.mark.parametrize("name", SMALL)
def test_control_tokens_and_single_characters_are_never_given_up(name: str) -> None:
    tokenizer = SMALL[name]()
    adapter = adapter_of(tokenizer)
    ordinary = adapter.ordinary(())
    pieces = ordinary.pieces()
    ids = set(rarest_ids(tokenizer, CORPUS))
    assert ids.isdisjoint(adapter.added.values()) and ids.isdisjoint(ordinary.control)
    assert all(len(pieces[number]) > 1 for number in ids)


def test_the_rarest_come_first_and_ties_are_decided_by_number() -> None:
    tokenizer = tiktoken_small()
    order = [tokenizer.decode([number]) for number in rarest_ids(tokenizer, ["return self", "self", "in", "in in"])]
    assert order.index(");") == 0, "used by nothing, and the largest such number"
    assert order.index("return") < order.index("retu") and order.index("return") < order.index("rn")
    assert order.index("self") < order.index("se")
    assert order.index("return") < order.index("self") < order.index("in")
    assert rarest_ids(tokenizer, CORPUS) == rarest_ids(tokenizer, iter(CORPUS))
    assert rarest_ids(tokenizer, CORPUS, 3) == rarest_ids(tokenizer, CORPUS)[:3]


def test_a_token_counts_for_those_that_are_merged_from_it() -> None:
    import tiktoken

    ranks = {bytes([i]): i for i in range(256)} | {b"ab": 256, b"abc": 257, b"xy": 258}
    tokenizer = tiktoken.Encoding("small", pat_str="[a-z]+", mergeable_ranks=ranks, special_tokens={})
    assert rarest_ids(tokenizer, ["abc", "xy", "xy"]) == (257, 256, 258)
    assert rarest_ids(tokenizer, ["abc", "abc", "abc", "xy", "xy", "ab"]) == (258, 257, 256)


def several_ways() -> Any:
    """BPE in which tokens are merged in every way, as converters from tiktoken write them, and whole words are looked up."""
    from tokenizers import Tokenizer

    content = json.loads(byte_bpe().to_str())
    model = content["model"]
    vocab = model["vocab"]
    ways = [(vocab[text], [text[:i], text[i:]]) for text in vocab for i in range(1, len(text)) if text[:i] in vocab and text[i:] in vocab]
    model["merges"] = [way for _, way in sorted(ways, key=lambda item: item[0])]
    model["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(content))


def test_a_token_with_several_merges_is_given_up_with_all_of_them() -> None:
    tokenizer = several_ways()
    extended = extend(tokenizer, learned=LEARNED, reuse_ids=5000, corpus=CORPUS)
    assert size(extended) == size(tokenizer)
    codec = Codec(extended)
    for source in PROGRAMS.values():
        assert_round_trip(codec, encode(source))
    kept = texts_of(extended)
    taken = texts_of(tokenizer).keys() - kept.keys()
    assert len(taken) == NEEDED
    for text in (tokenizer.decode([number]) for number in taken):
        assert taken.isdisjoint(extended.encode(text).ids) and extended.decode(extended.encode(text).ids) == text


def test_merges_written_as_text_are_read() -> None:
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "aba": 3}, "merges": ["a b", "ab a"]}
    assert parts_of(model) == {2: [(0, 1)], 3: [(2, 0)]}
    rename(model, {3: "x"})
    assert model["merges"] == [["a", "b"]] and model["vocab"] == {"a": 0, "b": 1, "ab": 2, "x": 3}


def test_a_piece_with_characters_that_are_no_pieces_is_kept() -> None:
    vocab = [["<unk>", 0.0], ["a", -1.0], ["aa", -2.0], ["ab", -3.0]]
    assert parts_of({"type": "Unigram", "unk_id": 0, "vocab": vocab}) == {2: [()]}


def test_an_added_token_that_is_merged_keeps_its_parts() -> None:
    """``blank_tokens`` has added tokens that the model merges, too: no part of them is given up."""
    tokenizer = SMALL["blank_tokens"]()
    ids = set(rarest_ids(tokenizer, CORPUS))
    parts = adapter_of(tokenizer).parts()
    fixed = adapter_of(tokenizer).fixed
    merged = [number for number in fixed if number in parts]
    assert merged and all(ids.isdisjoint(way) for number in merged for way in parts[number])


# ---------------------------------------------------------------------------------------------------------- the vocabulary then


@pytest.mark.parametrize("name", LARGE)
def test_the_vocabulary_does_not_grow(name: str) -> None:
    tokenizer = SMALL[name]()
    extended = reusing(name)
    assert type(extended) is type(tokenizer)
    assert size(extended) == size(tokenizer)
    assert max(adapter_of(extended).added.values()) < size(tokenizer)
    own = Codec(extended).own
    assert tuple(own) == (*special_tokens(), *LEARNED.tokens)
    assert list(own.values()) == sorted(own.values()), "in ascending order"
    assert {*own.values()} < {*rarest_ids(tokenizer, CORPUS, NEEDED)}


@pytest.mark.parametrize("name", SMALL)
def test_all_other_ids_mean_what_they_meant(name: str) -> None:
    before, after = texts_of(SMALL[name]()), texts_of(reusing(name))
    taken = before.keys() - after.keys()
    assert after == {number: text for number, text in before.items() if number not in taken}
    assert len(taken) == min(NEEDED, len(rarest_ids(SMALL[name](), ())))


@pytest.mark.parametrize("name", SMALL)
def test_without_it_nothing_is_different(name: str) -> None:
    tokenizer = SMALL[name]()
    plain = extend(tokenizer, learned=LEARNED)
    for nothing in (extend(tokenizer, learned=LEARNED, reuse_ids=0), extend(tokenizer, learned=LEARNED, reuse_ids=1, corpus=CORPUS)):
        assert adapter_of(nothing).added == adapter_of(plain).added, "one id would only be the mark"
    assert not any(map(is_mark, adapter_of(plain).added))


@pytest.mark.parametrize("name", SMALL)
def test_tokens_that_find_no_id_get_new_ones(name: str) -> None:
    tokenizer = SMALL[name]()
    extended = extend(tokenizer, learned=LEARNED, reuse_ids=8, corpus=CORPUS)
    tokens = (*special_tokens(), *LEARNED.tokens)
    taken = sorted(rarest_ids(tokenizer, CORPUS, 8))
    assert added_ids(extended, tokens) == [*taken[:7], *range(size(tokenizer), size(tokenizer) + len(tokens) - 7)]
    assert adapter_of(extended).added[f"<simpy_reused:{size(tokenizer)}:{_ranges(tokenizer)}>"] == taken[7]
    codec = Codec(extended)
    assert tuple(codec.own) == tokens
    assert codec.decode(codec.encode(SIMPY)) == SIMPY


def _ranges(tokenizer: Any) -> str:
    return ReuseMark(size(tokenizer), frozenset(adapter_of(tokenizer).fixed)).text.split(":")[2].removesuffix(">")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dialect", ["classic", "dense", "dense-newline"])
def test_only_the_grammar_becomes_grammar_ids(name: str, dialect: str) -> None:
    codec = codec_of(name, dialect)
    for source in PROGRAMS.values():
        if name == "unigram_ascii" and not source.isascii():
            continue
        text = encode(source, dialect=dialect)
        if dialect == "classic":
            assert codec.decode(codec.encode(text)) == text
        else:
            assert_round_trip(codec, text)


@given(programs(), st.sampled_from(LARGE))
def test_every_program_comes_back(source: str, name: str) -> None:
    if name == "unigram_ascii" and not source.isascii():
        return
    assert_round_trip(codec_of(name, "dense"), encode(source, dialect="dense", verify=False))


_PARTS = st.one_of(
    st.sampled_from([*TOKENS, *LEARNED.tokens, "<simpy_reused:900:0>", "<|endoftext|>", "\0", "'", "f'", "{", "#", "\n", "self", "return"]),
    st.sampled_from(sorted({text.decode() for text in texts_of(byte_bpe()).values() if text.isascii()})),
    st.text(max_size=3),
)


@given(st.lists(_PARTS, max_size=20), st.sampled_from([name for name in SMALL if name != "unigram_ascii"]))
def test_ids_give_back_any_text(parts: list[str], name: str) -> None:
    text = "".join(parts).encode("utf-8", "replace").decode()
    codec, python = codec_of(name), python_codec(name)
    ids = codec.encode(text)
    assert codec.decode(ids) == text
    assert codec.encode(codec.decode(ids)) == ids
    found = python.encode(text)
    assert python.decode(found) == text and {*codec.own.values()}.isdisjoint(found)


@given(st.lists(_PARTS, max_size=20))
def test_calling_the_tokenizer_gives_ids_that_give_back_any_text(parts: list[str]) -> None:
    text = "".join(parts).encode("utf-8", "replace").decode()
    for extended in (reusing("byte_bpe"), _several_ways()):
        assert extended.decode(extended.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text
    small = reusing("tiktoken_small")
    assert small.decode(small.encode_ordinary(text)) == small.decode(small.encode(text, allowed_special="all"))


@cache
def _several_ways() -> Any:
    return extend(several_ways(), learned=LEARNED, reuse_ids=5000, corpus=CORPUS)


@pytest.mark.parametrize("name", SMALL)
def test_calling_the_tokenizer_gives_one_id_for_each_grammar_token(name: str) -> None:
    extended = reusing(name)
    ids = extended.encode(SIMPY, **({"add_special_tokens": False} if hasattr(extended, "to_str") else {"allowed_special": "all"}))
    ids = getattr(ids, "ids", ids)
    assert extended.decode(ids) == SIMPY
    own = set(Codec(extended).own.values())
    assert [number for number in ids if number in own] == [number for number in Codec(extended).encode(SIMPY) if number in own]


@pytest.mark.parametrize("name", ["cl100k_base", "starcoder", "codellama"])
def test_real_vocabularies(name: str) -> None:
    tokenizer = real(name)
    extended = extend(tokenizer, learned=LEARNED, reuse_ids=1024, corpus=sources())
    assert size(extended) == size(tokenizer)
    codec, before = Codec(extended), Codec(extend(tokenizer, learned=LEARNED))
    assert tuple(codec.own) == tuple(before.own)
    for source in sources():
        text = encode(source, verify=False)
        ids = codec.encode(text)
        assert codec.decode(ids) == text
        assert len(ids) == before.count(text), "the corpus needs none of the ids that are given up"


def test_a_mask_allows_reused_ids_and_never_the_mark() -> None:
    extended = extend(SMALL["byte_bpe"](), reuse_ids=5000, corpus=CORPUS)
    added = adapter_of(extended).added
    mark = next(number for text, number in added.items() if is_mark(text))
    constraint = Constraint(extended)
    codec = Codec(extended)
    state = constraint.start()
    for number in codec.encode(SIMPY):
        allowed = state.mask()
        assert number in allowed and mark not in allowed
        state = state.advance(number)


# ----------------------------------------------------------------------------------------------------------------- again, later


@pytest.mark.parametrize("name", SMALL)
def test_extending_twice_changes_nothing(name: str) -> None:
    extended = reusing(name)
    for again in (extend(extended, learned=LEARNED), extend(extended, learned=LEARNED, reuse_ids=50, corpus=CORPUS)):
        assert again is not extended
        assert adapter_of(again).added == adapter_of(extended).added
        assert size(again) == size(extended)


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("first", [0, 10, 5000], ids=["appended", "some reused", "all reused"])
@pytest.mark.parametrize("then", [0, 2, 5000], ids=["appended", "some reused", "all reused"])
def test_learned_tokens_can_come_later(name: str, first: int, then: int) -> None:
    once = extend(SMALL[name](), reuse_ids=first, corpus=CORPUS)
    later = extend(once, learned=LEARNED, reuse_ids=then, corpus=CORPUS)
    before, after = Codec(once).own, Codec(later).own
    assert {token: after[token] for token in before} == before
    assert tuple(after)[: len(before)] == tuple(before) and {*after} == {*before, *LEARNED.tokens}
    marked = any(map(is_mark, adapter_of(once).added))
    taken = 0 if not then else min(3, then - (not marked))
    assert sum(after[token] < size(once) for token in LEARNED.tokens) == taken
    text = "f(zig.a)<line_sep>g()<block_end><def_stmt>h<block_start><pass>"
    assert Codec(later).decode(Codec(later).encode(text)) == text
    assert {after[token] for token in LEARNED.tokens} < {*Codec(later).encode(text)}


def test_special_tokens_of_a_later_release_get_new_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = Dialect.load("classic").with_spellings("newer", {"PLUS": ("<later>",)})
    old = reusing("byte_bpe")
    current = Dialect.special_tokens.fget  # type: ignore[attr-defined]  # a property

    def tokens(dialect: Dialect) -> tuple[str, ...]:
        return (*(token for token in current(dialect) if token != "<later>"), *(("<later>",) if dialect == newer else ()))

    monkeypatch.setattr(Dialect, "special_tokens", property(tokens))
    assert Codec(old, dialect=newer).missing == ("<later>",)
    again = extend(old, dialect=newer, reuse_ids=50, corpus=CORPUS)
    assert Codec(again, dialect=newer).own["<later>"] == size(old)
    assert adapter_of(again).added == {**adapter_of(old).added, "<later>": size(old)}


def test_tokens_of_the_users_own_are_not_the_extension() -> None:
    from tokenizers import AddedToken, Tokenizer

    tokenizer = Tokenizer.from_str(byte_bpe().to_str())
    tokenizer.add_tokens([AddedToken("<mine>", normalized=False), AddedToken("<theirs>", special=True)])
    extended = extend(tokenizer, reuse_ids=5000, corpus=CORPUS)
    assert not {"<mine>", "<theirs>", "<|endoftext|>"} & {*Codec(extended).own}
    text = "x='<mine><theirs>'"
    assert Codec(extended).decode(Codec(extended).encode(text)) == text
    assert {token: adapter_of(extended).added[token] for token in adapter_of(tokenizer).added} == adapter_of(tokenizer).added


def test_another_dialect_is_still_another_dialect() -> None:
    with pytest.raises(TokenizerError, match="has been extended for another dialect than dense"):
        Codec(reusing("byte_bpe"), dialect="dense")
    with pytest.raises(TokenizerError, match="already.*\nhint: extend a tokenizer that has not been extended for another dialect"):
        extend(reusing("byte_bpe", "dense"), dialect="classic", reuse_ids=9, corpus=CORPUS)


# ---------------------------------------------------------------------------------------------------------------- saved, loaded


@pytest.mark.parametrize("name", LARGE)
def test_a_saved_tokenizer_is_the_same(name: str, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    extended = reusing(name)
    extended.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.to_str() == extended.to_str()
    assert Codec(loaded).own == Codec(extended).own
    assert Codec(loaded).encode(SIMPY) == Codec(extended).encode(SIMPY)
    assert adapter_of(extend(loaded, learned=LEARNED)).added == adapter_of(extended).added


def test_a_pickled_encoding_is_the_same() -> None:
    extended = reusing("tiktoken_small")
    loaded = pickle.loads(pickle.dumps(extended))
    assert Codec(loaded).own == Codec(extended).own
    assert Codec(loaded).encode(SIMPY) == Codec(extended).encode(SIMPY)


@pytest.mark.parametrize("name", ["byte_bpe", "sentencepiece_dummy", "unigram"])
@pytest.mark.parametrize("class_name", ["PreTrainedTokenizerFast", "GPT2Tokenizer"])
def test_transformers_tokenizers_save_and_load(name: str, class_name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")
    if class_name == "GPT2Tokenizer" and name != "byte_bpe":
        return  # that class is for byte-level BPE
    kind = getattr(transformers, class_name)
    fast = kind(tokenizer_object=SMALL[name]())
    extended = extend(fast, learned=LEARNED, reuse_ids=5000, corpus=CORPUS)
    assert type(extended) is type(fast)
    assert len(extended) == len(fast)
    ids = extended(SIMPY, add_special_tokens=False)["input_ids"]
    assert extended.decode(ids, skip_special_tokens=True) == SIMPY
    extended.save_pretrained(tmp_path)
    for loaded in (transformers.AutoTokenizer.from_pretrained(tmp_path), kind.from_pretrained(tmp_path)):
        assert len(loaded) == len(fast)
        assert loaded(SIMPY, add_special_tokens=False)["input_ids"] == ids
        assert loaded.decode(ids, skip_special_tokens=True) == SIMPY
        assert Codec(loaded).own == Codec(extended).own
        assert Codec(loaded).encode(SIMPY) == Codec(extended).encode(SIMPY)
        assert extend(loaded, learned=LEARNED).get_vocab() == extended.get_vocab()


# -------------------------------------------------------------------------------------------------------------------- refusals


def test_a_number_needs_a_corpus() -> None:
    with pytest.raises(TokenizerError, match="which ids are rare depends on a corpus\nhint: give the corpus as well"):
        extend(byte_bpe(), reuse_ids=10)
    with pytest.raises(TokenizerError, match="reuse_ids is -1, not a number of ids"):
        extend(byte_bpe(), reuse_ids=-1, corpus=CORPUS)
    with pytest.raises(TokenizerError, match="the corpus is one text, not several\nhint: give a list of texts"):
        extend(byte_bpe(), reuse_ids=9, corpus=CORPUS[0])


def test_ids_can_be_given_as_such() -> None:
    ids = rarest_ids(byte_bpe(), CORPUS)
    assert adapter_of(extend(byte_bpe(), learned=LEARNED, reuse_ids=ids)).added == adapter_of(reusing("byte_bpe")).added
    assert min(rarest_ids(byte_bpe(), CORPUS, NEEDED)) > byte_bpe().token_to_id("<|endoftext|>")


def test_ids_that_cannot_be_given_up_are_an_error() -> None:
    tokenizer = tiktoken_small()
    number = tokenizer.encode_single_token
    with pytest.raises(TokenizerError, match="the id 97 cannot be reused: no other ids spell its text\nhint: take ids from"):
        extend(tokenizer, reuse_ids=[number(");"), 97])
    with pytest.raises(TokenizerError, match="the id 300 cannot be reused: no other ids spell its text"):
        extend(tokenizer, reuse_ids=[300, number(");")])
    with pytest.raises(TokenizerError, match=f"the id {number('se')} cannot be reused: a longer token is merged from it"):
        extend(tokenizer, reuse_ids=[number(");"), number("se")])
    with pytest.raises(TokenizerError, match="is to be reused twice"):
        extend(tokenizer, reuse_ids=[number(");"), number(");")])
    assert added_ids(extend(tokenizer, reuse_ids=[number("self"), number("se")]), special_tokens()[:2]) == [number("se"), 301]


def test_a_vocabulary_of_another_kind_is_refused() -> None:
    from tokenizers import Tokenizer, models

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    with pytest.raises(TokenizerError, match="the ids of a WordLevel vocabulary cannot be reused\nhint: extend it without reuse_ids"):
        rarest_ids(words, ["a b"])


def test_tokens_that_were_learned_are_found_in_names_as_before() -> None:
    learned = LearnedTokens(("self.", "_name("), "small")
    extended = extend(byte_bpe(), learned=learned, reuse_ids=5000, corpus=CORPUS)
    codec, plain = Codec(extended), Codec(extend(byte_bpe(), learned=learned))
    text = "self.get_name(itself.x)"
    own = [{number: token for token, number in one.own.items()} for one in (codec, plain)]
    found = [[names[number] for number in one.encode(text) if number in names] for one, names in zip((codec, plain), own, strict=True)]
    assert found[0] == found[1] == ["self.", "_name("]
