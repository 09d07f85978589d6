"""Answers of the upstream as policies see them: their bytes are kept while they pass, and read when they have ended.

Where the probabilities of tokens were asked for without the client's knowledge, they are taken out on the way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

from dualcode.backends.protocol import END, LENGTH
from dualcode.conversion.streams import STOP
from dualcode.server.apis.messages import Messages
from dualcode.server.apis.protocol import objects
from dualcode.server.apis.responses import Responses
from dualcode.server.json_objects import dump, parse
from dualcode.server.sse import Event, EventReader

_CHOICE_ENDS = {"stop": END, "length": LENGTH, "tool_calls": END, "function_call": END}
_MESSAGE_ENDS = {"end_turn": END, "tool_use": END, "pause_turn": END, "max_tokens": LENGTH, "stop_sequence": STOP}
_ERRORS = ("error", "response.failed")
_INCOMPLETE = {"max_output_tokens": LENGTH}


class Outcome(NamedTuple):
    """How an answer ended.

    Attributes:
        whole: it has said itself that it ended, and not with an error.
        stopped: why it ended (see ``dualcode.policies.protocol.Answer``), or in the upstream's own word where none of those fits.
    """

    whole: bool
    stopped: str = ""


class WatchedAnswer:
    """Keeps the bytes of one answer while they pass.

    Args:
        events: the answer is a stream of events.
        limit: bytes that are kept.
        keeps: keep the bytes; otherwise only ``hidden`` matters.
        hidden: take the probabilities of tokens out.

    Attributes:
        events: as above.
        logprobs: the natural logarithms of the probabilities of the tokens.
    """

    def __init__(self, *, events: bool, limit: int, keeps: bool = True, hidden: bool = False) -> None:
        self.events = events
        self._limit = limit
        self._hidden = hidden
        self._keeps = keeps
        self._parts: list[bytes] = []
        self._size = 0
        self.logprobs: list[float] = []

    @property
    def body(self) -> bytes:
        """What was kept."""
        return b"".join(self._parts)

    @property
    def fits(self) -> bool:
        """Whether all of it was kept so far."""
        return self._keeps

    async def tap(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, each kept as it passes."""
        if self._hidden:
            pieces = self._without_logprobs(pieces)
        async for piece in pieces:
            self._keep(piece)
            yield piece

    def _keep(self, piece: bytes) -> None:
        if not self._keeps:
            return
        self._size += len(piece)
        if self._size > self._limit:
            self._keeps = False
            self._parts.clear()
            return
        self._parts.append(piece)

    async def _without_logprobs(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        if not self.events:
            held, size = [], 0
            async for piece in pieces:
                held.append(piece)
                size += len(piece)
                if size > self._limit:
                    yield b"".join(held)
                    held.clear()
            body = b"".join(held)
            answer = parse(body) if size <= self._limit else None
            yield dump(answer) if answer is not None and self._take(answer) else body
            return
        reader = EventReader()
        async for piece in pieces:
            if joined := b"".join(map(self._plain_event, reader.feed(piece))):
                yield joined
        if rest := reader.take():
            yield self._plain_event(Event(rest))

    def _plain_event(self, one: Event) -> bytes:
        if b'"logprobs"' not in one.raw:
            return one.raw
        chunk = parse(one.data or b"")
        return one.with_data(dump(chunk)) if chunk is not None and self._take(chunk) else one.raw

    def _take(self, answer: dict[str, Any]) -> bool:
        """Take the probabilities out of an answer or event; say whether there were any."""
        found = False
        for choice in objects(answer.get("choices")):
            if choice.get("logprobs") is not None:
                self.logprobs += logprobs_of(choice)
                choice["logprobs"] = None
                found = True
        return found

    def read_logprobs(self) -> None:
        """Read them from what was kept, where the client asked for them itself."""
        for answer in self._answers():
            for choice in objects(answer.get("choices")):
                self.logprobs += logprobs_of(choice)

    def outcome(self, path: str) -> Outcome:
        """How the answer ended, by what was kept of it."""
        return outcome_of(path, list(self._answers()))

    def says_error(self) -> bool:
        """Whether the answer is an error, or ends with one, though its status is that of success; not if it was not kept."""
        return self.fits and any(map(is_error, self._answers()))

    def _answers(self) -> Iterator[dict[str, Any]]:
        """The whole answer, or all events, as objects."""
        reader = EventReader()
        body = self.body
        found = [one.data or b"" for one in [*reader.feed(body), Event(reader.take())]] if self.events else [body]
        for data in found:
            answer = parse(data)
            if answer is not None:
                yield answer


def logprobs_of(choice: Mapping[str, Any]) -> list[float]:
    """The logarithms in a choice of a chat completion or completion.

    >>> logprobs_of({"logprobs": {"content": [{"token": "a", "logprob": -0.5}]}}), logprobs_of({"logprobs": {"token_logprobs": [None, -1]}})
    ([-0.5], [-1])
    """
    held = choice.get("logprobs")
    if not isinstance(held, Mapping):
        return []
    found = [one.get("logprob") for one in objects(held.get("content"))]
    tokens = held.get("token_logprobs")
    found += tokens if isinstance(tokens, list) else []
    return [one for one in found if isinstance(one, int | float) and not isinstance(one, bool)]


def is_error(answer: Mapping[str, Any]) -> bool:
    """Whether a whole answer or an event says that the model failed.

    >>> is_error({"error": {"message": "overloaded"}}), is_error({"type": "response.failed"}), is_error({"error": None, "choices": []})
    (True, True, False)
    """
    return bool(answer.get("error")) or answer.get("type") in _ERRORS or answer.get("status") == "failed"


def outcome_of(path: str, answers: list[dict[str, Any]]) -> Outcome:
    """How an answer ended: a whole one, or all of its events.

    >>> outcome_of("/completions", [{"choices": [{"index": 0, "text": "a", "finish_reason": "length"}]}])
    Outcome(whole=True, stopped='length')
    >>> outcome_of("/chat/completions", [{"choices": [{"index": 0, "delta": {"content": "a"}}]}])
    Outcome(whole=False, stopped='')
    """
    if any(map(is_error, answers)):
        return Outcome(False)
    if path == Messages.path:
        return _of_message(answers)
    if path == Responses.path:
        return _of_response(answers)
    return _of_choices(answers)


def _of_choices(answers: list[dict[str, Any]]) -> Outcome:
    reasons: dict[object, str] = {}
    for answer in answers:
        for choice in objects(answer.get("choices")):
            index = choice.get("index")
            if not isinstance(index, int):
                return Outcome(False)
            reason = choice.get("finish_reason")
            if isinstance(reason, str) and reason:
                by_text = reason == "stop" and isinstance(choice.get("stop_reason"), str)  # as vLLM says it
                reasons[index] = STOP if by_text else _CHOICE_ENDS.get(reason, reason)
            else:
                reasons.setdefault(index, "")
    return _joined(list(reasons.values()))


def _joined(reasons: list[str]) -> Outcome:
    """How an answer of several choices ended: whole if all are, and by the reason that says most."""
    if not reasons or not all(reasons):
        return Outcome(False)
    return Outcome(True, next((reason for reason in reasons if reason not in (END, STOP)), reasons[0]))


def _of_message(answers: list[dict[str, Any]]) -> Outcome:
    whole = any(answer.get("type") in ("message", "message_stop") for answer in answers)
    held = [answer.get("delta") if answer.get("type") == "message_delta" else answer for answer in answers]
    reasons = [one["stop_reason"] for one in held if isinstance(one, dict) and isinstance(one.get("stop_reason"), str)]
    return Outcome(True, _MESSAGE_ENDS.get(reasons[-1], reasons[-1])) if whole and reasons else Outcome(False)


def _of_response(answers: list[dict[str, Any]]) -> Outcome:
    last = next((one for answer in reversed(answers) for one in (answer.get("response"), answer) if isinstance(one, dict)), {})
    if last.get("status") == "completed":
        return Outcome(True, END)
    details = last.get("incomplete_details")
    if last.get("status") == "incomplete" and isinstance(details, dict):
        reason = str(details.get("reason"))
        return Outcome(True, _INCOMPLETE.get(reason, reason))
    return Outcome(False)
