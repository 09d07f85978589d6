"""A constraint: the programs that a tokenizer can write in a dialect, one id at a time."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path as FilePath
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.terminals import Version
from tokenizer_ext.constrain.engine import Engine
from tokenizer_ext.constrain.states import State
from tokenizer_ext.constrain.utf8 import WHOLE
from tokenizer_ext.errors import error_at


class Constraint:
    """What a model may write: the programs of a dialect, in the ids of a tokenizer.

    Making one reads the vocabulary and, if that is large, the tables of the lexer's states: from the cache, or they are made now, in some
    seconds. It may be shared, but not by threads.

    Args:
        tokenizer: one that ``tokenizer_ext.extend`` has extended for the dialect; any if the dialect is Python.
        dialect: the dialect; the masks of ``python`` and of ``compact`` are the same: any layout of Python may be written.
        ends: the ids that end a text; those that the tokenizer names if they are not given.
        valid_python: refuse also what the grammar takes and CPython does not; see docs/rules.md.
        version: the Python that has to read what is written, such as ``(3, 11)``; ``None`` for any.

    Attributes:
        dialect: the dialect.
        vocabulary: the ids and what they stand for.
        valid_python: whether the rules of valid Python hold, too.

    Raises:
        TokenizerError: the tokenizer has not been extended for this dialect, or no adapter accepts it.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> constraint = Constraint(extend(bytes_only))
    >>> state = constraint.start("<return>f(a")
    >>> ord("b") in state.mask(), ord(")") in state.mask(), ord("]") in state.mask(), state.may_end()
    (True, True, False, False)
    >>> state.advance(ord(")")).may_end(), state.may_end()
    (True, False)
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        dialect: str | FilePath | Dialect = "classic",
        ends: Collection[int] | None = None,
        valid_python: bool = False,
        version: Version | None = None,
    ) -> None:
        self.dialect = Dialect.load(dialect)
        self.valid_python = valid_python
        self._engine = Engine(tokenizer, self.dialect, ends, valid_python=valid_python, version=version)
        self.vocabulary = self._engine.vocabulary

    def start(self, prefix: str = "") -> State:
        """The state after a text, which may stop anywhere: inside a name, a string, a comment, a block.

        Raises:
            TokenizerError: the text is not the beginning of a program; the error says where.
        """
        readings, _, at = self._engine.through(self._engine.beginning, prefix, None)
        if at < len(prefix):
            raise error_at(
                prefix,
                at,
                f"this is not the beginning of a program in the dialect {self.dialect.name}",
                hint=self._engine.hint(readings, self._engine.special_at(prefix, at)),
            )
        return State(self._engine, readings, WHOLE, bool(self.vocabulary.dummy) and not prefix)
