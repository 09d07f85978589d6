"""Safe encoding of Python, which needs no tokens of a grammar; and the codec of any dialect, which ``codec_for`` gives.

The codec of SimPy is ``tokenizer_ext.codec``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import PYTHON, Dialect
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.codec import Codec
from tokenizer_ext.errors import cannot_carry
from tokenizer_ext.exact import ExactTokenizer, check_probe
from tokenizer_ext.grammar_tokens import extension_tokens


class PlainCodec:
    """Python to ids and back. They give back exactly the text, and none is an added token, whatever the text spells.

    Args:
        tokenizer: any that ``tokenizer_ext.extend`` takes, extended or not.
        dialect: ``python`` or ``compact``.

    Attributes:
        dialect: the dialect of the texts.

    Raises:
        TokenizerError: no adapter accepts the tokenizer, or it loses characters that every program has.

    >>> import tiktoken
    >>> ranks = {bytes([i]): i for i in range(256)}
    >>> codec = PlainCodec(tiktoken.Encoding("bytes", pat_str=r"[^<]+|<", mergeable_ranks=ranks, special_tokens={"<end>": 256}))
    >>> codec.encode("'<end>'"), codec.decode([120, 256])
    ([39, 60, 101, 110, 100, 62, 39], 'x<end>')
    """

    def __init__(self, tokenizer: Any, *, dialect: str | Path | Dialect = PYTHON) -> None:
        self.dialect = Dialect.load(dialect)
        adapter = adapter_of(tokenizer)
        own = extension_tokens(adapter.added)
        ordinary = adapter.ordinary(list(own))
        self._texts = {**ordinary.control, **{number: text for text, number in own.items()}}
        self._exact = ExactTokenizer(ordinary, own.values())
        check_probe(self._exact)

    def encode(self, python: str) -> list[int]:
        """The ids of a text.

        Raises:
            TokenizerError: the vocabulary cannot carry a character of the text; the error says where.
        """
        (ids,) = self._exact.encode([python])
        lost = self._exact.lost.get(python)
        self._exact.forget([python])
        if lost is not None:
            raise cannot_carry(python, lost)
        return ids

    def spans(self, python: str) -> list[tuple[int, int]]:
        """For each id of ``encode``, the characters that it stands for.

        >>> import tiktoken
        >>> ranks = {bytes([i]): i for i in range(256)}
        >>> PlainCodec(tiktoken.Encoding("bytes", pat_str=r".|\\s", mergeable_ranks=ranks, special_tokens={})).spans("x=1")
        [(0, 1), (1, 2), (2, 3)]
        """
        self._exact.encode([python])
        found = self._exact.spans(python)
        self._exact.forget([python])
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; added tokens stand as their text."""
        return "".join(self._exact.decoded(ids, self._texts))


def codec_for(tokenizer: Any, dialect: str | Path | Dialect) -> Codec | PlainCodec:
    """The codec of a dialect: ``PlainCodec`` for those that are Python, ``Codec`` for SimPy.

    Args:
        tokenizer: extended for the dialect, unless that is Python.
        dialect: the dialect.

    Raises:
        TokenizerError: see ``Codec`` and ``PlainCodec``.
        DialectError: there is no such dialect.
    """
    chosen = Dialect.load(dialect)
    return PlainCodec(tokenizer, dialect=chosen) if chosen.is_python else Codec(tokenizer, dialect=chosen)
