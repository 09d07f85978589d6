"""Broken files: encoding and decoding raise errors of ours or succeed, and every error lies inside the text."""

from __future__ import annotations

from random import Random

import pytest

import transpiler
from simpy_grammar.errors import SimPyError
from tests.broken_texts import LIBRARY, check_python, check_simpy, excerpts, mutated, mutated_bytes
from tests.helpers import CONVERTED, GRAMMATICAL

COUNT = 60
FILES = sorted(LIBRARY.glob("*.py"))


@pytest.mark.parametrize("seed", range(4))
def test_broken_python(seed: int) -> None:
    random = Random(seed)
    texts = excerpts(FILES, random, 30)
    for _ in range(COUNT):
        check_python(mutated(next(texts), random))


def test_broken_bytes() -> None:
    random = Random("bytes")
    texts = excerpts(FILES, random, 30)
    for _ in range(COUNT):
        check_python(mutated_bytes(next(texts).encode(), random), ("classic",))


@pytest.mark.parametrize("dialect", CONVERTED)
def test_broken_simpy(dialect: str) -> None:
    random = Random(dialect)
    texts = excerpts(FILES, random, 30)
    done = 0
    while done < 2 * COUNT:
        try:
            simpy = transpiler.encode(next(texts), dialect=dialect, verify=False)
        except SimPyError:
            continue  # an excerpt that ends inside a statement
        for _ in range(4):
            check_simpy(mutated(simpy, random), dialect, random)
            done += 1


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_simpy_of_another_dialect(dialect: str) -> None:
    random = Random(dialect)
    texts = excerpts(FILES, random, 10)
    for _ in range(COUNT):
        for other in CONVERTED:
            check_simpy(transpiler.encode_beginning(next(texts), other).simpy, dialect, random)
