"""OpenAI's ``/chat/completions``, and what it has in common with ``/completions``: answers are lists of choices."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dualcode.conversion.messages import TEXT_PARTS
from dualcode.conversion.streams import TextStream
from dualcode.conversion.tool_calls import ToolCall
from dualcode.conversion.until import UNTIL, CompletionEnd, ReplyEnd, Until
from dualcode.server.apis.protocol import ConvertedRequest, Key, Part, Place, ReadOptions, call_of, number, objects, openai_error

STOPPED_FIELD = "simpy_stopped"
_ENVELOPE = ("id", "object", "created", "model", "system_fingerprint")
_LEGACY_CALL = -1  # `function_call` has no number
_BESIDE_TEXT = ("index", "delta", "content", "text", "role")


class Choices:
    """What the APIs whose answers are lists of choices share."""

    text_field: str
    counter = ""
    names_events = False

    def mark_whole(self, answer: dict[str, Any], numbers: Collection[int]) -> bool:
        """Say of choices that they have ended because they are whole, where an answer or event says that they have ended."""
        found = [choice for choice in objects(answer.get("choices")) if number(choice.get("index")) in numbers]
        ended = [choice for choice in found if choice.get("finish_reason") is not None]
        for choice in ended:
            choice.update({"finish_reason": "stop", STOPPED_FIELD: UNTIL})
        return bool(ended)

    def ending(self, last: dict[str, Any], key: Key) -> dict[str, Any]:
        """An event that says that a choice has ended because it is whole."""
        event = self.more(last, key, "")
        event["choices"][0]["finish_reason"] = ""
        self.mark_whole(event, [event["choices"][0]["index"]])
        return event

    @abstractmethod
    def holder(self, choice: dict[str, Any]) -> object:
        """The object that holds the text of a choice in an event."""

    @abstractmethod
    def with_text(self, text: str) -> dict[str, Any]:
        """The fields of a choice that hold this text in an event."""

    def event(self, event: dict[str, Any]) -> Iterator[Place]:
        """The texts of an event, and the ends of streams, in order."""
        for choice in objects(event.get("choices")):
            key = (number(choice.get("index")),)
            holder = self.holder(choice)
            if isinstance(holder, dict):
                if isinstance(holder.get(self.text_field), str):
                    yield Place(Part.DELTA, key, holder, self.text_field)
                yield from calls(Part.DELTA, key, holder)
            if choice.get("finish_reason") is not None:
                yield Place(Part.END, key)

    def only_text(self, event: dict[str, Any]) -> Key | None:
        """The stream of an event that says nothing but more of one text, as most events do."""
        found = objects(event.get("choices"))
        holder = self.holder(found[0]) if len(found) == 1 else None
        if not isinstance(holder, dict) or not isinstance(holder.get(self.text_field), str):
            return None
        rest = [value for part in (found[0], holder) for name, value in part.items() if name not in _BESIDE_TEXT]
        return (number(found[0].get("index")),) if all(value is None for value in rest) else None

    def more(self, last: dict[str, Any], key: Key, text: str) -> dict[str, Any]:
        """An event that says more of a stream, whose ``last`` event is given."""
        envelope = {name: last[name] for name in _ENVELOPE if name in last}
        fields = self.with_text(text) if len(key) == 1 else {"delta": _call(last, key, text)}
        return {**envelope, "choices": [{"index": key[0], **fields, "finish_reason": None}]}

    def is_over(self, event: dict[str, Any]) -> bool:
        """Whether the answer ends here, well or badly: what is still held must come before."""
        return "error" in event

    def notes_in(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The object in an event that takes the notes on the answer."""
        return event if any(choice.get("finish_reason") is not None for choice in objects(event.get("choices"))) else None

    def error(self, status: int, code: str, message: str) -> dict[str, Any]:
        """An error of the proxy in the form of this API."""
        return openai_error(code, message)

    error_event = error


