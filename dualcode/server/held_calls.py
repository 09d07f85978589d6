"""The arguments of tool calls in answers: held until they are whole, then given to a hook. Which hook, the request says."""

from __future__ import annotations

import logging

from dualcode.conversion.outcomes import Note
from dualcode.faults import fault
from dualcode.server.apis.protocol import GiveBack
from dualcode.server.json_objects import ENCODER, parse_text
from dualcode.server.logs import log


class HeldCall:
    """The arguments of one call, as a stream that gives nothing out before its end.

    Args:
        give_back: what to do with the arguments.
        plain: they are one plain text and not JSON.
        limit: characters that are held; of longer arguments nothing is given back.

    Attributes:
        tool: the name of the tool.

    >>> call = HeldCall(lambda tool, arguments: arguments.replace("x=1", "x = 1"), limit=1000)
    >>> call.feed('{"code": "x='), call.feed('1"}'), call.close()
    ('', '', '{"code": "x = 1"}')
    """

    ended = ""

    def __init__(self, give_back: GiveBack, tool: str = "", *, plain: bool = False, limit: int) -> None:
        self.tool = tool
        self._give_back = give_back
        self._plain = plain
        self._limit = limit
        self._held: list[str] = []
        self._size = 0
        self._passing = False
        self.notes: tuple[Note, ...] = ()

    def feed(self, text: str) -> str:
        """Hold a piece."""
        if self._passing:
            return text
        self._held.append(text)
        self._size += len(text)
        if self._size <= self._limit:
            return ""
        self._passing = True
        self._note("very long arguments of a tool call")
        return self._take()

    def close(self) -> str:
        """The arguments to hand on."""
        text = self._take()
        if self._passing or not text:
            return text
        asked = ENCODER.encode({"input": text}) if self._plain else text
        if parse_text(asked) is None:  # broken off: nothing can be said about it
            return text
        try:
            found = self._give_back(self.tool, asked)
        except Exception as error:  # a fault of ours must not cost the person the answer
            log(logging.ERROR, f"the arguments of a call could not be given back: {fault(error)}", reason=fault(error))
            self._note("the arguments of a tool call")
            return text
        value = parse_text(found)
        given = value.get("input") if value is not None and self._plain else found
        return given if value is not None and isinstance(given, str) else text

    def _take(self) -> str:
        text = "".join(self._held)
        self._held.clear()
        return text

    def _note(self, reason: str) -> None:
        self.notes = (Note(1, reason),)
