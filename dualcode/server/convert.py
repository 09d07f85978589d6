"""Requests of clients: which texts of their JSON the model sees in its dialect, and how its answer is converted back.

``dualcode.conversion`` converts the texts, as it does for the wrapper.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Note, Texts
from dualcode.conversion.streams import Echoing, Stopping, TextStream, Unchanged, stop_texts
from dualcode.server.json_objects import dump, parse
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError

CHAT, COMPLETIONS = "/chat/completions", "/completions"
_LOG = logging.getLogger("simpy.serve")


@dataclass
class ConvertedRequest:
    """A request as the model sees it.

    Attributes:
        body: the bytes to send.
        endpoint: ``CHAT`` or ``COMPLETIONS``; empty where the answer passes as received.
        stream: opens what converts the choice of some index of the answer back.
        notes: what could not be converted.
        texts: the texts of the request, in both forms.
    """

    body: bytes
    endpoint: str = ""
    stream: Callable[[int], TextStream] = lambda index: Unchanged()
    notes: list[str] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)


class RequestConverter:
    """Converts requests for the models of one dialect; the arguments are those of ``MessageConverter``.

    Raises:
        DialectError: there is no such dialect.

    >>> body = b'{"messages": [{"role": "user", "content": "hello"}], "n": 1}'
    >>> request = RequestConverter("compact").convert("/chat/completions", body)
    >>> request.body == body, request.endpoint
    (True, '/chat/completions')
    """

    def __init__(self, dialect: str, *, bare: bool = False, on_error: str = "pass") -> None:
        self.dialect = Dialect.load(dialect)
        self._messages = MessageConverter(self.dialect, bare=bare, on_error=on_error)
        self._raises = on_error == "raise"

    def convert(self, path: str, body: bytes, *, tool_results: bool = True) -> ConvertedRequest:
        """Convert the request to this path under ``/v1``.

        A request that is not understood passes as received: the upstream knows what to say about it.

        Args:
            path: what follows ``/v1``.
            body: the bytes of the request.
            tool_results: convert the results of tools too (see ``MessageConverter.to_model``).

        Raises:
            SimPyError: a part cannot be converted, and ``on_error`` is ``"raise"``.
        """
        request = parse(body) if path in (CHAT, COMPLETIONS) else None
        if request is None:
            return ConvertedRequest(body)
        try:
            return self._chat(request, body, tool_results) if path == CHAT else self._completion(request, body)
        except Exception as error:  # a fault of ours must not cost the person the answer
            if self._raises and isinstance(error, SimPyError):
                raise
            _LOG.error("a request could not be converted: %s", type(error).__name__)
            return ConvertedRequest(body, notes=[f"not converted: {type(error).__name__}"])

    def _chat(self, request: dict[str, Any], body: bytes, tool_results: bool) -> ConvertedRequest:
        found = self._messages.to_model(request.get("messages"), tool_results=tool_results)
        if found.changed:
            body = dump({**request, "messages": found.messages})
        notes = list(map(str, found.notes))
        return ConvertedRequest(body, CHAT, lambda index: self._messages.reply_stream(found), notes, found.texts)

    def _completion(self, request: dict[str, Any], body: bytes) -> ConvertedRequest:
        given, suffix = request.get("prompt"), request.get("suffix")
        asked: list[Any] = given if isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in asked):
            return ConvertedRequest(body)  # token ids: the client speaks the model's language itself
        gaps = [Gap(text, suffix if isinstance(suffix, str) else "", self.dialect) for text in asked]
        notes = [note for gap in gaps for note in gap.notes]
        one_suffix = len({gap.sent for gap in gaps}) <= 1
        if not one_suffix:
            notes = [Note(1, "one suffix that goes on with several prompts in several ways")]
        if notes and self._raises:
            raise PythonSyntaxError(notes[0].reason)
        if not one_suffix:
            return ConvertedRequest(body, notes=list(map(str, notes)), texts=Texts(list(asked), list(asked)))
        texts = Texts([gap.prompt.sent + gap.sent for gap in gaps], [gap.prompt.python + gap.suffix for gap in gaps])
        if texts.sent != texts.python:
            sent = [gap.prompt.sent for gap in gaps]
            changed = {**request, "prompt": sent if isinstance(given, list) else sent[0]}
            body = dump({**changed, "suffix": gaps[0].sent} if isinstance(suffix, str) else changed)
        each = request["n"] if isinstance(request.get("n"), int) and request["n"] > 0 else 1

        def stream(index: int) -> TextStream:
            gap = gaps[min(index // each, len(gaps) - 1)] if gaps else None
            return _answer_stream(gap, request) if gap and gap.prompt.converted else Unchanged()

        return ConvertedRequest(body, COMPLETIONS, stream, list(map(str, notes)), texts)


def _answer_stream(gap: Gap, request: dict[str, Any]) -> TextStream:
    stream: TextStream = InfillStream(gap) if gap.suffix else CompletionStream(gap.prompt)
    if stops := stop_texts(request.get("stop")):
        stream = Stopping(stream, stops)
    return Echoing(stream, gap.prompt.sent, gap.prompt.python) if request.get("echo") else stream
