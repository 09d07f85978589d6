"""Ids of a local model as text, one by one, and the texts that end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_AHEAD = 8  # ids before the new ones that are decoded with them, since how an id reads may depend on those before it


class Detokenizer:
    """Turns ids into text one by one: characters that span several ids wait until they are whole."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._from = 0  # where decoding starts
        self._done = 0  # ids whose text has been given

    def feed(self, new: Sequence[int]) -> str:
        """The text that these ids complete."""
        self._ids += new
        before, text = self._texts()
        if text.endswith(_BROKEN) or not text.startswith(before):
            return ""
        self._done = len(self._ids)
        self._from = max(self._from, self._done - _AHEAD)
        return text[len(before) :]

    def close(self) -> str:
        """The text of ids that never completed a character."""
        before, text = self._texts()
        return text[len(before) :]

    def _texts(self) -> tuple[str, str]:
        decode = self._tokenizer.decode
        known = self._ids[self._from : self._done]
        everything = self._ids[self._from :]
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return decode(known, **options), decode(everything, **options)


class StopTexts:
    """Ends a text before the first of some texts, and gives nothing that may be the beginning of one.

    >>> stops = StopTexts(["= de"])
    >>> stops.feed("abc ="), stops.feed(" def"), stops.found
    ('abc ', '', True)
    """

    def __init__(self, texts: str | Sequence[str] | None) -> None:
        self._texts = [texts] if isinstance(texts, str) else list(texts or ())
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """Read a piece; return what it settles."""
        self._held += text
        at = min((at for stop in self._texts if (at := self._held.find(stop)) >= 0), default=-1)
        if at >= 0:
            self.found = True
            keep = self._held[:at]
            self._held = ""
            return keep
        most = max((n for stop in self._texts for n in range(1, len(stop)) if self._held.endswith(stop[:n])), default=0)
        keep, self._held = self._held[: len(self._held) - most], self._held[len(self._held) - most :]
        return keep

    def close(self) -> str:
        """Read the end; return the rest."""
        held, self._held = self._held, ""
        return "" if self.found else held
