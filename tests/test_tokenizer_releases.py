"""A vocabulary that an earlier release has extended: it loads, keeps its ids, and says which tokens it lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from tests.small_tokenizers import SMALL, byte_bpe, sentencepiece_dummy, tiktoken_small
from tokenizer_ext import Codec, LearnedTokens, TokenizerError, extend, special_tokens
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.grammar_tokens import FIRST_RELEASE_END
from transpiler import encode

# Two tokens that this release does not have. What they spell does not matter.
LATER = ("<later>", "<much_later>")
NEWER = Dialect.load("classic").with_spellings("newer", {"PLUS": (LATER[0],), "MODULO": (LATER[1],)})
OLD = special_tokens("classic")
SOURCE = "x = a\n"
NEW_SOURCE = "x = a\ny = a + b\n"
LEARNED = LearnedTokens((")<line_sep>", "zig."), "small", "classic")


@pytest.fixture(autouse=True)
def later_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialects of a release with more tokens: they come after all others."""
    current = Dialect.special_tokens.fget  # type: ignore[attr-defined]  # a property

    def tokens(dialect: Dialect) -> tuple[str, ...]:
        found = [token for token in current(dialect) if token not in LATER]
        return (*found, *(LATER if dialect == NEWER else ()))

    monkeypatch.setattr(Dialect, "special_tokens", property(tokens))


@pytest.fixture(params=[byte_bpe, sentencepiece_dummy, tiktoken_small])
def old(request: pytest.FixtureRequest) -> Any:
    """A vocabulary that the earlier release extended, with learned tokens after the special ones."""
    make: Callable[[], Any] = request.param
    return extend(make(), learned=LEARNED)


def added(tokenizer: Any) -> dict[str, int]:
    return adapter_of(tokenizer).added


def test_the_list_only_grows_at_its_end() -> None:
    assert special_tokens(NEWER) == (*OLD, *LATER)


def test_it_loads_and_keeps_its_ids(old: Any) -> None:
    codec = Codec(old, dialect=NEWER)
    assert codec.missing == LATER
    text = encode(SOURCE, dialect=NEWER)
    assert codec.encode(text) == Codec(old).encode(text)
    assert codec.decode(codec.encode(text)) == text
    assert codec.count(text) == len(codec.encode(text))


def test_a_text_that_needs_a_token_that_is_missing_is_an_error(old: Any) -> None:
    codec = Codec(old, dialect=NEWER)
    text = encode(NEW_SOURCE, dialect=NEWER)
    assert text == "x=a<line_sep>y=a<later>b"
    for use in (codec.encode, codec.count, codec.spans):
        with pytest.raises(TokenizerError) as caught:
            use(text)
        assert str(caught.value).splitlines() == [
            "<text>:1:17: error: the vocabulary lacks the token <later>: it was extended by an earlier release",
            "  x=a<line_sep>y=a<later>b",
            "                  ^",
            "hint: extend it again: tokenizer_ext.extend adds what it lacks after its last id, and the model needs new rows",
        ]


def test_data_that_spells_a_missing_token_is_data(old: Any) -> None:
    codec = Codec(old, dialect=NEWER)
    text = encode("x = '<later>'  # <much_later>\n", dialect=NEWER)
    assert codec.decode(codec.encode(text)) == text


def test_extending_it_again_adds_what_it_lacks_after_its_last_id(old: Any) -> None:
    again = extend(old, dialect=NEWER)
    last = max(added(old).values())
    assert added(again) == {**added(old), LATER[0]: last + 1, LATER[1]: last + 2}
    codec = Codec(again, dialect=NEWER)
    assert codec.missing == ()
    text = encode(NEW_SOURCE, dialect=NEWER)
    assert codec.decode(codec.encode(text)) == text
    assert last + 1 in codec.encode(text)
    assert added(extend(again, dialect=NEWER)) == added(again)


def test_learned_tokens_are_added_after_what_it_lacks(old: Any) -> None:
    more = LearnedTokens((*LEARNED.tokens, "zag("), "small", NEWER)  # type: ignore[arg-type]  # Dialect.load takes a dialect
    again = extend(old, dialect=NEWER, learned=more)
    last = max(added(old).values())
    assert [added(again)[token] for token in (*LATER, "zag(")] == [last + 1, last + 2, last + 3]
    assert all(added(again)[token] == number for token, number in added(old).items())


def test_fewer_tokens_than_the_first_release_had_are_not_an_extension() -> None:
    from tokenizers import AddedToken, Tokenizer

    partly = Tokenizer.from_str(byte_bpe().to_str())
    partly.add_tokens([AddedToken(token, normalized=False) for token in OLD[: OLD.index(FIRST_RELEASE_END)]])
    with pytest.raises(TokenizerError, match="has a token '<line_sep>' already"):
        extend(partly, dialect=NEWER)
    with pytest.raises(TokenizerError, match="has been extended for another dialect than newer"):
        Codec(partly, dialect=NEWER)


@pytest.mark.parametrize("name", SMALL)
def test_a_vocabulary_of_another_dialect_is_not_an_earlier_release(name: str) -> None:
    with pytest.raises(TokenizerError, match="has been extended for another dialect than classic\nhint: name the dialect"):
        Codec(extend(SMALL[name](), dialect="dense"), dialect="classic")
