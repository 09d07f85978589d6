"""OpenAI's ``apply_patch``: sections for files, each with hunks that quote lines instead of counting them.

*** Begin Patch
*** Update File: app.py
@@ class C:
 x = 1
-y = 2
+y = 3
*** End Patch
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transpiler.patches.change import Change
from transpiler.patches.hunks import Hunk, hunk_header
from transpiler.patches.patch_text import PatchText

_BEGIN = re.compile(r"\*\*\* Begin Patch(?: \*\*\*)?[ \t]*$")
_END = re.compile(r"\*\*\* End Patch(?: \*\*\*)?[ \t]*$")
_SECTION = re.compile(r"\*\*\* (?P<verb>Update|Add|Delete|Move) File: *(?P<path>.+?)(?: \*\*\*)?[ \t]*$")
_MOVE_TO = re.compile(r"\*\*\* Move to: *(?P<path>.+?)[ \t]*$")
_ARROW = re.compile(r"(?P<old>.+?) +-> +(?P<new>.+)$")
_END_OF_FILE = re.compile(r"\*\*\* End of File[ \t]*$")
_MARKER = re.compile(r"\*\*\* ")


def parse_apply_patch(patch: PatchText) -> Iterator[Change]:
    """The changes of all sections. What stands outside of ``*** Begin Patch`` and ``*** End Patch`` is prose.

    >>> text = "*** Begin Patch\\n*** Update File: a.py\\n@@ def f():\\n-    x\\n+    y\\n*** End Patch\\n"
    >>> list(parse_apply_patch(PatchText(text)))[0][:6]
    ('a.py', 'update', '    x\\n', '    y\\n', None, 'def f():')
    """
    at = 0
    while at < len(patch.lines):
        line = patch.bare(at)
        if _BEGIN.match(line) or _SECTION.match(line):
            at += bool(_BEGIN.match(line))
            while not _END.match(patch.bare(at)):
                changes, at = _section(patch, at)
                yield from changes
        else:
            patch.check_prose(at)
        at += 1


def _section(patch: PatchText, at: int) -> tuple[list[Change], int]:
    """The changes of the section that begins in a line, and the index of the line after it."""
    while at < len(patch.lines) and not patch.bare(at).strip():
        at += 1
    section = _SECTION.match(patch.bare(at))
    if at >= len(patch.lines):
        raise patch.error("expected '*** End Patch': the patch may have been cut off", at)
    if _END.match(patch.bare(at)):
        return [], at
    if not section:
        raise patch.error("expected '*** Update File: NAME', '*** Add File: NAME', '*** Delete File: NAME' or '*** End Patch'", at)
    path = section["path"]
    if section["verb"] == "Delete":
        return [Change(path, "delete")], at + 1
    if section["verb"] == "Move":
        names = _ARROW.match(path)
        if not names:
            raise patch.error("expected '*** Move File: OLD -> NEW'", at)
        return [Change(names["old"], "move", moved_to=names["new"])], at + 1
    if section["verb"] == "Add":
        return _added(patch, at + 1, path)
    return _updated(patch, at + 1, path)


def _added(patch: PatchText, at: int, path: str) -> tuple[list[Change], int]:
    lines = []
    while at < len(patch.lines) and not _MARKER.match(patch.bare(at)):
        line = patch.lines[at]
        if not line.startswith("+") and line.strip():
            raise patch.error("expected a line that starts with '+': every line of a new file does", at)
        lines.append(line[1:] if line.startswith("+") else line)
        at += 1
    while lines and not patch.lines[at - 1].strip():  # a blank line without its sign only separates
        lines.pop()
        at -= 1
    return [Change(path, "create", new="".join(lines))], at


def _updated(patch: PatchText, at: int, path: str) -> tuple[list[Change], int]:
    move = _MOVE_TO.match(patch.bare(at))
    at += bool(move)
    changes: list[Change] = []
    while at < len(patch.lines) and (not _MARKER.match(patch.bare(at)) or _END_OF_FILE.match(patch.bare(at))):
        hunk, at = _hunk(patch, at)
        if hunk.is_change:
            changes.append(hunk.change(patch, path))
    if move:
        changes.append(Change(path, "move", moved_to=move["path"]))
    if not changes:
        raise patch.error(f"nothing changes in the section of {path}: expected lines that start with '+' or '-'", at - 1)
    return changes, at


def _hunk(patch: PatchText, at: int) -> tuple[Hunk, int]:
    """The hunk that begins in a line: its ``@@`` lines, then its body."""
    contexts: list[str] = []
    line = None
    start = at
    while patch.bare(at).startswith("@@"):
        header = hunk_header(patch, at)
        contexts += [header.context] if header.context else []
        line = header.line or line
        at += 1
    hunk = Hunk(start, line, "\n".join(contexts) or None)
    while at < len(patch.lines) and not _MARKER.match(patch.bare(at)) and not patch.bare(at).startswith("@@"):
        if not hunk.add(patch.lines[at]):
            raise patch.error("expected a line that starts with ' ', '+', '-', '@@' or '***'", at)
        at += 1
    hunk.drop_blank_end()
    return hunk, at + bool(_END_OF_FILE.match(patch.bare(at)))
