"""What converts the answer to a completion, and ends it where nothing more is wanted."""

from __future__ import annotations

from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream
from dualcode.conversion.streams import Stopping, TextStream, stop_texts
from dualcode.conversion.units import Unit
from dualcode.conversion.until import CompletionEnd, Until


def answer_stream(gap: Gap, fills: bool, unit: Unit | None, stop: object) -> TextStream:
    """Opens the stream of one answer.

    Args:
        gap: the prompt, and what comes after the answer.
        fills: the answer fills the gap; otherwise it goes on with the prompt.
        unit: the unit at whose end it ends; ``None`` for none.
        stop: the option ``stop`` of the question.

    >>> stream = answer_stream(Gap("x = ", "", "classic"), False, "statement", None)
    >>> stream.feed("a+b<line_sep>y=1") + stream.close()
    'a + b\\n'
    """
    prompt = gap.prompt
    stream: TextStream = InfillStream(gap) if fills else CompletionStream(prompt)
    if unit is not None:
        stream = Until(stream, CompletionEnd(unit, prompt), ends_line=not fills)
    if prompt.converted and (stops := stop_texts(stop)):
        stream = Stopping(stream, stops)
    return stream
