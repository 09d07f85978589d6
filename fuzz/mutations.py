"""Inputs that depend on a seed only: the same ones on every machine, whatever the code does with them.

A search that is guided by coverage draws other inputs as soon as any line of the code changes, so it suits a search and not a
check. These are drawn without asking what they reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

_MOST = 4  # mutations of one input


def inputs(start: list[bytes], words: list[bytes], *, seed: int, longest: int) -> Iterator[bytes]:
    """Every input of ``start``, then mutations of them without end.

    Args:
        start: at least one input.
        words: texts that mutations put in, at least one.
        seed: of the random choices.
        longest: bytes of a mutated input; what is longer is cut.

    >>> from itertools import islice
    >>> drawn = list(islice(inputs([b"x=1"], [b"<in>"], seed=1, longest=8), 100))
    >>> drawn == list(islice(inputs([b"x=1"], [b"<in>"], seed=1, longest=8), 100)), len(set(drawn)) > 50
    (True, True)
    """
    yield from start
    random = Random(seed)
    while True:
        data = random.choice(start)
        for _ in range(random.randint(1, _MOST)):
            data = random.choice(_MUTATIONS)(data, random.choice(words), random.choice(start), random)
        yield data[:longest]


def _erase(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    start, end = _range(data, random)
    return data[:start] + data[end:]


def _insert(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + word + data[at:]


def _overwrite(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    start, end = _range(data, random)
    return data[:start] + word + data[end:]


def _change(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + bytes((random.randrange(256),)) + data[at + random.randint(0, 1) :]


def _repeat(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    start, end = _range(data, random)
    return data[:end] + data[start:end] * random.randint(1, 3) + data[end:]


def _move(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    start, end = _range(data, random)
    rest = data[:start] + data[end:]
    at = random.randint(0, len(rest))
    return rest[:at] + data[start:end] + rest[at:]


def _cross(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one input, the end of another."""
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _graft(data: bytes, word: bytes, other: bytes, random: Random) -> bytes:
    """A part of another input."""
    start, end = _range(other, random)
    at = random.randint(0, len(data))
    return data[:at] + other[start:end] + data[at:]


def _range(data: bytes, random: Random) -> tuple[int, int]:
    """A part of the data, most often a short one."""
    start = random.randint(0, len(data))
    longest = random.choice((1, 1, 4, 16, 64))
    return start, min(len(data), start + random.randint(1, longest))


_MUTATIONS: tuple[Callable[[bytes, bytes, bytes, Random], bytes], ...] = (
    _erase,
    _insert,
    _insert,
    _overwrite,
    _change,
    _repeat,
    _move,
    _cross,
    _graft,
)
