"""Ids give back exactly the text with any vocabulary: blanks that are added tokens, U+2581, bytes, and what cannot be carried."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.small_tokenizers import BLANK, SMALL, Tokenizer, blank_tokens, byte_bpe, tiktoken, tiktoken_small, unigram_ascii
from tokenizer_ext import Codec, TokenizerError, extend
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.exact import PROBE, ExactTokenizer
from transpiler import encode

DIALECTS = ("classic", "dense", "dense-newline", "dense-spaced", "dense-open")
TEXTS = (
    "x='a  b'",
    f"x='{BLANK}'",
    f"x='{BLANK * 2}  {BLANK} {BLANK * 9} '",
    "x='  self   return  value    name  '",
    "x='<table>  [PAD]</s><unk> <0x41><0xE2>'",
    "x='\t\t\t\\n\x0b\x0c\x85\u2028'",
    "\n\n\n    \n\t\n  x",
    "x='\N{GRINNING FACE}\N{WOMAN}\u200d\N{PERSONAL COMPUTER}é e\u0301 \x80\xff\u00ad'",
    "õ='õ\xad'#õ",
)


@cache
def codec(name: str, dialect: str = "classic") -> Codec:
    return Codec(extend(SMALL[name](), dialect=dialect), dialect=dialect)


def assert_exact(codec: Codec, text: str) -> list[int]:
    ids = codec.encode(text)
    assert codec.decode(ids) == text
    assert codec.encode(codec.decode(ids)) == ids
    spans = codec.spans(text)
    assert len(ids) == codec.count(text) == len(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    return ids


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("text", TEXTS)
def test_every_vocabulary_gives_back_every_text(name: str, text: str) -> None:
    assert_exact(codec(name), text)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["blank_tokens", "blank_tokens_normalized", "greedy_tokens"])
def test_programs_with_blanks_in_literals(name: str, dialect: str) -> None:
    source = f"x = 'a  b'  # c   d {BLANK}\ny = '''\n\n\t\t{BLANK * 2}     self '''\n\n\ndef f():\n    return f'  {{x}}   {BLANK}'\n"
    text = encode(source, dialect=dialect, verify=False)
    assert_exact(codec(name, dialect), text)


def test_blanks_are_the_tokens_that_the_vocabulary_has_for_them() -> None:
    """Exactness costs nothing where the tokenizer itself is exact."""
    tokenizer = blank_tokens()
    for text in ("x='a  b'", "x='a    b'\n\n\ny='\t\t'"):
        assert codec("blank_tokens").encode(text) == tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.token_to_id(BLANK * 2) in codec("blank_tokens").encode("x='a  b'")


def test_the_mark_of_a_blank_is_written_as_bytes() -> None:
    found = codec("blank_tokens").encode(f"x='{BLANK}'")
    names = [blank_tokens().id_to_token(number) for number in found]
    assert names == ["x", "=", "'", "<0xE2>", "<0x96>", "<0x81>", "'"]


def test_ids_of_the_library_read_as_the_library_reads_them() -> None:
    """Also those of added tokens that ordinary text never becomes."""
    tokenizer = blank_tokens()
    for length in range(2, 9):
        assert codec("blank_tokens").decode([tokenizer.token_to_id(BLANK * length)]) == " " * length
    assert codec("greedy_tokens").decode([SMALL["greedy_tokens"]().token_to_id("[PAD]")]) == "[PAD]"


_PART = st.one_of(
    st.sampled_from(["<if>", "<def_stmt>", "<line_sep>", "self", "return", "value", "name", "[PAD]", "</s>", "<unk>", "<0xE2>", "<table>"]),
    st.sampled_from(["'", '"', "#", "\\", "f'", "{", "}", "x", "_", "=", "1"]),
    st.integers(1, 9).map(lambda n: " " * n),
    st.integers(1, 9).map(lambda n: BLANK * n),
    st.integers(1, 4).map(lambda n: "\n" * n),
    st.integers(1, 3).map(lambda n: "\t" * n),
    st.sampled_from(["\N{GRINNING FACE}", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", "é", "e\u0301", "\ufeff", "\ufffd", "\x00"]),
    st.characters(min_codepoint=0x80, max_codepoint=0xFF),
    st.text(max_size=3),
)


@given(st.lists(_PART, max_size=16).map("".join), st.sampled_from(sorted(SMALL)), st.sampled_from(DIALECTS))
def test_ids_give_back_drawn_texts(text: str, name: str, dialect: str) -> None:
    assert_exact(codec(name, dialect), text)


@given(st.lists(_PART, max_size=6).map("".join), st.integers(0xDC80, 0xDCFF).map(chr), st.sampled_from(sorted(SMALL)))
def test_a_lone_byte_is_an_error_where_it_stands(before: str, byte: str, name: str) -> None:
    """Python reads a byte that is not UTF-8 as a lone surrogate, which no vocabulary can carry."""
    text = f"{before}{byte}x"
    with pytest.raises(TokenizerError, match="the vocabulary cannot carry '.udc") as caught:
        codec(name).encode(text)
    line, column = text.count("\n", 0, len(before)) + 1, len(before) - (before.rfind("\n") + 1) + 1
    assert (caught.value.line, caught.value.column) == (line, column)
    str(caught.value).encode()
    assert codec(name).count(text) == len(codec(name).spans(text))


def without_fallback() -> list[Any]:
    """Vocabularies that hold ASCII only: one says so with an unknown token, one leaves out what it lacks, one does so by its pattern."""
    content = json.loads(byte_bpe().to_str())
    kept = [text for text in content["model"]["vocab"] if text.isascii() or set(text) <= {"Ġ", "Ċ", "ĉ", "č"}]
    content["model"]["vocab"] = {text: i for i, text in enumerate(kept)}
    content["model"]["merges"] = []
    content["added_tokens"] = []
    small = tiktoken_small()
    ranks = {text: rank for text, rank in small._mergeable_ranks.items() if text < b"\x80"}
    gap = tiktoken.Encoding("gap", pat_str=r"[\x00-\x7f]", mergeable_ranks=ranks, special_tokens={})
    return [unigram_ascii(), Tokenizer.from_str(json.dumps(content)), gap]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("char", [BLANK, "\N{SNOWMAN}", "é", "Ж"])
def test_what_a_vocabulary_cannot_carry_is_an_error_and_never_another_character(number: int, char: str) -> None:
    found = Codec(extend(without_fallback()[number]))
    assert found.decode(found.encode("x='a  b'<if>c")) == "x='a  b'<if>c"
    with pytest.raises(TokenizerError) as caught:
        found.encode(f"x='a'\ny='b{char}{char}'")
    assert str(caught.value).splitlines()[:3] == [
        f"<text>:2:5: error: the vocabulary cannot carry {char!r}",
        f"  y='b{char}{char}'",
        "      ^",
    ]
    assert found.count("x='a  b'<if>c") == len(found.encode("x='a  b'<if>c"))


def test_extend_refuses_what_loses_blanks() -> None:
    content = json.loads(blank_tokens().to_str())
    content["decoder"]["decoders"].append({"type": "Replace", "pattern": {"Regex": " {5,}"}, "content": "    "})
    with pytest.raises(TokenizerError, match="this tokenizer cannot hold programs: it changes white space"):
        extend(Tokenizer.from_str(json.dumps(content)))


def test_a_text_that_needs_care_has_the_same_ids_whatever_came_before() -> None:
    text = f"a {BLANK} b"
    fresh = Codec(extend(blank_tokens()))
    assert fresh.encode(text) == codec("blank_tokens").encode(text)
    exact = ExactTokenizer(adapter_of(blank_tokens()).ordinary(()))
    assert exact.encode([text]) == [fresh.encode(text)]
    assert not exact.lost


@pytest.mark.parametrize("name", SMALL)
def test_the_probe_comes_back(name: str) -> None:
    exact = ExactTokenizer(adapter_of(SMALL[name]()).ordinary(()))
    assert exact.decode(exact.encode([PROBE])[0]) == PROBE
