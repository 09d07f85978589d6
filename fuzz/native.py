"""The native core against the Python path, byte for byte: results, errors with their places, and what each piece of a text settles.

Where the core gives nothing, the Python path has to say why; that it seldom does so without a reason is up to ``test_native_core.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any
from unittest.mock import patch

import transpiler
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from transpiler import native_conversion
from transpiler.conversion import located_stream, read_stream
from transpiler.streams import Conversion

TARGETS = ("classic", "dense", "dense-newline", "dense-spaced", "dense-open", "dense-aliases-4", COMPACT, PYTHON)


@contextmanager
def pure_python() -> Iterator[None]:
    """Convert on the Python path within this.

    >>> with pure_python():
    ...     transpiler.encode("return a")
    '<return>a'
    """
    with patch.object(native_conversion, "core", None):
        yield


def compare(text: str, source: str, target: str, pieces: list[str], width: int | None = 88) -> None:
    """What both ways make of a text of one dialect in another, whole and in pieces.

    Raises:
        AssertionError: they differ.

    >>> compare("<return>a", "classic", "dense", ["<ret", "urn>a"])
    """
    old, new = Dialect.load(source), Dialect.load(target)
    ways: tuple[Callable[[], object], ...] = (
        lambda: _written(text, old, new, width),
        lambda: _in_pieces(pieces, old, new, width),
        lambda: _located(text, old),
    )
    for way in ways:
        native = way()
        with pure_python():
            pure = way()
        assert native == pure, f"{source} to {target}, pieces {pieces!r}\nnative: {native!r}\npure:   {pure!r}"


def choices(data: bytes) -> tuple[str, int | None]:
    """The dialect and the width that the first of some bytes asks for.

    >>> choices(b"\\0")
    ('classic', 88)
    """
    first = data[0] if data else 0
    return tuple(product(TARGETS, (88, 20, None)))[first * 3 % 24 + first // 8 % 3]


def _written(text: str, old: Dialect, new: Dialect, width: int | None) -> object:
    try:
        return transpiler.convert(text, source=old, target=new, width=width, verify=False)
    except SimPyError as error:
        return type(error), str(error)


def _in_pieces(pieces: list[str], old: Dialect, new: Dialect, width: int | None) -> object:
    conversion = Conversion(old, new, width=width)
    found: list[Any] = []
    try:
        found += map(conversion.feed, pieces)
        found.append(conversion.close())
    except SimPyError as error:
        found.append((type(error), str(error)))
    return found, conversion.position


def _located(text: str, old: Dialect) -> object:
    try:
        read_stream(text, old)  # for its errors
    except SimPyError as error:
        return type(error), str(error)
    stream = located_stream(text, old)
    return stream.terminals, stream.texts, stream.starts
