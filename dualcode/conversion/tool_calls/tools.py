"""The tools with which known agents edit files: one row for each, and the TOML file in which a user adds others.

Names are those of the public documentation and sources of the agents in November 2026. A row says what the arguments of a tool
mean; it does not say how code is found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dualcode.toml_files import read_toml
from simpy_grammar.errors import EditError


@dataclass(frozen=True)
class EditTool:
    """A tool that edits files, and what its arguments mean. A role that it does not have is empty.

    Attributes:
        agent: who has it.
        names: the names of the tool; none for a tool of any name.
        path: the argument with the name of the file.
        old, new: the text to find and the text that replaces it.
        everywhere: the argument that says that each place is meant: true, or a number above 1.
        edits: the argument with a list of objects that have ``old`` and ``new``, and perhaps ``path``.
        patch: the argument with a patch; a list of strings, one of which holds it, is possible too.
        form: the form of the patch, one of ``transpiler.patches.FORMS``.
        whole: the argument with the whole new file.
        sketch: the argument with code in which lines such as ``# ... existing code ...`` stand for what stays.
        when: an argument and the value that it has in the calls that the row is about.
    """

    agent: str
    names: tuple[str, ...]
    path: str = ""
    old: str = ""
    new: str = ""
    everywhere: str = ""
    edits: str = ""
    patch: str = ""
    form: str = ""
    whole: str = ""
    sketch: str = ""
    when: tuple[str, str] | None = None

    def is_called(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a call is one of this tool. Tools of an MCP server may have the server's name before theirs.

        >>> tool = EditTool("Claude Code", ("Edit",), "file_path", "old_string", "new_string")
        >>> tool.is_called("Edit", {"file_path": "b", "old_string": "a"}), tool.is_called("Edit", {"oldString": "a"})
        (True, False)
        """
        bare = name.rpartition("__")[2]
        if name not in self.names and bare not in self.names and (self.names or self.new not in arguments):
            return False
        if self.when is not None and arguments.get(self.when[0]) != self.when[1]:
            return False
        if self.path and self.path not in arguments and not self.edits:
            return False
        return any(role and role in arguments for role in (self.old, self.edits, self.patch, self.whole, self.sketch))


_EDITOR = ("str_replace_based_edit_tool", "str_replace_editor", "text_editor")
_PATCHES = ("apply_patch", "shell", "local_shell", "shell_command", "exec_command")

TOOLS: tuple[EditTool, ...] = (
    EditTool("Claude Code", ("Edit",), path="file_path", old="old_string", new="new_string", everywhere="replace_all"),
    EditTool("Claude Code", ("MultiEdit",), path="file_path", edits="edits", old="old_string", new="new_string", everywhere="replace_all"),
    EditTool("Claude Code", ("Write",), path="file_path", whole="content"),
    EditTool("Anthropic's text editor", _EDITOR, path="path", old="old_str", new="new_str", when=("command", "str_replace")),
    EditTool("Anthropic's text editor", _EDITOR, path="path", whole="file_text", when=("command", "create")),
    EditTool("Codex", _PATCHES, patch="input", form="apply_patch"),
    EditTool("Codex", _PATCHES, patch="command", form="apply_patch"),
    EditTool("Codex", _PATCHES, patch="cmd", form="apply_patch"),
    EditTool("OpenCode", ("edit",), path="filePath", old="oldString", new="newString", everywhere="replaceAll"),
    EditTool("OpenCode", ("multiedit",), path="filePath", edits="edits", old="oldString", new="newString", everywhere="replaceAll"),
    EditTool("OpenCode", ("patch", "apply_patch"), patch="patchText", form="apply_patch"),
    EditTool("OpenCode", ("write",), path="filePath", whole="content"),
    EditTool("Gemini CLI", ("replace",), path="file_path", old="old_string", new="new_string", everywhere="expected_replacements"),
    EditTool("Gemini CLI", ("write_file",), path="file_path", whole="content"),
    EditTool("Qwen Code", ("edit",), path="file_path", old="old_string", new="new_string", everywhere="replace_all"),
    EditTool("Cline", ("replace_in_file",), path="path", patch="diff", form="search_replace"),
    EditTool("Roo Code", ("apply_diff",), path="path", patch="diff", form="search_replace"),
    EditTool("Cline, Roo Code", ("write_to_file",), path="path", whole="content"),
    EditTool("GitHub Copilot", ("replace_string_in_file",), path="filePath", old="oldString", new="newString"),
    EditTool("GitHub Copilot", ("multi_replace_string_in_file",), path="filePath", edits="replacements", old="oldString", new="newString"),
    EditTool("GitHub Copilot", ("insert_edit_into_file",), path="filePath", sketch="code"),
    EditTool("GitHub Copilot", ("apply_patch",), patch="input", form="apply_patch"),
    EditTool("Cursor", ("edit_file",), path="target_file", sketch="code_edit"),
    EditTool("Zed", ("edit_file",), path="path", old="old_string", new="new_string"),
    EditTool("Zed", ("edit_file",), path="path", edits="edits", old="old_text", new="new_text"),
    EditTool("goose", ("text_editor",), path="path", patch="diff", form="unified_diff", when=("command", "str_replace")),
    # Whoever names the arguments like one of these means the same.
    EditTool("others", (), path="file_path", old="old_string", new="new_string", everywhere="replace_all"),
    EditTool("others", (), path="path", old="old_string", new="new_string", everywhere="replace_all"),
    EditTool("others", (), path="filePath", old="oldString", new="newString", everywhere="replaceAll"),
    EditTool("others", (), path="path", old="old_str", new="new_str"),
    EditTool("others", (), path="path", old="old_text", new="new_text"),
    EditTool("others", (), path="path", old="oldText", new="newText"),
)
"""The first row that fits a call counts. What is not here passes as received, such as ``NotebookEdit``, inserts by line number and
commands of a shell that hold no patch."""

