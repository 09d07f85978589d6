"""Adding tokens to a tokenizer: the special tokens of a dialect, then learned tokens. Rows for a model: ``tokenizer_ext.model_rows``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from simpy_grammar.dialect import Dialect
from tokenizer_ext.adapters import Adapter, adapter_of
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.exact import ExactTokenizer, check_probe
from tokenizer_ext.grammar_tokens import extension_tokens, lacking, special_tokens
from tokenizer_ext.learned_tokens import LearnedTokens
from tokenizer_ext.whole_literals import without_literals

T = TypeVar("T")
_NEVER = frozenset("\"'#")  # what only literals and comments hold


def extend(tokenizer: T, *, dialect: str | Path | Dialect = "classic", learned: LearnedTokens | None = None) -> T:
    """An extended copy of a tokenizer, of the same library; the tokenizer itself stays as it is.

    The new ids follow all that exist: first ``special_tokens(dialect)`` in that order, then ``learned.tokens`` in theirs.
    What the tokenizer holds already keeps its id. So learned tokens can be added later, a tokenizer that an earlier
    release has extended gets the special tokens that it lacks, and one that lacks nothing is only copied.

    Calling the extended tokenizer on SimPy text gives each grammar token its id, and the ids decode to the text, also
    without asking to keep special tokens. But it knows no strings: text in a literal or comment that spells a token
    becomes that token. ``tokenizer_ext.Codec`` reads programs lexeme by lexeme and never does that.

    Args:
        tokenizer: a ``tokenizers.Tokenizer``, a fast tokenizer of ``transformers`` or a ``tiktoken.Encoding``.
        dialect: the dialect whose special tokens are added.
        learned: learned tokens to add after them.

    Raises:
        TokenizerError: no adapter accepts the tokenizer, it loses characters that every program has, or it holds some of the
            tokens already, though no release has extended it for this dialect.
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
    adapter = adapter_of(tokenizer)
    planned = plan(adapter, dialect, learned)
    if not planned.missing:
        same: T = adapter.copy()
        return same
    check_probe(ExactTokenizer(adapter.ordinary(planned.held)))
    extended: T = adapter.extended(planned.missing)
    _check_ids(adapter_of(extended), planned.missing)
    return extended


class Plan(NamedTuple):
    """The tokens of an extension, in the order of their ids: first those that the vocabulary holds, then those that it lacks."""

    held: tuple[str, ...]
    missing: tuple[str, ...]


def plan(adapter: Adapter, dialect: str | Path | Dialect, learned: LearnedTokens | None) -> Plan:
    """What ``extend`` adds to a vocabulary.

    Raises:
        TokenizerError: see ``extend``.
    """
    grammar = special_tokens(dialect)
    wanted = [*grammar, *_checked(learned, grammar, dialect)]
    held = tuple(extension_tokens(adapter.added, dialect))
    if lacking(held, dialect) is None:
        held = ()
    missing = tuple(token for token in wanted if token not in held)
    _check_clash(adapter, missing)
    return Plan(held, missing)


def _checked(learned: LearnedTokens | None, grammar: Sequence[str], dialect: str | Path | Dialect) -> list[str]:
    if learned is None:
        return []
    if Dialect.load(learned.dialect) != Dialect.load(dialect):
        hint = f"extend with dialect={learned.dialect!r}"
        raise TokenizerError(f"the learned tokens are of dialect {learned.dialect}, not of {Dialect.load(dialect).name}", hint=hint)
    for token in learned.tokens:
        why = refusal(token)
        if why:
            raise TokenizerError(f"learned token {token!r} {why}, and cannot be added", hint="learn the tokens again with simpy learn")
    return [token for token in learned.tokens if token not in grammar]


def refusal(token: str) -> str:
    """Why a text cannot be a learned token, whatever the vocabulary; nothing if it can.

    >>> refusal("return 'a"), refusal("return 'a'")
    ('holds a part of a string or comment', '')
    """
    if not token.isascii():
        return "is not ASCII"
    return "" if _NEVER.isdisjoint(without_literals(token)) else "holds a part of a string or comment"


def _check_clash(adapter: Adapter, missing: Sequence[str]) -> None:
    clash = next((token for token in missing if adapter.id_of(token) is not None), None)
    if clash is not None:
        raise TokenizerError(
            f"the vocabulary has a token {clash!r} already, with id {adapter.id_of(clash)}",
            hint="extend a tokenizer that has not been extended for another dialect, or use a dialect file that spells the token otherwise",
        )


def _check_ids(adapter: Adapter, tokens: Sequence[str]) -> None:
    added = adapter.added
    ids = [added.get(token) for token in tokens]
    if None in ids or ids != list(range(ids[0] or 0, (ids[0] or 0) + len(ids))):
        hint = "the ids of its vocabulary have holes; add a token of your own first, which takes the place of the last hole"
        raise TokenizerError("the library cannot give this tokenizer new ids", hint=hint)
