"""Stands in for the library ``tokenizers`` inside the page: the same names, over the JavaScript library of the same makers.

It has what ``tokenizer_ext.adapters.tokenizers_adapter`` asks for, and nothing else. So the project's own code
decides in the page, too, what is a token of the grammar and what is text. ``page_libraries`` is what the worker gives to Python.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import page_libraries

BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # how SentencePiece writes a blank


class AddedToken(NamedTuple):
    """A token that a vocabulary was given beside those of its model.

    Attributes:
        content: its text.
    """

    content: str


class Encoding(NamedTuple):
    """The ids of a text, and the characters that each of them stands for."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Model:
    """The vocabulary of a model, without added tokens."""

    def __init__(self, vocabulary: Any) -> None:
        names = vocabulary.items() if isinstance(vocabulary, dict) else ((piece, i) for i, (piece, *_) in enumerate(vocabulary))
        self._names = {number: name for name, number in names}

    def id_to_token(self, number: int) -> str | None:
        """The name of an id."""
        return self._names.get(number)


class Tokenizer:
    """What a ``tokenizer.json`` describes.

    Args:
        text: its content.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        content = json.loads(text)
        self.model = Model(content["model"]["vocab"])
        self._added = {token["id"]: token["content"] for token in content["added_tokens"]}
        self._bytes = "ByteLevel" in json.dumps(content["decoder"])
        self._library = page_libraries.hugging_face(text)

    @classmethod
    def from_str(cls, text: str) -> Tokenizer:
        """The tokenizer of a ``tokenizer.json``."""
        return cls(text)

    def to_str(self) -> str:
        """The ``tokenizer.json``."""
        return self._text

    def get_added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The added tokens by id."""
        return {number: AddedToken(text) for number, text in self._added.items()}

    def token_to_id(self, name: str) -> int | None:
        """The id of a token, or ``None``."""
        found: int | None = self._library.token_to_id(name)
        return found

    def id_to_token(self, number: int) -> str | None:
        """The token of an id, or ``None``."""
        found: str | None = self._added.get(number, self.model.id_to_token(number))
        return found

    def encode_batch(self, texts: Sequence[str], add_special_tokens: bool = False) -> list[Encoding]:
        """The ids of some texts, which is all that is asked of many; ``encode`` says where they stand."""
        return [Encoding(ids, []) for ids in json.loads(self._library.encode(json.dumps(list(texts))))]

    def encode(self, text: str, add_special_tokens: bool = False) -> Encoding:
        """The ids of a text, and where they stand."""
        (ids,) = json.loads(self._library.encode(json.dumps([text])))
        return Encoding(ids, spread([self._length(number) for number in ids], text))

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """The text of some ids."""
        return self.decode_batch([ids])[0]

    def decode_batch(self, texts: Sequence[Sequence[int]], skip_special_tokens: bool = False) -> list[str]:
        """The texts of some rows of ids."""
        found: list[str] = json.loads(self._library.decode(json.dumps([list(ids) for ids in texts])))
        return found

    def _length(self, number: int) -> int:
        """How many bytes of text an id stands for."""
        if number in self._added:
            return len(self._added[number].encode())
        name = self.id_to_token(number) or ""
        if self._bytes:  # each character of the name is a byte
            return len(name)
        if len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            return 1
        return len(name.replace(BLANK, " ").encode())


def spread(lengths: Sequence[int], text: str) -> list[tuple[int, int]]:
    """The characters of a text that tokens of so many bytes stand for: a character goes with the token of its first byte.

    Where a tokenizer changes the text, so that lengths do not add up, the tokens divide it as their lengths say.

    >>> spread([1, 2, 1], "aéb"), spread([1, 1, 1], "éb"), spread([4, 4], "abcd")
    ([(0, 1), (1, 2), (2, 3)], [(0, 1), (1, 1), (1, 2)], [(0, 2), (2, 4)])
    """
    data = text.encode("utf-8", "surrogatepass")
    whole = sum(lengths) or 1
    starts = [at for at, byte in enumerate(data) if byte & 0xC0 != 0x80]  # where characters start
    offsets: list[tuple[int, int]] = []
    at = before = passed = 0
    for length in lengths:
        passed += length
        end = passed * len(data) // whole
        while at < len(starts) and starts[at] < end:
            at += 1
        offsets.append((before, at))
        before = at
    return offsets
