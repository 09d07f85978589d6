"""A limit of time for one call, by the timer of the process. The program is pure Python, so an alarm can end it between any two steps.

Only the main thread of a process can be interrupted in this way, and only where the system has such a timer (Linux, macOS). Elsewhere
time is not limited; since conversion takes time linear in the length of a program, the limit of size bounds it there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

_Result = TypeVar("_Result")


class TooSlowError(Exception):
    """The call was not done in time."""


def within(seconds: float, function: Callable[[], _Result]) -> _Result:
    """The result of a function, if it is there in time.

    Raises:
        TooSlowError: it is not.

    >>> within(60, lambda: 1)
    1
    """
    if seconds <= 0 or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return function()
    armed = [True]

    def ring(number: int, frame: FrameType | None) -> None:
        if armed:  # an alarm that rings when all is done must not hit what comes after
            armed.clear()
            raise TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            return function()
        finally:
            armed.clear()
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
