"""Stop: the model is stopped where the code that was asked for ends, as if each question had said ``until``.

The field knows this as excess token prevention (CodeFast: Guo et al., ISSTA 2024), which trains a classifier to tell. Here the grammar
tells, so nothing is guessed; the stream of a server is cut there, and the server is told to stop by closing it.
"""

from __future__ import annotations

from dataclasses import replace

from dualcode.conversion.units import UNITS
from dualcode.policies.options import Options
from dualcode.policies.protocol import Ask, Policy, Question

NOTHING = "nothing"
_PATHS = ("", "/chat/completions", "/completions")  # the other APIs have no such stop


class Stop(Policy):
    """Stops models where a unit of code is whole, unless a question says itself where to stop.

    Args:
        until: the unit for ``complete`` and ``infill`` (see ``dualcode.conversion.units.UNITS``).
        chats: the unit for chats; with ``"program"`` the reply ends where its first block of code ends. ``None`` leaves chats alone.

    >>> Stop().before(Question("complete", "def f():\\n")).question.until
    'block'
    >>> Stop().before(Question("complete", "def f():\\n", until="program")), Stop().before(Question("chat"))
    (None, None)
    """

    name = "stop"

    def __init__(self, until: str = "block", chats: str | None = None) -> None:
        self.until = until
        self.chats = chats

    @property
    def identity(self) -> str:
        """What it stops at."""
        return f"{self.name} {self.until} {self.chats}"

    def before(self, question: Question) -> Ask | None:
        """Name the unit."""
        unit = self.chats if question.is_chat else self.until
        if unit is None or question.until is not None or question.path not in _PATHS:
            return None
        return Ask(replace(question, until=unit), f"until the {unit} ends")


def open_policy(options: Options) -> Stop:
    """The policy, with ``until=UNIT`` and ``chats=UNIT``."""
    until = options.choice("until", "block", UNITS)
    chats = options.choice("chats", NOTHING, (NOTHING, *UNITS))
    return Stop(until, None if chats == NOTHING else chats)
