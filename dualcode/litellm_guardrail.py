"""A guardrail for the proxy of LiteLLM: requests and answers go through the same conversion as in ``simpy serve``.

LiteLLM calls the hooks (https://docs.litellm.ai/docs/proxy/guardrails/custom_guardrail) and hands over objects of its own or bytes of
events. examples/litellm.yaml is a configuration. Only this file imports ``litellm``, which is an extra.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any

from litellm.integrations.custom_guardrail import CustomGuardrail

from dualcode.conversion.memory import MIB
from dualcode.conversion.outcomes import Texts
from dualcode.server.answer_streams import AnswerStreams
from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import Api, ConvertedRequest
from dualcode.server.apis.registry import APIS
from dualcode.server.convert import RequestConverter
from dualcode.server.sse import Event, EventReader

_PATHS = {
    "completion": "/chat/completions",
    "text_completion": "/completions",
    "responses": "/responses",
    "anthropic_messages": "/messages",
}
"""LiteLLM's names of the APIs; each may begin with an ``a``, for asynchronous."""
_REMEMBERED = 4096  # requests that wait for their answers
_LONGEST_CALL = 64 * MIB
_LOG = logging.getLogger("simpy.litellm")


class SimPyGuardrail(CustomGuardrail):  # type: ignore[misc]  # litellm's types are not read
    """Lets the models behind LiteLLM read and write a dialect of SimPy, and the clients before it Python.

    Args:
        dialect: what the model reads and writes.
        bare: convert code outside of fenced blocks too.
        tool_results: convert results of tools too.
        options: those of every guardrail, such as its name and mode; the mode must be ``[pre_call, post_call]``.

    Raises:
        DialectError: there is no such dialect.
    """

    def __init__(self, dialect: str = "compact", bare: bool = False, tool_results: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._requests = RequestConverter(dialect, bare=bare)
        self._tool_results = tool_results
        self._waiting: OrderedDict[str, ConvertedRequest] = OrderedDict()

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str) -> dict[str, Any]:
        """Convert a request in place."""
        path = _PATHS.get(call_type) or _PATHS.get(call_type.removeprefix("a"))
        if path is None:
            return data
        found = self._requests.read(APIS[path], data, tool_results=self._tool_results)
        data.update(found.changes)
        _report(found.notes)
        call = data.get("litellm_call_id")
        if found.api is not None and isinstance(call, str):
            self._waiting[call] = replace(found, changes={}, texts=Texts())
            if len(self._waiting) > _REMEMBERED:
                self._waiting.popitem(last=False)
        return data

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """Convert a whole answer in place."""
        request, api = self._asked(data)
        if request is not None and api is not None:
            answer = _fields(response)
            streams = AnswerStreams(request, api, _LONGEST_CALL)
            if answer is not None and streams.answer(answer):
                _assign(response, answer)
            _report(streams.notes)
        return response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Convert a streamed answer piece by piece."""
        request, api = self._asked(request_data)
        if request is None or api is None:
            async for piece in response:
                yield piece
            return
        answer = _StreamedAnswer(request, api)
        async for piece in answer.converted(response):
            yield piece
        _report(answer.notes)

    def _asked(self, data: dict[str, Any]) -> tuple[ConvertedRequest | None, Api | None]:
        """The request that is answered; each is answered once."""
        found = self._waiting.pop(str(data.get("litellm_call_id")), None)
        return found, found.api if found else None


class _StreamedAnswer:
    """One streamed answer: pieces are objects of LiteLLM, one for each event, or bytes of events."""

    def __init__(self, request: ConvertedRequest, api: Api) -> None:
        self._streams = AnswerStreams(request, api, _LONGEST_CALL)
        self._bytes = AnswerConverter(request, api)
        self._reader = EventReader()
        self._types: dict[object, type[Any]] = {}  # of the objects, by the type that their event names
        self.notes = request.answer_notes

    async def converted(self, pieces: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        async for piece in pieces:
            if isinstance(piece, bytes | str):
                sent = piece.encode() if isinstance(piece, str) else piece
                out = self._bytes.events(self._reader.feed(sent))
                if out:
                    yield out if isinstance(piece, bytes) else out.decode()
                continue
            event = _fields(piece)
            if event is None:
                yield piece
                continue
            named = event.get("type")
            self._types[getattr(named, "value", named)] = type(piece)
            before, changed = self._streams.event(event)
            for one in self._made(before):
                yield one
            if changed:
                _assign(piece, event)
            yield piece
        for one in self._made(self._streams.finish()):
            yield one
        rest = self._reader.take()
        last = (self._bytes.event(Event(rest)) if rest else b"") + self._bytes.finish()
        if last:
            yield last

    def _made(self, events: list[dict[str, Any]]) -> list[Any]:
        """Events of ours as objects like those that came."""
        return [self._types.get(event.get("type"), dict)(**event) for event in events]


def _fields(value: Any) -> dict[str, Any] | None:
    """What an object of LiteLLM says, as plain values that may be changed."""
    if isinstance(value, dict):
        return value
    dumped = value.model_dump() if hasattr(value, "model_dump") else None
    return dumped if isinstance(dumped, dict) else None


def _assign(value: Any, said: Any) -> None:
    """Put changed texts into an object, so that all else of it stays; what it has no field for, as our notes, is left out."""
    if value is said:
        return
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(value, list) and isinstance(said, list):
        pairs = [(at, one, other) for at, (one, other) in enumerate(zip(value, said, strict=False))]
    elif isinstance(said, dict):
        known = value if isinstance(value, dict) else {**vars(value), **(getattr(value, "model_extra", None) or {})}
        pairs = [(name, known[name], other) for name, other in said.items() if name in known]
    for name, one, other in pairs:
        if not isinstance(one, str):
            _assign(one, other)
        elif one != other and isinstance(other, str):
            if isinstance(value, dict | list):
                value[name] = other
            else:
                setattr(value, name, other)


def _report(notes: list[str]) -> None:
    if notes:
        _LOG.info("%d parts passed unconverted", len(notes))
