"""How a fault of ours is told: by its class and place."""

from __future__ import annotations

import traceback
from pathlib import Path


def fault(error: BaseException) -> str:
    """The class and the place of an error of ours. Its message may hold a part of a prompt and stays out of the log.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     fault(error)
    'ZeroDivisionError at <doctest dualcode.faults.fault[0]>:2'
    """
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else type(error).__name__
