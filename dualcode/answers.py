"""Answers under way: each piece converted, the time kept, the ledger written at the end.

What is asked, and of which model, is the business of ``dualcode.wrapper``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, Protocol

from dualcode.backends.protocol import CHAT, Backend, Request
from dualcode.ledger import Entry, Ledger, counter
from dualcode.notes import Note
from simpy_grammar.errors import BackendError, SimPySyntaxError

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What a call gave.

    Attributes:
        text: the answer, in Python.
        notes: what could not be converted, of the question and of the answer.
        entry: the line of the ledger.
        sent: what the model was sent: a text, or for a chat the messages.
        raw_text: the answer as the model wrote it.
        raw: the backend's own answers.
    """

    text: str
    notes: tuple[Note, ...]
    entry: Entry
    sent: str | tuple[Message, ...]
    raw_text: str
    raw: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.text


class Reader(Protocol):
    """Turns the model's text into the person's."""

    notes: tuple[Note, ...]

    def feed(self, text: str) -> str:
        """More of the model's text; return what it settles."""
        ...

    def close(self) -> str:
        """The end of it; return the rest."""
        ...


class Call:
    """One call under way: converts each piece, keeps the time, and writes the ledger at the end."""

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger,
        on_error: str,
        request: Request,
        reader: Reader,
        sent: str,
        python: str,
        notes: tuple[Note, ...],
        start: float,
    ) -> None:
        self.backend = backend
        self._ledger = ledger
        self._on_error = on_error
        self.request = request
        self.result: Result | None = None
        self._reader = reader
        self._sent = sent
        self._python = python
        self._notes = notes
        self._out: list[str] = []
        self._raw: list[str] = []
        self._converting = time.perf_counter() - start
        self._waiting = 0.0
        self._since = time.perf_counter()

    def asked(self) -> None:
        """The model is asked for more."""
        self._since = time.perf_counter()

    def came(self, piece: str) -> str:
        """A piece of the answer came."""
        self._waiting += time.perf_counter() - self._since
        self._raw.append(piece)
        return self._timed(lambda: self._reader.feed(piece))

    @property
    def ended(self) -> bool:
        """Nothing more is wanted of the model."""
        return bool(getattr(self._reader, "ended", False))

    def close(self) -> str:
        """The answer has ended; return its rest and make the result."""
        text = self._timed(self._reader.close)
        backend, answer, raw = self.backend, "".join(self._out), "".join(self._raw)
        notes = self._notes + self._reader.notes
        if self._reader.notes and self._on_error == "raise":
            raise SimPySyntaxError(self._reader.notes[0].reason, line=self._reader.notes[0].line)
        exact = backend.count("") is not None
        count, estimated = counter((lambda text: backend.count(text) or 0) if exact else None)
        entry = Entry(
            self.request.kind,
            count(self._sent),
            count(self._python),
            count(raw),
            count(answer),
            self._converting,
            self._waiting,
            len(notes),
            estimated,
        )
        self._ledger.add(entry)
        sent = self._sent if self.request.kind != CHAT else tuple(self.request.messages)
        self.result = Result(answer, notes, entry, sent, raw, tuple(self.request.raw))
        return text

    def _timed(self, convert: Callable[[], str]) -> str:
        start = time.perf_counter()
        text = convert()
        self._converting += time.perf_counter() - start
        self._out.append(text)
        return text


class Stream:
    """An answer as it comes: iterate over its pieces of Python.

    Attributes:
        result: the whole answer, once the iteration has ended.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces: Generator[str, None, None] = self._read()

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def result(self) -> Result | None:  # noqa: D102  # in the docstring of the class
        return self._call.result

    def close(self) -> None:
        """Stop the model."""
        self._pieces.close()

    def finish(self) -> Result:
        """Read to the end and return the whole answer."""
        for _ in self._pieces:
            pass
        if self._call.result is None:
            raise BackendError("the answer was closed before its end")
        return self._call.result

    def _read(self) -> Generator[str, None, None]:
        call = self._call
        call.asked()
        pieces = call.backend.run(call.request)
        with closing(pieces):
            for piece in pieces:
                if text := call.came(piece):
                    yield text
                if call.ended:
                    break
                call.asked()
        if text := call.close():
            yield text


class AsyncStream:
    """An answer as it comes, for ``async for``.

    Attributes:
        result: the whole answer, once the iteration has ended.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces = self._read()

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces

    @property
    def result(self) -> Result | None:  # noqa: D102  # in the docstring of the class
        return self._call.result

    async def close(self) -> None:
        """Stop the model."""
        await self._pieces.aclose()

    async def finish(self) -> Result:
        """Read to the end and return the whole answer."""
        async for _ in self._pieces:
            pass
        if self._call.result is None:
            raise BackendError("the answer was closed before its end")
        return self._call.result

    async def _read(self) -> AsyncGenerator[str, None]:
        call = self._call
        call.asked()
        async with aclosing(call.backend.arun(call.request)) as pieces:
            async for piece in pieces:
                if text := call.came(piece):
                    yield text
                if call.ended:
                    break
                call.asked()
        if text := call.close():
            yield text
