"""The wrapper round a model: Python goes in and comes out, the model sees a dialect of SimPy.

Converting is the business of ``dualcode.mixed`` and ``dualcode.continuation``, asking the model that of ``dualcode.backends``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from dualcode.answers import AsyncStream, Call, Message, Result, Stream
from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Backend, Request
from dualcode.backends.registry import open_backend
from dualcode.continuation import Continuation
from dualcode.infill import Filling, Gap
from dualcode.ledger import Ledger
from dualcode.mixed import MixedText
from dualcode.notes import Note
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError, PythonSyntaxError

CONVERTED_ROLES = frozenset(("system", "developer", "user", "assistant"))
"""Messages of these roles are converted; those of others only if they are a ``PythonCode``."""


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
        """Fill the gap between two pieces of Python: prefix, answer and suffix are one text. The suffix may begin in the middle of a
        line or block; one that does not go on with the prefix is sent as it is, with a note.

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

    def _run(self, call: Call, stream: bool) -> Result | Stream:
        answer = Stream(call)
        return answer if stream else answer.finish()

    async def _arun(self, call: Call, stream: bool) -> Result | AsyncStream:
        answer = AsyncStream(call)
        return answer if stream else await answer.finish()

    def _completion(
        self, prefix: str, suffix: str, stream: bool, until: str | None, options: Mapping[str, Any], kind: str = COMPLETE
    ) -> Call:
        start = time.perf_counter()
        self._check(kind)
        gap = Gap(prefix, suffix, self.dialect)
        prompt, notes, sent_suffix = gap.prompt, gap.notes, gap.sent
        if notes and self.on_error == "raise":
            raise PythonSyntaxError(notes[0].reason, line=notes[0].line)
        request = Request(kind, prompt=prompt.sent, suffix=sent_suffix, stream=stream or until is not None, options=options)
        reader = Filling(gap) if kind == INFILL else Continuation(prompt, until=until)
        return Call(self.backend, self.ledger, self.on_error, request, reader, prompt.sent + sent_suffix, prefix + suffix, notes, start)

    def _chat(self, messages: Sequence[Message], stream: bool, options: Mapping[str, Any]) -> Call:
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
        return Call(
            self.backend, self.ledger, self.on_error, request, self.mixed.person_stream(), "\n".join(after), "\n".join(before), notes, start
        )

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
