"""The verb of the test suite: ``assert_round_trip``. The tests decide what to call it on."""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
import warnings
from collections.abc import Iterable, Iterator

import transpiler
from simpy_grammar.dialect import BUILT_IN, COMPACT, Dialect
from transpiler.source import read_source

SPACED = tuple(name for name in BUILT_IN if name.endswith("-spaced"))
"""The dialects with the blanks of Python: for training and measuring, and so in the tests of nothing but conversion."""

OPEN = tuple(name for name in BUILT_IN if Dialect.load(name).is_open)
"""The dialects that leave out closing brackets: no grammar on its own and no mask describes them."""

GRAMMATICAL = tuple(name for name in BUILT_IN if name not in SPACED)
"""The other dialects that have a grammar of their own, which ``compact``, being Python, has not."""

CLOSED = tuple(name for name in GRAMMATICAL if name not in OPEN)
"""Those of them whose texts the rules of the grammar describe."""

ALL = (*GRAMMATICAL, COMPACT)
"""The dialects that everything is tested with."""

ALIASED = "dense-aliases-64"
"""A dialect with aliases of names. Conversion is tested with it; DualCode and engines refuse it."""

CONVERTED = (*ALL, ALIASED)
"""The dialects that conversion is tested with."""

CHUNKINGS = (1, 7, 64)
"""Lengths of the pieces in which a text is streamed."""


def assert_round_trip(source: str | bytes, dialects: Iterable[str] = CONVERTED, *, chunkings: Iterable[int] = CHUNKINGS) -> None:
    """Show that nothing of a program is lost in any dialect, and that streaming it in either direction gives the same.

    The syntax tree and the comments are compared where this interpreter can read the program; encoding the result again
    must give the same text in any case.
    """
    text = read_source(source)
    expected = dump(text)
    comments = comments_of(text) if expected is not None else None
    for dialect in dialects:
        simpy = transpiler.encode(source, dialect=dialect, verify=False)
        # Decoding ``compact`` proves that the trees are equal, which needs an interpreter that can read the program.
        python = streamed((simpy,), dialect) if expected is None else transpiler.decode(simpy, dialect=dialect)
        where = f"in {dialect}:\n{simpy}\n-- decodes to\n{python}"
        if expected is not None:
            assert dump(python) == expected, f"another syntax tree {where}"
        if comments is not None:
            assert comments_of(python) == comments, f"other comments {where}"
        assert transpiler.encode(python, dialect=dialect, verify=False) == simpy, f"not canonical {where}"
        for length in chunkings:
            assert streamed(pieces_of(simpy, length), dialect) == python, f"decoded in pieces of {length}, another text {where}"
            assert encoded(pieces_of(text, length), dialect) == simpy, f"encoded in pieces of {length}, another text {where}"


def dump(text: str) -> str | None:
    """``ast.dump`` of a program, or ``None`` where this interpreter cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and the like are the program's business
        try:
            return ast.dump(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def comments_of(text: str) -> list[str] | None:
    """The comments of a program in order, or ``None`` where this interpreter cannot tokenize it."""
    try:
        return [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT]
    except (tokenize.TokenError, SyntaxError):
        return None


def streamed(pieces: Iterable[str], dialect: str = "classic") -> str:
    """What a ``Decoder`` gives for a text that arrives in these pieces."""
    decoder = transpiler.Decoder(dialect=dialect)
    return "".join([*map(decoder.feed, pieces), decoder.close()])


def encoded(pieces: Iterable[str], dialect: str = "classic") -> str:
    """What an ``Encoder`` gives for a text that arrives in these pieces."""
    encoder = transpiler.Encoder(dialect=dialect)
    return "".join([*map(encoder.feed, pieces), encoder.close()])


def pieces_of(text: str, length: int) -> Iterator[str]:
    """A text in pieces of one length."""
    return (text[at : at + length] for at in range(0, len(text), length))


def cut(text: str, places: Iterable[int]) -> list[str]:
    """A text cut at some offsets."""
    bounds = [0, *sorted(places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds)]


def estimated(before: int, after: int) -> str:
    """What the closing line of the command says of tokens where it has no vocabulary."""
    from tokenizer_ext.estimation import explained

    return f"about {before:,} -> {after:,} tokens ({explained(before)})"
