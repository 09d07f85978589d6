"""Programs that are nearly the same: MinHash of ``datasketch`` over runs of lexemes, in the order of the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import compress
from zlib import crc32

import numpy as np
from datasketch import MinHash, MinHashLSH

from simpy_corpus.canonical import Canonical

PERMUTATIONS = 128
_RUN = 5  # lexemes
_AT_ONCE = 4_096  # runs whose permutations are in memory together: 4 MB
_FACTORS = np.array([pow(0x9E3779B97F4A7C15, i, 1 << 64) | 1 for i in range(1, _RUN + 1)], dtype=np.uint64)
_LOW = np.uint64(0xFFFFFFFF)


def signature(program: Canonical) -> bytes:
    """The MinHash signature of a program: equal for programs with the same runs of five lexemes.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import read_stream
    >>> len(signature(Canonical(b"a", [""]))) == PERMUTATIONS * 8
    True
    """
    minhash = _minhash()
    minhash.clear()
    runs = _runs(program)
    for at in range(0, len(runs), _AT_ONCE):
        minhash.update_batch(runs[at : at + _AT_ONCE])
    return np.asarray(minhash.hashvalues, dtype=np.uint64).tobytes()


def find(programs: Iterable[tuple[int, bytes]], similarity: float) -> Iterator[tuple[int, int, float]]:
    """The programs that are nearly the same as an earlier one that is kept.

    Args:
        programs: number and signature of each, in the order of the corpus.
        similarity: the least share of equal runs, as the signatures estimate it.

    Yields:
        The number of a program, that of the earlier one that is most like it, and the share.
    """
    index = MinHashLSH(threshold=similarity, num_perm=PERMUTATIONS)
    kept: dict[int, bytes] = {}
    minhash = _minhash()
    for number, values in programs:
        minhash.hashvalues = np.frombuffer(values, dtype=np.uint64)
        best, share = -1, 0.0
        for other in sorted(index.query(minhash)):
            found = float(np.mean(np.frombuffer(values, dtype=np.uint64) == np.frombuffer(kept[other], dtype=np.uint64)))
            if found >= similarity and found > share:
                best, share = other, found
        if best >= 0:
            yield number, best, share
        else:
            index.insert(number, minhash)
            kept[number] = values


@cache
def _minhash() -> MinHash:
    """The one that is filled again and again: making its permutations takes longer than most programs do."""
    return MinHash(num_perm=PERMUTATIONS, hashfunc=int)


def _runs(program: Canonical) -> list[int]:
    """A 32-bit hash of each run of five lexemes, each run once; of a shorter program, of the whole."""
    lexemes = list(program.terminals)
    for i in compress(range(len(lexemes)), program.has_text):
        lexemes[i] = crc32(program.texts[i].encode(), lexemes[i])
    lexemes += [0] * (_RUN - len(lexemes))
    hashes = np.array(lexemes, dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = (np.lib.stride_tricks.sliding_window_view(hashes, _RUN) * _FACTORS).sum(axis=1, dtype=np.uint64)
    found: list[int] = np.unique((mixed >> np.uint64(29)) & _LOW).tolist()
    return found
