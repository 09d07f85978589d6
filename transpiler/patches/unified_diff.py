"""Unified diffs, of git and of ``diff -u``, and as models write them: with wrong line numbers, wrong counts, or none.

    --- a/app.py
    +++ b/app.py
    @@ -1,2 +1,2 @@
     x = 1
    -y = 2
    +y = 3

The counts in a header decide where its hunk ends if they fit; otherwise the hunk ends where something else begins.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from transpiler.patches.change import Change
from transpiler.patches.file_names import FENCE
from transpiler.patches.hunks import Header, Hunk, hunk_header
from transpiler.patches.patch_text import PatchText

_GIT = "diff --git "
_GIT_NAMES = re.compile(r'(?P<old>"a/(?:[^"\\]|\\.)*"|a/.*) (?P<new>"b/(?:[^"\\]|\\.)*"|b/.*)$')
_EXTENDED = re.compile(
    r"(?P<key>index|old mode|new mode|new file mode|deleted file mode|similarity index|dissimilarity index"
    r"|rename from|rename to|copy from|copy to) (?P<value>.*)$"
)
_BINARY = re.compile(r"(?:Binary files .* differ|GIT binary patch)$")
_NULL = "/dev/null"
_VERSION = re.compile(r"\d+(?:\.\d+)*")  # below the `-- ` that ends a mail of git


class _File(NamedTuple):
    """What the headers of a file say. Names are ``None`` where there is none."""

    old: str | None
    new: str | None
    keys: dict[str, str]
    has_names: bool  # there are `---` and `+++`


def parse_unified_diff(patch: PatchText) -> Iterator[Change]:
    """The changes of all hunks, file by file. What stands between the files is prose.

    >>> list(parse_unified_diff(PatchText("--- a/m.py\\n+++ b/m.py\\n@@ ... @@\\n-x\\n+y\\n")))[0][:4]
    ('m.py', 'update', 'x\\n', 'y\\n')
    """
    at = 0
    while at < len(patch.lines):
        if patch.bare(at).startswith(_GIT) or _is_file_header(patch, at):
            file, body = _file(patch, at)
            changes, at = _file_changes(patch, at, body, file)
            yield from changes
        elif patch.bare(at).startswith("@@"):
            hunks, at = _hunks(patch, at)
            yield from (hunk.change(patch, None) for hunk in hunks if hunk.is_change)
        else:
            patch.check_prose(at)
            at += 1


def _is_file_header(patch: PatchText, at: int) -> bool:
    return patch.bare(at).startswith("--- ") and patch.bare(at + 1).startswith("+++ ")


def _file(patch: PatchText, start: int) -> tuple[_File, int]:
    """The headers that begin in a line, and the index of the line after them."""
    at, keys = start, {}
    names: tuple[str, str] | None = None
    if patch.bare(at).startswith(_GIT):
        both = _GIT_NAMES.match(patch.bare(at)[len(_GIT) :])
        names = (_unquoted(patch, at, both["old"]), _unquoted(patch, at, both["new"])) if both else None
        at += 1
        while extended := _EXTENDED.match(patch.bare(at)):
            keys[extended["key"]] = _unquoted(patch, at, extended["value"])
            at += 1
        if _BINARY.match(patch.bare(at)):
            raise patch.error("a change of a binary file cannot be read", at)
    has_names = _is_file_header(patch, at)
    if has_names:
        names = _name(patch, at), _name(patch, at + 1)
        at += 2
    if names is None:
        raise patch.error("expected the names of two files", start)
    if "rename from" in keys:
        return _File(keys["rename from"], keys.get("rename to"), keys, has_names), at
    old, new = names
    strip = old.startswith("a/") and new.startswith("b/") or _NULL in names
    old, new = (name[2:] if strip and name.startswith(lead) else name for name, lead in ((old, "a/"), (new, "b/")))
    return _File(None if old == _NULL else old, None if new == _NULL else new, keys, has_names), at


def _name(patch: PatchText, at: int) -> str:
    """The name in a ``---`` or ``+++`` line: a tab ends it, and a date may follow."""
    return _unquoted(patch, at, patch.bare(at)[4:].split("\t")[0].strip())


def _unquoted(patch: PatchText, at: int, name: str) -> str:
    """A name as git writes it: odd ones in quotes, with octal escapes of their bytes."""
    if not (len(name) > 1 and name[0] == name[-1] == '"'):
        return name
    try:
        return bytes(ast.literal_eval("b" + name)).decode()
    except (SyntaxError, ValueError):
        raise patch.error(f"expected a file name, not {name}", at) from None


def _file_changes(patch: PatchText, start: int, body: int, file: _File) -> tuple[list[Change], int]:
    """The changes of one file, and the index of the line after it."""
    hunks, at = _hunks(patch, body)
    if file.old is None and file.new is None:
        raise patch.error("a change needs a file: both names are /dev/null", start)
    if file.old is None or "new file mode" in file.keys:
        _check_one_sided(patch, hunks, 0, "a file that is created has no old lines")
        return [Change(file.new, "create", new="".join(line for hunk in hunks for line in hunk.new))], at
    if file.new is None or "deleted file mode" in file.keys:
        _check_one_sided(patch, hunks, 1, "a file that is deleted has no new lines")
        return [Change(file.old, "delete", old="".join(line for hunk in hunks for line in hunk.old))], at
    moved = "rename from" in file.keys
    path = file.old if moved or file.old == file.new else None  # two names and no rename: which file it is, the caller must know
    changes = [_update(patch, hunk, path) for hunk in hunks if hunk.is_change]
    if moved:
        changes.append(Change(file.old, "move", moved_to=file.new))
    if file.has_names and not hunks:
        raise patch.error("expected a hunk: '@@', then lines that start with ' ', '+' or '-'", at)
    return changes, at


def _update(patch: PatchText, hunk: Hunk, path: str | None) -> Change:
    if not hunk.old and hunk.empty_before:
        return Change(path, "create", new="".join(hunk.new))
    return hunk.change(patch, path)


def _check_one_sided(patch: PatchText, hunks: list[Hunk], side: int, message: str) -> None:
    for hunk in hunks:
        if hunk.counts[side]:
            raise patch.error(message, hunk.start)


def _hunks(patch: PatchText, at: int) -> tuple[list[Hunk], int]:
    """The hunks that begin in a line. The first one of a file may lack its header."""
    hunks: list[Hunk] = []
    while patch.bare(at).startswith("@@") or (not hunks and patch.bare(at)[:1] in (" ", "+", "-") and patch.bare(at)):
        header = hunk_header(patch, at) if patch.bare(at).startswith("@@") else Header(None, None, "")
        body = at + patch.bare(at).startswith("@@")
        counted = header.counts and _by_counts(patch, Hunk(at, header.line, header.context or None), body, header.counts)
        hunk, at = counted or _by_shape(patch, Hunk(at, header.line, header.context or None), body)
        hunk.empty_before = header.counts is not None and header.counts[0] == 0 and header.line is None
        hunks.append(hunk)
        while at < len(patch.lines) and not patch.bare(at).strip() and patch.bare(at + 1).startswith("@@"):
            at += 1
    return hunks, at


def _by_counts(patch: PatchText, hunk: Hunk, at: int, counts: tuple[int, int]) -> tuple[Hunk, int] | None:
    """The hunk, if as many lines as its header says end where something else begins."""
    while hunk.counts[0] < counts[0] or hunk.counts[1] < counts[1]:
        if at >= len(patch.lines) or not hunk.add(patch.lines[at]):
            return None
        at += 1
    if patch.bare(at).startswith("\\ "):
        hunk.add(patch.lines[at])
        at += 1
    fits = hunk.counts == counts and (_ends(patch, at) or patch.bare(at)[:1] not in (" ", "+", "-"))
    return (hunk, at) if fits else None


def _by_shape(patch: PatchText, hunk: Hunk, at: int) -> tuple[Hunk, int]:
    """The hunk, whatever its header says: it goes on until something else begins."""
    while not _ends(patch, at):
        if not hunk.add(patch.lines[at]):
            raise patch.error("expected a line that starts with ' ', '+', '-' or '@@'", at)
        at += 1
    hunk.drop_blank_end()
    return hunk, at


def _ends(patch: PatchText, at: int) -> bool:
    """Whether a hunk ends before a line: at the end of the patch, a header, the end of a fence, or git's signature."""
    line = patch.bare(at)
    if at >= len(patch.lines) or line.startswith(("@@", _GIT)) or (line and FENCE.match(line) and not line.startswith(" ")):
        return True
    if line == "-- " and _VERSION.match(patch.bare(at + 1)):
        return True
    return _is_file_header(patch, at) and patch.bare(at + 2).startswith("@@")
