"""Safe encoding: SimPy text to ids and back, so that only the grammar becomes grammar ids. Where added tokens stand is told
by ``tokenizer_ext.scan``; how a library makes ids of ordinary text by ``tokenizer_ext.kinds``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.kinds import Plain, kind_of
from tokenizer_ext.scan import Scanner
from tokenizer_ext.spelling import own_tokens

_REMEMBERED = 200_000  # texts between added tokens whose ids are kept
_SHORT = 64  # characters; longer texts do not come again


class Codec:
    """SimPy text to ids and back.

    Text between added tokens is given to the tokenizer as one, so that it merges across lexemes (``);``). In literals and
    comments nothing is an added token, neither those of ``extend`` nor the tokenizer's own (``</s>``), and nothing is
    normalised. So ids give back exactly the text. For a program whose literals and comments spell no token the ids are
    those that the tokenizer itself gives, with three exceptions, each where the tokenizer would not give back the text:
    learned tokens are not cut out of longer names and operators; a tokenizer that normalises Unicode or holds single
    characters as broken added tokens; one that puts a space before text only where none stands.

    Args:
        tokenizer: one that ``extend`` has extended.
        dialect: the dialect of the texts.

    Raises:
        TokenizerError: the tokenizer has not been extended, or is of no kind that can be.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=r"[^<]+|<", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> codec = Codec(extend(bytes_only))
    >>> codec.encode('x="<if>"<if>y'), codec.decode(codec.encode('x="<if>"<if>y'))
    ([120, 61, 34, 60, 105, 102, 62, 34, 289, 121], 'x="<if>"<if>y')
    """

    def __init__(self, tokenizer: Any, *, dialect: str | Path | Dialect = "classic") -> None:
        chosen = Dialect.load(dialect)
        kind = kind_of(tokenizer)
        added = kind.added
        own = own_tokens(added, chosen)
        if not own:
            raise TokenizerError("the tokenizer holds no grammar tokens", hint="extend it first: tokenizer_ext.extend(tokenizer)")
        self._set(chosen, own, kind.plain(list(own)), {number: text for text, number in added.items()})

    @classmethod
    def of(cls, dialect: Dialect, tokens: Sequence[str], plain: Plain) -> Codec:
        """A codec for counting, without the extended tokenizer: its tokens have ids below zero."""
        codec = cls.__new__(cls)
        own = {token: -1 - i for i, token in enumerate(tokens)}
        codec._set(dialect, own, plain, {number: text for text, number in own.items()})
        return codec

    def _set(self, dialect: Dialect, own: dict[str, int], plain: Plain, texts: dict[int, str]) -> None:
        self.dialect = dialect
        self.own = own
        self._texts = texts
        self._scanner = Scanner(own, dialect)
        self._plain = plain
        self._ids: dict[str, list[int]] = {"": []}
        self._long: Sequence[str] = ()  # those of the last text that will not come again

    def encode(self, simpy: str) -> list[int]:
        """The ids of a SimPy text.

        Raises:
            TokenizerError: the vocabulary has no token for some character.
        """
        ids: list[int] = []
        pieces = self._pieces(simpy)
        self._load(pieces[::2])
        known, own = self._ids, self.own
        for i in range(0, len(pieces) - 1, 2):
            ids += known[pieces[i]]
            ids.append(own[pieces[i + 1]])
        ids += known[pieces[-1]]
        if self._plain.unknown is not None and self._plain.unknown in ids:
            char = next(char for char in simpy if self._plain.unknown in self._plain.encode([char])[0])
            raise TokenizerError(f"the vocabulary has no token for {char!r}", hint="use a vocabulary with bytes to fall back on")
        return ids

    def count(self, simpy: str) -> int:
        """How many ids ``encode`` gives.

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
        return "".join(self._decoded(ids))

    def spans(self, simpy: str) -> list[tuple[int, int]]:
        """For each id of ``encode``, the characters that it stands for."""
        spans: list[tuple[int, int]] = []
        at = 0
        for i, piece in enumerate(self._pieces(simpy)):
            if i % 2:
                spans.append((at, at + len(piece)))
            elif piece:
                spans += ((at + start, at + end) for start, end in self._plain.spans(piece))
            at += len(piece)
        return spans

    def _pieces(self, simpy: str) -> list[str]:
        """Ordinary text, added token, ordinary text, ..., ordinary text."""
        pieces: list[str] = []
        at = 0
        for start, end in self._scanner.find(simpy):
            pieces.append(simpy[at:start])
            pieces.append(simpy[start:end])
            at = end
        pieces.append(simpy[at:])
        return pieces

    def _load(self, texts: Sequence[str]) -> None:
        """Make the ids of texts that are not known yet, all at once."""
        known = self._ids
        if len(known) > _REMEMBERED:
            self._ids = known = {"": []}
        else:
            for text in [text for text in self._long if text in known]:
                del known[text]
        new = [text for text in dict.fromkeys(texts) if text not in known]
        self._long = [text for text in new if len(text) > _SHORT]
        for text, ids in zip(new, self._plain.encode(new), strict=True):
            known[text] = ids

    def _decoded(self, ids: Sequence[int]) -> Iterator[str]:
        texts = self._texts
        run: list[int] = []
        for number in ids:
            if number in texts:
                if run:
                    yield self._plain.decode(run)
                    run = []
                yield texts[number]
            else:
                run.append(number)
        if run:
            yield self._plain.decode(run)
