"""OpenAI's ``/responses``: input items, output items, and events that say each text several times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dualcode.conversion.messages import MEDIA_PARTS, Walk
from dualcode.conversion.tool_calls import ToolCall
from dualcode.server.apis.protocol import ConvertedRequest, Key, Part, Place, ReadOptions, call_of, number, objects, openai_error

_RESULTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")
"""Input items that hold the result of a tool, in the field ``output``."""
_SILENT = MEDIA_PARTS | {"refusal"}


class CallItem(NamedTuple):
    """How the arguments of a call are held: in which field, and whether they are one plain text."""

    field: str
    plain: bool = False
    tool: str = ""


_CALLS: Mapping[str, CallItem] = {
    "function_call": CallItem("arguments"),
    "custom_tool_call": CallItem("input", plain=True),
    "apply_patch_call": CallItem("operation", tool="apply_patch"),
}
"""Output items that are calls of the client's tools."""
_CALL_EVENTS: Mapping[str, tuple[Part, str, bool]] = {
    "response.function_call_arguments.delta": (Part.DELTA, "delta", False),
    "response.function_call_arguments.done": (Part.WHOLE, "arguments", False),
    "response.custom_tool_call_input.delta": (Part.DELTA, "delta", True),
    "response.custom_tool_call_input.done": (Part.WHOLE, "input", True),
}
_ARGUMENTS_OF: Mapping[str, str] = {
    "function_call": "response.function_call_arguments.delta",
    "custom_tool_call": "response.custom_tool_call_input.delta",
}
_TEXT_DELTA = "response.output_text.delta"
_OF_DELTAS = frozenset("type sequence_number item_id output_index content_index delta logprobs obfuscation".split())
_LAST = ("response.completed", "response.incomplete", "response.failed")
_INSTRUCTIONS: Key = ("instructions",)


