"""Answers of the APIs, as their servers write them, whole and as events: texts and calls of a tool, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A call of a tool; the answer that holds it is named by it."""

    name: str
    arguments: dict[str, Any]
    id: str


Said = str | dict[str, Any] | Call
"""A text, or a call; the arguments alone for one of the tool ``edit``."""
RESPONSES, MESSAGES, CHAT = "/responses", "/messages", "/chat/completions"
ASKED: dict[str, dict[str, Any]] = {
    CHAT: {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    RESPONSES: {"model": "m", "input": "hello"},
    MESSAGES: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]},
}
"""A request to each API."""


def whole(path: str, *said: Said) -> bytes:
    """An answer that is not streamed."""
    return json.dumps({CHAT: _chat, RESPONSES: _response, MESSAGES: _message}[path](said)).encode()


def events(path: str, *said: Said, size: int = 5, finish: bool = True) -> bytes:
    """The events of a streamed answer; texts and arguments in pieces of a size."""
    found = {CHAT: _chat_events, RESPONSES: _response_events, MESSAGES: _message_events}[path](said, size)
    listed = list(found) if finish else _unfinished(path, list(found))
    written = b"".join(_written(path, event) for event in listed)
    return written + (b"data: [DONE]\n\n" if path == CHAT and finish else b"")


def _unfinished(path: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events up to the last piece of a text or of arguments."""
    if path == CHAT:
        return found[:-1]
    pieces = [at for at, event in enumerate(found) if event["type"].endswith("delta") and event["type"] != "message_delta"]
    return found[: pieces[-1] + 1]


def _written(path: str, event: dict[str, Any]) -> bytes:
    name = b"" if path == CHAT else f"event: {event['type']}\n".encode()
    return name + b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def _call(at: int, one: dict[str, Any] | Call) -> Call:
    return one if isinstance(one, Call) else Call("edit", one, f"t{at}")


def _name(said: tuple[Said, ...], default: str) -> str:
    return next((one.id for one in said if isinstance(one, Call)), default)


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


# -------------------------------------------------------------------------------------------------------------------- chat


def _chat(said: tuple[Said, ...]) -> dict[str, Any]:
    called = [_call(at, one) for at, one in enumerate(one for one in said if not isinstance(one, str))]
    calls = [{"id": one.id, "type": "function", "function": {"name": one.name, "arguments": json.dumps(one.arguments)}} for one in called]
    message = {"role": "assistant", "content": "".join(one for one in said if isinstance(one, str)) or None}
    choice = {"index": 0, "message": {**message, "tool_calls": calls} if calls else message, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 7, "model": "m", "choices": [choice]}


def _chat_events(said: tuple[Said, ...], size: int) -> Iterator[dict[str, Any]]:
    def event(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [choice]}

    yield event({"role": "assistant", "content": ""})
    calls = 0
    for one in said:
        if isinstance(one, str):
            yield from (event({"content": piece}) for piece in _cut(one, size))
            continue
        call = _call(calls, one)
        yield event({"tool_calls": [{"index": calls, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}]})
        for piece in _cut(json.dumps(call.arguments), size):
            yield event({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]})
        calls += 1
    yield event({}, "stop")


# --------------------------------------------------------------------------------------------------------------- responses


def _item(at: int, one: Said, status: str = "completed") -> dict[str, Any]:
    if isinstance(one, str):
        part = {"type": "output_text", "text": one, "annotations": [], "logprobs": []}
        content = [part] if status == "completed" else []
        return {"type": "message", "id": f"i{at}", "role": "assistant", "status": status, "content": content}
    call = _call(at, one)
    arguments = json.dumps(call.arguments) if status == "completed" else ""
    return {"type": "function_call", "id": f"i{at}", "call_id": call.id, "name": call.name, "arguments": arguments, "status": status}


def _response(said: tuple[Said, ...], status: str = "completed") -> dict[str, Any]:
    output = [_item(at, one) for at, one in enumerate(said)] if status == "completed" else []
    head = {"id": "r1", "object": "response", "created_at": 7, "model": "m", "status": status, "instructions": None}
    return {**head, "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}


def _response_events(said: tuple[Said, ...], size: int) -> Iterator[dict[str, Any]]:
    for number, event in enumerate(_unnumbered(said, size)):
        yield {**event, "type": f"response.{event['type']}", "sequence_number": number}


def _unnumbered(said: tuple[Said, ...], size: int) -> Iterator[dict[str, Any]]:
    yield {"type": "created", "response": _response((), "in_progress")}
    yield {"type": "in_progress", "response": _response((), "in_progress")}
    for at, one in enumerate(said):
        where = {"item_id": f"i{at}", "output_index": at}
        yield {"type": "output_item.added", "output_index": at, "item": _item(at, one, "in_progress")}
        if isinstance(one, str):
            where["content_index"] = 0
            part = {"type": "output_text", "annotations": [], "logprobs": []}
            yield {"type": "content_part.added", **where, "part": {**part, "text": ""}}
            yield from ({"type": "output_text.delta", **where, "delta": piece, "logprobs": []} for piece in _cut(one, size))
            yield {"type": "output_text.done", **where, "text": one, "logprobs": []}
            yield {"type": "content_part.done", **where, "part": {**part, "text": one}}
        else:
            call = _call(at, one)
            arguments = json.dumps(call.arguments)
            yield from ({"type": "function_call_arguments.delta", **where, "delta": piece} for piece in _cut(arguments, size))
            yield {"type": "function_call_arguments.done", **where, "arguments": arguments, "name": call.name}
        yield {"type": "output_item.done", "output_index": at, "item": _item(at, one)}
    yield {"type": "completed", "response": _response(said)}


# ---------------------------------------------------------------------------------------------------------------- messages


def _block(at: int, one: Said, *, started: bool = False) -> dict[str, Any]:
    if isinstance(one, str):
        return {"type": "text", "text": "" if started else one}
    call = _call(at, one)
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": {} if started else call.arguments}


def _message(said: tuple[Said, ...], *, started: bool = False) -> dict[str, Any]:
    content = [_block(at, one) for at, one in enumerate(said)]
    usage = {"input_tokens": 3, "output_tokens": 1}
    head = {"id": _name(said, "m1"), "type": "message", "role": "assistant", "model": "m", "stop_sequence": None, "usage": usage}
    return {**head, "content": [] if started else content, "stop_reason": None if started else "end_turn"}


def _message_events(said: tuple[Said, ...], size: int) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": _message(said, started=True)}
    yield {"type": "ping"}
    for at, one in enumerate(said):
        text = isinstance(one, str)
        yield {"type": "content_block_start", "index": at, "content_block": _block(at, one, started=True)}
        for piece in _cut(one if isinstance(one, str) else json.dumps(_call(at, one).arguments), size):
            delta = {"type": "text_delta", "text": piece} if text else {"type": "input_json_delta", "partial_json": piece}
            yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 9}}
    yield {"type": "message_stop"}
