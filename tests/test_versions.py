"""Sources that the running Python is too old to read are converted all the same, and proved by encoding them again."""

from __future__ import annotations

import importlib
import sys

import pytest

import transpiler
from simpy_grammar.errors import PythonSyntaxError
from tests.helpers import ALL, assert_round_trip, dump

converter = importlib.import_module("transpiler.encode")

NEWER = {
    "except* and starred subscripts": ((3, 11), "try:\n    a\nexcept* b:\n    c[*d]\n"),
    "type parameters": ((3, 12), "type A[T] = list[T]\n\n\ndef f[T: int](a: T) -> T:\n    return a\n\n\nclass B[*C]:\n    d = 1\n"),
    "the same quotes in a field": ((3, 12), "x = f'{a['b']} {f'{c}'}'\n"),
    "a backslash in a field": ((3, 12), "x = f\"{'\\n'.join(a)}\"\n"),
    "defaults of type parameters": ((3, 13), "class A[T = int, *U = *tuple[int]]:\n    b = 1\n"),
    "templates": ((3, 14), "x = t'{a} b'\n"),
    "except without parentheses": ((3, 14), "try:\n    a\nexcept b, c:\n    d\n"),
}


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this Python were 3.10, or did not read the source at all."""

    def parse(text: str) -> None:
        raise SyntaxError("invalid syntax", ("<text>", 1, 1, text, 1, 2))

    versions = importlib.import_module("transpiler.versions")
    newer = versions.newer_syntax
    monkeypatch.setattr(converter, "parse_tree", parse)
    monkeypatch.setattr(versions, "newer_syntax", lambda text: newer(text, running=(3, 10)))


@pytest.mark.parametrize("name", NEWER)
def test_a_newer_source_comes_back(name: str) -> None:
    version, source = NEWER[name]
    assert (dump(source) is not None) == (sys.version_info >= version)
    assert_round_trip(source)
    for dialect in ALL:
        transpiler.encode(source, dialect=dialect)


@pytest.mark.parametrize("name", NEWER)
@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.usefixtures("old")
def test_it_is_proved_by_encoding_again(name: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = NEWER[name][1]
    transpiler.encode(source, dialect=dialect)
    decode = converter.decode_text
    monkeypatch.setattr(converter, "decode_text", lambda *arguments: decode(*arguments) + "lost = 1\n")
    with pytest.raises(PythonSyntaxError) as error:  # which of the two is at fault cannot be known here
        transpiler.encode(source, dialect=dialect)
    assert error.value.hint == "if a newer Python reads it, convert it with that one"


@pytest.mark.usefixtures("old")
def test_a_source_without_newer_syntax_is_what_python_says_it_is() -> None:
    with pytest.raises(PythonSyntaxError, match="invalid syntax"):
        transpiler.encode("x = f'{a}'\n")
