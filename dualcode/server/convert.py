"""Requests of clients: which texts of their JSON are converted for the model, and how the answer is converted back.

How a text is converted is the business of ``dualcode.mixed`` for chat and that of ``dualcode.continuation`` for completions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dualcode.continuation import Continuation
from dualcode.infill import Filling, Gap
from dualcode.mixed import MixedText
from dualcode.notes import Converted, Note
from dualcode.server.objects import dump, parse, texts
from dualcode.server.streams import Echoing, Stopping, TextStream, Unchanged
from dualcode.wrapper import CONVERTED_ROLES
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError

CHAT, COMPLETION = "chat", "completion"
MARK, PYTHON = "simpy", "python"  # the field of a message or a part of one by which a caller marks its text as Python
TOOL_ROLES = frozenset(("tool", "function"))
_REMEMBERED, _SHORT = 512, 1 << 14  # conversions that are remembered, and the length of a text that is, in characters
_LOG = logging.getLogger("simpy.serve")


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
        marked: the request held marks, which are not for the upstream.
    """

    body: bytes
    kind: str = ""
    stream: Callable[[int], TextStream] = lambda index: Unchanged()
    notes: list[str] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    marked: bool = False


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
        # The result of a tool may be a file of Python as a whole.
        self._tools = MixedText(self.dialect, bare=True, on_error=on_error)
        self._raises = on_error == "raise"

    def convert(self, path: str, body: bytes, *, tools: bool = False) -> Call:
        """The request to this path under ``/v1``. One that is not understood is passed on: the upstream knows what to say about it.

        ``tools`` converts the results of tools too: their fenced blocks, and those that are Python as a whole.

        Raises:
            SimPyError: a part cannot be converted, and ``on_error`` is ``"raise"``.
        """
        if path not in ("/chat/completions", "/completions"):
            return Call(body)
        request = parse(body)
        if request is None:
            return Call(body)
        try:
            call = self._completion(request) if path == "/completions" else self._chat(request, tools)
            if call.marked or call.texts.sent != call.texts.python:
                call.body = dump(request)
            else:
                call.body = body
        except Exception as error:  # a fault of ours must not cost the person the answer
            if self._raises and isinstance(error, SimPyError):
                raise
            _LOG.error("a request could not be converted: %s", type(error).__name__)
            return Call(body, notes=[f"not converted: {type(error).__name__}"])
        return call

    def _chat(self, request: dict[str, Any], tools: bool) -> Call:
        call = Call(b"", CHAT, lambda index: self._mixed.person_stream())
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if not isinstance(message, dict):
                continue
            whole = _take_mark(message, call)
            for holder, key in texts(message, "content"):
                marked = (holder is not message and _take_mark(holder, call)) or whole
                converted = self._text(holder[key], message.get("role"), marked, tools)
                if converted is not None:
                    call.texts.python.append(holder[key])
                    call.texts.sent.append(converted.text)
                    call.notes += map(str, converted.notes)
                    holder[key] = converted.text
        return call

    def _text(self, text: str, role: object, marked: bool, tools: bool) -> Converted | None:
        """A text of a message as the model sees it; ``None`` if it is not to be touched."""
        if marked:
            return self._mixed.code_to_model(text)
        if role in CONVERTED_ROLES:
            return (self._remembered if len(text) < _SHORT else self._mixed.to_model)(text)
        return self._tools.to_model(text) if tools and role in TOOL_ROLES else None

    def _completion(self, request: dict[str, Any]) -> Call:
        given = request.get("prompt")
        several = isinstance(given, list)
        asked: list[Any] = given if isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in asked):
            return Call(b"")  # token ids: the client speaks the model's language itself
        suffix = request.get("suffix")
        gaps = [Gap(text, suffix if isinstance(suffix, str) else "", self.dialect) for text in asked]
        faults = [note for gap in gaps for note in gap.notes]
        several_ways = len({gap.sent for gap in gaps}) > 1
        if several_ways:
            faults = [Note(1, "one suffix that goes on with several prompts in several ways")]
        if faults and self._raises:
            raise PythonSyntaxError(faults[0].reason)
        if several_ways:
            return Call(b"", notes=list(map(str, faults)), texts=Texts(list(asked), list(asked)))
        sent = [gap.prompt.sent for gap in gaps]
        request["prompt"] = sent if several else sent[0]
        if isinstance(suffix, str) and gaps:
            request["suffix"] = gaps[0].sent
        each = request["n"] if isinstance(request.get("n"), int) and request["n"] > 0 else 1

        def stream(index: int) -> TextStream:
            gap = gaps[min(index // each, len(gaps) - 1)] if gaps else None
            return _continuation(gap, request) if gap and gap.prompt.converted else Unchanged()

        both = Texts([gap.prompt.sent + gap.sent for gap in gaps], [gap.prompt.python + gap.suffix for gap in gaps])
        return Call(b"", COMPLETION, stream, list(map(str, faults)), both)


def _take_mark(holder: dict[str, Any], call: Call) -> bool:
    """Whether a message, or a part of one, is marked as Python; the mark goes no further."""
    if holder.get(MARK) != PYTHON:
        return False
    del holder[MARK]
    call.marked = True
    return True


def _continuation(gap: Gap, request: dict[str, Any]) -> TextStream:
    stream: TextStream = Filling(gap) if gap.suffix else Continuation(gap.prompt)
    stop = request.get("stop")
    stops = [text for text in (stop if isinstance(stop, list) else [stop]) if isinstance(text, str)]
    if stops:
        stream = Stopping(stream, stops)
    return Echoing(stream, gap.prompt.sent, gap.prompt.python) if request.get("echo") else stream
