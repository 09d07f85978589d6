"""What ``benchmarks/speed.py`` measures: the texts, our operations on them, and the other tools that read the same text."""

from __future__ import annotations

import ast
import base64
import importlib
import io
import lzma
import random
import statistics
import sys
import sysconfig
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.speed_page import MB

BASE = "tokenizers encode"
STREAMED = ("classic", "dense", "dense-aliases-64")
DIALECTS = (*STREAMED, "compact")
LARGEST = 10 * MB  # of the programs that real files are joined to


@dataclass
class Text:
    """One program in the forms that are read.

    Attributes:
        data: the Python in UTF-8.
        simpy: the program in each dialect.
        pieces: of the streamed dialects, the same text as a tokenizer cuts it.
    """

    python: str
    data: bytes
    simpy: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Contender:
    """One operation of one tool.

    Attributes:
        name: of ours, what is done, a colon, and the dialect.
        run: does it with one text.
        slow: measured on a part of the texts and in one round only.
    """

    name: str
    run: Callable[[Text], object]
    slow: bool = False


def corpus() -> Iterator[bytes]:
    """Every file of the standard library that this Python parses, without its tests."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] in ("site-packages", "test", "lib2to3") or "tests" in parts:
            continue
        try:
            data = path.read_bytes()
            ast.parse(data)
        except (SyntaxError, ValueError, OSError):
            continue
        if data.strip():
            yield data


def as_text(data: bytes) -> Text:
    """Decode a file as Python does."""
    with io.TextIOWrapper(io.BytesIO(data), tokenize.detect_encoding(io.BytesIO(data).readline)[0]) as file:
        python = file.read()
    return Text(python, python.encode())


def sample(texts: list[Text], size: int) -> list[Text]:
    """Some of the texts, about ``size`` bytes of them and one at least, the same ones in every run."""
    order = list(texts)
    random.Random(0).shuffle(order)
    chosen: list[Text] = []
    total = 0
    for text in order:
        if chosen and total + len(text.data) > size:
            continue
        chosen.append(text)
        total += len(text.data)
    return chosen


def statements(texts: list[Text], size: int) -> Iterator[str]:
    """Top-level statements of real files with the comments before them, until they are ``size`` bytes."""
    total = 0
    while total < size:
        for text in texts:
            lines = text.python.splitlines(keepends=True)
            if text.python.count("\n") != len(lines) or "\f" in text.python:
                continue  # line numbers would not be those of ast
            body = ast.parse(text.python).body
            starts = sorted({min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) for node in body})
            for start, end in zip([0, *(n - 1 for n in starts[1:])], [*(n - 1 for n in starts[1:]), len(lines)], strict=True):
                piece = "".join(lines[start:end])
                total += len(piece.encode())
                yield piece
            if total >= size:
                return


def pack(parts: list[str], size: int) -> Iterator[str]:
    """Programs of about ``size`` bytes each of such statements."""
    held: list[str] = []
    total = 0
    for part in parts:
        held.append(part)
        total += len(part.encode())
        if total >= size:
            yield "".join(held)
            held, total = [], 0
    if held:
        yield "".join(held)


def prepare(texts: Iterable[Text], tokenizer: Any) -> None:
    """Write the texts in every dialect, and cut what is streamed as the extended tokenizer does."""
    import transpiler
    from tokenizer_ext import extend

    extended = {dialect: extend(tokenizer, dialect=dialect) for dialect in STREAMED}
    for text in texts:
        text.simpy = {dialect: transpiler.encode(text.python, dialect=dialect, verify=False) for dialect in DIALECTS}
        text.pieces = {dialect: _cut(text.simpy[dialect], extended[dialect]) for dialect in STREAMED}


def _cut(text: str, tokenizer: Any) -> list[str]:
    ends = sorted({end for _, end in tokenizer.encode(text, add_special_tokens=False).offsets if end} | {len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def ours() -> list[Contender]:
    """All operations of the toolchain that are measured."""
    found = [Contender(f"encode, no proof: {dialect}", _encode(dialect, False)) for dialect in DIALECTS]
    found += [Contender(f'encode, verify="stream": {dialect}', _encode(dialect, "stream")) for dialect in STREAMED]
    found += [Contender(f"encode, default proof: {dialect}", _encode(dialect, True)) for dialect in DIALECTS]
    found += [Contender(f"decode: {dialect}", _decode(dialect, False)) for dialect in DIALECTS]
    found.append(Contender("decode, default proof: compact", _decode("compact", True)))
    return [*found, *(Contender(f"decode token by token: {dialect}", _stream(dialect)) for dialect in STREAMED)]


def _encode(dialect: str, verify: Any) -> Callable[[Text], object]:
    import transpiler

    return lambda text: transpiler.encode(text.python, dialect=dialect, verify=verify)


def _decode(dialect: str, verify: bool) -> Callable[[Text], object]:
    import transpiler

    return lambda text: transpiler.decode(text.simpy[dialect], dialect=dialect, verify=verify)


def _stream(dialect: str) -> Callable[[Text], object]:
    from transpiler import Decoder

    def run(text: Text) -> str:
        decoder = Decoder(dialect=dialect)
        for piece in text.pieces[dialect]:
            decoder.feed(piece)
        return decoder.close()

    return run


def peers(tokenizer: Any, vocab: Path) -> list[Contender]:
    """The other tools; what is not installed is left out and named."""
    import tree_sitter
    import tree_sitter_python

    language = tree_sitter.Language(tree_sitter_python.language())
    found = [
        Contender("ast.parse", lambda text: ast.parse(text.python)),
        Contender("ast.parse + ast.unparse", lambda text: ast.unparse(ast.parse(text.python))),
        Contender("tree-sitter parse", lambda text: tree_sitter.Parser(language).parse(text.data)),
        Contender(BASE, lambda text: tokenizer.encode(text.python, add_special_tokens=False)),
    ]
    for name, make, slow in (("tiktoken encode", _tiktoken, False), ("python-minifier", _minify, True), ("black", _black, True)):
        try:
            found.append(Contender(name, make(vocab), slow=slow))
        except (ImportError, OSError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def load_base(vocab: Path) -> Any:
    """The tokenizer that everything is compared with."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(_read(vocab, "tokenizer.json").decode())


def _read(path: Path, name: str) -> bytes:
    """A file, or the file of that name in a folder, which may be compressed."""
    if path.is_dir():
        path = next((file for file in (path / name, path / f"{name}.xz") if file.exists()), path / name)
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def _tiktoken(vocab: Path) -> Callable[[Text], object]:
    """cl100k_base, from the folder of that name beside that of the vocabulary, without network."""
    import tiktoken

    openai_public = importlib.import_module("tiktoken_ext.openai_public")  # it ships no types
    lines = _read((vocab if vocab.is_dir() else vocab.parent).parent / "cl100k_base", "cl100k_base.tiktoken").splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    with mock.patch.object(openai_public, "load_tiktoken_bpe", return_value=ranks):
        encoding = tiktoken.Encoding(**openai_public.cl100k_base())
    return lambda text: encoding.encode_ordinary(text.python)


def _minify(_: Path) -> Callable[[Text], object]:
    import python_minifier

    return lambda text: python_minifier.minify(text.python)


def _black(_: Path) -> Callable[[Text], object]:
    import black

    mode = black.Mode()
    return lambda text: black.format_str(text.python, mode=mode)


def paired(theirs: list[float], own: list[float]) -> float:
    """The median of the ratios within each round; slow tools have one round only."""
    return statistics.median(their / our for their, our in zip(theirs, own, strict=False))
