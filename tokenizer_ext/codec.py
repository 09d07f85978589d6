"""Safe encoding: SimPy text to ids and back, so that only the grammar becomes grammar ids.

``tokenizer_ext.token_finder`` knows where added tokens stand, ``tokenizer_ext.exact`` makes ids of the text between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from tokenizer_ext.adapters import OrdinaryTokenizer, adapter_of
from tokenizer_ext.errors import TokenizerError, cannot_carry, error_at
from tokenizer_ext.exact import ExactTokenizer
from tokenizer_ext.grammar_tokens import extension_tokens, lacking
from tokenizer_ext.token_finder import TokenFinder

_REMEMBERED = 200_000  # texts between added tokens whose ids are kept
_SHORT = 64  # characters; longer texts do not come again


class Codec:
    """SimPy text to ids and back.

    Text between added tokens is given to the tokenizer as one, so that it merges across lexemes (``);``). In literals and comments
    nothing is an added token, neither those of ``extend`` nor the tokenizer's own (``</s>``), and nothing is normalised. Where ``learn``
    was asked for literals, a learned token may hold a string as a whole. So ids give back exactly the text. For a program whose literals
    and comments spell no token the ids are those that the tokenizer itself gives, except where the tokenizer would not give back the
    text. Also, learned tokens are not cut out of longer operators, and out of names only between their parts
    (``simpy_grammar.name_boundaries``), and a tokenizer that puts a blank only before text that has none puts none.

    Args:
        tokenizer: one that ``extend`` has extended, with this release or an earlier one.
        dialect: the dialect of the texts.

    Attributes:
        dialect: the dialect of the texts.
        own: the tokens of the extension, with their ids.
        missing: the special tokens of the dialect that the vocabulary lacks: it was extended by a release that did not have
            them. Only a text that needs one is an error.

    Raises:
        TokenizerError: the tokenizer has not been extended for this dialect, or no adapter accepts it.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=r"[^<]+|<", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> codec = Codec(extend(bytes_only))
    >>> codec.encode('x="<if>"<if>y'), codec.decode(codec.encode('x="<if>"<if>y'))
    ([120, 61, 34, 60, 105, 102, 62, 34, 289, 121], 'x="<if>"<if>y')
    """

    def __init__(self, tokenizer: Any, *, dialect: str | Path | Dialect = "classic") -> None:
        chosen = Dialect.load(dialect)
        adapter = adapter_of(tokenizer)
        own = extension_tokens(adapter.added, chosen)
        if not own:
            raise TokenizerError("the tokenizer holds no grammar tokens", hint="extend it first: tokenizer_ext.extend(tokenizer)")
        missing = lacking(list(own), chosen)
        if missing is None:
            raise TokenizerError(
                f"the tokenizer has been extended for another dialect than {chosen.name}", hint="name the dialect it was extended for"
            )
        self._set(chosen, own, missing, adapter.ordinary(list(own)))

    @classmethod
    def for_counting(cls, dialect: Dialect, tokens: Sequence[str], ordinary: OrdinaryTokenizer, before: Codec | None = None) -> Codec:
        """A codec without the extended tokenizer: its tokens have ids below zero. It knows what one before it has counted."""
        codec = cls.__new__(cls)
        codec._set(dialect, {token: -1 - i for i, token in enumerate(tokens)}, (), ordinary)
        if before is not None:
            codec._exact, codec._ids, codec._long = before._exact, before._ids, before._long
        return codec

    def _set(self, dialect: Dialect, own: dict[str, int], missing: tuple[str, ...], ordinary: OrdinaryTokenizer) -> None:
        self.dialect = dialect
        self.own = own
        self.missing = missing
        self._texts = {**ordinary.control, **{number: text for text, number in own.items()}}
        self._finder = TokenFinder([*own, *missing], dialect)
        self._exact = ExactTokenizer(ordinary, own.values())
        self._ids: dict[str, list[int]] = {"": []}
        self._long: Sequence[str] = ()  # those of the last text that will not come again

    def encode(self, simpy: str) -> list[int]:
        """The ids of a SimPy text.

        Raises:
            TokenizerError: the vocabulary cannot carry a character of the text, or lacks a token that the text needs; the
                error says where.
        """
        ids: list[int] = []
        pieces = self._pieces(simpy)
        self._load(pieces[::2])
        if self._exact.lost:
            self._check(simpy, pieces)
        known, own = self._ids, self.own
        for i in range(0, len(pieces) - 1, 2):
            ids += known[pieces[i]]
            ids.append(own[pieces[i + 1]])
        ids += known[pieces[-1]]
        return ids

    def count(self, simpy: str) -> int:
        """How many ids ``encode`` gives. A character that the vocabulary cannot carry counts as what the tokenizer makes of it.

        Raises:
            TokenizerError: the vocabulary lacks a token that the text needs.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> ranks = {bytes([i]): i for i in range(256)}
        >>> Codec(extend(tiktoken.Encoding("bytes", pat_str=r".+|\\s+", mergeable_ranks=ranks, special_tokens={}))).count("<return>ab")
        3
        """
        pieces = self._pieces(simpy)
        self._load(pieces[::2])
        known = self._ids
        return len(pieces) // 2 + sum([len(known[text]) for text in pieces[::2]])

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; special tokens of the tokenizer itself stand as their text."""
        return "".join(self._exact.decoded(ids, self._texts))

    def spans(self, simpy: str) -> list[tuple[int, int]]:
        """For each id of ``encode``, the characters that it stands for.

        Raises:
            TokenizerError: the vocabulary lacks a token that the text needs.
        """
        pieces = self._pieces(simpy)
        self._load(pieces[::2])
        spans: list[tuple[int, int]] = []
        at = 0
        for i, piece in enumerate(pieces):
            if i % 2:
                spans.append((at, at + len(piece)))
            elif piece:
                spans += ((at + start, at + end) for start, end in self._exact.spans(piece))
            at += len(piece)
        return spans

    def _pieces(self, simpy: str) -> list[str]:
        """Ordinary text, added token, ordinary text, ..., ordinary text."""
        pieces = self._finder.pieces(simpy)
        if self.missing:
            self._check_tokens(simpy, pieces)
        return pieces

    def _check_tokens(self, simpy: str, pieces: Sequence[str]) -> None:
        at = 0
        for i, piece in enumerate(pieces):
            if i % 2 and piece not in self.own:
                hint = "extend it again: tokenizer_ext.extend adds what it lacks after its last id, and the model needs new rows"
                raise error_at(simpy, at, f"the vocabulary lacks the token {piece}: it was extended by an earlier release", hint=hint)
            at += len(piece)

    def _check(self, simpy: str, pieces: Sequence[str]) -> None:
        at = 0
        for i, piece in enumerate(pieces):
            if not i % 2 and piece in self._exact.lost:
                raise cannot_carry(simpy, at + self._exact.lost[piece])
            at += len(piece)

    def _load(self, texts: Sequence[str]) -> None:
        """Make the ids of texts that are not known yet, all at once."""
        known = self._ids
        if len(known) > _REMEMBERED:
            self._ids = known = {"": []}
            self._exact.forget()
        else:
            for text in [text for text in self._long if text in known]:
                del known[text]
            self._exact.forget(self._long)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        self._long = [text for text in new if len(text) > _SHORT]
        if new:
            known.update(zip(new, self._exact.encode(new), strict=True))
