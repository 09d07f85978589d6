"""The JSON of requests and answers: which of its texts are converted, and back. All else stays as it came.

How a text is converted is the business of ``dualcode.mixed`` for chat and that of ``dualcode.continuation`` for completions.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dualcode.continuation import Continuation, Prompt
from dualcode.mixed import MixedText
from dualcode.server.sse import Event, event
from dualcode.server.streams import Echoing, Stopping, TextStream, Unchanged
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError

CHAT, COMPLETION = "chat", "completion"
# Converted where they hold fenced Python. What a tool returned may have to match verbatim later, so it is left alone.
_ROLES = frozenset(("system", "developer", "user", "assistant"))
_PATIENCE = 10  # events in a row that no pattern fits, before looking for one ends
_REMEMBERED, _SHORT = 512, 1 << 14  # conversions that are remembered, and the length of a text that is, in characters
_ENVELOPE = ("id", "object", "created", "model", "system_fingerprint")
_LOG = logging.getLogger("simpy.serve")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("this number would be changed")
    return number


# What could not be written again as it was is not read: NaN, and numbers that are too large for a float.
_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_number)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_COLON = re.compile(rb"\s*:\s*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


@dataclass
class Texts:
    """What was said, one way, in both forms."""

    sent: list[str] = field(default_factory=list)
    python: list[str] = field(default_factory=list)


@dataclass
class Call:
    """A request as the model will see it.

    Attributes:
        body: the bytes to send.
        kind: ``chat``, ``completion``, or nothing where the answer is passed on as it is.
        stream: how the answer's choice of some index is converted back.
        notes: what could not be converted.
        texts: what is asked.
    """

    body: bytes
    kind: str = ""
    stream: Callable[[int], TextStream] = lambda index: Unchanged()
    notes: list[str] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)


class Requests:
    """Converts requests for the models of one dialect; ``bare`` and ``on_error`` as in ``dualcode.mixed``.

    >>> call = Requests("compact").convert("/chat/completions", b'{"messages": [{"role": "user", "content": "hello"}], "n": 1}')
    >>> call.body, call.kind
    (b'{"messages": [{"role": "user", "content": "hello"}], "n": 1}', 'chat')
    """

    def __init__(self, dialect: str, *, bare: bool = False, on_error: str = "pass") -> None:
        self.dialect = Dialect.load(dialect)
        self._mixed = MixedText(self.dialect, bare=bare, on_error=on_error)
        # A chat sends all that was said before with each new message.
        self._remembered = lru_cache(_REMEMBERED)(self._mixed.to_model)
        self._raises = on_error == "raise"

    def convert(self, path: str, body: bytes) -> Call:
        """The request to this path under ``/v1``. One that is not understood is passed on: the upstream knows what to say about it.

        Raises:
            SimPyError: a part cannot be converted, and ``on_error`` is ``"raise"``.
        """
        convert = {"/chat/completions": self._chat, "/completions": self._completion}.get(path)
        if convert is None:
            return Call(body)
        request = parse(body)
        if request is None:
            return Call(body)
        try:
            call = convert(request)
            if call.texts.sent != call.texts.python:
                call.body = dump(request)
            else:
                call.body = body
        except SimPyError:  # only where errors are to be raised
            raise
        except Exception as error:  # a fault of ours must not cost the person the answer
            _LOG.error("a request could not be converted: %s", type(error).__name__)
            return Call(body, notes=[f"not converted: {type(error).__name__}"])
        return call

    def _chat(self, request: dict[str, Any]) -> Call:
        call = Call(b"", CHAT, lambda index: self._mixed.person_stream())
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("role") in _ROLES:
                for holder, key in _texts(message, "content"):
                    text = holder[key]
                    converted = (self._remembered if len(text) < _SHORT else self._mixed.to_model)(text)
                    call.texts.python.append(holder[key])
                    call.texts.sent.append(converted.text)
                    call.notes += map(str, converted.notes)
                    holder[key] = converted.text
        return call

    def _completion(self, request: dict[str, Any]) -> Call:
        given = request.get("prompt")
        several = isinstance(given, list)
        texts: list[Any] = given if isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in texts):
            return Call(b"")  # token ids: the client speaks the model's language itself
        if request.get("suffix"):
            notes = [] if self.dialect.is_python else ["not converted: a prompt with a suffix"]
            return Call(b"", notes=notes, texts=Texts(list(texts), list(texts)))
        prompts = [Prompt(text, self.dialect) for text in texts]
        faults = [note for prompt in prompts for note in prompt.notes]
        if faults and self._raises:
            raise PythonSyntaxError(faults[0].reason)
        request["prompt"] = [prompt.sent for prompt in prompts] if several else prompts[0].sent
        each = request["n"] if isinstance(request.get("n"), int) and request["n"] > 0 else 1

        def stream(index: int) -> TextStream:
            prompt = prompts[min(index // each, len(prompts) - 1)] if prompts else None
            return _continuation(prompt, request) if prompt and prompt.converted else Unchanged()

        asked = Texts([prompt.sent for prompt in prompts], [prompt.python for prompt in prompts])
        return Call(b"", COMPLETION, stream, list(map(str, faults)), asked)


def _continuation(prompt: Prompt, request: dict[str, Any]) -> TextStream:
    stream: TextStream = Continuation(prompt)
    stop = request.get("stop")
    stops = [text for text in (stop if isinstance(stop, list) else [stop]) if isinstance(text, str)]
    if stops:
        stream = Stopping(stream, stops)
    return Echoing(stream, prompt.sent, prompt.python) if request.get("echo") else stream


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
        choices = _choices(chunk)
        if len(choices) != 1 or choices[0].get("finish_reason") is not None or data.count(key) != 1:
            return None
        head = _COLON.match(data, data.index(key) + len(key))
        end = _STRING.match(data, head.end()) if head else None
        if head is None or end is None:
            return None
        return cls(_index(choices[0]), b"data: " + data[: head.end()], data[end.end() :] + b"\n\n")

    def text(self, raw: bytes) -> str | None:
        """The text of an event of this pattern."""
        if not (raw.startswith(self.start) and raw.endswith(self.end) and len(raw) > len(self.start) + len(self.end)):
            return None
        try:
            text = _DECODER.decode(raw[len(self.start) : -len(self.end)].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return text if isinstance(text, str) else None

    def event(self, text: str) -> bytes:
        """An event of this pattern."""
        return self.start + _ENCODER.encode(text).encode("ascii") + self.end


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
        for choice in _choices(answer):
            index = _index(choice)
            message = choice.get("message") if self._kind == CHAT else choice
            for holder, key in _texts(message, "content" if self._kind == CHAT else "text"):
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
        for choice in _choices(chunk):
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
        index = _index(choice)
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


def parse(body: bytes) -> dict[str, Any] | None:
    """The JSON object in these bytes, or ``None``.

    >>> parse(b'{"a": 1}'), parse(b"[]"), parse(b"{")
    ({'a': 1}, None, None)
    """
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def dump(value: dict[str, Any]) -> bytes:
    """The bytes of a JSON object, in ASCII, so that a lone surrogate stays what it was."""
    return _ENCODER.encode(value).encode("ascii")


def _choices(answer: dict[str, Any]) -> list[dict[str, Any]]:
    choices = answer.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) and index >= 0 else 0


def _texts(holder: object, key: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the texts of a message are: its content, or the text parts of it."""
    if not isinstance(holder, dict):
        return
    content = holder.get(key)
    if isinstance(content, str):
        yield holder, key
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") in ("text", "input_text") and isinstance(part.get("text"), str):
                yield part, "text"
