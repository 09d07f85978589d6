"""OpenAI's ``/completions``: a prompt that the answer goes on with, or a gap that it fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream
from dualcode.conversion.outcomes import Note, Texts
from dualcode.conversion.streams import Echoing, Stopping, TextStream, Unchanged, stop_texts
from dualcode.conversion.tool_calls import ToolCall
from dualcode.conversion.until import CompletionEnd, ReplyEnd, Until
from dualcode.server.apis.chat import Choices, choices_of
from dualcode.server.apis.protocol import ConvertedRequest, Part, Place, ReadOptions, number, objects
from simpy_grammar.errors import PythonSyntaxError


class Completions(Choices):
    """OpenAI's Completions.

    >>> [place.name for place in Completions().answer({"choices": [{"text": "a"}]})]
    ['text']
    """

    path = "/completions"
    text_field = "text"

    def read(self, request: Mapping[str, Any], options: ReadOptions) -> ConvertedRequest | None:
        """Convert prompt and suffix of a request. Of token ids nothing is known: the client speaks the model's language itself."""
        given, suffix = request.get("prompt"), request.get("suffix")
        asked: list[Any] = given if isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in asked):
            return None
        gaps = [Gap(text, suffix if isinstance(suffix, str) else "", options.messages.mixed.dialect) for text in asked]
        notes = [note for gap in gaps for note in gap.notes]
        one_suffix = len({gap.sent for gap in gaps}) <= 1
        if not one_suffix:
            notes = [Note(1, "one suffix that goes on with several prompts in several ways")]
        if notes and options.raises:
            raise PythonSyntaxError(notes[0].reason)
        if not one_suffix:
            return ConvertedRequest(notes=list(map(str, notes)), texts=Texts(list(asked), list(asked)))
        texts = Texts([gap.prompt.sent + gap.sent for gap in gaps], [gap.prompt.python + gap.suffix for gap in gaps])
        changes: dict[str, Any] = {}
        if texts.sent != texts.python:
            sent = [gap.prompt.sent for gap in gaps]
            changes["prompt"] = sent if isinstance(given, list) else sent[0]
            if isinstance(suffix, str):
                changes["suffix"] = gaps[0].sent
        each = choices_of(request)
        ends: dict[int, CompletionEnd | ReplyEnd] = {}

        def stream(choice: int) -> TextStream:
            gap = gaps[min(choice // each, len(gaps) - 1)] if gaps else None
            if gap is None or not (gap.prompt.converted or options.until):
                return Unchanged()
            if options.until is not None:
                ends[choice] = CompletionEnd(options.until, gap.prompt)
            return _answer_stream(gap, request, ends.get(choice))

        stops_at = each * len(gaps) if options.until is not None else 0
        return ConvertedRequest(changes=changes, stream=stream, notes=list(map(str, notes)), texts=texts, ends=ends, stops_at=stops_at)

    def calls(self, request: Mapping[str, Any]) -> Iterator[ToolCall]:
        """None: a prompt holds no calls."""
        yield from ()

    def answer(self, answer: dict[str, Any]) -> Iterator[Place]:
        """The texts of a whole answer."""
        for choice in objects(answer.get("choices")):
            if isinstance(choice.get("text"), str):
                yield Place(Part.WHOLE, (number(choice.get("index")),), choice, "text")

    def holder(self, choice: dict[str, Any]) -> object:
        """The object that holds the text of a choice in an event."""
        return choice

    def with_text(self, text: str) -> dict[str, Any]:
        """The fields of a choice that hold this text in an event."""
        return {"text": text}


def _answer_stream(gap: Gap, request: Mapping[str, Any], end: CompletionEnd | ReplyEnd | None) -> TextStream:
    stream: TextStream = InfillStream(gap) if gap.suffix else CompletionStream(gap.prompt)
    if end is not None:
        stream = Until(stream, end, ends_line=not gap.suffix)
    if gap.prompt.converted and (stops := stop_texts(request.get("stop"))):
        stream = Stopping(stream, stops)
    return Echoing(stream, gap.prompt.sent, gap.prompt.python) if request.get("echo") else stream
