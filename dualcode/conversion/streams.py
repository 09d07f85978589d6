"""What turns a model's text into a person's, piece by piece: what each stream offers, and streams that wrap others.

``reply_stream`` reads the answers of a chat, ``completion`` and ``fill_in_the_middle`` those that go on with a program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dualcode.conversion.outcomes import Note

STOP = "stop"


class TextStream(Protocol):
    """A text that arrives in pieces; what ``feed`` and ``close`` return joins to the converted text, however it is cut."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be converted so far."""
        ...

    @property
    def ended(self) -> str:
        """Why the rest of the model's text is not wanted, in one word; empty if it is wanted."""
        ...

    def feed(self, text: str) -> str:
        """Read a piece; return what it settles."""
        ...

    def close(self) -> str:
        """Read the end; return the rest."""
        ...


class Unchanged:
    """A stream that changes nothing.

    >>> Unchanged().feed("x=1")
    'x=1'
    """

    notes: tuple[Note, ...] = ()
    ended = ""

    def feed(self, text: str) -> str:
        """The text."""
        return text

    def close(self) -> str:
        """Nothing: nothing is ever held."""
        return ""


class Echoing:
    """An answer that repeats its prompt first, as ``"echo": true`` asks for.

    >>> stream = Echoing(Unchanged(), "x=", "x = ")
    >>> [stream.feed(piece) for piece in ("x", "=1", "+2")]
    ['', 'x = 1', '+2']
    """

    def __init__(self, stream: TextStream, sent: str, python: str) -> None:
        self._stream = stream
        self._sent = sent
        self._python = python
        self._read = ""
        self._echoed: bool | None = None
        self._mismatch: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be converted so far."""
        return (*self._mismatch, *self._stream.notes)

    @property
    def ended(self) -> str:
        """Why the rest of the model's text is not wanted, in one word; empty if it is wanted."""
        return self._stream.ended

    def feed(self, text: str) -> str:
        """Read a piece; return what it settles."""
        if self._echoed is not None:
            return self._stream.feed(text) if self._echoed else text
        self._read += text
        if len(self._read) < len(self._sent) and self._sent.startswith(self._read):
            return ""
        self._echoed = self._read.startswith(self._sent)
        if self._echoed:
            return self._python + self._stream.feed(self._read[len(self._sent) :])
        self._mismatch = (Note(1, "the model's server echoed another prompt"),)
        return self._read

    def close(self) -> str:
        """Read the end; return the rest."""
        if self._echoed is None:
            return self._read
        return self._stream.close() if self._echoed else ""


class Stopping:
    """An answer that ends before one of some texts, which the person gave as they stand in Python.

    >>> stream = Stopping(Unchanged(), ["\\ndef"])
    >>> [stream.feed(piece) for piece in ("a\\nd", "b\\nd", "ef c")], stream.close(), stream.ended
    (['a', '\\ndb', ''], '', 'stop')
    """

    def __init__(self, stream: TextStream, stops: Sequence[str]) -> None:
        self._stream = stream
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self._stopped = False

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be converted so far."""
        return self._stream.notes

    @property
    def ended(self) -> str:
        """Why the rest of the model's text is not wanted, in one word; empty if it is wanted."""
        return STOP if self._stopped else self._stream.ended

    def feed(self, text: str) -> str:
        """Read a piece; return what it settles."""
        return "" if self._stopped else self._pass(self._stream.feed(text))

    def close(self) -> str:
        """Read the end; return the rest."""
        if self._stopped:
            return ""
        text = self._pass(self._stream.close())
        held, self._held = self._held, ""
        return text if self._stopped else text + held

    def _pass(self, text: str) -> str:
        text = self._held + text
        found = [at for at in map(text.find, self._stops) if at >= 0]
        if found:
            self._stopped = True
            return text[: min(found)]
        # The end of the text may be the beginning of a stop text.
        keep = max((size for stop in self._stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def stop_texts(stop: object) -> list[str]:
    """The stop texts that a request names: one text or a list of them; anything else is none.

    >>> stop_texts("\\n"), stop_texts(["a", 7]), stop_texts(None)
    (['\\n'], ['a'], [])
    """
    return [text for text in (stop if isinstance(stop, list | tuple) else [stop]) if isinstance(text, str) and text]
