"""What was converted before, by a digest of the text, in a bound of bytes. What is worth remembering, ``messages`` decides."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from dualcode.conversion.outcomes import Converted, Note, Shortened

MIB = 1 << 20
LIMIT = 64 * MIB
"""The bound where nobody chooses another, in bytes."""
_ENTRY = 400  # bytes that an entry takes beside its text and its notes: the key, the tuple, the place in the dictionary
_SHORTENED = 64  # bytes that the two forms of a part take beside their texts
_NOTE = 200  # bytes that a note takes beside its texts


class _Entry(NamedTuple):
    """A conversion.

    Attributes:
        text: the converted text; ``None`` for the text that was given.
        notes: the parts that could not be converted.
        parts: how many parts were converted.
        shortened: the code of each, as received and as the model sees it; ``None`` for the whole text in that form.
    """

    text: str | None
    notes: tuple[Note, ...]
    parts: int
    shortened: tuple[tuple[str | None, str | None], ...]

    @property
    def size(self) -> int:
        """Bytes that the entry takes, its key included."""
        notes = sum(_NOTE + sys.getsizeof(note.reason) + sys.getsizeof(note.where) for note in self.notes)
        texts = [self.text, *(text for one in self.shortened for text in one)]
        return _ENTRY + notes + _SHORTENED * len(self.shortened) + sum(sys.getsizeof(text) for text in texts if text is not None)

    def converted(self, text: str) -> Converted:
        """The conversion of the text that the entry is of."""
        sent = text if self.text is None else self.text
        shortened = (Shortened(text if one is None else one, sent if other is None else other) for one, other in self.shortened)
        return Converted(sent, self.notes, self.parts, tuple(shortened))


class Memory:
    """Remembers conversions; those that were not asked for the longest time go first. Threads may share one.

    A text is known by a digest, so that it takes no room itself; one that did not change takes none in its converted form either.

    Args:
        limit: the bound, in bytes; 0 remembers nothing.

    Attributes:
        size: bytes that all entries take.

    >>> memory = Memory(1000)
    >>> memory.convert("upper", "a", lambda text: Converted(text.upper())).text
    'A'
    >>> memory.convert("upper", "a", lambda text: Converted("not asked")).text
    'A'
    >>> len(memory), memory.size <= 1000
    (1, True)
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.size = 0
        self._limit = limit
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def convert(self, how: str, text: str, convert: Callable[[str], Converted]) -> Converted:
        """The conversion of a text: the remembered one, or that which ``convert`` gives.

        Two threads that ask for the same new text at once both convert it, so that neither waits for the other.

        Args:
            how: the name of the conversion.
            text: the text.
            convert: converts it; what it raises is raised, and not remembered.
        """
        key = _digest(how, text)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
        if entry is not None:
            return entry.converted(text)
        found = convert(text)
        shortened = tuple(
            (None if one.python == text else one.python, None if one.sent == found.text else one.sent) for one in found.shortened
        )
        self._keep(key, _Entry(None if found.text == text else found.text, found.notes, found.parts, shortened))
        return found

    def _keep(self, key: bytes, entry: _Entry) -> None:
        if entry.size > self._limit:
            return
        with self._lock:
            before = self._entries.pop(key, None)
            self._entries[key] = entry
            self.size += entry.size - (before.size if before else 0)
            while self.size > self._limit:
                self.size -= self._entries.popitem(last=False)[1].size


def _digest(how: str, text: str) -> bytes:
    """The key of a conversion; a name and a text that differ in any way have another one."""
    name = how.encode()
    digest = hashlib.blake2b(len(name).to_bytes(2, "big") + name, digest_size=32)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()
