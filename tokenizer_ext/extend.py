"""Adding tokens to a tokenizer: the special tokens of a dialect, then learned tokens. Models are ``tokenizer_ext.model``."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from simpy_grammar.dialect import Dialect
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.kinds import PROBE, Kind, Plain, kind_of
from tokenizer_ext.learned import LearnedTokens
from tokenizer_ext.spelling import special_tokens

T = TypeVar("T")
_NEVER = frozenset("\"'#")  # what only literals and comments hold


def extend(tokenizer: T, *, dialect: str | Path | Dialect = "classic", learned: LearnedTokens | None = None) -> T:
    """An extended copy of a tokenizer, of the same kind; the tokenizer itself stays as it is.

    The new ids follow all that exist: first ``special_tokens(dialect)`` in that order, then ``learned.tokens`` in theirs.
    Extending what holds the tokens already gives an equal copy; learned tokens can be added later.

    Calling the extended tokenizer on SimPy text gives each grammar token its id, and the ids decode to the text, also
    without asking to keep special tokens. But it knows no strings: text in a literal or comment that spells a token
    becomes that token. ``tokenizer_ext.Codec`` reads programs lexeme by lexeme and never does that.

    Args:
        tokenizer: a ``tokenizers.Tokenizer``, a fast tokenizer of ``transformers`` or a ``tiktoken.Encoding``.
        dialect: the dialect whose special tokens are added.
        learned: learned tokens to add after them.

    Raises:
        TokenizerError: the tokenizer is of another kind, loses characters of programs, or holds some of the tokens already.
        DialectError: there is no such dialect, or the learned tokens are of another one.

    >>> from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    >>> alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    >>> tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> tokenizer.decoder = decoders.ByteLevel()
    >>> extended = extend(tokenizer, dialect="dense")
    >>> extended.encode("<def_stmt>f").ids, extended.get_vocab_size() == 256 + len(special_tokens("dense"))
    ([256, 69], True)
    """
    kind = kind_of(tokenizer)
    wanted, missing = planned(kind, dialect, learned)
    if not missing:
        same: T = kind.copy()
        return same
    check_lossless(kind.plain([token for token in wanted if token in kind.added]))
    extended: T = kind.extended(missing)
    _check_ids(kind_of(extended), missing)
    return extended


def planned(kind: Kind, dialect: str | Path | Dialect, learned: LearnedTokens | None) -> tuple[list[str], list[str]]:
    """The tokens that an extended vocabulary holds, in order, and those of them that this one lacks.

    Raises:
        TokenizerError: see ``extend``.
    """
    grammar = special_tokens(dialect)
    wanted = [*grammar, *_checked(learned, grammar, dialect)]
    return wanted, _missing(kind, wanted, len(grammar))


def _checked(learned: LearnedTokens | None, grammar: tuple[str, ...], dialect: str | Path | Dialect) -> list[str]:
    if learned is None:
        return []
    if Dialect.load(learned.dialect) != Dialect.load(dialect) and Dialect.load(learned.dialect).digest != Dialect.load(dialect).digest:
        hint = f"extend with dialect={learned.dialect!r}"
        raise TokenizerError(f"the learned tokens are runs of dialect {learned.dialect}, not of {Dialect.load(dialect).name}", hint=hint)
    for token in learned.tokens:
        why = refusal(token)
        if why:
            raise TokenizerError(f"learned token {token!r} {why}, and cannot be added", hint="learn the tokens again with simpy learn")
    return [token for token in learned.tokens if token not in grammar]


def refusal(token: str) -> str:
    """Why a text can be no learned token, whatever the vocabulary; nothing if it can.

    >>> refusal("return 'a'"), refusal("self.")
    ('holds a part of a string or comment', '')
    """
    if not token.isascii():
        return "is not ASCII"
    return "" if _NEVER.isdisjoint(token) else "holds a part of a string or comment"


def _missing(kind: Kind, wanted: list[str], grammar: int) -> list[str]:
    """What is to be added; an error where only some of it is there, unless that is an earlier extension."""
    added = kind.added
    held = [token for token in wanted if token in added]
    missing = wanted[len(held) :]
    if len(held) == len(wanted) or (held == wanted[: len(held)] and len(held) >= grammar):
        clash = next((token for token in missing if kind.id_of(token) is not None), None)
    else:
        clash = next((token for token in wanted if kind.id_of(token) is not None), None)
        missing = wanted
    if clash is not None:
        raise TokenizerError(
            f"the vocabulary has a token {clash!r} already, with id {kind.id_of(clash)}",
            hint="extend a tokenizer that has not been extended for another dialect, or use a dialect file that spells the token otherwise",
        )
    return missing


def check_lossless(plain: Plain) -> None:
    """Refuse a vocabulary that cannot give back what programs are made of.

    Raises:
        TokenizerError: it loses something.
    """
    if plain.decode(plain.encode([PROBE])[0]) == PROBE:
        return
    lost = [char for char in dict.fromkeys(PROBE) if plain.decode(plain.encode([f"a{char}b"])[0]) != f"a{char}b"]
    what = f"loses {' '.join(map(repr, lost[:12]))}" if lost else "changes white space"
    raise TokenizerError(
        f"this tokenizer cannot hold programs: it {what}",
        hint="use one with a byte-level alphabet or with byte fallback; WordPiece and normalising vocabularies cannot work",
    )


def _check_ids(kind: Kind, tokens: list[str]) -> None:
    added = kind.added
    ids = [added.get(token) for token in tokens]
    if None in ids or ids != list(range(ids[0] or 0, (ids[0] or 0) + len(ids))):
        hint = "the ids of its vocabulary have holes; add a token of your own first, which takes the place of the last hole"
        raise TokenizerError("the library cannot give this tokenizer new ids", hint=hint)
