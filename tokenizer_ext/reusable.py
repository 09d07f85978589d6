"""Ids that a vocabulary can do without: those that a corpus uses least, of those whose text other ids can spell.

What an id decomposes into is answered by ``tokenizer_ext.adapters``; ``tokenizer_ext.extension`` gives the ids to new tokens.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from tokenizer_ext.adapters import OrdinaryTokenizer, adapter_of
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.grammar_tokens import extension_tokens

_BATCH = 256  # texts that are encoded at a time

Parts = Mapping[int, Sequence[Sequence[int]]]
"""For each id that other ids can spell, the ids that it is merged from, in every way in which it is."""


def rarest_ids(
    tokenizer: Any, corpus: Iterable[str], count: int | None = None, *, dialect: str | Path | Dialect = "classic"
) -> tuple[int, ...]:
    """The ids that ``extend(reuse_ids=...)`` may give to new tokens, the rarest in a corpus first.

    An id is among them only if other ids can spell its text: never a byte, a character, a special token or another added
    token. Where longer tokens are merged from it, it comes after all of these. So the ids at the beginning can be given up
    without the others, however many. Of ids that are equally rare the one with the largest number comes first. The same
    corpus gives the same ids.

    Whatever the corpus does not hold counts as rare. So it should hold all that the model is to read and write: prose and
    every language of it, not Python alone.

    Args:
        tokenizer: one that ``extend`` takes.
        corpus: texts.
        count: how many ids, or fewer if there are fewer; all by default.
        dialect: the dialect that the tokenizer has been extended for, if it has been.

    Raises:
        TokenizerError: no adapter accepts the tokenizer, or it is of a kind whose ids cannot be reused.

    >>> import tiktoken
    >>> ranks = {bytes([i]): i for i in range(256)} | {b"ab": 256, b"abc": 257, b"xy": 258}
    >>> tokenizer = tiktoken.Encoding("small", pat_str="[a-z]+", mergeable_ranks=ranks, special_tokens={})
    >>> rarest_ids(tokenizer, ["ab", "ab", "abc", "xy"])
    (258, 257, 256)
    """
    if isinstance(corpus, str):
        raise TokenizerError("the corpus is one text, not several", hint="give a list of texts")
    adapter = adapter_of(tokenizer)
    own = extension_tokens(adapter.added, dialect)
    used = _count(adapter.ordinary(list(own)), corpus)
    return tuple(islice(_given_up(adapter.parts(), adapter.fixed, used), count))


def checked_ids(tokenizer: Any, ids: Sequence[int]) -> Sequence[int]:
    """Ids that can be given up one after the other.

    Raises:
        TokenizerError: the text of one of them cannot be spelled without it, or a longer token is merged from it.
    """
    hint = "take ids from tokenizer_ext.rarest_ids, as many as you like from its beginning"
    adapter = adapter_of(tokenizer)
    parts, fixed = adapter.parts(), adapter.fixed
    uses = _uses(parts)
    given: set[int] = set()
    for number in ids:
        if number in given:
            raise TokenizerError(f"the id {number} is to be reused twice", hint=hint)
        if number not in parts or number in fixed:
            raise TokenizerError(f"the id {number} cannot be reused: no other ids spell its text", hint=hint)
        if uses[number]:
            raise TokenizerError(f"the id {number} cannot be reused: a longer token is merged from it", hint=hint)
        given.add(number)
        for part in _used_by(parts[number]):
            uses[part] -= 1
    return ids


def _count(ordinary: OrdinaryTokenizer, corpus: Iterable[str]) -> Counter[int]:
    used: Counter[int] = Counter()
    texts = iter(corpus)
    while batch := [text.encode("utf-8", "replace").decode() for text in islice(texts, _BATCH)]:
        for ids in ordinary.encode(batch):
            used.update(ids)
    return used


def _given_up(parts: Parts, fixed: Collection[int], used: Counter[int]) -> Iterator[int]:
    """Ids, rarest first, each after those that are merged from it. Text that needed an id counts for its parts from then on."""
    uses = _uses(parts)
    leaves = [(used[number], -number) for number in parts if not uses[number] and number not in fixed]
    heapq.heapify(leaves)
    while leaves:
        rare, negative = heapq.heappop(leaves)
        yield -negative
        ways = parts[-negative]
        for part in ways[0]:
            used[part] += rare
        for part in _used_by(ways):
            uses[part] -= 1
            if not uses[part] and part in parts and part not in fixed:
                heapq.heappush(leaves, (used[part], -part))


def _uses(parts: Parts) -> Counter[int]:
    """For each id, in how many merges it is used."""
    return Counter(part for ways in parts.values() for part in _used_by(ways))


def _used_by(ways: Sequence[Sequence[int]]) -> Iterator[int]:
    return (part for way in ways for part in set(way))
