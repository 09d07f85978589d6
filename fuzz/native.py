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
from simpy_grammar.aliases import spelled
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
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


def compare(text: str, source: str, target: str, pieces: list[str], width: int | None = 88, *, alone: bool = False) -> None:
    """What both ways make of a text of one dialect in another, whole and in pieces.

    Args:
        text: the text.
        source: its dialect.
        target: the dialect to write.
        pieces: the same text, cut.
        width: for Python.
        alone: run the native core and compare nothing: what runs under sanitizers is slow enough.

    Raises:
        AssertionError: they differ.

    >>> compare("<return>a", "classic", "dense", ["<ret", "urn>a"])
    """
    old, new = Dialect.load(source), Dialect.load(target)
    if alone:
        _run_core(text, old, new, pieces, width)
        return
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


def _run_core(text: str, old: Dialect, new: Dialect, pieces: list[str], width: int | None) -> None:
    native_conversion.converted(text, old, new, width)
    native_conversion.read(text, old, located=True)
    native_conversion.same_stream(text, old, text, old)
    converter = native_conversion.converter(old, new, width, "  ", "")
    if converter is None:
        return
    for piece in pieces:
        if core.feed(converter, piece) is None:
            return
    core.position(converter)
    core.finish(converter, "")


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
    return stream.terminals, stream.texts, stream.starts, [*map(spelled, stream.texts)]


def run_seeds() -> int:
    """Run the core over the test cases, for valgrind: whole and in pieces; how many there are."""
    from fuzz import corpus, properties  # they import this

    properties.native_alone = True
    count = 0
    for name in ("native_decode", "native_encode"):
        for data in corpus.seeds(name):
            properties.TARGETS[name](data)
            count += 1
    return count


if __name__ == "__main__":
    print(f"{run_seeds()} inputs")
