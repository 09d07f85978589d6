"""Anthropic's ``/messages`` and ``/messages/count_tokens``: messages of content blocks, and answers of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dualcode.conversion.messages import MEDIA_PARTS, PartKind, Walk
from dualcode.conversion.tool_calls import ToolCall
from dualcode.server.apis.protocol import ConvertedRequest, Key, Part, Place, ReadOptions, call_of, number, objects

_TEXT = {"text": PartKind()}
_SOURCES: Mapping[str, PartKind] = {"text": PartKind("data"), "content": PartKind("content", nested=True, parts=_TEXT)}
BLOCKS: Mapping[str, PartKind] = {
    **_TEXT,
    "tool_result": PartKind("content", nested=True, role="tool"),
    "mcp_tool_result": PartKind("content", nested=True, role="tool"),
    "search_result": PartKind("content", nested=True, role="tool", parts=_TEXT),
    "document": PartKind("source", nested=True, parts=_SOURCES),
}
"""The content blocks that hold text."""
_SILENT = MEDIA_PARTS | frozenset(
    # What the model wrote itself (some of it is signed), results of Anthropic's own tools, and documents that are not text.
    """thinking redacted_thinking tool_use server_tool_use mcp_tool_use web_search_tool_result web_fetch_tool_result
    code_execution_tool_result bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result
    tool_reference container_upload compaction base64 url file""".split()
)
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_ENDS = ("message_delta", "message_stop", "error")


class Messages:
    """Anthropic's Messages.

    >>> [place.key for place in Messages().answer({"content": [{"type": "thinking"}, {"type": "text", "text": "a"}]})]
    [(1,)]
    """

    path = "/messages"
    text_field = "text"
    counter = ""
    names_events = True

    def read(self, request: Mapping[str, Any], options: ReadOptions) -> ConvertedRequest | None:
        """Convert the system prompt and the messages of a request."""
        walk = Walk(options.messages, tool_results=options.tool_results, parts=BLOCKS, silent=_SILENT)
        new: dict[str, object] = {}
        if "system" in request:
            new["system"] = walk.content(request["system"], "system", "system")
        messages = request.get("messages")
        if isinstance(messages, list):
            new["messages"] = [walk.message(message, f"message {index + 1}") for index, message in enumerate(messages)]
        else:
            walk.refuse("the messages are not a list", "messages")
        return ConvertedRequest(
            changes=new if walk.changed else {},
            stream=lambda number: options.messages.reply_stream("" if number else walk.begun),
            notes=list(map(str, walk.notes)),
            texts=walk.texts,
            shortened=walk.shortened,
        )

    def calls(self, request: Mapping[str, Any]) -> Iterator[ToolCall]:
        """The tool calls of the conversation that have a result which is not an error."""
        blocks = [block for message in objects(request.get("messages")) for block in objects(message.get("content"))]
        results = [block for block in blocks if block.get("type") == "tool_result" and not block.get("is_error")]
        done = {block["tool_use_id"] for block in results if isinstance(block.get("tool_use_id"), str)}
        for block in blocks:
            if block.get("type") == "tool_use" and isinstance(block.get("id"), str) and block["id"] in done:
                found = call_of(block.get("name"), block.get("input"))
                if found is not None:
                    yield found

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """The texts of a whole answer."""
        content = answer.get("content")
        for index, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict):
                yield from _block(Part.WHOLE, (index,), block)

    def event(self, event: dict[str, Any]) -> Iterator[Place]:
        """The texts of an event, and the ends of streams, in order."""
        key, named = (number(event.get("index")),), event.get("type")
        if named == "content_block_start" and isinstance(event.get("content_block"), dict):
            yield from _block(Part.OPEN, key, event["content_block"])
        elif named == "content_block_delta" and isinstance(event.get("delta"), dict):
            delta = event["delta"]
            if delta.get("type") == "text_delta" and isinstance(delta.get("text"), str):
                yield Place(Part.DELTA, key, delta, "text")
            elif delta.get("type") == "input_json_delta" and isinstance(delta.get("partial_json"), str):
                yield Place(Part.DELTA, key, delta, "partial_json", "")
        elif named == "content_block_stop":
            yield Place(Part.END, key)

    def only_text(self, event: dict[str, Any]) -> Key | None:
        """The stream of an event that says nothing but more of one text, as most events do."""
        delta = event.get("delta")
        if event.get("type") != "content_block_delta" or not isinstance(delta, dict) or set(event) != {"type", "index", "delta"}:
            return None
        return (number(event["index"]),) if set(delta) == {"type", "text"} and delta["type"] == "text_delta" else None

    def more(self, last: dict[str, Any], key: Key, text: str) -> dict[str, Any]:
        """An event that says more of a stream, whose ``last`` event is given."""
        of_call = "partial_json" in (last.get("delta") or {}) or "input" in (last.get("content_block") or {})
        delta = {"type": "input_json_delta", "partial_json": text} if of_call else {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": key[0], "delta": delta}

    def is_over(self, event: dict[str, Any]) -> bool:
        """Whether the answer ends here, well or badly: what is still held must come before."""
        return event.get("type") in _ENDS

    def notes_in(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The object in an event that takes the notes on the answer."""
        return event if event.get("type") == "message_delta" else None

    def error(self, status: int, code: str, message: str) -> dict[str, Any]:
        """An error of the proxy in the form of this API."""
        return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}}

    error_event = error


class CountTokens(Messages):
    """Anthropic's count of the tokens of a request: what is counted is what the model will see; the answer is a number.

    >>> list(CountTokens().answer({"input_tokens": 7}))
    []
    """

    path = "/messages/count_tokens"

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """Nothing: the answer holds no text."""
        yield from ()


def _block(part: Part, key: Key, block: dict[str, Any]) -> Iterator[Place]:
    """The text of a block, or the arguments of its call. A block that opens a stream may hold the first piece of its text."""
    named = block.get("type")
    if named == "text" and isinstance(block.get("text"), str):
        yield Place(Part.DELTA if part is Part.OPEN else part, key, block, "text")
    elif named == "tool_use" and isinstance(block.get("input"), dict):
        tool = block.get("name")
        whole = part is Part.WHOLE or bool(block["input"])
        yield Place(Part.WHOLE if whole else part, key, block, "input", tool if isinstance(tool, str) else "")