class Chat(Choices):
    """OpenAI's Chat Completions.

    >>> [place.key for place in Chat().answer({"choices": [{"index": 1, "message": {"content": "a"}}]})]
    [(1,)]
    """

    path = "/chat/completions"
    text_field = "content"

    def read(self, request: Mapping[str, Any], options: ReadOptions) -> ConvertedRequest | None:
        """Convert the messages of a request."""
        found = options.messages.to_model(request.get("messages"), tool_results=options.tool_results)
        changes = {"messages": found.messages} if found.changed else {}
        ends: dict[int, CompletionEnd | ReplyEnd] = {}

        def stream(number: int) -> TextStream:
            reply = options.messages.reply_stream(found.begun)
            if options.until is None:
                return reply
            ends[number] = end = ReplyEnd(options.until, options.messages.mixed.dialect, found.begun)
            return Until(reply, end, ends_line=False)

        return ConvertedRequest(
            changes=changes,
            stream=stream,
            notes=list(map(str, found.notes)),
            texts=found.texts,
            shortened=found.shortened,
            ends=ends,
            stops_at=choices_of(request) if options.until is not None else 0,
        )

    def calls(self, request: Mapping[str, Any]) -> Iterator[ToolCall]:
        """The tool calls of the conversation that have a result."""
        messages = objects(request.get("messages"))
        done = {message["tool_call_id"] for message in messages if isinstance(message.get("tool_call_id"), str)}
        for message in messages:
            for call in objects(message.get("tool_calls")):
                plain = isinstance(call.get("custom"), dict)
                said = call["custom"] if plain else call.get("function")
                if isinstance(call.get("id"), str) and call["id"] in done and isinstance(said, dict):
                    found = call_of(said.get("name"), said.get("input" if plain else "arguments"), plain=plain)
                    if found is not None:
                        yield found

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """The texts of a whole answer: contents, or the text parts of contents."""
        for choice in objects(answer.get("choices")):
            key, message = (number(choice.get("index")),), choice.get("message")
            if not isinstance(message, dict):
                continue
            if isinstance(message.get("content"), str):
                yield Place(Part.WHOLE, key, message, "content")
            for index, part in enumerate(objects(message.get("content"))):
                if part.get("type") in TEXT_PARTS_NAMES and isinstance(part.get("text"), str):
                    yield Place(Part.WHOLE, (*key, "part", index), part, "text")
            yield from calls(Part.WHOLE, key, message)

    def holder(self, choice: dict[str, Any]) -> object:
        """The object that holds the text of a choice in an event."""
        return choice.get("delta")

    def with_text(self, text: str) -> dict[str, Any]:
        """The fields of a choice that hold this text in an event."""
        return {"delta": {"content": text}}


def choices_of(request: Mapping[str, Any]) -> int:
    """How many choices a request asks for.

    >>> choices_of({"n": 2}), choices_of({"n": "two"})
    (2, 1)
    """
    n = request.get("n")
    return n if isinstance(n, int) and n > 0 else 1


TEXT_PARTS_NAMES = tuple(TEXT_PARTS)  # a tuple can be asked for what has no hash


def calls(part: Part, key: Key, holder: dict[str, Any]) -> Iterator[Place]:
    """The arguments of the tool calls of a message, or of a piece of one."""
    found: list[tuple[int, object, str]] = [
        (number(call.get("index", at)), call.get("function", call.get("custom")), "input" if "custom" in call else "arguments")
        for at, call in enumerate(objects(holder.get("tool_calls")))
    ]
    if "function_call" in holder:
        found.append((_LEGACY_CALL, holder["function_call"], "arguments"))
    for at, call, name in found:
        if isinstance(call, dict) and isinstance(call.get(name), str):
            tool = call.get("name")
            yield Place(part, (*key, at), call, name, tool if isinstance(tool, str) else "", name == "input")


def _call(last: dict[str, Any], key: Key, text: str) -> dict[str, Any]:
    """A piece of a message with more arguments of a call."""
    if key[1] == _LEGACY_CALL:
        return {"function_call": {"arguments": text}}
    plain = any(place.plain for place in Chat().event(last) if place.key == key)
    return {"tool_calls": [{"index": key[1], **({"custom": {"input": text}} if plain else {"function": {"arguments": text}})}]}
