"""The texts of one answer, each through its stream: a whole answer or event by event, as objects. ``answers`` reads and writes the bytes.

Where the texts are, the API says; how they are converted, the streams that the request opens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from dualcode.conversion.outcomes import Texts
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.streams import TextStream, Unchanged
from dualcode.conversion.until import UNTIL
from dualcode.server.apis.chat import Choices
from dualcode.server.apis.protocol import Api, ConvertedRequest, Key, Part, Place
from dualcode.server.held_calls import HeldCall
from dualcode.server.json_objects import ENCODER

NOTES_FIELD = "simpy_notes"


@dataclass
class _Stream:
    """One text of the answer.

    Attributes:
        converter: what converts it.
        sent: its pieces, as the model wrote them.
        python: the same, as handed on.
        closed: whether it has ended.
        last: the last event that said something about it.
    """

    converter: TextStream
    sent: list[str] = field(default_factory=list)
    python: list[str] = field(default_factory=list)
    closed: bool = False
    last: dict[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return self.converter.ended == UNTIL

    def feed(self, text: str) -> str:
        python = self.converter.feed(text)
        self.sent.append(text)
        self.python.append(python)
        return python

    def close(self) -> str:
        self.closed = True
        rest = self.converter.close()
        self.python.append(rest)
        return rest


class AnswerStreams:
    """Converts the texts of one answer in their places.

    Args:
        request: the request that is answered; its API must be known.
        api: that API.
        limit: characters of the arguments of one call that are held.

    Attributes:
        notes: what was not converted, complete when the answer has ended.
        texts: the texts of the answer so far, in both forms.
    """

    def __init__(self, request: ConvertedRequest, api: Api, limit: int) -> None:
        self._request = request
        self._api = api
        self._limit = limit
        self._streams = {key: _Stream(Unchanged(), [sent], [python], True) for key, (sent, python) in request.echoed.items()}
        self._ended: set[Key] = set()
        self.notes = request.answer_notes
        self.texts = Texts()

    @property
    def by_number(self) -> dict[int, tuple[str, str]]:
        """The texts of the answer by the number at the start of their keys, in both forms, without the arguments of calls."""
        found: dict[int, tuple[str, str]] = {}
        for key, stream in self._streams.items():
            if isinstance(key[0], int) and not isinstance(stream.converter, HeldCall):
                sent, python = found.get(key[0], ("", ""))
                found[key[0]] = sent + "".join(stream.sent), python + "".join(stream.python)
        return dict(sorted(found.items()))

    @property
    def holds_calls(self) -> bool:
        """Whether the arguments of a call have begun, and are held until they end."""
        return any(isinstance(stream.converter, HeldCall) and not stream.closed for stream in self._streams.values())

    def may_end_block(self, least: int, *, fence: bool) -> bool:
        """Whether the next event may end a block of at least so many characters, which is then converted at once.

        Args:
            least: characters of the block.
            fence: the event may hold the end of a block; otherwise only what has arrived before may.
        """
        replies = (one.converter for one in self._streams.values() if isinstance(one.converter, ReplyStream) and not one.closed)
        return any(reply.held >= least and (fence or reply.may_end_block) for reply in replies)

    @property
    def has_ended(self) -> bool:
        """Whether all texts that have begun have ended."""
        return all(stream.closed for stream in self._streams.values())

    @property
    def is_over(self) -> bool:
        """Whether the rest of the answer is not wanted: all of its texts are whole, or have ended otherwise."""
        wanted = self._request.stops_at
        return 0 < wanted <= sum(stream.closed or stream.is_whole for key, stream in self._streams.items() if len(key) == 1)

    def stop(self) -> list[dict[str, Any]]:
        """The events that end an answer whose rest is not wanted."""
        open_ = [(key, stream.last) for key, stream in self._streams.items() if len(key) == 1 and not stream.closed]
        out = self.finish()
        if isinstance(self._api, Choices):
            out += (self._api.ending(last, key) for key, last in open_)
        holder = self._api.notes_in(out[-1]) if out and self.notes else None
        if holder is not None:
            holder[NOTES_FIELD] = self.notes
        return out

    def _mark_whole(self, answer: dict[str, Any]) -> bool:
        """Say of whole texts why they have ended, where an answer or event says that they have."""
        if not (self._request.stops_at and isinstance(self._api, Choices)):
            return False
        whole = [key[0] for key, stream in self._streams.items() if len(key) == 1 and stream.is_whole]
        return self._api.mark_whole(answer, [number for number in whole if isinstance(number, int)])

    def answer(self, answer: dict[str, Any]) -> bool:
        """Convert a whole answer; say whether it changed."""
        changed = False
        for place in self._api.answer(answer):
            changed = (self._is_wanted(place) and self._whole(place, [])) or changed
        changed = self._mark_whole(answer) or changed
        if self.notes:
            answer[NOTES_FIELD] = self.notes
        return changed or bool(self.notes)

    def event(self, event: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        """Convert an event; return the events that come before it, and whether it changed."""
        before = self.finish() if self._api.is_over(event) else []
        changed = False
        fed: dict[Key, Place] = {}
        for place in self._api.event(event):
            if not self._is_wanted(place):
                continue
            if place.part is Part.OPEN:
                self._stream(place).last = event
            elif place.part is Part.DELTA:
                changed = self._delta(place, event) or changed
                fed[place.key] = place
            elif place.part is Part.WHOLE:
                changed = self._whole(place, before) or changed
            else:
                changed = self._end(place.key, fed, before) or changed
        changed = self._mark_whole(event) or changed
        holder = self._api.notes_in(event) if self.notes else None
        if holder is not None:
            holder[NOTES_FIELD] = self.notes
        return before, changed or holder is not None

    def feed(self, key: Key, text: str) -> str | None:
        """Convert more of a text that has begun; ``None`` where it has ended."""
        stream = self._streams.get(key)
        if stream is None or stream.closed:
            return None
        return self._said(text, stream.feed(text))

    def finish(self) -> list[dict[str, Any]]:
        """End all streams; return events with what was still held."""
        out: list[dict[str, Any]] = []
        for key, stream in self._streams.items():
            if not stream.closed:
                self._ended.add(key)
                self._close_before(key, stream, out)
        return out

    def _is_wanted(self, place: Place) -> bool:
        return place.tool is None or self._request.give_back is not None

    def _delta(self, place: Place, event: dict[str, Any]) -> bool:
        if any(place.key[:size] in self._ended for size in range(1, len(place.key) + 1)):
            return False
        stream = self._stream(place)
        if stream.closed:
            return False
        stream.last = event
        text = place.holder[place.name]
        python = stream.feed(text) if text else ""
        if place.tool is None:
            self._said(text, python)
        place.holder[place.name] = python
        return bool(python != text)

    def _end(self, ended: Key, fed: dict[Key, Place], before: list[dict[str, Any]]) -> bool:
        """End the streams whose keys begin so; what was held goes into the place that this event has for it, or before it."""
        self._ended.add(ended)
        changed = False
        for key, stream in self._streams.items():
            if stream.closed or key[: len(ended)] != ended:
                continue
            if key not in fed:
                self._close_before(key, stream, before)
            elif rest := self._close(stream):
                fed[key].holder[fed[key].name] += rest
                changed = True
        return changed

    def _whole(self, place: Place, before: list[dict[str, Any]]) -> bool:
        value = place.holder.get(place.name)
        text = value if isinstance(value, str) else ENCODER.encode(value)
        stream = self._streams.get(place.key)
        if stream is not None and not stream.closed:
            self._close_before(place.key, stream, before)
        if stream is None or "".join(stream.sent) != text:  # it was not streamed, or as another text
            stream = self._streams[place.key] = _Stream(self._converter(place, stream))
            python = stream.feed(text)
            self.notes += self._rest_of(stream)
            if place.tool is None:
                self._said(text, python + stream.python[-1])
        python = "".join(stream.python)
        if python == text:
            return False
        place.holder[place.name] = python if isinstance(value, str) else json.loads(python)
        return True

    def _stream(self, place: Place) -> _Stream:
        stream = self._streams.get(place.key)
        if stream is None:
            stream = self._streams[place.key] = _Stream(self._converter(place, None))
        elif place.tool and isinstance(stream.converter, HeldCall):
            stream.converter.tool = place.tool
        return stream

    def _converter(self, place: Place, before: _Stream | None) -> TextStream:
        give_back = self._request.give_back
        if place.tool is None or give_back is None:
            number = place.key[0]
            return self._request.stream(number if isinstance(number, int) else 0)
        known = before.converter.tool if before is not None and isinstance(before.converter, HeldCall) else ""
        return HeldCall(give_back, place.tool or known, plain=place.plain, limit=self._limit)

    def _close_before(self, key: Key, stream: _Stream, before: list[dict[str, Any]]) -> None:
        rest = self._close(stream)
        if rest:
            before.append(self._api.more(stream.last, key, rest))

    def _close(self, stream: _Stream) -> str:
        self.notes += self._rest_of(stream)
        rest = stream.python[-1]
        if not isinstance(stream.converter, HeldCall):
            self._said("", rest)
        return rest

    def _rest_of(self, stream: _Stream) -> list[str]:
        """Close a stream; return its notes."""
        stream.close()
        return list(map(str, stream.converter.notes))

    def _said(self, sent: str, python: str) -> str:
        self.texts.add(sent, python)
        return python
