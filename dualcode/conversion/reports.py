"""What a command has printed, in the report of the tool of an agent that ran it: lines before it, and lines after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_MOST_BEFORE = 12  # lines
# Codex and Cline put what was printed under this line, Gemini CLI behind it.
_OUTPUT = re.compile(r"(?:Output|Stdout):(?:[ \t]*\r?$|[ ])", re.IGNORECASE)
# Gemini CLI; OpenHands: `[The command completed with exit code 0.]`
_FIELD_AFTER = re.compile(r"(?:Error|Stderr|Exit Code|Signal|Background PIDs|Process Group PGID): .*")
_REMARK_AFTER = re.compile(r"\[[A-Z][a-z]+ [^\[\]]*\]\s*")


class Report(NamedTuple):
    """A text in three parts that are it together."""

    before: str
    printed: str
    after: str


def read_report(lines: Sequence[str]) -> Report | None:
    """The report that some lines are, or ``None`` if nothing in them says that they are one.

    >>> read_report(["Exit code: 0\\n", "Output:\\n", "x = 1\\n"])
    Report(before='Exit code: 0\\nOutput:\\n', printed='x = 1\\n', after='')
    >>> read_report(["Command: cat a.py\\n", "Output: x = 1\\n", "Error: (none)\\n", "Exit Code: 0"])
    Report(before='Command: cat a.py\\nOutput: ', printed='x = 1\\n', after='Error: (none)\\nExit Code: 0')
    >>> read_report(["x = 1\\n", "[The command completed with exit code 0.]"])
    Report(before='', printed='x = 1\\n', after='[The command completed with exit code 0.]')
    """
    first, start = 0, 0
    for number, line in enumerate(lines[:_MOST_BEFORE]):
        if found := _OUTPUT.match(line):
            empty = not line[found.end() :].strip()
            first, start = (number + 1, 0) if empty else (number, found.end())
            break
    is_headed = first > 0 or start > 0
    last = len(lines)
    while last > first + 1 and (_REMARK_AFTER.fullmatch(lines[last - 1]) or (is_headed and _FIELD_AFTER.match(lines[last - 1]))):
        last -= 1
    if not is_headed and last == len(lines):
        return None
    printed = "".join(lines[first:last])
    return Report("".join(lines[:first]) + printed[:start], printed[start:], "".join(lines[last:]))
