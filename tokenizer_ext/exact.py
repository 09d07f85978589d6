"""Ordinary text to ids that give back exactly that text, whatever a library's tokenizer does to it.

Every text is decoded again. Where it does not come back, it is cut at the characters that the vocabulary changes, and
these are written as bytes: U+2581 for SentencePiece, which reads it as a blank. What cannot be written so either is
*lost*, and never another character. How a library makes ids is left to ``tokenizer_ext.adapters``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tokenizer_ext.adapters import OrdinaryTokenizer
from tokenizer_ext.errors import TokenizerError

# Printable ASCII and white space, in an order that a vocabulary for text may not expect.
_BLANKS = "".join(f"\n{' ' * n}x{' ' * n}\n" for n in range(33))
PROBE = "".join(map(chr, range(33, 127))) + "  x\n\ty\n        z = [1]\n\n\nq(' ', \"\")" + _BLANKS

_SURROGATE = re.compile("[\ud800-\udfff]")
Part = tuple[int, int, list[int] | None]
"""Start and end of a piece of a text, and its ids where they stand for bytes."""


class ExactTokenizer:
    """An ordinary tokenizer whose ids are checked.

    Args:
        ordinary: the tokenizer.
        forbidden: ids that ordinary text must not become, beside its control ids.

    Attributes:
        lost: the texts of ``encode`` that do not come back, each with the offset of the first character that is lost.
        careful: the texts of ``encode`` whose ids are not those of the ordinary tokenizer.

    >>> import tiktoken
    >>> from tokenizer_ext.adapters import adapter_of
    >>> ranks = {bytes([i]): i for i in range(256)}
    >>> drops_digits = tiktoken.Encoding("no digits", pat_str=r"[^0-9]+", mergeable_ranks=ranks, special_tokens={})
    >>> ordinary = adapter_of(drops_digits).ordinary(())
    >>> ordinary.encode(["a1"]), ExactTokenizer(ordinary).encode(["a1"])
    ([[97]], [[97, 49]])
    """

    def __init__(self, ordinary: OrdinaryTokenizer, forbidden: Collection[int] = ()) -> None:
        self.ordinary = ordinary
        self.lost: dict[str, int] = {}
        self.careful: set[str] = set()
        self._forbidden = {*ordinary.control, *forbidden}
        self._bytes: dict[str, list[int] | None] = {}  # character -> its bytes where it does not come back as itself

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text. Those of a text in ``lost`` are only good for counting."""
        valid = texts if all(map(str.isascii, texts)) else [_SURROGATE.sub("?", text) for text in texts]
        found = self.ordinary.encode(valid)
        for i, back in enumerate(self.ordinary.decode(found)):
            if back != texts[i] or not self._forbidden.isdisjoint(found[i]):
                found[i] = self._careful(texts[i], found[i])
        return found

    def forget(self, texts: Iterable[str] | None = None) -> None:
        """Forget what ``encode`` has found out about some texts, or about all."""
        gone = set(self.careful | self.lost.keys() if texts is None else texts)
        self.careful -= gone
        for text in gone & self.lost.keys():
            del self.lost[text]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, none of them forbidden."""
        return self.ordinary.decode([ids])[0]

    def decoded(self, ids: Sequence[int], forbidden: Mapping[int, str]) -> Iterator[str]:
        """The text of some ids, in pieces; ``forbidden`` has the texts of those that ordinary text does not become."""
        ordinary: list[int] = []
        for number in ids:
            if number in forbidden:
                if ordinary:
                    yield self.decode(ordinary)
                    ordinary = []
                yield forbidden[number]
            else:
                ordinary.append(number)
        if ordinary:
            yield self.decode(ordinary)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """For each id of a text that has been encoded, the characters that it stands for."""
        if text not in self.careful:
            return self.ordinary.spans(_SURROGATE.sub("?", text))
        spans: list[tuple[int, int]] = []
        for start, end, ids in self._parts(text):
            if ids is None:
                spans += ((start + a, start + b) for a, b in self.ordinary.spans(text[start:end], continued=start > 0))
            else:
                spans += [(start, end)] * len(ids)
        return spans

    def _careful(self, text: str, fallback: list[int]) -> list[int]:
        parts = list(self._parts(text))
        ids = [number for start, end, given in parts for number in (self._plain(text[start:end], start) if given is None else given)]
        back = self.decode(ids)
        if back == text and self._forbidden.isdisjoint(ids):
            self.careful.add(text)
            return ids
        lost = next((start for start, _, given in parts if given == []), None)
        if lost is None:
            lost = next((i for i, (old, new) in enumerate(zip(text, back, strict=False)) if old != new), min(len(text) - 1, len(back)))
        self.lost[text] = lost
        return fallback

    def _parts(self, text: str) -> Iterator[Part]:
        """Pieces of a text that come back, and between them characters as bytes; no ids at all for a lost character."""
        start = 0
        for at, char in enumerate(text):
            known = self._known(char)
            if known is not None:
                yield from self._halves(text, start, at)
                yield at, at + 1, known
                start = at + 1
        yield from self._halves(text, start, len(text))

    def _halves(self, text: str, start: int, end: int) -> Iterator[Part]:
        """A text whose characters come back one by one, in pieces that do so too."""
        if start == end:
            return
        if end - start == 1 or self._comes_back(text[start:end], self._plain(text[start:end], start), start):
            yield start, end, None
            return
        middle = (start + end) // 2
        yield from self._halves(text, start, middle)
        yield from self._halves(text, middle, end)

    def _known(self, char: str) -> list[int] | None:
        """The bytes of a character that does not come back as itself: none if the vocabulary lacks them, ``None`` if it does."""
        if char not in self._bytes:
            found: list[int] | None = None
            if _SURROGATE.match(char):
                found = []
            elif not self._comes_back(char, self._plain(char, 0), 0):
                ids = self.ordinary.byte_ids(char.encode()) or []
                found = ids if ids and self._comes_back(char, ids, 0) else []
            self._bytes[char] = found
        return self._bytes[char]

    def _plain(self, text: str, start: int) -> list[int]:
        return self.ordinary.encode([_SURROGATE.sub("?", text)], continued=start > 0)[0]

    def _comes_back(self, text: str, ids: list[int], start: int) -> bool:
        """Whether ids give back a text that stands at an offset: a decoder may treat the beginning of a text otherwise."""
        if not self._forbidden.isdisjoint(ids):
            return False
        return self.decode(self._plain("x", 0) + ids) == "x" + text if start else self.decode(ids) == text


def check_probe(tokenizer: ExactTokenizer) -> None:
    """Refuse a vocabulary that cannot give back what every program is made of.

    Raises:
        TokenizerError: it loses something.
    """
    ids = tokenizer.encode([PROBE])[0]
    if PROBE not in tokenizer.lost:
        return
    chars = list(dict.fromkeys(PROBE))
    around = [f"a{char}b" for char in chars]
    tokenizer.encode(around)
    lost = [char for char, text in zip(chars, around, strict=True) if text in tokenizer.lost]
    what = f"loses {' '.join(map(repr, lost[:12]))}" if lost else f"changes white space ({tokenizer.decode(ids)[:40]!r}...)"
    raise TokenizerError(
        f"this tokenizer cannot hold programs: it {what}",
        hint="use one with a byte-level alphabet or with byte fallback; WordPiece and normalising vocabularies cannot work",
    )
