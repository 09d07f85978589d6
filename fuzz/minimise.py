"""The small part of a corpus that reaches all that the whole reaches: lines of the Python path, and pairs of terminals."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

from fuzz.feedback import pairs
from fuzz.native import pure_python
from fuzz.properties import TARGETS

_CODE = ("/transpiler/", "/simpy_grammar/", "/dualcode/")


def minimise(target: str, inputs: Iterable[bytes], always: Iterable[bytes] = ()) -> list[bytes]:
    """Of some inputs, the short ones first, those that reach what none before reached; and ``always``, in any case."""
    chosen = sorted(set(always))
    reached: set[object] = set()
    for data in chosen:
        reached |= _reach(target, data)
    for data in sorted(set(inputs), key=lambda data: (len(data), data)):
        new = _reach(target, data) - reached
        if new:
            reached |= new
            chosen.append(data)
    return chosen


def _reach(target: str, data: bytes) -> set[object]:
    lines: set[object] = set()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if not any(part in code.co_filename for part in _CODE):
            return None
        lines.add((code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pure_python():
            simpy = TARGETS[target](data)
    finally:
        sys.settrace(before)
    return lines | (pairs(simpy) if simpy is not None else set())
