"""Answers that are made here and not by the upstream, in the form of each API: empty ones with a reason, and texts that policies gave."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dualcode.server.answer_streams import NOTES_FIELD
from dualcode.server.apis.chat import Chat, choices_of
from dualcode.server.apis.completions import Completions
from dualcode.server.apis.messages import Messages
from dualcode.server.apis.responses import Responses
from dualcode.server.json_objects import dump
from dualcode.server.sse import event

JSON, EVENTS = "application/json", "text/event-stream"
_MOST_CHOICES = 128  # as many as OpenAI's API allows; a request may ask for any number
_Events = Iterable[dict[str, Any]]


def wants_events(request: Mapping[str, Any]) -> bool:
    """Whether a request asks for a stream."""
    return bool(request.get("stream"))


def own_answer(path: str, request: Mapping[str, Any], text: str = "", *, stopped: str = "", note: str = "") -> tuple[bytes, str]:
    """An answer as the upstream would give it, and its media type.

    Args:
        path: what names the API.
        request: the request that it answers.
        text: what it says; each choice says the same.
        stopped: why it ended, as ``Answer`` has it.
        note: goes into the field ``simpy_notes``.

    >>> body, kind = own_answer("/completions", {"model": "m"}, note="too late")
    >>> json.loads(body)["choices"], json.loads(body)["simpy_notes"], kind
    ([{'index': 0, 'text': '', 'logprobs': None, 'finish_reason': 'stop'}], ['too late'], 'application/json')
    """
    notes = {NOTES_FIELD: [note]} if note else {}
    whole, events = _FORMS[path]
    if not wants_events(request):
        return dump({**whole(request, text, stopped), **notes}), JSON
    named = path in (Messages.path, Responses.path)
    found = list(events(request, text, stopped))
    if notes:
        _holder(path, found).update(notes)
    out = b"".join(event(dump(one), one["type"] if named else "") for one in found)
    return (out if named else out + b"data: [DONE]\n\n"), EVENTS


def _holder(path: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """The object in a stream that takes the notes."""
    if path == Messages.path:
        return events[-2]
    if path == Responses.path:
        return events[-1]["response"]  # type: ignore[no-any-return]  # it is one
    return next(one for one in reversed(events) if one["choices"])


def _name(prefix: str) -> str:
    return prefix + uuid.uuid4().hex


def _envelope(request: Mapping[str, Any], named: str) -> dict[str, Any]:
    return {"id": _name("simpy-"), "object": named, "created": int(time.time()), "model": str(request.get("model", ""))}


def _choices(request: Mapping[str, Any]) -> range:
    """The numbers of the choices that are made."""
    return range(min(choices_of(request), _MOST_CHOICES))


def _finish(stopped: str) -> str:
    return "length" if stopped == "length" else "stop"


_NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _chat(request: Mapping[str, Any], text: str, stopped: str) -> dict[str, Any]:
    said = {"message": {"role": "assistant", "content": text}, "logprobs": None, "finish_reason": _finish(stopped)}
    choices = [{"index": index, **said} for index in _choices(request)]
    return {**_envelope(request, "chat.completion"), "choices": choices, "usage": _NO_USAGE}


def _completion(request: Mapping[str, Any], text: str, stopped: str) -> dict[str, Any]:
    said = {"text": text, "logprobs": None, "finish_reason": _finish(stopped)}
    choices = [{"index": index, **said} for index in _choices(request)]
    return {**_envelope(request, "text_completion"), "choices": choices, "usage": _NO_USAGE}


def _chat_events(request: Mapping[str, Any], text: str, stopped: str) -> _Events:
    envelope = _envelope(request, "chat.completion.chunk")
    for index in _choices(request):
        yield {**envelope, "choices": [{"index": index, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]}
        yield {**envelope, "choices": [{"index": index, "delta": {}, "finish_reason": _finish(stopped)}]}
    yield from _usage_event(request, envelope)


def _completion_events(request: Mapping[str, Any], text: str, stopped: str) -> _Events:
    envelope = _envelope(request, "text_completion")
    for index in _choices(request):
        yield {**envelope, "choices": [{"index": index, "text": text, "logprobs": None, "finish_reason": _finish(stopped)}]}
    yield from _usage_event(request, envelope)


def _usage_event(request: Mapping[str, Any], envelope: Mapping[str, Any]) -> _Events:
    asked = request.get("stream_options")
    if isinstance(asked, Mapping) and asked.get("include_usage"):
        yield {**envelope, "choices": [], "usage": _NO_USAGE}


def _message(request: Mapping[str, Any], text: str, stopped: str) -> dict[str, Any]:
    return {
        "id": _name("msg_simpy_"),
        "type": "message",
        "role": "assistant",
        "model": str(request.get("model", "")),
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "max_tokens" if stopped == "length" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def _message_events(request: Mapping[str, Any], text: str, stopped: str) -> _Events:
    whole = _message(request, text, stopped)
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    if text:
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 0}}
    yield {"type": "message_stop"}


def _response(request: Mapping[str, Any], text: str, stopped: str) -> dict[str, Any]:
    cut = stopped == "length"
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": _name("msg_simpy_"), "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": _name("resp_simpy_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": None,
        "metadata": {},
        "model": str(request.get("model", "")),
        "output": [item] if text else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, **details},
    }


def _response_events(request: Mapping[str, Any], text: str, stopped: str) -> _Events:
    whole = _response(request, text, stopped)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    found: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for item in whole["output"]:
        (part,), where = item["content"], {"item_id": item["id"], "output_index": 0, "content_index": 0}
        found += [
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
            {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
            {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []},
            {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
            {"type": "response.content_part.done", **where, "part": dict(part)},
            {"type": "response.output_item.done", "output_index": 0, "item": json.loads(json.dumps(item))},
        ]
    found.append({"type": f"response.{whole['status']}", "response": whole})
    return [{**one, "sequence_number": number} for number, one in enumerate(found)]


_FORMS: Mapping[str, tuple[Callable[..., dict[str, Any]], Callable[..., _Events]]] = {
    Chat.path: (_chat, _chat_events),
    Completions.path: (_completion, _completion_events),
    Messages.path: (_message, _message_events),
    Responses.path: (_response, _response_events),
}
