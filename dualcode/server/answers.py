"""The bytes of answers of the upstream, whole or event by event: their texts are converted back, everything else stays as received.

``answer_streams`` converts the texts.
"""

from __future__ import annotations

from typing import Any

from dualcode.conversion.memory import MIB
from dualcode.conversion.outcomes import Texts
from dualcode.reported_usage import ReportedUsage, UsageReader
from dualcode.server.answer_streams import AnswerStreams
from dualcode.server.apis.protocol import Api, ConvertedRequest
from dualcode.server.json_objects import dump, parse
from dualcode.server.patterns import Pattern, number_of
from dualcode.server.refusals import RefusedError
from dualcode.server.sse import Event, event

_PATIENCE = 10  # events in a row without a match after which no new pattern is looked for
_LONGEST_CALL = 64 * MIB
_LONG_BLOCK = 400  # characters of code; a thread costs less than to let the other streams wait for them
_FENCES = (b"``", b"~~")
_CALLS = (b"tool_", b"_call")  # what an event of a call holds, in any API


class AnswerConverter:
    """Converts one answer, whole or event by event.

    Args:
        request: the request that is answered.
        api: its API.
        limit: characters of the arguments of one tool call that are held.
    """

    def __init__(self, request: ConvertedRequest, api: Api, limit: int = _LONGEST_CALL) -> None:
        self._api = api
        self._streams = AnswerStreams(request, api, limit)
        self._usage = UsageReader(api.path)
        self._gives_back = request.give_back is not None
        self._pattern: Pattern | None = None
        self._misses = 0
        self._next = 0  # number of the next event, where the API numbers them
        self._done = False  # the answer has said so itself
        self._added = 0  # events that came in between, so that those after them have higher numbers

    @property
    def notes(self) -> list[str]:
        """What was not converted, complete when the answer has ended."""
        return self._streams.notes

    @property
    def texts(self) -> Texts:
        """The texts of the answer so far, in both forms."""
        return self._streams.texts

    @property
    def by_number(self) -> dict[int, tuple[str, str]]:
        """The same by the number of the choice, block or item, without what is said again and the arguments of calls."""
        return self._streams.by_number

    @property
    def usage(self) -> ReportedUsage | None:
        """The tokens that the upstream has reported so far; ``None`` if it has not reported any."""
        return self._usage.usage

    def may_take_long(self, received: bytes) -> bool:
        """Whether these bytes of a stream may end a tool call whose arguments are given back, or a long block of code."""
        if self._gives_back and (self._streams.holds_calls or any(mark in received for mark in _CALLS)):
            return True
        fence = any(mark in received for mark in _FENCES)
        return self._streams.may_end_block(max(_LONG_BLOCK - len(received) * fence, 1), fence=fence)

    def whole(self, body: bytes) -> bytes:
        """Convert the body of an answer that was not streamed."""
        answer = parse(body)
        if answer is None:
            self.notes.append("not converted: an answer that is not JSON")
            return body
        self._usage.add(answer)
        return dump(answer) if self._streams.answer(answer) else body

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
        if not run or pattern is None:
            return [raw for raw, _ in run]
        sent = "".join([text for _, text in run])
        python = self._streams.feed(pattern.key, sent)
        number = number_of(run[-1][0]) if self._api.counter else None
        if number is not None:
            number += self._added
            self._next = number + 1
        if python in (None, sent) and not (number is not None and self._added):
            return [raw for raw, _ in run]
        return [pattern.event(sent if python is None else python, number)]

    def event(self, received: Event) -> bytes:
        """Convert one event of a streamed answer."""
        data = received.data
        if data is None:
            return received.raw
        if data.strip() == b"[DONE]":
            self._done = True
            return self.finish() + received.raw
        chunk = parse(data)
        if chunk is None:
            self.notes.append("not converted: an event that is not JSON")
            return received.raw
        self._usage.add(chunk)
        before, changed = self._streams.event(chunk)
        changed = self._number(before, chunk) or changed
        if self._api.text_field and self._misses < _PATIENCE:
            self._misses += 1
            key = self._api.only_text(chunk)
            self._pattern = (Pattern.of(received.raw, data, key, self._api.text_field) if key else None) or self._pattern
        return b"".join(map(self._written, before)) + (received.with_data(dump(chunk)) if changed else received.raw)

    @property
    def has_ended(self) -> bool:
        """Whether all texts that have begun have ended."""
        return self._streams.has_ended

    @property
    def is_over(self) -> bool:
        """Whether the rest of the answer is not wanted, though the upstream may go on with it."""
        return self._streams.is_over

    def stop(self) -> bytes:
        """What ends a streamed answer whose rest is not wanted."""
        return b"" if self._done else self._inserted(self._streams.stop()) + b"data: [DONE]\n\n"

    def finish(self) -> bytes:
        """Return what is still held where an answer ends without saying so."""
        return self._inserted(self._streams.finish())

    def error(self, refused: RefusedError) -> bytes:
        """An error of ours as an event."""
        return self._inserted([refused.event(self._api)])

    def _inserted(self, events: list[dict[str, Any]]) -> bytes:
        """Events that are ours."""
        if self._api.counter:
            for one in events:
                one[self._api.counter] = self._next
                self._next += 1
                self._added += 1
        return b"".join(map(self._written, events))

    def _number(self, before: list[dict[str, Any]], chunk: dict[str, Any]) -> bool:
        """Give each event a number that no other has; say whether that of the event that came has changed."""
        name = self._api.counter
        if not name or not isinstance(chunk.get(name), int):
            return False
        self._next = chunk[name] + self._added
        for one in (*before, chunk):
            one[name] = self._next
            self._next += 1
        self._added += len(before)
        return self._added > 0

    def _written(self, one: dict[str, Any]) -> bytes:
        return event(dump(one), str(one.get("type", "")) if self._api.names_events else "")
