"""The arguments of a tool call: read from JSON, written as JSON, and the pair of texts that they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dualcode.conversion.tool_calls.shown_texts import Pair
from dualcode.conversion.tool_calls.tools import EditTool

_LONGEST = 4_000_000  # characters of arguments that are looked at


def read_arguments(arguments: str) -> dict[str, Any] | None:
    """The arguments of a call; ``None`` if they are not an object of JSON, or are longer than is looked at.

    >>> read_arguments('{"path": "a.py"}'), read_arguments("[]"), read_arguments("{")
    ({'path': 'a.py'}, None, None)
    """
    if not isinstance(arguments, str) or len(arguments) > _LONGEST:
        return None
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON. A lone surrogate is escaped, since it cannot be sent otherwise.

    >>> write_arguments({"new": "é"})
    '{"new": "é"}'
    """
    text = json.dumps(arguments, ensure_ascii=False)
    return text if not any("\ud800" <= char <= "\udfff" for char in text) else json.dumps(arguments)


def path_argument(tool: EditTool, found: Mapping[str, Any]) -> str | None:
    """The file that a call, or an edit in its list, names; ``None`` if it names none."""
    path = found.get(tool.path)
    return path if isinstance(path, str) else None


def asked_pair(tool: EditTool, found: Mapping[str, Any]) -> tuple[Pair | None, bool]:
    """The pair of a call, and whether each place is meant; no pair if the arguments have none.

    >>> tool = EditTool("mine", ("edit",), path="file", old="before", new="after", everywhere="all")
    >>> asked_pair(tool, {"before": "a", "after": "b", "all": True})
    (Pair(old='a', new='b'), True)
    """
    old, new, everywhere = found.get(tool.old), found.get(tool.new), found.get(tool.everywhere)
    if not isinstance(old, str) or not isinstance(new, str):
        return None, False
    return Pair(old, new), everywhere is True or (isinstance(everywhere, int) and everywhere > 1)
