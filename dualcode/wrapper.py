"""The wrapper round a model: Python goes in and comes out, the model sees a dialect of SimPy.

Converting is the business of ``dualcode.mixed`` and ``dualcode.continuation``, asking the model that of ``dualcode.backends``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, overload

from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Backend, Request
from dualcode.backends.registry import open_backend
from dualcode.continuation import Continuation, Prompt
from dualcode.ledger import Entry, Ledger, counter
from dualcode.mixed import MixedText
from dualcode.notes import Note
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError, PythonSyntaxError, SimPySyntaxError
from transpiler import encode

Message = Mapping[str, Any]
CONVERTED_ROLES = frozenset(("system", "developer", "user", "assistant"))
"""Messages of these roles are converted; those of others only if they are a ``PythonCode``."""


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


class DualCode:
    """A model that people talk to in Python and that reads and writes SimPy.

    Args:
        model: a backend, the folder of a model of ``transformers``, or the URL of an OpenAI-compatible server.
        dialect: what the model reads and writes. ``compact`` is Python, which every model knows. Say ``classic`` or ``dense`` only
            for a model that was trained on it: others lose accuracy on new spellings.
        on_error: ``"pass"`` to send and return what cannot be converted as it is, with a note; ``"raise"`` to raise.
        bare: convert Python and SimPy outside of fenced blocks of a chat too (see ``MixedText``).
        verify: prove each conversion of a chat before it is sent.
        options: handed on to the backend that is opened.

    Attributes:
        ledger: what the calls of this session cost.

    Raises:
        BackendError: no backend knows the model.
        DialectError: there is no such dialect.
    """

    def __init__(
        self,
        model: str | Backend,
        *,
        dialect: str | Path | Dialect = "compact",
        on_error: str = "pass",
        bare: bool = False,
        verify: bool = True,
        **options: Any,
    ) -> None:
        self.dialect = Dialect.load(dialect)
        self.mixed = MixedText(self.dialect, bare=bare, on_error=on_error, verify=verify)
        self.on_error = on_error
        if isinstance(model, str):
            model = open_backend(model, **options)
        elif options:
            raise TypeError(f"options of a backend that is open already: {', '.join(options)}")
        self.backend: Backend = model
        self.ledger = Ledger()

    @overload
    def complete(self, prefix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    def complete(self, prefix: str, *, stream: Literal[True], until: str | None = None, **options: Any) -> Stream: ...
    def complete(self, prefix: str, *, stream: bool = False, until: str | None = None, **options: Any) -> Result | Stream:
        """Continue unfinished Python.

        Args:
            prefix: the beginning of a program, cut off anywhere.
            stream: give the text as it comes.
            until: ``"block"`` to stop where the block ends in which the prefix ends.
            options: for the model, such as ``max_tokens`` and ``temperature``.

        Raises:
            BackendError: the model failed.
            PythonSyntaxError: the prefix cannot be converted, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(self._completion(prefix, "", stream, until, options), stream)

    @overload
    def infill(self, prefix: str, suffix: str, *, stream: Literal[False] = False, **options: Any) -> Result: ...
    @overload
    def infill(self, prefix: str, suffix: str, *, stream: Literal[True], **options: Any) -> Stream: ...
    def infill(self, prefix: str, suffix: str, *, stream: bool = False, **options: Any) -> Result | Stream:
        """Fill the gap between two pieces of Python. A suffix that is no program by itself is sent as it is.

        Raises:
            BackendError: the model failed, or cannot infill.
            PythonSyntaxError: the prefix cannot be converted, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(self._completion(prefix, suffix, stream, None, options, INFILL), stream)

    @overload
    def chat(self, messages: Sequence[Message], *, stream: Literal[False] = False, **options: Any) -> Result: ...
    @overload
    def chat(self, messages: Sequence[Message], *, stream: Literal[True], **options: Any) -> Stream: ...
    def chat(self, messages: Sequence[Message], *, stream: bool = False, **options: Any) -> Result | Stream:
        """Answer a chat: messages as OpenAI has them. Tool calls and unknown fields are sent as they are.

        Raises:
            BackendError: the model failed.
            PythonSyntaxError: a block marked as Python is not, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(self._chat(messages, stream, options), stream)

    @overload
    async def acomplete(self, prefix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    async def acomplete(self, prefix: str, *, stream: Literal[True], until: str | None = None, **options: Any) -> AsyncStream: ...
    async def acomplete(self, prefix: str, *, stream: bool = False, until: str | None = None, **options: Any) -> Result | AsyncStream:
        """``complete`` for asyncio."""
        return await self._arun(self._completion(prefix, "", stream, until, options), stream)

    @overload
    async def ainfill(self, prefix: str, suffix: str, *, stream: Literal[False] = False, **options: Any) -> Result: ...
    @overload
    async def ainfill(self, prefix: str, suffix: str, *, stream: Literal[True], **options: Any) -> AsyncStream: ...
    async def ainfill(self, prefix: str, suffix: str, *, stream: bool = False, **options: Any) -> Result | AsyncStream:
        """``infill`` for asyncio."""
        return await self._arun(self._completion(prefix, suffix, stream, None, options, INFILL), stream)

    @overload
    async def achat(self, messages: Sequence[Message], *, stream: Literal[False] = False, **options: Any) -> Result: ...
    @overload
    async def achat(self, messages: Sequence[Message], *, stream: Literal[True], **options: Any) -> AsyncStream: ...
    async def achat(self, messages: Sequence[Message], *, stream: bool = False, **options: Any) -> Result | AsyncStream:
        """``chat`` for asyncio."""
        return await self._arun(self._chat(messages, stream, options), stream)

    def _run(self, call: _Call, stream: bool) -> Result | Stream:
        answer = Stream(call)
        return answer if stream else answer.finish()

    async def _arun(self, call: _Call, stream: bool) -> Result | AsyncStream:
        answer = AsyncStream(call)
        return answer if stream else await answer.finish()

    def _completion(
        self, prefix: str, suffix: str, stream: bool, until: str | None, options: Mapping[str, Any], kind: str = COMPLETE
    ) -> _Call:
        start = time.perf_counter()
        self._check(kind)
        prompt = Prompt(prefix, self.dialect)
        notes = prompt.notes
        sent_suffix = suffix
        if suffix.strip() and prompt.converted:
            try:
                sent_suffix = encode(suffix, dialect=self.dialect)
            except PythonSyntaxError as error:
                notes += (Note(1, f"the suffix: {error.message}"),)
        if notes and self.on_error == "raise":
            raise PythonSyntaxError(notes[0].reason, line=notes[0].line)
        request = Request(kind, prompt=prompt.sent, suffix=sent_suffix, stream=stream or until is not None, options=options)
        reader = Continuation(prompt, until=until)
        return _Call(self, request, reader, prompt.sent + sent_suffix, prefix + suffix, notes, start)

    def _chat(self, messages: Sequence[Message], stream: bool, options: Mapping[str, Any]) -> _Call:
        start = time.perf_counter()
        self._check(CHAT)
        sent: list[Message] = []
        notes: tuple[Note, ...] = ()
        before: list[str] = []
        after: list[str] = []
        for message in messages:
            new, found = self._message(message, before, after)
            sent.append(new)
            notes += found
        request = Request(CHAT, messages=sent, stream=stream, options=options)
        return _Call(self, request, self.mixed.person_stream(), "\n".join(after), "\n".join(before), notes, start)

    def _message(self, message: Message, before: list[str], after: list[str]) -> tuple[Message, tuple[Note, ...]]:
        """A message as the model sees it; its texts are collected for the ledger."""
        content = message.get("content")
        parts = content if isinstance(content, list) else None
        texts = [content] if isinstance(content, str) else [part.get("text") for part in parts or () if isinstance(part, dict)]
        notes: tuple[Note, ...] = ()
        new: dict[str, str] = {}
        for text in texts:
            if not isinstance(text, str):
                continue
            before.append(text)
            marked = type(text) is not str
            if marked or message.get("role") in CONVERTED_ROLES:
                converted = self.mixed.to_model(text)
                notes += converted.notes
                new[text] = converted.text
            after.append(new.get(text, text))
        if isinstance(content, str):
            return {**message, "content": new.get(content, content)}, notes
        if parts is None:
            return message, notes
        changed = [{**part, "text": new[part["text"]]} if isinstance(part, dict) and part.get("text") in new else part for part in parts]
        return {**message, "content": changed}, notes

    def _check(self, kind: str) -> None:
        if kind not in self.backend.kinds:
            raise BackendError(f"this model cannot {kind}", hint=f"it can {', '.join(sorted(self.backend.kinds))}")


class _Reader(Protocol):
    """Turns the model's text into the person's."""

    notes: tuple[Note, ...]

    def feed(self, text: str) -> str: ...

    def close(self) -> str: ...


class _Call:
    """One call under way: converts each piece, keeps the time, and writes the ledger at the end."""

    def __init__(
        self, owner: DualCode, request: Request, reader: _Reader, sent: str, python: str, notes: tuple[Note, ...], start: float
    ) -> None:
        self.owner = owner
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
        return getattr(self._reader, "ended", False)

    def close(self) -> str:
        """The answer has ended; return its rest and make the result."""
        text = self._timed(self._reader.close)
        owner, answer, raw = self.owner, "".join(self._out), "".join(self._raw)
        notes = self._notes + self._reader.notes
        if self._reader.notes and owner.on_error == "raise":
            raise SimPySyntaxError(self._reader.notes[0].reason, line=self._reader.notes[0].line)
        exact = owner.backend.count("") is not None
        count, estimated = counter((lambda text: owner.backend.count(text) or 0) if exact else None)
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
        owner.ledger.add(entry)
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

    def __init__(self, call: _Call) -> None:
        self._call = call
        self._pieces = self._read()

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

    def _read(self) -> Any:
        call = self._call
        call.asked()
        pieces: Any = call.owner.backend.run(call.request)
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

    def __init__(self, call: _Call) -> None:
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

    async def _read(self) -> Any:
        call = self._call
        call.asked()
        async with aclosing(call.owner.backend.arun(call.request)) as pieces:  # type: ignore[type-var]  # backends write generators
            async for piece in pieces:
                if text := call.came(piece):
                    yield text
                if call.ended:
                    break
                call.asked()
        if text := call.close():
            yield text
