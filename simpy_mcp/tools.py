"""The tools as clients see them: names, descriptions, schemas; and the calls that they stand for.

Every client pays for these texts in every conversation, so they are short, and a test holds their number of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simpy_grammar.errors import SimPyError
from simpy_mcp.requests import Request
from simpy_mcp.settings import Answer
from simpy_mcp.workspace import Workspace
from transpiler.views import KINDS
from transpiler.views.registry import spelled

INSTRUCTIONS = "For Python files, use these tools in place of others that read and edit files."
DIALECTS = ("compact", "python", "classic", "dense", "dense-newline")
_VIEWS = ", ".join(spelled(name) for name in KINDS if name not in ("symbol", "lines"))


class Parameter(NamedTuple):
    """A parameter of a tool.

    Attributes:
        type: its type in JSON: ``string``, ``integer`` or ``array`` (of strings).
        description: what it is; may be empty.
        choices: the values that it may have; empty for any.
    """

    type: str
    description: str = ""
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        found: dict[str, Any] = {"type": self.type}
        if self.type == "array":
            found["items"] = {"type": "string"}
        if self.description:
            found["description"] = self.description
        if self.choices:
            found["enum"] = list(self.choices)
        return found


class Tool(NamedTuple):
    """A tool.

    Attributes:
        description: what a model reads of it.
        parameters: by name.
        required: the names of those that must be given.
        call: does the work, for a session and arguments that have been checked.
        changes_files: whether it writes.
    """

    description: str
    parameters: Mapping[str, Parameter]
    required: tuple[str, ...]
    call: Callable[[Workspace, str | None, dict[str, Any]], Answer]
    changes_files: bool = False

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        properties = {name: parameter.schema() for name, parameter in self.parameters.items()}
        return {"type": "object", "properties": properties, **({"required": list(self.required)} if self.required else {})}


def _read(workspace: Workspace, session: str | None, given: dict[str, Any]) -> Answer:
    return workspace.read(session, given.pop("path"), views=given.pop("view", None), **given)


def _edit(workspace: Workspace, session: str | None, given: dict[str, Any]) -> Answer:
    return workspace.edit(session, given.pop("path", None), Request(**given))


def _check(workspace: Workspace, _: str | None, given: dict[str, Any]) -> Answer:
    return workspace.check(given.get("path"), given.get("text"), given.get("dialect"))


def _count(workspace: Workspace, _: str | None, given: dict[str, Any]) -> Answer:
    return workspace.count(given.get("path"), given.get("text"))


_DIALECT = Parameter("string", choices=DIALECTS)
_PATH = Parameter("string")
TOOLS: dict[str, Tool] = {
    "read_code": Tool(
        "Read a Python file in few tokens, or list the Python files of a folder. `41:` before a definition is its line in the file, "
        "not code. The last line of the answer says what was left out.",
        {
            "path": _PATH,
            "view": Parameter("array", _VIEWS),
            "symbol": Parameter("string", "only this definition: Class.method"),
            "lines": Parameter("string", "only the statements around lines: 40-60"),
            "dialect": _DIALECT,
            "numbers": Parameter("string", choices=("definitions", "all", "none")),
        },
        ("path",),
        _read,
    ),
    "edit_code": Tool(
        "Edit a Python file; all else keeps every byte. Give old and new; or symbol and new; or text; or patch. "
        "After an error nothing has changed.",
        {
            "path": _PATH,
            "old": Parameter("string", "code to replace, in any layout; must stand at one place only"),
            "new": Parameter("string", "what comes there; empty to delete"),
            "near": Parameter("integer", "line where old begins, if at several places"),
            "within": Parameter("string", "definition that holds old: Class.method"),
            "symbol": Parameter("string", "definition to replace whole"),
            "text": Parameter("string", "all that was read, rewritten; or a new file"),
            "seen": Parameter("string", "the reading that was rewritten, if not the only one"),
            "patch": Parameter("string", "SEARCH/REPLACE blocks, unified diff or apply_patch; names its files"),
        },
        (),
        _edit,
        changes_files=True,
    ),
    "check_code": Tool(
        "Whether a Python file or a text parses, and where not.",
        {"path": _PATH, "text": Parameter("string"), "dialect": _DIALECT},
        (),
        _check,
    ),
    "count_tokens": Tool(
        "Tokens of a Python file or text in each dialect.",
        {"path": _PATH, "text": Parameter("string")},
        (),
        _count,
    ),
}
"""The tools by name."""


def call(workspace: Workspace, session: str | None, name: str, arguments: Mapping[str, Any]) -> Answer:
    """Call a tool.

    Raises:
        SimPyError: there is no such tool, its arguments are wrong, or it fails.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise SimPyError(f"no tool {name!r}", path=name, hint=f"use {', '.join(TOOLS)}")
    given = {key: _value(name, key, tool.parameters.get(key), value) for key, value in arguments.items() if value is not None}
    for key in tool.required:
        if key not in given:
            raise SimPyError(f"{key} is missing", path=name)
    return tool.call(workspace, session, given)


def _value(tool: str, name: str, parameter: Parameter | None, value: Any) -> Any:
    """An argument as its parameter wants it. Numbers as text and single values in the place of lists are what models write."""
    if parameter is None:
        raise SimPyError(f"no parameter {name!r}", path=tool, hint=f"use {', '.join(TOOLS[tool].parameters)}")
    if parameter.type == "integer" and isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if parameter.type == "array" and isinstance(value, str):
        value = [value]
    fits = {
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "array": isinstance(value, list) and all(isinstance(one, str) for one in value),
    }[parameter.type]
    if not fits:
        raise SimPyError(f"{name} is not {'an' if parameter.type[0] in 'ai' else 'a'} {parameter.type}", path=tool)
    if parameter.choices and value not in parameter.choices:
        raise SimPyError(f"{name} cannot be {value!r}", path=tool, hint=f"use {', '.join(parameter.choices)}")
    return value
