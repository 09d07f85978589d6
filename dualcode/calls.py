"""Calls of a model: each piece of the answer is converted, the time is kept, and the usage is recorded at the end.

What is asked, and of which model, is decided by ``dualcode.wrapper``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any, Protocol

from dualcode.backends.protocol import CHAT, END, Backend, Request
from dualcode.conversion.outcomes import Note, Texts
from dualcode.conversion.streams import TextStream
from dualcode.usage import SessionUsage, Usage, counter, reported_by
from simpy_grammar.errors import BackendError, SimPySyntaxError

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What a call gave.

    Attributes:
        text: the answer, in Python.
        notes: what could not be converted, of the question and of the answer.
        usage: what the call spent.
        sent: what the model was sent: a text, or for a chat the messages.
        raw_text: the answer as the model wrote it.
        raw: the answers as the backend received them.
        policies: what policies decided on the way, in order.
    """

    text: str
    notes: tuple[Note, ...]
    usage: Usage
    sent: str | tuple[Message, ...]
    raw_text: str
    raw: tuple[Any, ...] = ()
    policies: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


class Call:
    """One call of a model: converts each piece, keeps the time, and records the usage at the end.

    It is also the whole of an exchange where nothing asks for more: ``dualcode.policies.rounds`` has exchanges of several calls.

    Attributes:
        result: what the call gave, once it has ended.
        holds: the person gets no piece before the call has ended.
        given: the answer is a policy's, and no model is asked.
        stream: converts the answer.
    """

    def __init__(
        self,
        backend: Backend,
        session: SessionUsage,
        on_error: str,
        request: Request,
        stream: TextStream,
        texts: Texts,
        notes: tuple[Note, ...],
        start: float,
    ) -> None:
        self.backend = backend
        self._session = session
        self._on_error = on_error
        self.request = request
        self.result: Result | None = None
        self.holds = self.given = False
        self.stream = stream
        self._texts = texts
        self._notes = notes
        self._out: list[str] = []
        self._raw: list[str] = []
        self._converting = time.perf_counter() - start
        self._waiting = 0.0
        self._since = time.perf_counter()

    @property
    def call(self) -> Call:
        """The call that is to be made now."""
        return self

    def again(self) -> bool:
        """Whether another call is to be made, after this one has ended."""
        return False

    def failed(self, error: BackendError) -> bool:
        """Whether another call is to be made, after this one has failed."""
        return False

    def asked(self) -> None:
        """Note the time at which the model is asked for more."""
        self._since = time.perf_counter()

    def received(self, piece: str) -> str:
        """Convert a piece of the answer; return what it settles."""
        self._waiting += time.perf_counter() - self._since
        self._raw.append(piece)
        return self._timed(lambda: self.stream.feed(piece))

    @property
    def ended(self) -> bool:
        """Whether the rest of the model's text is not wanted."""
        return bool(self.stream.ended)

    def close(self) -> str:
        """Convert the end of the answer; return the rest of it and make the result.

        Raises:
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``. While the call ``holds``, another may follow, so
                that ``check`` raises it later.
        """
        text = self._timed(self.stream.close)
        if not self.holds:
            self.check()
        notes = self._notes + self.stream.notes
        usage = self._usage(len(notes))
        self._session.add(usage)
        sent = "".join(self._texts.sent) if self.request.task != CHAT else tuple(self.request.messages)
        self.result = Result("".join(self._out), notes, usage, sent, "".join(self._raw), tuple(self.request.raw))
        return text

    def check(self) -> None:
        """Raise what is wrong with the answer, where ``on_error`` asks for it.

        Raises:
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        if self.stream.notes and self._on_error == "raise":
            raise SimPySyntaxError(self.stream.notes[0].reason, line=self.stream.notes[0].line)

    def _usage(self, notes: int) -> Usage:
        backend, answer, raw = self.backend, "".join(self._out), "".join(self._raw)
        exact = backend.count("") is not None
        count, estimated = counter((lambda text: backend.count(text) or 0) if exact else None)
        sent, written = count("\n".join(self._texts.sent)), count(raw)
        stopped, unspent, generated, steps = self._ended_by(written)
        converting, asked = self._converting, self._texts.python
        if self.given:
            return Usage(self.request.task, conversion_seconds=converting, notes=notes, stopped=stopped, avoided=sent + written)
        return Usage(
            self.request.task,
            sent,
            count("\n".join(asked)),
            written,
            count(answer),
            converting,
            self._waiting,
            notes,
            estimated,
            reported_by(self.request.raw),
            stopped,
            unspent,
            generated,
            steps,
        )

    def _ended_by(self, tokens: int) -> tuple[str, int | None, int | None, int | None]:
        """What ended the answer, tokens that were not spent, tokens that were generated, and steps."""
        spent, options = self.request.spent, self.request.options
        limit = spent.limit or options.get("max_tokens") or options.get("max_completion_tokens")
        written = tokens if spent.tokens is None else spent.tokens
        unspent = max(0, limit - written) if isinstance(limit, int) else None
        return self.stream.ended or spent.stopped or END, unspent, spent.tokens, spent.steps

    def _timed(self, convert: Callable[[], str]) -> str:
        start = time.perf_counter()
        text = convert()
        self._converting += time.perf_counter() - start
        self._out.append(text)
        return text


class Exchange(Protocol):
    """The calls that an answer takes, one after the other."""

    @property
    def call(self) -> Call:
        """The call that is to be made now."""
        ...

    @property
    def holds(self) -> bool:
        """Whether the person gets no piece before that call has ended."""
        ...

    @property
    def result(self) -> Result | None:
        """What the last call gave, once it has ended."""
        ...

    def again(self) -> bool:
        """Whether another call is to be made, after the last one has ended."""
        ...

    def failed(self, error: BackendError) -> bool:
        """Whether another call is to be made, after the last one has failed. It may only where the person got nothing of it."""
        ...


class Stream:
    """An answer that is still arriving: iterate over its pieces of Python.

    Attributes:
        result: the whole answer, once the iteration has ended.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._pieces: Generator[str, None, None] = _read_call(exchange) if isinstance(exchange, Call) else self._read()

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def result(self) -> Result | None:  # noqa: D102  # in the docstring of the class
        return self._exchange.result

    def close(self) -> None:
        """Stop the model."""
        self._pieces.close()

    def finish(self) -> Result:
        """Read to the end and return the whole answer."""
        for _ in self._pieces:
            pass
        if self._exchange.result is None:
            raise BackendError("the answer was closed before its end")
        return self._exchange.result

    def _read(self) -> Generator[str, None, None]:
        exchange, more = self._exchange, True
        while more:
            held: list[str] = []
            holds = exchange.holds
            try:
                with closing(_read_call(exchange.call)) as pieces:
                    for text in pieces:
                        if holds:
                            held.append(text)
                        else:
                            yield text
            except BackendError as error:
                if not exchange.failed(error):
                    raise
                continue
            more = exchange.again()
            if held and not more:
                yield "".join(held)


