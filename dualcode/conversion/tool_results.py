"""Texts that the caller says are Python: the result of a tool, the content of a file. How they are marked, in code and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOOL_ROLES = frozenset(("tool", "function"))
"""Roles of the messages that hold results of tools."""
MARK, PYTHON = "simpy", "python"
"""The field of a message, or of a part of one, that marks its text as Python, and the value that does so."""


class PythonCode(str):
    """A text that is Python as a whole: how a caller marks the content of a file or the result of a tool.

    The mark ``"simpy": "python"`` in a message says the same in JSON.

    >>> isinstance(PythonCode("x = 1"), str)
    True
    """

    __slots__ = ()


def is_marked(holder: Mapping[str, Any]) -> bool:
    """Whether a message, or a part of one, is marked as Python. The mark is not for the model.

    >>> is_marked({"role": "tool", "content": "x = 1", "simpy": "python"}), is_marked({"simpy": ["python"]})
    (True, False)
    """
    return holder.get(MARK) == PYTHON
