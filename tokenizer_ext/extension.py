"""Adding tokens to a tokenizer: the special tokens of a dialect, then learned tokens. Rows for a model: ``tokenizer_ext.model_rows``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from simpy_grammar.dialect import Dialect
from tokenizer_ext.adapters import Adapter, adapter_of
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.exact import ExactTokenizer, check_probe
from tokenizer_ext.grammar_tokens import extension_tokens, lacking, special_tokens
from tokenizer_ext.learned_tokens import LearnedTokens
from tokenizer_ext.reusable import checked_ids, rarest_ids
from tokenizer_ext.reuse_mark import ReuseMark
from tokenizer_ext.whole_literals import without_literals

T = TypeVar("T")
_NEVER = frozenset("\"'#")  # what only literals and comments hold


def extend(
    tokenizer: T,
    *,
    dialect: str | Path | Dialect = "classic",
    learned: LearnedTokens | None = None,
    reuse_ids: int | Sequence[int] = 0,
    corpus: Iterable[str] | None = None,
) -> T:
    """An extended copy of a tokenizer, of the same library; the tokenizer itself stays as it is.

    The new ids follow all that exist: first ``special_tokens(dialect)`` in that order, then ``learned.tokens`` in theirs.
    What the tokenizer holds already keeps its id. So learned tokens can be added later, a tokenizer that an earlier
    release has extended gets the special tokens that it lacks, and one that lacks nothing is only copied.

    With ``reuse_ids`` new tokens take ids that the vocabulary can do without instead, so that a model needs no more rows. What
    had these ids is spelled by other ids from then on. The tokens take the ids in ascending order; those that find none get new
    ids as ever. One of the ids is spent on a mark, by which such a vocabulary is recognised (``tokenizer_ext.reuse_mark``). In a
    vocabulary that has been extended before, special tokens that it lacks get new ids, and learned tokens may reuse.

    Calling the extended tokenizer on SimPy text gives each grammar token its id, and the ids decode to the text, also
    without asking to keep special tokens. But it knows no strings: text in a literal or comment that spells a token
    becomes that token. ``tokenizer_ext.Codec`` reads programs lexeme by lexeme and never does that.

    Args:
        tokenizer: a ``tokenizers.Tokenizer``, a fast tokenizer of ``transformers`` or a ``tiktoken.Encoding``.
        dialect: the dialect whose special tokens are added.
        learned: learned tokens to add after them.
        reuse_ids: how many of the ids that are rarest in ``corpus`` may be given to new tokens; or these ids, as
            ``tokenizer_ext.rarest_ids`` gives them. No more are taken than there are tokens to add, and one for the mark.
        corpus: texts such as the model is to read and write, for a number of ``reuse_ids``. What they do not hold counts as rare.

    Raises:
        TokenizerError: no adapter accepts the tokenizer, it loses characters that every program has, or it holds some of the
            tokens already, though no release has extended it for this dialect; ids cannot be reused, or there is no corpus
            to choose them by.
        DialectError: there is no such dialect, or the learned tokens are of another one.

    >>> from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    >>> alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    >>> tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> tokenizer.decoder = decoders.ByteLevel()
    >>> extended = extend(tokenizer, dialect="dense")
    >>> extended.encode("<def_stmt>f").ids, extended.get_vocab_size() == 256 + len(special_tokens("dense"))
    ([256, 69], True)

    Here ``ab`` is given up for ``<def_stmt>``, and ``abc`` for the mark. All other tokens get new ids:

    >>> tokenizer = Tokenizer.from_str(tokenizer.to_str())
    >>> vocab = {char: i for i, char in enumerate([*alphabet, "ab", "abc"])}
    >>> tokenizer.model = models.BPE(vocab, [("a", "b"), ("ab", "c")])
    >>> reusing = extend(tokenizer, dialect="dense", reuse_ids=2, corpus=["x = abc"])
    >>> reusing.encode("<def_stmt>f").ids, reusing.encode("abc").tokens, reusing.get_vocab_size() == 257 + len(special_tokens("dense"))
    ([256, 69], ['a', 'b', 'c'], True)
    """
    adapter = adapter_of(tokenizer)
    planned = plan(adapter, dialect, learned)
    if not planned.missing:
        same: T = adapter.copy()
        return same
    check_probe(ExactTokenizer(adapter.ordinary(planned.held)))
    reused = _reused(adapter, planned, special_tokens(dialect), _choice(tokenizer, reuse_ids, corpus, dialect))
    extended: T = tokenizer
    if reused:
        extended = adapter.reusing(reused)
        _check_reused(adapter_of(extended), reused)
    taken = set(reused.values())
    appended = [token for token in planned.missing if token not in taken]
    if appended:
        extended = adapter_of(extended).extended(appended)
        _check_ids(adapter_of(extended), appended)
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


Choice = Callable[[int], Sequence[int]]
"""So many ids to reuse at most, those first that can best be given up."""


def _choice(tokenizer: Any, reuse_ids: int | Sequence[int], corpus: Iterable[str] | None, dialect: str | Path | Dialect) -> Choice:
    if not isinstance(reuse_ids, int):
        return lambda most: checked_ids(tokenizer, reuse_ids[:most])
    if reuse_ids < 0:
        raise TokenizerError(f"reuse_ids is {reuse_ids}, not a number of ids")
    if not reuse_ids:
        return lambda most: ()
    if corpus is None:
        hint = "give the corpus as well: texts such as the model is to read and write, in all its languages"
        raise TokenizerError("which ids are rare depends on a corpus", hint=hint)
    return lambda most: rarest_ids(tokenizer, corpus, min(reuse_ids, most), dialect=dialect)


def _reused(adapter: Adapter, planned: Plan, grammar: Sequence[str], choice: Choice) -> dict[int, str]:
    """What becomes of the ids that are reused: the mark, if the vocabulary has none, and new tokens.

    An extension is recognised by the order of its grammar tokens. So those that come later get ids after all others.
    """
    tokens = [token for token in planned.missing if token not in grammar] if planned.held else list(planned.missing)
    if not tokens:
        return {}
    marks = [] if ReuseMark.of(adapter.added) is not None else [_mark(adapter, planned.held).text]
    ids = choice(len(tokens) + len(marks))
    if len(ids) <= len(marks):
        return {}
    used = [*tokens[: len(ids) - len(marks)], *marks]
    return dict(zip(sorted(ids), used, strict=True))


def _mark(adapter: Adapter, held: Sequence[str]) -> ReuseMark:
    """The mark of a vocabulary that may hold an extension after its last id already."""
    added = adapter.added
    size = min((added[token] for token in held), default=adapter.size)
    return ReuseMark(size, frozenset(number for number in adapter.fixed if number < size))


def _check_reused(adapter: Adapter, reused: dict[int, str]) -> None:
    added = adapter.added
    if any(added.get(token) != number for number, token in reused.items()):
        raise TokenizerError("the library cannot give new tokens the ids of others", hint="extend the tokenizer without reuse_ids")


def _check_ids(adapter: Adapter, tokens: Sequence[str]) -> None:
    added = adapter.added
    ids = [added.get(token) for token in tokens]
    if None in ids or ids != list(range(ids[0] or 0, (ids[0] or 0) + len(ids))):
        hint = "the ids of its vocabulary have holes; add a token of your own first, which takes the place of the last hole"
        raise TokenizerError("the library cannot give this tokenizer new ids", hint=hint)
