"""A mask: which ids of a vocabulary may come next, one bit each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any


class Remembered:
    """What an operation makes of two numbers of many bits. For the same objects it is the same object, so that it need not be hashed.

    Args:
        operation: the operation.
        most: how many numbers may be kept.

    >>> union = Remembered(int.__or__, 100)
    >>> one, other = 1 << 99, 3
    >>> union(one, other) == one + other, union(one, other) is union(one, other)
    (True, True)
    """

    __slots__ = ("_known", "_most", "_operation")

    def __init__(self, operation: Callable[[int, int], int], most: int) -> None:
        self._operation = operation
        self._most = most // 2  # what an operation makes, and mostly one of what it is made of
        self._known: dict[tuple[int, int], tuple[int, int, int]] = {}

    def __call__(self, one: int, other: int) -> int:
        """What the operation makes of two numbers."""
        key = id(one), id(other)
        known = self._known.get(key)
        if known is not None:  # it keeps the numbers, so that no other ones have their identities
            return known[2]
        if len(self._known) > self._most:
            self._known.clear()
        found = self._operation(one, other)
        self._known[key] = one, other, found
        return found


class Mask:
    """Ids that may come next. Bit ``id % 8`` of byte ``id // 8`` says whether an id may; the bytes are a multiple of four.

    Args:
        bits: the ids as the bits of a number.
        size: how many ids there are.

    Attributes:
        bits: the same.
        packed: the bits. They are shared with the views, and are not to be changed.
        size: how many ids there are.

    >>> mask = Mask(0b1010, 40)
    >>> 1 in mask, 2 in mask, list(mask), len(mask), len(mask.packed)
    (True, False, [1, 3], 2, 8)
    """

    __slots__ = ("bits", "packed", "size")

    def __init__(self, bits: int, size: int) -> None:
        self.bits = bits
        self.size = size
        self.packed = bytearray(bits.to_bytes((size + 31) // 32 * 4, "little"))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 0 <= number < self.size and bool(self.packed[number >> 3] >> (number & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        for at, byte in enumerate(self.packed):
            while byte:
                lowest = byte & -byte
                yield 8 * at + lowest.bit_length() - 1
                byte ^= lowest

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __bool__(self) -> bool:
        return self.bits != 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and (self.bits, self.size) == (other.bits, other.size)

    def __hash__(self) -> int:
        return hash((self.bits, self.size))

    def __repr__(self) -> str:
        return f"<mask of {len(self)} of {self.size} ids>"

    def numpy(self) -> Any:
        """The bits as an array of ``numpy``: ``int32``, shape (words,), bit ``id % 32`` of word ``id // 32``. It is a view.

        >>> Mask(0b1010, 40).numpy()
        array([10,  0], dtype=int32)
        """
        import numpy

        view = numpy.frombuffer(self.packed, dtype=numpy.dtype("<i4"))
        view.flags.writeable = False
        return view

    def torch(self) -> Any:
        """The bits as a tensor of ``torch``: ``int32``, shape (words,), bit ``id % 32`` of word ``id // 32``. It is a view."""
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the bytes could be changed
            return torch.frombuffer(self.packed, dtype=torch.int32)
