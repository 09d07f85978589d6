"""What the edit tools of agents do with a file, and the calls that ask for hunks: by plain comparison, as their documentation says.

Nothing here knows of shortened code. Tests and benchmarks make edits with it on the person's file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dualcode.conversion.tool_calls.hunks import Hunk
from transpiler.source import split_lines

PATH = "package/module.py"


class ToolError(Exception):
    """The tool refuses."""


def replaced_once(text: str, old: str, new: str) -> str:
    """A text with one place replaced, which must be the only one.

    >>> replaced_once("a b", "b", "c")
    'a c'
    """
    if not old or text.count(old) != 1:
        raise ToolError("not found" if not text.count(old) else "several places")
    return text.replace(old, new)


# ---------------------------------------------------------------------------------------------------------- Claude Code


def claude_edit(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``Edit``."""
    (hunk,) = hunks
    return {"file_path": PATH, "old_string": hunk.old, "new_string": hunk.new}


def apply_claude_edit(text: str, arguments: dict[str, Any]) -> str:
    """What ``Edit`` makes of a file."""
    old, new = arguments["old_string"], arguments["new_string"]
    if arguments.get("replace_all"):
        if old not in text:
            raise ToolError("not found")
        return text.replace(old, new)
    return replaced_once(text, old, new)


def claude_multi_edit(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``MultiEdit``."""
    return {"file_path": PATH, "edits": [{"old_string": hunk.old, "new_string": hunk.new} for hunk in hunks]}


def apply_claude_multi_edit(text: str, arguments: dict[str, Any]) -> str:
    """What ``MultiEdit`` makes of a file."""
    for edit in arguments["edits"]:
        text = apply_claude_edit(text, edit)
    return text


def claude_write(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``Write``."""
    return {"file_path": PATH, "content": new}


def apply_claude_write(text: str, arguments: dict[str, Any]) -> str:
    """What ``Write`` makes of a file."""
    return str(arguments["content"])


# -------------------------------------------------------------------------------------------------------------- the others


def codex_patch(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``apply_patch``."""
    body = "".join(f"@@\n{''.join(hunk.lines)}" for hunk in hunks)
    return {"input": f"*** Begin Patch\n*** Update File: {PATH}\n{body}*** End Patch"}


def apply_codex_patch(text: str, arguments: dict[str, Any]) -> str:
    """What ``apply_patch`` makes of a file: the lines of each hunk are looked for below those of the hunk before it."""
    lines = split_lines(text if text.endswith("\n") or not text else text + "\n")
    at = 0
    for hunk in re.split(r"(?m)^@@.*\n", arguments["input"])[1:]:
        signed = [line for line in split_lines(hunk) if not line.startswith("*** ")]
        old, new = ([line[1:] for line in signed if line[0] != sign] for sign in "+-")
        places = [i for i in range(at, len(lines) - len(old) + 1) if lines[i : i + len(old)] == old]
        if not places:
            raise ToolError("not found")
        lines[places[0] : places[0] + len(old)] = new
        at = places[0] + len(new)
    return "".join(lines)


def opencode_edit(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``edit``."""
    (hunk,) = hunks
    return {"filePath": PATH, "oldString": hunk.old, "newString": hunk.new}


def apply_opencode_edit(text: str, arguments: dict[str, Any]) -> str:
    """What ``edit`` makes of a file."""
    return replaced_once(text, arguments["oldString"], arguments["newString"])


def cline_diff(hunks: tuple[Hunk, ...], new: str) -> dict[str, Any]:
    """Arguments of ``replace_in_file``."""
    blocks = (f"------- SEARCH\n{_escaped(hunk.old)}=======\n{_escaped(hunk.new)}+++++++ REPLACE\n" for hunk in hunks)
    return {"path": PATH, "diff": "".join(blocks)}


def apply_cline_diff(text: str, arguments: dict[str, Any]) -> str:
    """What ``replace_in_file`` makes of a file: each block is looked for below the one before it."""
    text = text if text.endswith("\n") or not text else text + "\n"
    at, out = 0, []
    blocks = re.findall(r"(?m)^------- SEARCH\n([\s\S]*?)^=======\n([\s\S]*?)^\+{7} REPLACE$", arguments["diff"])
    if not blocks:
        raise ToolError("not a diff")
    for block in blocks:
        old, new = (_unescaped(split_lines(part)) for part in block)
        place = text.find(old, at)
        if not old or place < 0:
            raise ToolError("not found")
        out += [text[at:place], new]
        at = place + len(old)
    return "".join((*out, text[at:]))


_MARKER = re.compile(r"\\*(?:-{5,9} SEARCH|={5,9}$|\+{5,9} REPLACE|-{7}$)")


def _escaped(text: str) -> str:
    return "".join("\\" + line if _MARKER.match(line) else line for line in split_lines(text))


def _unescaped(lines: Iterable[str]) -> str:
    return "".join(line[1:] if line.startswith("\\") and _MARKER.match(line) else line for line in lines)
