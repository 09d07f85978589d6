"""What an API says about itself: where the texts of its requests and answers are, and what its errors look like.

An API knows nothing of SimPy. ``convert`` asks it about requests, ``answers`` about answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol

from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Shortened, Texts
from dualcode.conversion.streams import TextStream, Unchanged
from dualcode.conversion.tool_calls import Counts, ToolCall
from dualcode.conversion.units import Unit
from dualcode.conversion.until import CompletionEnd, ReplyEnd

Key = tuple[int | str, ...]
"""Which text of an answer: the number of the choice, block or item first, then what is needed to tell its texts apart."""
GiveBack = Callable[[str, str], str]
"""The name of a tool and the arguments of a call as JSON: the arguments to hand on, as JSON."""


@dataclass
class ReadOptions:
    """How the requests of one proxy are read.

    Attributes:
        messages: converts texts.
        raises: whether what cannot be converted is an error.
        tool_results: convert results of tools too.
        until: the unit at whose end an answer ends; ``None`` for none.
    """

    messages: MessageConverter
    raises: bool = False
    tool_results: bool = True
    until: Unit | None = None


@dataclass
class ConvertedRequest:
    """A request as the model sees it.

    Attributes:
        body: the bytes to send.
        api: whose answer will come; ``None`` where the answer passes as received.
        changes: the fields of the request that changed.
        stream: opens what converts the text with some number at the start of its key.
        notes: what could not be converted.
        texts: the texts of the request, in both forms.
        shortened: the code in them that was converted, in both forms.
        echoed: texts of the request that the answer repeats: as sent, and as the person wrote them.
        answer_notes: what could not be converted in the answer; whoever gives arguments back may add to it.
        give_back: applied to the arguments of tool calls, which are held until they are whole; ``None`` passes them as they arrive.
        edits: what became of the code that the tool calls of the answer quote; ``None`` if there were none.
        unconverted: why the request passes as received, as a whole; empty where it was read.
        model: the model that was asked for, as the request has it.
        ends: what finds where a text with some number at the start of its key is whole, once that text has begun.
        stops_at: how many texts of the answer have to be whole before the rest of it is not wanted; 0 if it always is.
    """

    body: bytes = b""
    api: Api | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    stream: Callable[[int], TextStream] = lambda number: Unchanged()
    notes: list[str] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    shortened: list[Shortened] = field(default_factory=list)
    echoed: dict[Key, tuple[str, str]] = field(default_factory=dict)
    answer_notes: list[str] = field(default_factory=list)
    give_back: GiveBack | None = None
    edits: Counts | None = None
    unconverted: str = ""
    model: object = None
    ends: dict[int, CompletionEnd | ReplyEnd] = field(default_factory=dict)
    stops_at: int = 0


class Part(Enum):
    """What a place holds."""

    OPEN = "open"
    """Nothing yet: here a stream begins."""
    DELTA = "delta"
    """More of a stream."""
    END = "end"
    """Nothing any more: here end all streams whose keys begin with this one."""
    WHOLE = "whole"
    """A text from its beginning to its end; where it was streamed before, its stream ends here too."""


class Place(NamedTuple):
    """A place in an answer, or in an event of one.

    Attributes:
        part: what it holds.
        key: the stream that it belongs to.
        holder: the object that holds the text.
        name: the field that holds it: a string, or an object for the arguments of some tool calls.
        tool: the tool that is called, where these are arguments; ``""`` if this event does not say; ``None`` for a text.
        plain: the arguments are one plain text and not JSON; ``give_back`` sees them as ``{"input": text}``.
    """

    part: Part
    key: Key
    holder: dict[str, Any] = {}
    name: str = ""
    tool: str | None = None
    plain: bool = False


class Api(Protocol):
    """One API.

    Attributes:
        path: its path under ``/v1``.
        text_field: the field of its events that holds text, where events of one text differ in little else; or empty.
        counter: the field that numbers its events; or empty.
        names_events: whether the name of an event stands beside its data.
    """

    path: str
    text_field: str
    counter: str
    names_events: bool

    def read(self, request: Mapping[str, Any], options: ReadOptions) -> ConvertedRequest | None:
        """Convert the texts of a request; ``None`` if it is in the model's language, so that its answer passes too.

        Raises:
            SimPyError: a part cannot be converted, and ``options.raises``.
        """
        ...

    def calls(self, request: Mapping[str, Any]) -> Iterator[ToolCall]:
        """The tool calls of the conversation that have a result which is not an error, in order; plain ones as ``{"input": text}``."""
        ...

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """The texts of a whole answer."""
        ...

    def event(self, event: dict[str, Any]) -> Iterator[Place]:
        """The texts of an event, and the ends of streams, in order."""
        ...

    def only_text(self, event: dict[str, Any]) -> Key | None:
        """The stream of an event that says nothing but more of one text, as most events do."""
        ...

    def more(self, last: dict[str, Any], key: Key, text: str) -> dict[str, Any]:
        """An event that says more of a stream, whose ``last`` event is given."""
        ...

    def is_over(self, event: dict[str, Any]) -> bool:
        """Whether the answer ends here, well or badly: what is still held must come before."""
        ...

    def notes_in(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The object in an event that takes the notes on the answer."""
        ...

    def error(self, status: int, code: str, message: str) -> dict[str, Any]:
        """An error of the proxy in the form of this API; ``code`` is one word for programs."""
        ...

    def error_event(self, status: int, code: str, message: str) -> dict[str, Any]:
        """The same as an event of a stream."""
        ...


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none if it is not a list.

    >>> objects([{"a": 1}, 7]), objects(None)
    ([{'a': 1}], [])
    """
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def number(value: object) -> int:
    """A number that tells choices, blocks or items apart; 0 where there is none.

    >>> number(3), number("x"), number(-1)
    (3, 0, 0)
    """
    return value if isinstance(value, int) and value >= 0 else 0


def call_of(name: object, arguments: object, *, plain: bool = False) -> ToolCall | None:
    """A tool call of a conversation; ``None`` if it is not one.

    >>> call_of("Edit", {"a": 1}), call_of("patch", "text", plain=True), call_of(None, "{}")
    (ToolCall(name='Edit', arguments='{"a": 1}'), ToolCall(name='patch', arguments='{"input": "text"}'), None)
    """
    if not isinstance(name, str):
        return None
    if plain and isinstance(arguments, str):
        arguments = {"input": arguments}
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments)
    return ToolCall(name, arguments) if isinstance(arguments, str) else None


def openai_error(code: str, message: str) -> dict[str, Any]:
    """An error as OpenAI's APIs report it."""
    return {"error": {"message": message, "type": "proxy_error", "param": None, "code": code}}
