"""Answers of the upstream, whole or event by event: their texts are converted back, everything else stays as received.

How a text is converted is decided by the streams that the request names; see ``convert``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dualcode.conversion.outcomes import Texts
from dualcode.conversion.streams import TextStream
from dualcode.server.convert import CHAT, ConvertedRequest
from dualcode.server.json_objects import DECODER, ENCODER, answer_texts, choices, dump, index_of, parse
from dualcode.server.sse import Event, event

_PATIENCE = 10  # events in a row without a match after which no new pattern is looked for
_ENVELOPE = ("id", "object", "created", "model", "system_fingerprint")
_COLON = re.compile(rb"\s*:\s*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Pattern:
    """What stands before and after the text in an event; most events of a stream have it in common.

    Such events are read and written without parsing their JSON: a JSON string between these bytes can only be that text.

    Attributes:
        index: number of the choice.
        start: the bytes up to the text.
        end: the bytes after it.
    """

    index: int
    start: bytes
    end: bytes

    @classmethod
    def of(cls, data: bytes, chunk: dict[str, Any], endpoint: str) -> Pattern | None:
        """The pattern of an event; ``None`` if it says anything else besides a text of one choice."""
        key = b'"content"' if endpoint == CHAT else b'"text"'
        found = choices(chunk)
        if len(found) != 1 or data.count(key) != 1 or not _says_only_text(found[0], endpoint):
            return None
        head = _COLON.match(data, data.index(key) + len(key))
        end = _STRING.match(data, head.end()) if head else None
        if head is None or end is None:
            return None
        return cls(index_of(found[0]), b"data: " + data[: head.end()], data[end.end() :] + b"\n\n")

    def text(self, raw: bytes) -> str | None:
        """The text of an event of this pattern."""
        if not (raw.startswith(self.start) and raw.endswith(self.end) and len(raw) > len(self.start) + len(self.end)):
            return None
        try:
            text = DECODER.decode(raw[len(self.start) : -len(self.end)].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return text if isinstance(text, str) else None

    def event(self, text: str) -> bytes:
        """An event of this pattern."""
        return self.start + ENCODER.encode(text).encode("ascii") + self.end


def _says_only_text(choice: dict[str, Any], endpoint: str) -> bool:
    """Whether nothing is lost when two events of such a choice, alike but for their text, become one."""
    holder = choice.get("delta") if endpoint == CHAT else choice
    if not isinstance(holder, dict) or not isinstance(holder.get("content" if endpoint == CHAT else "text"), str):
        return False
    named = ("index", "delta", "content", "text", "role")
    return all(value is None for part in (choice, holder) for name, value in part.items() if name not in named)


class AnswerConverter:
    """Converts one answer, whole or event by event.

    Attributes:
        notes: what was not converted, complete when the answer has ended.
        texts: the texts of the answer so far, in both forms.
    """

    def __init__(self, request: ConvertedRequest) -> None:
        self._endpoint = request.endpoint
        self._open = request.stream
        self._streams: dict[int, TextStream] = {}
        self._ended: set[int] = set()
        self._envelope: dict[str, Any] = {}
        self._pattern: Pattern | None = None
        self._misses = 0
        self.notes: list[str] = []
        self.texts = Texts()

    def whole(self, body: bytes) -> bytes:
        """Convert the body of an answer that was not streamed."""
        answer = parse(body)
        if answer is None:
            self.notes.append("not converted: an answer that is not JSON")
            return body
        for choice in choices(answer):
            index = index_of(choice)
            message = choice.get("message") if self._endpoint == CHAT else choice
            for holder, key in answer_texts(message, "content" if self._endpoint == CHAT else "text"):
                stream = self._open(index)
                holder[key] = self._said(holder[key], stream.feed(holder[key]) + stream.close())
                self.notes += map(str, stream.notes)
        if self.notes:
            answer["simpy_notes"] = self.notes
        elif self.texts.sent == self.texts.python:
            return body
        return dump(answer)

    def events(self, received: list[Event]) -> bytes:
        """Convert events of a streamed answer that arrived together; those that differ only in their text leave as one."""
        out: list[bytes] = []
        run: list[tuple[bytes, str]] = []
        for one in received:
            text = self._pattern.text(one.raw) if self._pattern else None
            if text is None:
                out += self._run(run)
                out.append(self.event(one))
                run = []
            else:
                run.append((one.raw, text))
                self._misses = 0
        out += self._run(run)
        return b"".join(out)

    def _run(self, run: list[tuple[bytes, str]]) -> list[bytes]:
        pattern = self._pattern
        if not run or pattern is None or pattern.index in self._ended:
            return [raw for raw, _ in run]
        sent = "".join([text for _, text in run])
        python = self._said(sent, self._stream(pattern.index).feed(sent))
        return [raw for raw, _ in run] if python == sent else [pattern.event(python)]

    def event(self, received: Event) -> bytes:
        """Convert one event of a streamed answer."""
        data = received.data
        if data is None:
            return received.raw
        if data.strip() == b"[DONE]":
            return self.finish() + received.raw
        chunk = parse(data)
        if chunk is None:
            self.notes.append("not converted: an event that is not JSON")
            return received.raw
        if "error" in chunk:
            return self.finish() + received.raw
        changed = False
        for choice in choices(chunk):
            if self._choice(choice):
                changed = True
            if choice.get("finish_reason") is not None and self.notes:
                chunk["simpy_notes"] = self.notes
                changed = True
        self._envelope = {key: chunk[key] for key in _ENVELOPE if key in chunk}
        if self._misses < _PATIENCE:
            self._misses += 1
            self._pattern = Pattern.of(data, chunk, self._endpoint) or self._pattern
        return received.with_data(dump(chunk)) if changed else received.raw

    def finish(self) -> bytes:
        """Return what is still held where an answer ends without saying so."""
        found = b""
        for index in list(self._streams):
            rest = self._close(index)
            if rest:
                self._said("", rest)
                choice: dict[str, Any] = {"index": index, "finish_reason": None}
                choice.update({"delta": {"content": rest}} if self._endpoint == CHAT else {"text": rest})
                found += event(dump({**self._envelope, "choices": [choice]}))
        return found

    def _choice(self, choice: dict[str, Any]) -> bool:
        """Convert a piece of a choice in its place; say whether that changed it."""
        index = index_of(choice)
        if index in self._ended:
            return False
        holder, key = (choice.get("delta"), "content") if self._endpoint == CHAT else (choice, "text")
        text = holder.get(key) if isinstance(holder, dict) else None
        sent = text if isinstance(text, str) else ""
        converted = sent
        if sent:
            converted = self._stream(index).feed(sent)
        if choice.get("finish_reason") is not None:
            converted += self._close(index)
        self._said(sent, converted)
        if converted == sent:
            return False
        if not isinstance(holder, dict):
            holder = choice["delta"] = {}
        holder[key] = converted
        return True

    def _stream(self, index: int) -> TextStream:
        if index not in self._streams:
            self._streams[index] = self._open(index)
        return self._streams[index]

    def _close(self, index: int) -> str:
        self._ended.add(index)
        stream = self._streams.pop(index, None)
        if stream is None:
            return ""
        rest = stream.close()
        self.notes += map(str, stream.notes)
        return rest

    def _said(self, sent: str, python: str) -> str:
        self.texts.add(sent, python)
        return python
