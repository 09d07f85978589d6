"""The edits that the tool calls of a conversation have made: what is known of the person's files is brought up to date with them."""

from __future__ import annotations

from dataclasses import dataclass

from dualcode.conversion.labels import is_python_path
from dualcode.conversion.tool_calls.arguments import asked_pair, path_argument, read_arguments
from dualcode.conversion.tool_calls.known import Known
from dualcode.conversion.tool_calls.patches import patch_in
from dualcode.conversion.tool_calls.shown_texts import Pair
from dualcode.conversion.tool_calls.tools import EditTool, find_tool
from simpy_grammar.errors import SimPyError
from transpiler.patches import read_patch


@dataclass(frozen=True)
class ToolCall:
    """A tool call that the conversation already has, whose edit was made.

    Attributes:
        name: the tool.
        arguments: its arguments as JSON, as the agent has them: with the person's bytes.
    """

    name: str
    arguments: str


def take_call(known: Known, call: ToolCall, tools: tuple[EditTool, ...]) -> None:
    """Take the edit of a call that the conversation says was made; calls of other tools change nothing.

    >>> from dualcode.conversion.outcomes import Shortened
    >>> from dualcode.conversion.tool_calls.tools import TOOLS
    >>> known = Known([Shortened("x = 1\\n", "x=1")])
    >>> take_call(known, ToolCall("Edit", '{"file_path": "a.py", "old_string": "x = 1", "new_string": "x = 2"}'), TOOLS)
    >>> known.of("a.py")[0].python
    'x = 2\\n'
    """
    found = read_arguments(call.arguments)
    tool = None if found is None else find_tool(tools, call.name, found)
    if found is None or tool is None:
        return
    path = path_argument(tool, found)
    if tool.whole and isinstance(found.get(tool.whole), str):
        if path is not None and is_python_path(path):
            known.write(path, found[tool.whole])
        return
    if tool.patch:
        _take_patch(known, found[tool.patch], tool.form, path)
        return
    listed = found.get(tool.edits) if tool.edits else [found]
    for one in listed if isinstance(listed, list) else ():
        pair, everywhere = asked_pair(tool, one) if isinstance(one, dict) else (None, False)
        if pair is not None:
            known.replaced(path, pair, everywhere=everywhere)


def _take_patch(known: Known, value: object, form: str, path: str | None) -> None:
    """Take a patch that the conversation says was applied."""
    texts: list[object] = value if isinstance(value, list) else [value]
    for text in texts:
        if not isinstance(text, str):
            continue
        try:
            start, end = patch_in(text, form)
            changes = read_patch(text[start:end], form).changes
        except SimPyError:
            continue
        for change in changes:
            if change.kind == "update":
                known.replaced(change.path or path, Pair(change.old, change.new), everywhere=change.everywhere)
