"""The mark of a vocabulary whose tokens have taken ids of ordinary ones: by it the extension is recognised, wherever its ids are.

An extension after the last id needs none: it begins at its first grammar token. With reused ids its tokens are scattered
between those of the vocabulary, among them the tokenizer's own added tokens (``</s>``). The mark says which these are. It is
an added token itself, since libraries keep nothing else when they save a tokenizer and load it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_MARK = re.compile(r"<simpy_reused:([0-9]+):([0-9,-]*)>")


def is_mark(text: str) -> bool:
    """Whether a token is the mark of a vocabulary with reused ids.

    >>> is_mark("<simpy_reused:300:0-2>"), is_mark("</s>")
    (True, False)
    """
    return _MARK.fullmatch(text) is not None


class ReuseMark(NamedTuple):
    """What the mark says.

    Attributes:
        size: the first id after the vocabulary: tokens below it have taken ids of others, tokens from it on have new ids.
        others: the ids below it of added tokens that are not the extension's.

    >>> ReuseMark(300, frozenset({0, 1, 2, 257})).text
    '<simpy_reused:300:0-2,257>'
    >>> ReuseMark.of({"</s>": 257, "<simpy_reused:300:0-2,257>": 260, "<if>": 259}) == ReuseMark(300, frozenset({0, 1, 2, 257}))
    True
    """

    size: int
    others: frozenset[int]

    @classmethod
    def of(cls, added: Mapping[str, int]) -> ReuseMark | None:
        """The mark among the added tokens of a vocabulary; ``None`` where there is none."""
        match = next((match for match in map(_MARK.fullmatch, added) if match), None)
        if match is None:
            return None
        return cls(int(match[1]), frozenset(number for part in match[2].split(",") if part for number in _read(part)))

    @property
    def text(self) -> str:
        """The token."""
        return f"<simpy_reused:{self.size}:{','.join(_ranges(self.others))}>"

    def extension(self, added: Mapping[str, int]) -> dict[str, int]:
        """The added tokens that are the extension's."""
        return {text: number for text, number in added.items() if (number >= self.size or number not in self.others) and not is_mark(text)}


def _ranges(ids: Iterable[int]) -> Iterator[str]:
    """Ids as ``0-2`` and ``5``."""
    found: list[list[int]] = []
    for number in sorted(ids):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return (str(first) if first == last else f"{first}-{last}" for first, last in found)


def _read(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)
