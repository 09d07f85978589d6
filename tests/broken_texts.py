"""Broken texts: files of the standard library with characters deleted, inserted, swapped, or cut off; and what must hold for
every such text. The tests and ``benchmarks/broken_files.py`` decide which texts and how many."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from random import Random

import transpiler
from simpy_grammar.errors import RoundTripError, SimPyError
from tests.helpers import CONVERTED, GRAMMATICAL, pieces_of

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
# What is put in: brackets, quotes, keywords, tokens of the grammar, odd characters.
_BITS = (
    *("(", ")", "[", "]", "{", "}", "'", '"', "'''", '"""', "\\", "\n", "\t", " ", "    ", ":", ",", ";", "=", "*", "**", "@", ".", "..."),
    *(
        "#",
        "#\n",
        "f'",
        "f'{",
        "}'",
        "rb'",
        "\0",
        "\r",
        "\f",
        "\v",
        "\x1c",
        "\u2028",
        "\ufeff",
        "\u202e",
        "é",
        "\ud800",
        "\U0001f600",
        "0",
        "0x",
    ),
    *(" if ", " else ", " for ", " in ", "lambda ", "lambda:", "def ", "class ", "match ", "case ", "type ", "async ", "await ", "yield "),
    *("return ", "import ", "from ", "with ", "try:\n", "except", "finally:", "not ", "is ", ":=", "->", "!=", "<>", "~", "-", "print "),
    *(
        "<def_stmt>",
        "<block_start>",
        "<block_end>",
        "<line_sep>",
        "<comment>",
        "<debug>",
        "<if>",
        "<else>",
        "<",
        ">",
        "<a>",
        "<comment>#x\n",
    ),
)


def mutated(text: str, random: Random) -> str:
    """The text with one to four changes."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(text) + 1)
        to = min(at + random.choice((1, 1, 2, 5, 40)), len(text))
        kind = random.randrange(5)
        if kind == 0:
            text = text[:at] + text[to:]
        elif kind == 1:
            text = text[:at] + random.choice(_BITS) + text[at:]
        elif kind == 2:
            text = text[:at] + random.choice(_BITS) + text[to:]
        elif kind == 3:
            end = min(to + (to - at), len(text))
            text = text[:at] + text[to:end] + text[at:to] + text[end:]
        else:
            text = text[:at] if random.random() < 0.5 else text[at:]
    return text


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """The same for bytes."""
    return mutated(data.decode("latin-1"), random).encode("utf-8", "surrogatepass") if random.random() < 0.2 else _flip(data, random)


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 4))):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def excerpts(files: list[Path], random: Random, length: int) -> Iterator[str]:
    """Runs of whole lines of files, in turn."""
    while True:
        path = random.choice(files)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        start = random.randrange(max(len(lines) - length, 1))
        while start and (lines[start][:1].isspace() or not lines[start].strip()):
            start -= 1
        yield "".join(lines[start : start + length])


def check_position(error: SimPyError, text: str) -> None:
    """The position of an error lies inside the text, or just after its end. Lines end with a line feed."""
    assert not isinstance(error, RoundTripError), str(error)
    str(error)
    assert error.line is not None, str(error)
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines) + 1, str(error)
    assert 1 <= error.column <= len(error.source_line) + 1, str(error)
    if error.line <= len(lines):
        line = lines[error.line - 1]
        assert error.column <= len(line) + 1, str(error)


def check_python(source: str | bytes, dialects: tuple[str, ...] = CONVERTED) -> bool:
    """A text in the place of Python is encoded, and then proved to be kept, or refused; whether it was encoded."""
    shown = source if isinstance(source, str) else source.decode("latin-1")
    shown = shown.replace("\r\n", "\n").replace("\r", "\n")
    encoded = False
    for dialect in dialects:
        try:
            transpiler.encode(source, dialect=dialect)
            encoded = True
        except SimPyError as error:
            check_position(error, shown)
        if isinstance(source, str) and dialect in GRAMMATICAL:
            begun = transpiler.encode_beginning(shown, dialect)
            if begun.error is not None:
                check_position(begun.error, shown)
    return encoded


def check_simpy(text: str, dialect: str, random: Random) -> bool:
    """A text in the place of SimPy is decoded or refused, in pieces as at once; whether it was decoded."""
    whole: str | SimPyError
    shown = text.replace("\r\n", "\n").replace("\r", "\n") if dialect == "compact" else text  # which is Python
    try:
        whole = transpiler.decode(text, dialect=dialect)
    except SimPyError as error:
        check_position(error, shown)
        whole = error
    decoder = transpiler.Decoder(dialect=dialect)
    try:
        streamed = "".join([*map(decoder.feed, pieces_of(text, random.choice((1, 3, 17, 200)))), decoder.close()])
    except SimPyError as error:
        check_position(error, shown)
        assert not isinstance(whole, str), f"only the stream is refused: {error}"
        # The rest of a token may come yet where the whole text is refused; where it stands is the same.
        assert type(error) is type(whole)
    else:
        assert streamed == whole
    return isinstance(whole, str)
