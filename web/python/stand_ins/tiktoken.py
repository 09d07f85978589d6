"""Stands in for the library ``tiktoken`` inside the page: the same names, over the JavaScript library ``gpt-tokenizer``.

It has what ``tokenizer_ext.adapters.tiktoken_adapter`` asks for, and nothing else. ``page_libraries`` is
what the worker of the page gives to Python.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import page_libraries


class Encoding:
    """A vocabulary of OpenAI that the page has loaded.

    Args:
        name: its name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._library: Any = page_libraries.gpt_tokenizer(name)
        self._special_tokens: dict[str, int] = json.loads(self._library.special_tokens())
        self._known: dict[int, bytes] = {}
        self._ids = lru_cache(1 << 16)(self._ask)

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text, in which nothing is a special token."""
        return list(self._ids(text))

    def _ask(self, text: str) -> tuple[int, ...]:
        return tuple(json.loads(self._library.encode(text)))

    def encode_single_token(self, text: str | bytes) -> int:
        """The id of a text or of some bytes that are one token.

        Raises:
            KeyError: they are not.
        """
        if isinstance(text, str) and text in self._special_tokens:
            return self._special_tokens[text]
        data = text.encode() if isinstance(text, str) else text
        found: int | None = self._library.id_of(data.decode("latin-1"))
        if found is None:
            raise KeyError(text)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids."""
        return b"".join(self._bytes(ids)).decode("utf-8", "replace")

    def decode_with_offsets(self, ids: Sequence[int]) -> tuple[str, list[int]]:
        """The text of some ids, and where each starts; inside a character, that is where the character starts."""
        starts: list[int] = []
        length = 0  # characters so far
        for data in self._bytes(ids):
            starts.append(max(0, length - (0x80 <= data[0] < 0xC0)))
            length += sum(not 0x80 <= byte < 0xC0 for byte in data)
        return self.decode(ids), starts

    def _bytes(self, ids: Sequence[int]) -> list[bytes]:
        known = self._known
        new = [number for number in ids if number not in known]
        if new:
            known.update(zip(new, (text.encode("latin-1") for text in json.loads(self._library.bytes_of(json.dumps(new)))), strict=True))
        return [known[number] for number in ids]