_FIELDS = {field.name for field in fields(EditTool)}
_PATTERN = re.compile(r"[A-Za-z_][\w.-]*")


def find_tool(tools: tuple[EditTool, ...], name: str, arguments: Mapping[str, Any]) -> EditTool | None:
    """The row that a call belongs to.

    >>> find_tool(TOOLS, "str_replace_editor", {"command": "create", "path": "a.py", "file_text": "x = 1"}).whole
    'file_text'
    >>> find_tool(TOOLS, "NotebookEdit", {"new_source": "x"}) is None
    True
    """
    return next((tool for tool in tools if tool.is_called(name, arguments)), None)


def tools_of(table: object) -> tuple[EditTool, ...]:
    """The rows that a user adds, from the value of ``tool`` in a TOML file; they come before those that are built in.

    Raises:
        EditError: a row has an unknown role, or lacks what every tool has.

    >>> tools_of([{"names": ["patch_file"], "path": "file", "old": "before", "new": "after"}])[0].agent
    'yours'
    """
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        raise EditError("expected a list of tables, [[tool]]")
    return tuple(_row(row, f"tool {number}") for number, row in enumerate(table, 1))


def read_tools(path: Path) -> tuple[EditTool, ...]:
    """The rows that a user adds, from a TOML file.

    Raises:
        EditError: a row is not one.
        SimPyError: the file cannot be read, or it is not TOML.
    """
    try:
        return tools_of(read_toml(path).get("tool"))
    except EditError as error:
        error.path = str(path)
        raise


def _row(row: Mapping[str, Any], where: str) -> EditTool:
    unknown = sorted(set(row) - _FIELDS)
    if unknown:
        raise EditError(f"{where}: {unknown[0]!r} is not a role", hint=f"the roles are {', '.join(sorted(_FIELDS))}")
    names, when = row.get("names"), row.get("when")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and _PATTERN.fullmatch(name) for name in names):
        raise EditError(f"{where}: expected names, a list of the tool's names")
    if when is not None and not (isinstance(when, list) and len(when) == 2 and all(isinstance(part, str) for part in when)):
        raise EditError(f"{where}: expected when to be an argument and its value")
    texts = {key: value for key, value in row.items() if key not in ("names", "when")}
    wrong = sorted(key for key, value in texts.items() if not isinstance(value, str))
    if wrong:
        raise EditError(f"{where}: expected {wrong[0]} to be a string")
    tool = EditTool(**{"agent": "yours", **texts}, names=tuple(names), when=None if when is None else (when[0], when[1]))
    if bool(tool.old) != bool(tool.new) or not (tool.old or tool.patch or tool.whole or tool.sketch) or (tool.edits and not tool.old):
        raise EditError(f"{where}: expected old and new, or one of patch, whole and sketch")
    return tool
