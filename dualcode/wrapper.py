"""The wrapper round a model: Python goes in and comes out, the model sees a dialect of SimPy.

``dualcode.conversion`` converts, ``dualcode.backends`` asks the model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Backend, Request
from dualcode.backends.registry import open_backend
from dualcode.calls import AsyncStream, Call, Exchange, Message, Result, Stream
from dualcode.conversion.answering import answer_stream
from dualcode.conversion.fill_in_the_middle import Gap
from dualcode.conversion.joining import joins
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Texts
from dualcode.conversion.streams import TextStream
from dualcode.conversion.units import check_unit
from dualcode.conversion.until import CompletionEnd, IsWhole, ReplyEnd, Until
from dualcode.policies.chain import Chain
from dualcode.policies.guarded import Guarded, close_policies, open_policies
from dualcode.policies.protocol import Policy, Question
from dualcode.usage import SessionUsage
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError, PythonSyntaxError


class DualCode:
    """A model that people talk to in Python and that reads and writes SimPy.

    Args:
        model: a backend, the folder of a model of ``transformers``, or the URL of an OpenAI-compatible server.
        dialect: what the model reads and writes. ``compact`` is Python, which every model knows. Say ``classic`` or ``dense`` only
            for a model that was trained on it: others lose accuracy on new spellings.
        on_error: ``"pass"`` to send and return what cannot be converted as received, with a note; ``"raise"`` to raise.
        bare: convert Python and SimPy outside of fenced blocks of a chat too (see ``MixedText``).
        tool_results: convert the results of tools in a chat too (see ``MessageConverter.to_model``).
        verify: prove each conversion of a chat before it is sent.
        numbers: number definitions where a gutter of line numbers is taken away.
        policies: what spends less for the same answer, the outermost first (see ``dualcode.policies``): ``"NAME"``,
            ``"NAME:OPTION=VALUE,OPTION=VALUE"``, or a ``Policy``.
        options: options of the backend that is opened, such as ``constrain=True`` to let a local model write nothing but programs of the
            dialect that end within ``max_tokens``.

    Attributes:
        usage: what the calls of this session spent.

    Raises:
        BackendError: no backend knows the model, or it cannot do what the options ask.
        DialectError: there is no such dialect.
    """

    def __init__(
        self,
        model: str | Backend,
        *,
        dialect: str | Path | Dialect = "compact",
        on_error: str = "pass",
        bare: bool = False,
        tool_results: bool = True,
        verify: bool = True,
        numbers: bool = True,
        policies: Sequence[str | Policy] = (),
        **options: Any,
    ) -> None:
        self.dialect = Dialect.load(dialect)
        self.messages = MessageConverter(self.dialect, bare=bare, on_error=on_error, verify=verify, numbers=numbers)
        self.tool_results = tool_results
        self.on_error = on_error
        named, given = model, dict(options)
        if isinstance(model, str):
            if options.get("constrain") is True:
                options.setdefault("dialect", self.dialect)
            model = open_backend(model, **options)
        elif options:
            raise TypeError(f"options of a backend that is open already: {', '.join(options)}")
        self.backend: Backend = model
        self.usage = SessionUsage()
        self.policies = tuple(open_policies(policies))
        self._guarded = [Guarded(policy) for policy in self.policies]
        self._models = {
            name: open_backend(other) if isinstance(other, str) else other
            for policy in self.policies
            for name, other in policy.models.items()
        }
        self._identity = ""
        if self.policies:
            from dualcode.policies.identity import identity_of

            given["policies"] = [policy.identity for policy in self.policies]
            models = {"": named, **{name: other for policy in self.policies for name, other in policy.models.items()}}
            asked = {"bare": bare, "on_error": on_error, "tool_results": tool_results, "verify": verify, "numbers": numbers}
            self._identity = identity_of(models, self.dialect, {**given, **asked})

    @overload
    def complete(self, prefix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    def complete(self, prefix: str, *, stream: Literal[True], until: str | None = None, **options: Any) -> Stream: ...
    def complete(self, prefix: str, *, stream: bool = False, until: str | None = None, **options: Any) -> Result | Stream:
        """Continue unfinished Python.

        Args:
            prefix: the beginning of a program, cut off anywhere.
            stream: give the text while it arrives.
            until: a unit of ``dualcode.conversion.units.UNITS``: the model is stopped where the answer makes the ``"statement"``,
                ``"block"``, ``"function"``, ``"class"`` or ``"program"`` whole in which the prefix ends, or holds a whole one.
            options: for the model, such as ``max_tokens`` and ``temperature``; texts in ``stop`` end the answer in Python too.

        Raises:
            BackendError: the model failed.
            ValueError: there is no such unit.
            PythonSyntaxError: the prefix cannot be converted, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(Question(COMPLETE, prefix, until=until, options=options, dialect=self.dialect.name), stream)

    @overload
    def infill(self, prefix: str, suffix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    def infill(self, prefix: str, suffix: str, *, stream: Literal[True], until: str | None = None, **options: Any) -> Stream: ...
    def infill(self, prefix: str, suffix: str, *, stream: bool = False, until: str | None = None, **options: Any) -> Result | Stream:
        """Fill the gap between two pieces of Python: prefix, answer and suffix are one text. The suffix may begin in the middle of a
        line or block; a suffix that does not go on with the prefix is sent as received, with a note. ``until`` is that of ``complete``.

        Raises:
            BackendError: the model failed, or cannot infill; or it is held to a grammar, and nothing is found that fills the gap.
            ValueError: there is no such unit.
            PythonSyntaxError: the prefix cannot be converted, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(Question(INFILL, prefix, suffix, until=until, options=options, dialect=self.dialect.name), stream)

    @overload
    def chat(self, messages: Sequence[Message], *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    def chat(self, messages: Sequence[Message], *, stream: Literal[True], until: str | None = None, **options: Any) -> Stream: ...
    def chat(self, messages: Sequence[Message], *, stream: bool = False, until: str | None = None, **options: Any) -> Result | Stream:
        """Answer a chat: messages as OpenAI has them. Tool calls and unknown fields are sent as received; a message or a part of one with
        the field ``"simpy": "python"`` is Python as a whole, as is a ``PythonCode``. ``until`` stops the model where a block of code holds
        a whole unit (see ``complete``), or with ``"program"`` where the first block of code ends.

        Raises:
            BackendError: the model failed.
            ValueError: there is no such unit.
            PythonSyntaxError: a block marked as Python is not, and ``on_error`` is ``"raise"``.
            SimPySyntaxError: the answer is malformed, and ``on_error`` is ``"raise"``.
        """
        return self._run(Question(CHAT, messages=messages, until=until, options=options, dialect=self.dialect.name), stream)

    @overload
    async def acomplete(self, prefix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any) -> Result: ...
    @overload
    async def acomplete(self, prefix: str, *, stream: Literal[True], until: str | None = None, **options: Any) -> AsyncStream: ...
    async def acomplete(self, prefix: str, *, stream: bool = False, until: str | None = None, **options: Any) -> Result | AsyncStream:
        """``complete`` for asyncio."""
        return await self._arun(Question(COMPLETE, prefix, until=until, options=options, dialect=self.dialect.name), stream)

    @overload
    async def ainfill(
        self, prefix: str, suffix: str, *, stream: Literal[False] = False, until: str | None = None, **options: Any
    ) -> Result: ...
    @overload
    async def ainfill(
        self, prefix: str, suffix: str, *, stream: Literal[True], until: str | None = None, **options: Any
    ) -> AsyncStream: ...
    async def ainfill(
        self, prefix: str, suffix: str, *, stream: bool = False, until: str | None = None, **options: Any
    ) -> Result | AsyncStream:
        """``infill`` for asyncio."""
        return await self._arun(Question(INFILL, prefix, suffix, until=until, options=options, dialect=self.dialect.name), stream)

    @overload
    async def achat(
        self, messages: Sequence[Message], *, stream: Literal[False] = False, until: str | None = None, **options: Any
    ) -> Result: ...
    @overload
    async def achat(
        self, messages: Sequence[Message], *, stream: Literal[True], until: str | None = None, **options: Any
    ) -> AsyncStream: ...
    async def achat(
        self, messages: Sequence[Message], *, stream: bool = False, until: str | None = None, **options: Any
    ) -> Result | AsyncStream:
        """``chat`` for asyncio."""
        return await self._arun(Question(CHAT, messages=messages, until=until, options=options, dialect=self.dialect.name), stream)

    def _run(self, question: Question, stream: bool) -> Result | Stream:
        answer = Stream(self._exchange(question, stream))
        return answer if stream else answer.finish()

    async def _arun(self, question: Question, stream: bool) -> Result | AsyncStream:
        # A policy may wait for a file.
        exchange = await asyncio.to_thread(self._exchange, question, stream) if self.policies else self._exchange(question, stream)
        answer = AsyncStream(exchange)
        return answer if stream else await answer.finish()

    def close(self) -> None:
        """Close the policies; ``with DualCode(...) as code:`` does it at its end."""
        close_policies(self.policies)

    def __enter__(self) -> DualCode:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, question: Question, stream: bool) -> Exchange:
        if not self.policies:
            return self._call(question, stream, self.backend)
        from dualcode.policies.rounds import Rounds

        question = replace(question, identity=self._identity)

        def call_of(asked: Question, given: Backend | None) -> Call:
            return self._call(asked, stream, given or self._model(asked))

        return Rounds(Chain(self._guarded, question), call_of, self._model, question)

    def _model(self, question: Question) -> Backend:
        """The model that a question is for."""
        return self._models[question.model] if question.model else self.backend

    def _call(self, question: Question, stream: bool, backend: Backend) -> Call:
        if question.task not in backend.tasks:
            raise BackendError(f"this model cannot {question.task}", hint=f"it can {', '.join(sorted(backend.tasks))}")
        return (self._chat if question.is_chat else self._completion)(question, stream, backend)

    def _completion(self, question: Question, stream: bool, backend: Backend) -> Call:
        start = time.perf_counter()
        unit, options = check_unit(question.until), question.options
        gap = Gap(question.prefix, question.suffix, self.dialect)
        if gap.notes and self.on_error == "raise":
            raise PythonSyntaxError(gap.notes[0].reason, line=gap.notes[0].line)
        request = Request(question.task, prompt=gap.prompt.sent, suffix=gap.sent, stream=stream or unit is not None, options=options)
        request.joins = joins(gap.prompt) if gap.prompt.converted else None
        request.fits = gap.fits if gap.converted else None
        if unit is not None:
            request.is_whole = whole = IsWhole(lambda: CompletionEnd(unit, gap.prompt))
            request.end_of_unit = whole.end
        answer = answer_stream(gap, question.task == INFILL, unit, options.get("stop"))
        texts = Texts([gap.prompt.sent + gap.sent], [question.prefix + question.suffix])
        return Call(backend, self.usage, self.on_error, request, answer, texts, gap.notes, start)

    def _chat(self, question: Question, stream: bool, backend: Backend) -> Call:
        start = time.perf_counter()
        unit, options = check_unit(question.until), question.options
        found = self.messages.to_model(list(question.messages), tool_results=self.tool_results)
        request = Request(CHAT, messages=found.messages, stream=stream or unit is not None, options=options, begun=found.begun)
        answer: TextStream = self.messages.reply_stream(found.begun)
        if unit is not None:
            request.is_whole = IsWhole(lambda: ReplyEnd(unit, self.dialect, found.begun))
            answer = Until(answer, ReplyEnd(unit, self.dialect, found.begun), ends_line=False)
        return Call(backend, self.usage, self.on_error, request, answer, found.texts, tuple(found.notes), start)