class Responses:
    """OpenAI's Responses.

    >>> item = {"type": "message", "content": [{"type": "output_text", "text": "a"}]}
    >>> [place.key for place in Responses().answer({"output": [{"type": "reasoning"}, item]})]
    [(1, 0)]
    """

    path = "/responses"
    text_field = "delta"
    counter = "sequence_number"
    names_events = True

    def read(self, request: Mapping[str, Any], options: ReadOptions) -> ConvertedRequest | None:
        """Convert the instructions and the input of a request."""
        walk = Walk(options.messages, tool_results=options.tool_results, silent=_SILENT)
        new: dict[str, Any] = {}
        found = ConvertedRequest(texts=walk.texts)
        if isinstance(request.get("instructions"), str):
            new["instructions"] = walk.content(request["instructions"], "system", "instructions")
            found.echoed[_INSTRUCTIONS] = new["instructions"], request["instructions"]
        if isinstance(request.get("input"), str):
            new["input"] = walk.content(request["input"], "user", "input")
        elif isinstance(request.get("input"), list):
            new["input"] = [_item(walk, item, f"input {index + 1}") for index, item in enumerate(request["input"])]
        elif request.get("input") is not None:
            walk.refuse("the input is neither a text nor a list", "input")
        found.changes = new if walk.changed else {}
        found.stream = lambda number: options.messages.reply_stream("" if number else walk.begun)
        found.shortened = walk.shortened
        found.notes = list(map(str, walk.notes))
        return found

    def calls(self, request: Mapping[str, Any]) -> Iterator[ToolCall]:
        """The tool calls of the conversation that have a result."""
        items = objects(request.get("input"))
        done = {item["call_id"] for item in items if str(item.get("type")).endswith("_output") and isinstance(item.get("call_id"), str)}
        for item in items:
            named = item.get("type")
            call = _CALLS.get(named) if isinstance(named, str) else None
            if call is not None and isinstance(item.get("call_id"), str) and item["call_id"] in done:
                found = call_of(item.get("name") or call.tool, item.get(call.field), plain=call.plain)
                if found is not None:
                    yield found

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """The texts of a whole answer, and the instructions that it repeats."""
        if isinstance(answer.get("instructions"), str):
            yield Place(Part.WHOLE, _INSTRUCTIONS, answer, "instructions")
        output = answer.get("output")
        for index, item in enumerate(output if isinstance(output, list) else []):
            yield from _output(Part.WHOLE, index, item)

    def event(self, event: dict[str, Any]) -> Iterator[Place]:
        """The texts of an event, and the ends of streams, in order."""
        named, item = event.get("type"), number(event.get("output_index"))
        key = (item, number(event.get("content_index")))
        if named == _TEXT_DELTA and isinstance(event.get("delta"), str):
            yield Place(Part.DELTA, key, event, "delta")
        elif named == "response.output_text.done" and isinstance(event.get("text"), str):
            yield Place(Part.WHOLE, key, event, "text")
        elif named == "response.content_part.done":
            yield from _part(Part.WHOLE, key, event.get("part"))
        elif named == "response.content_part.added":
            yield from _part(Part.DELTA, key, event.get("part"))
        elif isinstance(named, str) and named in _CALL_EVENTS:
            part, field, plain = _CALL_EVENTS[named]
            if isinstance(event.get(field), str):
                yield Place(part, (item, "call"), event, field, "", plain)
        elif named == "response.output_item.added":
            yield from _output(Part.OPEN, item, event.get("item"))
        elif named == "response.output_item.done":
            yield from _output(Part.WHOLE, item, event.get("item"))
            yield Place(Part.END, (item,))
        elif isinstance(event.get("response"), dict):
            yield from self.answer(event["response"])

    def only_text(self, event: dict[str, Any]) -> Key | None:
        """The stream of an event that says nothing but more of one text, as most events do."""
        said = event.get("type") == _TEXT_DELTA and isinstance(event.get("delta"), str) and not event.get("logprobs")
        if not said or not _OF_DELTAS.issuperset(event):
            return None
        return (number(event.get("output_index")), number(event.get("content_index")))

    def more(self, last: dict[str, Any], key: Key, text: str) -> dict[str, Any]:
        """An event that says more of a stream, whose ``last`` event is given."""
        item = last.get("item") or {}
        found = {"type": last.get("type"), "item_id": last.get("item_id", item.get("id")), "output_index": key[0]}
        if key[1] == "call":
            return {**found, "type": _ARGUMENTS_OF.get(item.get("type", ""), found["type"]), "delta": text}
        return {**found, "type": _TEXT_DELTA, "content_index": key[1], "delta": text, "logprobs": []}

    def is_over(self, event: dict[str, Any]) -> bool:
        """Whether the answer ends here, well or badly: what is still held must come before."""
        return event.get("type") == "error" or event.get("type") in _LAST

    def notes_in(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The object in an event that takes the notes on the answer."""
        response = event.get("response")
        return response if event.get("type") in _LAST and isinstance(response, dict) else None

    def error(self, status: int, code: str, message: str) -> dict[str, Any]:
        """An error of the proxy in the form of this API."""
        return openai_error(code, message)

    def error_event(self, status: int, code: str, message: str) -> dict[str, Any]:
        """The same as an event of a stream."""
        return {"type": "error", "code": code, "message": message, "param": None}


class InputTokens(Responses):
    """OpenAI's count of the tokens of a request: what is counted is what the model will see; the answer is a number.

    >>> list(InputTokens().answer({"input_tokens": 7}))
    []
    """

    path = "/responses/input_tokens"

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """Nothing: the answer holds no text."""
        yield from ()


def _item(walk: Walk, item: object, where: str) -> object:
    """An input item as the model sees it; items that are neither messages nor results of tools pass as received."""
    if not isinstance(item, dict):
        walk.refuse("an item that is not an object", where)
        return item
    named = item.get("type")
    if named in _RESULTS:
        return walk.field(item, "output", "tool", where)
    return walk.message(item, where) if named in (None, "message") else item


def _output(part: Part, index: int, item: object) -> Iterator[Place]:
    """The texts of an output item, or the arguments of its call."""
    if not isinstance(item, dict):
        return
    named = item.get("type")
    call = _CALLS.get(named) if isinstance(named, str) else None
    if call is not None:
        tool = item.get("name")
        yield Place(part, (index, "call"), item, call.field, tool if isinstance(tool, str) else call.tool, call.plain)
    elif named == "message" and part is Part.WHOLE:
        content = item.get("content")
        for at, one in enumerate(content if isinstance(content, list) else []):
            yield from _part(part, (index, at), one)


def _part(part: Part, key: Key, found: object) -> Iterator[Place]:
    if isinstance(found, dict) and found.get("type") == "output_text" and isinstance(found.get("text"), str):
        yield Place(part, key, found, "text")