def _read_call(call: Call) -> Generator[str, None, None]:
    call.asked()
    with closing(call.backend.run(call.request)) as pieces:
        for piece in pieces:
            if text := call.received(piece):
                yield text
            if call.ended:
                break
            call.asked()
    if text := call.close():
        yield text


class AsyncStream:
    """An answer that is still arriving, for ``async for``.

    Attributes:
        result: the whole answer, once the iteration has ended.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._pieces = _aread_call(exchange) if isinstance(exchange, Call) else self._read()

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces

    @property
    def result(self) -> Result | None:  # noqa: D102  # in the docstring of the class
        return self._exchange.result

    async def close(self) -> None:
        """Stop the model."""
        await self._pieces.aclose()

    async def finish(self) -> Result:
        """Read to the end and return the whole answer."""
        async for _ in self._pieces:
            pass
        if self._exchange.result is None:
            raise BackendError("the answer was closed before its end")
        return self._exchange.result

    async def _read(self) -> AsyncGenerator[str, None]:
        exchange, more = self._exchange, True
        while more:
            held: list[str] = []
            holds = exchange.holds
            try:
                async with aclosing(_aread_call(exchange.call)) as pieces:
                    async for text in pieces:
                        if holds:
                            held.append(text)
                        else:
                            yield text
            except BackendError as error:
                if not await asyncio.to_thread(exchange.failed, error):
                    raise
                continue
            more = await asyncio.to_thread(exchange.again)
            if held and not more:
                yield "".join(held)


async def _aread_call(call: Call) -> AsyncGenerator[str, None]:
    call.asked()
    async with aclosing(call.backend.arun(call.request)) as pieces:
        async for piece in pieces:
            if text := call.received(piece):
                yield text
            if call.ended:
                break
            call.asked()
    if text := call.close():
        yield text
