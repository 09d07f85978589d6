"""Answers of the upstream, whole or event by event: their texts converted back, all else as it came.

How a text is converted is up to the streams that the request names; see ``convert``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dualcode.server.convert import CHAT, Call, Texts
from dualcode.server.objects import DECODER, ENCODER, choices, dump, index_of, parse, texts
from dualcode.server.sse import Event, event
from dualcode.server.streams import TextStream

_PATIENCE = 10  # events in a row that no pattern fits, before looking for one ends
_ENVELOPE = ("id", "object", "created", "model", "system_fingerprint")
_COLON = re.compile(rb"\s*:\s*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Pattern:
    """What an event of a text has before and after the text, as most events of a stream have it in common. So they are read and
    written without their JSON: bytes that are a JSON string between these two can mean nothing else than that text.

    Attributes:
        index: of the choice.
        start: the bytes up to the text.
        end: the bytes after it.
    """

    index: int
    start: bytes
    end: bytes

    @classmethod
    def of(cls, data: bytes, chunk: dict[str, Any], kind: str) -> Pattern | None:
        """The pattern of an event; ``None`` if it says anything else besides a text of one choice."""
        key = b'"content"' if kind == CHAT else b'"text"'
        found = choices(chunk)
        if len(found) != 1 or data.count(key) != 1 or not _says_only_text(found[0], kind):
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


def _says_only_text(choice: dict[str, Any], kind: str) -> bool:
    """Whether nothing is lost when two events of such a choice, alike but for their text, become one."""
    holder = choice.get("delta") if kind == CHAT else choice
    if not isinstance(holder, dict) or not isinstance(holder.get("content" if kind == CHAT else "text"), str):
        return False
    named = ("index", "delta", "content", "text", "role")
    return all(value is None for part in (choice, holder) for name, value in part.items() if name not in named)


class Answer:
    """Converts one answer, whole or event by event.

    Attributes:
        notes: what stayed as the model wrote it, known when the answer has ended.
        texts: what was answered, collected as it goes by.
    """

    def __init__(self, call: Call) -> None:
        self._kind = call.kind
        self._open = call.stream
        self._streams: dict[int, TextStream] = {}
        self._ended: set[int] = set()
        self._envelope: dict[str, Any] = {}
        self._pattern: Pattern | None = None
        self._misses = 0
        self.notes: list[str] = []
        self.texts = Texts()

    def whole(self, body: bytes) -> bytes:
        """The body of an answer that was not streamed."""
        answer = parse(body)
        if answer is None:
            self.notes.append("not converted: an answer that is not JSON")
            return body
        for choice in choices(answer):
            index = index_of(choice)
            message = choice.get("message") if self._kind == CHAT else choice
            for holder, key in texts(message, "content" if self._kind == CHAT else "text"):
                stream = self._open(index)
                holder[key] = self._said(holder[key], stream.feed(holder[key]) + stream.close())
                self.notes += map(str, stream.notes)
        if self.notes:
            answer["simpy_notes"] = self.notes
        elif self.texts.sent == self.texts.python:
            return body
        return dump(answer)

    def events(self, came: list[Event]) -> bytes:
        """Events of a streamed answer that arrived together; those that differ in their text only leave as one."""
        out: list[bytes] = []
        run: list[tuple[bytes, str]] = []
        for one in came:
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

    def event(self, came: Event) -> bytes:
        """One event of a streamed answer."""
        data = came.data
        if data is None:
            return came.raw
        if data.strip() == b"[DONE]":
            return self.finish() + came.raw
        chunk = parse(data)
        if chunk is None:
            self.notes.append("not converted: an event that is not JSON")
            return came.raw
        if "error" in chunk:
            return self.finish() + came.raw
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
            self._pattern = Pattern.of(data, chunk, self._kind) or self._pattern
        return came.with_data(dump(chunk)) if changed else came.raw

    def finish(self) -> bytes:
        """What is still held, where an answer ends without saying so."""
        found = b""
        for index in list(self._streams):
            rest = self._close(index)
            if rest:
                self._said("", rest)
                choice: dict[str, Any] = {"index": index, "finish_reason": None}
                choice.update({"delta": {"content": rest}} if self._kind == CHAT else {"text": rest})
                found += event(dump({**self._envelope, "choices": [choice]}))
        return found

    def _choice(self, choice: dict[str, Any]) -> bool:
        """Convert a piece of a choice in its place; did that change it?"""
        index = index_of(choice)
        if index in self._ended:
            return False
        holder, key = (choice.get("delta"), "content") if self._kind == CHAT else (choice, "text")
        text = holder.get(key) if isinstance(holder, dict) else None
        came = text if isinstance(text, str) else ""
        converted = came
        if came:
            converted = self._stream(index).feed(came)
        if choice.get("finish_reason") is not None:
            converted += self._close(index)
        self._said(came, converted)
        if converted == came:
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
        self.texts.sent.append(sent)
        self.texts.python.append(python)
        return python
